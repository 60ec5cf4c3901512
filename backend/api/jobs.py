"""Ingest jobs: watch what is being taken in and copied."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from backend.api.deps import After, IdPath, Limit, Searcher, Services
from backend.api.links import AFTER_LISTING_JOBS
from backend.api.problems import problems
from backend.api.schemas import WireJob
from backend.domain.job import JobState
from backend.domain.page import DEFAULT_LIMIT, encode_cursor

router = APIRouter(tags=["jobs"])


@router.get("/ingest/jobs", summary="List jobs", responses={200: {"links": AFTER_LISTING_JOBS}, **problems(400, 403)})
async def list_jobs(
    caller: Searcher,
    registry: Services,
    response: Response,
    after: After,
    limit: Limit = DEFAULT_LIMIT,
    state: Annotated[list[JobState] | None, Query(description="Only jobs in these states.")] = None,
) -> list[WireJob]:
    """One's own jobs, or everyone's for an administrator, oldest first."""
    page = await registry.jobs.page(caller, states=tuple(state or ()), after=after, limit=limit)
    if page.after is not None:
        response.headers["offset"] = encode_cursor(page.after)
    return [WireJob.of(job) for job in page.items]


@router.get("/ingest/jobs/{id}", summary="How far a job is", responses=problems(400, 403, 404))
async def read_job(caller: Searcher, registry: Services, job_id: IdPath) -> WireJob:
    """Stage, bytes, tries, and the error where it failed."""
    return WireJob.of(await registry.jobs.get(caller, job_id))

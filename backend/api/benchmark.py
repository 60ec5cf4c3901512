"""Download benchmarks: start one, watch it, look at earlier ones."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Request, Response, status
from pydantic import ConfigDict, Field

from backend.api.deps import Administrator, BaseUrl, Services
from backend.api.problems import problems
from backend.api.schemas import ArtifactId, Name, Url, Wire, WireProgress
from backend.domain.job import Job, JobState
from backend.services.benchmark.report import BenchmarkReport, read
from backend.services.benchmark.service import MAX_CLIENTS, MAX_ROUNDS, Caller, Wanted

router = APIRouter(tags=["health"])


class BenchmarkOrder(Wire):
    """What to measure; everything may be left out."""

    model_config = ConfigDict(strict=True, extra="forbid")

    artifact_id: ArtifactId | None = None
    name: Name | None = None
    clients: Annotated[int, Field(ge=1, le=MAX_CLIENTS)] = 100
    rounds: Annotated[int, Field(ge=1, le=MAX_ROUNDS)] = 1
    target_url: Url | None = None


class WireBenchmark(Wire):
    """A benchmark: how far it is, and its result once it is done."""

    job_id: str
    state: JobState
    model: str
    artifact_id: str
    clients: int
    rounds: int
    url: str
    progress: WireProgress
    created_at: datetime
    updated_at: datetime
    result: BenchmarkReport | None
    error: str | None

    @classmethod
    def of(cls, job: Job) -> "WireBenchmark":
        """Show a benchmark's job."""
        measured = job.progress.stage == "measured"
        done, total = job.progress.bytes_done, job.progress.bytes_total
        return cls(
            job_id=job.id,
            state=job.state,
            model=job.payload["name"],
            artifact_id=job.payload["model"],
            clients=job.payload["clients"],
            rounds=job.payload["rounds"],
            url=job.payload["url"],
            progress=WireProgress(
                stage=job.progress.stage,
                bytes_done=done,
                bytes_total=total,
                percent=round(100 * done / total, 1) if total else None,
                message="" if measured else job.progress.message,
            ),
            created_at=job.created_at,
            updated_at=job.updated_at,
            result=read(job.progress.message) if measured else None,
            error=job.error.detail if job.error else None,
        )


@router.post(
    "/health/download-benchmark/start",
    summary="Start a download benchmark",
    status_code=status.HTTP_202_ACCEPTED,
    responses=problems(400, 403, 404, 409, 501),
)
async def start_benchmark(
    caller: Administrator,
    registry: Services,
    request: Request,
    response: Response,
    base: BaseUrl,
    wanted: BenchmarkOrder | None = None,
    x_authorization: Annotated[str | None, Header(alias="X-Authorization", include_in_schema=False)] = None,
    authorization: Annotated[str | None, Header(include_in_schema=False)] = None,
) -> WireBenchmark:
    """Have many clients download one model at once; for administrators, one at a time, bounded in time and bytes.

    Without `artifact_id` or `name` it takes Tiny-LLM where that is registered, else the smallest model held here.
    """
    who = Caller(caller, x_authorization or authorization, _own_address(request.scope))
    job = await registry.benchmark.start(who, Wanted(**(wanted or BenchmarkOrder()).model_dump()))
    response.headers["Location"] = f"{base}/health/download-benchmark/{job.id}"
    return WireBenchmark.of(job)


@router.get("/health/download-benchmark", summary="Earlier benchmarks", responses=problems(400, 403))
async def list_benchmarks(caller: Administrator, registry: Services) -> list[WireBenchmark]:
    """The last twenty, the newest first."""
    return [WireBenchmark.of(job) for job in await registry.benchmark.recent(caller)]


@router.get(
    "/health/download-benchmark/{job_id}",
    summary="How a benchmark is going, or went",
    responses=problems(400, 403, 404),
)
async def read_benchmark(
    caller: Administrator, registry: Services, job_id: Annotated[ArtifactId, Path()]
) -> WireBenchmark:
    """Throughput, latencies and a histogram once it is done."""
    return WireBenchmark.of(await registry.benchmark.get(caller, job_id))


def _own_address(scope: Any) -> str | None:
    """Where this very connection was accepted; None behind a gateway that only passes on what the client named."""
    host, port = scope.get("server") or (None, None)
    if not host or not port or "aws.event" in scope:
        return None
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

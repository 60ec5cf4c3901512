"""What is known about an artifact: rating, lineage, licence, cost, history."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query

from backend.api.audit import WireVerified
from backend.api.deps import Administrator, IdPath, KindPath, Searcher, Services
from backend.api.errors import status_of
from backend.api.lineage import INCLUDE, Inclusion, LineageGraph, show_family
from backend.api.problems import problems
from backend.api.ratings import BatchEntry, Explanation, ModelRating, explain, show_rating
from backend.api.schemas import (
    ArtifactCost,
    LicenseCheckAnswer,
    LicenseCheckRequest,
    RateRequest,
    WireAuditEntry,
)
from backend.domain.artifact import Artifact
from backend.domain.audit_chain import Head
from backend.domain.errors import InvalidInput, RegistryError
from backend.domain.lineage import Include
from metrics.rating import Rating

router = APIRouter(tags=["trust"])


@router.get(
    "/artifact/model/{id}/rate",
    summary="Every score of a model",
    operation_id="ModelArtifactRate",
    response_model=ModelRating,
    responses=problems(400, 403, 404, 500, 502, 503),
)
async def rate(
    caller: Searcher,
    registry: Services,
    artifact_id: IdPath,
    refresh: Annotated[bool, Query(description="Gather the evidence again and rate anew.")] = False,
) -> Mapping[str, Any]:
    """The stored rating, measured when the model was taken in."""
    return show_rating(*await registry.ratings.scores(caller, artifact_id, refresh=refresh))


@router.get(
    "/artifact/model/{id}/rate/explain",
    summary="The findings behind each score",
    responses=problems(400, 403, 404, 500),
)
async def explain_rating(caller: Searcher, registry: Services, artifact_id: IdPath) -> Explanation:
    """What was looked at, what was found, the points it moved, and what would raise the score."""
    model, stored = await registry.ratings.of(caller, artifact_id)
    return explain(model, stored)


@router.post(
    "/artifacts/models/rate",
    summary="Ratings of many models at once",
    responses=problems(400, 403),
)
async def rate_many(
    caller: Searcher,
    registry: Services,
    wanted: RateRequest,
    refresh: Annotated[bool, Query(description="Gather the evidence again and rate anew.")] = False,
) -> list[BatchEntry]:
    """One entry for each id, in the order asked; a model that cannot be rated does not keep the others back."""
    ids = list(dict.fromkeys(wanted.ids))
    outcomes = await registry.ratings.of_many(caller, ids, refresh=refresh)
    return [_show_outcome(each, outcome) for each, outcome in zip(ids, outcomes, strict=True)]


def _show_outcome(model_id: str, outcome: tuple[Artifact, Rating] | RegistryError) -> BatchEntry:
    if isinstance(outcome, RegistryError):
        return BatchEntry(id=model_id, problem=str(outcome), status=status_of(outcome))
    return BatchEntry(id=model_id, rating=ModelRating.model_validate(show_rating(*outcome)), status=200)


@router.get(
    "/artifact/model/{id}/lineage",
    summary="The family of a model",
    operation_id="ArtifactLineageGet",
    responses=problems(400, 403, 404),
)
async def lineage(
    caller: Searcher,
    registry: Services,
    artifact_id: IdPath,
    include: Annotated[list[Inclusion] | None, INCLUDE] = None,
) -> LineageGraph:
    """Registered ancestors and descendants; the same graph whichever member is asked."""
    wanted = {Include(word) for each in include or () for word in each.split(",")}
    return show_family(await registry.lineage.of(caller, artifact_id, wanted))


@router.post(
    "/artifact/model/{id}/license-check",
    summary="May a model be combined with a GitHub project?",
    operation_id="ArtifactLicenseCheck",
    response_model=bool | LicenseCheckAnswer,
    responses=problems(400, 403, 404, 502, 503),
)
async def license_check(
    caller: Searcher,
    registry: Services,
    artifact_id: IdPath,
    wanted: LicenseCheckRequest,
    explain: Annotated[bool, Query(description="Answer with both licences and the reasons.")] = False,
) -> bool | LicenseCheckAnswer:
    """True when fine-tuning and inference or generation are both allowed."""
    check = await registry.licensing.check(caller, artifact_id, wanted.github_url)
    found = check.compatibility
    if not explain:
        return found.allowed
    return LicenseCheckAnswer(
        compatible=found.allowed,
        fine_tuning=found.fine_tuning,
        inference=found.inference,
        model_license=check.model_license,
        project_license=check.project_license,
        reasons=list(found.reasons),
    )


@router.get(
    "/artifact/{artifact_type}/{id}/cost",
    summary="Download cost in megabytes",
    response_model_exclude_none=True,
    responses=problems(400, 403, 404, 500),
)
async def cost(
    caller: Searcher,
    registry: Services,
    kind: KindPath,
    artifact_id: IdPath,
    dependency: Annotated[bool, Query(description="Count everything it depends on, each once.")] = False,
) -> dict[str, ArtifactCost]:
    """Megabytes of 10^6 bytes, by artifact id."""
    costs = await registry.costs.of(caller, kind, artifact_id, dependencies=dependency)
    return {
        each: ArtifactCost(standalone_cost=found.standalone if dependency else None, total_cost=found.total)
        for each, found in costs.items()
    }


@router.get(
    "/artifact/{artifact_type}/{id}/audit",
    summary="What was done to an artifact, and by whom",
    operation_id="ArtifactAuditGet",
    responses=problems(400, 403, 404),
)
async def audit(caller: Searcher, registry: Services, kind: KindPath, artifact_id: IdPath) -> list[WireAuditEntry]:
    """Oldest first."""
    return [WireAuditEntry.of(entry) for entry in await registry.audit.of(caller, kind, artifact_id)]


@router.get(
    "/audit/verify",
    summary="Is the whole audit trail as it was written?",
    responses=problems(400, 403),
)
async def verify_audit(
    caller: Administrator,
    registry: Services,
    anchor: Annotated[
        str | None, Query(description="A `head` of an earlier answer, which the trail has to lead through.")
    ] = None,
) -> WireVerified:
    """Walk the hash chain over every record and name the first place where it does not hold; for administrators."""
    try:
        noted = None if anchor is None else Head.of(anchor)
    except ValueError as wrong:
        raise InvalidInput.field("anchor", str(wrong)) from None
    return WireVerified.of(await registry.audit.verify(caller, noted))

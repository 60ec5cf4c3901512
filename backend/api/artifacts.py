"""Artifacts: register, read, replace, remove, list and search."""

from typing import Annotated

from fastapi import APIRouter, Body, Path, Response, status

from backend.api.deps import After, BaseUrl, IdPath, KindPath, Limit, Searcher, Services, Uploader
from backend.api.filters import AfterInOrder, Wanted
from backend.api.links import AFTER_LISTING, AFTER_READING
from backend.api.problems import problems
from backend.api.schemas import MAX_NAME, ArtifactEnvelope, ArtifactMetadata, Query, RegEx, Registration
from backend.domain.artifact import Artifact, ArtifactSummary
from backend.domain.errors import InvalidInput
from backend.domain.page import DEFAULT_LIMIT, NameQuery, Page, encode_cursor
from backend.domain.source import ArtifactType
from backend.services.ingest import Pending, Request

router = APIRouter(tags=["artifacts"])

RESERVED_NAME = "*"
OFFSET_HEADER = {"offset": {"description": "Send as `offset` for the next page.", "schema": {"type": "string"}}}


@router.post(
    "/artifacts",
    summary="List artifacts that match any of several queries",
    operation_id="ArtifactsList",
    responses={200: {"headers": OFFSET_HEADER}, **problems(400, 403, 413)},
)
async def list_artifacts(
    caller: Searcher,
    registry: Services,
    response: Response,
    queries: Annotated[list[Query], Body()],
    after: After,
    limit: Limit = DEFAULT_LIMIT,
) -> list[ArtifactMetadata]:
    """Each artifact once, ordered by id. A query's `name` is exact, or `*`; no `types` means all types."""
    wanted = [NameQuery(None if q.name == RESERVED_NAME else q.name, frozenset(q.types or ())) for q in queries]
    page = await registry.directory.page(caller, wanted, after=after, limit=limit)
    return _show_page(page, response)


@router.get(
    "/artifacts/{artifact_type}",
    summary="List one type",
    responses={200: {"headers": OFFSET_HEADER, "links": AFTER_LISTING}, **problems(400, 403)},
)
async def list_type(
    caller: Searcher,
    registry: Services,
    response: Response,
    listing: Wanted,
    after: AfterInOrder,
    limit: Limit = DEFAULT_LIMIT,
) -> list[ArtifactMetadata]:
    """A page of the artifacts of a type that all filters select; without any, every artifact, ordered by id."""
    page = await registry.directory.listed(caller, listing, after=after, limit=limit)
    return _show_page(page, response)


@router.post(
    "/artifact/byRegEx",
    summary="Search names and READMEs by regular expression",
    operation_id="ArtifactByRegExGet",
    responses={200: {"headers": OFFSET_HEADER}, **problems(400, 403, 404)},
)
async def search(
    caller: Searcher,
    registry: Services,
    response: Response,
    wanted: RegEx,
    after: After,
    limit: Limit = DEFAULT_LIMIT,
) -> list[ArtifactMetadata]:
    """RE2 syntax, matched anywhere, case as written."""
    page = await registry.directory.matching(caller, wanted.regex, after=after, limit=limit)
    return _show_page(page, response)


@router.get(
    "/artifact/byName/{name:path}",
    summary="Find artifacts by their exact name",
    operation_id="ArtifactByNameGet",
    responses={200: {"links": AFTER_LISTING}, **problems(400, 403, 404)},
)
async def by_name(
    caller: Searcher, registry: Services, name: Annotated[str, Path(min_length=1, max_length=MAX_NAME)]
) -> list[ArtifactMetadata]:
    """Artifacts of all types; names are case-sensitive."""
    return [ArtifactMetadata.of(found) for found in await registry.directory.named(caller, name)]


@router.post(
    "/artifact/{artifact_type}",
    summary="Register an artifact by its URL",
    operation_id="ArtifactCreate",
    status_code=status.HTTP_201_CREATED,
    responses={
        201: {"links": AFTER_READING},
        202: {"model": ArtifactEnvelope, "description": "Still being taken in; `Location` names the job to watch."},
        **problems(400, 403, 404, 409, 424, 502, 503),
    },
)
async def register(
    caller: Uploader, registry: Services, response: Response, base: BaseUrl, kind: KindPath, wanted: Registration
) -> ArtifactEnvelope:
    """Read the source, rate a model, hold it against the gate, and show it to everyone at once or not at all."""
    if wanted.name == RESERVED_NAME:
        raise InvalidInput.field("name", "may not be *, which stands for every name in queries")
    links = {"dataset_url": wanted.dataset_url, "code_url": wanted.code_url}
    if kind is not ArtifactType.MODEL and any(links.values()):
        raise InvalidInput.field("dataset_url", "and code_url go with a model only")
    request = Request(kind, wanted.url, wanted.name, **links)
    return _show_outcome(await registry.ingest.register(caller, request), response, base)


@router.get(
    "/artifacts/{artifact_type}/{id}",
    summary="Read an artifact",
    operation_id="ArtifactRetrieve",
    responses={200: {"links": AFTER_READING}, **problems(400, 403, 404)},
)
async def read(
    caller: Searcher, registry: Services, base: BaseUrl, kind: KindPath, artifact_id: IdPath
) -> ArtifactEnvelope:
    """Its name, where it comes from and where to download it."""
    return ArtifactEnvelope.of(await registry.directory.get(caller, kind, artifact_id), base)


@router.put(
    "/artifacts/{artifact_type}/{id}",
    summary="Replace an artifact's source",
    operation_id="ArtifactUpdate",
    responses={
        202: {"model": ArtifactEnvelope, "description": "Still being taken in; `Location` names the job to watch."},
        **problems(400, 403, 404, 409, 424, 502, 503),
    },
)
async def replace(
    caller: Uploader,
    registry: Services,
    response: Response,
    base: BaseUrl,
    kind: KindPath,
    artifact_id: IdPath,
    wanted: ArtifactEnvelope,
) -> ArtifactEnvelope:
    """Name, id and type must be the artifact's; the old content stays until the new one has passed the gate."""
    if wanted.metadata.id != artifact_id:
        raise InvalidInput.field("metadata.id", "must be the id in the path")
    if wanted.metadata.type is not kind:
        raise InvalidInput.field("metadata.type", "must be the type in the path")
    request = Request(kind, wanted.data.url, wanted.metadata.name)
    outcome = await registry.ingest.replace(caller, artifact_id, request)
    return _show_outcome(outcome, response, base, finished=status.HTTP_200_OK)


@router.delete(
    "/artifacts/{artifact_type}/{id}",
    summary="Remove an artifact",
    operation_id="ArtifactDelete",
    responses=problems(400, 403, 404),
)
async def remove(caller: Uploader, registry: Services, kind: KindPath, artifact_id: IdPath) -> None:
    """Remove it with its rating, links and files; its audit trail is kept."""
    await registry.ingest.remove(caller, kind, artifact_id)


def _show_page(page: Page[ArtifactSummary], response: Response) -> list[ArtifactMetadata]:
    if page.after is not None:
        response.headers["offset"] = encode_cursor(page.after)
    return [ArtifactMetadata.of(found) for found in page.items]


def _show_outcome(
    outcome: Artifact | Pending, response: Response, base: str, *, finished: int = status.HTTP_201_CREATED
) -> ArtifactEnvelope:
    if isinstance(outcome, Pending):
        response.status_code = status.HTTP_202_ACCEPTED
        response.headers["Location"] = f"{base}/ingest/jobs/{outcome.job_id}"
        return ArtifactEnvelope.of(outcome.artifact, base)
    response.status_code = finished
    response.headers["Location"] = f"{base}/artifacts/{outcome.type}/{outcome.id}"
    return ArtifactEnvelope.of(outcome, base)

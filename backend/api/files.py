"""Bytes: an artifact as a zip, its list of files, and single files by range."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Header, HTTPException, Path, Request, Response, status
from fastapi.responses import StreamingResponse

from backend.api.deps import Downloader, IdPath, KindPath, Searcher, Services
from backend.api.links import AFTER_LISTING_FILES
from backend.api.problems import problems
from backend.api.ranges import RangeOutside, parse_range
from backend.api.schemas import WireFile

router = APIRouter(tags=["files"])

ZIP = "application/zip"
BYTES = "application/octet-stream"


@router.head("/artifact/{artifact_type}/{id}/download", include_in_schema=False)
@router.get(
    "/artifact/{artifact_type}/{id}/download",
    summary="Download an artifact as a zip",
    response_class=Response,
    responses={200: {"content": {ZIP: {}}}, **problems(400, 403, 404, 502, 503)},
)
async def download(
    request: Request, caller: Downloader, registry: Services, kind: KindPath, artifact_id: IdPath
) -> Response:
    """All files; what the registry does not hold is streamed through from the source."""
    found = await registry.downloads.find_bundle(caller, kind, artifact_id)
    headers = {"Content-Disposition": disposition(found.filename)}
    if found.size_bytes is not None:
        headers["Content-Length"] = str(found.size_bytes)
    if request.method == "HEAD":
        return Response(headers=headers, media_type=ZIP)
    return StreamingResponse(await registry.downloads.bundle(caller, found), headers=headers, media_type=ZIP)


@router.get(
    "/artifact/{artifact_type}/{id}/files",
    summary="The files of an artifact",
    responses={200: {"links": AFTER_LISTING_FILES}, **problems(400, 403, 404)},
)
async def list_files(caller: Searcher, registry: Services, kind: KindPath, artifact_id: IdPath) -> list[WireFile]:
    """Each with its size, and whether this registry holds it and has verified its digest."""
    _, files = await registry.directory.files(caller, kind, artifact_id)
    return [WireFile.of(file) for file in files]


@router.head("/artifact/{artifact_type}/{id}/files/{path:path}", include_in_schema=False)
@router.get(
    "/artifact/{artifact_type}/{id}/files/{path:path}",
    summary="One file, whole or a range of it",
    response_class=Response,
    responses={
        200: {"content": {BYTES: {}}},
        206: {"description": "The range asked for."},
        304: {"description": "The file is the one that If-None-Match names."},
        **problems(400, 403, 404, 416, 502, 503),
    },
)
async def read_file(
    request: Request,
    caller: Downloader,
    registry: Services,
    kind: KindPath,
    artifact_id: IdPath,
    path: Annotated[str, Path(max_length=1024)],
    range_: Annotated[str | None, Header(alias="Range")] = None,
    if_range: Annotated[str | None, Header(alias="If-Range")] = None,
    if_none_match: Annotated[str | None, Header(alias="If-None-Match")] = None,
) -> Response:
    """From the registry's own copy where it holds one, else streamed through from the source."""
    artifact, entry = await registry.downloads.find_file(caller, kind, artifact_id, path)
    headers = {"Accept-Ranges": "bytes", "Content-Disposition": disposition(path.rsplit("/", 1)[-1])}
    digest = entry.digest or entry.claimed_sha256
    tag = f'"{digest}"' if digest else None
    if tag is not None:
        headers["ETag"] = tag
        if if_none_match is not None and (if_none_match.strip() == "*" or tag in if_none_match):
            return Response(status_code=status.HTTP_304_NOT_MODIFIED, headers=headers)
    still_wanted = if_range is None or if_range == tag
    start, stop = _span(range_ if still_wanted else None, entry.size_bytes, headers)
    code = status.HTTP_206_PARTIAL_CONTENT if "Content-Range" in headers else status.HTTP_200_OK
    if request.method == "HEAD":
        return Response(status_code=code, headers=headers, media_type=BYTES)
    found = await registry.downloads.file(caller, artifact, entry, start, stop)
    return StreamingResponse(found.chunks, code, headers, BYTES)


def _span(asked: str | None, size: int, headers: dict[str, str]) -> tuple[int, int]:
    """The bytes to send, with their length and place among `headers`; Content-Range is there for a part only.

    Raises:
        HTTPException: 416, with the size of the whole.
    """
    try:
        span = parse_range(asked, size)
    except RangeOutside:
        detail = f"the file has {size} bytes, and none of them is in the range"
        raise HTTPException(
            status.HTTP_416_RANGE_NOT_SATISFIABLE, detail, headers | {"Content-Range": f"bytes */{size}"}
        ) from None
    start, stop = span or (0, size)
    headers["Content-Length"] = str(stop - start)
    if span is not None:
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    return start, stop


def disposition(filename: str) -> str:
    """A Content-Disposition that carries any name: ASCII for old clients, UTF-8 for the rest (RFC 6266, 4.3)."""
    plain = "".join(char if char.isascii() and (char.isalnum() or char in "._-") else "_" for char in filename)
    return f"attachment; filename=\"{plain or 'download'}\"; filename*=UTF-8''{quote(filename, safe='')}"

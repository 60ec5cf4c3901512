"""Pieces of HTTP that both hubs share: entity tags, ranges, pages and JSON."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.concurrency import iterate_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from demo.content import Content

NOT_MODIFIED = 304
Headers = Mapping[str, str]


def revalidated(request: Request, response: Response) -> Response:
    """Give `response` a weak entity tag, or answer 304 where the caller has this very body."""
    digest = hashlib.sha256(bytes(response.body)).hexdigest()[:32]
    response.headers["etag"] = f'W/"{digest}"'
    if digest not in request.headers.get("if-none-match", ""):
        return response
    kept = {name: value for name, value in response.headers.items() if not name.startswith("content-")}
    return Response(status_code=NOT_MODIFIED, headers=kept)


def json_answer(request: Request, payload: Any, headers: Headers | None = None) -> Response:
    """Answer with JSON that can be revalidated."""
    return revalidated(request, JSONResponse(payload, headers=headers))


def file_answer(request: Request, content: Content, etag: str, headers: Headers, media_type: str) -> Response:
    """Answer with a file: whole, one range of it (206, or 416 past its end), or 304 where the caller has it."""
    headers = {**headers, "etag": f'"{etag}"', "accept-ranges": "bytes"}
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=NOT_MODIFIED, headers=headers)
    size, status, start, end = content.size_bytes, 200, 0, content.size_bytes
    if wanted := re.fullmatch(r"bytes=(\d*)-(\d*)", request.headers.get("range", "")):
        start, end = _span(wanted[1], wanted[2], size)
        if start >= end:
            return Response(status_code=416, headers={**headers, "content-range": f"bytes */{size}"})
        status, headers["content-range"] = 206, f"bytes {start}-{end - 1}/{size}"
    headers["content-length"] = str(end - start)
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers, media_type=media_type)
    chunks = iterate_in_threadpool(content.chunks(start, end))
    return StreamingResponse(chunks, status, headers=headers, media_type=media_type)


def page(request: Request, items: Sequence[Any], default_per_page: int = 30) -> tuple[Sequence[Any], dict[str, str]]:
    """One page of `items` as `page` and `per_page` ask for, and the `Link` header that leads on."""
    per_page = max(1, min(int(request.query_params.get("per_page", default_per_page)), 100))
    number = max(1, int(request.query_params.get("page", 1)))
    last = max(1, -(-len(items) // per_page))
    steps = {"prev": number - 1, "next": number + 1, "first": 1, "last": last}
    wanted = ("next", "last") if number == 1 else ("prev", "next", "first", "last")
    links = [
        f'<{request.url.include_query_params(per_page=per_page, page=steps[rel])}>; rel="{rel}"'
        for rel in wanted
        if not (rel in {"next", "last"} and number >= last)
    ]
    return items[(number - 1) * per_page : number * per_page], {"link": ", ".join(links)} if links else {}


def base_url(request: Request) -> str:
    """Where the caller reaches this server."""
    return f"{request.url.scheme}://{request.url.netloc}"


def _span(first: str, last: str, size: int) -> tuple[int, int]:
    if not first:
        return max(0, size - int(last or 0)), size
    return int(first), min(int(last) + 1, size) if last else size

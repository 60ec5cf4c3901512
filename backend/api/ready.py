"""The busiest reads, answered in front of the router: found, spelled out and sent.

Only where everything about a request is plain: known path, valid token, something to show. Whatever else comes goes on
to the route of the same path, which answers it, documents it and says who may call it. So nothing here decides
anything, and a test holds each answer against that of its route, byte for byte.
"""

import re
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from json.encoder import encode_basestring

from pydantic import TypeAdapter, ValidationError
from starlette.datastructures import URL
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.api.access_log import AccessLog
from backend.api.middleware import CORRELATION_HEADER, CountRequest, check_json, correlation_id_of
from backend.api.ratings import ModelRating, show_rating
from backend.api.schemas import Query
from backend.domain.artifact import Artifact, ArtifactSummary
from backend.domain.errors import RegistryError
from backend.domain.page import DEFAULT_LIMIT, MAX_LIMIT, NameQuery, Page, decode_cursor, encode_cursor
from backend.domain.source import ArtifactType
from backend.domain.user import User
from backend.services.registry import Registry

SMALL_BODY = 1_024
"""Longer lists of queries are no longer the usual ones."""

_TYPES = {kind.value: kind for kind in ArtifactType}
_ONE = re.compile(r"/artifacts/(model|dataset|code)/([a-zA-Z0-9-]{1,128})")
_TYPE = re.compile(r"/artifacts/(model|dataset|code)")
_RATE = re.compile(r"/artifact/model/([a-zA-Z0-9-]{1,128})/rate")
_PAGING = re.compile(r"(?:offset=([A-Za-z0-9_-]{1,300}))?(?:(?:^|&)limit=([1-9][0-9]{0,3}))?")
_CORRELATION = CORRELATION_HEADER.lower().encode()

Header = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Route:
    """The path template that a request counts under."""

    path: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as far as it was looked at; `body` None where it has none."""

    scope: Scope
    headers: dict[bytes, bytes]
    body: bytes | None


@dataclass(frozen=True, slots=True)
class Answer:
    """A body ready to be sent, and what the request counts as."""

    route: Route
    caller: User
    body: bytes
    kind: str | None = None
    headers: Sequence[Header] = field(default=())


_GET_ONE, _GET_RATE = Route("/artifacts/{artifact_type}/{id}"), Route("/artifact/model/{id}/rate")
_GET_TYPE, _POST_PAGE = Route("/artifacts/{artifact_type}"), Route("/artifacts")


class Ready:
    """The layer in front of everything."""

    def __init__(
        self, app: ASGIApp, registry: Registry, base_url: str | None, count: CountRequest, log: AccessLog
    ) -> None:
        self._app = app
        self._registry = registry
        self._base_url = base_url.rstrip("/") if base_url else None
        self._count = count
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or pass it on as it came."""
        began = time.perf_counter()
        read = self._reader(scope)
        if read is None:
            await self._app(scope, receive, send)
            return
        headers = _single(scope)
        body, receive = await _small_body(scope, headers, receive)
        try:
            answer = await read(Asked(scope, headers, body)) if headers else None
        except Exception:  # noqa: BLE001 -- whatever it is, the route meets it too, and knows how to tell
            answer = None
        if answer is None:
            await self._app(scope, receive, send)
            return
        await self._send(answer, scope, send, began)

    def _reader(self, scope: Scope) -> "Callable[[Asked], Awaitable[Answer | None]] | None":
        """What may have an answer ready to a request of this method and path."""
        if scope["type"] != "http":
            return None
        path = scope["path"]
        if scope["method"] == "GET":
            if path.startswith("/artifacts/"):
                return self._one if not scope["query_string"] and path.count("/") == 3 else self._type  # noqa: PLR2004 -- /artifacts/TYPE/ID
            return self._rate if path.endswith("/rate") and not scope["query_string"] else None
        return self._page if path == "/artifacts" and scope["method"] == "POST" else None

    async def _one(self, asked: Asked) -> Answer | None:
        found = _ONE.fullmatch(asked.scope["path"])
        if found is None:
            return None
        caller = self._caller(asked)
        artifact = await self._registry.directory.get(caller, _TYPES[found[1]], found[2])
        return Answer(_GET_ONE, caller, _envelope(artifact, self._base(asked)), found[1])

    async def _rate(self, asked: Asked) -> Answer | None:
        found = _RATE.fullmatch(asked.scope["path"])
        if found is None:
            return None
        caller = self._caller(asked)
        model, rating = await self._registry.ratings.scores(caller, found[1])
        shown = ModelRating.model_validate(show_rating(model, rating)).model_dump_json()
        return Answer(_GET_RATE, caller, shown.encode())

    async def _type(self, asked: Asked) -> Answer | None:
        found = _TYPE.fullmatch(asked.scope["path"])
        if found is None:
            return None
        queries = (NameQuery(None, frozenset({_TYPES[found[1]]})),)
        return await self._listing(asked, queries, _GET_TYPE, found[1])

    async def _page(self, asked: Asked) -> Answer | None:
        if asked.body is None or asked.headers.get(b"content-type") != b"application/json":
            return None
        queries = _queries(asked.body)
        return await self._listing(asked, queries, _POST_PAGE) if queries else None

    async def _listing(
        self, asked: Asked, queries: Sequence[NameQuery], route: Route, kind: str | None = None
    ) -> Answer | None:
        paging = _PAGING.fullmatch(asked.scope["query_string"].decode("ascii"))
        limit = int(paging[2] or DEFAULT_LIMIT) if paging else 0
        if paging is None or limit > MAX_LIMIT:
            return None
        caller = self._caller(asked)
        page = await self._registry.directory.page(caller, queries, after=decode_cursor(paging[1]), limit=limit)
        return Answer(route, caller, _rows(page), kind, _offset(page))

    def _caller(self, asked: Asked) -> User:
        header = asked.headers.get(b"x-authorization") or asked.headers.get(b"authorization")
        return self._registry.accounts.recognise(header.decode("latin-1") if header else None)

    def _base(self, asked: Asked) -> str:
        scope = asked.scope
        return self._base_url or _reached(
            scope["scheme"], scope.get("server"), scope.get("root_path", ""), asked.headers.get(b"host")
        )

    async def _send(self, answer: Answer, scope: Scope, send: Send, began: float) -> None:
        correlation_id = correlation_id_of(scope)
        scope["route"] = answer.route
        scope["user_name"] = answer.caller.name
        if answer.kind is not None:
            scope["path_params"] = {"artifact_type": answer.kind}
        headers = [
            (b"content-length", b"%d" % len(answer.body)),
            (b"content-type", b"application/json"),
            *answer.headers,
            (_CORRELATION, correlation_id.encode()),
            (b"x-content-type-options", b"nosniff"),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        seconds = time.perf_counter() - began
        await send({"type": "http.response.body", "body": answer.body})
        self._count(scope, 200, seconds)
        self._log.request(scope, 200, time.perf_counter() - began, correlation_id)


def _single(scope: Scope) -> dict[bytes, bytes]:
    """The headers by name; nothing when one that matters comes twice."""
    given = dict(scope["headers"])
    return given if len(given) == len(scope["headers"]) else {}


async def _small_body(scope: Scope, headers: dict[bytes, bytes], receive: Receive) -> tuple[bytes | None, Receive]:
    """The body of a POST that came in one small piece, and a channel that gives what was read once more."""
    length = headers.get(b"content-length", b"")
    if scope["method"] != "POST" or not length.isdigit() or len(length) > 4 or int(length) > SMALL_BODY:  # noqa: PLR2004 -- digits of SMALL_BODY
        return None, receive
    first = await receive()
    whole = first["type"] == "http.request" and not first.get("more_body")
    return first.get("body", b"") if whole else None, _again(first, receive)


def _again(first: Message, receive: Receive) -> Receive:
    """A channel that gives this message first."""
    waiting = [first]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay


@lru_cache(maxsize=256)
def _queries(body: bytes) -> tuple[NameQuery, ...] | None:
    """The queries of a body; None for one that the route has to refuse."""
    try:
        check_json(body)
        given = _query_list().validate_json(body)
    except (RegistryError, ValidationError):
        return None
    return tuple(NameQuery(None if each.name == "*" else each.name, frozenset(each.types or ())) for each in given)


@lru_cache(maxsize=1)
def _query_list() -> TypeAdapter[list[Query]]:
    return TypeAdapter(list[Query])


@lru_cache(maxsize=64)
def _reached(scheme: str, server: tuple[str, int] | None, root_path: str, host: bytes | None) -> str:
    """The address that a request reached us under, as Starlette makes it of the same parts."""
    headers = [] if host is None else [(b"host", host)]
    scope = {"scheme": scheme, "server": server, "path": root_path, "query_string": b"", "headers": headers}
    return str(URL(scope=scope)).rstrip("/")


def _envelope(artifact: Artifact, base: str) -> bytes:
    download = encode_basestring(f"{base}/artifact/{artifact.type}/{artifact.id}/download")
    data = f'{{"url":{encode_basestring(artifact.url)},"download_url":{download}}}'
    return f'{{"metadata":{_row(artifact)},"data":{data}}}'.encode()


def _rows(page: Page[ArtifactSummary]) -> bytes:
    return f"[{','.join(map(_row, page.items))}]".encode()


def _row(shown: Artifact | ArtifactSummary) -> str:
    return f'{{"name":{encode_basestring(shown.name)},"id":"{shown.id}","type":"{shown.type}"}}'


def _offset(page: Page[ArtifactSummary]) -> Sequence[Header]:
    return () if page.after is None else ((b"offset", encode_cursor(page.after).encode()),)

"""What happens to every request: a correlation id, one log line, a body that is safe to read, no bare 500."""

import json
import re
import time
from collections.abc import Callable

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.api.errors import problem
from backend.domain.errors import InvalidInput, PayloadTooLarge, RegistryError
from backend.domain.ids import new_id

log = structlog.get_logger()

CORRELATION_HEADER = "X-Correlation-ID"
_CORRELATION = CORRELATION_HEADER.lower().encode()
ACCEPTABLE_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
MAX_DEPTH = 32
"""Deeper JSON is an attack on the parser: nothing here nests more than four levels."""
SERVER_ERROR = 500

CountRequest = Callable[[Scope, int, float], None]
"""Called once a request with its scope, the status it was answered with, and the seconds until the answer began."""


def correlation_id_of(scope: Scope) -> str:
    """The id that the client sent along, where it is fit for a log; else a new one."""
    offered = next((value for name, value in scope["headers"] if name == _CORRELATION), b"").decode("latin-1")
    return offered if offered and ACCEPTABLE_ID.fullmatch(offered) else new_id()


class Observed:
    """The outermost layer: correlation id in and out, one structured line, and a problem where all else failed."""

    def __init__(self, app: ASGIApp, count: CountRequest) -> None:
        self._app = app
        self._count = count

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        correlation_id = scope["correlation_id"] = correlation_id_of(scope)
        began = time.perf_counter()
        status: int | None = None
        answered: float | None = None

        async def send_marked(message: Message) -> None:
            nonlocal status, answered
            if message["type"] == "http.response.start":
                status, answered = message["status"], time.perf_counter()
                headers = MutableHeaders(scope=message)
                headers[CORRELATION_HEADER] = correlation_id
                headers.setdefault("X-Content-Type-Options", "nosniff")
            await send(message)

        with structlog.contextvars.bound_contextvars(correlation_id=correlation_id):
            try:
                await self._app(scope, receive, send_marked)
            except Exception:
                log.exception("request.broke", method=scope["method"])
                if status is not None:
                    raise  # the answer has begun: only a broken connection can still tell the client
                detail = "the registry failed at this; the correlation id leads to the log"
                answer = problem(scope["path"], correlation_id, SERVER_ERROR, detail)
                await answer(scope, receive, send_marked)
            finally:
                self._count(scope, status or SERVER_ERROR, (answered or time.perf_counter()) - began)
                route = scope.get("route")
                log.info(
                    "request",
                    method=scope["method"],
                    route=getattr(route, "path", None),
                    path=scope["path"][:200],
                    status=status,
                    ms=round((time.perf_counter() - began) * 1000, 2),
                    client=(scope.get("client") or ("",))[0],
                    user=scope.get("user_name"),
                )


class GuardedBody:
    """Reads JSON bodies whole, under a cap, and lets through only what every later layer can handle.

    FastAPI as it comes answers 500 to bodies anyone can send: NaN and infinities, lone surrogates, deep nesting.
    """

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["method"] in {"GET", "HEAD", "OPTIONS"}:
            await self._app(scope, receive, send)
            return
        try:
            body = await self._read(scope, receive)
            if body.strip():
                check_json(body)
        except RegistryError as refused:
            status = 413 if isinstance(refused, PayloadTooLarge) else 400
            more = {"errors": [{"field": "body", "message": str(refused)}]}
            answer = problem(
                scope["path"], scope.get("correlation_id", ""), status, str(refused), code=refused.code, more=more
            )
            await answer(scope, receive, send)
            return
        await self._app(scope, _replay(body, receive), send)

    async def _read(self, scope: Scope, receive: Receive) -> bytes:
        announced = Headers(scope=scope).get("content-length", "0")
        if announced.isdecimal() and int(announced) > self._max_bytes:
            raise PayloadTooLarge(f"the body has {announced} bytes; at most {self._max_bytes} are read")
        parts: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise InvalidInput("the connection closed before the body was complete")
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > self._max_bytes:
                raise PayloadTooLarge(f"the body has more than the {self._max_bytes} bytes that are read")
            if not message.get("more_body"):
                return b"".join(parts)


def _replay(body: bytes, receive: Receive) -> Receive:
    """A receive channel that gives the body in one piece, and after it whatever the connection says."""
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def check_json(body: bytes) -> None:
    """Refuse what is not plain JSON in UTF-8.

    Raises:
        InvalidInput: says what is wrong; the content is not repeated.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as bad:
        raise InvalidInput(f"the body is not UTF-8 (byte {bad.start + 1})") from None
    if _depth(text) > MAX_DEPTH:
        raise InvalidInput(f"the body is nested deeper than {MAX_DEPTH} levels")
    try:
        value = json.loads(
            text, parse_constant=_not_a_number, parse_float=_finite, parse_int=_short, object_pairs_hook=_unique
        )
    except json.JSONDecodeError as bad:
        raise InvalidInput(f"the body is not JSON: {bad.msg} at line {bad.lineno}, column {bad.colno}") from None
    for string in _strings(value):
        if "\x00" in string or (not string.isascii() and any("\ud800" <= char <= "\udfff" for char in string)):
            raise InvalidInput("the body has a NUL or a lone surrogate in a string")


TOKENS = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)
"""Strings and brackets; possessive, so that a megabyte of either is passed over in milliseconds."""


def _depth(text: str) -> int:
    """How deep brackets nest outside strings, or the first depth that is too much.

    Counts without recursion, before anything recursive reads the text.
    """
    depth = deepest = 0
    for token in TOKENS.finditer(text):
        match token[0]:
            case "[" | "{":
                depth += 1
                deepest = max(deepest, depth)
                if deepest > MAX_DEPTH:
                    break
            case "]" | "}":
                depth -= 1
    return deepest


MAX_DIGITS = 100


def _short(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise InvalidInput(f"the body has a number of {len(digits)} digits")
    return int(digits)


def _finite(digits: str) -> float:
    number = float(digits)
    if number in {float("inf"), float("-inf")}:
        raise InvalidInput("the body has a number too large to be finite")
    return number


def _not_a_number(word: str) -> float:
    raise InvalidInput(f"the body has {word}, which is not JSON")


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise InvalidInput("the body has an object with the same key twice")
    return found


def _strings(value: object) -> list[str]:
    """Every string in a JSON value, keys included."""
    found: list[str] = []
    waiting = [value]
    while waiting:
        match waiting.pop():
            case str() as string:
                found.append(string)
            case list() as items:
                waiting.extend(items)
            case dict() as members:
                found.extend(members)
                waiting.extend(members.values())
    return found

"""What an upstream answered, read under a cap, and the error that an unhappy status stands for."""

import json
import re
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import httpx2

from backend.domain.errors import NotFound, RegistryError, UpstreamFailed, UpstreamRefused

_UNAUTHORISED, _FORBIDDEN, _NOT_FOUND, _GONE, _TOO_MANY = 401, 403, 404, 410, 429
_FOR_LEGAL_REASONS = 451
_HUB_WINDOW = re.compile(r"\br=0\s*;\s*t=(\d{1,9})\b")  # `"api";r=0;t=55`, as the draft on RateLimit fields has it
_SERVER_FAULT = 500
_CLIENT_FAULT = 400


class OverCap(UpstreamFailed):
    """The answer is larger than what is read of it."""


class Passing(Exception):
    """A failure that may pass: the error to end with, and how long the source asks us to wait, None if it does not."""

    def __init__(self, error: UpstreamFailed, wait_s: float | None = None) -> None:
        super().__init__(str(error))
        self.error = error
        self.wait_s = wait_s


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer; `url` is where it came from after redirects, `headers` have lower-case names."""

    url: str
    headers: Mapping[str, str]
    body: bytes

    def text(self) -> str:
        """The body as UTF-8, with a replacement for what is not."""
        return self.body.decode("utf-8", errors="replace").removeprefix("\ufeff")

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            UpstreamFailed: it is not JSON, or nests too deep.
        """
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            raise UpstreamFailed(f"{place(self.url)} answered something that is not JSON") from None


def place(url: str) -> str:
    """Host and path of a URL, for an error's text; a query may hold a signature and is left out."""
    parts = urlsplit(url)
    return f"{parts.hostname}{parts.path}"


async def read_body(response: httpx2.Response, max_bytes: int) -> bytes:
    """The decoded body.

    Raises:
        OverCap: it is larger than `max_bytes`, said so or found so, before or after decoding.
        UpstreamFailed: it is compressed in a way that was not asked for, or broken.
    """
    url = str(response.url)
    declared = response.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > max_bytes:
        raise OverCap(f"{place(url)} is larger than {max_bytes} bytes")
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in {"identity", "gzip"}:
        raise UpstreamFailed(f"{place(url)} is encoded as {encoding!r}, which was not asked for")
    inflate = zlib.decompressobj(wbits=31) if encoding == "gzip" else None
    body = bytearray()
    try:
        async for part in response.aiter_raw():
            room = max_bytes - len(body) + 1
            body += part[:room] if inflate is None else inflate.decompress(part, room)
            if len(body) > max_bytes:
                raise OverCap(f"{place(url)} is larger than {max_bytes} bytes")
    except zlib.error:
        raise UpstreamFailed(f"{place(url)} answered a broken gzip stream") from None
    if inflate is not None and not inflate.eof:
        raise Passing(UpstreamFailed(f"{place(url)} answered a gzip stream that ends early"))
    return bytes(body)


def raise_for(url: str, status: int, headers: Mapping[str, str]) -> None:
    """Raise what `status` stands for, nothing when it is a success.

    Raises:
        Passing: a limit on requests or a fault that may pass.
        NotFound, UpstreamRefused, UpstreamFailed: as the status says; the hub says 401 for what does not exist.
    """
    if status < _CLIENT_FAULT:
        return
    wait_s = _asked_to_wait(headers)
    if status == _TOO_MANY or (status == _FORBIDDEN and (wait_s is not None or _exhausted(headers))):
        seconds = None if wait_s is None else max(1, round(wait_s))
        text = f"{place(url)} limits how often it may be asked" + (f"; again in {seconds} s" if seconds else "")
        raise Passing(UpstreamFailed(text, status, retry_after_s=seconds, rate_limited=True), wait_s)
    if status >= _SERVER_FAULT:
        seconds = None if wait_s is None else max(1, round(wait_s))
        raise Passing(UpstreamFailed(f"{place(url)} answered {status}", status, retry_after_s=seconds), wait_s)
    raise _lasting(url, status, headers)


def _lasting(url: str, status: int, headers: Mapping[str, str]) -> RegistryError:
    code = headers.get("x-error-code", "")
    if status in {_NOT_FOUND, _GONE} or code in {"RepoNotFound", "RevisionNotFound", "EntryNotFound"}:
        return NotFound(f"{place(url)} does not exist")
    if status in {_UNAUTHORISED, _FORBIDDEN, _FOR_LEGAL_REASONS}:
        return UpstreamRefused(f"{place(url)} is gated or private, and this registry has no access to it", status)
    return UpstreamFailed(f"{place(url)} answered {status}", status)


def _exhausted(headers: Mapping[str, str]) -> bool:
    return headers.get("x-ratelimit-remaining") == "0"


def _asked_to_wait(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait by `Retry-After` (a number or a date), else by either hub's own words when nothing is left."""
    asked = headers.get("retry-after", "").strip()
    if asked.isdigit():
        return float(asked[:9])
    if asked:
        try:
            return max(0.0, parsedate_to_datetime(asked).timestamp() - time.time())
        except ValueError:
            return None
    window = _HUB_WINDOW.search(headers.get("ratelimit", ""))
    if window:
        return float(window[1])
    reset = headers.get("x-ratelimit-reset", "")
    if _exhausted(headers) and reset.isdigit():
        return max(0.0, float(reset[:12]) - time.time())
    return None

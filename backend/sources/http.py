"""The one way out: a client that contacts only listed origins, under caps, deadlines and a request budget."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import TypeVar
from urllib.parse import urljoin

import httpx2
import stamina

from backend.domain.errors import UpstreamFailed
from backend.sources.answers import Answer, Passing, place, raise_for, read_body
from backend.sources.budget import count_request
from backend.sources.download import Download
from backend.sources.economy import AnswerCache, Flight, Rests
from backend.sources.hub_watch import HubWatch
from backend.sources.origins import GITHUB_API, HUGGINGFACE, Origins, origin_of
from backend.sources.transport import VettedTransport

T = TypeVar("T")

MAX_REDIRECTS = 5
MAX_ANSWER_BYTES = 32_000_000
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_NOT_MODIFIED = 304
_USER_AGENT = "trustworthy-model-registry"


class Upstream:
    """Reads from the hubs.

    Every method raises `NotFound`, `UpstreamRefused` or `UpstreamFailed` and nothing else. Identical GETs in flight are
    one request; an answer with an ETag is kept and revalidated. A redirect is followed by hand, each hop is checked
    against the table of origins, and a credential is only ever sent to the origin it belongs to.
    `total_timeout_s` covers one call with all its retries; `backoff_s` is the first wait between two tries.
    `watch` is told how each request went.
    """

    def __init__(
        self,
        hf_endpoint: str = HUGGINGFACE,
        github_api_url: str = GITHUB_API,
        hf_token: str | None = None,
        github_token: str | None = None,
        *,
        connect_timeout_s: float = 5.0,
        read_timeout_s: float = 10.0,
        total_timeout_s: float = 30.0,
        attempts: int = 4,
        backoff_s: float = 0.25,
        requests_per_origin: int = 8,
        watch: HubWatch | None = None,
    ) -> None:
        self.hf_endpoint = hf_endpoint.rstrip("/")
        self.github_api_url = github_api_url.rstrip("/")
        self.has_github_token = bool(github_token)
        self._origins = Origins.of(self.hf_endpoint, self.github_api_url, hf_token, github_token)
        self._watch = watch
        self._timeout = httpx2.Timeout(read_timeout_s, connect=connect_timeout_s, pool=total_timeout_s)
        self._total_timeout_s = total_timeout_s
        self._attempts = attempts
        self._backoff_s = backoff_s
        self._gates: dict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(requests_per_origin))
        self._clients: dict[str, httpx2.AsyncClient] = {}
        self._flights: dict[tuple[str, str], Flight] = {}
        self._cache = AnswerCache()
        self._rests = Rests()

    async def get(self, url: str, *, accept: str = "application/json", max_bytes: int = MAX_ANSWER_BYTES) -> Answer:
        """The whole answer to a GET, at most `max_bytes` of it after decoding."""
        key = (url, accept)
        flight = self._flights.get(key)
        if flight is None or not flight.open:
            flight = self._flights[key] = Flight(asyncio.create_task(self._fetch(url, accept, max_bytes)))
            flight.task.add_done_callback(partial(self._land, key))
        return await flight.join()

    def _land(self, key: tuple[str, str], task: asyncio.Task[Answer]) -> None:
        if key in self._flights and self._flights[key].task is task:
            del self._flights[key]

    @asynccontextmanager
    async def stream(self, url: str, *, start: int = 0, accept: str = "*/*") -> AsyncIterator[Download]:
        """Open a file for reading from byte `start`; a connection that drops is taken up again where it broke off."""

        async def connect(headers: Mapping[str, str]) -> httpx2.Response:
            return await self._retrying(url, lambda: self._opened("streams", url, {"Accept": accept, **headers}))

        download = Download(place(url), connect, start)
        try:
            await download.open()
            yield download
        finally:
            await download.close()

    async def close(self) -> None:
        """Cancel what is in flight and close every connection."""
        flights = [flight.task for flight in self._flights.values()]
        for flight in flights:
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)
        for client in self._clients.values():
            await client.aclose()
        self._clients.clear()

    async def _fetch(self, url: str, accept: str, max_bytes: int) -> Answer:
        return await self._retrying(url, lambda: self._attempt(url, accept, max_bytes))

    async def _retrying(self, url: str, attempt: Callable[[], Awaitable[T]]) -> T:
        """Try until it works, fails for good, or the time is over; a wait that would outlast the time ends it."""
        deadline = time.monotonic() + self._total_timeout_s

        def wait(error: Exception) -> bool | float:
            if not isinstance(error, Passing) or error.wait_s is None:
                return isinstance(error, Passing)
            if time.monotonic() + error.wait_s < deadline:
                return max(error.wait_s, 0.01)
            self._rests.begin(url, error)
            return False

        tries = stamina.retry_context(
            on=wait,
            attempts=self._attempts,
            timeout=None,
            wait_initial=self._backoff_s,
            wait_max=self._backoff_s * 16,
            wait_jitter=self._backoff_s,
        )
        try:
            async with asyncio.timeout(self._total_timeout_s):
                async for one in tries:
                    with one:
                        return await attempt()
        except Passing as passing:
            raise passing.error from None
        except TimeoutError:
            if self._watch:
                self._watch.failed(url, "did not answer in time")
            raise UpstreamFailed(f"{place(url)} did not answer within {self._total_timeout_s:g} s") from None
        raise UpstreamFailed(f"{place(url)} was not tried")  # retry_context always ends by returning or raising

    async def _attempt(self, url: str, accept: str, max_bytes: int) -> Answer:
        kept = self._cache.get((url, accept))
        headers = {"Accept": accept, "Accept-Encoding": "gzip"}
        if kept is not None:
            headers["If-None-Match"] = kept.headers["etag"]
        async with self._gates[origin_of(url)]:
            response = await self._opened("answers", url, headers)
            try:
                if response.status_code == _NOT_MODIFIED and kept is not None:
                    return kept
                body = await read_body(response, max_bytes)
            except httpx2.TransportError as error:
                raise Passing(UpstreamFailed(f"{place(url)} broke off: {error}")) from None
            finally:
                await response.aclose()
        answer = Answer(str(response.url), dict(response.headers), body)
        self._cache.put((url, accept), answer)
        return answer

    async def _opened(self, pool: str, url: str, headers: Mapping[str, str]) -> httpx2.Response:
        """An open response that is no redirect and no error; the caller closes it."""
        for _ in range(MAX_REDIRECTS + 1):
            response = await self._send(pool, url, headers)
            if response.status_code not in _REDIRECTS:
                break
            await response.aclose()
            url = _onward(url, response)
        else:
            raise UpstreamFailed(f"{place(url)} redirects more than {MAX_REDIRECTS} times")
        try:
            raise_for(url, response.status_code, response.headers)
        except BaseException:
            await response.aclose()
            raise
        return response

    async def _send(self, pool: str, url: str, headers: Mapping[str, str]) -> httpx2.Response:
        self._rests.check(url)
        client = self._client(pool)
        try:
            request = client.build_request("GET", url, headers={**headers, **self._origins.headers_for(url)})
        except (httpx2.InvalidURL, UnicodeError, ValueError):
            raise UpstreamFailed(f"{place(url)} is not a URL that can be asked") from None
        count_request()
        began = time.perf_counter()
        try:
            response = await client.send(request, stream=True)
        except httpx2.TransportError as error:
            if self._watch:
                self._watch.failed(url, "cannot be reached")
            raise Passing(UpstreamFailed(f"{place(url)} cannot be reached: {error}")) from None
        if self._watch:
            self._watch.answered(url, response.status_code, response.headers, time.perf_counter() - began)
        return response

    def _client(self, pool: str) -> httpx2.AsyncClient:
        """The client of a pool, made at first use; downloads have their own so that they never starve the APIs."""
        if pool not in self._clients:
            transport = VettedTransport(self._origins.private_endpoints(), max_connections=64)
            self._clients[pool] = httpx2.AsyncClient(
                transport=transport, timeout=self._timeout, headers={"User-Agent": _USER_AGENT}, trust_env=False
            )
        return self._clients[pool]


def _onward(url: str, response: httpx2.Response) -> str:
    location = response.headers.get("location", "")
    try:
        return urljoin(url, location)
    except ValueError:
        raise UpstreamFailed(f"{place(url)} redirects to a URL that is malformed") from None

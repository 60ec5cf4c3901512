"""Lends huggingface_hub the registry's own way out, so that its typed API runs under the same guards."""

import asyncio
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

import anyio
import anyio.to_thread
import httpx2

from backend.domain.errors import UpstreamFailed
from backend.sources.answers import Answer
from backend.sources.http import Upstream

if TYPE_CHECKING:
    from huggingface_hub import HfApi

T = TypeVar("T")

# The library keeps one client for the whole process. Which upstream and which loop serve a call travels with the
# calling task, so that several registries can live in one process.
_SERVING: ContextVar["_Serving"] = ContextVar("hub_upstream")


@dataclass(slots=True)
class _Serving:
    """Who serves one call of the library, and the request it waits for."""

    loop: asyncio.AbstractEventLoop
    upstream: Upstream
    asked: "Future[Answer] | None" = None


class _Bridge(httpx2.BaseTransport):
    """Hands each request of a worker thread to the upstream of the task that started the thread.

    Whoever uses the library in this process for purposes of their own is let out the ordinary way.
    """

    def __init__(self) -> None:
        self._ordinary = httpx2.HTTPTransport()

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        serving = _SERVING.get(None)
        if serving is None:
            return self._ordinary.handle_request(request)
        if request.method != "GET" or not str(request.url).startswith(f"{serving.upstream.hf_endpoint}/"):
            raise UpstreamFailed(f"{request.method} {request.url.host} is not something this registry asks for")
        serving.asked = asyncio.run_coroutine_threadsafe(serving.upstream.get(str(request.url)), serving.loop)
        try:
            answer = serving.asked.result()
        except CancelledError:
            raise UpstreamFailed("whoever asked has given up") from None
        return httpx2.Response(200, headers={"content-type": "application/json"}, content=answer.body, request=request)


class HubClient:
    """Calls `HfApi` in a bounded number of threads.

    Errors of the upstream pass through as they are; an answer the library cannot read is an `UpstreamFailed`.
    """

    def __init__(self, upstream: Upstream, *, threads: int = 8) -> None:
        self._upstream = upstream
        self._limiter = anyio.CapacityLimiter(threads)

    async def call(self, ask: "Callable[[HfApi], T]") -> T:
        """Run `ask` in a thread; one who gives up leaves at once, and takes the request along."""
        serving = _Serving(asyncio.get_running_loop(), self._upstream)
        token = _SERVING.set(serving)
        try:
            return await anyio.to_thread.run_sync(
                _ask, self._upstream.hf_endpoint, ask, limiter=self._limiter, abandon_on_cancel=True
            )
        finally:
            _SERVING.reset(token)
            if serving.asked is not None:
                serving.asked.cancel()


def _ask(endpoint: str, ask: "Callable[[HfApi], T]") -> T:
    api = _api(endpoint)
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError  # noqa: PLC0415 - loaded when first needed

    try:
        return ask(api)
    except (HfHubHTTPError, HFValidationError) as error:
        raise UpstreamFailed(f"the hub's answer cannot be used: {type(error).__name__}") from None
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise UpstreamFailed(f"the hub's record makes no sense: {type(error).__name__}") from None


_LOADING = Lock()


def _api(endpoint: str) -> "HfApi":
    """The library's entry; it is given no token, because the upstream alone holds credentials."""
    with _LOADING:
        _equip_library()
    from huggingface_hub import HfApi  # noqa: PLC0415 - takes 140 ms, paid when first needed

    return HfApi(endpoint=endpoint, token=False, library_name="trustworthy-model-registry")


@cache
def _equip_library() -> None:
    """Put our transport in the library's one client; done once, as doing it closes the client that is there."""
    from huggingface_hub import constants, set_client_factory  # noqa: PLC0415 - as above

    constants.HF_HUB_DISABLE_TELEMETRY = True  # it would look up who is calling, with a request of its own
    set_client_factory(lambda: httpx2.Client(transport=_Bridge(), follow_redirects=True, trust_env=False))

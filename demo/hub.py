"""The stand-in for both hubs on one port: the Hugging Face Hub at `/`, GitHub's REST API at `/gh`."""

import asyncio
import socket
import threading
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from demo.faults import ConnectionLost, Fault, Faults, Spoiler, answer_in_place, hang_up
from demo.github import GitHub
from demo.huggingface import HuggingFace
from demo.items import Organisation
from demo.journal import Journal, Seen, waves
from demo.load import load

TOKEN = "hf_demo"  # noqa: S105  opens the gated repositories of an invented organisation
BACKLOG = 512


def create_app(organisation: Organisation, token: str = TOKEN) -> Starlette:
    """Make the application that answers for both hubs."""
    return Starlette(routes=[*GitHub(organisation).routes(), *HuggingFace(organisation, token).routes()])


class DemoHub:
    """The stand-in in a thread of its own, on a loopback port; a context manager.

    `data` defaults to the invented organisation beside this module. Every answer is late by `latency_s`. Safe to talk
    to from any thread while it runs; a stopped hub does not start again.
    """

    def __init__(
        self, data: Organisation | None = None, latency_s: float = 0.0, port: int = 0, token: str = TOKEN
    ) -> None:
        self.latency_s, self.token = latency_s, token
        self._journal, self._faults = Journal(), Faults()
        app = create_app(load() if data is None else data, token)
        config = uvicorn.Config(
            _Instrumented(app, self), http=_Protocol, ws="none", lifespan="off", log_config=None, access_log=False
        )
        self._server, self._port = _Server(config), port
        self._socket: socket.socket | None = None
        self._thread = threading.Thread(target=self._run, name="demo-hub", daemon=True)

    def start(self) -> Self:
        """Bind the port and begin to answer; a request sent right after this is answered.

        Raises:
            OSError: the port is taken.
        """
        self._socket = socket.create_server(("127.0.0.1", self._port), backlog=BACKLOG)
        self._port = self._socket.getsockname()[1]
        self._thread.start()
        return self

    def stop(self) -> None:
        """End at once, whoever is still being answered."""
        if self._thread.is_alive():
            self._server.end()
            self._thread.join()

    def wait(self) -> None:
        """Wait until somebody stops the hub."""
        self._thread.join()

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()

    @property
    def url(self) -> str:
        """What `HF_ENDPOINT` must be."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def github_url(self) -> str:
        """What `GITHUB_API_URL` must be."""
        return f"{self.url}/gh"

    @property
    def requests(self) -> list[Seen]:
        """All requests since the start or the last `clear`, oldest first."""
        return self._journal.matching()

    def asked(self, pattern: str) -> list[Seen]:
        """The requests whose path matches `pattern` somewhere."""
        return self._journal.matching(pattern)

    def waves(self, pattern: str = "") -> int:
        """How many round trips a caller waited for, however many requests each held; give the hub a latency first."""
        return waves(self._journal.matching(pattern))

    def fail(self, match: str = "", *, times: int = 1, **how: Any) -> None:
        """Spoil the next `times` answers to requests whose `METHOD /path?query` matches; `how` is as `Fault` says."""
        self._faults.add(Fault(match, **how), times)

    def clear(self) -> None:
        """Forget faults and requests."""
        self._faults.clear()
        self._journal.clear()

    def _run(self) -> None:
        assert self._socket is not None  # noqa: S101  the thread starts after the socket is bound
        self._server.run(sockets=[self._socket])

    async def answer(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request: note it, be late, go wrong where that is wanted."""
        path, query = scope["path"], scope["query_string"].decode()
        seen = self._journal.open(scope["method"], path, query, _headers(scope))
        noted = _noting(seen, send)
        try:
            await asyncio.sleep(self.latency_s)
            fault = self._faults.take(scope["method"], path, query)
            if fault is None:
                await app(scope, receive, noted)
            else:
                await _spoiled(fault, app, scope, receive, noted)
        except (ConnectionLost, asyncio.CancelledError):
            return  # cut on purpose, or the hub has stopped: nobody is left to be told
        finally:
            seen.ended = seen.ended or time.monotonic()


class _Instrumented:
    def __init__(self, app: ASGIApp, hub: DemoHub) -> None:
        self._app, self._hub = app, hub

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._hub.answer(self._app, scope, receive, send)


async def _spoiled(fault: Fault, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    await asyncio.sleep(fault.delay_s)
    if fault.drop:
        await hang_up(scope, receive)
    elif fault.replaces:
        await answer_in_place(fault, send)
    else:
        await app(scope, receive, Spoiler(fault, scope, receive, send))


def _headers(scope: Scope) -> Mapping[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


def _noting(seen: Seen, send: Send) -> Send:
    """A `send` that notes status and end; the end before the last byte leaves, so that what follows begins after it."""

    async def noted(message: Message) -> None:
        if message["type"] == "http.response.start":
            seen.status = message["status"]
        elif not message.get("more_body"):
            seen.ended = time.monotonic()
        await send(message)

    return noted


class _Protocol(HttpToolsProtocol):
    """HTTP that lets the application at its transport, so that a connection can be cut."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["demo.transport"] = self.transport  # type: ignore[typeddict-unknown-key]


class _Server(uvicorn.Server):
    """A server that ends when told: uvicorn polls for its end and waits for its clients, which a test need not."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._over, self._running = asyncio.Event(), threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def end(self) -> None:
        """End the server from another thread."""
        self._running.wait()
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._over.set)

    async def main_loop(self) -> None:
        await self.on_tick(0)
        self._loop = asyncio.get_running_loop()
        self._running.set()
        await self._over.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)
        for listening in sockets or []:
            listening.close()

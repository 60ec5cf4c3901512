"""Registries that really listen: an app on uvicorn in a thread, or `python -m backend.serve` as a process.

Everything goes over HTTP on loopback, on ports that the kernel chooses.

    with serve_app(create_app(settings)) as base, httpx2.Client(base_url=base) as client:
        client.get("/health")

    with Registry(data_dir, HF_ENDPOINT=hub.url) as registry:
        registry.client.get("/health")
        registry.kill()
"""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self, TypeVar

import httpx2
import uvicorn
from fastapi import FastAPI
from pydantic import AliasChoices
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.app import create_app
from backend.domain.job import JobState
from backend.settings import MirrorPolicy, Settings
from backend.sources.http import Upstream
from backend.wiring import Services, build_services
from demo.hub import DemoHub

T = TypeVar("T")

PATIENCE_S = 30.0
"""How long anything here may take before a test gives up on it."""
REPOSITORY = Path(__file__).resolve().parents[2]


class _Server(uvicorn.Server):
    """A server that says when it listens and ends when told, where uvicorn looks for either ten times a second."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.begun = threading.Event()
        self._over: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def main_loop(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        await self.on_tick(0)
        self.begun.set()
        await self._over.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await super().shutdown(sockets)
        for _ in range(5):  # transports that were just closed say goodbye on the loop's next rounds
            await asyncio.sleep(0)

    def end(self) -> None:
        if self._loop is not None and self._over is not None:
            self._loop.call_soon_threadsafe(self._over.set)


@contextmanager
def serve_app(app: ASGIApp) -> Iterator[str]:
    """Serve `app` with its lifespan, so that its worker runs, and give its base URL."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    config = uvicorn.Config(
        app,
        lifespan="on",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=5,
    )
    server = _Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="registry", daemon=True)
    thread.start()
    try:
        until(lambda: server.begun.is_set() or not thread.is_alive(), "the app to start")
        assert server.begun.is_set(), "the app's lifespan failed"
        yield "http://{}:{}".format(*listener.getsockname())
    finally:
        server.end()
        thread.join(PATIENCE_S)
        listener.close()


def until(holds: Callable[[], Any], what: str, *, patience_s: float = PATIENCE_S) -> Any:
    """Ask until `holds` gives something true, and return that; fail when it takes longer than anybody would wait."""
    deadline = time.monotonic() + patience_s
    while True:
        found = holds()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {patience_s:g} s for {what}")
        time.sleep(0.005)


def settings_for(hub: DemoHub | None = None, **chosen: Any) -> Settings:
    """Settings for a registry in memory that reads `hub`; `chosen` are fields of `Settings`."""
    unreachable = "http://127.0.0.1:9"
    values: dict[str, Any] = {
        "metadata_url": "memory://",
        "blob_url": "memory://",
        "hf_endpoint": hub.url if hub else unreachable,
        "github_api_url": hub.github_url if hub else unreachable,
        "mirror": MirrorPolicy.ALL,
        "lease_seconds": 0.6,
        "ingest_wait_seconds": 20,
    }
    return Settings(**(values | chosen))


def hurry(upstream: Upstream) -> None:
    """Make a client of the hubs give up in moments, where an operator has it try for most of a minute."""
    upstream._backoff_s = 0.001
    upstream._total_timeout_s = 1.5
    upstream._timeout = httpx2.Timeout(0.4, connect=0.4)


@dataclass(frozen=True)
class Live:
    """A registry that is being served: its address, a client for it, and the services behind it."""

    base: str
    client: httpx2.Client
    services: Services
    app: FastAPI
    loop: asyncio.AbstractEventLoop

    def settle(self) -> None:
        """Empty the registry, wait until no job is under way, and forget what the hubs said."""
        self._run(self.services.store.reset())
        until(lambda: not self.services.worker._running, "the worker to come to rest")
        self._run(self._drop_blobs())
        upstream = self.services.upstream
        upstream._rests._until.clear()
        upstream._cache = type(upstream._cache)()

    def idle(self) -> None:
        """Wait until no job is due or under way; what is to be done later goes on waiting."""

        def ended() -> bool:
            jobs = self._run(
                self.services.store.jobs(states=[JobState.QUEUED, JobState.RUNNING], after=None, limit=999)
            )
            now = datetime.now(UTC)
            return not [job for job in jobs.items if job.state is JobState.RUNNING or job.not_before <= now]

        until(ended, "all jobs to end")

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something on the loop that the app runs on."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(PATIENCE_S)

    def blobs(self) -> list[str]:
        """Digests of everything in the blob store."""
        return self._run(self._digests())

    async def _digests(self) -> list[str]:
        return [blob.digest async for blob in self.services.blobs.list()]

    async def _drop_blobs(self) -> None:
        for digest in await self._digests():
            await self.services.blobs.delete(digest)


@contextmanager
def live_registry(settings: Settings) -> Iterator[Live]:
    """Serve a registry with these settings whose clients of the hubs are impatient."""
    services = build_services(settings)
    hurry(services.upstream)
    app = create_app(settings, services)
    closing = _ClosesServices(app, services)
    with serve_app(closing) as base, httpx2.Client(base_url=base, timeout=PATIENCE_S) as client:
        yield Live(base, client, services, app, closing.loop)


class _ClosesServices:
    """An app that closes its services once its worker has stopped, and tells which loop it runs on."""

    def __init__(self, app: ASGIApp, services: Services) -> None:
        self._app = app
        self._services = services
        self.loop: asyncio.AbstractEventLoop

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_closed(message: Message) -> None:
            if message["type"].startswith("lifespan.shutdown"):
                await self._services.close()
            await send(message)

        if scope["type"] == "lifespan":
            self.loop = asyncio.get_running_loop()
        await self._app(scope, receive, send_closed)


class Registry:
    """`python -m backend.serve` as a process of its own on a free port; a context manager.

    `environment` holds settings by the names an operator uses. What the machine has set is left out.
    """

    def __init__(self, data_dir: Path, **environment: str) -> None:
        self.data_dir = data_dir
        data_dir.mkdir(parents=True, exist_ok=True)
        self._log = data_dir / "registry.log"
        chosen = {"PORT": "0", "DATA_DIR": str(data_dir), **environment}
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "backend.serve"],
                cwd=REPOSITORY,
                env={**_bare_environment(), **chosen},
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self.base = self._address()
        self.client = httpx2.Client(base_url=self.base, timeout=PATIENCE_S)

    def _address(self) -> str:
        """The address on the first line that the process prints; fails with its log when it ends before that."""
        assert self.process.stdout is not None
        watchdog = threading.Timer(PATIENCE_S, self.process.kill)
        watchdog.start()
        line = self.process.stdout.readline()
        watchdog.cancel()
        if "http://" not in line:
            self.process.wait(PATIENCE_S)
            self.process.stdout.close()
            raise AssertionError(f"the registry did not start ({self.process.returncode}): {self.log}")
        return line[line.index("http://") :].strip()

    @property
    def log(self) -> str:
        """Everything the process has written to standard error, former processes on the same folder included."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def kill(self) -> None:
        """End it as a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ask it to end, and wait until it has."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self.process.poll() is None:
            self.process.send_signal(how)
        self.process.wait(PATIENCE_S)
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


def _bare_environment() -> dict[str, str]:
    """The machine's environment without anything that is a setting of the registry."""
    names: set[str] = set()
    for name, field in Settings.model_fields.items():
        spelt = field.validation_alias
        names |= {str(each) for each in spelt.choices} if isinstance(spelt, AliasChoices) else {name.upper()}
    return {name: value for name, value in os.environ.items() if name.upper() not in names}

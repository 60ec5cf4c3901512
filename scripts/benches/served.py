"""Programs under measurement: the registry, and a bare Starlette app on the same server with the same settings."""

import json
import os
import secrets
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from benches import drive
from benches.drive import Load, Outcome
from benches.figures import CannotMeasure

PASSWORD = secrets.token_urlsafe(12)
_ROOT = str(Path(__file__).resolve().parents[2])
_TICKS = os.sysconf("SC_CLK_TCK")

_BARE = """
import json, sqlite3, socket, sys
import uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

sizes, database = {"one": int(sys.argv[1]), "page": int(sys.argv[2])}, sqlite3.connect(sys.argv[3])
ready = {name: b"x" * size for name, size in sizes.items()}

async def answer(request):
    return Response(ready[request.path_params["what"]], media_type="application/json")

async def point(request):
    row = database.execute("SELECT name, url FROM artifacts WHERE id = ?", (request.path_params["id"],)).fetchone()
    return Response(json.dumps(row), media_type="application/json")

routes = [
    Route("/ready/{what}", answer, methods=["GET", "POST"]),
    Route("/point/{id}", point),
]
listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
print("listening on http://127.0.0.1:%d" % listener.getsockname()[1], flush=True)
config = uvicorn.Config(Starlette(routes=routes), access_log=False, log_level="warning", server_header=False)
uvicorn.Server(config).run(sockets=[listener])
"""


@dataclass(frozen=True, slots=True)
class Served:
    """A program that listens on `port` of this machine."""

    process: subprocess.Popen[str]
    port: int

    def cpu_s(self) -> float:
        """Seconds of processor time all its threads have used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def resident_mb(self) -> float:
        """Megabytes of memory it holds."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@dataclass(frozen=True, slots=True)
class Cost:
    """What answering cost: microseconds of the server's processor time a request, requests a second, latencies."""

    cpu_us: float
    per_second: float
    p50_ms: float
    p99_ms: float


def measure(served: Served, load: Load, expected: str = "200") -> Cost:
    """Drive a program from another process and divide what it used by what it answered.

    Raises:
        CannotMeasure: the program gave another answer than the expected one, or none.
    """
    before = served.cpu_s()
    outcome = _driven(load)
    used = served.cpu_s() - before
    if set(outcome.answers) != {expected}:
        raise CannotMeasure(f"expected {expected} for {load.requests[0][:60]!r}, got {dict(outcome.answers)}")
    total = outcome.total
    return Cost(used / total * 1e6, total / outcome.seconds, outcome.p50_ms, outcome.p99_ms)


def _driven(load: Load) -> Outcome:
    with tempfile.NamedTemporaryFile("w", suffix=".json") as order:
        json.dump(asdict(load), order)
        order.flush()
        client = subprocess.run(
            [sys.executable, drive.__file__, order.name], capture_output=True, text=True, check=False
        )
    if client.returncode != 0:
        raise CannotMeasure(f"the client gave up: {client.stderr.strip()[-500:]}")
    return Outcome(**json.loads(client.stdout))


@contextmanager
def registry(folder: Path, **settings: str) -> Iterator[tuple[Served, str]]:
    """The registry on a data folder, with sign-in on, and a token for it."""
    signed = {"AUTH": "required", "ADMIN_PASSWORD": PASSWORD, "JWT_SECRET": secrets.token_urlsafe(32)}
    nowhere = "http://127.0.0.1:9"  # what is made up has no source, and no hub should be asked for it
    hubs = {"HF_ENDPOINT": nowhere, "GITHUB_API_URL": nowhere}
    chosen = {"HOST": "127.0.0.1", "PORT": "0", "DATA_DIR": str(folder), **hubs, **signed, **settings}
    with _running([sys.executable, "-m", "backend.serve"], chosen, folder / "bench.log") as served:
        yield served, _token(served.port)


@contextmanager
def bare(database: Path, *, one_bytes: int, page_bytes: int) -> Iterator[Served]:
    """Starlette alone, answering ready bytes of these sizes at /ready/one and /ready/page, and rows at /point/ID."""
    command = [sys.executable, "-c", _BARE, str(one_bytes), str(page_bytes), str(database)]
    with _running(command, {}, Path(os.devnull)) as served:
        yield served


@contextmanager
def _running(command: list[str], settings: Mapping[str, str], log: Path) -> Iterator[Served]:
    """A program from the line on which it says where it listens until the end of the block."""
    if not Path("/proc/self/stat").exists():
        raise CannotMeasure("processor time is read from /proc, which this system does not have")
    with (
        log.open("w") as said,
        subprocess.Popen(
            command, env={**os.environ, "PYTHONPATH": _ROOT, **settings}, stdout=subprocess.PIPE, stderr=said, text=True
        ) as it,
    ):
        assert it.stdout is not None  # noqa: S101 -- it was asked for two lines above
        try:
            line = it.stdout.readline()
            if "http://" not in line:
                raise CannotMeasure(f"{command[:3]} did not start; see {log}")
            yield Served(it, int(line.rpartition(":")[2]))
        finally:
            it.terminate()


def _token(port: int) -> str:
    wanted = {"user": {"name": "admin", "is_admin": True}, "secret": {"password": PASSWORD}}
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/authenticate",
        json.dumps(wanted).encode(),
        {"Content-Type": "application/json"},
        method="PUT",
    )
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a proxy does not reach this loopback
    with direct.open(request, timeout=30) as answer:
        token: str = json.load(answer)
    return token

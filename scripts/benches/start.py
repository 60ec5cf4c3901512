"""What a start costs: time until the first answer, CPU time of the imports, and memory when idle, beside a bare app."""

import argparse
import os
import resource
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benches.figures import CannotMeasure, Figure, Machine

START_MS = 600.0
IMPORT_MS = 350.0
IDLE_MB = 90.0
PATIENCE_S = 60.0
TRIES = 3

_BARE = """
import sys, uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

async def health(request):
    return Response("{}")

app = Starlette(routes=[Route("/health", health)])
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=False, log_level="warning")
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one program costs: milliseconds to its first 200, CPU milliseconds of its imports, megabytes when idle."""

    start_ms: float
    import_ms: float
    idle_mb: float

    @classmethod
    def least(cls, costs: Sequence["Cost"]) -> "Cost":
        """The least of each over several starts: what else the machine does only ever adds."""
        return cls(
            min(one.start_ms for one in costs),
            min(one.import_ms for one in costs),
            min(one.idle_mb for one in costs),
        )


def add_options(parser: argparse.ArgumentParser) -> None:
    """Nothing: there is nothing that it could be told."""
    del parser


def measure(options: argparse.Namespace, machine: Machine) -> Sequence[Figure]:
    """Start the registry and a bare app by turns."""
    del options
    costs = [(_of_registry(), _of_bare_app()) for _ in range(TRIES)]
    ours, bare = Cost.least([one for one, _ in costs]), Cost.least([other for _, other in costs])
    return [
        Figure("start to the first 200", ours.start_ms, "ms", machine.target_ms(START_MS), bare.start_ms),
        Figure("imports, CPU", ours.import_ms, "ms", machine.target_ms(IMPORT_MS), bare.import_ms),
        Figure("memory when idle", ours.idle_mb, "MB", IDLE_MB, bare.idle_mb),
    ]


def _of_registry() -> Cost:
    port = _free_port()
    with tempfile.TemporaryDirectory(prefix="registry-bench-") as folder:
        settings = {"HOST": "127.0.0.1", "PORT": str(port), "DATA_DIR": folder, "AUTH": "auto"}
        start_ms, idle_mb = _started([sys.executable, "-m", "backend.serve"], port, settings)
    return Cost(start_ms, _import_ms("import backend.serve"), idle_mb)


def _of_bare_app() -> Cost:
    port = _free_port()
    start_ms, idle_mb = _started([sys.executable, "-c", _BARE, str(port)], port, {})
    return Cost(start_ms, _import_ms("import uvicorn, starlette.applications, starlette.responses"), idle_mb)


def _started(command: Sequence[str], port: int, settings: Mapping[str, str]) -> tuple[float, float]:
    """Milliseconds from starting the program to its first 200, and its resident megabytes after that."""
    before = time.perf_counter()
    # DEVNULL for its log: a pipe that nobody empties would stop it.
    with subprocess.Popen(
        command, env={**os.environ, **settings}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as program:
        try:
            _await_answer(f"http://127.0.0.1:{port}/health", program)
            return (time.perf_counter() - before) * 1000, _resident_mb(program.pid)
        finally:
            program.terminate()


def _await_answer(url: str, program: subprocess.Popen[bytes]) -> None:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a proxy does not reach this loopback
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if program.poll() is not None:
            raise CannotMeasure(f"{program.args!r} ended with {program.returncode} instead of answering")
        try:
            with direct.open(url, timeout=PATIENCE_S):
                return
        except OSError:
            time.sleep(0.002)
    raise CannotMeasure(f"{url} does not answer after {PATIENCE_S:g} s")


def _resident_mb(process: int) -> float:
    told = subprocess.run(["ps", "-o", "rss=", "-p", str(process)], capture_output=True, check=True, text=True)
    return int(told.stdout) * 1024 / 1e6


def _import_ms(statement: str) -> float:
    """CPU milliseconds of running a statement, without those of starting the interpreter."""
    return _cpu_ms(statement) - _cpu_ms("pass")


def _cpu_ms(statement: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", statement], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000


def _free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port: int = trial.getsockname()[1]
    return port

"""Runs a card's code in a child process that has no network, no privileges and little of anything else, or not at all.

The cell rests on the kernel's namespaces. Where it does not grant them nothing is run: a hook inside the interpreter
would forbid the same things only to code that does not mind.
"""

import asyncio
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import anyio.to_thread

from backend.sources import demonstration_cell, demonstration_driver
from backend.sources.demonstration_driver import LACKED, STOPPED
from metrics.evidence import DemonstrationRun, RunOutcome

AT_ONCE = 2
KEPT_OUTPUT_BYTES = 2_000
_SEARCHED_FOR_UNSHARE = "/usr/bin:/bin:/usr/sbin:/sbin"
_NOBODY = 64_999
"""The user a demonstration runs as where the registry runs as root; no account has it, so its limits are its own."""

_KILLED = 128 + signal.SIGKILL
_LIMIT_SIGNALS = frozenset({_KILLED, 128 + signal.SIGXCPU, 128 + signal.SIGXFSZ})
_ENVIRONMENT = {
    "HOME": demonstration_cell.WORK,
    "TMPDIR": demonstration_cell.WORK,
    "LANG": "C.UTF-8",
    "PATH": "/usr/bin:/bin",
    "HF_HUB_OFFLINE": "1",  # says at once what a client of the hub would find after many tries
    "OMP_NUM_THREADS": "1",  # as many threads as there are cores would exceed the limit on processes
    "OPENBLAS_NUM_THREADS": "1",
}


class NoSandbox(Exception):
    """This machine does not let a demonstration be locked in, so none is run; the text says what stands against it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a demonstration gets. Memory is counted for each of its processes; threads count as processes."""

    wall_s: float = 20.0
    cpu_s: int = 15
    memory_bytes: int = 1 << 30
    room_bytes: int = 64_000_000
    processes: int = 16
    open_files: int = 64

    def as_resources(self) -> dict[str, int]:
        """The limits that the kernel keeps, by their names in the `resource` module."""
        return {
            "RLIMIT_CPU": self.cpu_s,
            "RLIMIT_AS": self.memory_bytes,
            "RLIMIT_FSIZE": self.room_bytes,
            "RLIMIT_NPROC": self.processes,
            "RLIMIT_NOFILE": self.open_files,
            "RLIMIT_CORE": 0,
        }

    def __str__(self) -> str:
        return (
            f"a sandbox without network, files of the host or privileges ({self.wall_s:g} s,"
            f" {self.memory_bytes >> 20} MiB a process, {self.processes} processes)"
        )


@dataclass(frozen=True, slots=True)
class _Ended:
    ready: bool
    status: int | None
    output: bytes


class DemonstrationRunner:
    """Runs demonstrations, two at a time. `unshare` is the path of that program, None where the system has it."""

    def __init__(self, limits: Limits | None = None, *, unshare: str | None = None) -> None:
        self._limits = limits or Limits()
        self._unshare = unshare or shutil.which("unshare", path=_SEARCHED_FOR_UNSHARE)
        self._places = asyncio.Semaphore(AT_ONCE)

    async def run(self, blocks: Sequence[str]) -> DemonstrationRun:
        """Run blocks of Python as one session.

        Raises:
            NoSandbox: nothing was run.
        """
        async with self._places:
            return await anyio.to_thread.run_sync(self._run, json.dumps(list(blocks)))

    def _run(self, blocks: str) -> DemonstrationRun:
        if self._unshare is None:
            raise NoSandbox("there is no `unshare` program here")
        started = time.monotonic()
        ended = self._locked_in(self._unshare, blocks)
        said = ended.output.decode("utf-8", errors="replace").replace("\x00", "")
        if not ended.ready:
            raise NoSandbox(f"the kernel does not grant a sandbox: {said.strip()[-200:] or 'no reason given'}")
        took = time.monotonic() - started
        return DemonstrationRun(_outcome(ended.status), ended.status, took, str(self._limits), said)

    def _locked_in(self, unshare: str, blocks: str) -> _Ended:
        ready, ready_end = os.pipe()
        with tempfile.TemporaryDirectory(prefix="registry-cell-") as root, tempfile.TemporaryFile() as text:
            text.write(blocks.encode("ascii"))
            text.seek(0)
            try:
                process = self._started(unshare, root, text, ready_end)
            except OSError as error:
                os.close(ready)
                raise NoSandbox(f"`unshare` cannot be started: {error.strerror}") from None
            finally:
                os.close(ready_end)
            try:
                status, output = self._watched(process)
                return _Ended(os.read(ready, len(demonstration_cell.READY)) != b"", status, output)
            finally:
                os.close(ready)

    def _started(self, unshare: str, root: str, text: IO[bytes], ready_end: int) -> subprocess.Popen[bytes]:
        as_root = os.geteuid() == 0
        flags = ["--net", "--pid", "--ipc", "--uts", "--mount", "--fork", "--kill-child"]
        flags += [] if as_root else ["--user", "--map-root-user"]
        order: dict[str, Any] = {
            "root": root,
            "shown": _interpreter_folders(),
            "room_bytes": self._limits.room_bytes,
            "limits": self._limits.as_resources(),
            "driver": demonstration_driver.__file__,
            "python": sys.executable,
            "environment": _ENVIRONMENT,
            "user": _NOBODY if as_root else None,
            "ready_fd": ready_end,
        }
        cell = [sys.executable, "-I", demonstration_cell.__file__, json.dumps(order)]
        return subprocess.Popen(  # noqa: S603 - fixed programs, no shell; what a stranger wrote goes in as input
            [unshare, *flags, "--", *cell],
            stdin=text,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=_ENVIRONMENT,
            cwd=root,
            start_new_session=True,
            pass_fds=[ready_end],
        )

    def _watched(self, process: subprocess.Popen[bytes]) -> tuple[int | None, bytes]:
        """Exit status, None where time ran out, and the end of the output; on return no process of it is left."""
        deadline = time.monotonic() + self._limits.wall_s
        with process:
            try:
                output = _tail(process, deadline)
                return process.wait(max(0.0, deadline - time.monotonic())), output
            except subprocess.TimeoutExpired as late:
                return None, late.output or b""
            finally:
                # The first process of the namespace is in this group, and all others end with it.
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)


def _tail(process: subprocess.Popen[bytes], deadline: float) -> bytes:
    """The last of what is printed until the end of output; `TimeoutExpired` holds it where that does not come."""
    kept = b""
    out = process.stdout
    while out is not None:
        left_s = deadline - time.monotonic()
        if left_s <= 0 or not select.select([out], [], [], left_s)[0]:
            raise subprocess.TimeoutExpired(process.args, left_s, output=kept)
        part = os.read(out.fileno(), 65_536)
        if not part:
            break
        kept = (kept + part)[-KEPT_OUTPUT_BYTES:]
    return kept


def _interpreter_folders() -> list[str]:
    """Where this interpreter and its packages are, as spelt and as they are reached."""
    spelt = [Path(sys.prefix), Path(sys.base_prefix)]
    return sorted({str(path) for folder in spelt for path in (folder, folder.resolve())})


def _outcome(status: int | None) -> RunOutcome:
    if status is None or status < 0 or status == STOPPED or status in _LIMIT_SIGNALS:
        return RunOutcome.STOPPED
    if status == LACKED:
        return RunOutcome.LACKED
    return RunOutcome.CLEAN if status == 0 else RunOutcome.FAILED

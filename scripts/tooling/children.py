"""Programs started beside this one, which end when it ends, however it ends."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from types import FrameType
from typing import Self

from tooling import places
from tooling.failure import CommandFailed

PATIENCE_S = 15.0
"""How long a child may take to finish what it is doing after it was asked to end."""


class Stopped(Exception):
    """Somebody asked this command to end; `signum` is how."""

    def __init__(self, signum: int) -> None:
        super().__init__(signal.Signals(signum).name)
        self.signum = signum


@contextlib.contextmanager
def stoppable() -> Iterator[None]:
    """Turn Ctrl-C, a polite kill and a closed terminal into `Stopped` while the block runs."""

    def stop(signum: int, _frame: FrameType | None) -> None:
        raise Stopped(signum)

    watched = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {each: signal.signal(each, stop) for each in watched}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


class Children:
    """Child processes under one roof: leaving the `with` block ends those that still run, the youngest first."""

    def __init__(self) -> None:
        self._running: list[subprocess.Popen[bytes]] = []
        self._names: dict[int, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        for child in reversed(self._running):
            _end(child)

    def start(self, name: str, command: Sequence[str], settings: Mapping[str, str]) -> subprocess.Popen[bytes]:
        """Start a program, called `name` when we speak of it.

        It gets no Ctrl-C of its own, so that only we decide when it ends.
        """
        tether = [sys.executable, "-I", "-S", str(places.SCRIPTS / "tooling" / "tether.py"), str(os.getpid())]
        child = subprocess.Popen([*tether, *command], env=settings, stdin=subprocess.DEVNULL, process_group=0)
        self._running.append(child)
        self._names[child.pid] = name
        return child

    def forget(self, child: subprocess.Popen[bytes]) -> None:
        """Stop watching one that did its work and is done."""
        self._running.remove(child)

    def insist(self) -> None:
        """Do nothing while all of them run.

        Raises:
            CommandFailed: one has ended by itself.
        """
        for child in self._running:
            if child.poll() is not None:
                raise CommandFailed(f"{self._names[child.pid]} ended with {child.returncode}; its own words are above.")


def _end(child: subprocess.Popen[bytes]) -> None:
    try:
        child.terminate()
        child.wait(PATIENCE_S)
    except (subprocess.TimeoutExpired, Stopped):  # it hangs, or Ctrl-C came a second time
        child.kill()
        child.wait()

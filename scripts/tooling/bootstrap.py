"""Make the project's own virtual environment, once, and bring it up to date when the pins change."""

import contextlib
import fcntl
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

from tooling import pins, places
from tooling.failure import CommandFailed
from tooling.pins import Pin, Purpose

_STAMP = places.ENVIRONMENT / "installed.txt"


def prepare(purpose: Purpose) -> None:
    """Have an environment that holds everything `purpose` needs; takes no network when it is there already.

    Raises:
        CommandFailed: pip is missing or failed.
    """
    chosen = pins.select(places.PINS.read_text(), places.PYPROJECT.read_text(), purpose)
    with _alone():
        if not _is_current(chosen):
            _make_environment()
            _STAMP.unlink(missing_ok=True)  # an installation that is broken off must not pass for the one before it
            _install(chosen)
            _STAMP.write_text("\n".join(_stamp(chosen)) + "\n")


def environment(**settings: str) -> dict[str, str]:
    """Variables for a program that imports this checkout, wherever it is started: ours, and `settings` over them."""
    # Without PYTHONSAFEPATH a folder named `backend` where the caller stands would win over the registry's.
    importable = os.pathsep.join((str(places.ROOT), str(places.SCRIPTS)))
    return {**os.environ, "PYTHONPATH": importable, "PYTHONSAFEPATH": "1", **settings}


def become(module: str, *arguments: str, **settings: str) -> NoReturn:
    """Replace this process with a module of the environment, so that signals reach it with nobody in between."""
    sys.stdout.flush()
    sys.stderr.flush()
    command = [str(places.PYTHON), "-m", module, *arguments]
    os.execve(places.PYTHON, command, environment(**settings))  # noqa: S606 (our own programs, without a shell)


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Wait while another command prepares the same environment."""
    with places.PINS.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _stamp(chosen: Sequence[Pin]) -> list[str]:
    """One line for the interpreter and one for each pin, so that an environment may hold more than is asked of it."""
    python = f"python {sys.version_info.major}.{sys.version_info.minor} in {places.ENVIRONMENT}"
    return [python, *(f"{pin.name} {_digest(pin)}" for pin in chosen)]


def _digest(pin: Pin) -> str:
    return hashlib.sha256("\n".join(pin.lines).encode()).hexdigest()[:16]


def _is_current(chosen: Sequence[Pin]) -> bool:
    if not _STAMP.exists() or not places.PYTHON.exists():
        return False
    return set(_stamp(chosen)) <= set(_STAMP.read_text().splitlines())


def _make_environment() -> None:
    """Create the environment, unless it stands and only its pins have changed."""
    if _STAMP.exists() and places.PYTHON.exists() and set(_stamp([])) <= set(_STAMP.read_text().splitlines()):
        return
    _run([_base_python(), "-I", "-m", "venv", "--clear", *_pip_option(), str(places.ENVIRONMENT)])


def _base_python() -> str:
    """The interpreter that runs us, or the one behind it where we run inside the environment that is to be replaced."""
    if sys.prefix == sys.base_prefix:
        return sys.executable
    return str(Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}")


def _pip_option() -> list[str]:
    return [] if find_spec("ensurepip") else ["--without-pip"]


def _install(chosen: Sequence[Pin]) -> None:
    started, pip = time.monotonic(), _pip()
    _say(f"Installing {len(chosen)} pinned packages into {places.ENVIRONMENT.name} (this once) ...")
    with tempfile.NamedTemporaryFile("w", prefix="registry-pins-", suffix=".txt") as wanted:
        wanted.write(pins.as_requirements(chosen))
        wanted.flush()
        options = ["--quiet", "--disable-pip-version-check", "--no-input", "--prefer-binary", "--no-deps"]
        _run([*pip, "install", *options, "--require-hashes", "--requirement", wanted.name])
    _say(f" {time.monotonic() - started:.0f} s\n")


def _pip() -> list[str]:
    """The environment's own pip, or else one of the interpreter that runs us, aimed at the environment.

    Raises:
        CommandFailed: there is neither.
    """
    if subprocess.run([places.PYTHON, "-I", "-c", "import pip"], capture_output=True, check=False).returncode == 0:
        return [str(places.PYTHON), "-I", "-m", "pip"]
    if find_spec("pip"):
        return [sys.executable, "-m", "pip", "--python", str(places.PYTHON)]
    raise CommandFailed(
        f"{sys.executable} comes without ensurepip and pip, so it cannot fill a virtual environment.\n"
        f"On Debian and Ubuntu: apt-get install python3-venv. Or name another Python: PYTHON=/path/to/python3.12"
    )


def _run(command: Sequence[str]) -> None:
    """Run quietly; what was said is shown only when it failed."""
    result = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    if result.returncode != 0:
        said = result.stdout.decode(errors="replace").strip()
        raise CommandFailed(f"\n{said}\n\n{' '.join(command[:5])} ... ended with {result.returncode}.")


def _say(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()

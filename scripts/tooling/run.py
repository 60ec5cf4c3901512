"""Serve the registry on this machine, alone or with a small organisation to play with beside it."""

import argparse
import os
import socket
import time
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from tooling import bootstrap, places
from tooling.children import Children
from tooling.failure import CommandFailed
from tooling.pins import Purpose

STARTUP_S = 60.0
"""How long the server and the stand-in may take until they answer."""

_ABOUT = """\
The registry answers on HOST and PORT (127.0.0.1:8000) and keeps its data in DATA_DIR (./data in this checkout,
./data/demo with --demo). docs/settings.md lists every setting; each is an environment variable.
The first start makes .venv and installs the pinned dependencies into it; later starts take no network."""


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns only when the server has ended."""
    parser = argparse.ArgumentParser(prog="scripts/run", description=__doc__, epilog=_ABOUT)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "--demo", action="store_true", help="play with made-up hubs and artifacts, without the internet"
    )
    demo = parser.parse_args(arguments).demo
    host, port = os.environ.get("HOST") or "127.0.0.1", _port()
    _refuse_busy(host, port)
    bootstrap.prepare(Purpose.RUN)
    if demo:
        return _serve_demo(host, port)
    return bootstrap.become("backend.serve", DATA_DIR=_data_dir(places.DATA))


def _port() -> int:
    stated = os.environ.get("PORT") or "8000"
    if not stated.isascii() or not stated.isdigit() or int(stated) > 65535:  # noqa: PLR2004 (the last port there is)
        raise CommandFailed(f"PORT={stated} is not a port number.")
    return int(stated)


def _refuse_busy(host: str, port: int) -> None:
    """Say so now, in words, when the server could not listen where it is meant to."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(address)
    except OSError as error:
        raise CommandFailed(
            f"Cannot listen on {host}:{port}: {error.strerror}.\n"
            f"End what is there, or choose another port: PORT={port + 1} scripts/run"
        ) from error


def _data_dir(default: Path) -> str:
    return str(Path(os.environ.get("DATA_DIR") or default).absolute())


def _serve_demo(host: str, port: int) -> NoReturn:
    python = str(places.PYTHON)
    hub_port, port = _free_port(), port or _free_port()
    hub, base = f"http://127.0.0.1:{hub_port}", f"http://{_reachable(host)}:{port}"
    data = Path(_data_dir(places.DATA / "demo"))
    data.mkdir(parents=True, exist_ok=True)
    log = os.environ.get("LOG_FILE") or str(data / "registry.log")  # on the terminal it would tear the progress bar
    settings = bootstrap.environment(
        DATA_DIR=str(data), LOG_FILE=log, PORT=str(port), HF_ENDPOINT=hub, GITHUB_API_URL=f"{hub}/gh"
    )
    with Children() as children:
        children.start("The demo hub", [python, "-m", "demo", "--port", str(hub_port)], settings)
        children.start("The registry", [python, "-m", "backend.serve"], settings)
        _await_health(base, children)
        _seed(base, children, settings)
        print(_welcome(base, log), flush=True)
        while True:
            children.insist()
            time.sleep(0.2)


def _free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port: int = trial.getsockname()[1]
    return port


def _reachable(host: str) -> str:
    """Return a name under which this machine reaches what binds `host`."""
    if host in {"0.0.0.0", "::"}:  # noqa: S104 (compared, not bound)
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _await_health(base: str, children: Children) -> None:
    deadline = time.monotonic() + STARTUP_S
    while not _is_healthy(base):
        children.insist()
        if time.monotonic() > deadline:
            raise CommandFailed(f"{base}/health does not answer after {STARTUP_S:.0f} s.")
        time.sleep(0.1)


def _is_healthy(base: str) -> bool:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a proxy does not reach this loopback
    try:
        with direct.open(f"{base}/health", timeout=5) as answer:
            return bool(answer.status == 200)  # noqa: PLR2004 (OK)
    except OSError:
        return False


def _seed(base: str, children: Children, settings: Mapping[str, str]) -> None:
    seeding = children.start("Seeding", [str(places.PYTHON), "-m", "demo", "seed", "--base", base], settings)
    if seeding.wait() != 0:
        children.insist()
    children.forget(seeding)


def _welcome(base: str, log: str) -> str:
    return f"""
The demo registry is ready: {base}/docs lists every call, and the README has a tour.
Its log is {log}.
Ctrl-C ends it; what it holds stays for the next time."""

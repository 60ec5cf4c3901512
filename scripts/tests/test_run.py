"""Tests for `scripts/run`: a checkout in miniature, with its own pins and a server of a few lines, really started."""

import contextlib
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tooling import places

SERVER = """\
import http.server, json, os, pathlib, sys
import tiny
where = pathlib.Path(os.environ["DATA_DIR"])
where.mkdir(parents=True, exist_ok=True)
(where / "pids.txt").open("a").write(f"{os.getpid()}\\n")
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        told = json.dumps({name: os.environ.get(name) for name in ("DATA_DIR", "HF_ENDPOINT", "GITHUB_API_URL")})
        self.send_response(200)
        self.end_headers()
        self.wfile.write(told.encode())
    def log_message(self, *words):
        pass
    do_DELETE = lambda self: os._exit(7)
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", 8000))), Handler).serve_forever()
"""

DEMO = """\
import os, pathlib, runpy, sys
if "seed" in sys.argv:
    pathlib.Path(os.environ["DATA_DIR"], "seeded.txt").write_text(sys.argv[-1])
else:
    os.environ["PORT"] = sys.argv[-1]
    runpy.run_module("backend.serve", run_name="__main__")
"""

PATIENCE_S = 30.0


def _wheel(folder: Path) -> str:
    """Write the smallest wheel there can be and return its SHA-256."""
    wheel = folder / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tiny.py", "")
        archive.writestr("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        archive.writestr("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("tiny-1.0.dist-info/RECORD", "")
    return hashlib.sha256(wheel.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("a path with spaces")
    shutil.copytree(places.SCRIPTS, root / "scripts", ignore=shutil.ignore_patterns("__pycache__", "tests"))
    for module, text in {"backend/serve.py": SERVER, "demo/__main__.py": DEMO}.items():
        (root / module).parent.mkdir()
        (root / module).parent.joinpath("__init__.py").touch()
        (root / module).write_text(text)
    (root / "wheels").mkdir()
    (root / "dependencies.txt").write_text(
        f"tiny==1.0 \\\n    --hash=sha256:{_wheel(root / 'wheels')}\n    # via mini (pyproject.toml)\n"
    )
    (root / "pyproject.toml").write_text(
        '[project]\ndependencies = ["tiny"]\n[project.optional-dependencies]\n[dependency-groups]\ndev = []\n'
    )
    return root


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _settings(checkout: Path, **settings: str) -> dict[str, str]:
    quiet = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": f"file://{checkout}/wheels".replace(" ", "%20")}
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**kept, **quiet, "PYTHON": sys.executable, **settings}


def _run(checkout: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [checkout / "scripts" / "run", *arguments],
        env=_settings(checkout, **settings),
        cwd="/",
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


@contextlib.contextmanager
def _started(checkout: Path, *arguments: str, **settings: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [checkout / "scripts" / "run", *arguments]
    with subprocess.Popen(command, env=_settings(checkout, **settings), cwd="/", stdout=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.terminate()
            process.wait(PATIENCE_S)


def _eventually(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, f"still waiting for: {what}"
        time.sleep(0.05)


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError):
        return bool(_told(port))
    return False


def _told(port: int) -> dict[str, str]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
        told: dict[str, str] = json.load(answer)
        return told


def _gone(pid: int) -> bool:
    """Whether a process has ended; one that nobody has waited for yet has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def _pids(data_dir: Path) -> list[int]:
    return [int(line) for line in (data_dir / "pids.txt").read_text().split()]


def test_it_installs_the_pins_and_serves_wherever_it_is_called_from(checkout: Path, port: int, tmp_path: Path) -> None:
    with _started(checkout, PORT=str(port), DATA_DIR=str(tmp_path)):
        _eventually(lambda: _answers(port), "the server")

        assert _told(port)["DATA_DIR"] == str(tmp_path)


def test_a_later_start_asks_no_package_index(checkout: Path, port: int) -> None:
    with _started(checkout, PORT=str(port)):
        _eventually(lambda: _answers(port), "the environment")

    with _started(checkout, PORT=str(port), PIP_FIND_LINKS="file:///nowhere"):
        _eventually(lambda: _answers(port), "the server")

        assert _told(port)["DATA_DIR"] == str(checkout / "data")


def test_a_busy_port_is_a_sentence(checkout: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        result = _run(checkout, PORT=str(port))

    assert result.returncode == 1
    assert f"Cannot listen on 127.0.0.1:{port}" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("stated", ["eighty", "65536", "-1", "80٣"])
def test_a_port_that_is_none_is_a_sentence(checkout: Path, stated: str) -> None:
    result = _run(checkout, PORT=stated)

    assert (result.returncode, result.stderr) == (1, f"PORT={stated} is not a port number.\n")


def test_an_unknown_argument_is_refused_by_name(checkout: Path) -> None:
    result = _run(checkout, "--dmeo")

    assert result.returncode == 2
    assert "--dmeo" in result.stderr


def test_without_a_python_that_is_new_enough_it_says_what_to_install(checkout: Path, tmp_path: Path) -> None:
    for name in ("dirname", "sh"):
        (tmp_path / name).symlink_to(shutil.which(name) or name)
    bare = tmp_path / "bare"
    shutil.copytree(checkout / "scripts", bare / "scripts")

    result = _run(bare, PATH=str(tmp_path), PYTHON="")

    assert result.returncode == 1
    assert "needs Python 3.11 or newer" in result.stderr


def test_a_failed_installation_shows_what_pip_said_and_is_tried_again(
    checkout: Path, port: int, tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(checkout, broken, ignore=shutil.ignore_patterns(".venv"))

    failed = _run(broken, PORT=str(port), PIP_FIND_LINKS="file:///nowhere")

    assert failed.returncode == 1
    assert "tiny==1.0" in failed.stderr
    assert "Traceback" not in failed.stderr
    with _started(broken, PORT=str(port)):
        _eventually(lambda: _answers(port), "the server, once the wheel is there")


def test_the_demo_starts_its_hub_and_keeps_its_data_apart(checkout: Path, port: int) -> None:
    with _started(checkout, "--demo", PORT=str(port)) as process:
        assert process.stdout is not None
        _eventually(lambda: b"ready" in process.stdout.readline(), "the welcome")
        told = _told(port)

    assert told["DATA_DIR"] == str(checkout / "data" / "demo")
    assert told["GITHUB_API_URL"] == told["HF_ENDPOINT"] + "/gh"
    assert told["HF_ENDPOINT"].startswith("http://127.0.0.1:")
    assert (checkout / "data" / "demo" / "seeded.txt").read_text() == f"http://127.0.0.1:{port}"


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda signum: signum.name)
def test_a_signal_ends_the_demo_and_all_it_started(
    checkout: Path, port: int, tmp_path: Path, signum: signal.Signals
) -> None:
    with _started(checkout, "--demo", PORT=str(port), DATA_DIR=str(tmp_path)) as process:
        _eventually((tmp_path / "seeded.txt").exists, "seeding")

        process.send_signal(signum)

        assert process.wait(PATIENCE_S) == 128 + signum
    assert [pid for pid in _pids(tmp_path) if not _gone(pid)] == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent was killed")
def test_killing_the_demo_outright_leaves_nothing_behind(checkout: Path, port: int, tmp_path: Path) -> None:
    with _started(checkout, "--demo", PORT=str(port), DATA_DIR=str(tmp_path)) as process:
        _eventually((tmp_path / "seeded.txt").exists, "seeding")

        process.kill()

        _eventually(lambda: all(map(_gone, _pids(tmp_path))), "both children to end")


def test_when_the_server_dies_the_hub_ends_too(checkout: Path, port: int, tmp_path: Path) -> None:
    with _started(checkout, "--demo", PORT=str(port), DATA_DIR=str(tmp_path)) as process:
        _eventually((tmp_path / "seeded.txt").exists, "seeding")

        with contextlib.suppress(OSError):
            dying = urllib.request.Request(f"http://127.0.0.1:{port}/", method="DELETE")
            urllib.request.build_opener().open(dying, timeout=5).close()

        assert process.wait(PATIENCE_S) == 1
    assert [pid for pid in _pids(tmp_path) if not _gone(pid)] == []

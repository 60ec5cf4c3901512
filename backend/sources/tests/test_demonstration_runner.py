"""Hostile demonstrations as real processes.

The promise is that they are contained or not run at all, so each case holds on a machine without namespaces as well;
the first test says which of the two it is.
"""

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from backend.sources.demonstration_runner import KEPT_OUTPUT_BYTES, DemonstrationRunner, Limits, NoSandbox
from metrics.evidence import DemonstrationRun, RunOutcome

SHORT = Limits(wall_s=10.0, cpu_s=2)


async def run(*blocks: str, limits: Limits = SHORT) -> DemonstrationRun | None:
    """The run, or None where this machine does not grant a sandbox, in which case nothing was run."""
    try:
        return await DemonstrationRunner(limits).run(blocks)
    except NoSandbox as refusal:
        why = str(refusal)
    assert why
    assert not _grants_namespaces(), why
    return None


def _grants_namespaces() -> bool:
    """Whether the system's own tools can do what the cell needs: mount something in namespaces of their own."""
    unshare = shutil.which("unshare")
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    command = [str(unshare), *user, "--net", "--pid", "--ipc", "--uts", "--mount", "--fork", "--kill-child"]
    tries = [*command, "mount", "-t", "tmpfs", "none", "/mnt"]
    return unshare is not None and not subprocess.run(tries, capture_output=True, check=False).returncode  # noqa: S603 - a fixed command


async def test_what_prints_and_ends_is_clean() -> None:
    done = await run("word = 'hello'", "print(word)")

    assert done is None or (done.outcome, done.exit_status, done.last_lines) == (RunOutcome.CLEAN, 0, "hello\n")


ENDS = {
    "an error of its own": ("1 / 0", RunOutcome.FAILED),
    "an exit that says it failed": ("raise SystemExit(3)", RunOutcome.FAILED),
    "a crash of the interpreter": ("import os\nos.abort()", RunOutcome.FAILED),
    "a package that is not there": ("import farm_of_llamas", RunOutcome.LACKED),
    "a part that a package does not have": ("import json\nimport json.farm", RunOutcome.FAILED),
    "a question to the user": ("input()", RunOutcome.LACKED),
    "the network": ("import socket\nsocket.create_connection(('192.0.2.1', 80), 5)", RunOutcome.LACKED),
    "a name to look up": ("import urllib.request\nurllib.request.urlopen('http://example.com')", RunOutcome.LACKED),
    "an error that hides the network": (
        "import socket\ntry:\n    socket.create_connection(('192.0.2.1', 80), 5)\nexcept OSError:\n    x = {}['a']",
        RunOutcome.LACKED,
    ),
    "an endless loop": ("while True:\n    pass", RunOutcome.STOPPED),
    "a memory hog": ("kept = []\nwhile True:\n    kept.append(bytearray(50_000_000))", RunOutcome.STOPPED),
    "a fork bomb": ("import os\nwhile True:\n    os.fork()", RunOutcome.STOPPED),
    "a bomb of threads": (
        "import threading, time\nwhile True:\n    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()",
        RunOutcome.STOPPED,
    ),
    "an early exit": ("raise SystemExit(0)", RunOutcome.CLEAN),
}


@pytest.mark.parametrize(("block", "outcome"), ENDS.values(), ids=ENDS.keys())
async def test_how_it_ended(block: str, outcome: RunOutcome) -> None:
    done = await run(block)

    assert done is None or done.outcome is outcome, done.last_lines


@pytest.mark.parametrize(
    "block",
    [
        pytest.param("import time\ntime.sleep(600)", id="asleep"),
        pytest.param("import os, time\nos.close(1)\nos.close(2)\ntime.sleep(600)", id="asleep, its output closed"),
        pytest.param(
            "import os, signal, time\nos.setsid()\nfor n in range(1, 32):\n    if n not in (9, 19):\n"
            "        signal.signal(n, signal.SIG_IGN)\nos.fork()\ntime.sleep(600)",
            id="asleep, in a session of its own and deaf",
        ),
    ],
)
async def test_time_ends_it_with_all_its_processes(block: str) -> None:
    started = time.monotonic()

    done = await run(block, limits=Limits(wall_s=1.5))

    assert done is None or (done.outcome, done.exit_status) == (RunOutcome.STOPPED, None)
    assert time.monotonic() - started < 8
    assert not _left_running("time.sleep(600)")


async def test_what_it_leaves_running_ends_with_it() -> None:
    await run("import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', 'import time; time.sleep(601)'])")

    assert not _left_running("time.sleep(601)")


def _left_running(words: str) -> list[str]:
    told = (path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists())
    return [line.decode(errors="replace") for line in told if words.encode() in line]


async def test_only_the_end_of_much_output_is_kept() -> None:
    done = await run("for _ in range(300):\n    print('x' * 100_000)\nprint('the end')")

    assert done is None or done.last_lines.endswith("the end\n")
    assert done is None or len(done.last_lines) <= KEPT_OUTPUT_BYTES


async def test_output_that_is_no_text_is_shown_as_far_as_it_is() -> None:
    done = await run("import sys\nsys.stdout.buffer.write(b'a\\xff\\x00b')")

    assert done is None or done.last_lines == "a\ufffdb"


TRIES = {
    "write to the system": "open('/usr/lib/x', 'w')",
    "write to the interpreter": "import json\nopen(json.__file__, 'a')",
    "write to the root": "open('/x', 'w')",
    "fill its folder": "open('/cell/x', 'wb').write(bytes(70_000_000))",
    "read the password file": "open('/etc/passwd')",
    "see the host's processes": "open('/proc/1/environ')",
    "make a device": "import os, stat\nos.mknod('/cell/d', stat.S_IFBLK | 0o666, os.makedev(8, 0))",
    "leave by chroot": "import os\nos.mkdir('a')\nos.chroot('a')",
    "become root": "import os\nos.setuid(12345)",
    "signal the first process": "import os, time\nos.kill(1, 9)\ntime.sleep(0.3)\nraise SystemExit('it lives on')",
    "mount something": "import ctypes\nassert ctypes.CDLL(None).mount(b'none', b'/cell', b'tmpfs', 0, None) == 0",
    "begin a user namespace": "import ctypes\nassert ctypes.CDLL(None).unshare(0x10000000) == 0",
    "listen where the host listens": "import socket\nsocket.create_connection(('127.0.0.1', 22), 2)",
    "raise its own limits": "import resource as r\nr.setrlimit(r.RLIMIT_NPROC, (9999, 9999))",
}


@pytest.mark.parametrize("block", TRIES.values(), ids=TRIES.keys())
async def test_a_way_out_is_closed(block: str) -> None:
    done = await run(block)

    assert done is None or done.outcome is not RunOutcome.CLEAN, done.last_lines


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file that anyone who can see it may read, in a folder that anyone may write to."""
    file = tmp_path / "secret"
    file.write_text("open-sesame")
    tmp_path.chmod(0o777)
    return file


async def test_the_host_and_its_secrets_are_not_there(secret: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGISTRY_SECRET", "open-sesame")
    looks = f"import os\nprint(dict(os.environ), os.path.exists({str(secret)!r}), os.listdir('/cell'))"
    writes = f"try:\n    open({str(secret.with_name('new'))!r}, 'w')\nexcept OSError:\n    pass"

    done = await run(looks, writes)

    assert done is None or ("open-sesame" not in done.last_lines and done.last_lines.endswith("False []\n"))
    assert _listed(secret.parent) == [secret]


async def test_nothing_stays_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    await run("open('kept', 'w').write('x')")

    assert _listed(tmp_path) == []


def _listed(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def test_its_folder_may_be_written_to() -> None:
    done = await run(
        "import tempfile\nwith tempfile.TemporaryFile() as f:\n    f.write(b'x')\nopen('y', 'w').write('y')"
    )

    assert done is None or done.outcome is RunOutcome.CLEAN, done.last_lines


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        pytest.param("echo unshare failed: Operation not permitted; exit 1", "Operation not permitted", id="denied"),
        pytest.param("exit 0", "no reason given", id="silent"),
        pytest.param(
            'while [ "$1" != -- ]; do shift; done; shift; exec "$@"', "no namespace of its own", id="no namespaces"
        ),
    ],
)
async def test_without_namespaces_nothing_is_run(tmp_path: Path, script: str, reason: str) -> None:
    program = tmp_path / "unshare"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)

    with pytest.raises(NoSandbox, match=reason):
        await DemonstrationRunner(SHORT, unshare=str(program)).run(["print('hello')"])


async def test_without_the_program_nothing_is_run() -> None:
    with pytest.raises(NoSandbox, match="cannot be started"):
        await DemonstrationRunner(SHORT, unshare="/no/such/program").run(["print('hello')"])

"""Static analysis of a repository's Python sources: linted and counted by other processes, never imported or run."""

import json
import shutil
import subprocess
import sys
import tempfile
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import anyio.to_thread

from backend.domain.errors import UpstreamFailed
from backend.sources import python_census
from backend.sources.archive import Archive, unpack_python
from metrics.evidence import CodeAnalysis

MAX_ARCHIVE_BYTES = 100_000_000
MAX_FILES = 2_000
MAX_FILE_BYTES = 500_000
MAX_BYTES = 20_000_000
TIMEOUT_S = 60.0
# pycodestyle, pyflakes, bugbear and complexity over ten. Line length and tabs are taste, not findings.
RULES = "E,F,W,B,C901"
_TASTE = "E501,W191,E101"


class AnalyserMissing(Exception):
    """There is no linter to run here."""


async def analyse(archive: Archive) -> CodeAnalysis:
    """Figures of the Python sources in an archive, of the first ones where there are more than the caps allow.

    Raises:
        AnalyserMissing: ruff is not installed.
        UpstreamFailed: the archive is broken, or the analysis failed or took too long.
    """
    return await anyio.to_thread.run_sync(_analyse, _linter(), archive)


def _linter() -> str:
    """The path of ruff: beside this interpreter, else on the search path."""
    if find_spec("ruff") is not None:
        try:
            return str(import_module("ruff").find_ruff_bin())
        except FileNotFoundError:
            pass
    found = shutil.which("ruff")
    if found is None:
        raise AnalyserMissing("ruff is not installed, so the sources were not analysed")
    return found


def _analyse(linter: str, archive: Archive) -> CodeAnalysis:
    with tempfile.TemporaryDirectory(prefix="registry-sources-") as folder:
        unpack_python(archive, Path(folder), max_files=MAX_FILES, max_file_bytes=MAX_FILE_BYTES, max_bytes=MAX_BYTES)
        counts = json.loads(_output([sys.executable, "-I", python_census.__file__, folder], folder))
        findings = _findings(linter, folder)
    complex_functions = findings.pop("C901", 0)
    return CodeAnalysis(
        files=counts["files"],
        lines=counts["lines"],
        lint_findings=sum(findings.values()),
        complex_functions=complex_functions,
        functions=counts["functions"],
        documented_functions=counts["documented_functions"],
        annotated_functions=counts["annotated_functions"],
        unparsable_files=counts["unparsable_files"],
    )


def _findings(linter: str, folder: str) -> dict[str, int]:
    """How often each rule was broken; a file that does not parse is counted elsewhere, not as a finding."""
    command = [linter, "check", "--isolated", "--no-cache", "--exit-zero", "--quiet", "--statistics", "--ignore-noqa"]
    command += ["--output-format", "json", "--select", RULES, "--ignore", _TASTE, "--target-version", "py313", folder]
    return {rule["code"]: rule["count"] for rule in json.loads(_output(command, folder) or "[]") if rule["code"]}


def _output(command: list[str], folder: str) -> str:
    """What a command prints; it gets no input, no environment to speak of, and a limited time."""
    try:
        done = subprocess.run(  # noqa: S603 - fixed programs, no shell; the folder is our own
            command,
            cwd=folder,
            env={"PATH": "", "HOME": folder, "LANG": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT_S,
            check=True,
            text=True,
            errors="replace",
        )
    except subprocess.TimeoutExpired:
        raise UpstreamFailed(f"the analysis took longer than {TIMEOUT_S:g} s") from None
    except (OSError, subprocess.CalledProcessError) as error:
        raise UpstreamFailed(f"the analysis failed: {type(error).__name__}") from None
    return done.stdout

"""Pin what pyproject.toml asks for, with everything that pulls in, into dependencies.txt."""

import argparse
import subprocess
from collections.abc import Sequence

from tooling import bootstrap, places
from tooling.pins import Purpose

_HEADER = """\
# Every dependency of the registry and of its tests, pinned with its hashes, for Linux, macOS and Windows.
# Written by scripts/compile-dependencies from pyproject.toml; its option --upgrade takes newer versions.
"""

_OPTIONS = (
    *("--all-extras", "--group", "dev"),
    *("--universal", "--python-version", "3.11"),
    "--generate-hashes",
    # Where this machine gets its packages from is nobody else's business.
    *("--no-emit-index-url", "--no-emit-find-links", "--no-header"),
    *("--quiet", "--output-file", str(places.PINS), str(places.PYPROJECT)),
)


def main(arguments: Sequence[str]) -> int:
    """Rewrite dependencies.txt; keeps the versions that are there unless told to upgrade."""
    parser = argparse.ArgumentParser(prog="scripts/compile-dependencies", description=__doc__)
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions that pyproject.toml allows")
    upgrade = parser.parse_args(arguments).upgrade
    # The pins that stand are enough to start from: uv is one of them.
    bootstrap.prepare(Purpose.DEVELOP)
    command = [places.tool("uv"), "pip", "compile", *_OPTIONS, *(["--upgrade"] if upgrade else [])]
    status = subprocess.run(command, cwd=places.ROOT, stdout=subprocess.DEVNULL, check=False).returncode
    if status == 0:
        places.PINS.write_text(_HEADER + places.PINS.read_text())
    return status

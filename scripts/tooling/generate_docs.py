"""Write the reference pages that follow from the code: docs/settings.md and docs/metrics.md."""

import argparse
import subprocess
from collections.abc import Sequence

from tooling import bootstrap, places
from tooling.pins import Purpose


def main(arguments: Sequence[str]) -> int:
    """Write the pages, or with --check only say which are stale."""
    parser = argparse.ArgumentParser(prog="scripts/generate-docs", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a page is stale")
    options = ["--check"] if parser.parse_args(arguments).check else []
    bootstrap.prepare(Purpose.DEVELOP)
    return subprocess.run(command(*options), env=bootstrap.environment(), check=False).returncode


def command(*options: str) -> list[str]:
    """Return the program that does it inside the environment, where the registry can be imported."""
    return [str(places.PYTHON), "-m", "tooling.reference", *options]

"""Every test of the registry, with the coverage of backend and metrics by line and branch."""

import argparse
import os
from collections.abc import Sequence

from tooling import bootstrap, places
from tooling.pins import Purpose

_EVERYTHING = (
    *("--numprocesses", "auto", "--dist", "worksteal"),
    *("--cov", "--cov-branch", "--cov-report", "term"),
)

_ABOUT = """\
Without arguments everything runs, in parallel, and less than 90 % coverage is a failure.
Arguments go to pytest as they are, which then measures nothing: scripts/test metrics -k license -x"""


def main(arguments: Sequence[str]) -> int:
    """Become pytest."""
    if list(arguments) in (["--help"], ["-h"]):
        print(_help())
        return 0
    bootstrap.prepare(Purpose.DEVELOP)
    os.chdir(places.ROOT)
    return bootstrap.become("pytest", *(arguments or _EVERYTHING))


def _help() -> str:
    parser = argparse.ArgumentParser(prog="scripts/test", description=__doc__, epilog=_ABOUT, add_help=False)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("pytest arguments", nargs="*")
    return parser.format_help()

"""Measure how fast the registry is; ends with 1 when a target is missed."""

import argparse
from collections.abc import Sequence

from benches import BENCHES
from tooling import bootstrap
from tooling.pins import Purpose

_ABOUT = """\
Without a name it runs all of these, which takes about three minutes:

{benches}

`scripts/bench NAME --help` lists what a bench can be told. Figures that are times are held against a fixed amount of
work measured in the same run, so that a slower machine does not miss a target for being slower."""


def main(arguments: Sequence[str]) -> int:
    """Become the program of the environment."""
    if not arguments or arguments[0].startswith("-"):
        listed = "\n".join(f"  {name:<8} {about}" for name, about in BENCHES.items())
        parser = argparse.ArgumentParser(
            prog="scripts/bench", description=__doc__, epilog=_ABOUT.format(benches=listed)
        )
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        parser.add_argument("name", nargs="?", help="the bench to run, and what it is told")
        parser.parse_args(arguments)
    bootstrap.prepare(Purpose.RUN)
    return bootstrap.become("benches", *arguments)

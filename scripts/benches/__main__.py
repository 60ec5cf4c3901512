"""Run one bench or all of them; ends with 1 when a target is missed."""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Protocol, cast

from benches import BENCHES
from benches.figures import CannotMeasure, Figure, Machine, print_figures


class Bench(Protocol):
    """What each module of this package offers."""

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add what the bench can be told; without any of it the bench must run by itself."""
        ...

    def measure(self, options: argparse.Namespace, machine: Machine) -> Sequence[Figure]:
        """Measure, and print what is worth seeing beside the figures.

        Raises:
            CannotMeasure: it cannot run as it was told to.
        """
        ...


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is named, or everything."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    named = parser.add_subparsers(dest="name", metavar="NAME")
    for name, about in BENCHES.items():
        _bench(name).add_options(named.add_parser(name, help=about, description=about))
    options = parser.parse_args(arguments)
    chosen = [options.name] if options.name else list(BENCHES)
    missed = [figure for name in chosen for figure in _run(name, options if options.name else _defaults(parser, name))]
    if missed:
        print(f"missed: {', '.join(figure.name for figure in missed)}", file=sys.stderr)
    return 1 if missed else 0


def _bench(name: str) -> Bench:
    return cast(Bench, import_module(f"benches.{name}"))


def _defaults(parser: argparse.ArgumentParser, name: str) -> argparse.Namespace:
    return parser.parse_args([name])


def _run(name: str, options: argparse.Namespace) -> list[Figure]:
    """Run one bench, show its figures and return those that missed their target."""
    print(f"{name}: {BENCHES[name]}")
    machine = Machine.measured()
    figures = _bench(name).measure(options, machine)
    print_figures(name, figures, machine)
    return [figure for figure in figures if figure.missed]


if __name__ == "__main__":
    try:
        sys.exit(main())
    except CannotMeasure as wrong:
        sys.exit(str(wrong))

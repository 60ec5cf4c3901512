"""Figures with their targets, and the fixed work that times are held against."""

import hashlib
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from rich.console import Console
from rich.table import Table

_ROUNDS = 40_000
_USUAL_MS = 10.0


class CannotMeasure(Exception):
    """The bench cannot run as it was told to; its text says what to do."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing measured: `value` in `unit`, the most it may be, and what it was held against in the same run.

    `target` None is told for its own sake. `beside` is the same thing measured of a bare peer, in the same unit.
    """

    name: str
    value: float
    unit: str
    target: float | None = None
    beside: float | None = None

    @property
    def missed(self) -> bool:
        """Whether the target was missed."""
        return self.target is not None and self.value > self.target


@dataclass(frozen=True, slots=True)
class Machine:
    """How fast this machine is just now: CPU milliseconds of 40,000 chained SHA-256 rounds.

    Targets in time were set where that takes 10 ms; elsewhere they stretch and shrink with it.
    """

    reference_ms: float

    @classmethod
    def measured(cls) -> "Machine":
        """Do the work five times and take the middle one."""
        return cls(median(_reference_ms() for _ in range(5)))

    def target_ms(self, usual_ms: float) -> float:
        """What a target in milliseconds, of wall or CPU time, is here."""
        return usual_ms * self.reference_ms / _USUAL_MS


def _reference_ms() -> float:
    started, digest = time.thread_time(), b""
    for _ in range(_ROUNDS):
        digest = hashlib.sha256(digest).digest()
    return (time.thread_time() - started) * 1000


def percentile(values: Sequence[float], share: float) -> float:
    """The least value that at least `share` of all values do not exceed."""
    ordered = sorted(values)
    rank = max(1, -(-len(ordered) * round(share * 100) // 100))
    return ordered[rank - 1]


def print_wide(table: Table) -> None:
    """Print a table, as wide as the terminal; where there is none, wide enough for whoever reads the log."""
    Console(width=None if sys.stdout.isatty() else 150).print(table)


def print_figures(title: str, figures: Sequence[Figure], machine: Machine) -> None:
    """Show each figure beside its target, and times also as a multiple of the reference work."""
    table = Table("figure", title=f"{title} (the reference work takes {machine.reference_ms:.1f} ms)")
    for heading in ("measured", "of the reference", "bare Starlette", "ratio", "target", ""):
        table.add_column(heading, justify="right")
    for each in figures:
        table.add_row(
            each.name,
            f"{each.value:,.1f} {each.unit}".replace(".0 ", " "),
            f"{each.value / machine.reference_ms:.2f}" if each.unit == "ms" else "",
            f"{each.beside:,.1f} {each.unit}" if each.beside is not None else "",
            f"{each.value / each.beside:.1f}" if each.beside else "",
            f"<= {each.target:,.1f} {each.unit}".replace(".0 ", " ") if each.target is not None else "",
            "" if each.target is None else "MISSED" if each.missed else "ok",
        )
    print_wide(table)

"""Turns what a source answers, or how it fails, into a fact with its provenance."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeVar

from backend.domain.errors import NotFound, RegistryError, UpstreamFailed, UpstreamRefused
from backend.sources.answers import OverCap
from backend.sources.budget import BudgetSpent, branch
from metrics.evidence import Fact, Missing

T = TypeVar("T")
W = TypeVar("W")


async def attempt(
    work: Awaitable[T], source: str, at: datetime, *, absent: Missing = Missing.NOT_FOUND, note: str = ""
) -> Fact[T]:
    """Do `work` as a branch of its own; what fails becomes a missing fact. `absent` is what not being there means."""
    try:
        return Fact(await branch(work), note=note, source=source, at=at)
    except (NotFound, UpstreamRefused, UpstreamFailed) as error:
        return failed(error, source, at, absent=absent)


def failed(error: RegistryError, source: str, at: datetime, *, absent: Missing = Missing.NOT_FOUND) -> Fact[T]:
    """The fact that an error stands for."""
    return Fact.lacking(_reason(error, absent), str(error), source, at)


def part(whole: Fact[W], read: Callable[[W], T]) -> Fact[T]:
    """What `read` takes out of a fact, with the whole's provenance; missing where the whole is."""
    return same_gap(whole) if whole.value is None else Fact(read(whole.value), None, whole.note, whole.source, whole.at)


def same_gap(gap: Fact[W]) -> Fact[T]:
    """Another fact that is missing for the same reason."""
    return Fact.lacking(gap.missing or Missing.UNAVAILABLE, gap.note, gap.source, gap.at)


def _reason(error: RegistryError, absent: Missing) -> Missing:
    match error:
        case NotFound():
            return absent
        case UpstreamRefused():
            return Missing.FORBIDDEN
        case BudgetSpent():
            return Missing.NOT_ASKED
        case OverCap():
            return Missing.TOO_LARGE
        case UpstreamFailed(rate_limited=True):
            return Missing.RATE_LIMITED
        case _:
            return Missing.UNAVAILABLE

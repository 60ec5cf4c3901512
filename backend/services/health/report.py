"""The words of a health page: a status, what is wrong and what to do about it, one component, the whole."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

Figures = Mapping[str, float | int | str | bool]


class Status(StrEnum):
    """The contract's words, best first."""

    OK = "ok"
    DEGRADED = "degraded"
    CRITICAL = "critical"
    UNKNOWN = "unknown"


class Severity(StrEnum):
    """How much an issue matters."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Issue:
    """Something that keeps a component from being well; `details` say what to do about it."""

    code: str
    severity: Severity
    summary: str
    details: str


@dataclass(frozen=True, slots=True)
class Point:
    """One minute of one figure; `unit` tells the figures of a component apart."""

    bucket: datetime
    value: float
    unit: str


@dataclass(frozen=True, slots=True)
class Component:
    """One part of the registry as it was found at `observed_at`."""

    id: str
    display_name: str
    description: str
    status: Status
    observed_at: datetime
    metrics: Figures
    issues: tuple[Issue, ...] = ()
    last_event_at: datetime | None = None
    """When something last happened to it, None where that is not known."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What judging one part comes to."""

    status: Status
    metrics: Figures
    issues: tuple[Issue, ...] = ()
    last_event_at: datetime | None = None


WORST_FIRST = (Status.CRITICAL, Status.DEGRADED, Status.UNKNOWN, Status.OK)


def worst_first(components: Sequence[Component]) -> list[Component]:
    """Order components so that what needs somebody's eyes comes first."""
    return sorted(components, key=lambda component: WORST_FIRST.index(component.status))


def worst(components: Sequence[Component]) -> Status:
    """The status of the whole: that of its worst part that is known.

    A part of which nothing is known, such as a hub that nobody has asked yet, says nothing about the whole.
    """
    known = [component.status for component in components if component.status is not Status.UNKNOWN]
    return min(known, key=WORST_FIRST.index, default=Status.UNKNOWN)

"""Health on the wire, in the contract's shapes."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field
from pydantic.json_schema import SkipJsonSchema

from backend.services.health import Component, Health, Issue, Part, Point, Status, worst

MIN_WINDOW_MINUTES = 5
Count = Annotated[int, Field(ge=0)]
WindowMinutes = Annotated[int, Field(ge=MIN_WINDOW_MINUTES)]


class LogReference(BaseModel):
    """Where more can be read."""

    label: str
    url: Annotated[str, Field(json_schema_extra={"format": "uri"})]
    tail_available: bool
    last_updated_at: datetime | SkipJsonSchema[None] = None


class RequestSummary(BaseModel):
    """What was asked within the window."""

    window_start: datetime
    window_end: datetime
    total_requests: Count
    per_route: dict[str, Count]
    per_artifact_type: dict[str, Count]
    unique_clients: Count


class ComponentBrief(BaseModel):
    """One component in a line."""

    id: str
    display_name: str
    status: Status
    issue_count: Count
    last_event_at: datetime


class HealthSummary(BaseModel):
    """The registry at a glance."""

    status: Status
    checked_at: datetime
    window_minutes: WindowMinutes
    uptime_seconds: Count
    version: str
    request_summary: RequestSummary
    components: list[ComponentBrief]
    logs: list[LogReference]


class WireIssue(BaseModel):
    """Something that keeps a component from being well."""

    code: str
    severity: Literal["info", "warning", "error"]
    summary: str
    details: str

    @classmethod
    def of(cls, issue: Issue) -> "WireIssue":
        """Show an issue."""
        return cls(code=issue.code, severity=issue.severity, summary=issue.summary, details=issue.details)


class TimelineEntry(BaseModel):
    """One bucket of a component's activity."""

    bucket: datetime
    value: float
    unit: str


class ComponentDetail(BaseModel):
    """One component in full."""

    id: str
    display_name: str
    status: Status
    observed_at: datetime
    description: str
    metrics: dict[str, int | float | str | bool]
    issues: list[WireIssue]
    timeline: list[TimelineEntry] | SkipJsonSchema[None] = None
    logs: list[LogReference]


class ComponentCollection(BaseModel):
    """Every component."""

    components: list[ComponentDetail]
    generated_at: datetime
    window_minutes: WindowMinutes


def show_summary(
    health: Health, components: Sequence[Component], minutes: int, *, version: str, base: str
) -> dict[str, Any]:
    """Lay out the summary; `base` is the address that links start from."""
    traffic = health.traffic.within(minutes)
    return {
        "status": worst(components),
        "checked_at": traffic.end,
        "window_minutes": minutes,
        "uptime_seconds": int((traffic.end - health.started_at).total_seconds()),
        "version": version,
        "request_summary": {
            "window_start": traffic.start,
            "window_end": traffic.end,
            "total_requests": traffic.total,
            "per_route": traffic.routes,
            "per_artifact_type": traffic.types,
            "unique_clients": traffic.clients,
        },
        "components": [_brief(each) for each in components],
        "logs": [_log_of(each, health, base) for each in components],
    }


def _brief(component: Component) -> Mapping[str, Any]:
    return {
        "id": component.id,
        "display_name": component.display_name,
        "status": component.status,
        "issue_count": len(component.issues),
        "last_event_at": component.last_event_at or component.observed_at,
    }


def show_component(
    component: Component, health: Health, timeline: Sequence[Point] | None, base: str
) -> Mapping[str, Any]:
    """Lay out one component; `timeline` None leaves it out."""
    return {
        "id": component.id,
        "display_name": component.display_name,
        "status": component.status,
        "observed_at": component.observed_at,
        "description": component.description,
        "metrics": component.metrics,
        "issues": [WireIssue.of(issue) for issue in component.issues],
        "timeline": None if timeline is None else [asdict(point) for point in timeline],
        "logs": [_log_of(component, health, base)],
    }


def _log_of(component: Component, health: Health, base: str) -> Mapping[str, Any]:
    """Where an administrator reads a component's log; a worker in a process of its own keeps its log there."""
    part = Part(component.id)
    return {
        "label": f"{component.display_name} log",
        "url": f"{base}/health/logs/{part}",
        "tail_available": part is not Part.WORKER or health.worker_inside,
        "last_updated_at": health.last_logged(part),
    }

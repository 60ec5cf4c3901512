"""Health: what is watched, what it means, and how it is told."""

from backend.services.health.check import Health, Observers
from backend.services.health.logbook import MAX_LINES, Logbook, Part
from backend.services.health.pulse import Pulse
from backend.services.health.report import Component, Issue, Point, Severity, Status, worst
from backend.services.health.thresholds import Thresholds
from backend.services.health.traffic import MAX_WINDOW_MINUTES, Traffic, TrafficLog

__all__ = [
    "MAX_LINES",
    "MAX_WINDOW_MINUTES",
    "Component",
    "Health",
    "Issue",
    "Logbook",
    "Observers",
    "Part",
    "Point",
    "Pulse",
    "Severity",
    "Status",
    "Thresholds",
    "Traffic",
    "TrafficLog",
    "worst",
]

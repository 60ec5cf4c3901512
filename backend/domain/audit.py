"""The audit trail: who did what to which artifact, and when."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from backend.domain.artifact import ArtifactSummary
from backend.domain.user import User


class Action(StrEnum):
    """What was done; the contract's five words, and DELETE and RESET for the registry's own record."""

    CREATE = "CREATE"
    UPDATE = "UPDATE"
    DOWNLOAD = "DOWNLOAD"
    RATE = "RATE"
    AUDIT = "AUDIT"
    DELETE = "DELETE"
    RESET = "RESET"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line of the trail. `id` is unique, so an entry that is written twice is kept once."""

    id: str
    user: User
    date: datetime
    artifact: ArtifactSummary
    action: Action


@dataclass(frozen=True, slots=True)
class Reset:
    """The record that opens a new trail: who emptied the registry, and when."""

    id: str
    user: User
    date: datetime

    @property
    def action(self) -> Action:
        """What was done."""
        return Action.RESET

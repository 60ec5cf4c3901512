"""The last log lines of each component, kept in memory for whoever has to look."""

from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

MAX_LINES = 1000
MAX_CHARACTERS = 1_000_000
"""Most that one component's lines take together; the oldest go first."""


class Part(StrEnum):
    """The components of the registry, by the ids they have on the health page."""

    API = "api"
    METADATA = "metadata"
    BLOBS = "blobs"
    WORKER = "ingest-worker"
    HUGGINGFACE = "huggingface"
    GITHUB = "github"
    DISK = "disk"


WRITTEN_BY = {
    "job": Part.WORKER,
    "worker": Part.WORKER,
    "sweep": Part.WORKER,
    "benchmark": Part.WORKER,
    "metadata": Part.METADATA,
    "blobs": Part.BLOBS,
    "huggingface": Part.HUGGINGFACE,
    "github": Part.GITHUB,
    "disk": Part.DISK,
}
"""Whose line an event is, by the word before its first dot; all others are the API's."""


@dataclass(slots=True)
class _Ring:
    lines: deque[str] = field(default_factory=deque)
    characters: int = 0
    updated_at: datetime | None = None


class Logbook:
    """Rings of lines, bounded in number and in size. Lines come in redacted: see `backend.logs`."""

    def __init__(self) -> None:
        self._rings = {part: _Ring() for part in Part}

    def keep(self, event: str, line: str) -> None:
        """Add a rendered line to the ring of the component whose event it is."""
        ring = self._rings[WRITTEN_BY.get(event.partition(".")[0], Part.API)]
        ring.lines.append(line)
        ring.characters += len(line)
        ring.updated_at = datetime.now(UTC)
        while len(ring.lines) > MAX_LINES or ring.characters > MAX_CHARACTERS:
            ring.characters -= len(ring.lines.popleft())

    def tail(self, part: Part, lines: int) -> list[str]:
        """The last `lines` of a component, oldest first."""
        kept = self._rings[part].lines
        return list(kept)[-lines:]

    def updated_at(self, part: Part) -> datetime | None:
        """When a component last wrote a line; None when it has not."""
        return self._rings[part].updated_at

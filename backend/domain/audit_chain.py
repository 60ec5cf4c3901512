"""The hash chain over the audit trail: each record seals all that came before it, so a change anywhere shows."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from backend.domain.audit import Action, AuditEntry, Reset
from backend.domain.instants import instant

NOTHING_BEFORE = "0" * 64
"""What the first record of a new registry has in place of the digest before it."""

Record = AuditEntry | Reset
Fields = Mapping[str, str | int | bool | None]


@dataclass(frozen=True, slots=True)
class Head:
    """Where a chain ends: how many records it has, and the digest of the last one.

    Kept somewhere else it is an anchor: whatever happens to the store, a chain that no longer leads to it was changed.
    """

    count: int = 0
    digest: str = NOTHING_BEFORE

    def __str__(self) -> str:
        return f"{self.count}:{self.digest}"

    @classmethod
    def of(cls, text: str) -> "Head":
        """The head that was written down as `count:digest`.

        Raises:
            ValueError: the text is no such thing.
        """
        found = re.fullmatch(r"([0-9]{1,18}):([0-9a-f]{64})", text)
        if found is None:
            raise ValueError("must be count:digest, as an earlier answer gave it in `head`")
        return cls(int(found[1]), found[2])


@dataclass(frozen=True, slots=True)
class Sealed:
    """One record in its place.

    `sequence` counts from 1; `previous` is the digest of the record before; `digest` is what was written beside the
    fields. `fields` are as they are stored, which after tampering may be anything.
    """

    sequence: int
    previous: str
    digest: str
    fields: Fields

    @property
    def intact(self) -> bool:
        """Whether the fields, the place and the digest belong together."""
        return self.digest == digest_of(self.sequence, self.previous, self.fields)

    @property
    def head(self) -> Head:
        """The chain's head while this is its last record."""
        return Head(self.sequence, self.digest)

    @property
    def begins_after_reset(self) -> bool:
        """Whether this is the record of a reset, which goes on from the chain that the reset ended."""
        return self.sequence == 1 and self.fields.get("action") == Action.RESET


def seal(record: Record, head: Head) -> Sealed:
    """The record in its place behind `head`."""
    fields, sequence = fields_of(record), head.count + 1
    return Sealed(sequence, head.digest, digest_of(sequence, head.digest, fields), fields)


def seal_reset(reset: Reset, ended: Head) -> Sealed:
    """The first record of the chain that follows a reset; it attests the head of the one that was ended."""
    return seal(reset, Head(0, ended.digest))


def digest_of(sequence: int, previous: str, fields: Fields) -> str:
    """SHA-256, in hex, over the fields with their place as JSON: keys in order, no spaces, ASCII only."""
    content = {"sequence": sequence, "previous": previous, **fields}
    # A tampered store may hold values that JSON has no word for; they only have to be told apart.
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=repr)
    return hashlib.sha256(text.encode()).hexdigest()


def fields_of(record: Record) -> dict[str, str | int | bool | None]:
    """A record as plain values; the date in microseconds since the epoch, no artifact for a reset."""
    about = record.artifact if isinstance(record, AuditEntry) else None
    return {
        "id": record.id,
        "artifact_id": about.id if about else None,
        "artifact_name": about.name if about else None,
        "artifact_type": about.type.value if about else None,
        "user_name": record.user.name,
        "user_is_admin": record.user.is_admin,
        "action": record.action.value,
        "date": instant(record.date),
    }

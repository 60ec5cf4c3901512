"""Verify the audit trail: walk its hash chain and name the first place where it does not hold."""

from dataclasses import dataclass

from backend.domain.audit_chain import Head, Sealed
from backend.storage.base import AuditTrail

BATCH = 2_000
MOST_WALKS = 3


@dataclass(frozen=True, slots=True)
class Fault:
    """The first place where a chain does not hold: the record's sequence number, and what is wrong there."""

    sequence: int
    what: str


@dataclass(frozen=True, slots=True)
class Verified:
    """What a walk found: the head it was held against, and the first fault, None in a whole chain."""

    head: Head
    fault: Fault | None


async def verify(trail: AuditTrail, anchor: Head | None = None) -> Verified:
    """Check every record, the end of the chain, and that it leads through `anchor`, a head noted earlier."""
    for _ in range(MOST_WALKS):
        origin = await trail.chain(after=0, limit=1)
        found = await _walk(trail, anchor)
        if found.fault is None or await trail.chain(after=0, limit=1) == origin:
            break
        # The registry was reset meanwhile: what was walked is not one chain.
    return found


async def _walk(trail: AuditTrail, anchor: Head | None) -> Verified:
    noted = await trail.head()  # what is appended from here on is for the next walk
    at, anchored = Head(), anchor is None or anchor == Head()
    while at.count < noted.count:
        records = await trail.chain(after=at.count, limit=min(BATCH, noted.count - at.count))
        for record in records:
            if (fault := _fault(record, at)) is not None:
                return Verified(noted, fault)
            at = record.head
            anchored = anchored or at == anchor
        if not records:
            return Verified(
                noted, Fault(at.count + 1, f"is missing, with all up to {noted.count}: the end was cut off")
            )
    return Verified(noted, await _fault_at_end(trail, at, noted, anchor, anchored=anchored))


def _fault(record: Sealed, before: Head) -> Fault | None:
    expected = before.count + 1
    if record.sequence != expected:
        return Fault(expected, f"is missing; {record.sequence} is the next that is there")
    if not record.intact:
        return Fault(expected, "was changed: its digest is not that of its fields in this place")
    if record.previous != before.digest and not record.begins_after_reset:
        return Fault(expected, "does not follow the record before it: one of the two was replaced")
    return None


async def _fault_at_end(
    trail: AuditTrail, at: Head, noted: Head, anchor: Head | None, *, anchored: bool
) -> Fault | None:
    if at.digest != noted.digest:
        return Fault(at.count, "is not the record that the chain was noted to end with")
    if noted.count == 0 and await trail.chain(after=0, limit=1):
        return Fault(1, "is there, while the chain is noted to be empty")
    if anchor is not None and not anchored:
        place = min(anchor.count, at.count + 1)
        return Fault(
            place, f"is not the one of the anchor {anchor.count}:{anchor.digest}: the trail was rewritten or cut"
        )
    return None

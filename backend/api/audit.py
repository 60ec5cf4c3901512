"""What verifying the audit trail answers."""

from pydantic import BaseModel

from backend.services.audit_chain import Verified


class WireFault(BaseModel):
    """The first record, by its sequence number, where the trail is not as it was written, and what is wrong there."""

    sequence: int
    what: str


class WireVerified(BaseModel):
    """How the trail is, and its head, which is worth writing down elsewhere."""

    intact: bool
    records: int
    head: str
    fault: WireFault | None

    @classmethod
    def of(cls, found: Verified) -> "WireVerified":
        """Show what a walk found."""
        fault = None if found.fault is None else WireFault(sequence=found.fault.sequence, what=found.fault.what)
        return cls(intact=fault is None, records=found.head.count, head=str(found.head), fault=fault)

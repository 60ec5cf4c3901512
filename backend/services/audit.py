"""Read the audit trail of one artifact, and verify the whole of it."""

from collections.abc import Sequence

from backend.domain.audit import Action, AuditEntry
from backend.domain.audit_chain import Head
from backend.domain.errors import NotAllowed, NotFound
from backend.domain.source import ArtifactType
from backend.domain.user import User
from backend.services.audit_chain import Verified, verify
from backend.storage.base import MetadataStore


class Audit:
    """The audit trail as the contract shows it."""

    def __init__(self, store: MetadataStore) -> None:
        self._store = store

    async def of(self, viewer: User, kind: ArtifactType, artifact_id: str) -> Sequence[AuditEntry]:
        """Everything that was done to an artifact, oldest first.

        Raises:
            NotFound: there is no such artifact.
        """
        if await self._store.get(viewer, kind, artifact_id) is None:
            raise NotFound(f"there is no {kind} with id {artifact_id}")
        return [entry for entry in await self._store.trail(artifact_id) if entry.action is not Action.DELETE]

    async def verify(self, caller: User, anchor: Head | None = None) -> Verified:
        """Check every record of the whole trail, and that it leads through `anchor`, a head noted earlier.

        Raises:
            NotAllowed: the caller is not an administrator.
        """
        if not caller.is_admin:
            raise NotAllowed("only an administrator may verify the audit trail")
        return await verify(self._store, anchor)

"""Read the audit trail of one artifact."""

from collections.abc import Sequence

from backend.domain.audit import Action, AuditEntry
from backend.domain.errors import NotFound
from backend.domain.source import ArtifactType
from backend.domain.user import User
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

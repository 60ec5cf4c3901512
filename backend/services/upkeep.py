"""Keep the house in order: empty it on demand, and sweep out blobs that nothing refers to."""

from datetime import timedelta

from backend.domain.audit import Reset
from backend.domain.errors import MayNotReset
from backend.domain.ids import new_id
from backend.domain.user import User
from backend.services.clock import Clock
from backend.storage.base import BlobStore, MetadataStore

GRACE = timedelta(hours=1)
"""A blob this young may belong to a job that is about to refer to it."""
BATCH = 500


class Upkeep:
    """Reset and sweep."""

    def __init__(self, store: MetadataStore, blobs: BlobStore, *, now: Clock) -> None:
        self._store = store
        self._blobs = blobs
        self._now = now

    async def reset(self, caller: User) -> None:
        """Return the registry to its first state: readers see everything or nothing.

        Raises:
            MayNotReset: the caller is not an administrator.
        """
        if not caller.is_admin:
            raise MayNotReset("only an administrator may reset the registry")
        await self._store.reset(Reset(new_id(), caller, self._now()))
        await self.sweep(older_than=timedelta(0))

    async def sweep(self, *, older_than: timedelta = GRACE) -> int:
        """Delete blobs that no file refers to and that were stored longer ago than `older_than`; how many they were."""
        before = self._now() - older_than
        candidates = [
            blob.digest async for blob in self._blobs.list() if blob.stored_at is None or blob.stored_at <= before
        ]
        swept = 0
        for start in range(0, len(candidates), BATCH):
            batch = candidates[start : start + BATCH]
            held = await self._store.held_digests(batch)
            for digest in set(batch) - held:
                await self._blobs.delete(digest)
                swept += 1
        return swept

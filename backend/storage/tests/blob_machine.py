"""A Hypothesis state machine over blobs with a dictionary as its model; sized as in `metadata_machine`."""

import asyncio
import hashlib
from abc import abstractmethod
from collections.abc import Awaitable
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from backend.storage.base import BlobMissing, BlobStore, DigestMismatch
from backend.storage.tests.factories import stream

# A byte and how often, because Hypothesis looks at every byte that it makes itself.
contents = st.tuples(st.sampled_from(b"xyz"), st.integers(0, 40) | st.sampled_from([1 << 20, (1 << 20) + 1])).map(
    lambda pair: bytes([pair[0]]) * pair[1]
)


class BlobMachine(RuleBasedStateMachine):
    """Subclasses open a backend's empty store, and may restart it."""

    digests = Bundle("digests")

    @abstractmethod
    def open(self) -> BlobStore:
        """An empty store of the backend that is tried."""

    def reopened(self, blobs: BlobStore) -> BlobStore:
        """The store after its process was restarted; a store that forgets is not restarted."""
        return blobs

    @initialize()
    def begin(self) -> None:
        self.runner = asyncio.Runner()
        self.blobs = self.open()
        self.model: dict[str, bytes] = {}

    def teardown(self) -> None:
        self.run(self.blobs.close())
        self.runner.close()

    def run(self, action: Awaitable[Any]) -> Any:
        async def awaited() -> Any:
            return await action

        return self.runner.run(awaited())

    @rule(target=digests, content=contents, cut=st.integers(0, 60), size_known=st.booleans())
    def put(self, content: bytes, cut: int, *, size_known: bool) -> str:
        digest = hashlib.sha256(content).hexdigest()
        size = len(content) if size_known else None
        blob = self.run(self.blobs.put(stream([content[:cut], content[cut:]]), expected_size=size))
        assert (blob.digest, blob.size_bytes) == (digest, len(content))
        self.model[digest] = content
        return digest

    @rule(content=contents, off_by=st.sampled_from([-1, 1]))
    def put_other_than_expected(self, content: bytes, off_by: int) -> None:
        try:
            self.run(self.blobs.put(stream([content]), expected_size=len(content) + off_by))
        except DigestMismatch:
            return
        raise AssertionError("bytes of another size than expected were taken")

    @rule(digest=digests, start=st.integers(0, 50), stop=st.none() | st.integers(0, 50))
    def read(self, digest: str, start: int, stop: int | None) -> None:
        async def content() -> bytes:
            return b"".join([chunk async for chunk in self.blobs.open(digest, start, stop)])

        try:
            found = self.run(content())
        except BlobMissing:
            found = None
        assert found == (self.model[digest][start:stop] if digest in self.model else None)

    @rule(digest=digests)
    def delete(self, digest: str) -> None:
        self.run(self.blobs.delete(digest))
        self.model.pop(digest, None)

    @rule()
    def restart(self) -> None:
        self.blobs = self.reopened(self.blobs)

    @invariant()
    def what_is_listed_is_what_is_there(self) -> None:
        async def listed() -> dict[str, int]:
            return {blob.digest: blob.size_bytes async for blob in self.blobs.list()}

        assert self.run(listed()) == {digest: len(content) for digest, content in self.model.items()}

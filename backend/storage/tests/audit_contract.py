"""What every audit trail keeps, and what a reset leaves."""

import asyncio
from dataclasses import replace

import pytest

from backend.domain.artifact import Relation
from backend.domain.audit import Action, Reset
from backend.domain.audit_chain import Head, fields_of
from backend.domain.errors import AlreadyExists
from backend.domain.ids import new_id
from backend.domain.job import JobState
from backend.domain.page import NameQuery
from backend.services.audit_chain import Verified, verify
from backend.storage.base import Commit, MetadataStore
from backend.storage.tests.catalog_contract import stored
from backend.storage.tests.factories import (
    ADMIN,
    MINUTE,
    NOW,
    STRANGER,
    a_file,
    a_job,
    a_link,
    a_rating,
    an_artifact,
    an_entry,
)


class AuditContract:
    async def test_the_trail_comes_oldest_first_whatever_the_order_of_writing(self, store: MetadataStore) -> None:
        artifact = an_artifact()
        entries = [an_entry(artifact, action, NOW + at * MINUTE) for at, action in enumerate(Action)]
        await store.append(entries[3:])
        await store.append(list(reversed(entries[:3])))
        assert list(await store.trail(artifact.id)) == entries

    async def test_entries_of_one_instant_come_by_id(self, store: MetadataStore) -> None:
        artifact = an_artifact()
        entries = [an_entry(artifact) for _ in range(3)]
        await store.append([entries[2], entries[0], entries[1]])
        assert list(await store.trail(artifact.id)) == entries

    async def test_an_entry_whose_id_is_there_is_left_as_it_is(self, store: MetadataStore) -> None:
        entry = an_entry(an_artifact(), user=ADMIN)
        await store.append([entry, entry])
        await store.append([replace(entry, action=Action.DELETE), an_entry(an_artifact())])
        artifact = an_artifact(id=entry.artifact.id)
        await store.commit(Commit(artifact, audit=[replace(entry, date=NOW + MINUTE)]))
        assert list(await store.trail(entry.artifact.id)) == [entry]

    async def test_appending_nothing_is_nothing(self, store: MetadataStore) -> None:
        await store.append([])
        assert not await store.trail(new_id())

    async def test_trails_of_two_artifacts_are_apart(self, store: MetadataStore) -> None:
        one, two = an_entry(an_artifact()), an_entry(an_artifact())
        await store.append([one, two])
        assert list(await store.trail(two.artifact.id)) == [two]

    async def test_entries_written_at_once_are_all_kept(self, store: MetadataStore) -> None:
        artifact = an_artifact()
        entries = [an_entry(artifact, Action.DOWNLOAD) for _ in range(100)]
        await asyncio.gather(*(store.append([entry]) for entry in entries))
        assert list(await store.trail(artifact.id)) == entries


class ChainContract:
    async def test_a_new_trail_has_nothing_in_it(self, store: MetadataStore) -> None:
        assert await store.head() == Head()
        assert not await store.chain(after=0, limit=9)

    async def test_every_write_is_sealed_once_in_the_order_of_writing(self, store: MetadataStore) -> None:
        artifact, job = an_artifact(), a_job()
        created, updated, read, deleted = (an_entry(artifact, action) for action in list(Action)[:4])
        await store.enqueue(job)
        await store.commit(Commit(artifact, audit=[created]))
        await store.commit(Commit(replace(artifact, version=2), expected_version=1, audit=[updated, created]))
        await store.append([read, read])
        await store.append([read])
        await store.delete(ADMIN, artifact.type, artifact.id, deleted)
        chain = await store.chain(after=0, limit=9)
        assert [(record.sequence, record.fields["id"]) for record in chain] == [
            (at, entry.id) for at, entry in enumerate((created, updated, read, deleted), start=1)
        ]
        assert [record.fields for record in chain] == [fields_of(each) for each in (created, updated, read, deleted)]
        assert await verify(store) == Verified(chain[-1].head, None)

    async def test_a_write_that_is_refused_is_not_in_the_chain(self, store: MetadataStore) -> None:
        first = await stored(store)
        rival = an_artifact(source=first.source)
        with pytest.raises(AlreadyExists):
            await store.commit(Commit(rival, audit=[an_entry(rival)]))
        assert await store.delete(STRANGER, first.type, new_id(), an_entry(first)) is False
        assert await store.head() == Head()

    async def test_the_chain_is_read_in_batches(self, store: MetadataStore) -> None:
        await store.append([an_entry(an_artifact()) for _ in range(5)])
        assert [record.sequence for record in await store.chain(after=2, limit=2)] == [3, 4]
        assert not await store.chain(after=5, limit=2)

    async def test_writes_at_once_make_one_chain(self, store: MetadataStore) -> None:
        artifacts = [an_artifact() for _ in range(40)]
        changes = [store.commit(Commit(artifact, audit=[an_entry(artifact)])) for artifact in artifacts]
        await asyncio.gather(*changes, *(store.append([an_entry(artifact)]) for artifact in artifacts))
        found = await verify(store)
        assert (found.head.count, found.fault) == (80, None)

    async def test_a_reset_is_the_first_record_of_the_chain_that_follows(self, store: MetadataStore) -> None:
        await store.append([an_entry(an_artifact())])
        ended, reset = await store.head(), Reset(new_id(), ADMIN, NOW)
        await store.reset(reset)
        (first,) = await store.chain(after=0, limit=9)
        assert (first.sequence, first.previous, first.fields) == (1, ended.digest, fields_of(reset))
        entry = an_entry(an_artifact())
        await store.append([entry])
        assert [record.fields["id"] for record in await store.chain(after=0, limit=9)] == [reset.id, entry.id]
        assert (await verify(store)).fault is None


class LifeContract:
    async def test_a_reset_empties_everything(self, store: MetadataStore) -> None:
        artifact, job = an_artifact(), a_job()
        digest = "d" * 64
        parts = {"links": [a_link(artifact, "k")], "files": [a_file("a", digest=digest)]}
        await store.commit(Commit(artifact, rating=a_rating(artifact), audit=[an_entry(artifact)], jobs=[job], **parts))
        await store.reset()
        assert await store.get(ADMIN, artifact.type, artifact.id) is None
        assert await store.by_source(ADMIN, artifact.type, artifact.source.key) is None
        assert (await store.page(ADMIN, [NameQuery(None)], after=None, limit=1)).items == []
        assert sum((await store.counts(ADMIN)).values()) == 0
        assert await store.rating(artifact.id) is None
        assert not await store.files(artifact.id)
        assert not await store.links_from([artifact.id])
        assert not await store.links_to(["k"], list(Relation))
        assert await store.held_digests([digest]) == set()
        assert not await store.trail(artifact.id)
        assert await store.head() == Head()
        assert await store.job(job.id) is None
        assert await store.job_counts() == dict.fromkeys(JobState, 0)

    async def test_after_a_reset_the_store_takes_the_same_things_again(self, store: MetadataStore) -> None:
        artifact = await stored(store)
        await store.reset()
        await store.commit(Commit(artifact))
        assert await store.get(ADMIN, artifact.type, artifact.id) == artifact

    async def test_a_reset_of_an_empty_store_is_nothing(self, store: MetadataStore) -> None:
        await store.reset()
        await store.ping()

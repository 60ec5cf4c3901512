"""What every audit trail keeps, and what a reset leaves."""

import asyncio
from dataclasses import replace

from backend.domain.artifact import Relation
from backend.domain.audit import Action
from backend.domain.ids import new_id
from backend.domain.job import JobState
from backend.domain.page import NameQuery
from backend.storage.base import Commit, MetadataStore
from backend.storage.tests.catalog_contract import stored
from backend.storage.tests.factories import (
    ADMIN,
    MINUTE,
    NOW,
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

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Connection

from backend.domain.errors import AlreadyExists, Unavailable
from backend.domain.listing import Listing, Sort
from backend.domain.page import NameQuery
from backend.domain.source import ArtifactType
from backend.services.directory import search_for
from backend.storage.base import Commit, MetadataStore
from backend.storage.factory import open_metadata
from backend.storage.sql import orders, trigrams
from backend.storage.sql.sqlite_writer import MAX_GROUP, driver
from backend.storage.tests.factories import ADMIN, a_file, a_job, a_link, a_rating, an_artifact, an_entry
from backend.storage.tests.metadata_contract import MetadataContract
from backend.storage.tests.search_contract import SearchContract

ROOT = Path(__file__).parents[3]


class TestSqliteStore(MetadataContract):
    @pytest.fixture
    async def store(self, file: Path) -> AsyncIterator[MetadataStore]:
        store = open_at(file)
        yield store
        await store.close()


class TestSearchOfWhatIsIndexedAtOnce(SearchContract):
    """Few artifacts would only wait to be indexed, and be searched one by one."""

    @pytest.fixture(params=[1, 3], ids=["each by itself", "three at a time"])
    async def store(
        self, file: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
    ) -> AsyncIterator[MetadataStore]:
        monkeypatch.setattr(trigrams, "MOST_WAITING", request.param)
        store = open_at(file)
        yield store
        await store.close()


async def test_artifacts_wait_for_the_index_until_they_are_many(file: Path) -> None:
    store = open_at(file)
    shelf = [an_artifact(readme=f"needle {at}") for at in range(trigrams.MOST_WAITING + 1)]
    for artifact in shelf[:-2]:
        await store.commit(Commit(artifact))
    assert rows_in(file, "unindexed") == len(shelf) - 2
    for artifact in shelf[-2:]:
        await store.commit(Commit(artifact))
    assert (rows_in(file, "unindexed"), rows_in(file, "indexed")) == (1, len(shelf) - 1)
    page = await store.search(ADMIN, search_for("needle [0-9]+"), after=None, limit=1000)
    assert [item.id for item in page.items] == [artifact.id for artifact in shelf]
    await store.close()


async def test_an_index_without_what_was_removed_is_sound(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trigrams, "MOST_WAITING", 1)
    store = open_at(file)
    shelf = [an_artifact(readme=f"needle {at}") for at in range(9)]
    for artifact in shelf:
        await store.commit(Commit(artifact))
    for artifact in shelf[::2]:
        await store.delete(ADMIN, artifact.type, artifact.id, an_entry(artifact))
    for artifact in shelf[1::2]:
        await store.commit(Commit(replace(artifact, version=2, readme="straw"), expected_version=1))
    await store.close()
    with sqlite3.connect(file) as other:
        assert other.execute("SELECT count(*) FROM trigrams WHERE trigrams MATCH 'nee'").fetchone() == (0,)
        assert other.execute("SELECT count(*) FROM trigrams WHERE trigrams MATCH 'str'").fetchone() == (4,)
    other.close()


def rows_in(file: Path, table: str) -> int:
    with sqlite3.connect(file) as other:
        (rows,) = other.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 - a test's own words
    other.close()
    return int(rows)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "registry.db"


def open_at(file: Path) -> MetadataStore:
    return open_metadata(f"sqlite:///{file}")


async def test_a_reopened_store_has_everything(file: Path) -> None:
    store, artifact, job = open_at(file), an_artifact(readme="# hello"), a_job()
    rating, link, held, entry = a_rating(artifact), a_link(artifact, "k"), a_file("a", digest="d"), an_entry(artifact)
    await store.commit(Commit(artifact, rating=rating, links=[link], files=[held], audit=[entry], jobs=[job]))
    await store.close()
    store = open_at(file)
    assert await store.get(ADMIN, artifact.type, artifact.id) == artifact
    assert await store.rating(artifact.id) == rating
    assert list(await store.links_from([artifact.id])) == [link]
    assert list(await store.files(artifact.id)) == [held]
    assert list(await store.trail(artifact.id)) == [entry]
    assert await store.job(job.id) == job
    await store.close()


async def test_two_stores_on_one_file_see_each_others_writes_at_once(file: Path) -> None:
    one, two, artifact = open_at(file), open_at(file), an_artifact()
    await one.commit(Commit(artifact))
    assert await two.get(ADMIN, artifact.type, artifact.id) == artifact
    with pytest.raises(AlreadyExists):
        await two.commit(Commit(an_artifact(source=artifact.source)))
    await two.reset()
    assert await one.get(ADMIN, artifact.type, artifact.id) is None
    await one.close()
    await two.close()


WRITING = """
import asyncio, sys
from backend.domain.errors import AlreadyExists
from backend.domain.source import ArtifactType, Host, Source
from backend.storage.base import Commit
from backend.storage.factory import open_metadata
from backend.domain.job import JobKind
from backend.storage.tests.factories import MINUTE, NOW, a_job, an_artifact

async def main(url, name):
    store = open_metadata(url)
    won = 0
    for at in range(150):
        await store.commit(Commit(an_artifact(f"{name}-{at}")))
        try:
            await store.commit(Commit(an_artifact(source=Source(Host.GITHUB, ArtifactType.CODE, f"contested/{at}"))))
            won += 1
        except AlreadyExists:
            pass
        await store.enqueue(a_job())
        # A claim reads before it writes, which another process must not come between.
        taken = await store.claim(list(JobKind), worker=name, now=NOW, lease_until=NOW + MINUTE)
        print(taken.id)
    await store.close()
    print(won)

asyncio.run(main(*sys.argv[1:]))
"""


async def test_processes_that_write_at_the_same_time_lose_nothing(file: Path) -> None:
    command = [sys.executable, "-c", WRITING, f"sqlite:///{file}"]
    writers = [await asyncio.create_subprocess_exec(*command, name, cwd=ROOT, stdout=subprocess.PIPE) for name in "abc"]
    answers = [await writer.communicate() for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0, 0]
    told = [out.decode().split() for out, _ in answers]
    assert sum(int(lines[-1]) for lines in told) == 150
    assert len({job_id for lines in told for job_id in lines[:-1]}) == 450
    store = open_at(file)
    names = {item.name for item in (await store.page(ADMIN, [NameQuery(None)], after=None, limit=1000)).items}
    assert {f"{name}-{at}" for name in "abc" for at in range(150)} <= names
    assert sum((await store.counts(ADMIN)).values()) == 600
    await store.close()


async def test_a_full_group_and_more_is_committed(file: Path) -> None:
    store = open_at(file)
    artifacts = [an_artifact() for _ in range(MAX_GROUP * 2 + 7)]
    await asyncio.gather(*(store.commit(Commit(artifact)) for artifact in artifacts))
    assert list(await store.by_ids(ADMIN, [artifact.id for artifact in artifacts])) == artifacts
    await store.close()


async def test_writes_that_wait_together_share_a_commit(file: Path) -> None:
    store = open_at(file)
    commits: list[str] = []
    driver(store._run._writer._connection).set_trace_callback(
        lambda statement: commits.append(statement) if statement == "COMMIT" else None
    )
    await asyncio.gather(*(store.commit(Commit(an_artifact())) for _ in range(60)))
    assert len(commits) < 30
    await store.close()


async def test_a_write_whose_caller_was_cancelled_leaves_the_store_working(file: Path) -> None:
    store, artifact = open_at(file), an_artifact()
    task = asyncio.create_task(store.commit(Commit(artifact)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await store.commit(Commit(an_artifact()))
    assert await store.get(ADMIN, artifact.type, artifact.id) == artifact
    await store.close()


async def test_closing_finishes_what_was_asked_for_before(file: Path) -> None:
    store, artifacts = open_at(file), [an_artifact() for _ in range(20)]
    writes = [asyncio.create_task(store.commit(Commit(artifact))) for artifact in artifacts]
    await asyncio.sleep(0)
    await store.close()
    await asyncio.gather(*writes)
    store = open_at(file)
    assert list(await store.by_ids(ADMIN, [artifact.id for artifact in artifacts])) == artifacts
    await store.close()


async def test_a_closed_store_is_unavailable(file: Path) -> None:
    store = open_at(file)
    await store.close()
    for ask in (store.ping, store.job_counts, store.reset):
        with pytest.raises(Unavailable, match="closed"):
            await ask()


def test_a_file_that_is_no_database_is_unavailable(file: Path) -> None:
    file.write_bytes(b"this is no database, however long it is " * 40)
    with pytest.raises(Unavailable, match="not a database"):
        open_at(file)


async def test_a_folder_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "taken").write_bytes(b"")
    with pytest.raises(Unavailable):
        open_at(tmp_path / "taken" / "registry.db")


async def test_a_table_that_is_gone_is_unavailable_and_says_which(file: Path) -> None:
    store = open_at(file)
    with sqlite3.connect(file) as other:
        other.execute("DROP TABLE jobs")
    other.close()
    for ask in (store.job("x"), store.job_counts(), store.enqueue(a_job())):
        with pytest.raises(Unavailable, match="no such table: jobs"):
            await ask
    await store.close()


async def test_a_disk_that_is_full_is_unavailable_and_loses_nothing(file: Path) -> None:
    store, artifact = open_at(file), an_artifact()
    await store.commit(Commit(artifact))
    database = driver(store._run._writer._connection)
    (pages,) = database.execute("PRAGMA page_count").fetchone()
    database.execute(f"PRAGMA max_page_count = {pages}")
    large = [Commit(an_artifact(readme="x" * 100_000)) for _ in range(5)]
    outcomes = await asyncio.gather(*map(store.commit, large), return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {Unavailable}
    database.execute("PRAGMA max_page_count = 1000000")
    await store.commit(large[0])
    page = await store.page(ADMIN, [NameQuery(None)], after=None, limit=9)
    assert [item.id for item in page.items] == [artifact.id, large[0].artifact.id]
    await store.close()


async def test_a_lock_that_another_process_keeps_is_unavailable_after_a_while(file: Path) -> None:
    store = open_at(file)
    driver(store._run._writer._connection).execute("PRAGMA busy_timeout = 1")
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable, match="locked"):
        await store.commit(Commit(an_artifact()))
    other.execute("ROLLBACK")
    other.close()
    await store.commit(Commit(an_artifact()))
    await store.close()


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("busy_timeout", 10_000)],
    ids=["write-ahead log", "durable when acknowledged", "foreign keys", "patient"],
)
async def test_every_connection_is_durable_and_patient(file: Path, pragma: str, value: object) -> None:
    store = open_at(file)
    connections = [store._run._reader, store._run._writer._connection, store._run._engine.connect()]
    assert [driver(each).execute(f"PRAGMA {pragma}").fetchone()[0] for each in connections] == [value] * 3
    connections[-1].close()
    await store.close()


PLANS = {
    "anything": [NameQuery(None)],
    "one type": [NameQuery(None, frozenset({ArtifactType.CODE}))],
    "two types": [NameQuery(None, frozenset({ArtifactType.CODE, ArtifactType.MODEL}))],
    "a name": [NameQuery("bert")],
    "a name of a type": [NameQuery("bert", frozenset({ArtifactType.MODEL}))],
    "a name and a type": [NameQuery("bert"), NameQuery(None, frozenset({ArtifactType.CODE}))],
}


@pytest.mark.parametrize("queries", PLANS.values(), ids=PLANS.keys())
async def test_a_page_is_read_off_an_index_and_never_sorted(file: Path, queries: list[NameQuery]) -> None:
    store = open_at(file)
    asked: list[str] = []
    reader = driver(store._run._reader)
    reader.set_trace_callback(asked.append)
    await store.page(ADMIN, queries, after="0", limit=10)
    reader.set_trace_callback(None)
    steps = [row[3] for row in reader.execute(f"EXPLAIN QUERY PLAN {asked[-1]}")]
    assert [step for step in steps if "TEMP B-TREE" in step or step.startswith("SCAN artifacts")] == []
    assert any(step.startswith("SEARCH artifacts") for step in steps)
    if all(query.name is None for query in queries):
        assert [step for step in steps if "artifacts" in step and "COVERING" not in step] == []
    await store.close()


@pytest.mark.parametrize("descending", [False, True], ids=["up", "down"])
@pytest.mark.parametrize("sort", list(Sort))
@pytest.mark.parametrize("begun", [False, True], ids=["first", "later"])
async def test_a_listing_in_an_order_is_read_off_an_index_and_never_sorted(
    file: Path, sort: Sort, *, descending: bool, begun: bool
) -> None:
    store = open_at(file)
    for _ in range(3):
        artifact = an_artifact(size_bytes=5)
        await store.commit(Commit(artifact, rating=a_rating(artifact)))
    listing = Listing(frozenset({ArtifactType.MODEL}), sort=sort, descending=descending)
    after = (await store.listed(ADMIN, listing, after=None, limit=1)).after if begun else None
    asked: list[str] = []

    def traced(connection: Connection) -> None:
        database = driver(connection)
        database.set_trace_callback(asked.append)
        orders.page(connection, ADMIN, listing, after=after, limit=9)
        database.set_trace_callback(None)
        for statement in asked:
            steps.extend(row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {statement}"))

    steps: list[str] = []
    await store._run.read(traced)
    assert [step for step in steps if "TEMP B-TREE" in step or step.startswith("SCAN artifacts")] == []
    assert any(step.startswith("SEARCH artifacts") for step in steps)
    await store.close()


async def test_a_path_is_taken_as_it_stands(tmp_path: Path) -> None:
    odd = tmp_path / "100% \N{LATIN SMALL LETTER E WITH ACUTE}?#.db"
    await open_at(odd).close()
    assert odd.is_file()

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from backend.domain.listing import Listing, ScoreRange, Sort
from backend.services.audit_chain import verify
from backend.services.directory import search_for
from backend.storage.base import Commit
from backend.storage.factory import open_metadata
from backend.storage.sql import migrate
from backend.storage.sql.schema import metadata
from backend.storage.sql.sqlite import sqlite_engine
from backend.storage.tests.factories import ADMIN, a_file, a_link, a_rating, an_artifact, an_entry


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "registry.db"


@pytest.fixture
def connection(file: Path) -> Iterator[Connection]:
    engine = sqlite_engine(file)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def is_ours(name: str | None, *_: object) -> bool:
    """Whether the schema says what a table is; the engine's text index and what it keeps that in are its own."""
    return name is None or not name.startswith("trigrams")


def tables(connection: Connection) -> set[str]:
    return {name for name in inspect(connection).get_table_names() if is_ours(name)} - {"alembic_version"}


def test_migrations_lead_to_exactly_the_schema(connection: Connection) -> None:
    migrate.upgrade(connection)
    options = {"compare_type": True, "compare_server_default": True, "include_name": is_ours}
    context = MigrationContext.configure(connection, opts=options)
    assert compare_metadata(context, metadata) == []
    assert tables(connection) == set(metadata.tables)


def test_the_head_that_starts_are_checked_against_is_the_newest_revision(connection: Connection) -> None:
    assert ScriptDirectory.from_config(migrate.config(connection)).get_heads() == [migrate.HEAD]


def test_an_empty_database_has_no_revision(connection: Connection) -> None:
    assert migrate.revision_of(connection) is None
    assert not migrate.is_current(connection)


async def test_down_and_up_again_with_data_leaves_a_working_store(file: Path, connection: Connection) -> None:
    store, artifact = open_metadata(f"sqlite:///{file}"), an_artifact()
    parts = {"links": [a_link(artifact, "k")], "files": [a_file("a")], "audit": [an_entry(artifact)]}
    await store.commit(Commit(artifact, rating=a_rating(artifact), **parts))
    await store.close()
    migrate.downgrade(connection, "base")
    assert tables(connection) == set()
    assert migrate.revision_of(connection) is None
    store = open_metadata(f"sqlite:///{file}")
    assert migrate.is_current(connection)
    await store.commit(Commit(artifact))
    assert await store.get(ADMIN, artifact.type, artifact.id) == artifact
    await store.close()


async def test_what_was_there_is_searched_and_sealed_after_an_upgrade(file: Path, connection: Connection) -> None:
    store, artifact = open_metadata(f"sqlite:///{file}"), an_artifact("L'école", readme="A NEEDLE in here")
    entries = [an_entry(artifact) for _ in range(3)]
    rating = a_rating(artifact)
    await store.commit(Commit(artifact, rating=rating, audit=[entries[0]]))
    await store.append(entries[1:])
    before = await store.chain(after=0, limit=9)
    await store.close()
    migrate.downgrade(connection, "0001")
    assert not {"indexed", "audit_head", "chained", "scores"} & tables(connection)
    store = open_metadata(f"sqlite:///{file}")
    assert migrate.is_current(connection)
    assert list(await store.chain(after=0, limit=9)) == list(before)
    assert (await verify(store)).fault is None
    assert list(await store.trail(artifact.id)) == entries
    assert await store.rating(artifact.id) == rating
    found = await store.search(ADMIN, search_for("NEEDLE"), after=None, limit=9)
    assert [item.id for item in found.items] == [artifact.id]
    listing = Listing(text="ÉCOLE", scores=(ScoreRange("license", 1.0, 1.0),), sort=Sort.NET_SCORE)
    assert list((await store.listed(ADMIN, listing, after=None, limit=9)).items) == [artifact.summary]
    assert await store.delete(ADMIN, artifact.type, artifact.id, an_entry(artifact))
    await store.close()


def test_upgrading_twice_changes_nothing(connection: Connection) -> None:
    migrate.upgrade(connection)
    migrate.upgrade(connection)
    assert migrate.is_current(connection)


async def test_a_database_of_a_newer_release_is_refused_untouched(file: Path, connection: Connection) -> None:
    await open_metadata(f"sqlite:///{file}").close()
    connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(RuntimeError, match="cannot migrate a database of revision 9999 to"):
        open_metadata(f"sqlite:///{file}")
    assert migrate.revision_of(connection) == "9999"
    assert tables(connection) == set(metadata.tables)


async def test_foreign_keys_are_back_on_after_a_migration(file: Path) -> None:
    store = open_metadata(f"sqlite:///{file}")
    assert store._run._reader.execute(text("PRAGMA foreign_keys")).scalar_one() == 1
    await store.close()

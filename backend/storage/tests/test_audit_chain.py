# ruff: noqa: S608 - the statements are what an attacker would write
"""What an attacker with the database in hand can do to the trail, and how it shows."""

import sqlite3
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from backend.domain.audit import Action, Reset
from backend.domain.audit_chain import Head, Sealed, digest_of
from backend.domain.errors import NotAllowed
from backend.domain.ids import new_id
from backend.services.audit import Audit
from backend.services.audit_chain import Fault, verify
from backend.storage.base import MetadataStore
from backend.storage.factory import open_metadata
from backend.storage.tests.factories import ADMIN, NOW, OWNER, an_artifact, an_entry

RECORDS = 10


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "registry.db"


@pytest.fixture
async def store(file: Path) -> AsyncIterator[MetadataStore]:
    """A store with a reset and nine entries."""
    store = open_metadata(f"sqlite:///{file}")
    await store.reset(Reset(new_id(), ADMIN, NOW))
    await store.append([an_entry(an_artifact(), Action.DOWNLOAD) for _ in range(RECORDS - 1)])
    yield store
    await store.close()


def tamper(file: Path, *statements: str) -> None:
    with sqlite3.connect(file) as database:
        for statement in statements:
            database.execute(statement)
    database.close()


async def fault_in(store: MetadataStore, anchor: Head | None = None) -> Fault | None:
    return (await verify(store, anchor)).fault


async def test_a_chain_that_nobody_touched_is_whole(store: MetadataStore) -> None:
    found = await verify(store, await store.head())
    assert (found.head, found.fault) == (await store.head(), None)
    assert found.head.count == RECORDS


@pytest.mark.parametrize("sequence", [1, 5, RECORDS])
@pytest.mark.parametrize(
    "column",
    ["user_name", "action", "date", "artifact_id", "artifact_name", "artifact_type", "id", "previous", "digest"],
)
async def test_an_edit_is_named_where_it_was_made(store: MetadataStore, file: Path, sequence: int, column: str) -> None:
    tamper(file, f"UPDATE audit SET {column} = 'edited' WHERE sequence = {sequence}")
    fault = await fault_in(store)
    assert fault is not None
    assert (fault.sequence, "was changed" in fault.what) == (sequence, True)


async def test_the_rank_of_whoever_did_it_is_sealed_too(store: MetadataStore, file: Path) -> None:
    tamper(file, "UPDATE audit SET user_is_admin = 1 - user_is_admin WHERE sequence = 4")
    assert (await fault_in(store)).sequence == 4


async def test_an_edit_with_a_digest_to_match_breaks_the_record_behind_it(store: MetadataStore, file: Path) -> None:
    (record,) = await store.chain(after=4, limit=1)
    forged = digest_of(5, record.previous, {**record.fields, "user_name": "somebody else"})
    tamper(file, f"UPDATE audit SET user_name = 'somebody else', digest = '{forged}' WHERE sequence = 5")
    fault = await fault_in(store)
    assert (fault.sequence, "does not follow" in fault.what) == (6, True)


@pytest.mark.parametrize("sequence", [1, 5, RECORDS - 1])
async def test_a_record_that_was_removed_is_missed(store: MetadataStore, file: Path, sequence: int) -> None:
    tamper(file, f"DELETE FROM audit WHERE sequence = {sequence}")
    fault = await fault_in(store)
    assert (fault.sequence, "is missing" in fault.what) == (sequence, True)


async def test_a_gap_that_was_closed_by_renumbering_is_named(store: MetadataStore, file: Path) -> None:
    tamper(file, "DELETE FROM audit WHERE sequence = 5", "UPDATE audit SET sequence = sequence - 1 WHERE sequence > 5")
    assert (await fault_in(store)).sequence == 5


async def test_two_records_that_changed_places_are_named(store: MetadataStore, file: Path) -> None:
    moves = [(4, 99), (7, 4), (99, 7)]
    tamper(file, *(f"UPDATE audit SET sequence = {to} WHERE sequence = {at}" for at, to in moves))
    assert (await fault_in(store)).sequence == 4


async def test_an_end_that_was_cut_off_is_missed_also_after_more_was_written(store: MetadataStore, file: Path) -> None:
    tamper(file, "DELETE FROM audit WHERE sequence > 7")
    fault = await fault_in(store)
    assert (fault.sequence, "cut off" in fault.what) == (8, True)
    await store.append([an_entry(an_artifact())])
    fault = await fault_in(store)
    assert (fault.sequence, "is missing" in fault.what) == (8, True)


async def test_an_end_cut_off_with_its_note_is_noticed_by_an_anchor(store: MetadataStore, file: Path) -> None:
    anchor, (seventh,) = await store.head(), await store.chain(after=6, limit=1)
    tamper(
        file,
        "DELETE FROM audit WHERE sequence > 7",
        f"UPDATE audit_head SET count = 7, digest = '{seventh.digest}'",
    )
    assert await fault_in(store) is None
    fault = await fault_in(store, anchor)
    assert (fault.sequence, "anchor" in fault.what) == (8, True)


async def test_a_trail_that_was_emptied_is_noticed(store: MetadataStore, file: Path) -> None:
    anchor = await store.head()
    tamper(file, "DELETE FROM audit")
    assert (await fault_in(store)).sequence == 1
    tamper(file, "DELETE FROM audit_head")
    assert await fault_in(store) is None
    assert (await fault_in(store, anchor)).sequence == 1


async def test_a_note_that_was_removed_is_noticed(store: MetadataStore, file: Path) -> None:
    tamper(file, "DELETE FROM audit_head")
    assert (await fault_in(store)).sequence == 1


async def test_a_rewritten_trail_does_not_lead_through_an_older_anchor(store: MetadataStore, file: Path) -> None:
    (fifth,) = await store.chain(after=4, limit=1)
    forged: list[Sealed] = []
    for record in await store.chain(after=0, limit=RECORDS):
        fields = {**record.fields, "user_name": "mallory"} if record.sequence == 3 else record.fields
        previous = forged[-1].digest if forged else record.previous
        forged.append(Sealed(record.sequence, previous, digest_of(record.sequence, previous, fields), fields))
    tamper(
        file,
        "UPDATE audit SET user_name = 'mallory' WHERE sequence = 3",
        *(f"UPDATE audit SET previous='{f.previous}', digest='{f.digest}' WHERE sequence={f.sequence}" for f in forged),
        f"UPDATE audit_head SET digest = '{forged[-1].digest}'",
    )
    assert await fault_in(store) is None
    assert (await fault_in(store, fifth.head)).sequence == 5


async def test_an_older_anchor_holds_while_the_trail_grows(store: MetadataStore) -> None:
    anchor = await store.head()
    await store.append([an_entry(an_artifact())])
    assert await fault_in(store, anchor) is None
    assert await fault_in(store, Head()) is None


async def test_whoever_is_no_administrator_may_not_verify(store: MetadataStore) -> None:
    with pytest.raises(NotAllowed):
        await Audit(store).verify(OWNER)
    assert (await Audit(store).verify(ADMIN)).fault is None


async def test_twenty_thousand_records_are_verified_within_a_second(store: MetadataStore) -> None:
    await store.append([an_entry(an_artifact("x"), Action.DOWNLOAD) for _ in range(20_000)])
    began = time.process_time()
    found = await verify(store)
    assert (found.head.count, found.fault) == (20_000 + RECORDS, None)
    assert time.process_time() - began < 1.0

"""The audit trail of a registry at work, verified over HTTP and from a terminal."""

import asyncio
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend import verify_audit
from backend.domain.audit import Action
from backend.domain.audit_chain import Head
from backend.storage.factory import open_metadata
from backend.storage.tests.factories import an_artifact, an_entry
from backend.tests.live import Live, live_registry, settings_for

LINK = "https://example.org/data.zip"


@pytest.fixture
def registry() -> Iterator[Live]:
    with live_registry(settings_for()) as live:
        yield live


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of a registry with three records, which the settings name."""
    file = tmp_path / "registry.db"
    monkeypatch.setenv("METADATA_URL", f"sqlite:///{file}")
    artifact = an_artifact()

    async def fill() -> None:
        store = open_metadata(f"sqlite:///{file}")
        await store.append([an_entry(artifact, action) for action in list(Action)[:3]])
        await store.close()

    asyncio.run(fill())
    return file


def tamper(file: Path, statement: str) -> None:
    with sqlite3.connect(file) as database:
        database.execute(statement)
    database.close()


def test_each_acknowledged_write_has_exactly_one_record(registry: Live) -> None:
    client = registry.client
    begun = client.get("/audit/verify").json()["records"]
    made = client.post("/artifact/dataset", json={"url": LINK}).raise_for_status().json()
    path = f"/artifacts/dataset/{made['metadata']['id']}"

    moved = {"metadata": made["metadata"], "data": {"url": f"{LINK}?v=2"}}
    written = [client.put(path, json=moved), client.delete(path)]
    refused = [client.delete(path), client.post("/artifact/dataset", json={"url": "no url"})]

    assert [answer.status_code for answer in written + refused] == [200, 200, 404, 400]
    found = client.get("/audit/verify").json()
    assert (found["intact"], found["records"], found["fault"]) == (True, begun + 3, None)


def test_a_reset_leaves_its_own_record_and_nothing_else(registry: Live) -> None:
    client = registry.client
    client.post("/artifact/dataset", json={"url": LINK}).raise_for_status()
    anchor = client.get("/audit/verify").json()["head"]

    client.delete("/reset").raise_for_status()

    found = client.get("/audit/verify").json()
    assert (found["intact"], found["records"]) == (True, 1)
    earlier = client.get("/audit/verify", params={"anchor": anchor}).json()
    assert (earlier["intact"], earlier["fault"]["sequence"]) == (False, Head.of(anchor).count)


@pytest.mark.parametrize("anchor", ["", "5", "x:y", "1:" + "g" * 64, "-1:" + "0" * 64])
def test_an_anchor_that_is_none_is_refused(registry: Live, anchor: str) -> None:
    answer = registry.client.get("/audit/verify", params={"anchor": anchor})

    assert answer.status_code == 400
    assert [each["field"] for each in answer.json()["errors"]] == ["anchor"]


@pytest.mark.usefixtures("file")
def test_the_command_says_how_long_the_trail_is_and_where_it_ends(capsys: pytest.CaptureFixture[str]) -> None:
    assert verify_audit.main([]) == 0

    told = capsys.readouterr().out
    assert told.startswith("3 records, unbroken")
    assert verify_audit.main(["--anchor", told.split()[-1]]) == 0


def test_the_command_fails_on_a_broken_trail_and_names_the_record(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tamper(file, "UPDATE audit SET user_name = 'nobody' WHERE sequence = 2")

    assert verify_audit.main([]) == 1

    assert "record 2 was changed" in capsys.readouterr().err


def test_the_command_fails_on_what_it_cannot_read(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify_audit.main(["--anchor", "nonsense"]) == 1
    file.write_bytes(b"no database at all, and longer than a header" * 50)
    assert verify_audit.main([]) == 1

    told = capsys.readouterr().err
    assert "--anchor must be count:digest" in told
    assert "not a database" in told

"""Made-up artifacts to fill a registry with, the same ones for the same numbers every time."""

import asyncio
import random
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from string import ascii_lowercase
from typing import Any

from backend.domain.artifact import Artifact, FileEntry, Link, Relation
from backend.domain.audit import Action, AuditEntry
from backend.domain.rating import StoredRating
from backend.domain.source import ArtifactType, Host, Source
from backend.domain.user import User
from backend.storage.base import Commit, MetadataStore
from backend.storage.sql.records import rating_values
from metrics.evidence import Evidence, Fact, LinkedBy, Missing, RepoFile
from metrics.rating import GatePolicy, judge, rate

OWNER = User("admin", is_admin=True)
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
RATED = 20_000
"""Models beyond so many carry no rating: one takes more room than ten READMEs."""
README_BYTES = 2_000
AT_ONCE = 512
"""Commits under way together; the store's writer makes groups of what waits."""

_PROSE = (
    "model dataset training evaluation tokens accuracy benchmark license fine-tuned weights language vision audio"
    " transformer encoder decoder inference pipeline usage example limitations bias intended install python import"
    " from load predict batch results table score baseline paper citation the of and to in for with on is was are"
)
_WORDS = _PROSE.split()
_SECOND_OF_A_PAIR = 7
_KINDS = (ArtifactType.DATASET, ArtifactType.CODE, ArtifactType.MODEL, ArtifactType.MODEL)


def artifact_id(number: int) -> str:
    """The id of an artifact: a UUIDv7 of a time that grows with the number."""
    milliseconds = int(EPOCH.timestamp() * 1000) + number
    spread = random.Random(number).getrandbits(62)
    return str(uuid.UUID(int=milliseconds << 80 | 0x7 << 76 | number % 4096 << 64 | 0b10 << 62 | spread))


def kind_of(number: int) -> ArtifactType:
    """Two artifacts of four are models; before them come the dataset and the code they go with."""
    return _KINDS[number % 4]


def needle(number: int) -> str:
    """A word that stands in one README alone."""
    return "".join(random.Random(~number).choices(ascii_lowercase, k=10))


def changes(count: int) -> Iterator[Commit]:
    """The commits that make a registry of so many artifacts, oldest first."""
    return (_change(number) for number in range(count))


async def fill(store: MetadataStore, count: int) -> float:
    """Commit so many artifacts and return the seconds that took."""
    began, waiting = time.perf_counter(), changes(count)

    async def commit_in_turn() -> None:
        for change in waiting:
            await store.commit(change)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(AT_ONCE):
            tasks.create_task(commit_in_turn())
    return time.perf_counter() - began


def text_bytes(change: Commit) -> int:
    """Bytes of what was written about an artifact: its README, and for a model the rating with its evidence."""
    rated = 0 if change.rating is None else sum(len(text) for text in rating_values(change.rating).values())
    return len(change.artifact.readme or "") + rated


def _change(number: int) -> Commit:
    artifact = _artifact(number)
    entry = AuditEntry(artifact_id(number), OWNER, artifact.created_at, artifact.summary, Action.CREATE)
    if artifact.source.host is Host.LINK:
        return Commit(artifact, links=(), files=(), audit=[entry])
    is_model = artifact.type is ArtifactType.MODEL
    return Commit(
        artifact,
        rating=replace(_rating(), artifact_id=artifact.id) if is_model and number < RATED else None,
        links=_links(number, artifact) if is_model else (),
        files=[FileEntry("README.md", README_BYTES), FileEntry("data.bin", 120_000_000, claimed_sha256="0" * 64)],
        audit=[entry],
    )


def _artifact(number: int) -> Artifact:
    kind, at = kind_of(number), EPOCH + timedelta(seconds=number)
    is_link = number % 8 == 1  # half of the code is somewhere that the registry cannot read
    source = _source(number)
    return Artifact(
        id=artifact_id(number),
        name=source.short_name,
        type=kind,
        url=source.repo if is_link else f"https://huggingface.co/{source.repo}",
        source=source,
        owner=OWNER.name,
        created_at=at,
        updated_at=at,
        commit=None if is_link else f"{number:040x}",
        readme=None if is_link else _readme(number),
        license=None if is_link else "Apache-2.0",
        size_bytes=None if is_link else 120_002_000,
    )


def _source(number: int) -> Source:
    kind = kind_of(number)
    if number % 8 == 1:
        return Source(Host.LINK, kind, f"https://code.example/{number % 997}/{kind}-{number}")
    host = Host.GITHUB if kind is ArtifactType.CODE else Host.HUGGINGFACE
    return Source(host, kind, f"group-{number % 997}/{kind}-{number}")


def _readme(number: int) -> str:
    chosen = random.Random(number)
    text = " ".join(chosen.choices(_WORDS, k=README_BYTES // 7))
    return f"# Artifact {number}\n\n{needle(number)} {text}"[:README_BYTES]


def _links(number: int, model: Artifact) -> list[Link]:
    """The dataset and code in front of a model; the second model of each pair of eight comes from the first."""
    first = number - number % 4
    given = [(Relation.DATASET, _source(first)), (Relation.CODE, _source(first + 1))]
    if number % 8 == _SECOND_OF_A_PAIR:
        given.append((Relation.FINE_TUNED_FROM, _source(number - 1)))
    return [
        Link(model.id, relation, source.key, source.short_name, LinkedBy.REGISTRATION) for relation, source in given
    ]


@cache
def _rating() -> StoredRating:
    """What a model that says something about itself is rated; one for all, because the bench only reads it."""
    lacking: Fact[Any] = Fact(missing=Missing.NOT_STATED, source="https://huggingface.co/group/model")
    evidence = Evidence(
        name="model",
        url="https://huggingface.co/group/model",
        gathered_at=EPOCH,
        model=lacking,
        card=Fact(_readme(0), source="https://huggingface.co/group/model"),
        files=Fact((RepoFile("model.safetensors", 120_000_000), RepoFile("README.md", README_BYTES))),
        config=lacking,
        commits=lacking,
    )
    rating = rate(evidence, timer=time.perf_counter)
    return StoredRating("", rating, judge(rating, GatePolicy.OFF, 0.5), evidence)

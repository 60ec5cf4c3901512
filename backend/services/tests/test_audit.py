import pytest

from backend.domain.audit import Action
from backend.domain.errors import NotFound
from backend.domain.source import ArtifactType
from backend.domain.user import LOCAL
from backend.services.audit import Audit
from backend.storage.memory import MemoryStore
from backend.tests.factories import make_artifact, make_audit, register


async def test_the_trail_of_an_artifact_is_its_own_and_oldest_first() -> None:
    store = MemoryStore()
    one, other = make_artifact("acme/one"), make_artifact("acme/other")
    await register(store, one, audit=[make_audit(one)])
    await register(store, other, audit=[make_audit(other)])
    await store.append([make_audit(one, Action.DOWNLOAD), make_audit(one, Action.RATE)])

    trail = await Audit(store).of(LOCAL, one.type, one.id)

    assert [(entry.artifact.name, entry.action) for entry in trail] == [
        ("one", Action.CREATE),
        ("one", Action.DOWNLOAD),
        ("one", Action.RATE),
    ]


async def test_the_trail_of_what_was_removed_is_kept_and_not_shown() -> None:
    store = MemoryStore()
    artifact = make_artifact()
    await register(store, artifact, audit=[make_audit(artifact)])
    await store.delete(LOCAL, artifact.type, artifact.id, make_audit(artifact, Action.DELETE))

    with pytest.raises(NotFound):
        await Audit(store).of(LOCAL, ArtifactType.MODEL, artifact.id)
    assert [entry.action for entry in await store.trail(artifact.id)] == [Action.CREATE, Action.DELETE]

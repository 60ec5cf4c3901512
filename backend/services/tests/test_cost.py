import pytest

from backend.domain.artifact import Artifact, Relation
from backend.domain.errors import NotFound
from backend.domain.source import ArtifactType
from backend.domain.user import LOCAL
from backend.services.cost import Cost, Costs
from backend.storage.memory import MemoryStore
from backend.tests.factories import make_artifact, make_link, register


async def _store(sizes: dict[str, int | None], needs: list[tuple[str, str]]) -> tuple[MemoryStore, dict[str, Artifact]]:
    """Models of these sizes in bytes; each pair is an artifact and one that it needs."""
    store = MemoryStore()
    made = {name: make_artifact(f"acme/{name}", size_bytes=size) for name, size in sizes.items()}
    for name, artifact in made.items():
        await register(store, artifact, links=[make_link(artifact, made[other]) for one, other in needs if one == name])
    return store, made


async def _costs(store: MemoryStore, root: Artifact, made: dict[str, Artifact]) -> dict[str, tuple[float, float]]:
    names = {artifact.id: name for name, artifact in made.items()}
    found = await Costs(store).of(LOCAL, root.type, root.id, dependencies=True)
    return {names[key]: (cost.standalone, cost.total) for key, cost in found.items()}


async def test_alone_an_artifact_costs_the_megabytes_of_its_files() -> None:
    store, made = await _store({"a": 1_500_000, "b": 9_000_000}, [("a", "b")])

    assert await Costs(store).of(LOCAL, ArtifactType.MODEL, made["a"].id, dependencies=False) == {
        made["a"].id: Cost(1.5, 1.5)
    }


async def test_what_two_dependencies_share_is_counted_once() -> None:
    sizes = {"a": 1_000_000, "b": 2_000_000, "c": 4_000_000, "shared": 8_000_000}
    store, made = await _store(sizes, [("a", "b"), ("a", "c"), ("b", "shared"), ("c", "shared")])

    assert await _costs(store, made["a"], made) == {
        "a": (1.0, 15.0),
        "b": (2.0, 10.0),
        "c": (4.0, 12.0),
        "shared": (8.0, 8.0),
    }


async def test_in_a_cycle_everyone_costs_the_whole_once() -> None:
    store, made = await _store({"a": 1_000_000, "b": 2_000_000}, [("a", "b"), ("b", "a")])

    assert await _costs(store, made["a"], made) == {"a": (1.0, 3.0), "b": (2.0, 3.0)}


async def test_needing_oneself_costs_nothing_more() -> None:
    store, made = await _store({"a": 1_000_000}, [("a", "a")])

    assert await _costs(store, made["a"], made) == {"a": (1.0, 1.0)}


async def test_those_who_need_an_artifact_are_no_part_of_its_cost() -> None:
    store, made = await _store({"parent": 1_000_000, "child": 2_000_000}, [("child", "parent")])

    assert set(await _costs(store, made["parent"], made)) == {"parent"}


async def test_an_unknown_size_counts_as_nothing() -> None:
    store, made = await _store({"a": None, "b": 3_000_000}, [("a", "b")])

    assert await _costs(store, made["a"], made) == {"a": (0.0, 3.0), "b": (3.0, 3.0)}


async def test_a_dependency_that_is_not_registered_is_left_out() -> None:
    store = MemoryStore()
    model = make_artifact("acme/a", size_bytes=1_000_000)
    await register(store, model, links=[make_link(model, "huggingface:dataset:nowhere/words", Relation.DATASET)])

    assert await Costs(store).of(LOCAL, model.type, model.id, dependencies=True) == {model.id: Cost(1.0, 1.0)}


async def test_datasets_and_code_count_as_dependencies() -> None:
    store = MemoryStore()
    data = await register(store, make_artifact("acme/words", ArtifactType.DATASET, size_bytes=5_000_000))
    model = make_artifact("acme/a", size_bytes=1_000_000)
    await register(store, model, links=[make_link(model, data, Relation.DATASET)])

    found = await Costs(store).of(LOCAL, model.type, model.id, dependencies=True)

    assert found == {model.id: Cost(1.0, 6.0), data.id: Cost(5.0, 5.0)}


@pytest.mark.parametrize("dependencies", [True, False])
async def test_there_is_no_cost_of_what_is_not_there(dependencies: bool) -> None:
    store, made = await _store({"a": 1}, [])

    for kind, artifact_id in ((ArtifactType.CODE, made["a"].id), (ArtifactType.MODEL, "unknown")):
        with pytest.raises(NotFound):
            await Costs(store).of(LOCAL, kind, artifact_id, dependencies=dependencies)

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.domain.artifact import Artifact, Relation, Visibility
from backend.domain.errors import NotFound
from backend.domain.lineage import Family
from backend.domain.source import ArtifactType
from backend.domain.user import LOCAL, User
from backend.services.lineage import Lineage
from backend.storage.memory import MemoryStore
from backend.tests.factories import make_artifact, make_link, register
from metrics.evidence import LinkedBy


async def _family_of(*edges: tuple[str, str], also: tuple[str, ...] = ()) -> tuple[MemoryStore, dict[str, Artifact]]:
    """A store with a model for each name, where each pair is a parent and its child; links are found in many ways."""
    store = MemoryStore()
    names = dict.fromkeys([*(name for edge in edges for name in edge), *also])
    models = {name: make_artifact(f"acme/{name}") for name in names}
    for name, model in models.items():
        links = [
            make_link(model, models[parent], linked_by=list(LinkedBy)[number % len(LinkedBy)])
            for number, (parent, child) in enumerate(edges)
            if child == name
        ]
        await register(store, model, links=links)
    return store, models


async def _asked(store: MemoryStore, model: Artifact) -> Family:
    return await Lineage(store).of(LOCAL, model.id)


def _names(family: Family) -> set[str]:
    return {member.name for member in family.members}


def _edges(family: Family) -> set[tuple[str, str]]:
    names = {member.id: member.name for member in family.members}
    return {(names[edge.parent_id], names[edge.child_id]) for edge in family.edges}


FAMILIES = {
    "alone": ((), ("a",)),
    "pair": ((("a", "b"),), ()),
    "chain": ((("a", "b"), ("b", "c"), ("c", "d")), ()),
    "siblings": ((("a", "b"), ("a", "c"), ("a", "d")), ()),
    "diamond": ((("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")), ()),
    "cycle": ((("a", "b"), ("b", "c"), ("c", "a")), ()),
    "two that name each other": ((("a", "b"), ("b", "a")), ()),
    "merge of two families": ((("a", "c"), ("b", "c"), ("c", "d")), ()),
}


@pytest.mark.parametrize(("edges", "also"), FAMILIES.values(), ids=FAMILIES.keys())
async def test_the_graph_is_whole_and_the_same_from_each_member(
    edges: tuple[tuple[str, str], ...], also: tuple[str, ...]
) -> None:
    store, models = await _family_of(*edges, also=also)

    graphs = [await _asked(store, model) for model in models.values()]

    assert all(graph == graphs[0] for graph in graphs)
    assert _names(graphs[0]) == set(models)
    assert _edges(graphs[0]) == set(edges)


async def test_a_model_that_names_itself_has_no_edge() -> None:
    store, models = await _family_of(("a", "a"))

    family = await _asked(store, models["a"])

    assert (_names(family), family.edges) == ({"a"}, [])


async def test_what_is_not_connected_is_not_in_the_graph() -> None:
    store, models = await _family_of(("a", "b"), ("x", "y"), also=("z",))

    assert _names(await _asked(store, models["b"])) == {"a", "b"}


async def test_a_parent_that_is_not_registered_joins_two_children_only_once_it_is() -> None:
    store = MemoryStore()
    parent = make_artifact("acme/parent")
    children = [await _child_of(store, name, parent) for name in ("one", "two")]
    assert _names(await _asked(store, children[0])) == {"one"}

    await register(store, parent)

    for child in children:
        assert _edges(await _asked(store, child)) == {("parent", "one"), ("parent", "two")}


async def _child_of(store: MemoryStore, name: str, parent: Artifact) -> Artifact:
    child = make_artifact(f"acme/{name}")
    return await register(store, child, links=[make_link(child, parent)])


async def test_a_chain_of_three_hundred_is_walked_to_both_ends() -> None:
    names = [f"m{n}" for n in range(300)]
    store, models = await _family_of(*pairwise(names))

    first, last = await _asked(store, models["m0"]), await _asked(store, models["m299"])

    assert first == last
    assert len(first.members) == 300
    assert len(first.edges) == 299


async def test_datasets_and_code_are_no_family() -> None:
    store = MemoryStore()
    data = await register(store, make_artifact("acme/words", ArtifactType.DATASET))
    child = make_artifact("acme/child")
    await register(store, child, links=[make_link(child, data, Relation.DATASET)])

    assert _names(await _asked(store, child)) == {"child"}


@pytest.mark.parametrize("relation", ["base_model", "fine_tuned_from", "adapter", "quantized", "merge"])
async def test_an_edge_says_what_the_parent_is_to_the_child(relation: str) -> None:
    store = MemoryStore()
    parent = await register(store, make_artifact("acme/parent"))
    child = make_artifact("acme/child")
    await register(store, child, links=[make_link(child, parent, Relation(relation))])

    family = await _asked(store, parent)

    assert [edge.relation for edge in family.edges] == [relation]


async def test_a_model_that_the_viewer_may_not_see_is_not_in_the_graph() -> None:
    store = MemoryStore()
    hidden = await register(store, make_artifact("acme/hidden", owner="ann", visibility=Visibility.OWNER))
    child = await _child_of(store, "child", hidden)

    family = await Lineage(store).of(User("bob", is_admin=False), child.id)

    assert (_names(family), family.edges) == ({"child"}, [])


async def test_there_is_no_graph_of_what_is_no_model() -> None:
    store = MemoryStore()
    data = await register(store, make_artifact("acme/words", ArtifactType.DATASET))

    for artifact_id in (data.id, "unknown"):
        with pytest.raises(NotFound):
            await Lineage(store).of(LOCAL, artifact_id)


@given(st.sets(st.tuples(st.sampled_from("abcdefg"), st.sampled_from("abcdefg")), min_size=1, max_size=14))
@settings(max_examples=60, deadline=None)
async def test_any_graph_looks_the_same_from_all_that_are_in_it(edges: set[tuple[str, str]]) -> None:
    store, models = await _family_of(*sorted(edges))

    for model in models.values():
        family = await _asked(store, model)
        assert model in family.members
        for member in family.members:
            assert await _asked(store, member) == family

import re
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.domain.artifact import Artifact, Link, Relation, Visibility
from backend.domain.lineage import Family, Include, Neighbour
from backend.domain.rating import StoredRating
from backend.domain.source import ArtifactType, Host, Source
from backend.domain.user import LOCAL, User
from backend.services.lineage import Lineage
from backend.services.neighbourhood import outside_id
from backend.storage.base import MetadataStore
from backend.storage.factory import open_metadata
from backend.storage.memory import MemoryStore
from backend.storage.tests.factories import a_rating
from backend.tests.factories import make_artifact, make_link, register
from metrics.evidence import CardData, ClaimedResult, Fact, LinkedBy

ALL = frozenset(Include)
WORDS = "huggingface:dataset:acme/words"
TOOLS = "github:code:acme/tools"
ELSEWHERE = "huggingface:model:openai/whisper-tiny"
IS_ID = re.compile(r"[a-zA-Z0-9\-]{1,128}")


def _rated(model: Artifact, *evaluated_on: str) -> StoredRating:
    """A rating whose card has results on these datasets."""
    stored = a_rating(model)
    record = stored.evidence.model.value
    assert record is not None
    results = tuple(ClaimedResult("qa", name, "f1", 0.9) for name in evaluated_on)
    card = CardData(results=results)
    return replace(stored, evidence=replace(stored.evidence, model=Fact(replace(record, card=card))))


async def _model(
    store: MetadataStore, *stated: tuple[str, Relation, LinkedBy], evaluated_on: Sequence[str] = ()
) -> Artifact:
    """A registered model that states links."""
    model = make_artifact("acme/thing")
    links = [make_link(model, key, relation, linked_by) for key, relation, linked_by in stated]
    return await register(store, model, links=links, rating=_rated(model, *evaluated_on))


async def _around(store: MetadataStore, model: Artifact, *include: Include) -> Family:
    return await Lineage(store).of(LOCAL, model.id, include or ALL)


def _ties(family: Family) -> set[tuple[str, str]]:
    """Each neighbour's place and what it is to the family."""
    urls = {each.id: each.url for each in family.neighbours}
    return {(urls[edge.parent_id], edge.relation) for edge in family.edges if edge.parent_id in urls}


STATED = (
    (ELSEWHERE, Relation.QUANTIZED, LinkedBy.CARD_METADATA),
    (WORDS, Relation.DATASET, LinkedBy.CARD_METADATA),
    (TOOLS, Relation.CODE, LinkedBy.CARD_TEXT),
)
TIES = {
    Include.EXTERNAL: ("https://huggingface.co/openai/whisper-tiny", "quantized"),
    Include.DATASETS: ("https://huggingface.co/datasets/acme/words", "training_dataset"),
    Include.CODE: ("https://github.com/acme/tools", "code"),
}


@pytest.mark.parametrize("wanted", list(Include))
async def test_each_kind_of_neighbour_comes_when_it_is_asked_for(wanted: Include) -> None:
    store = MemoryStore()
    model = await _model(store, *STATED)

    assert _ties(await _around(store, model, wanted)) == {TIES[wanted]}


async def test_all_kinds_come_together() -> None:
    store = MemoryStore()
    model = await _model(store, *STATED)

    family = await _around(store, model)

    assert _ties(family) == set(TIES.values())
    assert [edge.child_id for edge in family.edges] == [model.id] * 3
    assert not any(each.registered for each in family.neighbours)


async def test_nothing_is_added_unasked() -> None:
    store = MemoryStore()
    model = await _model(store, *STATED)

    family = await Lineage(store).of(LOCAL, model.id)

    assert (family.members, family.edges, family.neighbours) == ([model], [], ())


async def test_what_is_registered_stands_there_under_its_own_id_and_name() -> None:
    store = MemoryStore()
    data = await register(store, make_artifact("acme/words", ArtifactType.DATASET, name="My words", commit="c0ffee"))
    model = await _model(store, (WORDS, Relation.DATASET, LinkedBy.HUB_TAG))

    family = await _around(store, model)

    words = Neighbour(data.id, "My words", ArtifactType.DATASET, data.url, "c0ffee", True, "hub_tag")
    assert family.neighbours == [words]


async def test_a_repository_registered_as_a_dataset_is_not_taken_for_code() -> None:
    store = MemoryStore()
    source = Source(Host.GITHUB, ArtifactType.CODE, "acme/tools")
    data = await register(store, make_artifact("acme/tools", ArtifactType.DATASET, source=source))
    both = ((TOOLS, Relation.CODE, LinkedBy.CARD_TEXT), (TOOLS, Relation.DATASET, LinkedBy.REGISTRATION))
    model = await _model(store, *both)

    found = {each.kind: each for each in (await _around(store, model)).neighbours}

    assert found[ArtifactType.DATASET].id == data.id
    assert not found[ArtifactType.CODE].registered


EVALUATED = {
    "not named by any result": (LinkedBy.CARD_METADATA, (), {"training_dataset"}),
    "named by the card as data, and by a result": (
        LinkedBy.CARD_METADATA,
        ("acme/words",),
        {"training_dataset", "evaluation_dataset"},
    ),
    "given at registration, and named by a result": (
        LinkedBy.REGISTRATION,
        ("words",),
        {"training_dataset", "evaluation_dataset"},
    ),
    "found in the text, and named by a result": (LinkedBy.CARD_TEXT, ("words",), {"evaluation_dataset"}),
    "named by a result with a configuration": (LinkedBy.NAME_MENTION, ("Words (clean)",), {"evaluation_dataset"}),
    "found in the text alone": (LinkedBy.CARD_TEXT, ("others",), {"training_dataset"}),
}


@pytest.mark.parametrize(("linked_by", "results", "expected"), EVALUATED.values(), ids=EVALUATED.keys())
async def test_what_a_dataset_is_to_a_model_is_read_off_its_card(
    linked_by: LinkedBy, results: tuple[str, ...], expected: set[str]
) -> None:
    store = MemoryStore()
    model = await _model(store, (WORDS, Relation.DATASET, linked_by), evaluated_on=results)

    assert {relation for _, relation in _ties(await _around(store, model))} == expected


async def test_a_dataset_that_only_a_result_names_as_the_hub_does_is_one_to_evaluate_on() -> None:
    store = MemoryStore()
    data = await register(store, make_artifact("rajpurkar/squad", ArtifactType.DATASET))
    model = await _model(store, evaluated_on=("rajpurkar/SQuAD", "glue (mrpc)", "acme/unheard-of", "acme/unheard-of"))

    family = await _around(store, model)

    assert {(each.name, each.registered) for each in family.neighbours} == {("squad", True), ("acme/unheard-of", False)}
    assert {edge.relation for edge in family.edges} == {"evaluation_dataset"}
    assert data.id in {edge.parent_id for edge in family.edges}


async def test_siblings_share_an_outside_parent_without_being_joined_by_it() -> None:
    store = MemoryStore()
    children = [make_artifact(f"acme/{name}") for name in ("one", "two")]
    for child in children:
        await register(store, child, links=[make_link(child, ELSEWHERE)])

    families = [await _around(store, child) for child in children]

    assert [family.members for family in families] == [[child] for child in children]
    assert families[0].neighbours == families[1].neighbours


async def test_the_graph_with_neighbours_is_the_same_from_each_member() -> None:
    store = MemoryStore()
    parent = await register(store, make_artifact("acme/parent"))
    child = make_artifact("acme/child")
    links = [make_link(child, parent), make_link(child, WORDS, Relation.DATASET), make_link(child, ELSEWHERE)]
    await register(store, child, links=links)

    assert await _around(store, parent) == await _around(store, child)


async def test_a_model_that_the_viewer_may_not_see_is_as_one_that_is_not_registered() -> None:
    store = MemoryStore()
    hidden = await register(store, make_artifact("acme/hidden", owner="ann", visibility=Visibility.OWNER))
    child = make_artifact("acme/child")
    await register(store, child, links=[make_link(child, hidden)])

    family = await Lineage(store).of(User("bob", is_admin=False), child.id, ALL)

    assert [(each.name, each.registered) for each in family.neighbours] == [("acme/hidden", False)]
    assert hidden.id not in {each.id for each in family.neighbours}


async def test_a_model_that_names_itself_is_not_its_own_neighbour() -> None:
    store = MemoryStore()
    model = make_artifact("acme/narcissus")
    await register(store, model, links=[make_link(model, model)])

    family = await _around(store, model)

    assert (family.edges, list(family.neighbours)) == ([], [])


async def test_a_cycle_with_neighbours_ends() -> None:
    store = MemoryStore()
    one, two = make_artifact("acme/one"), make_artifact("acme/two")
    await register(store, one, links=[make_link(one, two), make_link(one, ELSEWHERE)])
    await register(store, two, links=[make_link(two, one), make_link(two, TOOLS, Relation.CODE)])

    family = await _around(store, one)

    assert len(family.members) == 2
    assert {edge.relation for edge in family.edges} == {"base_model", "code"}
    assert len(family.neighbours) == 2


KEYS = st.builds(
    lambda host, kind, repo, path: Source(host, kind, repo, path=path).key,
    st.sampled_from([Host.HUGGINGFACE, Host.GITHUB]),
    st.sampled_from(list(ArtifactType)),
    st.text(min_size=1, max_size=200),
    st.sampled_from(["", "src/data", "größe"]),
)


@given(KEYS)
def test_an_outside_id_is_an_id_and_stays_the_same(key: str) -> None:
    made = outside_id(ArtifactType.MODEL, key)

    assert IS_ID.fullmatch(made)
    assert made == outside_id(ArtifactType.MODEL, key)


def test_places_that_read_alike_have_different_outside_ids() -> None:
    names = ("acme/a-b", "acme/a.b", "acme-a/b", "acme/a_b")

    assert len({outside_id(ArtifactType.MODEL, f"huggingface:model:{name}") for name in names}) == len(names)


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[MetadataStore]:
    opened = open_metadata("memory://" if request.param == "memory" else f"sqlite:///{tmp_path / 'registry.db'}")
    yield opened
    await opened.close()


async def test_a_chain_of_a_thousand_is_drawn_whole_without_recursion(store: MetadataStore) -> None:
    models = [make_artifact(f"acme/m{n}") for n in range(1_000)]
    links: dict[str, list[Link]] = {child.id: [make_link(child, parent)] for parent, child in pairwise(models)}
    for model in models:
        code = make_link(model, TOOLS, Relation.CODE)
        await register(store, model, links=[*links.get(model.id, []), code])

    began = time.process_time()
    family = await Lineage(store).of(LOCAL, models[-1].id, ALL)
    spent = time.process_time() - began

    assert (len(family.members), len(family.edges), len(family.neighbours)) == (1_000, 1_999, 1)
    assert spent < 5, "several times what it takes, since others may be measuring on the same machine"

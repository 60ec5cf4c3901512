from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import anyio
import pytest

from backend.domain.artifact import Artifact, Relation
from backend.domain.errors import NotFound, UpstreamFailed
from backend.domain.rating import StoredRating
from backend.domain.source import ArtifactType, Source
from backend.domain.user import LOCAL
from backend.services.evidence.gatherer import Gathered, GatheredModel, Gatherer
from backend.sources.github import GitHub
from backend.sources.http import Upstream
from backend.sources.huggingface import HuggingFace
from backend.sources.identify import identify
from backend.storage.base import Commit
from backend.storage.memory import MemoryStore
from demo.hub import DemoHub
from demo.items import Account, Organisation, dataset, model, repository
from metrics.evidence import Evidence, Fact, LinkedBy, Missing
from metrics.rating import GatePolicy, Rating, Verdict

MODEL, DATASET, CODE = ArtifactType.MODEL, ArtifactType.DATASET, ArtifactType.CODE
NOW = datetime(2025, 6, 1, tzinfo=UTC)
DAY = date(2025, 5, 1)

CARD = """---
license: apache-2.0
language: en
datasets: [birds]
model-index:
- name: owl-base
  results:
  - task: {type: image-classification}
    dataset: {name: Birds, type: birds}
    metrics: [{type: accuracy, value: 0.91}]
---
# Owl
Trained on sightings. The code is in [the repository](https://github.com/falcon/owl).
"""
SOURCE = '''
def hoot(volume: int) -> str:
    """Make a sound."""
    return "hoo" * volume


def silent(a, b):
    import os
    return a
'''
ORGANISATION = Organisation.of(
    Account("falcon", members=["ada", "bo"]),
    model(
        "falcon/owl-base",
        readme=CARD,
        files={"config.json": {"model_type": "owl"}},
        generated_files={"model.safetensors": 4000},
        moved_from=["owl-base", "nest/owl-base"],
    ),
    model("falcon/owl-gated", readme="# Gated", files={"config.json": {}}, gated="manual"),
    model("falcon/owl-bare", generated_files={"model.safetensors": 4000}),
    model(
        "falcon/owl-lora",
        readme="# LoRA",
        files={"adapter_config.json": {"base_model_name_or_path": "falcon/owl-base"}},
    ),
    model("falcon/owl-tuned", readme="---\nbase_model: falcon/owl-base\n---\n# Tuned"),
    model(
        "falcon/owl-merged",
        readme="---\nbase_model: [falcon/owl-tuned, falcon/owl-lora, falcon/owl-base]\n---\n# Merged",
    ),
    model("falcon/ouro", readme="---\nbase_model: falcon/boros\n---\n", moved_from=["ouro"]),
    model("falcon/boros", readme="---\nbase_model: falcon/ouro\n---\n"),
    model("falcon/ring-a", readme="---\nbase_model: ring-b\n---\n", moved_from=["ring-a", "nest/ring-a"]),
    model("falcon/ring-b", readme="---\nbase_model: [ring-a, falcon/ring-c]\n---\n", moved_from=["ring-b"]),
    model("falcon/ring-c", readme="---\nbase_model: [nest/ring-a, falcon/ring-b]\n---\n"),
    model("falcon/deep-4", readme="---\nbase_model: falcon/deep-3\n---\n"),
    model("falcon/deep-3", readme="---\nbase_model: falcon/deep-2\n---\n"),
    model("falcon/deep-2", readme="---\nbase_model: falcon/deep-1\n---\nCode: https://github.com/falcon/owl"),
    model("falcon/deep-1", readme="---\nbase_model: falcon/deep-0\n---\n"),
    model("falcon/deep-0", readme="# Root"),
    model("falcon/owl-orphan", readme="---\nbase_model: nobody/gone\ndatasets: [nobody/gone]\n---\n"),
    model("falcon/owl-lister", readme="---\ndatasets: [no/a, no/b, no/c, no/d]\n---\n# Lister\nWe used FlightPaths."),
    model("falcon/owl-teller", readme="# Teller\nWe used the FlightPaths collection."),
    dataset(
        "falcon/birds",
        readme="---\nlicense: cc-by-4.0\n---\n# Birds\nPictures of birds.",
        generated_files={"data/train.parquet": 9000},
        moved_from=["birds"],
    ),
    repository(
        "falcon/owl",
        files={"README.md": "# Owl code", "owl/hoot.py": SOURCE, "data/README.md": "# Data", "data/a.csv": "1,2\n"},
        commits=[
            {
                "on": DAY,
                "by": "ada",
                "what": "Hoot louder",
                "pull": 2,
                "lines": {"owl/hoot.py": "40/2", "uv.lock": 900},
            },
            {"on": DAY, "by": "bo", "what": "Fix typo", "lines": {"README.md": "1/1"}},
        ],
        reviews={2: {"bo": "approved"}},
        license="MIT",
        moved_from=["falcon/old-owl"],
    ),
)


@pytest.fixture
def hub() -> Iterator[DemoHub]:
    with DemoHub(ORGANISATION) as running:
        yield running


class Bench:
    """A gatherer on the stand-in hub, with a catalogue to register things in."""

    def __init__(self, hub: DemoHub) -> None:
        self.upstream = Upstream(hub.url, hub.github_url, attempts=2, backoff_s=0.001, total_timeout_s=10)
        self.store = MemoryStore()
        self.rated: list[str] = []
        self.gatherer = Gatherer(
            HuggingFace(self.upstream), GitHub(self.upstream), self.store, rate=self._rate, now=lambda: NOW
        )

    def _rate(self, evidence: Evidence) -> float:
        self.rated.append(evidence.name)
        return 0.5

    async def model(self, name: str, **links: Source) -> GatheredModel:
        url = f"https://huggingface.co/{name}"
        return await self.gatherer.model(identify(MODEL, url), name=name, url=url, viewer=LOCAL, **links)

    async def register(self, kind: ArtifactType, url: str, name: str, net_score: float | None = None) -> Artifact:
        artifact = Artifact(name, name, kind, url, identify(kind, url), "local", NOW, NOW)
        rating = None if net_score is None else await self._stored(artifact, net_score)
        await self.store.commit(Commit(artifact, rating=rating))
        return artifact

    async def _stored(self, artifact: Artifact, net_score: float) -> StoredRating:
        evidence = (await self.model(artifact.source.repo)).evidence
        rating = Rating(net_score, 0.1, {}, "MODEL", NOW, {}, {})
        return StoredRating(artifact.id, rating, Verdict(GatePolicy.OFF, 0.5, True, ()), evidence)


@pytest.fixture
async def bench(hub: DemoHub) -> AsyncIterator[Bench]:
    bench = Bench(hub)
    yield bench
    await bench.upstream.close()


def place(kind: ArtifactType, url: str) -> Source:
    return identify(kind, url)


# -- the model itself --------------------------------------------------------------------------------------------------


async def test_everything_about_a_model_is_in_one_record(bench: Bench) -> None:
    found = await bench.model("falcon/owl-base")
    evidence = found.evidence

    assert evidence.model.otherwise(None).card.licenses == ("apache-2.0",)
    assert [(claim.metric, claim.value) for claim in evidence.model.value.card.results] == [("accuracy", 0.91)]
    assert evidence.card.value.startswith("# Owl")
    assert evidence.config.value == {"model_type": "owl"}
    assert {file.path for file in evidence.files.value} >= {"model.safetensors", "README.md"}
    assert evidence.commits.value
    assert (found.license, found.commit) == ("Apache-2.0", evidence.model.value.sha)
    assert found.readme == CARD


async def test_each_fact_says_where_and_when_it_was_asked(bench: Bench, hub: DemoHub) -> None:
    evidence = (await bench.model("falcon/owl-base")).evidence

    for fact in (evidence.model, evidence.card, evidence.config, evidence.commits, evidence.dataset.record):
        assert fact.source.startswith(hub.url)
        assert fact.at == NOW


async def test_a_model_with_code_and_dataset_takes_few_requests_in_few_waves(bench: Bench, hub: DemoHub) -> None:
    hub.latency_s = 0.05

    evidence = (await bench.model("falcon/owl-base")).evidence

    sample = hub.asked(r"/commits/[0-9a-f]{40}|/reviews|/tarball|/archive/")
    assert len(hub.requests) - len(sample) <= 12
    assert hub.waves() <= 6
    assert evidence.upstream_requests == len(hub.requests)


async def test_the_same_sources_give_the_same_evidence(bench: Bench) -> None:
    gathered = [(await bench.model("falcon/owl-base")).evidence for _ in range(2)]

    first, second = [replace(evidence, gather_seconds=0.0, upstream_requests=0) for evidence in gathered]
    assert first == second


@pytest.mark.parametrize("name", ["owl-base", "nest/owl-base", "Falcon/OWL-base"])
async def test_a_model_is_known_by_the_id_it_has_now(bench: Bench, name: str) -> None:
    found = await bench.model(name)

    assert found.source.key == "huggingface:model:falcon/owl-base"
    assert found.evidence.card.known
    assert found.evidence.config.known


async def test_a_model_that_does_not_exist_is_not_found(bench: Bench) -> None:
    with pytest.raises(NotFound):
        await bench.model("falcon/nothing")


async def test_a_hub_that_is_down_is_an_error_of_the_hub(bench: Bench, hub: DemoHub) -> None:
    hub.fail("/api/models/", status=503, times=10)

    with pytest.raises(UpstreamFailed):
        await bench.model("falcon/owl-base")


async def test_a_hub_that_falls_silent_is_given_up_in_time(hub: DemoHub) -> None:
    hub.fail("/api/models/falcon/owl-base", times=10, stall_at=10)
    patient = Bench(hub)
    patient.upstream._total_timeout_s = 0.3

    with pytest.raises(UpstreamFailed, match="did not answer within"), anyio.fail_after(5):
        await patient.model("falcon/owl-base")

    await patient.upstream.close()


async def test_a_gated_model_has_a_record_and_says_what_it_withholds(bench: Bench) -> None:
    evidence = (await bench.model("falcon/owl-gated")).evidence

    assert evidence.model.value.gated
    assert evidence.config.missing is Missing.FORBIDDEN


async def test_a_model_without_card_or_configuration_states_none(bench: Bench) -> None:
    found = await bench.model("falcon/owl-bare")

    assert found.readme is None
    assert (found.evidence.card.missing, found.evidence.config.missing) == (Missing.NOT_STATED, Missing.NOT_STATED)


async def test_an_adapter_is_read_by_its_own_configuration(bench: Bench) -> None:
    found = await bench.model("falcon/owl-lora")

    assert found.evidence.config.value == {"base_model_name_or_path": "falcon/owl-base"}
    assert [(parent.name, parent.relation) for parent in found.evidence.parents] == [
        ("falcon/owl-base", Relation.ADAPTER)
    ]


# -- what it links -----------------------------------------------------------------------------------------------------


async def test_the_dataset_of_the_card_is_followed_to_its_present_id(bench: Bench) -> None:
    found = await bench.model("falcon/owl-base")
    linked = found.evidence.dataset

    assert (linked.name, linked.linked_by) == ("falcon/birds", LinkedBy.CARD_METADATA)
    assert linked.record.value.licenses == ("cc-by-4.0",)
    assert linked.card.value.startswith("# Birds")
    assert "huggingface:dataset:falcon/birds" in {link.target_key for link in found.links}


async def test_the_repository_of_the_card_is_read(bench: Bench) -> None:
    code = (await bench.model("falcon/owl-base")).evidence.code

    assert (code.key, code.linked_by) == ("github:code:falcon/owl", LinkedBy.CARD_TEXT)
    assert code.repo.value.license_spdx == "MIT"
    assert code.readme.value == "# Owl code"
    assert {file.path for file in code.tree.value} >= {"owl/hoot.py", "data/a.csv"}
    assert {person.login for person in code.contributors.value} == {"ada", "bo"}


async def test_reviews_are_sampled_and_generated_lines_left_out(bench: Bench) -> None:
    changes = (await bench.model("falcon/owl-base")).evidence.code.changes

    assert [(change.additions, change.pull, change.reviewers) for change in changes.value] == [
        (40, 2, ("bo",)),
        (1, None, ()),
    ]
    assert "2 newest commits" in changes.note


async def test_the_sources_are_analysed_without_being_run(bench: Bench) -> None:
    analysis = (await bench.model("falcon/owl-base")).evidence.code.analysis.value

    assert (analysis.files, analysis.functions) == (1, 2)
    assert (analysis.documented_functions, analysis.annotated_functions) == (1, 1)
    assert analysis.lint_findings >= 1


async def test_links_given_at_registration_come_before_the_card(bench: Bench) -> None:
    data = place(DATASET, "https://github.com/falcon/owl/tree/main/data")
    code = place(CODE, "https://github.com/falcon/old-owl")

    evidence = (await bench.model("falcon/owl-base", dataset=data, code=code)).evidence

    assert (evidence.dataset.linked_by, evidence.code.linked_by) == (LinkedBy.REGISTRATION,) * 2
    assert [file.path for file in evidence.dataset.files.value] == ["README.md", "a.csv"]
    assert evidence.code.key == "github:code:falcon/owl"


async def test_a_plain_link_is_kept_and_never_contacted(bench: Bench) -> None:
    data = place(DATASET, "https://www.kaggle.com/datasets/a/b")

    linked = (await bench.model("falcon/owl-base", dataset=data)).evidence.dataset

    assert (linked.key, linked.record.missing) == ("link:https://www.kaggle.com/datasets/a/b", Missing.NOT_ASKED)


async def test_code_elsewhere_is_kept_as_a_link_and_never_contacted(bench: Bench, hub: DemoHub) -> None:
    code = place(CODE, "https://gitlab.com/a/b")

    linked = (await bench.model("falcon/owl-base", code=code)).evidence.code

    assert (linked.key, linked.repo.missing, linked.analysis.missing) == (
        "link:https://gitlab.com/a/b",
        Missing.NOT_ASKED,
        Missing.NOT_ASKED,
    )
    assert hub.asked("^/gh/") == []


async def test_what_nothing_names_is_not_linked(bench: Bench) -> None:
    evidence = (await bench.model("falcon/owl-bare")).evidence

    assert (evidence.dataset.record.missing, evidence.code.repo.missing) == (Missing.NOT_LINKED, Missing.NOT_LINKED)
    assert evidence.parents == ()


async def test_a_registered_dataset_that_the_card_mentions_is_linked(bench: Bench) -> None:
    await bench.register(DATASET, "https://huggingface.co/datasets/falcon/birds", "FlightPaths")

    found = await bench.model("falcon/owl-teller")

    assert (found.evidence.dataset.name, found.evidence.dataset.linked_by) == ("falcon/birds", LinkedBy.NAME_MENTION)
    assert [(link.relation, link.target_key) for link in found.links] == [
        (Relation.DATASET, "huggingface:dataset:falcon/birds")
    ]


async def test_a_mentioned_dataset_stands_in_for_stated_ones_that_are_gone(bench: Bench, hub: DemoHub) -> None:
    await bench.register(DATASET, "https://huggingface.co/datasets/falcon/birds", "FlightPaths")

    found = await bench.model("falcon/owl-lister")

    assert found.evidence.dataset.name == "falcon/birds"
    assert len(found.links) == 5
    assert hub.asked("/no/c|/no/d") == []


async def test_a_dataset_given_at_registration_is_taken_at_its_word(bench: Bench) -> None:
    gone = place(DATASET, "https://huggingface.co/datasets/no/where")

    linked = (await bench.model("falcon/owl-base", dataset=gone)).evidence.dataset

    assert (linked.key, linked.record.missing) == (gone.key, Missing.NOT_FOUND)


async def test_a_bare_dataset_name_that_is_registered_needs_no_redirect(bench: Bench, hub: DemoHub) -> None:
    await bench.register(DATASET, "https://huggingface.co/datasets/falcon/birds", "birds")

    await bench.model("falcon/owl-base")

    assert [seen.path for seen in hub.asked("^/api/datasets/")] == ["/api/datasets/falcon/birds"]


@pytest.mark.parametrize(
    ("fault", "missing"),
    [
        ({"status": 503}, Missing.UNAVAILABLE),
        ({"drop": True}, Missing.UNAVAILABLE),
        ({"body": "<html>"}, Missing.UNAVAILABLE),
        ({"status": 429, "headers": {"Retry-After": "3600"}}, Missing.RATE_LIMITED),
        ({"status": 403, "headers": {"X-RateLimit-Remaining": "0", "Retry-After": "3600"}}, Missing.RATE_LIMITED),
        ({"status": 403}, Missing.FORBIDDEN),
        ({"status": 404}, Missing.NOT_FOUND),
    ],
    ids=["503", "dropped", "no json", "429", "rate limit", "403", "404"],
)
async def test_a_failing_repository_is_a_gap_and_not_an_error(
    bench: Bench, hub: DemoHub, fault: dict[str, Any], missing: Missing
) -> None:
    hub.fail("/gh/repos/", times=100, **fault)

    code = (await bench.model("falcon/owl-base")).evidence.code

    assert {fact.missing for fact in (code.repo, code.contributors, code.commits, code.tree)} == {missing}
    assert {fact.missing for fact in (code.changes, code.analysis)} == {missing}


async def test_things_that_do_not_exist_are_named_as_gaps(bench: Bench) -> None:
    evidence = (await bench.model("falcon/owl-orphan")).evidence

    assert evidence.dataset.record.missing is Missing.NOT_FOUND
    assert evidence.dataset.card.missing is Missing.NOT_FOUND
    assert [parent.net_score.missing for parent in evidence.parents] == [Missing.NOT_FOUND]


# -- ancestors ---------------------------------------------------------------------------------------------------------


async def test_an_unregistered_parent_is_gathered_and_rated(bench: Bench) -> None:
    (parent,) = (await bench.model("falcon/owl-tuned")).evidence.parents

    assert (parent.key, parent.relation) == ("huggingface:model:falcon/owl-base", Relation.FINE_TUNED_FROM)
    assert parent.net_score.value == 0.5
    assert bench.rated == ["owl-base"]


async def test_a_registered_parent_brings_the_rating_that_is_kept(bench: Bench) -> None:
    await bench.register(MODEL, "https://huggingface.co/falcon/owl-base", "owl", net_score=0.8)

    (parent,) = (await bench.model("falcon/owl-tuned")).evidence.parents

    assert (parent.net_score.value, bench.rated) == (0.8, [])


async def test_each_ancestor_is_rated_once(bench: Bench) -> None:
    parents = (await bench.model("falcon/owl-merged")).evidence.parents

    assert [parent.name for parent in parents] == ["falcon/owl-tuned", "falcon/owl-lora", "falcon/owl-base"]
    assert sorted(bench.rated) == ["owl-base", "owl-lora", "owl-tuned"]


@pytest.mark.parametrize("name", ["falcon/ouro", "ouro"])
async def test_models_that_name_each_other_do_not_wait_for_ever(bench: Bench, name: str) -> None:
    (parent,) = (await bench.model(name)).evidence.parents

    assert (parent.net_score.value, bench.rated) == (0.5, ["boros"])


@pytest.mark.parametrize("name", ["ring-a", "falcon/ring-a", "ring-b", "falcon/ring-c"])
async def test_a_ring_under_several_names_does_not_wait_for_ever(bench: Bench, name: str) -> None:
    with anyio.fail_after(20):
        found = await bench.model(name)

    assert found.evidence.parents


async def test_a_grandparent_is_rated_without_what_costs_its_host_most(bench: Bench, hub: DemoHub) -> None:
    await bench.model("falcon/deep-4")

    assert hub.asked("^/gh/repos/falcon/owl$")
    assert hub.asked("/pulls|/tarball") == []


async def test_the_lineage_is_followed_three_generations_back(bench: Bench, hub: DemoHub) -> None:
    await bench.model("falcon/deep-4")

    assert sorted(bench.rated) == ["deep-1", "deep-2", "deep-3"]
    assert hub.asked("deep-0") == []


# -- datasets and code -------------------------------------------------------------------------------------------------


async def test_a_dataset_is_gathered_with_its_files(bench: Bench) -> None:
    found = await bench.gatherer.dataset(place(DATASET, "https://huggingface.co/datasets/birds"))

    assert found.source.repo == "falcon/birds"
    assert (found.license, found.readme.splitlines()[-1]) == ("CC-BY-4.0", "Pictures of birds.")
    assert ("data/train.parquet", 9000) in {(file.path, file.size_bytes) for file in found.files}
    assert found.commit


async def test_a_subfolder_of_a_repository_is_an_artifact_of_its_own(bench: Bench) -> None:
    found = await bench.gatherer.dataset(place(DATASET, "https://github.com/falcon/owl/tree/main/data"))

    assert [file.path for file in found.files] == ["README.md", "a.csv"]
    assert found.source.key == "github:code:falcon/owl#data"


async def test_a_renamed_repository_is_known_by_its_present_name(bench: Bench) -> None:
    found = await bench.gatherer.code(place(CODE, "https://github.com/falcon/old-owl"))

    assert (found.source.repo, found.license, found.readme) == ("falcon/owl", "MIT", "# Owl code")
    assert len(found.commit) == 40


@pytest.mark.parametrize(
    ("kind", "url"),
    [
        (DATASET, "https://huggingface.co/datasets/falcon/none"),
        (DATASET, "https://github.com/falcon/none"),
        (CODE, "https://github.com/falcon/none"),
    ],
)
async def test_a_dataset_or_repository_that_is_not_there_is_not_found(
    bench: Bench, kind: ArtifactType, url: str
) -> None:
    gather = bench.gatherer.dataset if kind is DATASET else bench.gatherer.code

    with pytest.raises(NotFound):
        await gather(place(kind, url))


async def test_nothing_is_known_of_a_plain_link(bench: Bench, hub: DemoHub) -> None:
    source = place(CODE, "https://gitlab.com/a/b")

    assert await bench.gatherer.code(source) == Gathered(source=source)
    assert hub.requests == []


def test_a_fact_has_either_a_value_or_a_reason() -> None:
    assert Fact("x").known
    assert not Fact.lacking(Missing.NOT_FOUND).known

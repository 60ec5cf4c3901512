from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from backend.domain.artifact import Relation
from backend.services.evidence.code_links import code_in_card
from backend.services.evidence.links import (
    MAX_NAMES,
    is_distinctive,
    mentioned_names,
    mentions,
    stated_datasets,
    stated_parents,
)
from metrics.evidence import CardData, LinkedBy, ModelRecord, RepoFile

DAY = datetime(2025, 1, 1, tzinfo=UTC)


def record(
    model_id: str = "falcon/owl-base", tags: Sequence[str] = (), library: str | None = "transformers", **card: Any
) -> ModelRecord:
    return ModelRecord(
        id=model_id,
        author=model_id.split("/", maxsplit=1)[0],
        sha="0" * 40,
        created_at=DAY,
        last_modified=DAY,
        downloads=1,
        likes=1,
        pipeline_tag=None,
        library_name=library,
        tags=tuple(tags),
        gated=False,
        card=CardData(**card),
    )


def files(*paths: str) -> list[RepoFile]:
    return [RepoFile(path, 10) for path in paths]


# -- datasets ----------------------------------------------------------------------------------------------------------


def test_datasets_come_from_the_card_and_then_from_tags_each_once() -> None:
    stated = stated_datasets(record(datasets=("birds", "falcon/eggs"), tags=("dataset:falcon/eggs", "dataset:nests")))

    assert [(named.name, named.linked_by) for named in stated] == [
        ("birds", LinkedBy.CARD_METADATA),
        ("falcon/eggs", LinkedBy.CARD_METADATA),
        ("nests", LinkedBy.HUB_TAG),
    ]


@pytest.mark.parametrize("name", ["", "a/b/../c", "../etc", "a b", "https://evil.example/\\x", "x" * 3000])
def test_a_dataset_name_that_is_none_is_passed_over(name: str) -> None:
    assert stated_datasets(record(datasets=(name,))) == []


# -- parents -----------------------------------------------------------------------------------------------------------

BASE = "falcon/base"


@pytest.mark.parametrize(
    ("card", "tags", "config", "paths", "relation"),
    [
        ({"base_model_relation": "quantized"}, (), {}, ("model.safetensors",), Relation.QUANTIZED),
        ({"base_model_relation": "adapter"}, (), {}, ("model.gguf",), Relation.ADAPTER),
        ({}, (f"base_model:{BASE}", f"base_model:merge:{BASE}"), {}, (), Relation.MERGE),
        ({}, (f"base_model:finetune:{BASE}",), {}, (), Relation.FINE_TUNED_FROM),
        ({}, (), {}, ("adapter_config.json", "adapter_model.bin"), Relation.ADAPTER),
        ({}, (), {}, ("mergekit_config.yml", "model.safetensors"), Relation.MERGE),
        ({}, (), {}, ("owl.Q4_K_M.gguf",), Relation.QUANTIZED),
        ({}, (), {}, ("onnx/model.onnx", "onnx/model_int8.onnx"), Relation.QUANTIZED),
        ({}, (), {}, ("onnx/model.onnx", "pytorch_model.bin"), Relation.FINE_TUNED_FROM),
        ({}, (), {"quantization_config": {"bits": 4}}, ("model.safetensors",), Relation.QUANTIZED),
        ({}, (), {}, ("model.safetensors",), Relation.FINE_TUNED_FROM),
    ],
    ids=[
        "card says", "card before files", "tag says", "tag says finetune", "adapter", "mergekit", "gguf", "onnx",
        "onnx beside weights", "quantised weights", "nothing says",
    ],
)  # fmt: skip
def test_how_a_model_was_made_from_its_base(
    card: dict[str, Any], tags: tuple[str, ...], config: dict[str, Any], paths: tuple[str, ...], relation: Relation
) -> None:
    (parent,) = stated_parents(record(base_models=(BASE,), tags=tags, **card), config, files(*paths))

    assert (parent.named.name, parent.relation) == (BASE, relation)


def test_several_bases_make_a_merge() -> None:
    parents = stated_parents(record(base_models=("a/b", "c/d")), {}, [])

    assert [parent.relation for parent in parents] == [Relation.MERGE, Relation.MERGE]


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"_name_or_path": "falcon/base"}, [("falcon/base", Relation.BASE_MODEL)]),
        ({"base_model_name_or_path": "falcon/base", "_name_or_path": "a/b"}, [("falcon/base", Relation.BASE_MODEL)]),
        ({"_name_or_path": "falcon/owl-base"}, []),
        ({"_name_or_path": "nest/owl-base"}, [("nest/owl-base", Relation.BASE_MODEL)]),
        ({"_name_or_path": "owl"}, []),
        ({"_name_or_path": "/home/ada/owl"}, []),
        ({"_name_or_path": "./out/owl"}, []),
        ({"_name_or_path": "output/checkpoint-500"}, []),
        ({"_name_or_path": "ada/checkpoint-500"}, []),
        ({"_name_or_path": 7}, []),
        ({}, []),
    ],
)
def test_a_configuration_names_the_model_it_was_loaded_from(
    config: dict[str, Any], expected: list[tuple[str, Relation]]
) -> None:
    found = stated_parents(record(), config, [])

    assert [(parent.named.name, parent.relation) for parent in found] == expected


def test_the_card_comes_before_the_configuration() -> None:
    (parent,) = stated_parents(record(base_models=("a/b",)), {"_name_or_path": "c/d"}, [])

    assert (parent.named.name, parent.named.linked_by) == ("a/b", LinkedBy.CARD_METADATA)


def test_a_model_is_not_its_own_parent() -> None:
    assert stated_parents(record(base_models=("Falcon/Owl-Base", "owl-base")), {}, []) == []


# -- code --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("card", "expected"),
    [
        ("first released in [this repository](https://github.com/nest/hooting).", "nest/hooting"),
        ("## Usage\n\n```bash\ngit clone https://github.com/nest/hooting.git\n```", "nest/hooting"),
        ("## Citation\n\nSee https://github.com/nest/hooting.", "nest/hooting"),
        ("Thanks to https://github.com/nest/owl for help", "nest/owl"),
        ("Thanks to https://github.com/falcon/x", "falcon/x"),
        ("Thanks to https://github.com/nest/hooting for help", None),
        ("[![build](https://github.com/nest/hooting/actions/workflows/ci.yml/badge.svg)](x)", None),
        ("Code: [script](https://github.com/huggingface/transformers/blob/main/examples/run.py)", None),
        ("| [Eggs](https://github.com/nest/eggs) | citation pairs | 5 |", None),
        ("## Training data\n\nthe official [eggs](https://github.com/nest/eggs)", None),
        ("Source: https://github.com/huggingface/transformers and code https://github.com/nest/owl", "nest/owl"),
        ("no link at all, only github.com", None),
        ("code at https://github.com/orgs/nest", None),
    ],
    ids=["repository", "clone", "citation", "shared word", "same owner", "in passing", "badge", "library", "table",
         "training data", "best of two", "none", "no repository"],
)  # fmt: skip
def test_the_repository_that_a_card_presents(card: str, expected: str | None) -> None:
    found = code_in_card(card, record())

    assert (found and found.name) == expected


# -- mentions ----------------------------------------------------------------------------------------------------------


def test_likely_names_come_first_and_everyday_words_never() -> None:
    names = mentioned_names("This model was trained on BookCorpus and `bert-base` with data.", ["org/flight-paths"])

    assert names[:4] == ["org/flight-paths", "flight-paths", "BookCorpus", "bookcorpus"]
    assert "bert-base" in names
    assert not {"model", "data", "with", "This", "on"} & set(names)


def test_a_long_card_gives_a_bounded_number_of_names() -> None:
    assert len(mentioned_names(" ".join(f"word-{n}" for n in range(5000)), [])) == MAX_NAMES


@pytest.mark.parametrize(
    ("card", "name", "expected"),
    [
        ("trained on BookCorpus.", "bookcorpus", True),
        ("trained on (bookcorpus)", "bookcorpus", True),
        ("see org/bookcorpus", "bookcorpus", True),
        ("trained on bookcorpusopen", "bookcorpus", False),
        ("trained on my-bookcorpus", "bookcorpus", False),
        ("a model of data", "data", False),
        ("a.b", "a+b.c(d", False),
    ],
)
def test_a_mention_is_a_word_of_its_own(card: str, name: str, expected: bool) -> None:
    assert mentions(card, name) is expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [("bert", False), ("whisper", False), ("flight-paths", True), ("FlightPaths", True), ("moondream", True)],
)
def test_an_architectures_name_is_not_distinctive_enough_to_mean_a_repository(name: str, expected: bool) -> None:
    assert is_distinctive(name) is expected

"""Hypothesis strategies for whole evidence records, as odd as the outside world can make them."""

import string
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from metrics.evidence import (
    CardData,
    ClaimedResult,
    CodeAnalysis,
    CodeCommit,
    CodeEvidence,
    CodeRepo,
    Contributor,
    DatasetEvidence,
    DatasetRecord,
    DemonstrationRun,
    Evidence,
    Fact,
    HubCommit,
    LinkedBy,
    Missing,
    ModelRecord,
    ParentEvidence,
    RepoFile,
    ReviewedChange,
    RunOutcome,
    SecondReading,
    Suggestion,
)
from metrics.tests.factories import DATASET_CARD, FULL_CARD

COUNTS = st.integers(0, 10**12)
NAMES = st.sampled_from(["", "ann", "Ben", "dependabot[bot]", "acme", "çelik", "a/b", "acme/tiny-bert"])
TIMES = st.datetimes(datetime(2008, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds are naive by its contract
MAYBE_TIMES = st.none() | TIMES
LICENSES = st.sampled_from(
    ["mit", "apache-2.0", "other", "unknown", "", "openrail", "llama3.1", "cc-by-nc-4.0", "gpl-3.0", "(MIT OR", "§ 7"]
)
PATHS = st.sampled_from(
    [
        "model.safetensors",
        "model-00001-of-00002.safetensors",
        "model-00002-of-00002.safetensors",
        "pytorch_model.bin",
        "training_args.bin",
        "onnx/encoder_model.onnx",
        "onnx/decoder_model_merged.onnx",
        "adapter_model.safetensors",
        "unet/diffusion_pytorch_model.safetensors",
        "model_index.json",
        "1_Pooling/pytorch_model.bin",
        "tests/test_a.py",
        "a.py",
        ".github/workflows/ci.yml",
        "README.md",
        "LICENSE",
        "",
        "/",
        ".safetensors",
    ]
) | st.text(string.ascii_letters + "/._-", max_size=12)
MARKDOWN = st.lists(
    st.sampled_from(
        [
            FULL_CARD,
            DATASET_CARD,
            "# A\n",
            "## License\nMIT\n",
            "```python\nimport torch\n",
            "```\n",
            "| a | accuracy |\n|---|---|\n| IMDB | 9.1 |\n",
            "<!-- ",
            "-->",
            "[More Information Needed]\n",
            "    >>> x = 1\n",
            "pip install foo\n",
            "\x00",
            "> " * 30,
            "https://github.com/acme/tiny",
        ]
    )
    | st.text(max_size=30),
    max_size=6,
).map("".join)


def facts(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Fact[Any]]:
    return st.one_of(
        values.map(lambda value: Fact(value=value, source="https://hub.example/x")),
        st.sampled_from(Missing).map(Fact.lacking),
    )


def tuples(values: st.SearchStrategy[Any], most: int = 6) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(values, max_size=most).map(tuple)


REPO_FILES = tuples(st.builds(RepoFile, PATHS, st.integers(0, 10**12)), 10)
RESULTS = st.builds(
    ClaimedResult,
    st.none() | NAMES,
    st.none() | NAMES,
    st.none() | NAMES,
    st.none() | st.floats(allow_nan=True) | NAMES,
    st.booleans(),
)
CARD_DATA = st.builds(
    CardData,
    licenses=tuples(LICENSES, 3),
    license_name=st.none() | LICENSES,
    license_link=st.none() | NAMES,
    datasets=tuples(NAMES, 3),
    base_models=tuples(NAMES, 3),
    results=tuples(RESULTS, 4),
)
MODELS = st.builds(
    ModelRecord,
    id=NAMES,
    author=st.none() | NAMES,
    sha=st.none(),
    created_at=MAYBE_TIMES,
    last_modified=MAYBE_TIMES,
    downloads=COUNTS,
    likes=COUNTS,
    pipeline_tag=st.none() | NAMES,
    library_name=st.none() | NAMES,
    tags=tuples(st.sampled_from(["license:mit", "license:other", "arxiv:1.2", "x"])),
    gated=st.booleans(),
    card=CARD_DATA,
)
DATASETS = st.builds(
    DatasetEvidence,
    name=NAMES,
    linked_by=st.none() | st.sampled_from(LinkedBy),
    key=st.none() | NAMES,
    record=facts(
        st.builds(
            DatasetRecord,
            id=NAMES,
            author=st.none(),
            sha=st.none(),
            last_modified=MAYBE_TIMES,
            downloads=COUNTS,
            likes=COUNTS,
            tags=tuples(NAMES),
            gated=st.booleans(),
            licenses=tuples(LICENSES, 2),
            size_categories=tuples(NAMES, 1),
            splits=tuples(NAMES, 2),
            features=tuples(NAMES, 2),
            rows=st.none() | COUNTS,
        )
    ),
    card=facts(MARKDOWN),
    files=facts(REPO_FILES),
)
REPOS = st.builds(
    CodeRepo,
    full_name=NAMES,
    owner_is_organisation=st.booleans(),
    default_branch=st.just("main"),
    stars=COUNTS,
    forks=COUNTS,
    archived=st.booleans(),
    is_fork=st.booleans(),
    license_spdx=st.none() | LICENSES,
    created_at=MAYBE_TIMES,
    pushed_at=MAYBE_TIMES,
)
CHANGES = tuples(
    st.builds(ReviewedChange, NAMES, NAMES, st.integers(0, 10**6), st.none() | st.integers(1, 99), tuples(NAMES, 3))
)
CODE = st.builds(
    CodeEvidence,
    url=st.sampled_from(["", "https://github.com/acme/tiny"]),
    linked_by=st.none() | st.sampled_from(LinkedBy),
    key=st.none() | NAMES,
    repo=facts(REPOS),
    contributors=facts(tuples(st.builds(Contributor, NAMES, st.integers(0, 5_000), st.booleans()))),
    commits=facts(tuples(st.builds(CodeCommit, NAMES, NAMES, MAYBE_TIMES, st.booleans(), st.booleans()))),
    changes=facts(CHANGES),
    tree=facts(REPO_FILES),
    readme=facts(MARKDOWN),
    analysis=facts(st.builds(CodeAnalysis, *[st.integers(0, 10**6)] * 8)),
)
PARENTS = st.builds(
    ParentEvidence,
    name=NAMES,
    key=NAMES,
    relation=st.just("base_model"),
    linked_by=st.sampled_from(LinkedBy),
    net_score=facts(st.floats(0, 1)),
)
SUGGESTIONS = st.builds(Suggestion, st.floats(0, 1) | st.floats(allow_nan=True), st.text(max_size=300))
READINGS = st.builds(SecondReading, NAMES, SUGGESTIONS, SUGGESTIONS)
RUNS = st.builds(
    DemonstrationRun,
    outcome=st.sampled_from(RunOutcome),
    exit_status=st.none() | st.integers(0, 255),
    seconds=st.floats(0, 100),
    sandbox=NAMES,
    last_lines=st.text(max_size=300),
)
EVIDENCE = st.builds(
    Evidence,
    name=NAMES,
    url=st.just("https://huggingface.co/acme/tiny-bert"),
    gathered_at=TIMES,
    model=facts(MODELS),
    card=facts(MARKDOWN),
    files=facts(REPO_FILES),
    config=facts(st.dictionaries(st.just("base_model_name_or_path"), NAMES | st.none() | st.just("x/llama-7b"))),
    commits=facts(tuples(st.builds(HubCommit, NAMES, tuples(NAMES, 3), MAYBE_TIMES, NAMES))),
    dataset=DATASETS,
    code=CODE,
    parents=tuples(PARENTS, 3),
    gather_seconds=st.floats(0, 100),
    second_reading=facts(READINGS),
    demonstration=facts(RUNS),
)

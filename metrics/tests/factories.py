"""Evidence in a few words: every field has a plain default, and a test names only what it is about."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from metrics.evidence import (
    CardData,
    CodeCommit,
    CodeEvidence,
    CodeRepo,
    DatasetEvidence,
    DatasetRecord,
    Evidence,
    Fact,
    HubCommit,
    LinkedBy,
    Missing,
    ModelRecord,
    RepoFile,
    ReviewedChange,
)

NOW = datetime(2025, 6, 1, tzinfo=UTC)
ID = "acme/tiny-bert"

FULL_CARD = (
    """# Tiny BERT

A small model for sentences in English. """
    + "It is described at length. " * 60
    + """

## How to use

```python
from transformers import pipeline
classify = pipeline("text-classification", model="acme/tiny-bert")
classify("What a lovely day.")
```

## Limitations

It has seen news only, so it knows little of spoken language or of other countries.

## Training

It was trained for three epochs on the IMDB reviews with a learning rate of 2e-5.

## Evaluation

| Dataset | Accuracy | F1 |
| --- | --- | --- |
| IMDB | 91.2 | 90.8 |
| SST-2 | 92.4 | 92.1 |
| MRPC | 88.1 | 87.0 |
| QNLI | 89.9 | 90.1 |

See [the paper](https://arxiv.org/abs/2001.00001).

## Citation

```bibtex
@article{acme2020tiny, title={Tiny BERT}}
```
"""
)


def known(value: Any, source: str = "https://hub.example/x") -> Fact[Any]:
    return Fact(value=value, source=source, at=NOW)


def lacking(why: Missing = Missing.UNAVAILABLE) -> Fact[Any]:
    return Fact.lacking(why, "as the test wants it", "https://hub.example/x", NOW)


def files(*named: str | tuple[str, int]) -> Fact[Any]:
    return known(tuple(RepoFile(*((name, 1_000) if isinstance(name, str) else name)) for name in named))


def model(**fields: Any) -> Fact[Any]:
    plain = ModelRecord(
        id=ID,
        author="acme",
        sha="0" * 40,
        created_at=NOW - timedelta(days=400),
        last_modified=NOW - timedelta(days=30),
        downloads=1_000,
        likes=10,
        pipeline_tag="text-classification",
        library_name="transformers",
        tags=(),
        gated=False,
        card=CardData(licenses=("apache-2.0",)),
    )
    return known(replace(plain, **fields))


def hub_commits(*authors: str, every_days: float = 1.0) -> Fact[Any]:
    return known(
        tuple(
            HubCommit(str(n), (author,), NOW - timedelta(days=n * every_days), "Update")
            for n, author in enumerate(authors)
        )
    )


def code_commits(*authors: str, age_days: float = 0.0, every_days: float = 1.0) -> Fact[Any]:
    return known(
        tuple(
            CodeCommit(str(n), author, NOW - timedelta(days=age_days + n * every_days), is_bot=False, is_merge=False)
            for n, author in enumerate(authors)
        )
    )


def repo(**fields: Any) -> Fact[Any]:
    plain = CodeRepo(
        full_name="acme/tiny",
        owner_is_organisation=True,
        default_branch="main",
        stars=500,
        forks=10,
        archived=False,
        is_fork=False,
        license_spdx="MIT",
        created_at=NOW - timedelta(days=900),
        pushed_at=NOW - timedelta(days=10),
    )
    return known(replace(plain, **fields))


def code(**facts: Any) -> CodeEvidence:
    plain = CodeEvidence(
        url="https://github.com/acme/tiny",
        linked_by=LinkedBy.CARD_TEXT,
        key="github:code:acme/tiny",
        repo=repo(),
        contributors=known(()),
        commits=code_commits("ann", "ben", "cem"),
        changes=known((change(additions=10, pull=1, reviewers=("ben",)),)),
        tree=files("tiny/model.py", "tiny/data.py", "tests/test_model.py", "README.md", "pyproject.toml", "LICENSE"),
        readme=known("How to use it. " * 200),
        analysis=lacking(Missing.NOT_ASKED),
    )
    return replace(plain, **facts)


def change(
    *, additions: int, pull: int | None = None, reviewers: tuple[str, ...] = (), author: str = "ann"
) -> ReviewedChange:
    return ReviewedChange("0" * 40, author, additions, pull, reviewers)


def dataset_record(**fields: Any) -> Fact[Any]:
    plain = DatasetRecord(
        id="acme/reviews",
        author="acme",
        sha=None,
        last_modified=NOW - timedelta(days=100),
        downloads=20_000,
        likes=200,
        tags=("source_datasets:original",),
        gated=False,
        licenses=("cc-by-4.0",),
        size_categories=("10K<n<100K",),
        splits=("train", "test"),
        features=("text", "label"),
    )
    return known(replace(plain, **fields))


DATASET_CARD = (
    "# Reviews\n\n"
    + "Reviews of films by their viewers. " * 60
    + """

## Limitations

All reviews are in English and were written before 2011, so they miss newer films.
"""
)


def dataset(**facts: Any) -> DatasetEvidence:
    plain = DatasetEvidence(
        name="acme/reviews",
        linked_by=LinkedBy.CARD_METADATA,
        key="huggingface:dataset:acme/reviews",
        record=dataset_record(),
        card=known(DATASET_CARD),
        files=files("data/train.parquet", "data/test.parquet"),
    )
    return replace(plain, **facts)


def evidence(**fields: Any) -> Evidence:
    config: Mapping[str, Any] = {"model_type": "bert"}
    plain = Evidence(
        name=ID,
        url=f"https://huggingface.co/{ID}",
        gathered_at=NOW,
        model=model(),
        card=known(FULL_CARD),
        files=files(("model.safetensors", 100_000_000), "config.json", "tokenizer.json", "README.md"),
        config=known(config),
        commits=hub_commits("ann"),
    )
    return replace(plain, **fields)

"""Model and dataset cards: the YAML head apart from the text, and the head as evidence."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from backend.sources.loose import clean, count, mapping, objects, text, texts
from metrics.evidence import CardData, ClaimedResult

_HEAD = re.compile(r"\A\ufeff?---[ \t]*\r?\n(.*?)\r?\n---[ \t]*(?:\r?\n|\Z)", re.DOTALL)
_MAX_HEAD_CHARACTERS = 200_000
_MAX_RESULTS = 500


def split_card(readme: str) -> tuple[Mapping[str, Any], str]:
    """The YAML head, empty where there is none or it is broken, and the markdown below it."""
    found = _HEAD.match(readme)
    if found is None:
        return {}, clean(readme)
    body = clean(readme[found.end() :])
    if len(found[1]) > _MAX_HEAD_CHARACTERS:
        return {}, body
    try:
        return mapping(yaml.safe_load(found[1])), body
    except (yaml.YAMLError, ValueError, RecursionError):
        return {}, body


def card_data(head: Mapping[str, Any], model_index: Any = None) -> CardData:
    """The head as evidence; `model_index` is the hub's own copy of it where the head carries none."""
    return CardData(
        licenses=texts(head.get("license")),
        license_name=text(head.get("license_name")),
        license_link=text(head.get("license_link")),
        datasets=texts(head.get("datasets")),
        base_models=texts(head.get("base_model")),
        base_model_relation=text(head.get("base_model_relation")),
        languages=texts(head.get("language")),
        metrics=texts(head.get("metrics")),
        results=_results(head.get("model-index") or model_index),
    )


def _results(model_index: Any) -> tuple[ClaimedResult, ...]:
    """The results of a `model-index`, an entry for each metric."""
    claimed = [
        _result(mapping(result.get("task")), mapping(result.get("dataset")), metric)
        for model in objects(model_index)
        for result in objects(model.get("results"))
        for metric in objects(result.get("metrics"))
    ]
    return tuple(claimed[:_MAX_RESULTS])


def _result(task: Mapping[str, Any], dataset: Mapping[str, Any], metric: Mapping[str, Any]) -> ClaimedResult:
    return ClaimedResult(
        task=text(task.get("type")) or text(task.get("name")),
        dataset=text(dataset.get("name")) or text(dataset.get("type")),
        metric=text(metric.get("type")) or text(metric.get("name")),
        value=_value(metric.get("value")),
        verified=metric.get("verified") is True,
    )


def _value(value: Any) -> float | str | None:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value) if abs(value) < 1e300 else None  # noqa: PLR2004 - beyond it lie infinity and overflow
    return text(value)


def dataset_info(head: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...], int | None]:
    """Split names, feature names and the number of rows over all splits of the largest configuration."""
    stated = head.get("dataset_info")
    configurations: Sequence[Mapping[str, Any]] = [stated] if isinstance(stated, dict) else objects(stated)
    splits: list[str] = []
    features: list[str] = []
    rows: list[int] = []
    for configuration in configurations:
        parts = objects(configuration.get("splits"))
        splits += [name for part in parts if (name := text(part.get("name")))]
        features += [name for part in objects(configuration.get("features")) if (name := text(part.get("name")))]
        rows.append(sum(count(part.get("num_examples")) for part in parts))
    return tuple(dict.fromkeys(splits)), tuple(dict.fromkeys(features)), max(rows, default=0) or None

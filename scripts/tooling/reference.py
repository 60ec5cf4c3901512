"""Turn the settings, the metric catalogue and ratings into reference pages; a program of the environment."""

import sys
from collections.abc import Iterator
from enum import Enum
from typing import Any

from pydantic import AliasChoices, SecretStr
from pydantic.fields import FieldInfo

from backend.settings import Settings
from metrics.catalog import CATALOG
from metrics.metric import Metric
from tooling import places
from tooling.score_tables import demo_section, well_known_section

_WRITTEN_BY = "<!-- Written by scripts/generate-docs from {source}: change it there. -->"


def settings_page() -> str:
    """Write one row for every setting, in the order of the model."""
    rows = (_setting_row(name, field) for name, field in Settings.model_fields.items())
    return "\n".join(
        [
            "# Settings",
            "",
            _WRITTEN_BY.format(source="backend/settings.py"),
            "",
            "Each setting is read once, at the start, from the environment variable of its name.",
            "A combination that is not safe stops the start with a sentence that says what to set.",
            "",
            "| variable | default | what it does |",
            "| --- | --- | --- |",
            *rows,
            "",
        ]
    )


def _setting_row(name: str, field: FieldInfo) -> str:
    variable, *aliases = _variables(name, field)
    also = f" Also read from {', '.join(f'`{alias}`' for alias in aliases)}." if aliases else ""
    return _row(f"`{variable}`", _default(field), " ".join((field.description or "").split()) + also)


def _variables(name: str, field: FieldInfo) -> list[str]:
    if isinstance(field.validation_alias, AliasChoices):
        return [str(choice) for choice in field.validation_alias.choices]
    return [name.upper()]


def _default(field: FieldInfo) -> str:
    value: Any = field.default.value if isinstance(field.default, Enum) else field.default
    if value is None:
        return "unset"
    if isinstance(value, SecretStr):
        raise TypeError("a secret must not have a default")
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def metrics_page() -> str:
    """Write one section for every metric, in the order of the catalogue, between the weights and tables of scores."""
    metrics = tuple(CATALOG)
    return "\n".join(
        [
            "# Metrics",
            "",
            _WRITTEN_BY.format(source="metrics/catalog.py, the metrics it names, demo/ and docs/data"),
            "",
            "Each metric asks one question; its score lies in [0, 1], or is -1 where the question does not apply.",
            "The net score is the weighted mean; `METRIC_WEIGHTS` replaces the weights.",
            "",
            "| metric | weight | question |",
            "| --- | --- | --- |",
            *(_row(f"[`{each.name}`](#{each.name})", f"{each.weight:g}", each.question) for each in metrics),
            "",
            *(line for each in metrics for line in _metric_section(each)),
            *well_known_section(),
            *demo_section(),
        ]
    )


def _metric_section(metric: Metric) -> Iterator[str]:
    yield f"## {metric.name}"
    yield ""
    yield metric.question
    yield ""
    yield f"Weight {metric.weight:g}; reads {', '.join(f'`{fact}`' for fact in metric.reads)}."
    yield ""
    yield from (f"- {line}" for line in metric.scale)
    yield ""


def _row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


PAGES = {places.ROOT / "docs" / "settings.md": settings_page, places.ROOT / "docs" / "metrics.md": metrics_page}


def stale_pages() -> list[str]:
    """Name the pages whose text is not what the code says now."""
    return [
        str(path.relative_to(places.ROOT))
        for path, page in PAGES.items()
        if not path.exists() or path.read_text() != page().rstrip() + "\n"
    ]


def write_pages() -> None:
    """Write every page anew."""
    for path, page in PAGES.items():
        path.write_text(page().rstrip() + "\n")


if __name__ == "__main__":
    if "--check" in sys.argv[1:]:
        stale = stale_pages()
        sys.exit(f"Stale, run scripts/generate-docs: {', '.join(stale)}" if stale else 0)
    write_pages()

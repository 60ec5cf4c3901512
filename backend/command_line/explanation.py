"""A rating as a table for people: every score with what it rests on and what would raise it."""

from collections.abc import Iterator

from rich.console import Group
from rich.table import Table
from rich.text import Text

from backend.command_line.batch import Rated
from metrics.catalog import CATALOG
from metrics.metric import Finding, Kind, MetricResult

_SIGNS = {Kind.GIVES: "+", Kind.COSTS: "-", Kind.NOTES: "·", Kind.MISSING: "?"}
_STYLES = {Kind.GIVES: "green", Kind.COSTS: "red", Kind.NOTES: "", Kind.MISSING: "yellow"}


def explanation(rated: Rated) -> Group:
    """Show one model: its net score in the title, then a row for each finding."""
    rating = rated.stored.rating
    table = Table("metric")
    table.add_column("score", justify="right")
    table.add_column("points", justify="right")
    table.add_column("what was found", overflow="fold")
    for metric in CATALOG:
        result = rating.metrics[metric.name].result
        table.add_section()
        first = (Text(metric.name, style="bold"), Text(_score(result), style="bold"))
        for points, told in _rows(result):
            table.add_row(*first, points, told)
            first = (Text(), Text())
    title = f"{rated.name}  net score {rating.net_score:.2f}"
    asked = f"{rated.stored.evidence.upstream_requests} requests, {rating.net_latency_s:.1f} s"
    return Group(Text(title, style="bold"), Text(f"{rated.order.url}  ({asked})"), table, Text())


def _score(result: MetricResult) -> str:
    return "n/a" if result.score < 0 else f"{result.score:.2f}"


def _rows(result: MetricResult) -> Iterator[tuple[Text, Text]]:
    if result.parts:
        parts = ", ".join(f"{part} {score:.2f}" for part, score in result.parts.items())
        yield Text(), Text(parts)
    for finding in result.findings:
        yield Text(f"{finding.points:+.2f}" if finding.points else ""), _told(finding)
    if not result.findings and not result.parts:
        yield Text(), Text()


def _told(finding: Finding) -> Text:
    told = Text(f"{_SIGNS[finding.kind]} {_harmless(finding.summary)}", style=_STYLES[finding.kind])
    if finding.remedy:
        told.append(f"\n  to raise it: {_harmless(finding.remedy)}", style="dim")
    return told


def _harmless(text: str) -> str:
    """Spell out what a terminal would obey: findings quote cards, and a card may hold escape sequences."""
    return "".join(each if each.isprintable() else " " for each in text)

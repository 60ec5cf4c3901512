"""Tables of what real ratings came to, for the reference page of the metrics."""

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from backend.command_line.batch import Failed, Rated, rate_all
from backend.command_line.ndjson import scores
from backend.command_line.orders import Order, parse_orders
from backend.settings import Settings
from demo.hub import DemoHub
from demo.items import Organisation
from demo.load import load
from metrics.catalog import CATALOG
from tooling import places

WELL_KNOWN = places.ROOT / "docs" / "data" / "well-known-models.json"
DEVICES = ("raspberry_pi", "jetson_nano", "desktop_pc", "aws_server")
HEADINGS = {
    "net_score": "net",
    "ramp_up_time": "ramp-up",
    "bus_factor": "bus",
    "performance_claims": "claims",
    "license": "license",
    "size_score": "pi / nano / pc / aws",
    "dataset_and_code_score": "data + code",
    "dataset_quality": "data",
    "code_quality": "code",
    "reproducibility": "repro",
    "reviewedness": "reviewed",
    "tree_score": "tree",
}
ABSENT = "\\*"

Scores = Mapping[str, float | Mapping[str, float]]


def demo_section() -> Iterator[str]:
    """Rate the models of the demo organisation, as of its newest change, and write a row for each."""
    yield "## Scores of the demo organisation"
    yield ""
    yield "What `scripts/run --demo` shows: made-up models, rated as of the day of the organisation's newest change."
    yield ""
    yield from _heading("model")
    organisation = load()
    for rated in asyncio.run(_rate(organisation)):
        yield _row(rated.order.source.repo, scores(rated.stored.rating), ())
    yield ""


async def _rate(organisation: Organisation) -> list[Rated]:
    text = "\n".join(f"https://huggingface.co/{model.id}" for model in organisation.models.values())
    orders = [order for order in parse_orders(text) if isinstance(order, Order)]
    newest = _newest_change(organisation)
    with DemoHub(organisation) as hub:
        # Everything that the environment could change about a score is stated.
        settings = Settings(
            host="127.0.0.1",
            auth="auto",
            hf_endpoint=hub.url,
            github_api_url=hub.github_url,
            hf_token=None,
            github_token=None,
            metric_weights=None,
        )
        outcomes = [outcome async for outcome in rate_all(orders, settings, lambda _: None, now=lambda: newest)]
    failures = [f"{outcome.order.url}: {outcome.why}" for outcome in outcomes if isinstance(outcome, Failed)]
    if failures:
        raise RuntimeError("the demo organisation cannot be rated: " + "; ".join(failures))
    return [outcome for outcome in outcomes if isinstance(outcome, Rated)]


def _newest_change(organisation: Organisation) -> datetime:
    hub = (repo.commits[0].date for repo in (*organisation.models.values(), *organisation.datasets.values()))
    code = (change.date for repository in organisation.repositories.values() for change in repository.changes)
    return max(*hub, *code)


def well_known_section() -> Iterator[str]:
    """Write the scores that were measured of well-known models, and the published ones beside them."""
    data: dict[str, Any] = json.loads(WELL_KNOWN.read_text())
    yield "## Scores of well-known models"
    yield ""
    yield from data["about"]
    yield ""
    yield from _heading("model")
    yield from (_row(model["id"], model["scores"], model["absent"]) for model in data["models"])
    yield ""
    yield from data["about_published"]
    yield ""
    yield from _heading("model, and whose scores")
    measured = {model["id"]: model for model in data["models"]}
    for published in data["published"]:
        ours = measured[published["id"]]
        yield _row(f"{published['id']}, published", published["scores"], ())
        yield _row("measured here", ours["scores"], ours["absent"])
    yield ""


def _heading(first: str) -> Iterator[str]:
    yield f"| {first} | {' | '.join(HEADINGS[name] for name in _names())} |"
    yield f"| --- {'| --: ' * len(_names())}|"


def _row(name: str, found: Scores, absent: Sequence[str]) -> str:
    cells = (_cell(found.get(each)) + (ABSENT if each in absent else "") for each in _names())
    return f"| {name} | {' | '.join(cells)} |"


def _names() -> list[str]:
    return ["net_score", *(metric.name for metric in CATALOG)]


def _cell(score: float | Mapping[str, float] | None) -> str:
    match score:
        case None:
            return ""
        case float() | int():
            return "n/a" if score < 0 else f"{score:.2f}"
        case _:
            return " / ".join(f"{score[device]:.2f}" for device in DEVICES)

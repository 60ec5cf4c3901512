"""What a rating costs: CPU time from gathered evidence, and the upstream requests of gathering it."""

import argparse
import asyncio
import re
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import httpx2
from rich.table import Table

from backend.command_line.orders import Malformed, Order, Unreadable, parse_orders, read_orders
from backend.domain.errors import RegistryError
from backend.domain.user import LOCAL
from backend.services.evidence.gatherer import MAX_REQUESTS, Gatherer
from backend.settings import Settings
from backend.sources.budget import Budget
from backend.sources.http import Upstream
from backend.storage.factory import open_metadata
from backend.wiring import build_rating
from benches.figures import CannotMeasure, Figure, Machine, percentile, print_wide
from demo.hub import DemoHub
from demo.load import HERE, load
from metrics.card_text import read_card
from metrics.evidence import Evidence
from metrics.rating import rate

RATING_P90_MS = 50.0
REQUESTS = 12
WAVES = 6
_ASIDE = re.compile(r"/commits/[0-9a-f]{40}(/pulls)?$|/pulls/\d+/reviews|/tarball/")
_NOT_MODIFIED = 304


@dataclass(slots=True)
class Asked:
    """The requests of one gathering: all, those aside of reviews and archive, and those answered by 304."""

    requests: int = 0
    plain: int = 0
    unchanged: int = 0
    waves: int = 0


@dataclass(frozen=True, slots=True)
class Measured:
    """One model: its evidence, what was asked for it, and the CPU milliseconds of rating it."""

    name: str
    evidence: Evidence
    first: Asked
    again: Asked
    rating_ms: float

    @property
    def is_typical(self) -> bool:
        """Whether the target on requests is about it: with dataset and code, and without ancestors."""
        evidence = self.evidence
        return bool(evidence.dataset.name and evidence.code.url and not evidence.parents)


class WatchedUpstream(Upstream):
    """An upstream that counts what it is answered into `asked`; one gathering at a time."""

    asked = Asked()

    async def _send(self, pool: str, url: str, headers: Mapping[str, str]) -> httpx2.Response:
        response = await super()._send(pool, url, headers)
        self.asked.requests += 1
        self.asked.plain += not _ASIDE.search(url.partition("?")[0])
        self.asked.unchanged += response.status_code == _NOT_MODIFIED
        return response


def add_options(parser: argparse.ArgumentParser) -> None:
    """Which models to rate."""
    parser.add_argument("--organisation", type=Path, default=HERE, help="folder of a made-up organisation to serve")
    parser.add_argument("--models", metavar="URL_FILE", help="rate these, from HF_ENDPOINT and GITHUB_API_URL, instead")


def measure(options: argparse.Namespace, machine: Machine) -> Sequence[Figure]:
    """Gather every model twice and rate it once."""
    with _hub(options) as (hf_endpoint, github_api_url, orders):
        found = asyncio.run(_measure_all(hf_endpoint, github_api_url, orders))
    if not found:
        raise CannotMeasure("none of the models could be gathered; the lines above say why")
    _print_models(found)
    return _figures(found, machine)


@contextmanager
def _hub(options: argparse.Namespace) -> Iterator[tuple[str, str, list[Order]]]:
    """Where to read from and which models: the named ones at the configured hubs, else a made-up organisation."""
    if options.models:
        settings = Settings(host="127.0.0.1", auth="auto", grader_defaults=False)
        yield settings.hf_endpoint, settings.github_api_url, _orders(options.models)
        return
    organisation = load(options.organisation)
    urls = "\n".join(f"https://huggingface.co/{model.id}" for model in organisation.models.values())
    with DemoHub(organisation) as hub:
        yield hub.url, hub.github_url, [order for order in parse_orders(urls) if isinstance(order, Order)]


def _orders(place: str) -> list[Order]:
    try:
        orders = read_orders(place)
    except Unreadable as unreadable:
        raise CannotMeasure(str(unreadable)) from None
    wrong = next((order for order in orders if isinstance(order, Malformed)), None)
    if wrong:
        raise CannotMeasure(f"line {wrong.line}: {wrong.why}")
    return [order for order in orders if isinstance(order, Order)]


async def _measure_all(hf_endpoint: str, github_api_url: str, orders: Sequence[Order]) -> list[Measured]:
    """Measure one model after the other, each with a client of its own so that its first gathering is a first."""
    settings = Settings(host="127.0.0.1", auth="auto", grader_defaults=False)
    found = []
    for order in orders:
        upstream = WatchedUpstream(hf_endpoint, github_api_url)
        gatherer, _ = build_rating(settings, upstream, open_metadata("memory://"))
        try:
            evidence, first = await _gathered(gatherer, upstream, order)
            _, again = await _gathered(gatherer, upstream, order)
        except RegistryError as error:
            print(f"{order.url} is left out: {error}", file=sys.stderr)
            continue
        finally:
            await upstream.close()
        found.append(Measured(order.source.short_name, evidence, first, again, _rating_ms(evidence)))
    return found


async def _gathered(gatherer: Gatherer, upstream: WatchedUpstream, order: Order) -> tuple[Evidence, Asked]:
    upstream.asked, budget = Asked(), Budget(MAX_REQUESTS)
    found = await gatherer.model(
        order.source,
        name=order.source.short_name,
        url=order.url,
        dataset=order.dataset.source if order.dataset else None,
        code=order.code.source if order.code else None,
        viewer=LOCAL,
        budget=budget,
    )
    upstream.asked.waves = budget.waves
    return found.evidence, upstream.asked


def _rating_ms(evidence: Evidence) -> float:
    """CPU milliseconds of a rating by a process that has rated before, but never this model."""
    rate(evidence, timer=time.perf_counter)  # what is made once in a process is made by now
    read_card.cache_clear()
    started = time.thread_time()
    rate(evidence, timer=time.perf_counter)
    return (time.thread_time() - started) * 1000


def _figures(found: Sequence[Measured], machine: Machine) -> list[Figure]:
    times = [one.rating_ms for one in found]
    typical = [one for one in found if one.is_typical]
    figures = [
        Figure("rating, CPU, median", median(times), "ms"),
        Figure("rating, CPU, p90", percentile(times, 0.9), "ms", machine.target_ms(RATING_P90_MS)),
        Figure("rating, CPU, most", max(times), "ms"),
        Figure("waves of requests, most", max(one.first.waves for one in found if not one.evidence.parents), "", WAVES),
    ]
    if typical:
        most = max(one.first.plain for one in typical)
        figures.append(Figure("requests for a model with data and code, most", most, "", REQUESTS))
    return figures


def _print_models(found: Sequence[Measured]) -> None:
    table = Table("model", title="upstream requests")
    for heading in ("first", "of them plain", "waves", "again", "of them 304", "waves", "ancestors", "rating, ms"):
        table.add_column(heading, justify="right")
    for one in found:
        counts = (one.first.requests, one.first.plain, one.first.waves)
        repeated = (one.again.requests, one.again.unchanged, one.again.waves)
        table.add_row(one.name, *map(str, (*counts, *repeated, len(one.evidence.parents))), f"{one.rating_ms:.1f}")
    print_wide(table)

"""What the busiest requests cost the server: CPU time a request and requests a second, beside bare Starlette."""

import argparse
import asyncio
import json
import random
import tempfile
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from rich.table import Table

from backend.domain.page import encode_cursor
from backend.domain.source import ArtifactType
from backend.storage.factory import open_metadata
from benches import seed
from benches.drive import Load
from benches.figures import CannotMeasure, Figure, Machine, print_wide
from benches.served import Cost, Served, bare, registry
from benches.served import measure as measure_cost

SIZES = (1_000, 20_000)
SAMPLE = 5_000
"""Different artifacts that are asked for in turn, so that no answer is a memory of the one before."""
PAGE = 100
MOST_CREATED = 100_000

GET_US = 60.0
PAGE_US = 120.0
CREATE_US = 200.0
SEARCH_US = 3_000.0
LEAST_CREATED = 4_000.0
OF_BARE = 2.0
"""Bare Starlette may answer at most so many times as many requests."""
OF_GET = 2.0
"""What a stored fact about one artifact may cost, in reads of an artifact."""


@dataclass(frozen=True, slots=True)
class Case:
    """One kind of request: how to spell many of them, what it is held to, and the bare peer's path.

    `target_us` is CPU time a request; `peer` is None where a bare app does nothing like it.
    """

    name: str
    requests: Callable[["Spelling"], Sequence[str]]
    target_us: float | None = None
    peer: str | None = None
    expected: str = "200"
    once: bool = False


@dataclass(frozen=True, slots=True)
class Spelling:
    """Writes requests to a registry of `count` artifacts."""

    count: int
    token: str

    def request(self, method: str, path: str, body: object = None) -> str:
        """A whole HTTP/1.1 request."""
        text = "" if body is None else json.dumps(body)
        sent = f"Content-Type: application/json\r\nContent-Length: {len(text)}\r\n" if text else ""
        return f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nX-Authorization: {self.token}\r\n{sent}\r\n{text}"

    def sampled(self, path: str, kind: ArtifactType | None = None) -> list[str]:
        """GETs of artifacts from everywhere in the registry; `path` has places for `type` and `id`."""
        chosen = random.Random(1)
        numbers = (chosen.randrange(min(self.count, seed.RATED) if kind else self.count) for _ in range(SAMPLE * 4))
        wanted = [number for number in numbers if kind in {None, seed.kind_of(number)}][:SAMPLE]
        return [self.request("GET", path.format(type=seed.kind_of(each), id=seed.artifact_id(each))) for each in wanted]


def _page(spelling: Spelling, after: int) -> list[str]:
    offset = f"?offset={encode_cursor(seed.artifact_id(after))}" if after else ""
    return [spelling.request("POST", f"/artifacts{offset}", [{"name": "*"}])]


def _first_page(spelling: Spelling) -> list[str]:
    return _page(spelling, 0)


def _last_page(spelling: Spelling) -> list[str]:
    return _page(spelling, spelling.count - PAGE - 1)


def _searches(spelling: Spelling) -> list[str]:
    readable = [number for number in range(min(spelling.count, SAMPLE)) if number % 8 != 1]
    return [spelling.request("POST", "/artifact/byRegEx", {"regex": f"{seed.needle(each)}"}) for each in readable[:50]]


def _creations(spelling: Spelling) -> list[str]:
    salt = random.SystemRandom().getrandbits(40)
    return [
        spelling.request(
            "POST",
            "/artifact/code",
            {"url": f"https://made.example/{seed.needle(salt + each)}/{seed.needle(~salt - each)}"},
        )
        for each in range(MOST_CREATED)
    ]


def _about_models(path: str) -> Callable[[Spelling], Sequence[str]]:
    return lambda spelling: spelling.sampled(path, ArtifactType.MODEL)


CASES = (
    Case("get", lambda spelling: spelling.sampled("/artifacts/{type}/{id}"), GET_US, "/ready/one"),
    Case("page, first", _first_page, PAGE_US, "/ready/page"),
    Case("page, last", _last_page, PAGE_US, "/ready/page"),
    Case("rate", _about_models("/artifact/model/{id}/rate"), peer="/ready/one"),
    Case("lineage", _about_models("/artifact/model/{id}/lineage"), peer="/ready/one"),
    Case("cost", lambda spelling: spelling.sampled("/artifact/{type}/{id}/cost"), peer="/ready/one"),
    Case("search", _searches, SEARCH_US),
    Case("create", _creations, CREATE_US, expected="201", once=True),
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """How large, how long, and which requests."""
    parser.add_argument("--artifacts", type=int, nargs="+", default=SIZES, metavar="N", help="sizes of the registry")
    parser.add_argument("--seconds", type=float, default=1.0, help="how long each request is asked for in each run")
    parser.add_argument("--runs", type=int, default=3, help="the median of so many is told")
    parser.add_argument("--connections", type=int, default=16, help="how many clients ask at once")
    parser.add_argument("--only", nargs="+", metavar="CASE", help=f"of {', '.join(case.name for case in CASES)}")
    parser.add_argument("--after", type=int, default=0, metavar="REQUESTS", help="answer so many reads beforehand")
    parser.add_argument("--data-dir", type=Path, help="a folder that `scripts/bench load` has filled, of the one size")


def measure(options: argparse.Namespace, machine: Machine) -> Sequence[Figure]:
    """Fill a registry of each size and ask it everything."""
    chosen = [case for case in CASES if not options.only or case.name in options.only]
    if not chosen:
        raise CannotMeasure(f"none of {', '.join(options.only)} is among {', '.join(case.name for case in CASES)}")
    return [figure for count in options.artifacts for figure in _of_size(count, chosen, options, machine)]


def _of_size(count: int, cases: Sequence[Case], options: argparse.Namespace, machine: Machine) -> list[Figure]:
    with _filled(count, options.data_dir) as folder, registry(folder) as (served, token):
        spelling = Spelling(count, token)
        idle_mb = served.resident_mb()
        if options.after:
            reads = CASES[0].requests(spelling)
            measure_cost(served, Load(served.port, reads, options.connections, count=options.after))
        one, page = (_answer_bytes(served, spelling, token, case) for case in CASES[:2])
        with bare(folder / "registry.db", one_bytes=one, page_bytes=page) as peer:
            costs = {case.name: _medians(case, served, peer, spelling, options) for case in cases}
        _print(count, costs, idle_mb, served.resident_mb())
    return list(_figures(count, {case.name: case for case in cases}, costs, machine))


@contextmanager
def _filled(count: int, data_dir: Path | None) -> Iterator[Path]:
    """A data folder with so many artifacts; the one that is given, or one that is gone afterwards."""
    if data_dir is not None:
        yield data_dir
        return
    with tempfile.TemporaryDirectory(prefix="registry-bench-") as made:
        asyncio.run(_fill(Path(made), count))
        yield Path(made)


async def _fill(folder: Path, count: int) -> None:
    store = open_metadata(f"sqlite:///{folder / 'registry.db'}")
    try:
        await seed.fill(store, count)
    finally:
        await store.close()


def _answer_bytes(served: Served, spelling: Spelling, token: str, case: Case) -> int:
    """How long the body of an answer is."""
    head, _, body = case.requests(spelling)[0].partition("\r\n\r\n")
    method, path, _ = head.split(" ", 2)
    headers = {"X-Authorization": token, "Content-Type": "application/json"}
    asked = urllib.request.Request(
        f"http://127.0.0.1:{served.port}{path}", body.encode() or None, headers, method=method
    )
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(asked, timeout=30) as answer:
        return len(answer.read())


def _medians(
    case: Case, served: Served, peer: Served, spelling: Spelling, options: argparse.Namespace
) -> tuple[Cost, Cost | None]:
    """What a case costs here and at the peer, asked by turns."""
    ours, theirs = [], []
    peer_requests = [spelling.request("GET", case.peer)] if case.peer else []
    for _ in range(options.runs):
        load = Load(served.port, case.requests(spelling), options.connections, options.seconds, once=case.once)
        ours.append(measure_cost(served, load, case.expected))
        if peer_requests:
            theirs.append(
                measure_cost(peer, Load(peer.port, peer_requests, options.connections, min(1, options.seconds)))
            )
    return _median(ours), _median(theirs) if theirs else None


def _median(costs: Sequence[Cost]) -> Cost:
    return Cost(
        median(each.cpu_us for each in costs),
        median(each.per_second for each in costs),
        median(each.p50_ms for each in costs),
        median(each.p99_ms for each in costs),
    )


def _figures(
    count: int, cases: Mapping[str, Case], costs: Mapping[str, tuple[Cost, Cost | None]], machine: Machine
) -> Iterator[Figure]:
    for name, (ours, theirs) in costs.items():
        beside = theirs.cpu_us if theirs else None
        target = cases[name].target_us
        limit = machine.target_ms(target) if target else None
        if name in {"rate", "lineage", "cost"} and "get" in costs:
            limit = OF_GET * costs["get"][0].cpu_us
        yield Figure(f"{name}, CPU a request, of {count:,}", ours.cpu_us, "us", limit, beside)
        if name == "get" and theirs:
            yield Figure(
                f"bare Starlette's rate over {name}'s, of {count:,}", theirs.per_second / ours.per_second, "x", OF_BARE
            )
        if name == "create":
            slower = LEAST_CREATED / ours.per_second * 10 / machine.reference_ms
            yield Figure(f"{LEAST_CREATED:,.0f}/s over the rate of {name}, of {count:,}", slower, "x", 1.0)


def _print(count: int, costs: Mapping[str, tuple[Cost, Cost | None]], idle_mb: float, after_mb: float) -> None:
    title = f"{count:,} artifacts; memory {idle_mb:.0f} MB when idle, {after_mb:.0f} MB afterwards"
    table = Table("request", title=title)
    for heading in ("CPU, us", "a second", "p50, ms", "p99, ms", "bare: CPU, us", "a second", "ratio"):
        table.add_column(heading, justify="right")
    for name, (ours, theirs) in costs.items():
        row = [f"{ours.cpu_us:,.1f}", f"{ours.per_second:,.0f}", f"{ours.p50_ms:.2f}", f"{ours.p99_ms:.2f}"]
        if theirs:
            share = ours.per_second / theirs.per_second
            row += [f"{theirs.cpu_us:,.1f}", f"{theirs.per_second:,.0f}", f"{share:.2f}"]
        table.add_row(name, *row)
    print_wide(table)

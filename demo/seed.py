"""Register the invented organisation's artifacts with a running registry, over its own API."""

import asyncio
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from typing import Any

import httpx2
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

AT_ONCE = 4
PATIENCE_S = 300.0
POLL_S = 0.25
HUB = "https://huggingface.co"
GITHUB = "https://github.com"
STAR, LEAF = "birdnote-small", "birdnote-uplands-onnx"
"""The model to look at first, and the end of the longest lineage."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One artifact to register."""

    type: str
    name: str
    url: str


def _on_hub(kind: str, *ids: str) -> tuple[Wanted, ...]:
    space = f"{HUB}/datasets" if kind == "dataset" else HUB
    return tuple(Wanted(kind, repo.rsplit("/", maxsplit=1)[-1], f"{space}/{repo}") for repo in ids)


STAGES: tuple[tuple[Wanted, ...], ...] = (
    (
        *_on_hub("dataset", "wrenfield/dawn-chorus", "tideglass/plankton-tiles", "osterlund/nordic-pairs"),
        Wanted("dataset", "pick-logs", f"{GITHUB}/kestrel-robotics/pick-logs"),
        Wanted("dataset", "orchard-leaves", "https://data.orchard-open.example/sets/orchard-leaves"),
        Wanted("code", "birdnote", f"{GITHUB}/wrenfield/birdnote"),
        Wanted("code", "fjord", f"{GITHUB}/osterlund/fjord"),
        Wanted("code", "leafspot-training", f"{GITHUB}/hollis-agro/leafspot"),
        Wanted("code", "plankton", f"{GITHUB}/tideglass/instruments/tree/master/plankton"),
        Wanted("code", "gripper", f"{GITHUB}/kestrel-robotics/gripper"),
    ),
    (
        *_on_hub("model", "wrenfield/birdnote-small", "fjord-embed-mini", "osterlund/fjord-chat-2b"),
        *_on_hub("model", "wrenfield/frogsong-tiny", "tideglass/plankton-net", "tideglass/coral-segmenter"),
        *_on_hub("model", "kestrel-robotics/gripper-policy", "hollis-agro/leafspot"),
        *_on_hub("model", "j-marchetti/audio_gender_clf", "ppnguyen88/final_model_v3"),
    ),
    _on_hub(
        "model",
        "wrenfield/birdnote-uplands",
        "wrenfield/owl-detector",
        "quantbarn/fjord-embed-mini-GGUF",
        "mvasquez/fjord-chat-recipes-lora",
    ),
    (*_on_hub("model", f"quantbarn/{LEAF}"), *_on_hub("dataset", "wrenfield/pond-nights")),
)
"""What is registered, in stages: those of one stage do not need each other, and may go at the same time.

`fjord-embed-mini` goes by the bare name it had of old, and `pond-nights` comes after the model that names it.
"""


class Outcome(StrEnum):
    """What became of one artifact."""

    ADDED = "added"
    THERE = "there already"
    REFUSED = "refused by the gate"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one artifact: its id where the registry holds it, else the registry's own words."""

    wanted: Wanted
    outcome: Outcome
    artifact_id: str | None = None
    detail: str = ""


class RegistryUnreachable(Exception):
    """Nothing that behaves like a registry answers at the address."""


async def seed(
    base: str, report: Callable[[Result], None], stages: Sequence[Sequence[Wanted]] = STAGES
) -> list[Result]:
    """Register everything, a few at a time; `report` hears of each artifact as it is settled.

    Raises:
        RegistryUnreachable: nobody answers at `base`, or somebody who is no registry.
    """
    turn = asyncio.Semaphore(AT_ONCE)
    results: list[Result] = []
    async with httpx2.AsyncClient(base_url=base, timeout=PATIENCE_S) as client:
        await _insist_on_registry(client, base)

        async def settle(wanted: Wanted) -> None:
            async with turn:
                result = await _register(client, wanted)
            results.append(result)
            report(result)

        try:
            for stage in stages:
                async with asyncio.TaskGroup() as tasks:
                    for wanted in stage:
                        tasks.create_task(settle(wanted))
        except* httpx2.TransportError as lost:
            raise RegistryUnreachable(f"the registry at {base} went away: {lost.exceptions[0]}") from lost
    return results


async def _insist_on_registry(client: httpx2.AsyncClient, base: str) -> None:
    try:
        status = (await client.get("/health", timeout=10)).status_code
    except (httpx2.TransportError, httpx2.InvalidURL) as error:
        raise RegistryUnreachable(f"no registry answers at {base}: {error}") from error
    if status != httpx2.codes.OK:
        raise RegistryUnreachable(f"{base} answers, but /health says {status}: is this the registry's address?")


async def _register(client: httpx2.AsyncClient, wanted: Wanted) -> Result:
    body = {"name": wanted.name, "url": wanted.url}
    answer = await client.post(f"/artifact/{wanted.type}", json=body)
    match answer.status_code:
        case 201:
            return Result(wanted, Outcome.ADDED, answer.json()["metadata"]["id"])
        case 202:
            return await _follow(client, wanted, answer)
        case 409:
            return Result(wanted, Outcome.THERE, answer.headers.get("location", "").rsplit("/", 1)[-1] or None)
        case 424:
            return Result(wanted, Outcome.REFUSED, detail=_detail(answer))
        case status:
            return Result(wanted, Outcome.FAILED, detail=f"{status}: {_detail(answer)}")


async def _follow(client: httpx2.AsyncClient, wanted: Wanted, accepted: httpx2.Response) -> Result:
    """Watch the job of an artifact that takes longer than the registry lets a caller wait."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + PATIENCE_S
    while loop.time() < deadline:
        job = (await client.get(accepted.headers["location"])).json()
        if job["state"] == "done":
            return Result(wanted, Outcome.ADDED, job["artifact_id"])
        if job["state"] in {"failed", "dead"}:
            error = job["error"] or {"code": "", "detail": f"the job is {job['state']}"}
            outcome = Outcome.REFUSED if error["code"] == "Refused" else Outcome.FAILED
            return Result(wanted, outcome, detail=error["detail"])
        await asyncio.sleep(POLL_S)
    return Result(wanted, Outcome.FAILED, detail=f"still not there after {PATIENCE_S:.0f} seconds")


def _detail(answer: httpx2.Response) -> str:
    try:
        problem: Any = answer.json()
    except ValueError:
        return answer.text[:200]
    return str(problem.get("detail", problem)) if isinstance(problem, dict) else str(problem)


def run(base: str) -> int:
    """Seed the registry at `base`, show how it goes, and return the exit code."""
    base = base.rstrip("/")
    try:
        with _progress(sum(map(len, STAGES))) as report:
            results = asyncio.run(seed(base, report))
    except RegistryUnreachable as error:
        print(
            f"Nothing was registered: {error}.\nStart one with scripts/run --demo, or name it with --base.",
            file=sys.stderr,
        )
        return 1
    print(_summary(results))
    print(
        _where_to_look(
            base, _page(base), {result.wanted.name: result.artifact_id for result in results if result.artifact_id}
        )
    )
    return 1 if any(result.outcome is Outcome.FAILED for result in results) else 0


@contextmanager
def _progress(total: int) -> Iterator[Callable[[Result], None]]:
    """Show a bar on a terminal, and a line for each artifact elsewhere."""
    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        count = iter(range(1, total + 1))
        yield lambda result: print(f"[{next(count)}/{total}] {_line(result)}", file=sys.stderr, flush=True)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("Registering", total=total)

        def show(result: Result) -> None:
            progress.advance(bar)
            if result.outcome in {Outcome.REFUSED, Outcome.FAILED}:
                console.print(_line(result), markup=False)

        yield show


def _line(result: Result) -> str:
    told = f" ({result.detail})" if result.detail else ""
    return f"{result.wanted.type} {result.wanted.name}: {result.outcome}{told}"


def _summary(results: Sequence[Result]) -> str:
    counts = {outcome: sum(result.outcome is outcome for result in results) for outcome in Outcome}
    summary = ", ".join(f"{count} {outcome}" for outcome, count in counts.items() if count) + "."
    if counts[Outcome.FAILED]:
        summary += " Do HF_ENDPOINT and GITHUB_API_URL of the registry name the demo's hub (python -m demo)?"
    return summary


def _page(base: str) -> str:
    """The registry's own page, or its API reference where it was built without one."""
    return f"{base}/" if httpx2.get(f"{base}/", follow_redirects=True).is_success else f"{base}/docs"


def _where_to_look(base: str, page: str, ids: dict[str, str]) -> str:
    """The page, and calls that can be pasted."""
    search = f"curl -s {base}/artifact/byRegEx -H 'Content-Type: application/json'"
    lines = [f"The page:    {page}", f"""Search:      {search} -d '{{"regex": "[Bb]ird"}}'"""]
    if STAR in ids:
        lines.append(f"A rating:    curl -s {base}/artifact/model/{ids[STAR]}/rate")
    if LEAF in ids:
        lines.append(f"A lineage:   curl -s {base}/artifact/model/{ids[LEAF]}/lineage")
    return "\n".join(lines)


def everything() -> list[Wanted]:
    """All artifacts of all stages."""
    return list(chain.from_iterable(STAGES))

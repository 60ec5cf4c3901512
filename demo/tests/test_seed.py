"""Seeding, against a registry that really runs."""

import asyncio
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from backend.settings import MirrorPolicy
from backend.tests.live import live_registry, settings_for
from demo import seed
from demo.hub import DemoHub
from demo.seed import Outcome, Result, Wanted
from metrics.rating import GatePolicy

CHECKOUT = Path(__file__).resolve().parents[2]
FROG = Wanted("model", "frogsong-tiny", "https://huggingface.co/wrenfield/frogsong-tiny")
PICKLE = Wanted("model", "audio_gender_clf", "https://huggingface.co/j-marchetti/audio_gender_clf")
NOWHERE = Wanted("dataset", "nothing", "https://huggingface.co/datasets/wrenfield/nothing")


@pytest.fixture(scope="module")
def registry(shared_hub: DemoHub) -> Iterator[httpx2.Client]:
    with live_registry(settings_for(shared_hub, mirror=MirrorPolicy.NONE)) as live:
        yield live.client


def _seeded(base: str, *wanted: Wanted) -> list[Result]:
    return asyncio.run(seed.seed(base, lambda _: None, [wanted]))


def _run(base: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "demo", "seed", "--base", base]
    return subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False, timeout=120)  # noqa: S603  our own words


def test_everything_is_registered_and_the_second_time_is_there(registry: httpx2.Client) -> None:
    first, second = _run(str(registry.base_url)), _run(str(registry.base_url))

    total = len(seed.everything())
    assert (first.returncode, second.returncode) == (0, 0)
    assert first.stdout.startswith(f"{total} added.")
    assert second.stdout.startswith(f"{total} there already.")
    assert f"[{total}/{total}]" in first.stderr
    assert first.stdout.splitlines()[1:] == second.stdout.splitlines()[1:]


def test_the_calls_it_prints_work(registry: httpx2.Client) -> None:
    lines = dict(line.split(":", 1) for line in _run(str(registry.base_url)).stdout.splitlines()[1:])

    page, rating, lineage = (lines[name].split()[-1] for name in ("The page", "A rating", "A lineage"))
    assert registry.get(page).status_code == 200
    assert registry.get(rating).json()["name"] == seed.STAR
    assert seed.STAR in [node["name"] for node in registry.get(lineage).json()["nodes"]]
    _, address, _, header, _, body = shlex.split(lines["Search"])[1:]
    name, value = header.split(": ")
    found = registry.post(address, content=body, headers={name: value}).json()
    assert seed.STAR in [artifact["name"] for artifact in found]


def test_a_refusal_by_the_gate_is_shown_with_its_reason(shared_hub: DemoHub) -> None:
    with live_registry(settings_for(shared_hub, gate=GatePolicy.NET, mirror=MirrorPolicy.NONE)) as live:
        result = _seeded(live.base, PICKLE)[0]

    assert (result.outcome, result.artifact_id) == (Outcome.REFUSED, None)
    assert "net_score" in result.detail


@pytest.mark.parametrize(
    ("wanted", "outcome"), [(FROG, Outcome.ADDED), (NOWHERE, Outcome.FAILED)], ids=["taken in", "missing"]
)
def test_a_job_is_followed_to_its_end(shared_hub: DemoHub, wanted: Wanted, outcome: Outcome) -> None:
    with live_registry(settings_for(shared_hub, ingest_wait_seconds=0, mirror=MirrorPolicy.NONE)) as live:
        result = _seeded(live.base, wanted)[0]

    assert result.outcome == outcome
    assert (result.artifact_id is not None) == (outcome is Outcome.ADDED)


def test_what_is_missing_fails_and_the_rest_goes_on(registry: httpx2.Client) -> None:
    results = {result.wanted: result for result in _seeded(str(registry.base_url), NOWHERE, FROG)}

    assert results[NOWHERE].outcome is Outcome.FAILED
    assert results[NOWHERE].detail.startswith("404: ")
    assert results[FROG].artifact_id


def test_a_registry_that_is_not_there_is_said_in_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert seed.run("http://127.0.0.1:9") == 1

    assert "no registry answers at http://127.0.0.1:9" in capsys.readouterr().err


def test_something_else_at_the_address_is_no_registry(shared_hub: DemoHub, capsys: pytest.CaptureFixture[str]) -> None:
    assert seed.run(shared_hub.url) == 1

    assert "is this the registry's address?" in capsys.readouterr().err

"""Thousands of requests made from our own document: none is answered by a 5xx that it does not have, or against it.

`SCHEMATHESIS_CASES=20000 scripts/test backend/tests/test_schemathesis.py` is the long version, for before a release: it
goes on with other seeds until so many cases were sent, to a registry on SQLite as well as to one in memory.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import httpx2
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from backend.api.tests.organisation import ORGANISATION
from backend.tests.live import REPOSITORY, Live, live_registry, settings_for
from demo.hub import DemoHub

CASES_IN_CI = 2_000
CASES = int(os.environ.get("SCHEMATHESIS_CASES", CASES_IN_CI))
STORES = ["memory://", "sqlite:///{folder}/registry.db"] if CASES > CASES_IN_CI else ["memory://"]
PASSWORD = "a-password-nobody-guesses"
SIGN_IN = {"auth": "required", "admin_password": PASSWORD, "jwt_secret": "a-signing-key-of-more-than-32-characters"}
CONFIG = Path(__file__).with_suffix("").parent / "schemathesis.toml"
GENERATED = re.compile(r"(\d+) generated")
LINKS = re.compile(r"API Links: +(\d+) covered")


@pytest.fixture(scope="module")
def hub() -> Iterator[DemoHub]:
    with DemoHub(ORGANISATION) as running:
        yield running


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(request.param).format(folder=tmp_path)


@contextmanager
def _registry(hub: DemoHub, store: str, **chosen: str) -> Iterator[Live]:
    """A registry that waits for an ingest no longer than it takes here."""
    with live_registry(settings_for(hub, metadata_url=store, ingest_wait_seconds=2, **chosen)) as live:
        yield live


@dataclass(frozen=True)
class Sent:
    """How many requests were sent, and how many of the document's links were followed."""

    cases: int
    links: int


def _run(live: Live, seed: int, *arguments: str) -> Sent:
    """Send what schemathesis thinks of for this seed, and give how much that was; fails with its findings."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    result = subprocess.run(  # noqa: S603 - our own tool, and no shell
        [
            Path(sys.executable).with_name("schemathesis"),
            *("--config-file", CONFIG, "run", f"{live.base}/openapi.json", "--no-color", "--seed", str(seed)),
            *arguments,
        ],
        env=environment | {"SCHEMATHESIS_HOOKS": "backend.tests.schemathesis_hooks", "PYTHONPATH": str(REPOSITORY)},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout[-20_000:] + result.stderr[-5_000:]
    cases, links = GENERATED.search(result.stdout), LINKS.search(result.stdout)
    assert cases, result.stdout
    assert links, result.stdout
    return Sent(int(cases[1]), int(links[1]))


def _run_until(cases: int, live: Live, *arguments: str) -> Sent:
    """Run with one seed after another until so many cases were sent; the links are those of the best run."""
    sent = links = 0
    for seed in count(1):
        one = _run(live, seed, *arguments)
        sent, links = sent + one.cases, max(links, one.links)
        if sent >= cases:
            break
    return Sent(sent, links)


def test_the_document_is_valid(hub: DemoHub) -> None:
    with _registry(hub, "memory://") as live:
        document = live.client.get("/openapi.json").json()

    assert document["openapi"].startswith("3.1.")
    validate(document, cls=OpenAPIV31SpecValidator)


def test_an_open_registry_answers_as_it_says(hub: DemoHub, store: str) -> None:
    with _registry(hub, store) as live:
        assert _run_until(CASES, live).cases >= CASES


def test_one_answer_leads_to_the_next_request(hub: DemoHub, store: str) -> None:
    with _registry(hub, store) as live:
        sent = _run_until(CASES // 4, live, "--phases", "stateful")

    assert sent.links >= 10, "registrations no longer succeed, so nothing follows from them"


def test_a_registry_with_sign_in_answers_an_administrator_as_it_says(hub: DemoHub, store: str) -> None:
    with _registry(hub, store, **SIGN_IN) as live:
        header = f"X-Authorization: {_token(live.client)}"

        assert _run_until(CASES // 4, live, "--phases", "fuzzing,stateful", "--header", header).links >= 10


def test_a_registry_with_sign_in_answers_a_stranger_as_it_says(hub: DemoHub, store: str) -> None:
    with _registry(hub, store, **SIGN_IN) as live:
        _run_until(CASES // 4, live, "--phases", "fuzzing,stateful")

        headers = {"X-Authorization": _token(live.client)}
        assert live.client.post("/artifacts", json=[{"name": "*"}], headers=headers).json() == []


def _token(client: httpx2.Client) -> str:
    body = {"user": {"name": "admin", "is_admin": True}, "secret": {"password": PASSWORD}}
    return str(client.put("/authenticate", json=body).json())

"""The ready answers in front of the router are those of the routes behind it."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from backend.api.access_log import AccessLog
from backend.api.ready import Ready
from backend.app import create_app
from backend.tests.live import Live, settings_for

JSON = {"Content-Type": "application/json"}
ASIDE = {"content-type": "application/json; charset=utf-8"}
"""A spelling that means the same and that only the route reads."""
NAMES = ["plain", 'quoted "name"', "back\\slash", "naïve 名前 🦉", "</script>", "&amp;", "tab\u00a0space", "\u2028"]


@pytest.fixture
def named(client: httpx2.Client) -> list[str]:
    """Ids of plain links whose names are hard to spell."""
    answers = [
        client.post("/artifact/code", json={"url": f"https://code.example/{at}", "name": name})
        for at, name in enumerate(NAMES)
    ]
    return [answer.json()["metadata"]["id"] for answer in answers]


@pytest.fixture
def answered_here(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Paths of the requests that the layer in front has answered itself."""
    answered: list[str] = []
    send = Ready._send

    async def watched(self: Ready, answer: Any, scope: Any, *rest: Any) -> None:
        answered.append(scope["path"])
        await send(self, answer, scope, *rest)

    monkeypatch.setattr(Ready, "_send", watched)
    return answered


def _same(ready: httpx2.Response, routed: httpx2.Response) -> bool:
    def told(answer: httpx2.Response) -> Any:
        varying = {"date", "x-correlation-id"}
        return answer.status_code, answer.content, {k: v for k, v in answer.headers.items() if k not in varying}

    assert told(ready) == told(routed)
    return ready.status_code == 200


def test_an_artifact_is_spelt_as_its_route_spells_it(
    client: httpx2.Client, named: list[str], answered_here: list[str]
) -> None:
    for each in named:
        path = f"/artifacts/code/{each}"
        assert _same(client.get(path), client.get(path, params={"aside": "1"}))

    assert len(answered_here) == len(named)


def test_a_rating_is_spelt_as_its_route_spells_it(
    client: httpx2.Client, take_in: Callable[..., str], answered_here: list[str]
) -> None:
    path = f"/artifact/model/{take_in('https://huggingface.co/acme/tiny')}/rate"

    assert _same(client.get(path), client.get(path, params={"refresh": "false"}))

    assert answered_here == [path]


@pytest.mark.parametrize("paging", ["", "limit=3", "offset=0", "limit=1000"])
def test_pages_are_spelt_as_their_route_spells_them(
    client: httpx2.Client, named: list[str], answered_here: list[str], paging: str
) -> None:
    body = json.dumps([{"name": "*"}, {"name": "plain", "types": ["code"]}]).encode()

    ready = client.post(f"/artifacts?{paging}", content=body, headers=JSON)
    assert _same(ready, client.post(f"/artifacts?{paging}", content=body, headers=ASIDE))
    listed = client.get(f"/artifacts/code?{paging}")
    assert _same(listed, client.get(f"/artifacts/code?{paging}&aside=1"))

    assert answered_here == ["/artifacts", "/artifacts/code"]
    assert [each["id"] for each in listed.json()] == named[:3] if paging == "limit=3" else named


def test_a_page_leads_to_the_next(client: httpx2.Client, named: list[str]) -> None:
    first = client.post("/artifacts?limit=5", json=[{"name": "*"}])
    second = client.post(f"/artifacts?limit=5&offset={first.headers['offset']}", json=[{"name": "*"}])

    assert [each["id"] for each in first.json() + second.json()] == named
    assert "offset" not in second.headers


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/artifacts/model/0000", None, 404),
        ("GET", "/artifacts/models/0000", None, 400),
        ("GET", "/artifacts/model/no_such", None, 400),
        ("GET", "/artifact/model/0000/rate", None, 404),
        ("POST", "/artifacts?limit=1001", b'[{"name": "*"}]', 400),
        ("POST", "/artifacts?limit=0", b'[{"name": "*"}]', 400),
        ("POST", "/artifacts?offset=nonsense", b'[{"name": "*"}]', 400),
        ("POST", "/artifacts", b"[]", 400),
        ("POST", "/artifacts", b'[{"name": NaN}]', 400),
        ("POST", "/artifacts", b'[{"name": "x", "name": "*"}]', 400),
        ("POST", "/artifacts", b'{"name": "*"}', 400),
        ("POST", "/artifacts", b"", 400),
    ],
)
def test_what_is_not_plain_is_answered_by_the_route(
    client: httpx2.Client, answered_here: list[str], method: str, path: str, body: bytes | None, status: int
) -> None:
    answer = client.request(method, path, content=body, headers=JSON)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answered_here == []


def test_ready_answers_count_and_carry_the_correlation_id(registry: Live, named: list[str]) -> None:
    traffic = registry.services.registry.health.traffic
    before = traffic.within(5)

    answer = registry.client.get(f"/artifacts/code/{named[0]}", headers={"X-Correlation-ID": "build-42_step.7"})

    assert answer.headers["x-correlation-id"] == "build-42_step.7"
    after = traffic.within(5)
    route = "GET /artifacts/{artifact_type}/{id}"
    assert after.routes[route] == before.routes.get(route, 0) + 1
    assert after.types["code"] == before.types.get("code", 0) + 1


def test_every_ready_answer_has_a_route_that_documents_it() -> None:
    documented = create_app(settings_for()).openapi()["paths"]

    assert {"/artifacts/{artifact_type}/{id}", "/artifacts/{artifact_type}", "/artifact/model/{id}/rate"} <= set(
        documented
    )
    assert "post" in documented["/artifacts"]


async def test_lines_of_one_turn_of_the_loop_are_written_together() -> None:
    batches: list[list[str]] = []
    log = AccessLog(batches.append)
    scope = {
        "method": "GET",
        "path": "/artifacts/model/1",
        "route": type("Route", (), {"path": "/artifacts/{artifact_type}/{id}"}),
        "client": ("127.0.0.1", 1),
        "user_name": 'the "admin"',
    }

    log.request(scope, 200, 0.001234, "one")
    log.request(scope, 200, 0.001234, "two")
    assert batches == []
    await asyncio.sleep(0)

    assert [json.loads(line)["correlation_id"] for line in batches[0]] == ["one", "two"]
    assert json.loads(batches[0][0]) | {"timestamp": ""} == {
        "method": "GET",
        "route": "/artifacts/{artifact_type}/{id}",
        "path": "/artifacts/model/1",
        "status": 200,
        "ms": 1.23,
        "client": "127.0.0.1",
        "user": 'the "admin"',
        "event": "request",
        "correlation_id": "one",
        "level": "info",
        "timestamp": "",
    }

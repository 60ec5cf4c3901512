import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest

from backend.api.tests.organisation import (
    BARE,
    CHILD,
    GATED,
    KAGGLE,
    NOWHERE,
    TINY,
    TOOLS,
    WORDS,
)
from backend.api.tests.problems import problem_of
from backend.tests.live import Live, live_registry, settings_for
from demo.hub import DemoHub


def _listing(client: httpx2.Client) -> list[dict[str, Any]]:
    return list(client.post("/artifacts", json=[{"name": "*"}]).json())


@pytest.mark.parametrize(
    ("kind", "url", "name"),
    [
        ("model", TINY, "tiny"),
        ("model", f"{TINY}/tree/main", "tiny"),
        ("model", f"{TINY}/?library=transformers", "tiny"),
        ("dataset", WORDS, "words"),
        ("dataset", TOOLS, "tools"),
        ("code", TOOLS, "tools"),
        ("code", f"{TOOLS}.git", "tools"),
        ("code", f"{TOOLS}/tree/main/src/deep", "deep"),
        ("dataset", KAGGLE, "birds"),
    ],
)
def test_an_artifact_is_taken_in_and_can_be_read_at_once(client: httpx2.Client, kind: str, url: str, name: str) -> None:
    answer = client.post(f"/artifact/{kind}", json={"url": url})

    assert answer.status_code == 201, answer.text
    body = answer.json()
    artifact_id = body["metadata"]["id"]
    assert re.fullmatch(r"[a-zA-Z0-9\-]+", artifact_id)
    assert body["metadata"] == {"name": name, "id": artifact_id, "type": kind}
    assert body["data"]["url"] == url
    assert answer.headers["location"] == str(client.base_url.join(f"/artifacts/{kind}/{artifact_id}"))
    assert client.get(f"/artifacts/{kind}/{artifact_id}").json() == body


def test_a_name_of_ones_own_is_kept_to_the_letter(client: httpx2.Client) -> None:
    name = '  My/Own "näme" 🤗 % + & ?  '

    answer = client.post("/artifact/model", json={"url": TINY, "name": name})

    assert answer.json()["metadata"]["name"] == name


def test_the_download_url_is_absolute_and_works(client: httpx2.Client) -> None:
    url = client.post("/artifact/dataset", json={"url": WORDS}).json()["data"]["download_url"]

    assert url.startswith("http://127.0.0.1:")
    assert httpx2.get(url).status_code == 200


BAD_REQUESTS = {
    "no url": ("model", {}),
    "empty url": ("model", {"url": ""}),
    "url is a number": ("model", {"url": 5}),
    "url is null": ("model", {"url": None}),
    "url is a list": ("model", {"url": [TINY]}),
    "not a URL": ("model", {"url": "acme/tiny"}),
    "http": ("model", {"url": TINY.replace("https", "http")}),
    "another host": ("model", {"url": "https://example.org/acme/tiny"}),
    "dataset as model": ("model", {"url": WORDS}),
    "code as model": ("model", {"url": TOOLS}),
    "model as dataset": ("dataset", {"url": TINY}),
    "model as code": ("code", {"url": TINY}),
    "a page of the hub": ("model", {"url": "https://huggingface.co/docs/hub"}),
    "very long url": ("model", {"url": TINY + "x" * 3_000}),
    "empty name": ("model", {"url": TINY, "name": ""}),
    "name is the wildcard": ("model", {"url": TINY, "name": "*"}),
    "name with a line break": ("model", {"url": TINY, "name": "a\r\nb"}),
    "very long name": ("model", {"url": TINY, "name": "x" * 513}),
    "name is a number": ("model", {"url": TINY, "name": 3}),
    "linked dataset is no dataset": ("model", {"url": TINY, "dataset_url": TINY}),
    "linked code is no URL": ("model", {"url": TINY, "code_url": "tools"}),
    "links of a dataset": ("dataset", {"url": WORDS, "code_url": TOOLS}),
    "an array": ("model", [{"url": TINY}]),
    "a string": ("model", TINY),
    "null": ("model", None),
    "unknown type": ("models", {"url": TINY}),
    "type in capitals": ("MODEL", {"url": TINY}),
}


@pytest.mark.parametrize(("kind", "body"), BAD_REQUESTS.values(), ids=BAD_REQUESTS.keys())
def test_a_malformed_registration_is_400_and_contacts_nobody(
    client: httpx2.Client, hub: DemoHub, kind: str, body: Any
) -> None:
    answer = client.post(f"/artifact/{kind}", json=body)

    assert problem_of(answer, 400)["errors"]
    assert hub.requests == []
    assert _listing(client) == []


@pytest.mark.parametrize(("kind", "url"), [("model", NOWHERE), ("dataset", f"{WORDS}-x"), ("code", f"{TOOLS}-x")])
def test_what_does_not_exist_at_its_source_is_404_and_leaves_nothing(registry: Live, kind: str, url: str) -> None:
    answer = registry.client.post(f"/artifact/{kind}", json={"url": url})

    problem_of(answer, 404)
    assert _listing(registry.client) == []
    assert registry.blobs() == []


def test_a_gated_model_is_502_and_names_the_sources_answer(client: httpx2.Client, hub: DemoHub) -> None:
    hub.fail("/api/models/acme/secret", status=403, times=9)

    answer = client.post("/artifact/model", json={"url": GATED})

    assert problem_of(answer, 502)["upstream_status"] in {401, 403}
    assert _listing(client) == []


def _same_place() -> list[tuple[str, str, str]]:
    return [
        ("model", TINY, TINY),
        ("model", TINY, f"{TINY}/tree/main"),
        ("model", TINY, TINY.replace("acme", "Acme")),
        ("model", TINY, f"{TINY}/"),
        ("dataset", KAGGLE, KAGGLE + "/"),
        ("code", TOOLS, f"{TOOLS}.git"),
    ]


@pytest.mark.parametrize(("kind", "first", "second"), _same_place())
def test_the_same_place_twice_is_409_and_names_the_first(
    client: httpx2.Client, kind: str, first: str, second: str
) -> None:
    known = client.post(f"/artifact/{kind}", json={"url": first}).json()["metadata"]["id"]

    answer = client.post(f"/artifact/{kind}", json={"url": second, "name": "another"})

    body = problem_of(answer, 409)
    assert known in body["detail"]
    assert body["artifact_id"] == known
    assert answer.headers["location"].endswith(f"/artifacts/{kind}/{known}")
    assert [each["id"] for each in _listing(client)] == [known]


def test_one_place_may_be_registered_under_two_types(client: httpx2.Client) -> None:
    answers = [client.post(f"/artifact/{kind}", json={"url": TOOLS}) for kind in ("code", "dataset")]

    assert [answer.status_code for answer in answers] == [201, 201]


def test_of_two_registrations_at_once_exactly_one_wins(client: httpx2.Client, hub: DemoHub) -> None:
    hub.fail("GET /api/models/acme/tiny", delay_s=0.1, times=1)

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: client.post("/artifact/model", json={"url": TINY}), range(2)))

    assert sorted(answer.status_code for answer in answers) == [201, 409]
    lost = next(answer for answer in answers if answer.status_code == 409)
    won = next(answer for answer in answers if answer.status_code == 201)
    assert problem_of(lost, 409)["artifact_id"] == won.json()["metadata"]["id"]
    assert len(_listing(client)) == 1


def test_a_plain_link_is_kept_without_contacting_anyone(client: httpx2.Client, hub: DemoHub) -> None:
    answer = client.post("/artifact/dataset", json={"url": KAGGLE})

    assert answer.status_code == 201
    artifact_id = answer.json()["metadata"]["id"]
    assert hub.requests == []
    problem_of(client.get(f"/artifact/dataset/{artifact_id}/download"), 404)
    assert client.get(f"/artifact/dataset/{artifact_id}/files").json() == []


OUTAGES: dict[str, tuple[dict[str, Any], int]] = {
    "500": ({"status": 500}, 502),
    "503": ({"status": 503}, 502),
    "429 for long": ({"status": 429, "headers": {"Retry-After": "120"}}, 503),
    "connection reset": ({"drop": True}, 502),
    "silence": ({"delay_s": 5.0}, 502),
    "stalls within the answer": ({"stall_at": 10}, 502),
    "cut off": ({"cut_at": 10}, 502),
    "not JSON": ({"body": "<html>down for maintenance</html>"}, 502),
    "JSON of another shape": ({"body": "[1, 2]"}, 502),
    "empty": ({"body": ""}, 502),
}


@pytest.mark.parametrize(("fault", "status"), OUTAGES.values(), ids=OUTAGES.keys())
@pytest.mark.parametrize(("kind", "url"), [("model", TINY), ("code", TOOLS)], ids=["hub", "GitHub"])
def test_a_source_that_fails_is_told_and_leaves_nothing(
    registry: Live, hub: DemoHub, kind: str, url: str, fault: dict[str, Any], status: int
) -> None:
    hub.fail(r"GET /(api|gh)/", times=500, **fault)

    answer = registry.client.post(f"/artifact/{kind}", json={"url": url})

    body = problem_of(answer, status)
    if "status" in fault:
        assert body["upstream_status"] == fault["status"]
    if status == 503:
        assert int(answer.headers["retry-after"]) == 120
    assert _listing(registry.client) == []
    assert registry.blobs() == []
    hub.clear()
    registry.settle()
    assert registry.client.post(f"/artifact/{kind}", json={"url": url}).status_code == 201


def test_a_source_that_refuses_connections_is_502() -> None:
    with live_registry(settings_for(None)) as live:
        answer = live.client.post("/artifact/model", json={"url": TINY})

        body = problem_of(answer, 502)
        assert body["upstream_status"] is None
        assert _listing(live.client) == []


def test_a_source_that_fails_once_is_asked_again(client: httpx2.Client, hub: DemoHub) -> None:
    hub.fail("GET /api/models/acme/tiny", times=1, status=503)

    assert client.post("/artifact/model", json={"url": TINY}).status_code == 201


def test_a_model_that_the_gate_refuses_is_424_with_each_shortfall_and_leaves_nothing(hub: DemoHub) -> None:
    with live_registry(settings_for(hub, gate="all", gate_threshold=0.5)) as live:
        answer = live.client.post("/artifact/model", json={"url": BARE})

        body = problem_of(answer, 424)
        assert {"metric", "score", "threshold", "findings", "remedies"} <= set(body["shortfalls"][0])
        assert "license" in {each["metric"] for each in body["shortfalls"]}
        assert all(each["score"] < 0.5 for each in body["shortfalls"])
        assert _listing(live.client) == []
        assert live.blobs() == []
        assert live.client.post("/artifact/dataset", json={"url": WORDS}).status_code == 201


def test_an_ingest_that_nobody_waits_for_is_202_with_a_job_to_watch(hub: DemoHub) -> None:
    with live_registry(settings_for(hub, ingest_wait_seconds=0)) as live:
        hub.fail("GET /api/models/acme/tiny", delay_s=0.15, times=1)
        answer = live.client.post("/artifact/model", json={"url": TINY})

        assert answer.status_code == 202
        artifact_id = answer.json()["metadata"]["id"]
        problem_of(live.client.get(f"/artifacts/model/{artifact_id}"), 404)
        problem_of(live.client.get(f"/artifact/model/{artifact_id}/rate"), 404)
        job = answer.headers["location"]
        assert httpx2.get(job).json()["state"] in {"queued", "running"}

        live.idle()

        assert httpx2.get(job).json()["state"] == "done"
        assert live.client.get(f"/artifacts/model/{artifact_id}").status_code == 200
        assert live.client.get(f"/artifact/model/{artifact_id}/rate").status_code == 200


def test_a_refused_ingest_that_nobody_waits_for_tells_why_in_its_job(hub: DemoHub) -> None:
    with live_registry(settings_for(hub, ingest_wait_seconds=0, gate="net", gate_threshold=1)) as live:
        answer = live.client.post("/artifact/model", json={"url": CHILD})
        live.idle()

        job = httpx2.get(answer.headers["location"]).json()
        assert (job["state"], job["error"]["code"]) == ("failed", "Refused")
        assert "net_score" in job["error"]["detail"]
        assert _listing(live.client) == []


def test_links_of_a_registration_count_in_its_rating(take_in: Any, client: httpx2.Client) -> None:
    alone = take_in(BARE)
    before = client.get(f"/artifact/model/{alone}/rate").json()
    client.delete(f"/artifacts/model/{alone}")

    linked = take_in(BARE, dataset_url=WORDS, code_url=TOOLS)

    after = client.get(f"/artifact/model/{linked}/rate").json()
    assert after["dataset_and_code_score"] > before["dataset_and_code_score"]

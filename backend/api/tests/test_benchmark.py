"""The download benchmark over real HTTP: the registry's own clients against the registry itself."""

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from backend.api.tests.problems import problem_of
from backend.domain.ids import new_id
from backend.services.benchmark.service import MAX_CLIENTS, SUBJECT
from backend.tests.live import Live, live_registry, settings_for, until
from demo.hub import DemoHub
from demo.items import Organisation, model

PASSWORD = "a-password-nobody-guesses"
SECRET = "a-signing-key-of-more-than-32-characters"
START = "/health/download-benchmark/start"
WEIGHTS = "w" * 50_000


@pytest.fixture(scope="module")
def models_hub() -> Iterator[DemoHub]:
    organisation = Organisation.of(
        model("acme/large", readme="# Large", files={"config.json": "{}", "model.bin": WEIGHTS * 2}),
        model("acme/small", readme="# Small", files={"config.json": "{}", "model.bin": WEIGHTS}),
        model("acme/Tiny-LLM", readme="# Tiny", files={"config.json": "{}", "model.bin": WEIGHTS + "w"}),
    )
    with DemoHub(organisation) as hub:
        yield hub


@pytest.fixture
def live(models_hub: DemoHub) -> Iterator[Live]:
    with live_registry(settings_for(models_hub)) as started:
        yield started


def take_in(live: Live, *repos: str, **headers: str) -> list[str]:
    ids = []
    for repo in repos:
        answer = live.client.post("/artifact/model", json={"url": f"https://huggingface.co/{repo}"}, headers=headers)
        assert answer.status_code == 201, answer.text
        ids.append(answer.json()["metadata"]["id"])
    live.idle()
    return ids


def ended(client: httpx2.Client, started: httpx2.Response, **headers: str) -> dict[str, Any]:
    assert started.status_code == 202, started.text
    where = started.headers["location"]
    return until(lambda: _final(client.get(where, headers=headers).json()), "the benchmark to end")  # type: ignore[no-any-return]


def _final(run: dict[str, Any]) -> dict[str, Any] | None:
    return run if run["state"] not in {"queued", "running"} else None


def test_a_hundred_clients_download_a_model_and_the_figures_add_up(live: Live) -> None:
    large, small = take_in(live, "acme/large", "acme/small")

    run = ended(live.client, live.client.post(START))

    result = run["result"]
    assert (run["state"], run["error"], run["artifact_id"], run["model"]) == ("done", None, small, "small")
    assert (run["clients"], result["downloads"], result["succeeded"], result["errors"]) == (100, 100, 100, {})
    assert result["bytes_read"] > 100 * len(WEIGHTS)
    assert result["bytes_per_second"] == pytest.approx(result["bytes_read"] / result["seconds"], rel=0.01)
    assert result["requests_per_second"] == pytest.approx(100 / result["seconds"], rel=0.01)
    latency = result["latency"]
    assert 0 < latency["min_ms"] <= latency["median_ms"] <= latency["p99_ms"] <= latency["max_ms"]
    assert sum(bar["count"] for bar in result["histogram"]) == 100
    assert (result["models_registered"], result["official_setting"]) == (2, False)
    downloads = [
        each for each in live.client.get(f"/artifact/model/{small}/audit").json() if each["action"] == "DOWNLOAD"
    ]
    assert len(downloads) == 100
    assert live.client.get("/health").json()["request_summary"]["per_artifact_type"]["model"] >= 100
    assert large not in str(run)


@pytest.mark.parametrize("body", [None, {}, {"name": "Tiny-LLM"}], ids=["no body", "nothing asked", "by name"])
def test_tiny_llm_is_what_is_measured_where_it_is_registered(live: Live, body: Any) -> None:
    _, tiny = take_in(live, "acme/small", "acme/Tiny-LLM")

    started = live.client.post(START, json={**body, "clients": 2} if body is not None else None)

    assert ended(live.client, started)["artifact_id"] == tiny


def test_a_model_can_be_named_by_its_id_and_each_client_can_go_on(live: Live) -> None:
    large, _ = take_in(live, "acme/large", "acme/small")

    run = ended(live.client, live.client.post(START, json={"artifact_id": large, "clients": 3, "rounds": 4}))

    assert (run["artifact_id"], run["result"]["succeeded"]) == (large, 12)


def test_earlier_benchmarks_are_listed_the_newest_first(live: Live) -> None:
    take_in(live, "acme/small")
    runs = [ended(live.client, live.client.post(START, json={"clients": n})) for n in (1, 2)]

    listed = live.client.get("/health/download-benchmark").json()

    assert listed == runs[::-1]


def test_a_second_start_is_told_of_the_first(live: Live) -> None:
    (small,) = take_in(live, "acme/small")
    first = live.client.post(START, json={"artifact_id": small, "clients": 100, "rounds": 10})
    second = live.client.post(START, json={"artifact_id": small, "clients": 1})

    assert first.json()["job_id"] in problem_of(second, 409)["detail"]
    assert ended(live.client, first)["result"]["succeeded"] == 1_000


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"clients": 0}, 400),
        ({"clients": MAX_CLIENTS + 1}, 400),
        ({"clients": "100"}, 400),
        ({"rounds": 11}, 400),
        ({"artifact_id": "../x"}, 400),
        ({"artifact_id": "no-such-model"}, 404),
        ({"name": "no such model"}, 404),
        ({"headers": {"X": "y"}}, 400),
        ({"target_url": "http://169.254.169.254"}, 400),
        ({"target_url": "https://huggingface.co"}, 400),
        ({"target_url": "ftp://127.0.0.1"}, 400),
        ({"target_url": "http://127.0.0.1:1"}, 400),
        ({"target_url": "{base}@evil.example"}, 400),
        ({"target_url": "{base}.evil.example"}, 400),
        ({"target_url": "{base}/?x="}, 400),
    ],
    ids=str,
)
def test_what_is_out_of_bounds_is_refused(live: Live, body: dict[str, Any], status: int) -> None:
    take_in(live, "acme/small")
    filled = {
        name: value.replace("{base}", live.base) if isinstance(value, str) else value for name, value in body.items()
    }

    problem_of(live.client.post(START, json=filled), status)

    assert live.client.get("/health/download-benchmark").json() == []


def test_the_host_header_does_not_choose_the_target(live: Live) -> None:
    take_in(live, "acme/small")

    run = ended(live.client, live.client.post(START, json={"clients": 1}, headers={"Host": live.base[7:]}))
    hijacked = live.client.post(START, json={"clients": 1}, headers={"Host": "internal.example:9000"})

    assert run["url"].startswith(live.base)
    assert hijacked.json()["url"].startswith(live.base)


def test_too_many_bytes_are_refused(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    take_in(live, "acme/small")
    monkeypatch.setattr("backend.services.benchmark.service.MAX_BYTES", 100_000)

    assert "at most" in problem_of(live.client.post(START, json={"clients": 3}), 400)["detail"]


def test_a_model_that_the_hub_would_have_to_serve_is_refused(models_hub: DemoHub) -> None:
    with live_registry(settings_for(models_hub, mirror="none")) as live:
        (small,) = take_in(live, "acme/small")
        problem_of(live.client.post(START, json={"artifact_id": small}), 409)
        problem_of(live.client.post(START), 404)


def test_another_registry_is_measured_only_where_the_operator_allows_it_and_without_our_token(
    live: Live, models_hub: DemoHub
) -> None:
    allowed = {"benchmark_targets": f"https://x.example, {live.base}"}
    with live_registry(settings_for(models_hub, **allowed, **_guard())) as guarded:
        headers = {"X-Authorization": _token(guarded)}
        (small,) = take_in(guarded, "acme/small", **headers)
        wanted = {"artifact_id": small, "clients": 2, "target_url": live.base + "/"}

        run = ended(guarded.client, guarded.client.post(START, json=wanted, headers=headers), **headers)

    assert run["result"]["errors"] == {"status 404": 2}, (
        "that registry has no such model, and its log has seen no token"
    )
    assert run["url"].startswith(live.base)


def _guard() -> dict[str, str]:
    return {"auth": "required", "admin_password": PASSWORD, "jwt_secret": SECRET}


def _token(live: Live) -> str:
    who = {"user": {"name": "admin", "is_admin": True}, "secret": {"password": PASSWORD}}
    return str(live.client.put("/authenticate", json=who).json())


def test_with_sign_in_the_clients_download_as_who_started_them_and_no_record_holds_the_token(
    models_hub: DemoHub,
) -> None:
    with live_registry(settings_for(models_hub, **_guard())) as live:
        headers = {"X-Authorization": _token(live)}
        take_in(live, "acme/small", **headers)

        run = ended(live.client, live.client.post(START, json={"clients": 5}, headers=headers), **headers)
        jobs = live._run(live.services.store.jobs(artifact_id=SUBJECT, after=None, limit=9)).items

    assert (run["result"]["succeeded"], run["result"]["errors"]) == (5, {})
    assert headers["X-Authorization"].split()[1] not in str(jobs)


def test_a_benchmark_whose_token_is_gone_says_what_to_do(models_hub: DemoHub) -> None:
    with live_registry(settings_for(models_hub, **_guard())) as live:
        headers = {"X-Authorization": _token(live)}
        take_in(live, "acme/small", **headers)
        live.services.registry.benchmark._credentials = _Forgetful()

        run = ended(live.client, live.client.post(START, json={"clients": 1}, headers=headers), **headers)

    assert (run["state"], run["result"]) == ("failed", None)
    assert "start it again" in run["error"]


class _Forgetful(dict[str, str]):
    def __setitem__(self, key: str, value: str) -> None:
        del key, value


def test_an_unknown_benchmark_is_404_and_so_is_another_job(live: Live) -> None:
    take_in(live, "acme/small")
    other = live.client.get("/ingest/jobs").json()[0]["id"]

    for job_id in (new_id(), "nonsense", other):
        problem_of(live.client.get(f"/health/download-benchmark/{job_id}"), 404)

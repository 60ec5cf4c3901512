"""The health page, logs and metrics as an operator reads them, over HTTP."""

import json
from collections.abc import Iterator
from pathlib import Path
from shutil import rmtree
from typing import Any

import httpx2
import pytest

from backend.api.tests.problems import problem_of
from backend.domain.ids import new_id
from backend.domain.job import JobError
from backend.services.clock import utc_now
from backend.services.health import Part
from backend.tests.factories import make_job
from backend.tests.live import Live, Registry, live_registry, settings_for
from demo.hub import DemoHub

PASSWORD = "a-password-nobody-guesses"
SECRET = "a-signing-key-of-more-than-32-characters"
SCRAPER = "a-token-for-scrapers-only"


@pytest.fixture
def fresh(shared_hub: DemoHub) -> Iterator[Live]:
    """A registry of its own, whose figures nobody else has a part in."""
    shared_hub.clear()
    with live_registry(settings_for(shared_hub)) as live:
        yield live


def component(client: httpx2.Client, part: str, **query: Any) -> dict[str, Any]:
    answer = client.get("/health/components", params=query)
    assert answer.status_code == 200, answer.text
    return next(each for each in answer.json()["components"] if each["id"] == part)


def codes(found: dict[str, Any]) -> list[str]:
    return [issue["code"] for issue in found["issues"]]


def test_requests_are_summed_up_by_route_and_type_also_where_the_path_fixes_the_type(fresh: Live) -> None:
    client, missing = fresh.client, new_id()
    client.post("/artifact/dataset", json={"url": "https://example.org/data"})
    client.get(f"/artifacts/code/{missing}")
    client.get(f"/artifact/model/{missing}/rate")
    client.get(f"/artifact/model/{missing}/lineage")
    client.get(f"/artifacts/nonsense/{missing}")
    client.get("/no/such/page")

    summary = client.get("/health").json()["request_summary"]

    assert summary["per_artifact_type"] == {"dataset": 1, "code": 1, "model": 2}
    assert summary["per_route"] == {
        "POST /artifact/{artifact_type}": 1,
        "GET /artifacts/{artifact_type}/{id}": 2,
        "GET /artifact/model/{id}/rate": 1,
        "GET /artifact/model/{id}/lineage": 1,
        "GET unmatched": 1,
    }
    assert (summary["total_requests"], summary["unique_clients"]) == (6, 1)


def test_every_component_is_told_with_its_figures_and_its_log(fresh: Live) -> None:
    body = fresh.client.get("/health/components").json()

    assert {each["id"] for each in body["components"]} == set(Part)
    figures = {each["id"]: each["metrics"] for each in body["components"]}
    assert {"requests", "unique_clients"} <= figures["api"].keys()
    assert {"queued", "running", "dead", "oldest_queued_s", "seconds_since_heartbeat"} <= figures[
        "ingest-worker"
    ].keys()
    assert {"free_bytes", "free_percent"} <= figures["disk"].keys()
    assert "ping_ms" in figures["metadata"]
    for each in body["components"]:
        assert "timeline" not in each
        (log,) = each["logs"]
        assert log["url"] == f"{fresh.base}/health/logs/{each['id']}"
        assert fresh.client.get(log["url"]).status_code == 200


@pytest.mark.parametrize("query", [{"includeTimeline": True}, {"include_timeline": "true"}], ids=str)
def test_a_timeline_is_given_in_either_spelling(fresh: Live, query: dict[str, Any]) -> None:
    fresh.client.get("/tracks")

    timeline = component(fresh.client, "api", **query)["timeline"]

    assert {point["unit"] for point in timeline} == {"requests/min", "p95 ms", "errors/min"}
    assert sum(point["value"] for point in timeline if point["unit"] == "requests/min") == 1
    assert component(fresh.client, "ingest-worker", **query)["timeline"][0]["unit"] == "queued jobs"


@pytest.mark.parametrize("name", ["windowMinutes", "window_minutes"])
@pytest.mark.parametrize("path", ["/health", "/health/components"])
@pytest.mark.parametrize(("minutes", "status"), [(4, 400), (5, 200), (1440, 200), (1441, 400), ("x", 400), ("", 400)])
def test_the_window_is_between_five_minutes_and_a_day(
    registry: Live, path: str, name: str, minutes: object, status: int
) -> None:
    answer = registry.client.get(path, params={name: minutes})

    assert answer.status_code == status
    if status == 200:
        assert answer.json()["window_minutes"] == minutes


def test_a_hub_that_limits_requests_or_is_gone_degrades_its_component_alone(fresh: Live, shared_hub: DemoHub) -> None:
    assert component(fresh.client, "huggingface")["status"] == "unknown"
    url = {"url": "https://huggingface.co/wrenfield/nothing-there"}
    fresh.client.post("/artifact/model", json=url)
    assert component(fresh.client, "huggingface")["status"] == "ok", "that there is no such model is an answer"

    shared_hub.fail(times=9, status=429, headers={"Retry-After": "600"})
    fresh.client.post("/artifact/model", json={"url": "https://huggingface.co/wrenfield/limited"})

    limited = component(fresh.client, "huggingface")
    assert (limited["status"], codes(limited)) == ("degraded", ["huggingface-rate-limited"])
    assert "HF_TOKEN" in limited["issues"][0]["details"]
    assert component(fresh.client, "github")["status"] == "unknown"
    assert fresh.client.get("/health").status_code == 200


def test_a_hub_that_cannot_be_reached_is_told_without_what_was_asked_for() -> None:
    with live_registry(settings_for(github_api_url="http://127.0.0.1:9/gh")) as live:
        answer = live.client.post("/artifact/model", json={"url": "https://huggingface.co/secret-org/secret-model"})
        hub = component(live.client, "huggingface")
        api = component(live.client, "api")
        summary = live.client.get("/health").json()

    assert answer.status_code == 502
    assert (hub["status"], codes(hub)) == ("degraded", ["huggingface-unreachable"])
    assert "secret" not in json.dumps(hub)
    assert summary["status"] == "degraded"
    assert api["metrics"]["server_errors"] == 1


def test_a_database_that_is_gone_is_critical_and_health_still_answers_200(tmp_path: Path) -> None:
    with live_registry(settings_for(metadata_url=f"sqlite:///{tmp_path}/registry.db")) as live:
        live._run(live.services.store.close())
        answer = live.client.get("/health")
        first = answer.json()["components"][0]
        worker = component(live.client, "ingest-worker")

    assert (answer.status_code, answer.json()["status"]) == (200, "critical")
    assert (first["id"], first["status"], first["issue_count"]) == ("metadata", "critical", 1)
    assert worker["status"] == "unknown"


def test_a_blob_folder_that_is_gone_is_critical_until_it_is_back(tmp_path: Path) -> None:
    folder = tmp_path / "blobs"
    with live_registry(settings_for(blob_url=f"file://{folder}")) as live:
        rmtree(folder)
        gone = component(live.client, "blobs")
        (folder / "tmp").mkdir(parents=True)
        back = component(live.client, "blobs")

    assert (gone["status"], codes(gone)) == ("critical", ["blobs-unreachable"])
    assert back["status"] == "ok"


def test_a_dead_job_degrades_the_worker(fresh: Live) -> None:
    store, now = fresh.services.store, utc_now()

    async def give_up() -> None:
        job = make_job(max_tries=1, created_at=now, not_before=now)
        await store.enqueue(job)
        taken = await store.claim([job.kind], worker="w", now=now, lease_until=now)
        assert taken is not None
        await store.retry(taken.claim, not_before=now, error=JobError("UpstreamFailed", "x"), now=now)

    fresh._run(give_up())

    assert codes(component(fresh.client, "ingest-worker")) == ["dead-jobs"]
    assert fresh.client.get("/health").json()["status"] == "degraded"


def test_the_log_of_a_component_is_told_line_by_line_without_secrets(tmp_path: Path) -> None:
    with Registry(tmp_path) as registry:
        client = registry.client
        client.get("/tracks", headers={"X-Authorization": "bearer s3cr3t-t0ken"})
        client.get("/artifacts/model/hf_abcdefghijklmnop")
        client.get("/tracks", headers={"X-Correlation-ID": "ghp_abcdefghijklmnop"})
        answer = client.get("/health/logs/api", params={"tail": 3})
        reference = component(client, "api")["logs"][0]
        printed = registry.log

    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert [line["route"] for line in lines] == ["/tracks", "/artifacts/{artifact_type}/{id}", "/tracks"]
    assert lines[1]["path"] == "/artifacts/model/[redacted]"
    for hidden in ("s3cr3t", "hf_abc", "ghp_abc"):
        assert hidden not in answer.text + printed
    assert reference["last_updated_at"] >= lines[-1]["timestamp"][:19]


@pytest.mark.parametrize(
    ("path", "status"),
    [("api?tail=0", 400), ("api?tail=1001", 400), ("api?tail=x", 400), ("nonsense", 400), ("api?tail=1000", 200)],
)
def test_a_log_is_asked_for_within_bounds(registry: Live, path: str, status: int) -> None:
    assert registry.client.get(f"/health/logs/{path}").status_code == status


def test_metrics_count_requests_by_template_and_work_by_outcome(fresh: Live) -> None:
    client = fresh.client
    for _ in range(3):
        client.get(f"/artifacts/model/{new_id()}")
    for n in range(20):
        client.get(f"/no/such/page/{n}")
    client.post("/artifact/model", json={"url": "https://huggingface.co/wrenfield/nothing-there"})

    answer = client.get("/metrics")

    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    figures = dict(line.rsplit(" ", 1) for line in answer.text.splitlines() if not line.startswith("#"))
    route = 'method="GET",route="/artifacts/{artifact_type}/{id}"'
    assert figures[f'registry_http_requests_total{{{route},status="4xx"}}'] == "3.0"
    assert figures[f"registry_http_request_duration_seconds_count{{{route}}}"] == "3.0"
    assert figures['registry_http_requests_total{method="GET",route="unmatched",status="4xx"}'] == "20.0"
    assert figures['registry_ingests_total{outcome="NotFound"}'] == "1.0"
    assert figures['registry_jobs{state="failed"}'] == "1.0"
    assert float(figures["process_resident_memory_bytes"]) > 1_000_000


def test_apps_in_one_process_count_apart(fresh: Live) -> None:
    with live_registry(settings_for()) as other:
        other.client.get("/tracks")

        assert "/tracks" in other.client.get("/metrics").text
        assert "/tracks" not in fresh.client.get("/metrics").text


def test_metrics_are_for_administrators_and_for_a_scraper_with_its_own_token() -> None:
    guarded = settings_for(auth="required", admin_password=PASSWORD, jwt_secret=SECRET, metrics_token=SCRAPER)
    with live_registry(guarded) as live:
        who = {"user": {"name": "admin", "is_admin": True}, "secret": {"password": PASSWORD}}
        token = live.client.put("/authenticate", json=who).json()
        scraper = {"Authorization": f"Bearer {SCRAPER}"}

        problem_of(live.client.get("/metrics"), 403)
        problem_of(live.client.get("/metrics", headers={"Authorization": f"Bearer {SCRAPER}x"}), 403)
        assert live.client.get("/metrics", headers={"X-Authorization": token}).status_code == 200
        assert live.client.get("/metrics", headers=scraper).status_code == 200
        problem_of(live.client.get("/health/logs/api", headers=scraper), 403)
        problem_of(live.client.get("/artifacts/model", headers=scraper), 403)

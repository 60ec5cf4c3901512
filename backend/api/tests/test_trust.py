from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest

from backend.api.ratings import ModelRating
from backend.api.tests.organisation import BARE, CHILD, COPYLEFT, GITHUB, GRANDCHILD, KAGGLE, TINY, TOOLS, WORDS
from backend.api.tests.problems import problem_of
from backend.domain.ids import new_id
from backend.tests.live import Live, live_registry, settings_for
from demo.hub import DemoHub

SCORES = [
    "net_score",
    "ramp_up_time",
    "bus_factor",
    "performance_claims",
    "license",
    "dataset_and_code_score",
    "dataset_quality",
    "code_quality",
    "reproducibility",
    "reviewedness",
    "tree_score",
]
DEVICES = {"raspberry_pi", "jetson_nano", "desktop_pc", "aws_server"}


# -- rating ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", [TINY, CHILD, BARE])
def test_a_rating_has_every_score_and_every_latency(client: httpx2.Client, take_in: Any, url: str) -> None:
    artifact_id = take_in(url, name="its own name")

    rating = client.get(f"/artifact/model/{artifact_id}/rate").json()

    assert set(rating) == set(ModelRating.model_fields)
    assert rating["name"] == "its own name"
    assert rating["category"]
    for score in SCORES:
        low = -1 if score == "reviewedness" else 0
        assert low <= rating[score] <= 1
        assert rating[score] >= 0 or rating[score] == -1
    assert set(rating["size_score"]) == DEVICES
    assert all(0 <= score <= 1 for score in rating["size_score"].values())
    latencies = {name: value for name, value in rating.items() if name.endswith("_latency")}
    assert len(latencies) == len(SCORES) + 1
    assert all(isinstance(value, float) and value > 0 for value in latencies.values())


def test_a_stored_rating_comes_back_as_it_is_without_asking_anybody(registry: Live, take_in: Any, hub: DemoHub) -> None:
    artifact_id = take_in(TINY)
    registry.idle()
    hub.clear()

    answers = [registry.client.get(f"/artifact/model/{artifact_id}/rate").json() for _ in range(3)]

    assert answers[0] == answers[1] == answers[2]
    assert hub.requests == []


def test_many_ratings_at_once_are_all_answered(client: httpx2.Client, take_in: Any) -> None:
    ids = [take_in(url) for url in (TINY, CHILD, GRANDCHILD, BARE)]

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda each: client.get(f"/artifact/model/{each}/rate"), ids * 5))

    assert {answer.status_code for answer in answers} == {200}


def test_a_refresh_rates_anew_and_is_in_the_trail(registry: Live, take_in: Any, hub: DemoHub) -> None:
    artifact_id = take_in(BARE)
    registry.idle()
    hub.clear()

    answer = registry.client.get(f"/artifact/model/{artifact_id}/rate", params={"refresh": True})

    assert answer.status_code == 200
    assert hub.asked("/api/models/acme/bare")
    trail = registry.client.get(f"/artifact/model/{artifact_id}/audit").json()
    assert [entry["action"] for entry in trail] == ["CREATE", "RATE"]


def test_a_refresh_while_the_source_is_away_is_502_and_keeps_the_rating(
    registry: Live, take_in: Any, hub: DemoHub
) -> None:
    artifact_id = take_in(BARE)
    registry.idle()
    before = registry.client.get(f"/artifact/model/{artifact_id}/rate").json()
    hub.fail("/api/", times=99, status=500)

    problem_of(registry.client.get(f"/artifact/model/{artifact_id}/rate", params={"refresh": True}), 502)

    assert registry.client.get(f"/artifact/model/{artifact_id}/rate").json() == before


@pytest.mark.parametrize("refresh", ["maybe", "2", ""])
def test_a_refresh_that_is_neither_yes_nor_no_is_400(client: httpx2.Client, take_in: Any, refresh: str) -> None:
    problem_of(client.get(f"/artifact/model/{take_in(BARE)}/rate", params={"refresh": refresh}), 400)


def test_an_explanation_names_what_was_found_behind_each_score(client: httpx2.Client, take_in: Any) -> None:
    artifact_id = take_in(TINY)
    rating = client.get(f"/artifact/model/{artifact_id}/rate").json()

    explained = client.get(f"/artifact/model/{artifact_id}/rate/explain").json()

    assert explained["net_score"] == rating["net_score"]
    assert explained["source"] == TINY
    assert explained["upstream_requests"] > 0
    assert explained["verdict"]["admitted"] is True
    for name, metric in explained["metrics"].items():
        assert metric["findings"], name
        assert 0 <= metric["confidence"] <= 1
    assert sum(metric["weight"] for metric in explained["metrics"].values()) == pytest.approx(1)


def test_many_models_are_rated_in_one_request_each_with_its_own_outcome(client: httpx2.Client, take_in: Any) -> None:
    known, unknown = take_in(TINY), new_id()

    entries = client.post("/artifacts/models/rate", json={"ids": [known, unknown]}).json()

    assert [(entry["id"], entry["status"]) for entry in entries] == [(known, 200), (unknown, 404)]
    assert entries[0]["rating"] == client.get(f"/artifact/model/{known}/rate").json()
    assert "no model" in entries[1]["problem"]


# -- cost --------------------------------------------------------------------------------------------------------------


def test_cost_alone_is_the_size_of_the_files(client: httpx2.Client, take_in: Any) -> None:
    artifact_id = take_in(TINY)
    files = client.get(f"/artifact/model/{artifact_id}/files").json()

    cost = client.get(f"/artifact/model/{artifact_id}/cost").json()

    assert cost == {artifact_id: {"total_cost": sum(file["size_bytes"] for file in files) / 1e6}}


def test_cost_with_dependencies_counts_each_once(client: httpx2.Client, take_in: Any) -> None:
    words = take_in(WORDS, "dataset")
    tiny = take_in(TINY)
    child = take_in(CHILD)

    alone = {each: client.get(f"/artifact/{kind}/{each}/cost").json()[each]["total_cost"]
             for kind, each in (("dataset", words), ("model", tiny), ("model", child))}  # fmt: skip
    costs = client.get(f"/artifact/model/{child}/cost", params={"dependency": True}).json()

    assert set(costs) == {child, tiny, words}
    assert {each: cost["standalone_cost"] for each, cost in costs.items()} == alone
    assert costs[child]["total_cost"] == pytest.approx(sum(alone.values()))
    assert costs[words]["total_cost"] == alone[words]


def test_a_plain_link_costs_nothing_that_is_known(client: httpx2.Client, take_in: Any) -> None:
    artifact_id = take_in(KAGGLE, "dataset")

    assert client.get(f"/artifact/dataset/{artifact_id}/cost").json() == {artifact_id: {"total_cost": 0.0}}


# -- lineage -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [[TINY, CHILD, GRANDCHILD], [GRANDCHILD, CHILD, TINY], [CHILD, GRANDCHILD, TINY]],
                         ids=["parents first", "children first", "mixed"])  # fmt: skip
def test_a_chain_is_the_same_graph_whoever_is_asked_and_however_it_came(
    client: httpx2.Client, take_in: Any, order: list[str]
) -> None:
    ids = {url: take_in(url) for url in order}
    stranger = take_in(BARE)

    graphs = [client.get(f"/artifact/model/{each}/lineage").json() for each in ids.values()]

    assert graphs[0] == graphs[1] == graphs[2]
    assert {node["artifact_id"] for node in graphs[0]["nodes"]} == set(ids.values())
    assert all(set(node) == {"artifact_id", "name", "source", "metadata"} for node in graphs[0]["nodes"])
    assert {(edge["from_node_artifact_id"], edge["to_node_artifact_id"]) for edge in graphs[0]["edges"]} == {
        (ids[TINY], ids[CHILD]),
        (ids[CHILD], ids[GRANDCHILD]),
    }
    alone = client.get(f"/artifact/model/{stranger}/lineage").json()
    assert ([node["artifact_id"] for node in alone["nodes"]], alone["edges"]) == ([stranger], [])


def test_a_member_that_is_removed_leaves_the_graph(client: httpx2.Client, take_in: Any) -> None:
    ids = [take_in(url) for url in (TINY, CHILD, GRANDCHILD)]

    client.delete(f"/artifacts/model/{ids[1]}")

    for each in (ids[0], ids[2]):
        graph = client.get(f"/artifact/model/{each}/lineage").json()
        assert ([node["artifact_id"] for node in graph["nodes"]], graph["edges"]) == ([each], [])


# -- licences ----------------------------------------------------------------------------------------------------------


def _check(client: httpx2.Client, artifact_id: str, url: Any, **params: Any) -> httpx2.Response:
    return client.post(f"/artifact/model/{artifact_id}/license-check", json={"github_url": url}, params=params)


@pytest.mark.parametrize("url", [TOOLS, f"{TOOLS}.git", f"{TOOLS}/tree/main/src"])
def test_a_licence_check_answers_with_a_bare_boolean(client: httpx2.Client, take_in: Any, url: str) -> None:
    assert _check(client, take_in(TINY), url).json() is True


def test_a_model_without_a_licence_goes_with_nothing(client: httpx2.Client, take_in: Any) -> None:
    assert _check(client, take_in(BARE), TOOLS).json() is False


@pytest.mark.parametrize("url", [TOOLS, COPYLEFT])
def test_a_licence_check_can_be_explained(client: httpx2.Client, take_in: Any, url: str) -> None:
    artifact_id = take_in(TINY)

    found = _check(client, artifact_id, url, explain=True).json()

    assert found["compatible"] is found["fine_tuning"] is found["inference"] is True
    assert _check(client, artifact_id, url).json() is True
    assert found["model_license"] == "MIT"
    assert found["project_license"] == {TOOLS: "MIT", COPYLEFT: "GPL-2.0-only"}[url]
    assert found["reasons"]


@pytest.mark.parametrize(
    ("url", "status"),
    [
        (f"{GITHUB}/acme/nothing", 404),
        (f"{GITHUB}/acme", 400),
        ("https://gitlab.com/a/b", 400),
        (TINY, 400),
        ("https://127.0.0.1/a/b", 400),
        ("", 400),
        (None, 400),
        (7, 400),
    ],
)
def test_a_licence_check_against_what_is_no_project_is_refused(
    client: httpx2.Client, take_in: Any, url: Any, status: int
) -> None:
    problem_of(_check(client, take_in(TINY), url), status)


def test_a_licence_check_of_an_unknown_model_is_404(client: httpx2.Client) -> None:
    problem_of(_check(client, new_id(), TOOLS), 404)


@pytest.mark.parametrize(
    ("fault", "status"),
    [({"status": 500}, 502), ({"body": "no"}, 502), ({"status": 429, "headers": {"Retry-After": "99"}}, 503)],
    ids=["500", "nonsense", "429"],
)
def test_a_licence_check_while_github_is_away_says_so(
    registry: Live, take_in: Any, hub: DemoHub, fault: dict[str, Any], status: int
) -> None:
    artifact_id = take_in(BARE)
    registry.idle()
    hub.fail("/gh/", times=99, **fault)

    answer = _check(registry.client, artifact_id, TOOLS)

    problem_of(answer, status)
    assert answer.headers.get("retry-after") == ("99" if status == 503 else None)


# -- audit -------------------------------------------------------------------------------------------------------------


def test_every_write_is_in_the_trail_exactly_once(registry: Live, take_in: Any) -> None:
    client = registry.client
    artifact_id = take_in(WORDS, "dataset", name="mine")
    place = f"/artifact/dataset/{artifact_id}"
    body = {"metadata": {"id": artifact_id, "name": "mine", "type": "dataset"}, "data": {"url": KAGGLE}}

    client.get(f"{place}/download")
    client.get(f"{place}/files/README.md")
    client.head(f"{place}/files/README.md")
    client.get(place.replace("artifact/", "artifacts/"))
    client.put(f"/artifacts/dataset/{artifact_id}", json=body)
    client.put(f"/artifacts/dataset/{artifact_id}", json={**body, "data": {"url": "https://127.0.0.1/"}})
    registry.idle()

    trail = client.get(f"{place}/audit").json()
    assert [entry["action"] for entry in trail] == ["CREATE", "DOWNLOAD", "DOWNLOAD", "UPDATE"]
    for entry in trail:
        assert entry["artifact"] == {"id": artifact_id, "name": "mine", "type": "dataset"}
        assert entry["user"] == {"name": "local", "is_admin": True}
    assert [entry["date"] for entry in trail] == sorted(entry["date"] for entry in trail)


# -- jobs --------------------------------------------------------------------------------------------------------------


def test_jobs_are_listed_with_what_they_did(registry: Live, take_in: Any) -> None:
    artifact_id = take_in(TINY)
    registry.idle()

    jobs = registry.client.get("/ingest/jobs", params={"limit": 1000}).json()

    mirror = next(job for job in jobs if job["kind"] == "mirror")
    assert {job["kind"] for job in jobs} >= {"ingest", "mirror"}
    assert (mirror["artifact_id"], mirror["state"], mirror["progress"]["percent"]) == (artifact_id, "done", 100.0)
    assert registry.client.get(f"/ingest/jobs/{mirror['id']}").json() == mirror


def test_jobs_are_paged_and_narrowed_by_state(registry: Live, take_in: Any) -> None:
    take_in(TINY)
    registry.idle()
    client = registry.client
    every = [job["id"] for job in client.get("/ingest/jobs").json()]

    first = client.get("/ingest/jobs", params={"limit": 1})
    second = client.get("/ingest/jobs", params={"limit": 1, "offset": first.headers["offset"]})

    assert [first.json()[0]["id"], second.json()[0]["id"]] == every[:2]
    assert client.get("/ingest/jobs", params={"state": ["dead", "queued"]}).json() == []
    problem_of(client.get("/ingest/jobs", params={"state": "lost"}), 400)
    problem_of(client.get(f"/ingest/jobs/{new_id()}"), 404)


# -- health ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["windowMinutes", "window_minutes"])
def test_health_takes_both_spellings_of_its_window(client: httpx2.Client, name: str) -> None:
    assert client.get("/health", params={name: 7}).json()["window_minutes"] == 7
    assert client.get("/health/components", params={name: 7}).json()["window_minutes"] == 7


@pytest.mark.parametrize("minutes", [4, 1441, 0, -1, "x", "1e3"])
def test_a_window_out_of_bounds_is_400(client: httpx2.Client, minutes: Any) -> None:
    problem_of(client.get("/health/components", params={"windowMinutes": minutes}), 400)


@pytest.mark.parametrize("name", ["includeTimeline", "include_timeline"])
def test_the_timeline_is_there_when_asked_for(client: httpx2.Client, name: str) -> None:
    client.get("/tracks")

    with_it = client.get("/health/components", params={name: True}).json()["components"]
    without = client.get("/health/components").json()["components"]

    assert {each["id"]: each for each in with_it}["api"]["timeline"]
    assert all("timeline" not in each for each in without)


def test_requests_are_counted_by_the_types_there_are_and_no_others(hub: DemoHub) -> None:
    with live_registry(settings_for(hub)) as live:
        for kind in ("model", "dataset", "made-up", "x" * 200):
            live.client.get(f"/artifacts/{kind}")

        summary = live.client.get("/health").json()["request_summary"]

    assert summary["per_artifact_type"] == {"model": 1, "dataset": 1}
    assert summary["total_requests"] == 4
    assert summary["unique_clients"] == 1


def test_tracks_are_the_contracts_words(client: httpx2.Client) -> None:
    tracks = client.get("/tracks").json()["plannedTracks"]

    assert set(tracks) <= {"Performance track", "Access control track", "High assurance track", "Other Security track"}

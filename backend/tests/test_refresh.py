"""Ratings stay true as the registry grows: later registrations, new scores of parents, outages that heal."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from backend.tests.live import Live, live_registry, settings_for
from demo.hub import DemoHub
from demo.items import Organisation, dataset, model, repository

HUB = "https://huggingface.co"
ROBIN = "---\nlicense: mit\n---\n# Robin\n\nTrained on harbour-sounds, recorded by ourselves.\n"
WREN = "---\nlicense: mit\nbase_model: acme/robin\n---\n# Wren\n\nTuned for wrens.\n"
FINCH = "---\nlicense: mit\n---\n# Finch\n\n## Code\nhttps://github.com/acme/finch-training\n"
SOUNDS = "# harbour-sounds\n\nTwo thousand clips, each described, in train and test splits.\n"


@pytest.fixture(scope="module")
def hub() -> Iterator[DemoHub]:
    organisation = Organisation.of(
        model("acme/robin", readme=ROBIN, files={"config.json": {}}),
        model("acme/wren", readme=WREN, files={"config.json": {}}),
        model("acme/finch", readme=FINCH, files={"config.json": {}}),
        dataset("acme/sounds", readme=SOUNDS, files={"clips.csv": "a,b\n"}),
        repository("acme/finch-training", license="MIT", files={"train.py": "print('train')\n"}),
    )
    with DemoHub(organisation) as started:
        yield started


@pytest.fixture
def registry(hub: DemoHub) -> Iterator[Live]:
    hub.clear()
    with live_registry(settings_for(hub)) as live:
        yield live


def register(registry: Live, kind: str, url: str, **more: str) -> str:
    answer = registry.client.post(f"/artifact/{kind}", json={"url": url, **more})
    assert answer.status_code == 201, answer.text
    registry.idle()
    return str(answer.json()["metadata"]["id"])


def metric(registry: Live, model_id: str, name: str) -> dict[str, Any]:
    explanation = registry.client.get(f"/artifact/model/{model_id}/rate/explain").raise_for_status().json()
    return dict(explanation["metrics"][name])


def actions(registry: Live, model_id: str) -> list[str]:
    return [entry["action"] for entry in registry.client.get(f"/artifact/model/{model_id}/audit").json()]


def test_a_dataset_registered_later_is_linked_by_its_name_and_raises_the_rating(registry: Live) -> None:
    robin = register(registry, "model", f"{HUB}/acme/robin")
    before = metric(registry, robin, "dataset_quality")["score"]

    sounds = register(registry, "dataset", f"{HUB}/datasets/acme/sounds", name="harbour-sounds")

    assert before == 0
    assert metric(registry, robin, "dataset_quality")["score"] > 0
    assert actions(registry, robin) == ["CREATE", "RATE"]
    costs = registry.client.get(f"/artifact/model/{robin}/cost", params={"dependency": True}).json()
    assert set(costs) == {robin, sounds}


def test_a_dataset_that_no_card_names_rates_nobody_again(registry: Live) -> None:
    robin = register(registry, "model", f"{HUB}/acme/robin")

    register(registry, "dataset", f"{HUB}/datasets/acme/sounds", name="something-else")

    assert actions(registry, robin) == ["CREATE"]


def test_a_parents_new_score_reaches_its_children(registry: Live) -> None:
    robin = register(registry, "model", f"{HUB}/acme/robin")
    wren = register(registry, "model", f"{HUB}/acme/wren")
    before = metric(registry, wren, "tree_score")["score"]

    register(registry, "dataset", f"{HUB}/datasets/acme/sounds", name="harbour-sounds")

    after = metric(registry, wren, "tree_score")["score"]
    assert after > before
    assert after == pytest.approx(registry.client.get(f"/artifact/model/{robin}/rate").json()["net_score"], abs=0.01)


def test_facts_that_an_outage_kept_back_are_asked_for_again_later(registry: Live, hub: DemoHub) -> None:
    hub.fail("/gh/", times=1000, status=403, headers={"X-RateLimit-Remaining": "0", "Retry-After": "3600"})

    finch = register(registry, "model", f"{HUB}/acme/finch")

    rated = metric(registry, finch, "code_quality")
    assert rated["confidence"] == 0, "missing evidence is not bad evidence"
    assert any(finding["kind"] == "missing" for finding in rated["findings"])
    (later,) = registry.client.get("/ingest/jobs", params={"state": "queued"}).json()
    assert (later["kind"], later["artifact_id"]) == ("rate", finch)
    assert datetime.fromisoformat(later["not_before"]) > datetime.now(UTC) + timedelta(minutes=5)


def test_a_refreshed_rating_is_new_and_keeps_the_version(registry: Live, hub: DemoHub) -> None:
    robin = register(registry, "model", f"{HUB}/acme/robin")
    hub.clear()

    answer = registry.client.get(f"/artifact/model/{robin}/rate", params={"refresh": True})

    assert answer.status_code == 200
    assert hub.asked("/api/models/acme/robin"), "the evidence was gathered again"
    assert actions(registry, robin) == ["CREATE", "RATE"]


def test_a_batch_answers_for_each_model_and_names_those_it_cannot_rate(registry: Live) -> None:
    robin = register(registry, "model", f"{HUB}/acme/robin")

    answer = registry.client.post("/artifacts/models/rate", json={"ids": [robin, "no-such-model", robin]})

    found, missing = answer.raise_for_status().json()
    assert (found["id"], found["status"], found["rating"]["name"]) == (robin, 200, "robin")
    assert (missing["id"], missing["status"], missing["rating"]) == ("no-such-model", 404, None)
    assert "no-such-model" in missing["problem"]

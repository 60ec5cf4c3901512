"""The registry's main walks, end to end over HTTP: read them as its manual. Naming this file runs every suite."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from backend.tests.live import Registry, until
from demo.hub import DemoHub

HUB = "https://huggingface.co"
GITHUB = "https://github.com"


@pytest.fixture(scope="module")
def hub() -> Iterator[DemoHub]:
    with DemoHub() as started:
        yield started


@pytest.fixture
def registry(hub: DemoHub, tmp_path: Path) -> Iterator[Registry]:
    with Registry(tmp_path, HF_ENDPOINT=hub.url, GITHUB_API_URL=hub.github_url) as started:
        yield started


def register(client: httpx2.Client, kind: str, url: str, **more: str) -> dict[str, Any]:
    answer = client.post(f"/artifact/{kind}", json={"url": url, **more})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def test_a_model_is_registered_rated_found_and_downloaded(registry: Registry) -> None:
    client = registry.client
    assert client.get("/health").json()["status"] == "ok"

    model = register(client, "model", f"{HUB}/wrenfield/birdnote-small")
    model_id = model["metadata"]["id"]
    assert model["metadata"] == {"name": "birdnote-small", "id": model_id, "type": "model"}
    assert client.get(f"/artifacts/model/{model_id}").json() == model

    rating = client.get(f"/artifact/model/{model_id}/rate").json()
    assert rating["name"] == "birdnote-small"
    assert 0 <= rating["net_score"] <= 1
    assert set(rating["size_score"]) == {"raspberry_pi", "jetson_nano", "desktop_pc", "aws_server"}

    explanation = client.get(f"/artifact/model/{model_id}/rate/explain").json()
    assert all(metric["findings"] for metric in explanation["metrics"].values()), "every score says why"

    found = client.post("/artifact/byRegEx", json={"regex": "^birdnote-.*"}).json()
    assert [each["name"] for each in found] == ["birdnote-small"]

    until(lambda: all(file["held"] for file in client.get(f"/artifact/model/{model_id}/files").json()), "its files")
    with zipfile.ZipFile(io.BytesIO(client.get(model["data"]["download_url"]).content)) as bundle:
        assert bundle.testzip() is None
        assert "README.md" in bundle.namelist()

    actions = [entry["action"] for entry in client.get(f"/artifact/model/{model_id}/audit").json()]
    assert actions.count("CREATE") == 1
    assert actions[-1] == "DOWNLOAD"


def test_a_family_of_models_is_one_graph_whichever_member_is_asked(registry: Registry) -> None:
    client = registry.client
    urls = ["wrenfield/birdnote-small", "wrenfield/birdnote-uplands", "quantbarn/birdnote-uplands-onnx"]
    base, tuned, quantised = [register(client, "model", f"{HUB}/{url}")["metadata"]["id"] for url in urls]

    for member in (base, tuned, quantised):
        graph = client.get(f"/artifact/model/{member}/lineage").json()
        assert {node["artifact_id"] for node in graph["nodes"]} == {base, tuned, quantised}
        edges = {(edge["from_node_artifact_id"], edge["to_node_artifact_id"]) for edge in graph["edges"]}
        assert edges == {(base, tuned), (tuned, quantised)}


def test_what_a_model_needs_is_counted_once_also_when_it_is_registered_later(registry: Registry) -> None:
    client = registry.client
    model = register(client, "model", f"{HUB}/wrenfield/birdnote-small")["metadata"]["id"]
    alone = client.get(f"/artifact/model/{model}/cost").json()
    data = register(client, "dataset", f"{HUB}/datasets/wrenfield/dawn-chorus")["metadata"]["id"]
    code = register(client, "code", f"{GITHUB}/wrenfield/birdnote")["metadata"]["id"]

    whole = client.get(f"/artifact/model/{model}/cost", params={"dependency": True}).json()

    assert set(whole) == {model, data, code}
    assert alone[model]["total_cost"] == whole[model]["standalone_cost"]
    assert whole[model]["total_cost"] == pytest.approx(sum(each["standalone_cost"] for each in whole.values()))


def test_a_licence_is_checked_against_a_project_with_the_reasons(registry: Registry) -> None:
    client = registry.client
    model = register(client, "model", f"{HUB}/wrenfield/birdnote-small")["metadata"]["id"]
    project = {"github_url": f"{GITHUB}/wrenfield/birdnote"}

    assert client.post(f"/artifact/model/{model}/license-check", json=project).json() is True
    answer = client.post(f"/artifact/model/{model}/license-check", json=project, params={"explain": True}).json()
    assert answer["compatible"] is True
    assert answer["reasons"]


def test_the_gate_turns_a_poor_model_away_and_leaves_nothing_behind(hub: DemoHub, tmp_path: Path) -> None:
    hubs = {"HF_ENDPOINT": hub.url, "GITHUB_API_URL": hub.github_url}
    with Registry(tmp_path, GATE="net", GATE_THRESHOLD="0.6", **hubs) as registry:
        refused = registry.client.post("/artifact/model", json={"url": f"{HUB}/ppnguyen88/final_model_v3"})

        assert refused.status_code == 424
        assert refused.json()["shortfalls"][0]["metric"] == "net_score"
        assert registry.client.post("/artifacts", json=[{"name": "*"}]).json() == []
        register(registry.client, "model", f"{HUB}/wrenfield/birdnote-small")


def test_what_was_acknowledged_is_there_after_a_restart(hub: DemoHub, tmp_path: Path) -> None:
    hubs = {"HF_ENDPOINT": hub.url, "GITHUB_API_URL": hub.github_url}
    with Registry(tmp_path, **hubs) as registry:
        model = register(registry.client, "model", f"{HUB}/wrenfield/birdnote-small")["metadata"]
        rating = registry.client.get(f"/artifact/model/{model['id']}/rate").json()
        registry.kill()
    with Registry(tmp_path, **hubs) as registry:
        assert registry.client.post("/artifacts", json=[{"name": "*"}]).json() == [model]
        assert registry.client.get(f"/artifact/model/{model['id']}/rate").json() == rating


def test_a_registry_with_sign_in_asks_for_a_token_and_resets_for_its_administrator(
    hub: DemoHub, tmp_path: Path
) -> None:
    secrets = {"AUTH": "required", "ADMIN_PASSWORD": "a long made-up password", "JWT_SECRET": "k" * 32}
    with Registry(tmp_path, HF_ENDPOINT=hub.url, GITHUB_API_URL=hub.github_url, **secrets) as registry:
        client = registry.client
        assert client.post("/artifacts", json=[{"name": "*"}]).status_code == 403

        who = {"user": {"name": "admin", "is_admin": True}, "secret": {"password": secrets["ADMIN_PASSWORD"]}}
        token = client.put("/authenticate", json=who).json()
        client.headers["X-Authorization"] = token
        register(client, "dataset", "https://www.kaggle.com/datasets/someone/something")
        assert len(client.post("/artifacts", json=[{"name": "*"}]).json()) == 1

        assert client.delete("/reset").status_code == 200
        assert client.post("/artifacts", json=[{"name": "*"}]).json() == []

"""Lineage over HTTP with what stands around the family."""

from typing import Any

import httpx2
import pytest

from backend.api.tests.organisation import CHILD, TINY, TOOLS, WORDS
from backend.api.tests.problems import problem_of


def _graph(client: httpx2.Client, model_id: str, **query: Any) -> dict[str, Any]:
    answer = client.get(f"/artifact/model/{model_id}/lineage", params=query)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def _named(graph: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {node["metadata"]["repository_url"]: node for node in graph["nodes"]}


def test_the_parent_that_is_not_registered_comes_when_asked_for(client: httpx2.Client, take_in: Any) -> None:
    child = take_in(CHILD)

    assert list(_named(_graph(client, child))) == [CHILD]
    graph = _graph(client, child, include="external")

    parent = _named(graph)[TINY]
    assert parent["metadata"] == {"repository_url": TINY, "sha": None, "registered": False, "type": "model"}
    assert graph["edges"] == [
        {
            "from_node_artifact_id": parent["artifact_id"],
            "to_node_artifact_id": child,
            "relationship": "fine_tuned_from",
        }
    ]


def test_an_outside_parent_gives_way_to_the_model_once_that_is_registered(client: httpx2.Client, take_in: Any) -> None:
    child = take_in(CHILD)
    outside = _named(_graph(client, child, include="external"))[TINY]["artifact_id"]

    parent = take_in(TINY)

    nodes = _graph(client, child, include="external")["nodes"]
    assert {node["artifact_id"] for node in nodes} == {parent, child}
    assert outside != parent


def test_datasets_and_code_stand_beside_the_model_that_names_them(client: httpx2.Client, take_in: Any) -> None:
    words = take_in(WORDS, "dataset")
    model = take_in(TINY)

    graph = _graph(client, model, include="datasets,code")

    nodes = _named(graph)
    assert nodes[WORDS]["artifact_id"] == words
    assert nodes[WORDS]["metadata"]["registered"] is True
    assert nodes[TOOLS]["metadata"]["registered"] is False
    ids = {node["artifact_id"]: url for url, node in nodes.items()}
    relations = {ids[edge["from_node_artifact_id"]]: edge["relationship"] for edge in graph["edges"]}
    assert relations == {WORDS: "training_dataset", TOOLS: "code"}


def test_words_may_come_in_one_parameter_or_in_several(client: httpx2.Client, take_in: Any) -> None:
    model = take_in(TINY)

    together = _graph(client, model, include="code,datasets")
    apart = _graph(client, model, include=["datasets", "code"])

    assert together == apart
    assert len(together["nodes"]) == 3


@pytest.mark.parametrize(
    "include", ["", "parents", "external,", ",code", "external, code", "EXTERNAL", "code;datasets"]
)
def test_what_cannot_be_included_is_refused_by_name(client: httpx2.Client, take_in: Any, include: str) -> None:
    model = take_in(TINY)

    answer = client.get(f"/artifact/model/{model}/lineage", params={"include": include})

    assert [each["field"] for each in problem_of(answer, 400)["errors"]] == ["include.0"]

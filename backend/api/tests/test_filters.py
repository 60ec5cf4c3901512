"""Filters and orders of `GET /artifacts/{type}`."""

from collections.abc import Iterator
from typing import Any

import pytest

from backend.api.tests.problems import problem_of
from backend.domain.artifact import Artifact
from backend.domain.page import encode_cursor
from backend.storage.base import Commit
from backend.storage.tests.factories import MINUTE, NOW, a_rating, an_artifact
from backend.tests.live import Live, live_registry, settings_for


@pytest.fixture(scope="module")
def registry() -> Iterator[Live]:
    with live_registry(settings_for()) as live:
        for artifact, score in SHELF:
            live._run(live.services.store.commit(Commit(artifact, rating=a_rating(artifact, score))))
        yield live


def _model(name: str, **fields: Any) -> Artifact:
    return an_artifact(name, **fields)


SHELF = [
    (_model("whisper-tiny", license="MIT", size_bytes=70), 0.7),
    (_model("Whisper-Large", license="Apache-2.0", size_bytes=3_000, created_at=NOW + MINUTE), 0.9),
    (_model("bert", license="apache-2.0", size_bytes=400, owner="ann", created_at=NOW - MINUTE), 0.2),
]
AT = "2026-03-01T12:00:00.123456Z"


def _asked(registry: Live, **parameters: Any) -> list[str]:
    answer = registry.client.get("/artifacts/model", params=parameters).raise_for_status()
    assert all(set(item) == {"name", "id", "type"} for item in answer.json())
    return [item["name"] for item in answer.json()]


@pytest.mark.parametrize(
    ("parameters", "names"),
    [
        ({}, ["whisper-tiny", "Whisper-Large", "bert"]),
        ({"name": "bert"}, ["bert"]),
        ({"name": "Bert"}, []),
        ({"text": "WHISPER"}, ["whisper-tiny", "Whisper-Large"]),
        ({"license": "apache-2.0"}, ["Whisper-Large", "bert"]),
        ({"owner": "ann"}, ["bert"]),
        ({"created_from": AT}, ["whisper-tiny", "Whisper-Large"]),
        ({"created_before": "2026-03-01T13:00:00.123456+01:00"}, ["bert"]),
        ({"min_score": "net_score:0.7"}, ["whisper-tiny", "Whisper-Large"]),
        ({"min_score": ["net_score:0.3", "license:1"], "max_score": "net_score:0.8"}, ["whisper-tiny"]),
        ({"min_score": "bus_factor:0"}, []),
        ({"sort": "name"}, ["Whisper-Large", "bert", "whisper-tiny"]),
        ({"sort": "net_score", "order": "desc"}, ["Whisper-Large", "whisper-tiny", "bert"]),
        ({"sort": "size"}, ["whisper-tiny", "bert", "Whisper-Large"]),
        ({"sort": "created_at", "order": "desc"}, ["Whisper-Large", "whisper-tiny", "bert"]),
        ({"sort": "id", "order": "desc", "text": "e"}, ["bert", "Whisper-Large", "whisper-tiny"]),
    ],
    ids=str,
)
def test_a_listing_is_filtered_and_ordered(registry: Live, parameters: dict[str, Any], names: list[str]) -> None:
    assert _asked(registry, **parameters) == names


@pytest.mark.parametrize("sort", ["id", "name", "created_at", "net_score", "size"])
def test_an_order_is_followed_page_by_page(registry: Live, sort: str) -> None:
    wanted = _asked(registry, sort=sort, order="desc")
    offset, seen = "", list[str]()

    while offset is not None:
        parameters = {"sort": sort, "order": "desc", "limit": 1, "offset": offset}
        answer = registry.client.get("/artifacts/model", params=parameters).raise_for_status()
        seen += [item["name"] for item in answer.json()]
        offset = answer.headers.get("offset")

    assert seen == wanted


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"name": ""}, "name"),
        ({"text": "a\0b"}, "text"),
        ({"license": "größe"}, "license"),
        ({"created_from": "yesterday"}, "created_from"),
        ({"created_from": "0.5"}, "created_from"),
        ({"created_from": "2026-03-01"}, "created_from"),
        ({"created_before": "2026-13-01T12:00:00Z"}, "created_before"),
        ({"created_before": "2026-03-01T12:00:00"}, "created_before"),
        ({"min_score": "net_score"}, "min_score"),
        ({"min_score": "net_score:nan"}, "min_score"),
        ({"min_score": "beauty:0.5"}, "min_score"),
        ({"max_score": ["license:0.1", "license:0.2"]}, "max_score"),
        ({"sort": "beauty"}, "sort"),
        ({"order": "up"}, "order"),
        ({"offset": encode_cursor('["name",false,"a","b"]')}, "offset"),
        ({"sort": "name", "offset": encode_cursor("some-id")}, "offset"),
        ({"sort": "size", "offset": encode_cursor(f'["size",false,{10**30},"a"]')}, "offset"),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused_by_name(registry: Live, parameters: dict[str, Any], field: str) -> None:
    problem = problem_of(registry.client.get("/artifacts/model", params=parameters), 400)

    assert [each["field"].rpartition(".")[2] for each in problem["errors"]] == [field]

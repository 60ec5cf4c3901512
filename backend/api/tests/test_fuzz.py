"""Whatever is sent to whatever path: an answer below 500, and a registry that is still there."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from backend.tests.live import Live, live_registry, settings_for

WORDS = st.sampled_from(
    [
        "artifact",
        "artifacts",
        "model",
        "dataset",
        "code",
        "byRegEx",
        "byName",
        "rate",
        "cost",
        "files",
        "download",
        "audit",
        "lineage",
        "license-check",
        "health",
        "components",
        "ingest",
        "jobs",
        "reset",
        "authenticate",
        "tracks",
        "*",
        "..",
        "explain",
    ]
)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
PATHS = st.lists(WORDS | TEXT, max_size=6).map(lambda parts: "/" + "/".join(quote(part, safe="") for part in parts))
KEYS = st.sampled_from(
    ["url", "name", "types", "regex", "metadata", "data", "id", "type", "user", "secret", "password", "ids"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS | TEXT, inner, max_size=5),
    max_leaves=12,
)
METHODS = st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"])
LIVELY = settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def fuzzed() -> Iterator[Live]:
    with live_registry(settings_for()) as live:
        yield live


def _sound(answer: httpx2.Response) -> None:
    assert answer.status_code < 500 or answer.status_code in {501, 502}, answer.text
    if answer.status_code >= 400 and answer.request.method != "HEAD":
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == answer.status_code


@given(METHODS, PATHS, JSON)
@LIVELY
def test_any_json_to_any_path_is_answered(fuzzed: Live, method: str, path: str, body: Any) -> None:
    _sound(
        fuzzed.client.request(
            method, fuzzed.base + path, content=json.dumps(body), headers={"content-type": "application/json"}
        )
    )


@given(
    st.sampled_from(
        [
            ("POST", "/artifacts"),
            ("POST", "/artifact/byRegEx"),
            ("POST", "/artifact/dataset"),
            ("PUT", "/authenticate"),
            ("POST", "/artifacts/models/rate"),
            ("PUT", "/artifacts/code/x"),
            ("POST", "/artifact/model/x/license-check"),
        ]
    ),
    JSON,
)
@LIVELY
@example(("POST", "/artifacts"), [{"name": "*", "types": ["model", None]}])
def test_any_json_to_a_route_that_reads_it_is_answered(fuzzed: Live, route: tuple[str, str], body: Any) -> None:
    method, path = route
    _sound(fuzzed.client.request(method, path, content=json.dumps(body), headers={"content-type": "application/json"}))


@given(st.binary(max_size=200), st.sampled_from(["application/json", "text/plain", "multipart/form-data", "x"]))
@LIVELY
def test_any_bytes_are_answered(fuzzed: Live, body: bytes, content_type: str) -> None:
    _sound(fuzzed.client.post("/artifact/byRegEx", content=body, headers={"content-type": content_type}))


@given(TEXT | st.text(max_size=40).filter(str.isascii))
@LIVELY
def test_any_text_is_a_pattern_or_refused(fuzzed: Live, pattern: str) -> None:
    _sound(fuzzed.client.post("/artifact/byRegEx", json={"regex": pattern}))


@given(
    st.dictionaries(
        st.sampled_from(["offset", "limit", "dependency", "refresh", "windowMinutes", "state", "explain"]),
        TEXT,
        max_size=3,
    )
)
@LIVELY
def test_any_query_is_answered(fuzzed: Live, params: dict[str, str]) -> None:
    for path in ("/artifacts/model", "/health", "/ingest/jobs", "/artifact/model/x/cost"):
        _sound(fuzzed.client.get(path, params=params))


def test_the_registry_is_well_after_all_that(fuzzed: Live) -> None:
    assert fuzzed.client.get("/health").json()["status"] == "ok"

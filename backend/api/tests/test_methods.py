"""HEAD, OPTIONS, and what happens to a method or a path that is not there."""

import re
from typing import Any

import httpx2
import pytest

from backend.api.tests.organisation import TINY
from backend.api.tests.problems import problem_of
from backend.app import create_app
from backend.tests.live import Live, settings_for

DOCUMENT = create_app(settings_for()).openapi()
PATHS = {path: re.sub(r"\{.*?\}", "x", path.replace("{artifact_type}", "dataset")) for path in DOCUMENT["paths"]}
"""Template -> a path of it."""
FIGURES = ("/health", "/metrics")
"""What these say changes with every request."""
PER_REQUEST = {"date", "x-correlation-id"}


def _allowed(path: str) -> set[str]:
    methods = {method.upper() for method in DOCUMENT["paths"][path]}
    return methods | {"HEAD"} if "GET" in methods else methods


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["OPTIONS", "TRACE", "PATCH", "PROPFIND"])
def test_a_method_that_no_route_takes_is_405_and_names_every_one_that_is_taken(
    client: httpx2.Client, method: str, path: str
) -> None:
    answer = client.request(method, PATHS[path])

    problem_of(answer, 405)
    expected = set().union(*(_allowed(each) for each in PATHS if _may_be(each, PATHS[path])))
    assert set(answer.headers["allow"].split(", ")) == expected


def _may_be(template: str, path: str) -> bool:
    """Whether a path is one of a template's: /artifact/byRegEx is also an artifact type nobody has."""
    parts, given = template.split("/"), path.split("/")
    return len(parts) == len(given) and all(a == b or a.startswith("{") for a, b in zip(parts, given, strict=True))


@pytest.mark.parametrize("path", [path for path in PATHS if "get" in DOCUMENT["paths"][path]])
def test_head_is_answered_as_get_is_without_a_body(client: httpx2.Client, path: str) -> None:
    got, headed = client.get(PATHS[path]), client.head(PATHS[path])

    assert headed.status_code == got.status_code
    assert headed.content == b""
    varying = PER_REQUEST | ({"content-length"} if path.startswith(FIGURES) else set())
    assert _headers(headed, varying) == _headers(got, varying)


def _headers(answer: httpx2.Response, but: set[str]) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name not in but}


@pytest.mark.parametrize("path", ["/", "/docs", "/redoc", "/openapi.json", "/docs/assets/home.css"])
def test_pages_answer_head_too(client: httpx2.Client, path: str) -> None:
    got, headed = client.get(path), client.head(path)

    assert (headed.status_code, headed.content) == (200, b"")
    assert headed.headers["content-length"] == str(len(got.content))


def test_asking_about_a_download_is_not_downloading(registry: Live, client: httpx2.Client, take_in: Any) -> None:
    model = take_in(TINY)
    registry.idle()  # a file that is held by then is announced a little shorter
    path = f"/artifact/model/{model}/download"

    headed = client.head(path)

    trail = client.get(f"/artifact/model/{model}/audit").json()
    assert "DOWNLOAD" not in {entry["action"] for entry in trail}
    got = client.get(path)
    assert (headed.status_code, headed.content) == (200, b"")
    assert _headers(headed, PER_REQUEST) == _headers(got, PER_REQUEST)


def test_head_of_what_has_no_get_is_405(client: httpx2.Client) -> None:
    answer = client.head("/artifacts")

    assert (answer.status_code, answer.content) == (405, b"")
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize("path", ["/health", "/tracks", "/ingest/jobs", "/artifacts/model"])
def test_a_trailing_slash_is_another_path_and_no_redirect(client: httpx2.Client, path: str) -> None:
    answer = client.get(f"{path}/", headers={"Host": "elsewhere.example"})

    assert "location" not in answer.headers
    problem_of(answer, 404)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_an_unknown_path_is_404_for_every_method(client: httpx2.Client, method: str) -> None:
    answer = client.request(method, "/nothing/here")

    problem_of(answer, 404)
    assert "allow" not in answer.headers

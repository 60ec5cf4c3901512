"""Who may call what: every route declares a permission, and each does as it declares."""

from collections.abc import Iterator
from typing import Any

import httpx2
import jwt
import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from backend.api.deps import Permission
from backend.api.tests.problems import problem_of
from backend.app import create_app
from backend.domain.ids import new_id
from backend.services.clock import utc_now
from backend.settings import GRADER_NAME, GRADER_PASSWORDS
from backend.tests.live import Live, live_registry, settings_for

PASSWORD = "a-password-nobody-guesses"
SECRET = "a-signing-key-of-more-than-32-characters"
PAGES = {"/", "/openapi.json", "/docs", "/docs/assets/{name}", "/redoc"}


@pytest.fixture(scope="module")
def guarded() -> Iterator[Live]:
    """A registry that asks for sign-in."""
    with live_registry(settings_for(auth="required", admin_password=PASSWORD, jwt_secret=SECRET)) as live:
        yield live


@pytest.fixture(scope="module")
def token(guarded: Live) -> str:
    answer = _sign_in(guarded.client, "admin", PASSWORD)
    assert answer.status_code == 200, answer.text
    return str(answer.json())


def _sign_in(client: httpx2.Client, name: Any, password: Any) -> httpx2.Response:
    return client.put(
        "/authenticate", json={"user": {"name": name, "is_admin": True}, "secret": {"password": password}}
    )


def _permissions(dependant: Dependant) -> set[Permission]:
    own = {dependant.call.permission} if hasattr(dependant.call, "permission") else set()
    return own.union(*(_permissions(each) for each in dependant.dependencies))


def _routes() -> list[Any]:
    """Every route of the app, those that FastAPI mounts by itself included."""
    found: list[Any] = []
    waiting = list(create_app(settings_for()).routes)
    while waiting:
        route = waiting.pop(0)
        inner = getattr(getattr(route, "original_router", route), "routes", None)
        if inner is not None:
            waiting.extend(inner)
        else:
            found.append(route)
    return found


ROUTES = [route for route in _routes() if isinstance(route, APIRoute)]
CALLS = sorted(
    (method, route.path, permission)
    for route in ROUTES
    for method in route.methods
    for permission in _permissions(route.dependant)
)


def test_the_walk_over_the_routes_finds_those_of_every_router() -> None:
    documented = create_app(settings_for()).openapi()["paths"]

    assert {route.path.replace(":path}", "}") for route in ROUTES} == set(documented)


@pytest.mark.parametrize("route", _routes(), ids=lambda route: str(getattr(route, "path", route)))
def test_every_route_declares_exactly_one_permission(route: Any) -> None:
    if isinstance(route, APIRoute):
        assert len(_permissions(route.dependant)) == 1, f"{route.path} declares no permission: see backend/api/deps.py"
    else:
        assert route.path in PAGES, f"{route.path} is mounted outside the layer that recognises callers"


def test_nothing_but_health_tracks_and_signing_in_is_public() -> None:
    public = {path for _, path, permission in CALLS if permission is Permission.PUBLIC}

    assert public == {"/health", "/health/components", "/tracks", "/authenticate"}


def test_whoever_changes_something_needs_more_than_to_search() -> None:
    asking = {"/artifacts", "/artifacts/models/rate", "/artifact/byRegEx", "/artifact/model/{id}/license-check"}

    changing = {(m, p): permission for m, p, permission in CALLS if m not in {"GET", "HEAD"} and p not in asking}

    assert set(changing.values()) == {Permission.UPLOAD, Permission.ADMIN, Permission.PUBLIC}
    assert [p for (_, p), permission in changing.items() if permission is Permission.PUBLIC] == ["/authenticate"]


BODIES: dict[tuple[str, str], Any] = {
    ("POST", "/artifacts"): [{"name": "*"}],
    ("POST", "/artifact/byRegEx"): {"regex": "x"},
    ("POST", "/artifacts/models/rate"): {"ids": ["x"]},
    ("POST", "/artifact/{artifact_type}"): {"url": "https://example.org/x"},
    ("PUT", "/artifacts/{artifact_type}/{id}"): {
        "metadata": {"id": "x", "name": "x", "type": "dataset"},
        "data": {"url": "https://example.org/x"},
    },
    ("POST", "/artifact/model/{id}/license-check"): {"github_url": "https://github.com/a/b"},
}
GUARDED = [(method, path) for method, path, permission in CALLS if permission is not Permission.PUBLIC]


def _call(live: Live, method: str, path: str, **more: Any) -> httpx2.Response:
    values = {"artifact_type": "dataset", "id": "x", "name": "x", "path": "x", "path:path": "x", "name:path": "x"}
    values |= {"component": "api", "job_id": "x"}
    filled = path
    for name, value in values.items():
        filled = filled.replace(f"{{{name}}}", value)
    assert "{" not in filled, f"this test does not know how to fill {path}"
    body = BODIES.get((method, path))
    return live.client.request(method, filled, **({"json": body} if body is not None else {}), **more)


def _forged() -> str:
    return "bearer " + jwt.encode({"sub": "admin", "jti": "1", "exp": utc_now().timestamp() + 999}, "k" * 40)


BAD_TOKENS = {
    "no token": {},
    "empty": {"X-Authorization": ""},
    "no scheme": {"X-Authorization": "token"},
    "garbage": {"X-Authorization": "bearer garbage"},
    "another key": {"X-Authorization": _forged()},
    "basic": {"Authorization": "Basic YWRtaW46YWRtaW4="},
    "other header, garbage": {"Authorization": "Bearer garbage"},
}


@pytest.mark.parametrize("headers", BAD_TOKENS.values(), ids=BAD_TOKENS.keys())
@pytest.mark.parametrize(("method", "path"), GUARDED, ids=lambda part: part)
def test_without_a_token_that_is_ours_a_guarded_route_is_403(
    guarded: Live, method: str, path: str, headers: dict[str, str]
) -> None:
    answer = _call(guarded, method, path, headers=headers)

    if method == "HEAD":
        assert answer.status_code == 403
    else:
        problem_of(answer, 403)


@pytest.mark.parametrize("header", ["X-Authorization", "Authorization", "x-authorization"])
@pytest.mark.parametrize(("method", "path"), GUARDED, ids=lambda part: part)
def test_with_the_administrators_token_every_route_is_open(
    guarded: Live, token: str, method: str, path: str, header: str
) -> None:
    answer = _call(guarded, method, path, headers={header: token})

    assert answer.status_code not in {401, 403, 500, 501}, answer.text


def test_who_is_not_signed_in_does_not_learn_what_exists_or_what_is_well_formed(guarded: Live) -> None:
    for body in ({"url": 5}, {}, [], None):
        problem_of(guarded.client.post("/artifact/model", json=body), 403)
    problem_of(guarded.client.get("/artifacts/nonsense/x"), 403)
    problem_of(guarded.client.get(f"/artifacts/model/{new_id()}"), 403)


@pytest.mark.parametrize("path", ["/health", "/health/components", "/tracks", "/openapi.json", "/docs"])
def test_public_pages_need_no_token_and_ignore_a_bad_one(guarded: Live, path: str) -> None:
    assert guarded.client.get(path).status_code == 200
    assert guarded.client.get(path, headers={"X-Authorization": "bearer x"}).status_code == 200


@pytest.mark.parametrize(
    ("name", "password"),
    [("admin", "wrong"), ("nobody", PASSWORD), ("", ""), ("admin", ""), ("ADMIN", PASSWORD), ("admin", "x" * 900_000)],
    ids=["wrong password", "unknown user", "empty", "no password", "name in capitals", "most of a megabyte"],
)
def test_a_wrong_name_or_password_is_401_and_does_not_say_which(guarded: Live, name: str, password: str) -> None:
    body = problem_of(_sign_in(guarded.client, name, password), 401)

    assert body["detail"] == "the user name or the password is wrong"


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        None,
        {"user": {"name": "admin", "is_admin": True}},
        {"user": {"name": "admin"}, "secret": {"password": PASSWORD}},
        {"user": {"name": 1, "is_admin": True}, "secret": {"password": PASSWORD}},
        {"user": {"name": "admin", "is_admin": "true"}, "secret": {"password": PASSWORD}},
        {"user": {"name": "admin", "is_admin": True}, "secret": {"password": None}},
    ],
)
def test_a_malformed_sign_in_is_400_and_repeats_nothing(guarded: Live, body: Any) -> None:
    answer = guarded.client.put("/authenticate", json=body)

    problem_of(answer, 400)
    assert PASSWORD not in answer.text


def test_signing_in_gives_the_token_as_a_json_string(guarded: Live) -> None:
    answer = _sign_in(guarded.client, "admin", PASSWORD)

    assert answer.headers["content-type"] == "application/json"
    assert answer.json().startswith("bearer ")


def test_what_a_caller_says_of_being_an_administrator_is_not_believed(guarded: Live) -> None:
    body = {"user": {"name": "guest", "is_admin": True}, "secret": {"password": "x"}}

    problem_of(guarded.client.put("/authenticate", json=body), 401)


def test_an_open_registry_needs_no_token_and_gives_none(registry: Live) -> None:
    problem_of(_sign_in(registry.client, "admin", "x"), 501)
    assert registry.client.get("/artifacts/model").json() == []
    assert registry.client.get("/artifacts/model", headers={"X-Authorization": "bearer x"}).status_code == 200
    assert registry.client.delete("/reset").status_code == 200


def test_the_public_account_signs_in_with_both_spellings_of_its_password() -> None:
    with live_registry(settings_for(grader_defaults=True)) as live:
        for password in GRADER_PASSWORDS:
            header = _sign_in(live.client, GRADER_NAME, password).json()
            assert live.client.get("/artifacts/model", headers={"X-Authorization": header}).json() == []
        problem_of(_sign_in(live.client, GRADER_NAME, GRADER_PASSWORDS[0].rstrip(";")), 401)


def test_a_reset_by_the_administrator_empties_the_registry(guarded: Live, token: str) -> None:
    headers = {"X-Authorization": token}
    guarded.client.post("/artifact/dataset", json={"url": "https://example.org/data"}, headers=headers)

    assert guarded.client.delete("/reset", headers=headers).status_code == 200

    assert guarded.client.post("/artifacts", json=[{"name": "*"}], headers=headers).json() == []
    assert guarded.client.get("/ingest/jobs", headers=headers).json() == []


def test_the_token_outlives_a_reset(guarded: Live, token: str) -> None:
    headers = {"X-Authorization": token}

    guarded.client.delete("/reset", headers=headers)

    assert guarded.client.get("/artifacts/model", headers=headers).status_code == 200


def test_the_audit_trail_names_who_did_it(guarded: Live, token: str) -> None:
    headers = {"X-Authorization": token}
    made = guarded.client.post("/artifact/dataset", json={"url": "https://example.org/named"}, headers=headers)

    trail = guarded.client.get(f"/artifact/dataset/{made.json()['metadata']['id']}/audit", headers=headers).json()

    assert [entry["user"] for entry in trail] == [{"name": "admin", "is_admin": True}]

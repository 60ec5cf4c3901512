"""The app behind Lambda's events: every shape of event, one invocation after the other on one instance."""

import asyncio
import base64
import importlib
import io
import json
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from demo.hub import DemoHub
from demo.items import Organisation, dataset, model

PASSWORD = "a-password-nobody-guesses"
BINARY = bytes(range(256)) * 4
ORGANISATION = Organisation.of(
    dataset("acme/words", readme="# Words\n", files={"raw.bin": BINARY}),
    model("acme/tiny", readme="---\nlicense: mit\n---\n# Tiny\n", generated_files={"model.safetensors": 4_000}),
)
Event = dict[str, Any]


def _http_api(method: str, path: str, headers: dict[str, str], body: str | None, coded: bool) -> Event:
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": headers,
        "requestContext": {
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.9",
                "userAgent": "x",
            },
            "domainName": "id.execute-api.eu-west-1.amazonaws.com",
            "stage": "$default",
        },
        "body": body,
        "isBase64Encoded": coded,
    }


def _function_url(method: str, path: str, headers: dict[str, str], body: str | None, coded: bool) -> Event:
    event = _http_api(method, path, headers, body, coded)
    event["requestContext"]["domainName"] = "id.lambda-url.eu-west-1.on.aws"
    event["requestContext"]["authentication"] = None
    return event


def _rest_api(method: str, path: str, headers: dict[str, str], body: str | None, coded: bool) -> Event:
    return {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "requestContext": {"resourcePath": "/{proxy+}", "identity": {"sourceIp": "203.0.113.9"}, "stage": "prod"},
        "body": body,
        "isBase64Encoded": coded,
    }


def _load_balancer(method: str, path: str, headers: dict[str, str], body: str | None, coded: bool) -> Event:
    return {
        "requestContext": {"elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/x/y"}},
        "httpMethod": method,
        "path": path,
        "queryStringParameters": {},
        "headers": {**headers, "x-forwarded-for": "203.0.113.9"},
        "body": body or "",
        "isBase64Encoded": coded,
    }


SHAPES = {"HTTP API": _http_api, "REST API": _rest_api, "Function URL": _function_url, "load balancer": _load_balancer}


class Function:
    """A deployed instance: sends a request as an event of one shape, and takes the answer apart."""

    def __init__(self, module: ModuleType, shape: Callable[..., Event]) -> None:
        self._module, self._shape = module, shape
        self.token = ""

    def call(
        self, method: str, path: str, body: Any = None, *, coded: bool = False
    ) -> tuple[int, dict[str, str], bytes]:
        text = None if body is None else json.dumps(body)
        if text is not None and coded:
            text = base64.b64encode(text.encode()).decode()
        headers = {"host": "registry.example", "content-type": "application/json"}
        if self.token:
            headers["x-authorization"] = self.token
        answer = self._module.handler(self._shape(method, path, headers, text, coded), None)
        data = answer["body"]
        raw = base64.b64decode(data) if answer.get("isBase64Encoded") else data.encode()
        single = answer.get("headers") or {}
        many = {name: ",".join(values) for name, values in (answer.get("multiValueHeaders") or {}).items()}
        return answer["statusCode"], {name.lower(): value for name, value in (many | single).items()}, raw

    def json(self, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, Any]:
        status, _, raw = self.call(method, path, body, **more)
        return status, json.loads(raw)

    def sign_in(self) -> None:
        credentials = {"user": {"name": "admin", "is_admin": True}, "secret": {"password": PASSWORD}}
        status, self.token = self.json("PUT", "/authenticate", credentials)
        assert status == 200, self.token


@pytest.fixture(scope="module")
def hub() -> Iterator[DemoHub]:
    with DemoHub(ORGANISATION) as running:
        yield running


@pytest.fixture(params=["memory", "on disk"])
def places(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    kept = {"METADATA_URL": "memory://", "BLOB_URL": "memory://"}
    return {"DATA_DIR": str(tmp_path)} if request.param == "on disk" else kept


@pytest.fixture
def instance(places: dict[str, str], hub: DemoHub, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The module as a cold start loads it, with an event loop of its own as its process would have."""
    environment = {
        **places,
        "ADMIN_PASSWORD": PASSWORD,
        "JWT_SECRET": "a-signing-key-of-more-than-32-characters",
        "HF_ENDPOINT": hub.url,
        "GITHUB_API_URL": hub.github_url,
        "MIRROR": "none",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("backend.logs.configure", lambda _settings: None)  # it would outlive the test
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    sys.modules.pop("backend.lambda_handler", None)
    module = importlib.import_module("backend.lambda_handler")
    yield module
    loop.run_until_complete(module.services.close())
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()
    asyncio.set_event_loop(None)
    sys.modules.pop("backend.lambda_handler", None)


@pytest.fixture(params=SHAPES.values(), ids=SHAPES.keys())
def function(request: pytest.FixtureRequest, instance: ModuleType) -> Function:
    return Function(instance, request.param)


def test_a_walk_of_many_invocations_works_on_one_instance(function: Function) -> None:
    status, health = function.json("GET", "/health")
    assert (status, health["status"]) == (200, "ok")
    assert function.call("GET", "/artifacts/dataset")[0] == 403

    function.sign_in()
    status, made = function.json("POST", "/artifact/dataset", {"url": "https://huggingface.co/datasets/acme/words"})
    assert status == 201, made
    artifact_id = made["metadata"]["id"]
    status, rated = function.json("POST", "/artifact/model", {"url": "https://huggingface.co/acme/tiny"}, coded=True)
    assert status == 201, rated

    status, headers, data = function.call("GET", f"/artifact/dataset/{artifact_id}/download")
    assert (status, headers["content-type"]) == (200, "application/zip")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.read("raw.bin") == BINARY
    assert function.json("GET", f"/artifact/model/{rated['metadata']['id']}/rate")[1]["name"] == "tiny"
    assert function.call("GET", f"/artifact/dataset/{artifact_id}/files/raw.bin")[2] == BINARY
    assert function.call("DELETE", f"/artifacts/dataset/{artifact_id}")[0] == 200
    assert function.call("GET", f"/artifacts/dataset/{artifact_id}")[0] == 404
    assert function.json("GET", "/health")[1]["status"] == "ok"


def test_a_hostile_body_is_400_and_the_next_invocation_works(instance: ModuleType) -> None:
    function = Function(instance, _http_api)
    event = _http_api("PUT", "/authenticate", {"content-type": "application/json"}, '{"user": NaN}', coded=False)

    assert instance.handler(event, None)["statusCode"] == 400

    function.sign_in()


def test_instances_that_are_reachable_ask_for_sign_in(instance: ModuleType) -> None:
    assert instance.settings.sign_in_required

"""The service's own OpenAPI document offers everything that the public contract promises, and says it alike."""

import copy
from collections import Counter
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
import yaml

from backend.app import create_app
from backend.tests.conformance import METHODS, Difference, differences
from backend.tests.live import settings_for

Document = dict[str, Any]

CONTRACT: Document = yaml.safe_load((Path(__file__).parent / "contract" / "openapi.yaml").read_text())
SERVICE: Document = create_app(settings_for()).openapi()

LIMITS = "what is sent has a greatest length, and empty names and URLs name nothing"
EXCEPTIONS = {
    ("* header X-Authorization", "required"): "an open registry needs no token, and Authorization carries one as well",
    ("* path id", "bounds"): LIMITS,
    ("* path name", "bounds"): LIMITS,
    ("* query offset", "bounds"): LIMITS,
    ("* body*.id", "bounds"): LIMITS,
    ("* body*.name", "bounds"): LIMITS,
    (
        "* body*.name",
        "pattern",
    ): "a name holds keyboard characters, as the contract says in prose: no control characters",
    ("* body*url", "bounds"): LIMITS,
    ("*/lineage 200.nodes?].node", "required"): "the contract requires a property that it neither defines nor shows",
    ("*/license-check 200", "type"): "an object comes only at ?explain=true, which the contract does not have",
}
"""Where the service differs on purpose, by place and rule, with the reason; decision 7 tells more."""


def _excepted(difference: Difference) -> tuple[str, str] | None:
    return next((key for key in EXCEPTIONS if _names(key, difference)), None)


def _names(key: tuple[str, str], difference: Difference) -> bool:
    place, rule = key
    return difference.rule == rule and fnmatchcase(difference.where.replace("[]", "?]"), place)


def test_the_service_offers_what_the_contract_promises() -> None:
    unexpected = [str(each) for each in differences(CONTRACT, SERVICE) if _excepted(each) is None]

    assert not unexpected, "\n".join(["the service differs from the contract:", *unexpected])


def test_the_health_summary_is_the_one_that_the_contract_defines_without_using_it() -> None:
    summary = {"application/json": {"schema": {"$ref": "#/components/schemas/HealthSummaryResponse"}}}
    operation = {"responses": {"200": {"content": summary}}}
    contract = {**CONTRACT, "paths": {"/health": {"get": operation}}}

    assert [str(each) for each in differences(contract, SERVICE)] == []


def test_no_exception_outlives_its_difference() -> None:
    found = list(differences(CONTRACT, SERVICE))

    assert [key for key in EXCEPTIONS if not any(_names(key, each) for each in found)] == []


def _operations(document: Document) -> Iterator[tuple[str, Document]]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield f"{method.upper()} {path}", item[method]


@pytest.mark.parametrize("operation", [pytest.param(each, id=where) for where, each in _operations(SERVICE)])
def test_an_operation_names_each_parameter_once(operation: Document) -> None:
    named = Counter((each["in"], each["name"].lower()) for each in operation.get("parameters", []))

    assert [each for each, times in named.items() if times > 1] == []


def test_no_two_operations_share_an_id() -> None:
    ids = Counter(operation["operationId"] for _, operation in _operations(SERVICE))

    assert [each for each, times in ids.items() if times > 1] == []


@pytest.mark.parametrize("operation", [pytest.param(each, id=where) for where, each in _operations(SERVICE)])
def test_an_error_is_documented_as_a_problem_and_as_nothing_else(operation: Document) -> None:
    for status, response in operation["responses"].items():
        if int(status) >= 400:
            schema = {"$ref": "#/components/schemas/Problem"}
            assert response["content"] == {"application/problem+json": {"schema": schema}}, status
            assert response["description"]


def test_a_parameter_is_never_null() -> None:
    for where, operation in _operations(SERVICE):
        assert "null" not in str([each["schema"] for each in operation.get("parameters", [])]), where


def test_a_malformed_request_is_400_in_the_document_as_on_the_wire() -> None:
    for where, operation in _operations(SERVICE):
        assert "422" not in operation["responses"], where
        if operation.get("parameters") or "requestBody" in operation:
            assert "400" in operation["responses"], where
    assert not {"HTTPValidationError", "ValidationError"} & set(SERVICE["components"]["schemas"])


Change = Callable[[Document], object]


def _operation(document: Document, method: str, path: str) -> Document:
    return dict(document["paths"][path])[method]


def _schema(document: Document, name: str) -> Document:
    return dict(document["components"]["schemas"])[name]


CHANGES: dict[str, tuple[str, Change]] = {
    "a path is gone": ("path", lambda d: d["paths"].pop("/reset")),
    "a method is gone": ("method", lambda d: d["paths"]["/artifacts/{artifact_type}/{id}"].pop("put")),
    "an operation is renamed": ("operation-id", lambda d: _operation(d, "delete", "/reset").update(operationId="Wipe")),
    "a parameter is gone": ("parameter", lambda d: _operation(d, "get", "/health/components")["parameters"].clear()),
    "a parameter is demanded": (
        "required",
        lambda d: _operation(d, "get", "/health")["parameters"][0].update(required=True),
    ),
    "a status is gone": (
        "status",
        lambda d: _operation(d, "post", "/artifact/{artifact_type}")["responses"].pop("424"),
    ),
    "a response header is gone": (
        "header",
        lambda d: _operation(d, "post", "/artifacts")["responses"]["200"].pop("headers"),
    ),
    "an answer is no JSON": (
        "media-type",
        lambda d: _operation(d, "get", "/tracks")["responses"]["200"].update(content={"text/plain": {"schema": {}}}),
    ),
    "a body is no JSON": (
        "media-type",
        lambda d: _operation(d, "post", "/artifacts")["requestBody"].update(content={"text/plain": {"schema": {}}}),
    ),
    "a body property is demanded": ("required", lambda d: _schema(d, "Query")["required"].append("types")),
    "a body property is of another type": (
        "type",
        lambda d: _schema(d, "RegEx")["properties"].update(regex={"type": "integer"}),
    ),
    "a body property has an enum": (
        "enum",
        lambda d: _schema(d, "WireUser")["properties"].update(name={"type": "string", "enum": ["admin"]}),
    ),
    "a type of artifact is refused": ("enum", lambda d: _schema(d, "ArtifactType")["enum"].remove("code")),
    "a type of artifact is invented": ("enum", lambda d: _schema(d, "ArtifactType")["enum"].append("space")),
    "an answer lacks a property": ("property", lambda d: _schema(d, "ModelRating")["properties"].pop("license")),
    "an answer may lack a property": ("required", lambda d: _schema(d, "ModelRating")["required"].remove("net_score")),
    "an answer may be null": (
        "type",
        lambda d: _schema(d, "ArtifactCost")["properties"].update(
            total_cost={"anyOf": [{"type": "number"}, {"type": "null"}]}
        ),
    ),
    "a score has no format": (
        "format",
        lambda d: _schema(d, "SizeScore")["properties"]["desktop_pc"].pop("format"),
    ),
    "an id is of any kind": ("pattern", lambda d: _schema(d, "ArtifactMetadata")["properties"]["id"].pop("pattern")),
    "a count may be negative": (
        "bounds",
        lambda d: _schema(d, "ComponentCollection")["properties"]["window_minutes"].pop("minimum"),
    ),
    "a default is another": (
        "default",
        lambda d: next(
            each for each in _operation(d, "get", "/health/components")["parameters"] if each["name"] == "windowMinutes"
        )["schema"].update(default=30),
    ),
    "a link can be sent": (
        "read-only",
        lambda d: _schema(d, "ArtifactData")["properties"]["download_url"].pop("readOnly"),
    ),
    "figures are of any type": (
        "additional",
        lambda d: _schema(d, "ComponentDetail")["properties"]["metrics"].pop("additionalProperties"),
    ),
    "other properties are refused": (
        "property",
        lambda d: (
            _schema(d, "Query").update(additionalProperties=False),
            _schema(d, "Query")["properties"].pop("types"),
        ),
    ),
}


@pytest.mark.parametrize(("rule", "change"), CHANGES.values(), ids=CHANGES.keys())
def test_a_service_that_falls_short_is_found_out(rule: str, change: Change) -> None:
    changed = copy.deepcopy(SERVICE)
    change(changed)

    found = set(differences(CONTRACT, changed)) - set(differences(CONTRACT, SERVICE))

    assert rule in {each.rule for each in found}, found

"""The OpenAPI document as the service keeps to it: what FastAPI adds by habit goes, what middleware answers comes."""

from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from backend.api.problems import PROBLEM_MEDIA_TYPE, problems

CARRIES_A_BODY = ("post", "put", "patch", "delete")
FIRST_ERROR = 400
UNUSED = ("HTTPValidationError", "ValidationError")


def operation_id(route: APIRoute) -> str:
    """Name an operation after its function, where the contract has no name for it: `list_type` is `ListType`."""
    return "".join(part.capitalize() for part in route.name.split("_"))


def install(app: FastAPI) -> None:
    """Have the app give the document as it is amended here."""
    plain = app.openapi

    def amended() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _amend(plain())
        return app.openapi_schema

    app.openapi = amended  # type: ignore[method-assign]  # the way FastAPI documents for this


def _amend(document: dict[str, Any]) -> dict[str, Any]:
    for item in document["paths"].values():
        for method, operation in item.items():
            for parameter in operation.get("parameters", []):
                parameter["schema"] = _without_null(parameter["schema"])
            responses = operation["responses"]
            responses.pop("422", None)  # a malformed request is 400 here, see backend/api/errors.py
            if method in CARRIES_A_BODY:  # any body is read and judged before a route sees it
                for status, described in problems(400, 413).items():
                    responses.setdefault(str(status), {k: v for k, v in described.items() if k != "model"})
            for status, response in responses.items():
                if int(status) >= FIRST_ERROR:
                    response["content"] = {PROBLEM_MEDIA_TYPE: response["content"][PROBLEM_MEDIA_TYPE]}
            operation["responses"] = dict(sorted(responses.items()))
    for name in UNUSED:
        document["components"]["schemas"].pop(name, None)
    return document


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter that may be left out, which in Python is None and in a URL or a header is nothing."""
    match schema:
        case {"anyOf": [real, {"type": "null"}], **rest}:
            return {**real, **rest}
        case _:
            return schema

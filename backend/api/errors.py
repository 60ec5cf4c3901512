"""Errors on the wire: the only place that knows both the domain's error classes and HTTP's statuses."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from backend.api.methods import allowed
from backend.api.problems import PROBLEM_MEDIA_TYPE
from backend.domain.errors import (
    AlreadyExists,
    BadCredentials,
    Conflict,
    InvalidInput,
    LeaseLost,
    MayNotReset,
    NotAllowed,
    NotFound,
    NotOffered,
    NotSignedIn,
    PayloadTooLarge,
    RatingIncomplete,
    Refused,
    RegistryError,
    TooMany,
    Unavailable,
    UpstreamFailed,
    UpstreamRefused,
)

log = structlog.get_logger()

STATUS: Mapping[type[RegistryError], int] = {
    InvalidInput: 400,
    BadCredentials: 401,
    NotSignedIn: 403,
    NotAllowed: 403,
    MayNotReset: 401,
    NotFound: 404,
    AlreadyExists: 409,
    Conflict: 409,
    PayloadTooLarge: 413,
    TooMany: 413,
    Refused: 424,
    RatingIncomplete: 500,
    NotOffered: 501,
    UpstreamRefused: 502,
    UpstreamFailed: 502,
    Unavailable: 503,
    LeaseLost: 503,
}
METHOD_NOT_ALLOWED = 405
RATE_LIMITED_STATUS = 503
"""A source that asks us to wait is passed on as our own asking to wait."""


def problem(
    request_path: str,
    correlation_id: str,
    status: int,
    detail: str,
    *,
    code: str | None = None,
    more: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """Build a problem by RFC 9457; `code` names the error's kind, `more` adds members."""
    body = {
        "type": f"urn:registry:problem:{code or status}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": request_path,
        "correlation_id": correlation_id,
        **(more or {}),
    }
    return JSONResponse(body, status, headers=dict(headers or {}), media_type=PROBLEM_MEDIA_TYPE)


def _answer(
    request: Request,
    status: int,
    detail: str,
    *,
    code: str | None = None,
    more: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    correlation_id = request.scope.get("correlation_id", "")
    return problem(request.url.path, correlation_id, status, detail, code=code, more=more, headers=headers)


def status_of(error: RegistryError) -> int:
    """The status a domain error is answered with."""
    if isinstance(error, UpstreamFailed) and error.rate_limited:
        return RATE_LIMITED_STATUS
    return next(STATUS[cls] for cls in type(error).__mro__ if cls in STATUS)


async def _registry_error(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RegistryError):
        raise error
    more: dict[str, Any] = {}
    headers: dict[str, str] = {}
    match error:
        case InvalidInput(fields=fields) if fields:
            more["errors"] = [{"field": each.field, "message": each.message} for each in fields]
        case AlreadyExists(artifact_id=artifact_id, artifact_type=kind):
            more["artifact_id"] = artifact_id
            headers["Location"] = f"/artifacts/{kind}/{quote(artifact_id)}"
        case Refused(shortfalls=shortfalls):
            more["shortfalls"] = list(shortfalls)
        case UpstreamFailed(status=status, retry_after_s=wait):
            more["upstream_status"] = status
            if wait is not None:
                headers["Retry-After"] = str(wait)
        case UpstreamRefused(status=status):
            more["upstream_status"] = status
        case Unavailable(retry_after_s=wait):
            headers["Retry-After"] = str(wait)
    return _answer(request, status_of(error), str(error), code=error.code, more=more, headers=headers)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    """A request whose shape FastAPI refused; the values themselves are not echoed."""
    if not isinstance(error, RequestValidationError):
        raise error
    fields = [
        {"field": ".".join(str(part) for part in each["loc"][1:]) or str(each["loc"][0]), "message": each["msg"]}
        for each in error.errors()
    ]
    named = "; ".join(f"{each['field']}: {each['message']}" for each in fields[:5])
    return _answer(
        request, 400, f"the request is not well formed: {named}", code="InvalidInput", more={"errors": fields}
    )


async def _http_error(request: Request, error: Exception) -> JSONResponse:
    """Starlette's own: an unknown path or a method that a path does not take."""
    if not isinstance(error, HTTPException):
        raise error
    detail = {
        404: f"there is nothing at {request.url.path}",
        405: f"{request.method} is not offered at {request.url.path}",
    }.get(error.status_code, str(error.detail))
    headers = dict(error.headers or {})
    if error.status_code == METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(allowed(request.app, request.scope))  # Starlette names one route's methods only
    return _answer(request, error.status_code, detail, headers=headers)


def install(app: FastAPI) -> None:
    """Register the translation."""
    app.add_exception_handler(RegistryError, _registry_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http_error)

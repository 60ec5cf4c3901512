"""How errors are documented: one description a status, shared by all routes."""

from typing import Any

from backend.api.schemas import Problem

PROBLEM_MEDIA_TYPE = "application/problem+json"
DESCRIPTIONS = {
    400: "The request is malformed; `errors` names each field.",
    401: "The user or password is wrong, or the permission is lacking.",
    403: "The token is missing or not valid, or lacks the permission.",
    404: "There is no such thing.",
    409: "The same source is registered already; `Location` names it.",
    413: "More was asked for, or sent, than is ever answered or read.",
    416: "The range lies outside the file.",
    424: "The gate turned the model away; `shortfalls` names each score.",
    500: "The registry could not compute the answer; `detail` says what failed.",
    501: "This registry runs open and takes no tokens.",
    502: "The source cannot be reached, or wants credentials this registry does not have.",
    503: "Not just now; `Retry-After` says when.",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Document these statuses as problems by RFC 9457."""
    return {
        status: {
            "model": Problem,
            "description": DESCRIPTIONS[status],
            "content": {PROBLEM_MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in statuses
    }

"""What every error answer must look like."""

from typing import Any

import httpx2

MEMBERS = {"type", "title", "status", "detail", "instance", "correlation_id"}


def problem_of(answer: httpx2.Response, status: int) -> dict[str, Any]:
    """The problem that an answer carries; fails where it is not one by RFC 9457, or of another status."""
    assert answer.status_code == status, f"{answer.status_code}: {answer.text[:500]}"
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert set(body) >= MEMBERS, body
    assert body["status"] == status
    assert body["correlation_id"] == answer.headers["x-correlation-id"]
    assert body["detail"]
    return dict(body)

"""`/metrics`: the registry's figures in the format that Prometheus reads."""

import hmac
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request, Response

from backend.api.deps import Permission, Services
from backend.api.problems import problems
from backend.domain.errors import NotAllowed

router = APIRouter(tags=["health"])

TEXT = "text/plain; version=0.0.4; charset=utf-8"


def scraper(
    request: Request,
    registry: Services,
    x_authorization: Annotated[str | None, Header(alias="X-Authorization", include_in_schema=False)] = None,
    authorization: Annotated[str | None, Header(include_in_schema=False)] = None,
) -> None:
    """Let in whoever has METRICS_TOKEN, which opens nothing else, and administrators.

    Raises:
        NotSignedIn: sign-in is on, and the header has neither of the two tokens.
        NotAllowed: the caller is not an administrator.
    """
    token: str | None = request.app.state.metrics_token
    offered = x_authorization or authorization
    if token and offered and hmac.compare_digest(offered.encode(), f"Bearer {token}".encode()):
        return
    if not registry.accounts.recognise(offered).is_admin:
        raise NotAllowed("only an administrator, or a scraper with METRICS_TOKEN, may read metrics")


scraper.permission = Permission.ADMIN  # type: ignore[attr-defined]  # read off every route by a test


@router.get(
    "/metrics",
    summary="Figures for Prometheus",
    response_class=Response,
    dependencies=[Depends(scraper)],
    responses={200: {"content": {"text/plain": {}}}, **problems(400, 403)},
)
async def metrics(registry: Services) -> Response:
    """Requests by route, work done, the queue and the process; labels are route templates, never what was asked."""
    from backend.services.health.exposition import exposition  # noqa: PLC0415 -- only a scrape needs it, not every start

    health = registry.health
    return Response(exposition(health, await health.queue()), headers={"Content-Type": TEXT})

"""The registry itself: health, tracks, sign-in, reset."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field

from backend import VERSION
from backend.api.deps import Administrator, Everyone, Services
from backend.api.health import MIN_WINDOW_MINUTES, ComponentCollection, HealthSummary, show_component, show_summary
from backend.api.problems import problems
from backend.api.schemas import AuthenticationRequest, Track, WireTracks
from backend.services.health import MAX_WINDOW_MINUTES

router = APIRouter(tags=["system"])

TRACKS: tuple[Track, ...] = ("Access control track",)
"""What is implemented today; a track joins the list when its promises hold."""
DEFAULT_WINDOW = 60
Minutes = Annotated[int, Field(ge=MIN_WINDOW_MINUTES, le=MAX_WINDOW_MINUTES)]
Window = Annotated[Minutes, Query(alias="windowMinutes", description="Trailing window in minutes.")]
WindowAlike = Annotated[Minutes | None, Query(description="Another spelling of `windowMinutes`; goes before it.")]


@router.get(
    "/health",
    summary="Is the registry well?",
    operation_id="RegistryHealthHeartbeat",
    response_model=HealthSummary,
    dependencies=[Everyone],
    responses=problems(400),
)
async def health(
    registry: Services,
    window: Window = DEFAULT_WINDOW,
    window_minutes: WindowAlike = None,
) -> dict[str, Any]:
    """Answers 200 whenever the registry can be reached; `status` says how it is."""
    minutes = window_minutes or window
    components = await registry.health.components(minutes)
    return show_summary(registry.health, components, minutes, VERSION)


@router.get(
    "/health/components",
    summary="How each part is",
    operation_id="RegistryHealthComponents",
    response_model=ComponentCollection,
    response_model_exclude_none=True,
    dependencies=[Everyone],
    responses=problems(400),
)
async def health_components(
    registry: Services,
    window: Window = DEFAULT_WINDOW,
    window_minutes: WindowAlike = None,
    timeline_camel: Annotated[bool, Query(alias="includeTimeline")] = False,
    include_timeline: bool = False,
) -> dict[str, Any]:
    """Status, figures and open issues of every component, the worst first."""
    minutes = window_minutes or window
    timeline = registry.health.traffic.per_minute(minutes) if timeline_camel or include_timeline else None
    components = await registry.health.components(minutes)
    return {
        "components": [show_component(each, timeline if each.id == "api" else None) for each in components],
        "generated_at": max(each.observed_at for each in components),
        "window_minutes": minutes,
    }


@router.get("/tracks", summary="What this registry implements", dependencies=[Everyone], responses=problems(500))
async def tracks() -> WireTracks:
    """The contract's optional tracks."""
    return WireTracks(plannedTracks=list(TRACKS))


@router.put(
    "/authenticate",
    summary="Exchange a name and password for a token",
    operation_id="CreateAuthToken",
    dependencies=[Everyone],
    responses=problems(400, 401, 501),
)
async def authenticate(registry: Services, wanted: AuthenticationRequest) -> str:
    """The token, to be sent as `X-Authorization` with every other request."""
    return await registry.accounts.authenticate(wanted.user.name, wanted.secret.password)


@router.delete("/reset", summary="Empty the registry", operation_id="RegistryReset", responses=problems(401, 403))
async def reset(caller: Administrator, registry: Services) -> None:
    """Remove every artifact, rating, job and file; for administrators."""
    await registry.upkeep.reset(caller)

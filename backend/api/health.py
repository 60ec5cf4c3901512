"""How the registry is: at a glance, part by part, and in its own words."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field

from backend import VERSION
from backend.api.deps import Administrator, BaseUrl, Everyone, Services
from backend.api.health_schemas import (
    MIN_WINDOW_MINUTES,
    ComponentCollection,
    HealthSummary,
    show_component,
    show_summary,
)
from backend.api.problems import problems
from backend.services.health import MAX_LINES, MAX_WINDOW_MINUTES, Part

router = APIRouter(tags=["health"])

NDJSON = "application/x-ndjson"
DEFAULT_WINDOW = 60
DEFAULT_TAIL = 100
Minutes = Annotated[int, Field(ge=MIN_WINDOW_MINUTES, le=MAX_WINDOW_MINUTES)]
Window = Annotated[Minutes, Query(alias="windowMinutes", description="Trailing window in minutes.")]
WindowAlike = Annotated[Minutes | None, Query(description="Another spelling of `windowMinutes`; goes before it.")]


@router.get(
    "/health",
    summary="Is the registry well?",
    operation_id="RegistryHealthHeartbeat",
    response_model=HealthSummary,
    response_model_exclude_none=True,
    dependencies=[Everyone],
    responses=problems(400),
)
async def health(
    registry: Services,
    base: BaseUrl,
    window: Window = DEFAULT_WINDOW,
    window_minutes: WindowAlike = None,
) -> dict[str, Any]:
    """Answers 200 whenever the registry can be reached; `status` says how it is."""
    minutes = window_minutes or window
    components = await registry.health.components(minutes)
    return show_summary(registry.health, components, minutes, version=VERSION, base=base)


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
    base: BaseUrl,
    window: Window = DEFAULT_WINDOW,
    window_minutes: WindowAlike = None,
    timeline_camel: Annotated[bool, Query(alias="includeTimeline")] = False,
    include_timeline: bool = False,
) -> dict[str, Any]:
    """Status, figures and open issues of every component, the worst first.

    A timeline has one entry for each minute and figure that there was something to see of; `unit` tells figures apart.
    """
    minutes = window_minutes or window
    shown = registry.health
    components = await shown.components(minutes)
    timelines = {}
    if timeline_camel or include_timeline:
        timelines = {each.id: shown.timeline(each.id, minutes) for each in components}
    return {
        "components": [show_component(each, shown, timelines.get(each.id), base) for each in components],
        "generated_at": max(each.observed_at for each in components),
        "window_minutes": minutes,
    }


@router.get(
    "/health/logs/{component}",
    summary="A component's last log lines",
    response_class=Response,
    responses={200: {"content": {NDJSON: {}}}, **problems(400, 403)},
)
async def health_log(
    caller: Administrator,
    registry: Services,
    component: Annotated[Part, Path(description="Id of a component.")],
    tail: Annotated[int, Query(ge=1, le=MAX_LINES, description="How many lines.")] = DEFAULT_TAIL,
) -> Response:
    """One JSON object a line, oldest first, without secrets; for administrators. Kept in memory since the start."""
    lines = registry.health.logs(caller, component, tail)
    return Response("".join(f"{line}\n" for line in lines), media_type=NDJSON)

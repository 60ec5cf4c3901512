"""The registry itself: tracks, sign-in, reset."""

from fastapi import APIRouter

from backend.api.deps import Administrator, Everyone, Services
from backend.api.problems import problems
from backend.api.schemas import AuthenticationRequest, Track, WireTracks

router = APIRouter(tags=["system"])

TRACKS: tuple[Track, ...] = ("Access control track",)
"""What is implemented today; a track joins the list when its promises hold."""


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

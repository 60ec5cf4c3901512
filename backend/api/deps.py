"""What routes ask for in their signatures: the registry, the caller with the permission needed, paging.

All of it is `async` though none of it waits: FastAPI runs plain functions in a thread each, which costs ten times
what they do.
"""

from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Annotated, cast

from fastapi import Depends, Header, Path, Query, Request

from backend.api.schemas import ArtifactId
from backend.domain.page import DEFAULT_LIMIT, MAX_LIMIT, decode_cursor
from backend.domain.source import ArtifactType
from backend.domain.user import User
from backend.services.registry import Registry


class Permission(StrEnum):
    """What a route may demand of its caller."""

    PUBLIC = "public"
    """Nothing: liveness, documentation, signing in."""
    SEARCH = "search"
    UPLOAD = "upload"
    DOWNLOAD = "download"
    ADMIN = "admin"
    """Administration; the service asked checks that the caller is one, and says what for."""


async def get_registry(request: Request) -> Registry:
    """The services this app was built with."""
    return cast("Registry", request.app.state.registry)


Services = Annotated[Registry, Depends(get_registry)]


def needs(permission: Permission) -> Callable[..., Awaitable[User | None]]:
    """Make the dependency that recognises the caller and demands one permission; a test reads it off every route."""

    async def recognise(
        request: Request,
        registry: Services,
        x_authorization: Annotated[
            str | None,
            Header(alias="X-Authorization", description="bearer <token> from PUT /authenticate"),
        ] = None,
        authorization: Annotated[str | None, Header(include_in_schema=False)] = None,
    ) -> User:
        caller = registry.accounts.recognise(x_authorization or authorization)
        request.scope["user_name"] = caller.name
        return caller

    async def everyone() -> None:
        return None

    dependency: Callable[..., Awaitable[User | None]] = everyone if permission is Permission.PUBLIC else recognise
    dependency.permission = permission  # type: ignore[attr-defined]  # read off every route by a test
    return dependency


Everyone = Depends(needs(Permission.PUBLIC))
Searcher = Annotated[User, Depends(needs(Permission.SEARCH))]
Uploader = Annotated[User, Depends(needs(Permission.UPLOAD))]
Downloader = Annotated[User, Depends(needs(Permission.DOWNLOAD))]
Administrator = Annotated[User, Depends(needs(Permission.ADMIN))]

KindPath = Annotated[ArtifactType, Path(alias="artifact_type", description="Type of artifact.")]
IdPath = Annotated[ArtifactId, Path(alias="id", description="Artifact id.")]


async def cursor(
    offset: Annotated[str | None, Query(description="The `offset` header of the page before.", max_length=300)] = None,
) -> str | None:
    """The id to go on from."""
    return decode_cursor(offset)


After = Annotated[str | None, Depends(cursor)]
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description=f"Rows a page, {DEFAULT_LIMIT} by default.")]


async def base_url(request: Request) -> str:
    """The absolute address the client reached us under, or BASE_URL, without a trailing slash."""
    configured: str | None = request.app.state.base_url
    return (configured or str(request.base_url)).rstrip("/")


BaseUrl = Annotated[str, Depends(base_url)]

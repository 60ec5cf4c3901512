"""Build the HTTP application: middleware, error translation, routers, and the worker beside them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from functools import cache

from fastapi import FastAPI
from starlette.types import Scope

from backend import VERSION, logs
from backend.api import artifacts, benchmark, document, errors, exposition, files, health, jobs, pages, system, trust
from backend.api.access_log import AccessLog
from backend.api.head import HeadAsGet
from backend.api.methods import routed
from backend.api.middleware import GuardedBody, Observed
from backend.api.ready import Ready
from backend.domain.source import ArtifactType
from backend.settings import Settings
from backend.wiring import Services, build_services

TYPES = frozenset(ArtifactType)
DESCRIPTION = "Takes in ML models, datasets and code, measures how far each can be trusted, shows why, and serves them."


def create_app(settings: Settings | None = None, services: Services | None = None) -> FastAPI:
    """Build the app from settings, the environment's by default, or around services that somebody else closes."""
    settings = settings or Settings()
    built = services or build_services(settings)

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        """Watch, and run the worker, while the server runs; what it is at when that stops is taken up again later."""
        duties = [built.registry.health.watch(), *([built.worker.run()] if settings.worker else [])]
        on_duty = [asyncio.create_task(duty) for duty in duties]
        try:
            yield
        finally:
            for task in on_duty:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
            if services is None:
                await built.close()

    app = FastAPI(
        title="Trustworthy Model Registry",
        version=VERSION,
        description=DESCRIPTION,
        lifespan=lifespan,
        generate_unique_id_function=document.operation_id,
        docs_url=None,  # backend/api/pages.py serves both without a third party
        redoc_url=None,
        redirect_slashes=False,  # a redirect would repeat whatever Host the client made up
    )
    app.state.registry = built.registry
    app.state.base_url = settings.base_url
    app.state.metrics_token = settings.metrics_token.get_secret_value() if settings.metrics_token else None
    for module in (system, health, exposition, benchmark, artifacts, trust, files, jobs):
        app.include_router(module.router)
    errors.install(app)
    document.install(app)
    pages.install(app)

    def count(scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "unmatched")
        named = scope.get("path_params", {}).get("artifact_type")
        kind = named if named in TYPES else _fixed_type(route)  # anything can stand there; what is counted is bounded
        client = (scope.get("client") or ("unknown",))[0]
        built.registry.health.traffic.count(scope["method"], route, kind, client, status=status, seconds=seconds)

    app.add_middleware(GuardedBody, max_bytes=settings.max_body_bytes)
    app.add_middleware(HeadAsGet, offers_head=lambda scope: routed(app, scope, "HEAD"))
    app.add_middleware(Observed, count=count)
    access_log = AccessLog(logs.write_plain)
    app.add_middleware(Ready, registry=built.registry, base_url=settings.base_url, count=count, log=access_log)
    return app


@cache
def _fixed_type(route: str) -> str | None:
    """The artifact type that a route's template names itself, as /artifact/model/{id}/rate does."""
    word = [*route.split("/"), "", ""][2].removesuffix("s")
    return word if word in TYPES else None

"""Build the HTTP application: middleware, error translation, routers, and the worker beside them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from fastapi import FastAPI
from starlette.types import Scope

from backend import VERSION
from backend.api import artifacts, document, errors, files, jobs, system, trust
from backend.api.middleware import GuardedBody, Observed
from backend.domain.source import ArtifactType
from backend.settings import Settings
from backend.wiring import Services, build_services

SERVER_ERROR = 500
DESCRIPTION = "Takes in ML models, datasets and code, measures how far each can be trusted, shows why, and serves them."


def create_app(settings: Settings | None = None, services: Services | None = None) -> FastAPI:
    """Build the app from settings, the environment's by default, or around services that somebody else closes."""
    settings = settings or Settings()
    built = services or build_services(settings)

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        """Run the worker while the server runs; what it is at when the server stops is taken up again later."""
        working = asyncio.create_task(built.worker.run()) if settings.worker else None
        try:
            yield
        finally:
            if working is not None:
                working.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await working
            if services is None:
                await built.close()

    app = FastAPI(
        title="Trustworthy Model Registry",
        version=VERSION,
        description=DESCRIPTION,
        lifespan=lifespan,
        generate_unique_id_function=document.operation_id,
    )
    app.state.registry = built.registry
    app.state.base_url = settings.base_url
    for module in (system, artifacts, trust, files, jobs):
        app.include_router(module.router)
    errors.install(app)
    document.install(app)

    def count(scope: Scope, status: int) -> None:
        route = getattr(scope.get("route"), "path", "unmatched")
        named = scope.get("path_params", {}).get("artifact_type")
        kind = named if named in set(ArtifactType) else None  # anything can stand there; what is counted is bounded
        client = (scope.get("client") or ("unknown",))[0]
        built.registry.health.traffic.count(f"{scope['method']} {route}", kind, client, failed=status >= SERVER_ERROR)

    app.add_middleware(GuardedBody, max_bytes=settings.max_body_bytes)
    app.add_middleware(Observed, count=count)
    return app

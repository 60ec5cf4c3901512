"""Pages for people: what this is, and the API's documentation; each loads from here and from nowhere else."""

import importlib.util
from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response

OWN = Path(__file__).parent / "static"
VENDOR = "fastapi_offline"
"""The package whose folder `static` holds Swagger UI and ReDoc; it is never imported."""
VENDORED = frozenset({"swagger-ui.css", "swagger-ui-bundle.js", "redoc.standalone.js"})

STRICT = (
    "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Nothing but the page and its own style sheet."""
SCRIPTED = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; worker-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Scripts of ours only; both tools write style elements of their own, and ReDoc searches in a worker."""
PAGES = {"/": ("home.html", STRICT), "/docs": ("swagger.html", SCRIPTED), "/redoc": ("redoc.html", SCRIPTED)}
ASSETS = "/docs/assets"
A_DAY = "public, max-age=86400"


def install(app: FastAPI) -> None:
    """Add the pages and what they load; none of it is part of the API's document."""
    for path, (name, policy) in PAGES.items():
        app.add_route(path, _page(OWN / name, policy), include_in_schema=False)
    app.add_route(f"{ASSETS}/{{name}}", asset, include_in_schema=False)


def _page(file: Path, policy: str) -> Callable[[Request], Awaitable[Response]]:
    async def page(_request: Request) -> Response:
        headers = {"Content-Security-Policy": policy, "Referrer-Policy": "no-referrer"}
        return FileResponse(file, media_type="text/html", headers=headers)

    return page


async def asset(request: Request) -> Response:
    """A style sheet or a script by its name; only those that the pages name are there."""
    name: str = request.path_params["name"]
    file = vendored() / name if name in VENDORED else OWN / name
    if name not in VENDORED and name not in _own_assets():
        raise HTTPException(404)
    return FileResponse(file, headers={"Cache-Control": A_DAY})


@cache
def vendored() -> Path:
    """The folder of Swagger UI and ReDoc, found without running anything of the package that holds it."""
    spec = importlib.util.find_spec(VENDOR)
    if spec is None or spec.origin is None:
        raise LookupError(f"{VENDOR} is not installed; see dependencies.txt")
    return Path(spec.origin).parent / "static"


@cache
def _own_assets() -> frozenset[str]:
    return frozenset(file.name for file in OWN.iterdir() if file.suffix in {".css", ".js"})

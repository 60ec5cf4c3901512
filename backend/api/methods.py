"""Which methods a path takes, asked of the routes themselves."""

from fastapi import FastAPI
from starlette.routing import Match
from starlette.types import Scope

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


def routed(app: FastAPI, scope: Scope, method: str) -> bool:
    """Whether some route takes this method at the path of a request."""
    asked = {**scope, "method": method}
    return any(route.matches(asked)[0] is Match.FULL for route in app.routes)


def allowed(app: FastAPI, scope: Scope) -> list[str]:
    """Every method that is answered at the path of a request; where GET is, HEAD is (see backend/api/head.py)."""
    taken = [method for method in METHODS if routed(app, scope, method)]
    return sorted({*taken, "HEAD"}) if "GET" in taken else taken

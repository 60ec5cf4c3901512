"""The same app on AWS Lambda: HTTP API v2, REST v1, Function URL and load balancer events through Mangum."""

from mangum import Mangum

from backend.app import create_app
from backend.logs import configure
from backend.settings import Settings
from backend.wiring import build_services

ANY_ADDRESS = "0.0.0.0"  # noqa: S104 -- nothing is bound; it says that everyone can reach a function
settings = Settings(host=ANY_ADDRESS)
configure(settings)
services = build_services(settings)
"""They outlive each invocation; a lifespan, which Mangum runs once an invocation, would close what it owns."""
handler = Mangum(create_app(settings, services), lifespan="auto")

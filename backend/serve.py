"""`python -m backend.serve`: the registry on uvicorn."""

import socket
import sys

import uvicorn
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from backend.app import create_app
from backend.logs import configure
from backend.settings import Settings


def main() -> int:
    """Serve until stopped; 2 where the settings or the address do not allow it, after saying why."""
    try:
        settings = Settings()
    except ValidationError as refused:
        return _give_up("; ".join(_sentence(error) for error in refused.errors()))
    try:
        listener = _bind(settings)
    except OSError as taken:
        return _give_up(
            f"cannot listen on {settings.host}:{settings.port}: {taken.strerror or taken}; set HOST or PORT"
        )
    configure(settings)
    try:
        app = create_app(settings)
    except ValueError as refused:
        return _give_up(str(refused))
    config = uvicorn.Config(
        app,
        access_log=False,
        log_config=None,  # what uvicorn says goes the way of everything else, redaction included
        log_level="warning",
        server_header=False,
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_graceful_shutdown=10,
    )
    host, port = listener.getsockname()[:2]
    print(f"registry on http://{f'[{host}]' if ':' in host else host}:{port}", flush=True)  # noqa: T201 -- for whoever started it
    uvicorn.Server(config).run(sockets=[listener])
    return 0


def _bind(settings: Settings) -> socket.socket:
    """Bind before anything else is opened, so that a busy port disturbs nothing."""
    family = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0][0]
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((settings.host, settings.port))
    listener.listen(2048)
    return listener


def _sentence(error: ErrorDetails) -> str:
    """What is wrong with one setting, by the name an operator sets it under, or with several together."""
    words = error["msg"].removeprefix("Value error, ")
    return f"{str(error['loc'][0]).upper()}: {words}" if error["loc"] else words


def _give_up(why: str) -> int:
    print(f"the registry does not start: {why}", file=sys.stderr)  # noqa: T201 -- logs are not set up yet
    return 2


if __name__ == "__main__":
    sys.exit(main())

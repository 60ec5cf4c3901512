"""HEAD: whatever answers GET answers HEAD alike, without a body (RFC 9110, section 9.3.2)."""

from collections.abc import Callable

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

OffersHead = Callable[[Scope], bool]
"""Tells whether a route answers HEAD itself, as one does that would otherwise begin a long stream."""


class HeadAsGet:
    """Asks for GET where HEAD was asked, and hangs up once the headers are there."""

    def __init__(self, app: ASGIApp, offers_head: OffersHead) -> None:
        self._app = app
        self._offers_head = offers_head

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["method"] != "HEAD" or self._offers_head(scope):
            await self._app(scope, receive, send)
            return
        over = False

        async def send_headers(message: Message) -> None:
            nonlocal over
            if over:
                raise OSError("only the headers were asked for")  # how a server says that nobody listens any more
            if message["type"] == "http.response.start":
                await send(message)
                over = True
                await send({"type": "http.response.body"})

        asked = {**scope, "method": "GET"}
        try:
            await self._app(asked, receive, send_headers)
        except (OSError, ClientDisconnect):
            if not over:
                raise
        finally:
            scope.update((key, value) for key, value in asked.items() if key != "method")  # for the log line outside

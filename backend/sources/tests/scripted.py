"""A server that answers whatever a test wants it to, byte for byte."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Asked:
    """One request as it came in; header names in lower case."""

    target: str
    headers: Mapping[str, str]


Writer = asyncio.StreamWriter
Answer = Callable[[Asked, Writer], Awaitable[None]]


@dataclass
class Scripted:
    """A loopback server that answers by a function of the request."""

    answer: Answer
    url: str = ""
    asked: list[Asked] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: Writer) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                first, *rest = head.decode("latin-1").split("\r\n")
                pairs = (line.partition(":") for line in rest if line)
                request = Asked(first.split(" ")[1], {name.lower(): value.strip() for name, _, value in pairs})
                self.asked.append(request)
                await self.answer(request, writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


Start = Callable[[Answer], Awaitable[Scripted]]


def reply(status: int = 200, body: bytes = b"{}", **headers: str) -> bytes:
    """A whole answer; underscores in header names stand for hyphens."""
    named = {"content-length": str(len(body))} | {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    return f"HTTP/1.1 {status} Said\r\n{lines}\r\n".encode("latin-1") + body


def always(raw: bytes) -> Answer:
    async def answer(_: Asked, writer: Writer) -> None:
        writer.write(raw)

    return answer


def in_turn(*raws: bytes) -> Answer:
    """One answer after the other, the last one for ever."""
    left = list(raws)

    async def answer(_: Asked, writer: Writer) -> None:
        writer.write(left.pop(0) if len(left) > 1 else left[0])

    return answer

"""A chat endpoint on a loopback port that answers whatever a test wants it to, byte for byte."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass
class StandIn:
    """The endpoint: what it was asked, and where it is."""

    url: str = ""
    heads: list[str] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)


def http(status: int, body: bytes, **headers: str) -> bytes:
    named = {"content-type": "application/json", "content-length": str(len(body))} | headers
    lines = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    return f"HTTP/1.1 {status} Said\r\n{lines}\r\n".encode() + body


def completion(content: str) -> bytes:
    return http(200, json.dumps({"choices": [{"message": {"role": "assistant", "content": content}}]}).encode())


def scores(ramp_up_time: float, performance_claims: float, reason: str = "It says so.") -> str:
    said = {"ramp_up_time": ramp_up_time, "performance_claims": performance_claims}
    return json.dumps({name: {"score": score, "reason": reason} for name, score in said.items()})


@asynccontextmanager
async def standing_in(answer: bytes | Callable[[dict[str, Any]], bytes] | None) -> AsyncIterator[StandIn]:
    """Answer every question by a function of it, always the same, or (None) never."""
    stand_in = StandIn()
    open_connections: set[asyncio.Task[None] | None] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_connections.add(asyncio.current_task())
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = next(line.split(":")[1] for line in head.lower().split("\r\n") if "content-length" in line)
                question = json.loads(await reader.readexactly(int(length)))
                stand_in.heads.append(head)
                stand_in.asked.append(question)
                stand_in.arrived.set()
                if answer is None:
                    await asyncio.Event().wait()
                writer.write(answer(question) if callable(answer) else answer or b"")
                await writer.drain()
                if b"connection: close" in (answer if isinstance(answer, bytes) else b""):
                    return
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    stand_in.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    try:
        yield stand_in
    finally:
        server.close()
        for task in open_connections:
            if task is not None:
                task.cancel()
        await asyncio.gather(*(task for task in open_connections if task), return_exceptions=True)

"""Scripted servers that end with the test."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from backend.sources.tests.scripted import Answer, Scripted, Start, Writer


@pytest.fixture
async def scripted() -> AsyncIterator[Start]:
    """Start servers that answer by a function of the request."""
    servers: list[asyncio.Server] = []
    tasks: set[asyncio.Task[None] | None] = set()

    async def start(answer: Answer) -> Scripted:
        scripted = Scripted(answer)

        async def accept(reader: asyncio.StreamReader, writer: Writer) -> None:
            task = asyncio.current_task()
            tasks.add(task)
            await scripted.serve(reader, writer)
            tasks.discard(task)

        server = await asyncio.start_server(accept, "127.0.0.1", 0)
        scripted.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        servers.append(server)
        return scripted

    yield start
    for server in servers:
        server.close()
    for task in list(tasks):
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

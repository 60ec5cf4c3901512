import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from backend.domain.errors import Unavailable
from backend.services.benchmark import process
from backend.services.benchmark.clients import Crowd, Measured, Order
from backend.services.benchmark.process import measure

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
BODY = b"x" * 1_000


@asynccontextmanager
async def serving(answer: bytes, *, stall: bool = False, heads: list[bytes] | None = None) -> AsyncIterator[Order]:
    """A server that gives one answer to everyone; `stall` keeps the connection open after it."""
    over = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if heads is not None:
            heads.append(head)
        writer.write(answer)
        await writer.drain()
        if stall:
            await over.wait()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield Order(f"http://127.0.0.1:{port}/base/artifact", {"X-Authorization": "bearer t"}, 5, 2, 20.0, 10**9)
    finally:
        over.set()
        server.close()
        await asyncio.sleep(0)


def answer(status: str = "200 OK", length: int = len(BODY)) -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n".encode() + BODY


async def in_process(order: Order) -> Measured:
    return await Crowd(order, lambda _finished, _read: None).measure()


async def quiet(_finished: int, _read: int) -> None:
    return


async def test_each_client_downloads_as_often_as_ordered_with_the_header_it_was_given() -> None:
    heads: list[bytes] = []
    async with serving(answer(), heads=heads) as order:
        measured = await in_process(order)

    assert (len(measured.total_ms), len(measured.first_byte_ms), dict(measured.errors)) == (10, 10, {})
    assert measured.bytes_read == 10 * len(answer())
    assert all(
        0 < first <= total
        for first, total in zip(sorted(measured.first_byte_ms), sorted(measured.total_ms), strict=True)
    )
    assert len(heads) == 10
    assert {head.split(b"\r\n")[0] for head in heads} == {b"GET /base/artifact HTTP/1.1"}
    assert all(b"\r\nX-Authorization: bearer t\r\n" in head for head in heads)


async def test_chunked_answers_are_followed_to_their_end() -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    async with serving(chunked, stall=True) as order:
        assert len((await in_process(order)).total_ms) == 10


@pytest.mark.parametrize(
    ("sent", "kind"),
    [
        (answer("503 Service Unavailable"), "status 503"),
        (answer("302 Found"), "status 302"),
        (answer(length=5_000), "connection closed early"),
        (b"", "connection closed early"),
        (b"this is not HTTP\r\n\r\n", "malformed answer"),
    ],
    ids=["unavailable", "redirect", "truncated", "nothing", "nonsense"],
)
async def test_what_is_no_whole_answer_is_counted_by_its_kind(sent: bytes, kind: str) -> None:
    async with serving(sent) as order:
        measured = await in_process(order)

    assert dict(measured.errors) == {kind: 10}
    assert measured.total_ms == []


async def test_a_server_that_is_not_there_is_counted() -> None:
    async with serving(b"") as order:
        pass

    assert dict((await in_process(order)).errors) == {"ConnectionRefusedError": 10}


async def test_a_benchmark_ends_when_its_time_is_up() -> None:
    async with serving(answer(length=10_000), stall=True) as order:
        measured = await in_process(replace(order, seconds=0.05))

    assert dict(measured.errors) == {"time limit": 10}
    assert measured.seconds < 5


async def test_a_benchmark_ends_when_its_bytes_are_used_up() -> None:
    async with serving(answer(length=10_000), stall=True) as order:
        measured = await in_process(replace(order, max_bytes=len(BODY)))

    assert dict(measured.errors) == {"byte limit": 10}


async def test_in_a_process_of_its_own_it_measures_the_same_and_tells_how_far_it_is() -> None:
    told: list[tuple[int, int]] = []

    async def tell(finished: int, read: int) -> None:
        told.append((finished, read))

    async with serving(answer()) as order:
        measured = await measure(order, tell)

    assert (len(measured.total_ms), measured.bytes_read) == (10, 10 * len(answer()))
    assert told
    assert told[0][0] >= 1


async def test_failures_come_back_from_the_process_too() -> None:
    async with serving(answer("404 Not Found")) as order:
        assert (await measure(order, quiet)).errors == {"status 404": 10}


async def test_a_process_that_cannot_do_it_is_unavailable() -> None:
    with pytest.raises(Unavailable, match="ended with status 1"):
        await measure(Order("http://127.0.0.1:1/\u2603", {}, 1, 1, 5.0, 1), quiet)


async def test_a_process_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "START_AND_END_S", 0.0)
    async with serving(answer(length=10_000), stall=True) as order:
        with pytest.raises(Unavailable, match="ended"):
            await measure(replace(order, seconds=0.01), quiet)

import asyncio
import gzip
import json
import socket
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from backend.domain.errors import NotFound, RegistryError, UpstreamFailed, UpstreamRefused
from backend.sources import addresses
from backend.sources.answers import OverCap
from backend.sources.budget import Budget, BudgetSpent, branch, spending
from backend.sources.http import Upstream
from backend.sources.tests.scripted import Answer, Asked, Scripted, Start, Writer, always, in_turn, reply
from backend.sources.transport import VettedBackend


class Client:
    """Upstreams whose hub is a scripted server; closed with the test."""

    def __init__(self) -> None:
        self.made: list[Upstream] = []

    def __call__(self, hub: Scripted, github: Scripted | None = None, **options: Any) -> Upstream:
        settings: dict[str, Any] = {
            "total_timeout_s": 3.0,
            "backoff_s": 0.005,
            "hf_token": "hf_secret",
            "github_token": "gh_secret",
        }
        github_url = github.url if github else f"{hub.url}/gh"
        upstream = Upstream(hub.url, github_url, **(settings | options))
        self.made.append(upstream)
        return upstream


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    make = Client()
    yield make
    for upstream in make.made:
        await upstream.close()


# -- answers -----------------------------------------------------------------------------------------------------------


async def test_json_is_read(scripted: Start, client: Client) -> None:
    hub = await scripted(always(reply(body=b'{"id": "a/b"}')))

    assert (await client(hub).get(f"{hub.url}/api/x")).json() == {"id": "a/b"}


async def test_gzip_is_read(scripted: Start, client: Client) -> None:
    hub = await scripted(always(reply(body=gzip.compress(b"[1]"), content_encoding="gzip")))

    assert (await client(hub).get(f"{hub.url}/x")).json() == [1]


@pytest.mark.parametrize(
    ("body", "headers", "expected"),
    [
        (b"x" * 2000, {}, OverCap),
        (gzip.compress(b"\0" * 50_000_000), {"content_encoding": "gzip"}, OverCap),
        (b"not gzip at all", {"content_encoding": "gzip"}, UpstreamFailed),
        (b"x", {"content_encoding": "br"}, UpstreamFailed),
    ],
    ids=["too large", "bomb", "no gzip", "unasked encoding"],
)
async def test_a_body_that_is_too_much_is_refused(
    scripted: Start, client: Client, body: bytes, headers: dict[str, str], expected: type[Exception]
) -> None:
    hub = await scripted(always(reply(body=body, **headers)))

    with pytest.raises(expected):
        await client(hub).get(f"{hub.url}/x", max_bytes=1000)


async def test_a_declared_size_over_the_cap_is_refused_unread(scripted: Start, client: Client) -> None:
    hub = await scripted(always(b"HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n"))

    with pytest.raises(OverCap):
        await client(hub).get(f"{hub.url}/x", max_bytes=1000)


@pytest.mark.parametrize("body", [b"<html>", b"", b"[" * 200_000, b'{"a": '], ids=["html", "empty", "deep", "cut"])
async def test_what_is_not_json_is_a_failure_of_the_source(scripted: Start, client: Client, body: bytes) -> None:
    hub = await scripted(always(reply(body=body)))
    answer = await client(hub).get(f"{hub.url}/x")

    with pytest.raises(UpstreamFailed, match="not JSON"):
        answer.json()


@pytest.mark.parametrize(
    ("status", "headers", "expected"),
    [
        (404, {}, NotFound),
        (410, {}, NotFound),
        (401, {"x_error_code": "RepoNotFound"}, NotFound),
        (401, {"x_error_code": "GatedRepo"}, UpstreamRefused),
        (403, {}, UpstreamRefused),
        (451, {}, UpstreamRefused),
        (400, {}, UpstreamFailed),
        (418, {}, UpstreamFailed),
    ],
)
async def test_a_lasting_status_is_asked_once_and_named(
    scripted: Start, client: Client, status: int, headers: dict[str, str], expected: type[Exception]
) -> None:
    hub = await scripted(always(reply(status, **headers)))

    with pytest.raises(expected):
        await client(hub).get(f"{hub.url}/x")

    assert len(hub.asked) == 1


# -- failures that may pass --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [500, 502, 503, 504, 429])
async def test_a_passing_failure_is_tried_again(scripted: Start, client: Client, status: int) -> None:
    hub = await scripted(in_turn(reply(status), reply(status), reply(body=b"1")))

    assert (await client(hub).get(f"{hub.url}/x")).json() == 1


async def test_a_failure_that_stays_ends_after_the_last_try(scripted: Start, client: Client) -> None:
    hub = await scripted(always(reply(503)))

    with pytest.raises(UpstreamFailed) as failed:
        await client(hub, attempts=3).get(f"{hub.url}/x")

    assert (failed.value.status, failed.value.rate_limited, len(hub.asked)) == (503, False, 3)


async def test_a_short_retry_after_is_waited_for(scripted: Start, client: Client) -> None:
    hub = await scripted(in_turn(reply(429, retry_after="1"), reply(body=b"1")))
    began = time.monotonic()

    await client(hub).get(f"{hub.url}/x")

    assert 1.0 <= time.monotonic() - began < 2.0


@pytest.mark.parametrize(
    ("status", "headers", "wait_s"),
    [
        (429, {"retry_after": "3600"}, 3600),
        (429, {"ratelimit": '"api";r=0;t=240'}, 240),
        (403, {"retry_after": "120"}, 120),
        (403, {"x_ratelimit_remaining": "0", "x_ratelimit_reset": "in 900 s"}, 900),
    ],
    ids=["429", "hub window", "secondary limit", "primary limit"],
)
async def test_a_long_wait_ends_at_once_and_is_passed_on(
    scripted: Start, client: Client, status: int, headers: dict[str, str], wait_s: int
) -> None:
    now = int(time.time())  # read here: the table above is made long before its last row runs
    sent = {name: str(now + 900) if value == "in 900 s" else value for name, value in headers.items()}
    hub = await scripted(always(reply(status, **sent)))

    with pytest.raises(UpstreamFailed) as failed:
        await client(hub).get(f"{hub.url}/x")

    assert failed.value.rate_limited
    assert failed.value.retry_after_s == pytest.approx(wait_s, abs=60)
    assert len(hub.asked) == 1


async def test_a_host_that_asked_to_be_left_alone_is_left_alone(scripted: Start, client: Client) -> None:
    hub = await scripted(always(reply(429, retry_after="3600")))
    upstream = client(hub)
    for path in ("/api/a", "/api/b"):
        with pytest.raises(UpstreamFailed, match="limits how often"):
            await upstream.get(hub.url + path)

    assert [request.target for request in hub.asked] == ["/api/a"]


async def test_a_limit_on_the_api_does_not_stop_files(scripted: Start, client: Client) -> None:
    hub = await scripted(in_turn(reply(429, retry_after="3600"), reply(body=b"1")))
    upstream = client(hub)
    with pytest.raises(UpstreamFailed):
        await upstream.get(f"{hub.url}/api/a")

    assert (await upstream.get(f"{hub.url}/a/b/resolve/main/x")).json() == 1


async def test_a_dropped_connection_is_tried_again(scripted: Start, client: Client) -> None:
    turns = []

    async def answer(_: Asked, writer: Writer) -> None:
        turns.append(1)
        if len(turns) == 1:
            writer.transport.abort()
        else:
            writer.write(reply(body=b"1"))

    hub = await scripted(answer)

    assert (await client(hub).get(f"{hub.url}/x")).json() == 1


async def test_a_cut_body_is_tried_again(scripted: Start, client: Client) -> None:
    async def cut(_: Asked, writer: Writer) -> None:
        if len(hub.asked) == 1:
            writer.write(reply(body=b"1" * 10)[:-5])
            writer.close()
        else:
            writer.write(reply(body=b"1"))

    hub = await scripted(cut)

    assert (await client(hub).get(f"{hub.url}/x")).json() == 1


async def test_nobody_listening_is_a_failure_of_the_source() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    upstream = Upstream(url, url, attempts=2, backoff_s=0.001)

    with pytest.raises(UpstreamFailed, match="cannot be reached"):
        await upstream.get(f"{url}/x")

    await upstream.close()


async def test_silence_ends_after_the_read_timeout(scripted: Start, client: Client) -> None:
    async def silent(_: Asked, __: Writer) -> None:
        await asyncio.sleep(60)

    hub = await scripted(silent)

    with pytest.raises(UpstreamFailed, match="ReadTimeout"):
        await client(hub, read_timeout_s=0.05, attempts=2).get(f"{hub.url}/x")


async def test_a_slow_drip_ends_with_the_deadline(scripted: Start, client: Client) -> None:
    async def drip(_: Asked, writer: Writer) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.01)

    hub = await scripted(drip)
    began = time.monotonic()

    with pytest.raises(UpstreamFailed, match="within"):
        await client(hub, total_timeout_s=0.3).get(f"{hub.url}/x")

    assert time.monotonic() - began < 1.5


@pytest.mark.parametrize(
    "raw",
    [
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxx",
        b"HTTP/1.1 200 OK\r\nx: " + b"a" * 200_000 + b"\r\n\r\n",
    ],
    ids=["no http", "negative length", "two lengths", "endless header"],
)
async def test_broken_http_is_a_failure_of_the_source(scripted: Start, client: Client, raw: bytes) -> None:
    async def answer(_: Asked, writer: Writer) -> None:
        writer.write(raw)
        writer.close()

    hub = await scripted(answer)

    with pytest.raises(UpstreamFailed):
        await client(hub, attempts=2).get(f"{hub.url}/x")


# -- where requests may go ---------------------------------------------------------------------------------------------


async def test_a_redirect_on_the_same_host_is_followed(scripted: Start, client: Client) -> None:
    async def answer(request: Asked, writer: Writer) -> None:
        moved = reply(307, location="/api/new?blobs=1")
        writer.write(moved if request.target == "/api/old" else reply(body=b"1"))

    hub = await scripted(answer)
    answer_ = await client(hub).get(f"{hub.url}/api/old")

    assert (answer_.json(), answer_.url) == (1, f"{hub.url}/api/new?blobs=1")


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.1:{other}/internal",
        "http://localhost:{other}/internal",
        "http://[::1]:{other}/internal",
        "http://169.254.169.254/latest/meta-data/",
        "http://2130706433:{other}/",
        "https://evil.example/",
        "https://huggingface.co.evil.example/",
        "https://user:secret@huggingface.co/",
        "https://huggingface.co:8443/",
        "http://cdn-lfs.huggingface.co/plain",
        "ftp://huggingface.co/x",
        "file:///etc/passwd",
        "//evil.example/x",
        "http://[::1/",
        "https://evil.example\\@huggingface.co/",
        "javascript:alert(1)",
    ],
)
async def test_a_redirect_elsewhere_is_refused_unasked(scripted: Start, client: Client, target: str) -> None:
    other = await scripted(always(reply(body=b"1")))
    location = target.format(other=other.url.rsplit(":", 1)[1])
    hub = await scripted(always(reply(302, location=location)))

    with pytest.raises(UpstreamFailed):
        await client(hub).get(f"{hub.url}/x")

    assert other.asked == []
    assert len(hub.asked) == 1


async def test_a_circle_of_redirects_ends(scripted: Start, client: Client) -> None:
    hub = await scripted(always(reply(302, location="/again")))

    with pytest.raises(UpstreamFailed, match="more than 5 times"):
        await client(hub).get(f"{hub.url}/x")

    assert len(hub.asked) == 6


async def test_a_url_outside_the_table_is_never_asked(scripted: Start, client: Client) -> None:
    hub = await scripted(always(reply()))
    other = await scripted(always(reply()))

    with pytest.raises(UpstreamFailed, match="not a host this registry reads from"):
        await client(hub).get(f"{other.url}/x")

    assert other.asked == []


async def test_a_storage_host_that_resolves_to_a_private_address_is_not_contacted(
    scripted: Start, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = await scripted(always(reply(302, location="https://cdn-lfs.hf.co/file")))
    private = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.7", 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: private)

    with pytest.raises(UpstreamFailed, match="no public address"):
        await client(hub).get(f"{hub.url}/x")


async def test_a_connection_goes_to_the_very_address_that_was_vetted(
    scripted: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await scripted(always(reply()))
    port = int(server.url.rsplit(":", 1)[1])
    answers = [[(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))] for address in ("127.0.0.1", "127.0.0.9")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answers.pop(0))
    monkeypatch.setattr(addresses, "is_public", lambda address: address == "127.0.0.1")

    stream = await VettedBackend(frozenset()).connect_tcp("rebinding.example", port, timeout=2)

    assert stream.get_extra_info("server_addr") == ("127.0.0.1", port)
    assert len(answers) == 1
    await stream.aclose()


async def test_each_credential_goes_to_its_own_api_only(scripted: Start, client: Client) -> None:
    async def onward(_: Asked, writer: Writer) -> None:
        writer.write(reply(302, location=f"{github.url}/moved"))

    github = await scripted(always(reply(body=b"1")))
    hub = await scripted(onward)
    upstream = client(hub, github)

    await upstream.get(f"{hub.url}/x")
    await upstream.get(f"{github.url}/y")

    assert [request.headers.get("authorization") for request in hub.asked] == ["Bearer hf_secret"]
    assert [request.headers.get("authorization") for request in github.asked] == ["Bearer gh_secret"] * 2


async def test_a_shared_origin_is_sent_the_credential_of_the_path(scripted: Start, client: Client) -> None:
    hub = await scripted(always(reply(body=b"1")))
    upstream = client(hub)

    await upstream.get(f"{hub.url}/api/x")
    await upstream.get(f"{hub.url}/gh/x")

    assert [request.headers["authorization"] for request in hub.asked] == ["Bearer hf_secret", "Bearer gh_secret"]


async def test_no_credential_and_no_query_is_in_an_error(scripted: Start, client: Client) -> None:
    hub = await scripted(always(reply(503)))

    with pytest.raises(RegistryError) as failed:
        await client(hub, attempts=1).get(f"{hub.url}/x?signature=s3cr3t")

    assert "secret" not in str(failed.value)
    assert "s3cr3t" not in str(failed.value)
    assert "secret" not in repr(client(hub)._origins)


# -- economy -----------------------------------------------------------------------------------------------------------


async def test_identical_requests_in_flight_are_one(scripted: Start, client: Client) -> None:
    async def late(_: Asked, writer: Writer) -> None:
        await asyncio.sleep(0.05)
        writer.write(reply(body=b"1"))

    hub = await scripted(late)
    upstream = client(hub)

    await asyncio.gather(*(upstream.get(f"{hub.url}/x") for _ in range(20)))

    assert len(hub.asked) == 1


async def test_one_who_gives_up_does_not_take_the_others_answer(scripted: Start, client: Client) -> None:
    async def late(_: Asked, writer: Writer) -> None:
        await asyncio.sleep(0.05)
        writer.write(reply(body=b"1"))

    hub = await scripted(late)
    upstream = client(hub)
    impatient = asyncio.create_task(upstream.get(f"{hub.url}/x"))
    patient = asyncio.create_task(upstream.get(f"{hub.url}/x"))
    await asyncio.sleep(0.01)
    impatient.cancel()

    assert (await patient).json() == 1


async def test_one_who_asks_while_others_give_up_gets_an_answer(scripted: Start, client: Client) -> None:
    async def late(_: Asked, writer: Writer) -> None:
        await asyncio.sleep(0.02)
        writer.write(reply(body=b"1"))

    hub = await scripted(late)
    upstream = client(hub)
    impatient = asyncio.create_task(upstream.get(f"{hub.url}/x"))
    await asyncio.sleep(0.01)
    impatient.cancel()
    await asyncio.sleep(0)  # by now the shared request is being given up, and has not ended yet

    assert (await upstream.get(f"{hub.url}/x")).json() == 1


async def test_an_answer_with_an_etag_is_revalidated(scripted: Start, client: Client) -> None:
    async def answer(request: Asked, writer: Writer) -> None:
        fresh = request.headers.get("if-none-match") == '"one"'
        writer.write(reply(304, b"", etag='"one"') if fresh else reply(body=b'"kept"', etag='"one"'))

    hub = await scripted(answer)
    upstream = client(hub)
    answers = [(await upstream.get(f"{hub.url}/x")).json() for _ in range(2)]

    assert answers == ["kept", "kept"]
    assert hub.asked[1].headers["if-none-match"] == '"one"'


async def test_no_more_than_the_allowed_requests_reach_a_host_at_once(scripted: Start, client: Client) -> None:
    at_once = most = 0

    async def counted(_: Asked, writer: Writer) -> None:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0.01)
        at_once -= 1
        writer.write(reply(body=b"1"))

    hub = await scripted(counted)
    upstream = client(hub, requests_per_origin=3)
    await asyncio.gather(*(upstream.get(f"{hub.url}/{n}") for n in range(20)))

    assert most == 3


async def test_a_budget_counts_requests_and_waves(scripted: Start, client: Client) -> None:
    async def answer(request: Asked, writer: Writer) -> None:
        writer.write(reply(302, location="/moved") if request.target == "/old" else reply(body=b"1"))

    hub = await scripted(answer)
    upstream = client(hub)
    with spending(Budget()) as budget:
        await asyncio.gather(branch(upstream.get(f"{hub.url}/a")), branch(upstream.get(f"{hub.url}/old")))
        await upstream.get(f"{hub.url}/c")

    assert (budget.requests, budget.waves) == (4, 3)


async def test_a_spent_budget_asks_nothing_more(scripted: Start, client: Client) -> None:
    hub = await scripted(always(reply(body=b"1")))
    upstream = client(hub)
    with spending(Budget(max_requests=1)):
        await upstream.get(f"{hub.url}/a")
        with pytest.raises(BudgetSpent):
            await upstream.get(f"{hub.url}/b")

    assert len(hub.asked) == 1


# -- downloads ---------------------------------------------------------------------------------------------------------

CONTENT = bytes(range(256)) * 4096


def ranged(*, etag: str = '"v1"', cut_after: int | None = None) -> Answer:
    """A file server; cuts each answer after so many bytes."""

    async def answer(request: Asked, writer: Writer) -> None:
        asked = request.headers.get("range")
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
        body = CONTENT[start:]
        extent = {"content_range": f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}"} if asked else {}
        raw = reply(206 if asked else 200, body, etag=etag, **extent)
        if cut_after is not None and len(body) > cut_after:
            writer.write(raw[: len(raw) - len(body) + cut_after])
            writer.close()
        else:
            writer.write(raw)

    return answer


async def read(upstream: Upstream, url: str, start: int = 0) -> tuple[int | None, bytes]:
    async with upstream.stream(url, start=start) as download:
        return download.size_bytes, b"".join([chunk async for chunk in download])


async def test_a_file_is_streamed_with_its_size(scripted: Start, client: Client) -> None:
    hub = await scripted(ranged())

    assert await read(client(hub), f"{hub.url}/f") == (len(CONTENT), CONTENT)


async def test_a_file_is_streamed_from_a_byte_on(scripted: Start, client: Client) -> None:
    hub = await scripted(ranged())

    assert await read(client(hub), f"{hub.url}/f", start=1000) == (len(CONTENT), CONTENT[1000:])


async def test_a_server_without_ranges_is_read_from_the_start_and_skipped(scripted: Start, client: Client) -> None:
    hub = await scripted(always(reply(body=CONTENT)))

    assert await read(client(hub), f"{hub.url}/f", start=300_000) == (len(CONTENT), CONTENT[300_000:])


async def test_a_dropped_download_goes_on_where_it_broke_off(scripted: Start, client: Client) -> None:
    hub = await scripted(ranged(cut_after=400_000))

    assert await read(client(hub), f"{hub.url}/f") == (len(CONTENT), CONTENT)
    assert [request.headers.get("range") for request in hub.asked] == [None, "bytes=400000-", "bytes=800000-"]


async def test_a_download_that_keeps_breaking_off_ends(scripted: Start, client: Client) -> None:
    hub = await scripted(ranged(cut_after=1000))

    with pytest.raises(UpstreamFailed, match="broke off"):
        await read(client(hub), f"{hub.url}/f")

    assert len(hub.asked) < 10


async def test_a_file_that_changes_underway_is_not_glued_together(scripted: Start, client: Client) -> None:
    async def changing(request: Asked, writer: Writer) -> None:
        await ranged(etag=f'"v{len(hub.asked)}"', cut_after=400_000)(request, writer)

    hub = await scripted(changing)

    with pytest.raises(UpstreamFailed, match="changed while it was read"):
        await read(client(hub), f"{hub.url}/f")


async def test_another_range_than_the_one_asked_for_is_refused(scripted: Start, client: Client) -> None:
    hub = await scripted(always(reply(206, b"xx", content_range="bytes 500-501/9000")))

    with pytest.raises(UpstreamFailed, match="another range"):
        await read(client(hub), f"{hub.url}/f", start=100)


async def test_a_download_that_is_redirected_leaves_its_credential_behind(scripted: Start, client: Client) -> None:
    store = await scripted(ranged())
    hub = await scripted(always(reply(302, location=f"{store.url}/signed")))
    upstream = client(hub, store, github_token=None)

    assert await read(upstream, f"{hub.url}/f") == (len(CONTENT), CONTENT)
    assert "authorization" not in store.asked[0].headers


@pytest.mark.parametrize(("status", "expected"), [(404, NotFound), (401, UpstreamRefused), (400, UpstreamFailed)])
async def test_a_download_that_cannot_begin_says_why(
    scripted: Start, client: Client, status: int, expected: type[Exception]
) -> None:
    hub = await scripted(always(reply(status, json.dumps({}).encode())))

    with pytest.raises(expected):
        await read(client(hub), f"{hub.url}/f")

"""The stand-in itself: what goes wrong on purpose, and what it notes."""

import asyncio
import hashlib
import time
from collections.abc import Iterator

import httpx2
import pytest

from demo.hub import DemoHub
from demo.items import Organisation, model
from demo.journal import Seen, waves

PATH = "/api/models/a/b"
WEIGHTS = "/a/b/resolve/main/model.bin"
LATENCY_S = 0.03


@pytest.fixture(scope="module")
def shared() -> Iterator[DemoHub]:
    with DemoHub(Organisation.of(model("a/b", readme="# b\n", generated_files={"model.bin": 300_000}))) as hub:
        yield hub


@pytest.fixture
def hub(shared: DemoHub) -> DemoHub:
    shared.clear()
    shared.latency_s = 0.0
    return shared


@pytest.fixture
def client(hub: DemoHub) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=hub.url, follow_redirects=True, timeout=5) as client:
        yield client


def test_a_fault_happens_as_often_as_it_was_asked_for(hub: DemoHub, client: httpx2.Client) -> None:
    hub.fail(PATH, times=2, status=503, headers={"Retry-After": "7"}, body="later")

    answers = [client.get(PATH) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [503, 503, 200]
    assert (answers[0].headers["retry-after"], answers[0].text) == ("7", "later")


def test_a_fault_meets_only_what_it_matches(hub: DemoHub, client: httpx2.Client) -> None:
    hub.fail(r"^GET /api/models/a/b\?blobs", status=500)

    assert client.head(f"{PATH}?blobs=true").status_code == 200
    assert client.get(PATH).status_code == 200
    assert client.get(f"{PATH}?blobs=true").status_code == 500


def test_an_answer_can_be_nonsense(hub: DemoHub, client: httpx2.Client) -> None:
    hub.fail(PATH, body="<html>")

    answers = [client.get(PATH) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].text == "<html>"
    assert answers[1].json()["id"] == "a/b"


def test_a_dropped_connection_gives_no_answer(hub: DemoHub, client: httpx2.Client) -> None:
    hub.fail(PATH, drop=True)

    with pytest.raises(httpx2.TransportError):
        client.get(PATH)


def test_a_cut_body_ends_too_early(hub: DemoHub, client: httpx2.Client) -> None:
    hub.fail("/cdn/", cut_at=100_000)

    with pytest.raises(httpx2.RemoteProtocolError, match="100000 bytes"):
        client.get(WEIGHTS)


def test_a_stalled_body_never_ends(hub: DemoHub, client: httpx2.Client) -> None:
    hub.fail("/cdn/", stall_at=1000)

    with pytest.raises(httpx2.ReadTimeout):
        client.get(WEIGHTS, timeout=0.2)


def test_a_late_answer_is_too_late(hub: DemoHub, client: httpx2.Client) -> None:
    hub.fail(PATH, delay_s=3)

    with pytest.raises(httpx2.ReadTimeout):
        client.get(PATH, timeout=0.1)


def test_a_dripping_body_comes_whole_in_the_end(hub: DemoHub, client: httpx2.Client) -> None:
    whole = client.get(PATH).content
    hub.fail(PATH, drip_s=0.005)

    began = time.monotonic()
    assert client.get(PATH).content == whole
    assert time.monotonic() - began >= 0.005 * (len(whole) // 64)


def test_a_corrupt_body_has_the_right_length_and_the_wrong_digest(hub: DemoHub, client: httpx2.Client) -> None:
    promised = client.get(WEIGHTS).headers["x-linked-etag"].strip('"')
    hub.fail("/cdn/", corrupt=True)

    spoiled = client.get(WEIGHTS).content

    assert len(spoiled) == 300_000
    assert hashlib.sha256(spoiled).hexdigest() != promised
    assert hashlib.sha256(client.get(WEIGHTS).content).hexdigest() == promised


def test_headers_can_be_put_on_top_of_a_true_answer(hub: DemoHub, client: httpx2.Client) -> None:
    hub.fail(PATH, headers={"X-RateLimit-Remaining": "0"})

    answer = client.get(PATH)

    assert (answer.headers["x-ratelimit-remaining"], answer.json()["id"]) == ("0", "a/b")


def test_clear_forgets_faults_and_requests(hub: DemoHub, client: httpx2.Client) -> None:
    hub.fail(times=99, status=500)
    client.get(PATH)

    hub.clear()

    assert hub.requests == []
    assert client.get(PATH).status_code == 200


def test_requests_are_noted(hub: DemoHub, client: httpx2.Client) -> None:
    client.get(PATH, params={"blobs": "true"}, headers={"Authorization": "Bearer x"})

    seen = hub.requests[0]
    assert (seen.method, seen.path, seen.query, seen.status) == ("GET", PATH, "blobs=true", 200)
    assert seen.headers["authorization"] == "Bearer x"
    assert seen.ended is not None
    assert seen.started <= seen.ended
    assert hub.asked("/nowhere") == []


async def test_requests_at_the_same_time_are_one_wave(hub: DemoHub) -> None:
    hub.latency_s = LATENCY_S
    async with httpx2.AsyncClient(base_url=hub.url) as client:
        for _ in range(3):
            await asyncio.gather(*(client.get(PATH) for _ in range(5)))

    assert (hub.waves(), len(hub.requests)) == (3, 15)


def test_requests_one_after_another_are_as_many_waves(hub: DemoHub, client: httpx2.Client) -> None:
    hub.latency_s = LATENCY_S
    for _ in range(4):
        client.get(PATH)

    assert hub.waves() == 4
    assert hub.waves("/elsewhere") == 0


def test_latency_delays_every_answer(hub: DemoHub, client: httpx2.Client) -> None:
    hub.latency_s = LATENCY_S
    client.get(PATH)

    seen = hub.requests[0]
    assert seen.ended is not None
    assert seen.ended - seen.started >= LATENCY_S


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([], 0),
        ([(0, 1)], 1),
        ([(0, 1), (0.2, 1.1), (0.5, 3)], 1),
        ([(0, 1), (0, 9), (1, 2), (2, 3)], 3),
        ([(0, 1), (1, None)], 2),
        ([(0, None), (1, None)], 1),
    ],
    ids=["none", "one", "overlapping", "a long one beside a chain", "one still running", "all still running"],
)
def test_waves_are_the_longest_chain(spans: list[tuple[float, float | None]], expected: int) -> None:
    assert waves([Seen("GET", "/", "", {}, start, end) for start, end in spans]) == expected


def test_a_stopped_hub_answers_nobody() -> None:
    hub = DemoHub(Organisation()).start()
    hub.stop()
    hub.stop()

    with pytest.raises(httpx2.ConnectError):
        httpx2.get(hub.url)


def test_stopping_does_not_wait_for_who_is_still_waiting() -> None:
    with DemoHub(Organisation.of(model("a/b"))) as hub, httpx2.Client(timeout=0.1) as client:
        hub.fail(PATH, delay_s=60)
        with pytest.raises(httpx2.ReadTimeout):
            client.get(hub.url + PATH)
        began = time.monotonic()

    assert time.monotonic() - began < 5


def test_a_port_that_is_taken_is_said() -> None:
    with DemoHub(Organisation()) as hub, pytest.raises(OSError, match="in use"):
        DemoHub(Organisation(), port=int(hub.url.rsplit(":", 1)[1])).start()

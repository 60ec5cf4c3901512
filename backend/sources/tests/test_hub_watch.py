from datetime import timedelta

import pytest

from backend.domain.errors import NotFound, RegistryError, UpstreamFailed
from backend.sources.http import Upstream
from backend.sources.hub_watch import UNNAMED_REST_S, Hub, HubWatch
from backend.tests.factories import NOON, SetClock
from demo.hub import DemoHub

HF, GH = "http://127.0.0.1:9", "http://127.0.0.1:9/gh"


@pytest.fixture
def watch() -> HubWatch:
    return HubWatch(now=SetClock(), hf_endpoint=HF, github_api_url=GH)


@pytest.mark.parametrize(
    ("url", "hub"),
    [
        (f"{HF}/api/models/a/b", Hub.HUGGINGFACE),
        (f"{GH}/repos/a/b", Hub.GITHUB),
        (f"{HF}/ghost", Hub.HUGGINGFACE),
        ("https://codeload.github.com/a/b", Hub.GITHUB),
        ("https://raw.githubusercontent.com/a/b", Hub.GITHUB),
        ("https://cas-bridge.xethub.hf.co/x", Hub.HUGGINGFACE),
        ("https://notgithub.example/x", Hub.HUGGINGFACE),
    ],
)
def test_a_request_is_noted_with_the_hub_it_went_to(watch: HubWatch, url: str, hub: Hub) -> None:
    watch.failed(url, "cannot be reached")

    assert {each for each in Hub if watch.seen[each].asked} == {hub}


@pytest.mark.parametrize("status", [200, 304, 302, 401, 404])
def test_any_answer_about_a_thing_shows_that_the_hub_is_there(watch: HubWatch, status: int) -> None:
    watch.failed(f"{GH}/x", "cannot be reached")
    watch.answered(f"{GH}/x", status, {"x-ratelimit-remaining": "4999"}, 0.25)

    seen = watch.seen[Hub.GITHUB]
    assert (seen.asked, seen.failed, seen.failing) == (2, 1, 0)
    assert (seen.last_success, seen.latency_ms, seen.limit_left) == (NOON, 250, 4999)


@pytest.mark.parametrize(
    ("status", "headers", "rest_s"),
    [
        (429, {"retry-after": "90"}, 90),
        (429, {}, UNNAMED_REST_S),
        (403, {"x-ratelimit-remaining": "0", "retry-after": "5"}, 5),
    ],
    ids=["for so long", "without a word", "GitHub's way"],
)
def test_a_limit_is_noted_until_it_ends(watch: HubWatch, status: int, headers: dict[str, str], rest_s: float) -> None:
    watch.answered(f"{GH}/x", status, headers, 0.1)

    seen = watch.seen[Hub.GITHUB]
    assert seen.limited_until == NOON + timedelta(seconds=rest_s)
    assert (seen.failing, seen.limit_left, seen.last_success) == (1, 0, None)


def test_a_fault_of_the_hub_is_a_failure(watch: HubWatch) -> None:
    watch.answered(f"{HF}/x", 503, {}, 0.1)

    assert (watch.seen[Hub.HUGGINGFACE].failing, watch.seen[Hub.HUGGINGFACE].reason) == (1, "answered 503")


async def test_the_client_tells_of_each_request_it_makes() -> None:
    with DemoHub() as hub:
        watch = HubWatch(now=SetClock(), hf_endpoint=hub.url, github_api_url=hub.github_url)
        upstream = Upstream(hub.url, hub.github_url, backoff_s=0.001, watch=watch)
        await upstream.get(f"{hub.url}/api/models/wrenfield/birdnote-small")
        with pytest.raises(NotFound):
            await upstream.get(f"{hub.github_url}/repos/no/body")
        hub.fail(times=4, status=500)
        with pytest.raises(UpstreamFailed):
            await upstream.get(f"{hub.url}/api/models/wrenfield/frogsong-tiny")
        await upstream.close()

    huggingface, github = watch.seen[Hub.HUGGINGFACE], watch.seen[Hub.GITHUB]
    assert (huggingface.asked, huggingface.failed, huggingface.failing) == (5, 4, 4)
    assert (github.asked, github.failing) == (1, 0)


async def test_a_hub_that_is_silent_or_gone_is_noted() -> None:
    with DemoHub() as hub:
        watch = HubWatch(now=SetClock(), hf_endpoint=hub.url, github_api_url=hub.github_url)
        upstream = Upstream(hub.url, hub.github_url, total_timeout_s=0.05, watch=watch)
        hub.fail(times=9, delay_s=5)
        with pytest.raises(RegistryError):
            await upstream.get(f"{hub.url}/api/models/wrenfield/birdnote-small")
        await upstream.close()
    assert watch.seen[Hub.HUGGINGFACE].reason == "did not answer in time"

    upstream = Upstream(hub.url, hub.github_url, backoff_s=0.001, watch=watch)
    with pytest.raises(RegistryError):
        await upstream.get(f"{hub.url}/api/models/wrenfield/birdnote-small")
    await upstream.close()
    assert (watch.seen[Hub.HUGGINGFACE].reason, watch.seen[Hub.HUGGINGFACE].failing) == ("cannot be reached", 5)

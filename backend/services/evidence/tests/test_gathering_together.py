"""Many ratings at once: what they share is asked once, and what was seen before is only revalidated."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator

import pytest

from backend.domain.errors import UpstreamFailed
from backend.domain.source import ArtifactType
from backend.domain.user import LOCAL
from backend.services.evidence.analysis import Analyses
from backend.services.evidence.gatherer import GatheredModel, Gatherer
from backend.settings import Settings
from backend.sources.budget import Budget
from backend.sources.github import GitHub
from backend.sources.http import Upstream
from backend.sources.identify import identify
from backend.storage.memory import MemoryStore
from backend.wiring import build_rating
from demo.hub import DemoHub
from demo.items import Account, Organisation, model, repository

MODELS = 100
CARD = "# Owl\nThe code is in [the repository](https://github.com/falcon/owl).\n"
ORGANISATION = Organisation.of(
    Account("falcon", members=["ada", "bo"]),
    repository(
        "falcon/owl",
        files={"README.md": "# Owl code", "owl.py": "def hoot(loud):\n    return loud\n"},
        moved_from=["falcon/old-owl"],
    ),
    model("falcon/renamed", readme=CARD.replace("falcon/owl", "falcon/old-owl")),
    *(model(f"falcon/owl-{number}", readme=CARD, files={"config.json": {}}) for number in range(MODELS)),
)
CODE = identify(ArtifactType.CODE, "https://github.com/falcon/owl")


@pytest.fixture
def hub() -> Iterator[DemoHub]:
    with DemoHub(ORGANISATION, latency_s=0.02) as running:
        yield running


@pytest.fixture
async def upstream(hub: DemoHub) -> AsyncIterator[Upstream]:
    client = Upstream(hub.url, hub.github_url, attempts=1)
    yield client
    await client.close()


@pytest.fixture
def gatherer(upstream: Upstream) -> Gatherer:
    gatherer, _ = build_rating(Settings(host="127.0.0.1", auth="auto"), upstream, MemoryStore())
    return gatherer


async def gather(gatherer: Gatherer, name: str | int, budget: Budget | None = None) -> GatheredModel:
    url = f"https://huggingface.co/falcon/{f'owl-{name}' if isinstance(name, int) else name}"
    return await gatherer.model(identify(ArtifactType.MODEL, url), name=str(name), url=url, viewer=LOCAL, budget=budget)


async def test_a_hundred_models_with_one_repository_share_the_work_on_it(hub: DemoHub, gatherer: Gatherer) -> None:
    found = await asyncio.gather(*(gather(gatherer, number) for number in range(MODELS)))

    seen = hub.asked("/repos/falcon/owl")
    whole = Counter(request.path for request in seen if request.status != 304)
    assert set(whole.values()) == {1}, "each thing about the repository crosses the wire once"
    alone = len(whole)
    assert len(seen) <= MODELS * alone / 4, "most of those who ask while a request is in flight join it"
    assert {each.evidence.code.analysis.value for each in found} == {found[0].evidence.code.analysis.value}
    assert all(each.evidence.code.repo.known and each.evidence.code.commits.known for each in found)


async def test_the_archive_is_fetched_and_analysed_once(hub: DemoHub, gatherer: Gatherer) -> None:
    await asyncio.gather(*(gather(gatherer, number) for number in range(10)))
    await gather(gatherer, 11)

    assert len(hub.asked("/tarball/")) == 1


async def test_a_second_gathering_is_answered_by_not_modified(hub: DemoHub, gatherer: Gatherer) -> None:
    first = await gather(gatherer, 1)
    hub.clear()

    second = await gather(gatherer, 1)

    assert {request.status for request in hub.requests} == {304}
    assert (second.evidence.model.value, second.evidence.card.value) == (
        first.evidence.model.value,
        first.evidence.card.value,
    )
    assert second.evidence.code.commits.value == first.evidence.code.commits.value


async def test_an_analysis_goes_on_for_those_who_still_wait(hub: DemoHub, upstream: Upstream) -> None:
    analyses, github = Analyses(), GitHub(upstream)
    commit = (await github.commits(CODE))[0].sha
    leaving = asyncio.create_task(analyses.of(github, CODE, commit))
    staying = asyncio.create_task(analyses.of(github, CODE, commit))
    await asyncio.sleep(0)

    leaving.cancel()

    assert (await staying).files == 1
    assert len(hub.asked("/tarball/")) == 1


async def test_an_analysis_nobody_waits_for_is_given_up_and_can_be_asked_for_again(
    upstream: Upstream,
) -> None:
    analyses, github = Analyses(), GitHub(upstream)
    commit = (await github.commits(CODE))[0].sha
    leaving = asyncio.create_task(analyses.of(github, CODE, commit))
    await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)

    assert (await analyses.of(github, CODE, commit)).files == 1


async def test_a_failed_analysis_is_not_kept(hub: DemoHub, upstream: Upstream) -> None:
    analyses, github = Analyses(), GitHub(upstream)
    commit = (await github.commits(CODE))[0].sha
    hub.fail("/tarball/", status=500)
    with pytest.raises(UpstreamFailed):
        await analyses.of(github, CODE, commit)

    assert (await analyses.of(github, CODE, commit)).files == 1


async def test_a_renamed_repository_is_asked_by_its_present_name_once_that_is_known(
    hub: DemoHub, gatherer: Gatherer
) -> None:
    budget = Budget()

    await gather(gatherer, "renamed", budget)

    redirected = [request.path for request in hub.requests if request.status == 301]
    assert len(redirected) == 5, "the first wave is asked before anybody can know"
    assert budget.waves <= 6

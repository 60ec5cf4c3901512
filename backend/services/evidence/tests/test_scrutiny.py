import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from pydantic import TypeAdapter

from backend.domain.source import ArtifactType
from backend.domain.user import LOCAL
from backend.services.evidence.gatherer import Gatherer
from backend.settings import Settings
from backend.sources.http import Upstream
from backend.sources.identify import identify
from backend.sources.tests.stand_in_llm import StandIn, completion, http, scores, standing_in
from backend.storage.memory import MemoryStore
from backend.wiring import build_rating
from demo.hub import DemoHub
from demo.items import Account, Organisation, model
from metrics.evidence import Evidence, Missing, RunOutcome

SHOWS = "```python\nowl = 'falcon/owl'\nprint('hoo' * 2)\n```\n"
ORGANISATION = Organisation.of(
    Account("falcon", members=["ada"]),
    model(
        "falcon/owl",
        readme=f"---\nbase_model: falcon/egg\n---\n# Owl\n{SHOWS}",
        generated_files={"model.safetensors": 4000},
    ),
    model("falcon/egg", readme=f"# Egg\n{SHOWS}", generated_files={"model.safetensors": 4000}),
    model("falcon/bare", generated_files={"model.safetensors": 4000}),
)
STORED = TypeAdapter(Evidence)


@pytest.fixture
def hub() -> Iterator[DemoHub]:
    with DemoHub(ORGANISATION) as running:
        yield running


@pytest.fixture
async def upstream(hub: DemoHub) -> AsyncIterator[Upstream]:
    client = Upstream(hub.url, hub.github_url, attempts=1)
    yield client
    await client.close()


@asynccontextmanager
async def gathering(upstream: Upstream, **chosen: object) -> AsyncIterator[Gatherer]:
    settings = Settings.model_validate({"host": "127.0.0.1", "auth": "auto", "gen_ai_studio_api_key": None, **chosen})
    gatherer, _ = build_rating(settings, upstream, MemoryStore())
    yield gatherer
    await gatherer.close()


async def gather(gatherer: Gatherer, name: str = "owl") -> Evidence:
    url = f"https://huggingface.co/falcon/{name}"
    found = await gatherer.model(identify(ArtifactType.MODEL, url), name=name, url=url, viewer=LOCAL)
    return found.evidence


@pytest.fixture
async def stand_in() -> AsyncIterator[StandIn]:
    async with standing_in(completion(scores(0.9, 0.1))) as running:
        yield running


async def test_nobody_is_asked_and_nothing_is_run_by_default(upstream: Upstream) -> None:
    async with gathering(upstream) as gatherer:
        found = await gather(gatherer)

    assert (found.second_reading.missing, found.demonstration.missing) == (Missing.NOT_ASKED, Missing.NOT_ASKED)


async def test_a_model_is_gathered_with_its_second_reading(upstream: Upstream, stand_in: StandIn) -> None:
    async with gathering(upstream, llm_url=stand_in.url, llm_model="reader") as gatherer:
        found = await gather(gatherer)

    assert found.second_reading.value is not None
    assert found.second_reading.value.reader == "reader"
    assert [question["messages"][1]["content"].count("# Owl") for question in stand_in.asked] == [1]


async def test_a_second_gathering_asks_nobody(upstream: Upstream, stand_in: StandIn) -> None:
    async with gathering(upstream, llm_url=stand_in.url) as gatherer:
        first, second = [await gather(gatherer) for _ in range(2)]

    assert first.second_reading.value == second.second_reading.value
    assert len(stand_in.asked) == 1


async def test_two_gatherings_at_once_share_one_question(upstream: Upstream, stand_in: StandIn) -> None:
    async with gathering(upstream, llm_url=stand_in.url) as gatherer:
        found = await asyncio.gather(gather(gatherer), gather(gatherer))

    assert all(each.second_reading.known for each in found)
    assert len(stand_in.asked) == 1


async def test_a_model_without_a_card_has_no_second_reading(upstream: Upstream, stand_in: StandIn) -> None:
    async with gathering(upstream, llm_url=stand_in.url) as gatherer:
        found = await gather(gatherer, "bare")

    assert found.second_reading.missing is Missing.NOT_ASKED
    assert stand_in.asked == []


@pytest.mark.parametrize("answer", [http(500, b""), None], ids=["failing", "silent"])
async def test_a_gathering_goes_on_without_its_second_reader(upstream: Upstream, answer: bytes | None) -> None:
    async with (
        standing_in(answer) as broken,
        gathering(upstream, llm_url=broken.url, llm_timeout_seconds=0.3) as gatherer,
    ):
        found = await gather(gatherer)

    assert found.second_reading.missing is Missing.UNAVAILABLE
    assert found.card.known
    assert found.awaited == ()


async def test_a_demonstration_is_run_where_that_is_asked_for(upstream: Upstream) -> None:
    async with gathering(upstream, run_demonstrations=True) as gatherer:
        run = (await gather(gatherer)).demonstration

    if run.value is None:
        assert "sandbox" in run.note
    else:
        assert (run.value.outcome, run.value.last_lines) == (RunOutcome.CLEAN, "hoohoo\n")


async def test_a_card_without_code_is_not_run(upstream: Upstream) -> None:
    async with gathering(upstream, run_demonstrations=True) as gatherer:
        run = (await gather(gatherer, "bare")).demonstration

    assert run.missing is Missing.NOT_ASKED
    assert "no Python" in run.note


async def test_scrutiny_is_stored_with_the_rest_of_the_evidence(upstream: Upstream, stand_in: StandIn) -> None:
    async with gathering(upstream, llm_url=stand_in.url, run_demonstrations=True) as gatherer:
        found = await gather(gatherer)

    assert STORED.validate_json(STORED.dump_json(found)) == found


async def test_evidence_from_before_scrutiny_can_still_be_read(upstream: Upstream) -> None:
    async with gathering(upstream) as gatherer:
        found = await gather(gatherer)

    older = STORED.dump_python(found, mode="json", exclude={"second_reading", "demonstration"})

    assert STORED.validate_python(older) == found

import json
from dataclasses import replace
from datetime import timedelta

import anyio
import pytest

from backend.api.errors import STATUS, status_of
from backend.domain import errors
from backend.domain.errors import Conflict, NotFound, RegistryError, Unavailable, UpstreamFailed
from backend.domain.job import JobError, JobKind, JobState
from backend.domain.user import LOCAL, User
from backend.services.jobs import JobBoard, as_job_error, raise_again
from backend.storage.memory import MemoryStore
from backend.tests.factories import NOON, make_job

EXAMPLES: list[RegistryError] = [
    errors.InvalidInput("the url is odd"),
    errors.NotFound("not at the source"),
    errors.AlreadyExists("taken", "an-id", "model"),
    errors.Conflict("changed meanwhile"),
    errors.Refused("short of it", [{"metric": "license", "score": 0.1, "findings": ["none"]}]),
    errors.PayloadTooLarge("too large"),
    errors.TooMany("too many"),
    errors.NotSignedIn("no token"),
    errors.BadCredentials("wrong"),
    errors.NotAllowed("may not"),
    errors.MayNotReset("may not reset"),
    errors.NotOffered("not here"),
    errors.RatingIncomplete("license: broken"),
    errors.UpstreamRefused("gated", 401),
    errors.UpstreamFailed("down", 503, retry_after_s=7, rate_limited=False),
    errors.UpstreamFailed("slow down", 429, retry_after_s=30, rate_limited=True),
    errors.UpstreamFailed("silent"),
    errors.Unavailable("not now", 9),
    errors.LeaseLost("taken over"),
]
IDS = [f"{type(each).__name__}-{index}" for index, each in enumerate(EXAMPLES)]


def _subclasses(cls: type[RegistryError]) -> set[type[RegistryError]]:
    return set(cls.__subclasses__()).union(*(_subclasses(each) for each in cls.__subclasses__()))


def test_every_error_class_has_an_example_here_and_a_status() -> None:
    every = {each for each in _subclasses(RegistryError) if each.__module__ == errors.__name__}

    assert {type(each) for each in EXAMPLES} == every == set(STATUS)


@pytest.mark.parametrize("error", EXAMPLES, ids=IDS)
def test_an_error_that_a_job_recorded_is_raised_again_as_it_was(error: RegistryError) -> None:
    kept = as_job_error(error)
    read_back = JobError(kept.code, kept.detail, json.loads(json.dumps(kept.extra)))

    with pytest.raises(type(error)) as raised:
        raise_again(read_back)

    assert str(raised.value) == str(error)
    assert json.dumps(vars(raised.value), default=list) == json.dumps(vars(error), default=list)
    assert status_of(raised.value) == status_of(error)


@pytest.mark.parametrize("code", ["TriesExhausted", "Sequence", "__name__", "ValueError", "", "RegistryErrors"])
def test_a_job_that_died_of_no_known_error_reports_that_the_registry_could_not(code: str) -> None:
    with pytest.raises(Unavailable, match="begun 3 times"):
        raise_again(JobError(code, "begun 3 times"))


async def test_waiting_ends_when_the_end_is_announced() -> None:
    store = MemoryStore()
    board = JobBoard(store)
    job = make_job()
    await board.submit(job)
    claimed = await store.claim([JobKind.MIRROR], worker="w", now=NOON, lease_until=NOON)

    async def end() -> None:
        await store.finish(claimed.claim, error=None, now=NOON)
        board.announce_end(job.id)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(end)
        ended = await board.wait(job.id, seconds=60)

    assert ended is not None
    assert ended.state is JobState.DONE


async def test_a_job_that_another_process_ended_is_noticed_without_an_announcement() -> None:
    store = MemoryStore()
    ours, theirs = JobBoard(store), JobBoard(store)
    job = make_job()
    await ours.submit(job)
    claimed = await store.claim([JobKind.MIRROR], worker="w", now=NOON, lease_until=NOON)

    async def end() -> None:
        await store.finish(claimed.claim, error=None, now=NOON)
        theirs.announce_end(job.id)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(end)
        ended = await ours.wait(job.id, seconds=60)

    assert ended is not None


async def test_waiting_no_time_tells_only_what_has_ended_already() -> None:
    store = MemoryStore()
    board = JobBoard(store)
    job = make_job()
    await board.submit(job)

    assert await board.wait(job.id, seconds=0) is None


async def test_waiting_for_a_job_that_a_reset_swept_away_is_a_conflict() -> None:
    store = MemoryStore()
    board = JobBoard(store)
    job = make_job()
    await board.submit(job)
    await store.reset()

    with pytest.raises(Conflict, match="reset"):
        await board.wait(job.id, seconds=60)


async def test_nobody_who_waited_is_remembered() -> None:
    store = MemoryStore()
    board = JobBoard(store)
    job = make_job()
    await board.submit(job)

    await board.wait(job.id, seconds=0)

    assert not board._endings


async def test_submitting_wakes_every_subscriber() -> None:
    board = JobBoard(MemoryStore())

    with board.subscribed() as one, board.subscribed() as other:
        await board.submit(make_job())

        assert one.is_set()
        assert other.is_set()


def test_a_subscriber_that_has_left_is_forgotten() -> None:
    board = JobBoard(MemoryStore())

    with board.subscribed():
        pass

    assert not board._wakes


async def test_a_job_is_shown_to_its_owner_and_to_administrators() -> None:
    store = MemoryStore()
    board = JobBoard(store)
    job = make_job(owner="ann")
    await board.submit(job)

    assert await board.get(User("ann", is_admin=False), job.id) == job
    assert await board.get(User("root", is_admin=True), job.id) == job
    with pytest.raises(NotFound):
        await board.get(User("bob", is_admin=False), job.id)
    with pytest.raises(NotFound):
        await board.get(LOCAL, "no-such-job")


async def test_a_listing_of_jobs_holds_ones_own_and_can_be_paged() -> None:
    store = MemoryStore()
    board = JobBoard(store)
    jobs = [make_job(owner=owner, created_at=NOON + timedelta(seconds=n)) for n, owner in enumerate(["ann", "bob"] * 3)]
    for job in jobs:
        await board.submit(job)
    ann = User("ann", is_admin=False)

    first = await board.page(ann, states=(), after=None, limit=4)
    rest = await board.page(ann, states=(), after=first.after, limit=4)

    assert [*first.items, *rest.items] == [job for job in jobs if job.owner == "ann"]
    assert rest.after is None
    assert (await board.page(LOCAL, states=(JobState.DONE,), after=None, limit=9)).items == []


def test_an_upstream_error_keeps_how_long_to_wait() -> None:
    kept = as_job_error(UpstreamFailed("slow", 429, retry_after_s=12, rate_limited=True))

    assert replace(kept, detail="").extra["retry_after_s"] == 12


def test_a_call_for_one_kind_wakes_who_waits_for_it_or_for_any() -> None:
    board = JobBoard(MemoryStore())

    with (
        board.subscribed(JobKind.RELINK) as own,
        board.subscribed(JobKind.MIRROR) as other,
        board.subscribed() as every,
    ):
        board.wake(JobKind.RELINK)

        assert (own.is_set(), other.is_set(), every.is_set()) == (True, False, True)

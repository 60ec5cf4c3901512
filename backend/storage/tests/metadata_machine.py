"""A Hypothesis state machine that does the same things to a store and to the model, and compares all that can be seen.

`STATEFUL_EXAMPLES` (100) and `STATEFUL_STEPS` (30) in the environment say how many runs there are and how long each is.
"""

import asyncio
import os
from abc import abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from backend.domain.artifact import Relation, Visibility
from backend.domain.audit import Action, Reset
from backend.domain.audit_chain import Head
from backend.domain.errors import AlreadyExists, RegistryError
from backend.domain.ids import new_id
from backend.domain.job import Claim, JobError, JobKind, JobState, Progress
from backend.domain.listing import Listing, ScoreRange, Sort
from backend.domain.needs import AllOf, AnyOf, Literal, Need, Search, holds
from backend.domain.page import NameQuery
from backend.domain.source import ArtifactType, Host, Source
from backend.services.audit_chain import Verified, verify
from backend.storage.base import Commit, MetadataStore
from backend.storage.tests.factories import (
    ADMIN,
    MINUTE,
    NOW,
    OWNER,
    STRANGER,
    a_file,
    a_job,
    a_link,
    a_rating,
    an_artifact,
    an_entry,
)
from backend.storage.tests.metadata_model import Model
from backend.storage.tests.order_contract import followed
from backend.storage.tests.paging import every_item

STATEFUL = settings(
    max_examples=int(os.environ.get("STATEFUL_EXAMPLES", "100")),
    stateful_step_count=int(os.environ.get("STATEFUL_STEPS", "30")),
    deadline=None,  # a shared machine's fsync is no property of the store
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

VIEWERS = (OWNER, STRANGER, ADMIN)
PLACES = [Source(Host.HUGGINGFACE, ArtifactType.MODEL, f"acme/{name}") for name in "abc"]
NEEDS = [Literal("need"), AnyOf((Literal("BERT"), Literal("dle"))), AllOf((Literal("eed"), Literal("needle")))]
DIGESTS = [letter * 64 for letter in "abc"]

# Few of each, so that runs meet conflicts rather than avoid them.
kinds = st.sampled_from(list(ArtifactType))
names = st.sampled_from(["bert", "Bert", "squad", "é"])
viewers = st.sampled_from(VIEWERS)
fields = st.fixed_dictionaries(
    {
        "source": st.sampled_from(PLACES),
        "owner": st.sampled_from([OWNER.name, STRANGER.name]),
        "visibility": st.sampled_from(Visibility),
        "readme": st.sampled_from([None, "", "needle"]),
    }
)
paths = st.lists(st.sampled_from(["a", "b", "c/d"]), unique=True)
links = st.lists(st.tuples(st.sampled_from([place.key for place in PLACES]), st.sampled_from(Relation)), max_size=3)
parts = st.fixed_dictionaries(
    {"net": st.none() | st.floats(0, 1), "links": st.none() | links, "files": st.none() | paths, "jobs": st.booleans()}
)
queries = st.lists(
    st.builds(NameQuery, st.none() | names, st.frozensets(kinds)),
    max_size=3,
)
ranges = st.builds(ScoreRange, st.sampled_from(["net_score", "license", "none"]), st.none() | st.floats(0, 1))
listings = st.builds(
    Listing,
    types=st.frozensets(kinds),
    text=st.sampled_from([None, None, "E", "É"]),
    owner=st.sampled_from([None, None, OWNER.name]),
    scores=st.lists(ranges, max_size=1).map(tuple),
    sort=st.sampled_from(Sort),
    descending=st.booleans(),
)
error = JobError("UpstreamFailed", "503", {"status": 503})


def what_happened(action: Callable[[], Any]) -> object:
    """The result of an action, or what of its error a caller acts upon."""
    try:
        return action()
    except AlreadyExists as refusal:
        return AlreadyExists, refusal.artifact_id, refusal.artifact_type
    except RegistryError as refusal:
        return type(refusal)


class MetadataMachine(RuleBasedStateMachine):
    """Subclasses open a backend's empty store, and may restart it."""

    artifacts = Bundle("artifacts")
    claims = Bundle("claims")

    @abstractmethod
    def open(self) -> MetadataStore:
        """An empty store of the backend that is tried."""

    def reopened(self, store: MetadataStore) -> MetadataStore:
        """The store after its process was restarted; a store that forgets is not restarted."""
        return store

    @initialize()
    def begin(self) -> None:
        self.runner = asyncio.Runner()
        self.store = self.open()
        self.model = Model()
        self.now = NOW
        self.changed = True

    def teardown(self) -> None:
        self.run(self.store.close())
        self.runner.close()

    def run(self, action: Awaitable[Any]) -> Any:
        async def awaited() -> Any:
            return await action

        return self.runner.run(awaited())

    def both(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """Do it to both, and require the same of both."""
        self.changed = True
        expected = what_happened(lambda: getattr(self.model, method)(*args, **kwargs))
        actual = what_happened(lambda: self.run(getattr(self.store, method)(*args, **kwargs)))
        assert actual == expected, f"{method}: the store says {actual}, the model {expected}"
        return actual

    def change(self, artifact: Any, given: dict[str, Any], **also: Any) -> Commit:
        return Commit(
            artifact,
            rating=None if given["net"] is None else a_rating(artifact, given["net"]),
            links=None if given["links"] is None else [a_link(artifact, *link) for link in given["links"]],
            files=None if given["files"] is None else [a_file(path) for path in given["files"]],
            jobs=[self.job(artifact.id)] if given["jobs"] else [],
            audit=[an_entry(artifact, Action.UPDATE, self.now)],
            **also,
        )

    def job(self, artifact_id: str, **more: Any) -> Any:
        times = dict.fromkeys(("created_at", "updated_at", "not_before"), self.now)
        return a_job(**(times | {"artifact_id": artifact_id, "max_tries": 2} | more))

    @rule(target=artifacts, name=names, kind=kinds, given=fields, parts=parts)
    def create(self, name: str, kind: ArtifactType, given: dict[str, Any], parts: dict[str, Any]) -> Any:
        artifact = an_artifact(name, kind, **given)
        self.both("commit", self.change(artifact, parts))
        return artifact

    @rule(claim=claims, name=names, kind=kinds, given=fields, parts=parts)
    def create_and_close(self, claim: Claim, name: str, kind: Any, given: Any, parts: Any) -> None:
        artifact = an_artifact(name, kind, updated_at=self.now, **given)
        self.both("commit", self.change(artifact, parts, closes=claim))

    @rule(artifact=artifacts, name=names, given=fields, parts=parts, behind=st.sampled_from([0, 0, 0, 1]))
    def update(self, artifact: Any, name: str, given: dict[str, Any], parts: dict[str, Any], behind: int) -> None:
        stored = self.model.artifacts.get(artifact.id, artifact)
        new = replace(stored, name=name, version=stored.version + 1, updated_at=self.now, **given)
        self.both("commit", self.change(new, parts, expected_version=stored.version - behind))

    @rule(artifact=artifacts)
    def create_again(self, artifact: Any) -> None:
        self.both("commit", Commit(artifact))

    @rule(artifact=artifacts, viewer=viewers, kind=st.none() | kinds)
    def delete(self, artifact: Any, viewer: Any, kind: ArtifactType | None) -> None:
        entry = an_entry(artifact, Action.DELETE, self.now, user=viewer)
        self.both("delete", viewer, kind or artifact.type, artifact.id, entry)

    @rule(artifact=artifacts, twice=st.booleans())
    def append(self, artifact: Any, *, twice: bool) -> None:
        entry = an_entry(artifact, Action.DOWNLOAD, self.now - MINUTE)
        self.both("append", [entry, replace(entry, action=Action.RATE)] if twice else [entry])

    @rule(artifact=artifacts, kind=st.sampled_from(JobKind), delay=st.sampled_from([0, 0, 2]))
    def enqueue(self, artifact: Any, kind: JobKind, delay: int) -> None:
        job = self.job(artifact.id, kind=kind, not_before=self.now + delay * MINUTE)
        self.model.jobs[job.id] = job
        self.run(self.store.enqueue(job))
        self.changed = True

    @rule(minutes=st.sampled_from([1, 2, 5]))
    def time_passes(self, minutes: int) -> None:
        self.now += minutes * MINUTE

    @rule(target=claims, wanted=st.sampled_from([[JobKind.INGEST], [JobKind.MIRROR], list(JobKind)]))
    def claim(self, wanted: list[JobKind]) -> Any:
        taken = self.both("claim", wanted, worker="w", now=self.now, lease_until=self.now + 2 * MINUTE)
        self.forgive_wording()
        return multiple() if taken is None else taken.claim

    def forgive_wording(self) -> None:
        """Let the model take over the sentence that a store writes into a job that died."""
        for job in self.model.jobs.values():
            if job.state is JobState.DEAD and (job.error is None or job.error.code != "TriesExhausted"):
                written = self.run(self.store.job(job.id))
                assert written.error is not None
                self.model.jobs[job.id] = replace(job, error=written.error)

    @rule(held=st.lists(claims, max_size=3, unique=True))
    def renew(self, held: list[Claim]) -> None:
        self.both("renew", held, lease_until=self.now + 2 * MINUTE)

    @rule(claim=claims, done=st.integers(0, 2**40))
    def report(self, claim: Claim, done: int) -> None:
        self.both("report", claim, Progress("downloading", done), now=self.now)

    @rule(
        claim=claims,
        artifact=artifacts,
        path=st.sampled_from(["a", "b"]),
        digest=st.sampled_from(DIGESTS),
        changes=st.sampled_from([{}, {}, {"claimed_sha256": None}]),
    )
    def hold(self, claim: Claim, artifact: Any, path: str, digest: str, changes: dict[str, Any]) -> None:
        entry = a_file(path, digest=digest, verified=True, **changes)
        self.both("hold", claim, artifact.id, entry, Progress("mirroring"), now=self.now)

    @rule(claim=claims, why=st.sampled_from([None, error]))
    def finish(self, claim: Claim, why: JobError | None) -> None:
        self.both("finish", claim, error=why, now=self.now)

    @rule(claim=claims)
    def retry(self, claim: Claim) -> None:
        self.both("retry", claim, not_before=self.now + MINUTE, error=error, now=self.now)

    @rule()
    def restart(self) -> None:
        self.store = self.reopened(self.store)
        self.changed = True

    @rule(sure=st.integers(0, 9), told=st.booleans())
    def reset(self, sure: int, *, told: bool) -> None:
        if sure == 0:
            self.model = Model()
            record = Reset(new_id(), ADMIN, self.now) if told else None
            self.model.chain = [record.id] if record else []
            self.run(self.store.reset(record))
            self.changed = True

    @rule(viewer=viewers, wanted=queries, limit=st.integers(1, 4))
    def page(self, viewer: Any, wanted: list[NameQuery], limit: int) -> None:
        expected = [
            each.summary
            for each in self.model.visible(viewer)
            if any(query.matches(each.name, each.type) for query in wanted)
        ]
        self.compare_pages(expected, lambda after: self.store.page(viewer, wanted, after=after, limit=limit))

    @rule(viewer=viewers, limit=st.integers(1, 4), listing=listings)
    def listed(self, viewer: Any, limit: int, listing: Listing) -> None:
        known = [(each, self.model.scores(each.id)) for each in self.model.visible(viewer)]
        wanted = [(listing.place_of(*each), each[0].summary) for each in known if listing.selects(*each)]
        wanted.sort(key=lambda each: (each[0].value or 0, each[0].id), reverse=listing.descending)
        wanted.sort(key=lambda each: each[0].value is None)
        found = self.run(followed(lambda after: self.store.listed(viewer, listing, after=after, limit=limit)))
        assert found == [summary for _, summary in wanted]

    @rule(viewer=viewers, limit=st.integers(1, 4), need=st.sampled_from([None, *NEEDS]))
    def search(self, viewer: Any, limit: int, need: Need | None) -> None:
        def matches(name: str, readme: str | None) -> bool:
            return (name == "bert" or readme == "needle") and (holds(need, name) or holds(need, readme or ""))

        expected = [each.summary for each in self.model.visible(viewer) if matches(each.name, each.readme)]
        self.compare_pages(
            expected, lambda after: self.store.search(viewer, Search(matches, need), after=after, limit=limit)
        )

    @rule(states=st.lists(st.sampled_from(JobState), unique=True), artifact=st.none() | artifacts, limit=st.just(2))
    def jobs(self, states: list[JobState], artifact: Any, limit: int) -> None:
        artifact_id = artifact.id if artifact else None
        expected = [
            job
            for _, job in sorted(self.model.jobs.items())
            if (not states or job.state in states) and artifact_id in {None, job.artifact_id}
        ]
        which = {"artifact_id": artifact_id, "states": states, "limit": limit}
        self.compare_pages(expected, lambda after: self.store.jobs(after=after, **which))

    def compare_pages(self, expected: list[Any], ask: Callable[[str | None], Awaitable[Any]]) -> None:
        found = self.run(every_item(ask))
        assert found == expected

    @invariant()
    def everything_else_is_the_same(self) -> None:
        if self.changed:
            self.run(self.compare_catalog())
            self.run(self.compare_parts())
            self.changed = False

    async def compare_catalog(self) -> None:
        store, model = self.store, self.model
        keys = [place.key for place in PLACES]
        for viewer in VIEWERS:
            visible = model.visible(viewer)
            assert list(await store.by_ids(viewer, sorted(model.artifacts))) == visible
            assert list(await store.by_keys(viewer, keys)) == visible
            counts = {kind: sum(each.type is kind for each in visible) for kind in ArtifactType}
            assert await store.counts(viewer) == counts
        for artifact in model.artifacts.values():
            seen = artifact if artifact.visible_to(STRANGER) else None
            assert await store.get(STRANGER, artifact.type, artifact.id) == seen
            assert await store.by_source(STRANGER, artifact.type, artifact.source.key) == seen

    async def compare_parts(self) -> None:
        store, model = self.store, self.model
        assert list(await store.links_from(sorted(model.artifacts))) == model.links
        for key in (place.key for place in PLACES):
            wanted = [link for link in model.links if (link.target_key, link.relation) == (key, Relation.DATASET)]
            assert list(await store.links_to([key], [Relation.DATASET])) == wanted
        held = {file.digest for file in model.files.values()}
        assert await store.held_digests(DIGESTS) == held - {None}
        for artifact_id in model.artifacts:
            files = [file for key, file in sorted(model.files.items()) if key[0] == artifact_id]
            assert list(await store.files(artifact_id)) == files
            assert await store.rating(artifact_id) == model.ratings.get(artifact_id)
        by_age = sorted(model.audit.values(), key=lambda entry: (entry.date, entry.id))
        audited = {entry.artifact.id for entry in by_age}
        trails = await asyncio.gather(*(store.trail(artifact_id) for artifact_id in audited))
        for artifact_id, trail in zip(audited, trails, strict=True):
            assert list(trail) == [entry for entry in by_age if entry.artifact.id == artifact_id]
        chain = await store.chain(after=0, limit=10_000)
        assert [record.fields["id"] for record in chain] == model.chain
        assert await verify(store) == Verified(chain[-1].head if chain else Head(), None)
        for job in model.jobs.values():
            assert await store.job(job.id) == job
        counts = {state: sum(job.state is state for job in model.jobs.values()) for state in JobState}
        assert await store.job_counts() == counts

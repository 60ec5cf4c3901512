"""The composition root: the one module that names concrete classes."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from backend import logs
from backend.domain.job import JobKind
from backend.services.accounts import Accounts, SignIn
from backend.services.audit import Audit
from backend.services.benchmark.service import Benchmark
from backend.services.clock import Clock, utc_now
from backend.services.contents import Contents
from backend.services.cost import Costs
from backend.services.crash import crash_point
from backend.services.directory import Directory
from backend.services.downloads import Downloads
from backend.services.evidence.gatherer import Gatherer
from backend.services.evidence.scrutiny import Scrutiny
from backend.services.evidence.second_reader import SecondReader
from backend.services.health import Health, Observers, Pulse, TrafficLog
from backend.services.ingest import Ingest
from backend.services.jobs import JobBoard
from backend.services.licensing import Licensing
from backend.services.lineage import Lineage
from backend.services.mirror import Mirror, MirrorPlan
from backend.services.rating import Judge, Ratings
from backend.services.refresh import Relinking, Rerating
from backend.services.registry import Registry
from backend.services.upkeep import Upkeep
from backend.services.worker import Handler, Worker, lanes
from backend.settings import GRADER_NAME, GRADER_PASSWORDS, Settings
from backend.sources.demonstration_runner import DemonstrationRunner
from backend.sources.github import GitHub
from backend.sources.http import Upstream
from backend.sources.hub_watch import HubWatch
from backend.sources.huggingface import HuggingFace
from backend.sources.llm import ChatModel
from backend.storage.base import BlobStore, MetadataStore
from backend.storage.factory import open_blobs, open_metadata


@dataclass(frozen=True, slots=True)
class Services:
    """The registry with the parts beneath it, which whoever built it closes."""

    registry: Registry
    worker: Worker
    store: MetadataStore
    blobs: BlobStore
    upstream: Upstream
    gatherer: Gatherer

    async def close(self) -> None:
        """Let go of connections, threads and files."""
        await self.gatherer.close()
        await self.upstream.close()
        await self.blobs.close()
        await self.store.close()


def build_services(settings: Settings, *, now: Clock = utc_now) -> Services:
    """Build everything from settings; opens the stores, and migrates them where they have a schema."""
    store = open_metadata(settings.metadata_place)
    blobs = open_blobs(settings.blob_place)
    observers = _observers(settings, now)
    upstream = open_upstream(settings, watch=observers.hubs)
    huggingface, github = HuggingFace(upstream), GitHub(upstream)
    gatherer, judge = build_rating(settings, upstream, store, now=now, timed=observers.pulse.tally.rated)
    contents = Contents(blobs, huggingface, github)
    directory = Directory(store)
    board = JobBoard(store)
    crash = crash_point(settings.crash_point)
    upkeep = Upkeep(store, blobs, now=now)
    registry = Registry(
        accounts=Accounts(_sign_in(settings), now=now),
        audit=Audit(store),
        benchmark=Benchmark(store, board, base_url=settings.base_url, targets=settings.benchmark_origins, now=now),
        costs=Costs(store),
        directory=directory,
        downloads=Downloads(directory, store, contents, now=now),
        health=Health(
            store,
            blobs,
            observers,
            data_dir=settings.data_dir,
            worker_inside=settings.worker,
            lease_s=settings.lease_seconds,
            now=now,
        ),
        ingest=Ingest(
            store,
            board,
            gatherer,
            judge,
            mirror=MirrorPlan(settings.mirror, settings.mirror_max_bytes),
            wait_s=settings.ingest_wait_seconds,
            now=now,
            crash=crash,
        ),
        jobs=board,
        licensing=Licensing(store, github),
        lineage=Lineage(store),
        ratings=Ratings(store, gatherer, judge, now=now),
        upkeep=upkeep,
    )
    handlers: dict[JobKind, Handler] = {
        JobKind.INGEST: registry.ingest,
        JobKind.MIRROR: Mirror(store, blobs, contents, now=now, crash=crash),
        JobKind.RATE: Rerating(store, registry.ratings),
        JobKind.RELINK: Relinking(store, board, now=now),
        JobKind.BENCHMARK: registry.benchmark,
    }
    worker = Worker(
        store,
        board,
        lanes(handlers, ingest_places=settings.worker_concurrency),
        upkeep,
        lease_s=settings.lease_seconds,
        now=now,
        pulse=observers.pulse,
    )
    return Services(registry, worker, store, blobs, upstream, gatherer)


def _observers(settings: Settings, now: Clock) -> Observers:
    """What watches the registry at work; the logbook is the process's own, as logging is."""
    hubs = HubWatch(now=now, hf_endpoint=settings.hf_endpoint, github_api_url=settings.github_api_url)
    return Observers(TrafficLog(now=now), Pulse(now=now), hubs, logs.LOGBOOK)


def open_upstream(settings: Settings, *, watch: HubWatch | None = None) -> Upstream:
    """Make the client of the two hubs; it connects when it is first asked, and tells `watch` how each request went."""
    return Upstream(
        hf_endpoint=settings.hf_endpoint,
        github_api_url=settings.github_api_url,
        hf_token=settings.hf_token.get_secret_value() if settings.hf_token else None,
        github_token=settings.github_token.get_secret_value() if settings.github_token else None,
        watch=watch,
    )


def build_rating(
    settings: Settings,
    upstream: Upstream,
    store: MetadataStore,
    *,
    now: Clock = utc_now,
    timed: Callable[[float], None] | None = None,
) -> tuple[Gatherer, Judge]:
    """Build what rates a model: a reader of the hubs that knows what `store` holds, and the organisation's terms."""
    judge = Judge(weights=settings.metric_weights, policy=settings.gate, threshold=settings.gate_threshold, timed=timed)
    hubs = (HuggingFace(upstream), GitHub(upstream))
    return Gatherer(*hubs, store, rate=judge.net_score, now=now, scrutiny=_scrutiny(settings)), judge


def _scrutiny(settings: Settings) -> Scrutiny:
    """What looks closer at cards: nothing, unless it is set up."""
    runner = DemonstrationRunner() if settings.run_demonstrations else None
    if settings.llm_place is None:
        return Scrutiny(runner=runner)
    key = settings.llm_key.get_secret_value() if settings.llm_key else None
    model = ChatModel(settings.llm_place, settings.llm_model, key, timeout_s=settings.llm_timeout_seconds)
    return Scrutiny(SecondReader(model), runner)


def _sign_in(settings: Settings) -> SignIn | None:
    """The terms of signing in; None where the registry runs open."""
    if not settings.sign_in_required:
        return None
    valid_for = timedelta(hours=settings.token_hours)
    secret = settings.jwt_secret.get_secret_value() if settings.jwt_secret else secrets.token_urlsafe(48)
    if settings.grader_defaults:
        return SignIn(GRADER_NAME, GRADER_PASSWORDS, secret, valid_for)
    password = settings.admin_password.get_secret_value() if settings.admin_password else ""
    return SignIn(settings.admin_name, (password,), secret, valid_for)

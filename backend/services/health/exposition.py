"""The registry's figures in the text format that Prometheus reads."""

from collections.abc import Iterator

from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    Metric,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from backend.domain.job import JobKind
from backend.services.health.check import Health
from backend.services.health.probes import Queue


def exposition(health: Health, queue: Queue | None) -> bytes:
    """Render the figures of one app; the collectors are made for each answer, so that apps share nothing."""
    collectors = CollectorRegistry()
    ProcessCollector(registry=collectors)
    PlatformCollector(registry=collectors)
    GCCollector(registry=collectors)
    collectors.register(_Figures(health, queue))
    return generate_latest(collectors)


class _Figures(Collector):
    """The registry's own figures as a collector."""

    def __init__(self, health: Health, queue: Queue | None) -> None:
        self._health = health
        self._queue = queue

    def collect(self) -> Iterator[Metric]:
        """Give every family."""
        yield from self._requests()
        yield from self._work()
        yield from self._storage()

    def _requests(self) -> Iterator[Metric]:
        tally = self._health.traffic.tally
        counted = CounterMetricFamily(
            "registry_http_requests", "Requests answered.", labels=["method", "route", "status"]
        )
        for labels, count in tally.requests.items():
            counted.add_metric(labels, count)
        yield counted
        timed = HistogramMetricFamily(
            "registry_http_request_duration_seconds", "Time to the first byte.", labels=["method", "route"]
        )
        for where, histogram in tally.latencies.items():
            timed.add_metric(where, histogram.cumulative(), histogram.sum_s)
        yield timed

    def _work(self) -> Iterator[Metric]:
        tally = self._health.pulse.tally
        ingests = CounterMetricFamily("registry_ingests", "Ingests ended in this process.", labels=["outcome"])
        jobs = CounterMetricFamily("registry_jobs_ended", "Jobs ended in this process.", labels=["kind", "outcome"])
        for (kind, outcome), count in tally.jobs.items():
            jobs.add_metric([kind, outcome], count)
            if kind == JobKind.INGEST:
                ingests.add_metric([outcome], count)
        yield ingests
        yield jobs
        rated = HistogramMetricFamily("registry_rating_duration_seconds", "Time to score a model's evidence.")
        rated.add_metric([], tally.ratings.cumulative(), tally.ratings.sum_s)
        yield rated

    def _storage(self) -> Iterator[Metric]:
        if self._queue is not None:
            jobs = GaugeMetricFamily("registry_jobs", "Jobs in the job table.", labels=["state"])
            for state, count in self._queue.counts.items():
                jobs.add_metric([state.value], count)
            yield jobs
            waited = self._queue.waited_s
            yield GaugeMetricFamily("registry_oldest_due_job_seconds", "How long a due job has waited.", value=waited)
        if self._health.blob_bytes is not None:
            size = self._health.blob_bytes
            yield GaugeMetricFamily(
                "registry_blob_bytes", "Bytes of all stored blobs, counted now and then.", value=size
            )

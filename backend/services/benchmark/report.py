"""What a benchmark came to: figures from the clients' measurements, as they are kept with the job."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import ceil
from statistics import fmean, median

from pydantic import TypeAdapter

from backend.services.benchmark.clients import Measured

OFFICIAL_CLIENTS = 100
OFFICIAL_MODELS = 500
"""The setting that figures are compared in: a hundred clients, and a registry of five hundred models."""


@dataclass(frozen=True, slots=True)
class Bar:
    """Downloads that took up to `up_to_ms`, and longer than the bar before."""

    up_to_ms: float
    count: int


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds over all downloads that succeeded."""

    mean_ms: float
    median_ms: float
    p99_ms: float
    min_ms: float
    max_ms: float
    first_byte_mean_ms: float
    first_byte_p99_ms: float


@dataclass(frozen=True, slots=True)
class BenchmarkReport:
    """The result; `latency` is None when no download succeeded.

    `official_setting` tells whether it was measured with as many clients and models as figures are compared with.
    """

    downloads: int
    succeeded: int
    errors: Mapping[str, int]
    bytes_read: int
    seconds: float
    bytes_per_second: float
    requests_per_second: float
    latency: Latency | None
    histogram: Sequence[Bar]
    models_registered: int
    official_setting: bool


@cache
def _reports() -> TypeAdapter[BenchmarkReport]:
    return TypeAdapter(BenchmarkReport)


def written(report: BenchmarkReport) -> str:
    """A report as JSON."""
    return _reports().dump_json(report).decode()


def read(text: str) -> BenchmarkReport:
    """A report from JSON."""
    return _reports().validate_json(text)


def make_report(measured: Measured, *, clients: int, rounds: int, models: int) -> BenchmarkReport:
    """Work the figures out."""
    succeeded = len(measured.total_ms)
    seconds = max(measured.seconds, 1e-9)
    return BenchmarkReport(
        downloads=clients * rounds,
        succeeded=succeeded,
        errors=dict(measured.errors),
        bytes_read=measured.bytes_read,
        seconds=round(measured.seconds, 4),
        bytes_per_second=round(measured.bytes_read / seconds, 1),
        requests_per_second=round(succeeded / seconds, 2),
        latency=_latency(measured) if succeeded else None,
        histogram=histogram(measured.total_ms),
        models_registered=models,
        official_setting=clients >= OFFICIAL_CLIENTS and models >= OFFICIAL_MODELS,
    )


def _latency(measured: Measured) -> Latency:
    return Latency(
        mean_ms=round(fmean(measured.total_ms), 3),
        median_ms=round(median(measured.total_ms), 3),
        p99_ms=nearest_rank(measured.total_ms, 0.99),
        min_ms=min(measured.total_ms),
        max_ms=max(measured.total_ms),
        first_byte_mean_ms=round(fmean(measured.first_byte_ms), 3),
        first_byte_p99_ms=nearest_rank(measured.first_byte_ms, 0.99),
    )


def nearest_rank(values: Sequence[float], share: float) -> float:
    """The least of the values that `share` (0 to 1) of them do not exceed."""
    return sorted(values)[max(ceil(share * len(values)), 1) - 1]


def histogram(values: Sequence[float]) -> list[Bar]:
    """Counts by bounds of 1, 2 and 5 times powers of ten, from the least value to the greatest."""
    if not values:
        return []
    bounds = [step * 10.0**power for power in range(-1, 7) for step in (1, 2, 5)]
    counts = [sum(low < value <= high for value in values) for low, high in zip([0.0, *bounds], bounds, strict=False)]
    bars = [Bar(round(bound, 1), count) for bound, count in zip(bounds, counts, strict=True)]
    filled = [at for at, bar in enumerate(bars) if bar.count]
    return bars[filled[0] : filled[-1] + 1] if filled else []

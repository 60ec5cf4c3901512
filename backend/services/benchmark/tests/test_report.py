import pytest

from backend.services.benchmark.clients import Measured
from backend.services.benchmark.report import Bar, histogram, make_report, nearest_rank, read, written


def test_figures_follow_from_the_measurements() -> None:
    latencies = [float(n) for n in range(1, 101)]
    measured = Measured(seconds=2.0, bytes_read=5_000, total_ms=latencies, first_byte_ms=[1.0] * 100)

    report = make_report(measured, clients=100, rounds=1, models=500)

    assert (report.downloads, report.succeeded, report.errors) == (100, 100, {})
    assert (report.bytes_per_second, report.requests_per_second) == (2_500, 50)
    assert report.latency is not None
    assert (report.latency.mean_ms, report.latency.median_ms, report.latency.p99_ms) == (50.5, 50.5, 99)
    assert (report.latency.min_ms, report.latency.max_ms) == (1, 100)
    assert sum(bar.count for bar in report.histogram) == 100
    assert report.official_setting


@pytest.mark.parametrize(("clients", "models"), [(99, 500), (100, 499)])
def test_a_smaller_setting_is_told_as_such(clients: int, models: int) -> None:
    report = make_report(Measured(seconds=1, total_ms=[1], first_byte_ms=[1]), clients=clients, rounds=1, models=models)

    assert not report.official_setting
    assert report.models_registered == models


def test_where_nothing_succeeded_there_is_no_latency() -> None:
    report = make_report(Measured(seconds=1, errors={"status 503": 5}), clients=5, rounds=1, models=0)

    assert (report.succeeded, report.latency, report.histogram) == (0, None, [])
    assert report.errors == {"status 503": 5}


def test_a_report_is_read_back_as_it_was_written() -> None:
    report = make_report(Measured(1.5, 10, [3.0, 0.04], [1.0, 0.02]), clients=2, rounds=1, models=3)

    assert read(written(report)) == report


@pytest.mark.parametrize(("share", "value"), [(0.0, 1), (0.5, 2), (0.75, 3), (0.99, 4), (1.0, 4)])
def test_a_percentile_is_a_value_that_was_measured(share: float, value: float) -> None:
    assert nearest_rank([4, 2, 3, 1], share) == value


def test_a_histogram_spans_from_the_least_to_the_greatest() -> None:
    assert histogram([3.0, 4.0, 30.0]) == [Bar(5, 2), Bar(10, 0), Bar(20, 0), Bar(50, 1)]
    assert histogram([0.01]) == [Bar(0.1, 1)]

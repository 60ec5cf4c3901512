"""Rating: every metric once, the net score, and the gate."""

from collections.abc import Callable
from dataclasses import replace
from itertools import count

import pytest

from metrics import rating as rating_module
from metrics.catalog import CATALOG
from metrics.evidence import Evidence
from metrics.metric import Finding, Kind, Metric, MetricResult
from metrics.net_score import net_score
from metrics.rating import DEFAULT_WEIGHTS, GatePolicy, Measured, Rating, judge, rate
from metrics.tests.factories import NOW, code, evidence, model


def ticking() -> Callable[[], float]:
    """A timer on which every reading is a second after the last."""
    readings = count()
    return lambda: float(next(readings))


def result(score: float, **fields: object) -> MetricResult:
    return MetricResult(score, (Finding(Kind.NOTES, "as the test wants it"),), **fields)


def rated(net: float = 0.9, **results: MetricResult) -> Rating:
    measured = {name: Measured(each, 0.0) for name, each in results.items()}
    return Rating(net, 0.0, measured, "unknown", NOW, DEFAULT_WEIGHTS, {})


def test_default_weights_sum_to_one() -> None:
    assert sum(metric.weight for metric in CATALOG) == pytest.approx(1.0)


def test_every_metric_of_the_catalogue_has_its_own_name_and_says_how_it_scores() -> None:
    names = [metric.name for metric in CATALOG]

    assert len(set(names)) == len(names) >= 11
    assert all(metric.question.endswith("?") and metric.reads and metric.scale for metric in CATALOG)


def test_a_rating_holds_every_metric_with_the_time_it_took() -> None:
    rating = rate(evidence(gather_seconds=2.5), timer=ticking())

    assert set(rating.metrics) == set(DEFAULT_WEIGHTS)
    assert all(measured.latency_s == 1.0 for measured in rating.metrics.values())
    assert rating.net_latency_s == 2.5 + 2 * len(CATALOG) + 1
    assert rating.rated_at == NOW
    assert rating.failed == {}


@pytest.mark.parametrize(("tag", "category"), [("fill-mask", "fill-mask"), (None, "unknown")])
def test_the_category_is_the_hub_s_task(tag: str | None, category: str) -> None:
    assert rate(evidence(model=model(pipeline_tag=tag)), timer=ticking()).category == category


def test_a_metric_that_raises_is_named_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Evidence) -> MetricResult:
        raise ZeroDivisionError("no lines at all")

    catalogue = tuple(_with_measure(metric, broken) if metric.name == "license" else metric for metric in CATALOG)
    monkeypatch.setattr(rating_module, "CATALOG", catalogue)

    rating = rate(evidence(), timer=ticking())

    assert rating.failed == {"license": "ZeroDivisionError: no lines at all"}
    assert set(rating.metrics) == set(DEFAULT_WEIGHTS) - {"license"}
    assert rating.net_score > 0


def _with_measure(metric: Metric, measure: Callable[[Evidence], MetricResult]) -> Metric:
    return replace(metric, measure=measure)


def test_weights_given_replace_the_defaults() -> None:
    only_license = rate(evidence(), timer=ticking(), weights={"license": 2.0})

    assert only_license.net_score == only_license.metrics["license"].result.score == 1.0
    assert only_license.weights == {"license": 2.0}


def test_a_linked_repository_raises_the_net_score_of_a_model_whose_code_is_good() -> None:
    bare, linked = (rate(each, timer=ticking()).net_score for each in (evidence(), evidence(code=code())))

    assert linked > bare


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        pytest.param({"a": result(1.0), "b": result(0.5)}, 0.875, id="weighted mean"),
        pytest.param({"a": result(0.8), "b": result(-1)}, 0.8, id="minus one is left out"),
        pytest.param({"a": result(0.8), "b": result(0.0, confidence=0.0)}, 0.8, id="no confidence is left out"),
        pytest.param({"a": result(0.8), "c": result(0.0)}, 0.8, id="a metric without weight is left out"),
        pytest.param({}, 0.0, id="nothing measured"),
    ],
)
def test_net_score(results: dict[str, MetricResult], expected: float) -> None:
    assert net_score(results, {"a": 0.6, "b": 0.2}) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("policy", "short"),
    [
        pytest.param(GatePolicy.OFF, set(), id="off admits all"),
        pytest.param(GatePolicy.NET, {"net_score"}, id="net looks at the net score"),
        pytest.param(
            GatePolicy.ALL, {"net_score", "license", "size_score.raspberry_pi"}, id="all looks at each score and device"
        ),
    ],
)
def test_the_gate_names_what_fell_short(policy: GatePolicy, short: set[str]) -> None:
    devices = {"raspberry_pi": 0.1, "desktop_pc": 1.0}
    rating = rated(
        net=0.4,
        license=result(0.2),
        reviewedness=result(-1),
        bus_factor=result(0.5),
        size_score=result(0.55, parts=devices),
    )

    verdict = judge(rating, policy, threshold=0.5)

    assert {shortfall.metric for shortfall in verdict.shortfalls} == short
    assert verdict.admitted is (not short)


def test_a_metric_that_failed_counts_as_nothing_at_the_gate() -> None:
    rating = replace(rated(license=result(1.0)), failed={"bus_factor": "KeyError: 'x'"})

    verdict = judge(rating, GatePolicy.ALL, threshold=0.5)

    assert [(each.metric, each.score) for each in verdict.shortfalls] == [("bus_factor", 0.0)]

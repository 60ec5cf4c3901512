"""A second reader's suggestions: what they move, what they cannot, and what is told of them."""

import math
from typing import Any

import pytest

from metrics.evidence import Fact, Missing, SecondReading, Suggestion
from metrics.metric import Kind, Metric, MetricResult
from metrics.performance_claims import METRIC as PERFORMANCE_CLAIMS
from metrics.ramp_up_time import METRIC as RAMP_UP_TIME
from metrics.second_opinion import LONGEST_REASON, MOST_MOVED
from metrics.tests.factories import evidence, known, lacking

HEARING = pytest.mark.parametrize("metric", [RAMP_UP_TIME, PERFORMANCE_CLAIMS], ids=lambda metric: metric.name)


def suggested(score: float, reason: str = "It says how to begin.", reader: str = "a-model") -> Fact[Any]:
    suggestion = Suggestion(score, reason)
    return known(SecondReading(reader, suggestion, suggestion), "https://llm.example/chat/completions")


def heard(metric: Metric, reading: Fact[Any], **fields: Any) -> MetricResult:
    return metric.measure(evidence(second_reading=reading, **fields))


@HEARING
@pytest.mark.parametrize(
    ("away", "moved"),
    [
        pytest.param(0.04, 0.04, id="a little higher"),
        pytest.param(-0.04, -0.04, id="a little lower"),
        pytest.param(-0.6, -MOST_MOVED, id="far lower"),
        pytest.param(0.0, 0.0, id="the same"),
    ],
)
def test_a_score_moves_towards_the_suggestion(metric: Metric, away: float, moved: float) -> None:
    alone = metric.measure(evidence())

    result = heard(metric, suggested(alone.score + away))

    assert result.score == pytest.approx(alone.score + moved)
    assert result.findings[-1].points == pytest.approx(moved)
    assert result.findings[-1].source == "https://llm.example/chat/completions"


@HEARING
def test_a_suggestion_far_higher_moves_it_by_the_bound(metric: Metric) -> None:
    poor = {"card": known("# M"), "model": known(None)}
    alone = metric.measure(evidence(**poor))

    assert heard(metric, suggested(1.0), **poor).score == pytest.approx(alone.score + MOST_MOVED)


@HEARING
@pytest.mark.parametrize("score", [math.nan, math.inf, -0.5, 1e9])
def test_a_suggestion_out_of_range_moves_nothing(metric: Metric, score: float) -> None:
    result = heard(metric, suggested(score))

    assert result.score == metric.measure(evidence()).score
    assert result.findings[-1].kind is Kind.NOTES


@HEARING
def test_without_a_second_reader_nothing_is_said_of_one(metric: Metric) -> None:
    assert heard(metric, Fact.lacking(Missing.NOT_ASKED)) == metric.measure(evidence())


@HEARING
def test_a_reader_that_failed_is_told_and_moves_nothing(metric: Metric) -> None:
    result = heard(metric, lacking(Missing.UNAVAILABLE))

    assert result.score == metric.measure(evidence()).score
    assert "unavailable: as the test wants it" in result.findings[-1].summary


@HEARING
def test_a_metric_that_could_not_be_judged_hears_nobody(metric: Metric) -> None:
    away = lacking(Missing.UNAVAILABLE)

    assert heard(metric, suggested(1.0), card=away, model=away, files=away).score == 0


def test_a_reason_is_shown_as_one_short_line_without_addresses() -> None:
    reason = "Good.\n\x1b[31mSee https://evil.example/win\u202e and www.evil.example" + " a" * 1_000

    summary = heard(RAMP_UP_TIME, suggested(1.0, reason)).findings[-1].summary

    assert summary.isprintable()
    assert "evil" not in summary
    assert len(summary) < LONGEST_REASON + 120

"""Reviewedness: reviewed lines over all lines."""

import pytest

from metrics.evidence import Missing, ReviewedChange
from metrics.reviewedness import METRIC
from metrics.tests.factories import change, code, evidence, known, lacking


def score(*changes: ReviewedChange) -> float:
    return METRIC.measure(evidence(code=code(changes=known(changes)))).score


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param([change(additions=30, pull=1, reviewers=("ben",)), change(additions=10)], 0.75, id="by lines"),
        pytest.param([change(additions=5, pull=1)], 0.0, id="a pull request nobody reviewed"),
        pytest.param([change(additions=5, pull=1, reviewers=("Ann",))], 0.0, id="the author's own review"),
        pytest.param([change(additions=5, pull=1, reviewers=("lint[bot]",))], 0.0, id="a bot's review"),
        pytest.param([change(additions=5, reviewers=("ben",))], 0.0, id="no pull request"),
        pytest.param([change(additions=5, pull=1, reviewers=("ann", "ben"))], 1.0, id="somebody else among them"),
    ],
)
def test_score(changes: list[ReviewedChange], expected: float) -> None:
    assert score(*changes) == expected


def test_without_a_repository_it_does_not_apply() -> None:
    assert METRIC.measure(evidence()).score == -1


def test_a_link_that_leads_nowhere_was_reviewed_by_nobody() -> None:
    assert METRIC.measure(evidence(code=code(changes=lacking(Missing.NOT_FOUND)))).score == 0


@pytest.mark.parametrize(
    "facts", [{"changes": lacking(Missing.RATE_LIMITED)}, {"changes": known(())}], ids=["rate limit", "no line added"]
)
def test_what_cannot_be_judged_is_left_out_of_the_net_score(facts: dict[str, object]) -> None:
    result = METRIC.measure(evidence(code=code(**facts)))

    assert (result.score, result.confidence) == (0.0, 0.0)


def test_the_finding_states_the_sample() -> None:
    result = METRIC.measure(evidence(code=code(changes=known((change(additions=4),) * 3))))

    assert "0 of 12 added lines in the last 3 change(s)" in result.findings[0].summary

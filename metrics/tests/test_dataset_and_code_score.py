"""Dataset and code: half for the one, half for the other."""

import pytest

from metrics.dataset_and_code_score import METRIC
from metrics.evidence import Evidence, Missing
from metrics.tests.factories import code, dataset, evidence, known, lacking


@pytest.mark.parametrize(
    ("gathered", "score"),
    [
        pytest.param(evidence(dataset=dataset(), code=code()), 1.0, id="both, with an example"),
        pytest.param(evidence(code=code()), 0.5, id="code only"),
        pytest.param(evidence(dataset=dataset(), card=known("")), 0.5, id="data only"),
        pytest.param(evidence(), 0.15, id="an example only"),
        pytest.param(evidence(card=known("")), 0.0, id="neither"),
        pytest.param(evidence(card=known(""), dataset=dataset(card=known("x" * 250))), 0.425, id="a short data card"),
        pytest.param(
            evidence(card=known(""), dataset=dataset(record=lacking(Missing.NOT_FOUND), card=known(""))),
            0.15,
            id="data that are named and gone",
        ),
        pytest.param(
            evidence(card=known(""), code=code(repo=lacking(Missing.NOT_FOUND), readme=lacking(Missing.NOT_FOUND))),
            0.10,
            id="code that is named and gone",
        ),
    ],
)
def test_score(gathered: Evidence, score: float) -> None:
    assert METRIC.measure(gathered).score == pytest.approx(score)


def test_an_outage_is_left_out() -> None:
    unread = dataset(record=lacking(Missing.RATE_LIMITED), card=lacking(Missing.RATE_LIMITED))

    result = METRIC.measure(evidence(dataset=unread, code=code()))

    assert result.score == pytest.approx(1.0)
    assert result.confidence == pytest.approx(0.65)

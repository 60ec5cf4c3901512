"""Performance claims: what counts as one, and what backs it."""

import pytest

from metrics.evidence import CardData, ClaimedResult, Evidence, Missing
from metrics.performance_claims import METRIC
from metrics.tests.factories import evidence, known, lacking, model

BARE = "# A model\n\nIt is state of the art and outperforms everything."
TABLE = (
    "# M\n\n## Results\n\n| Task | MNLI | QQP | SST-2 |\n|---|---|---|---|\n| ours | 84.6/83.4 | 71.2 | **93.5** |\n"
)
SIZES = "# M\n\n| Size | Parameters |\n|---|---|\n| tiny | 39 M |\n| base | 74 M |\n"
COUNTS = "# M\n\n## Training data\n\n| Dataset | Tuples |\n|---|---|\n| MS MARCO | 9,144,553 |\n| SNLI | 277,230 |\n"
LOG = "# M\n\n## Results\n\n| Epoch | Accuracy |\n|---|---|\n" + "| 1 | 0.9 |\n" * 20


def claiming(card: str, *results: ClaimedResult, tags: tuple[str, ...] = ()) -> Evidence:
    return evidence(card=known(card), model=model(card=CardData(results=results), tags=tags))


def stated(*, verified: bool = False, value: float | None = 91.2) -> ClaimedResult:
    return ClaimedResult("text-classification", "IMDB", "Accuracy", value, verified)


def score(gathered: Evidence) -> float:
    return METRIC.measure(gathered).score


def test_praise_without_a_number_gives_nothing() -> None:
    result = METRIC.measure(claiming(BARE))

    assert result.score == 0
    assert "state of the art" in result.findings[-1].summary


def test_from_bare_prose_over_the_card_to_verified_results_the_score_rises() -> None:
    prose = claiming("# M\n\nIt reaches an accuracy of 91.2 on IMDB.")
    machine_readable = claiming(BARE, stated())
    verified = claiming(BARE, stated(verified=True))

    assert score(claiming(BARE)) < score(prose) < score(machine_readable) < score(verified)


def test_a_claim_without_its_data_counts_less() -> None:
    assert 0 < score(claiming("# M\n\nAccuracy: 91.2")) < score(claiming("# M\n\nAccuracy on IMDB: 91.2"))


def test_a_result_without_a_value_is_no_claim() -> None:
    assert "0 machine-readable" in METRIC.measure(claiming(BARE, stated(value=None))).findings[0].summary


@pytest.mark.parametrize(
    ("card", "claims"),
    [
        pytest.param(TABLE, "3 in the card with their data", id="one for each score"),
        pytest.param(SIZES, "0 in the card with their data, 0 without", id="sizes are no scores"),
        pytest.param(COUNTS, "0 in the card with their data, 0 without", id="counts are no scores"),
        pytest.param(LOG, "0 in the card with their data, 1 without", id="a training log is one"),
    ],
)
def test_claims_of_a_table(card: str, claims: str) -> None:
    assert claims in METRIC.measure(claiming(card)).findings[0].summary


@pytest.mark.parametrize(
    ("tags", "worth"),
    [(("arxiv:1810.04805",), 0.15), (("arxiv:1910.09700",), 0.0)],
    ids=["its paper", "the paper every template cites"],
)
def test_paper(tags: tuple[str, ...], worth: float) -> None:
    assert score(claiming(BARE, tags=tags)) == pytest.approx(worth)


def test_an_unread_record_costs_nothing() -> None:
    result = METRIC.measure(evidence(card=known(TABLE), model=lacking(Missing.UNAVAILABLE)))

    assert result.score > score(claiming(TABLE))
    assert result.confidence == pytest.approx(0.9)

"""Dataset quality: what is known of the data, who uses them, how they are explained."""

from datetime import timedelta

import pytest

from metrics.dataset_quality import METRIC
from metrics.evidence import DatasetEvidence, Fact, Missing
from metrics.tests.factories import NOW, dataset, dataset_record, evidence, files, known, lacking


def score(linked: DatasetEvidence) -> float:
    return METRIC.measure(evidence(dataset=linked)).score


def test_a_well_kept_dataset_gets_everything() -> None:
    assert score(dataset()) == pytest.approx(1.0)


def _bare_files() -> Fact[object]:
    return files("data.bin")


@pytest.mark.parametrize(
    ("change", "cost"),
    [
        pytest.param({"licenses": ("unknown",)}, 0.10, id="licence unknown"),
        pytest.param({"licenses": ("cc-by-nc-4.0",)}, 0.05, id="licence restricts use"),
        pytest.param({"gated": True}, 0.05, id="gated"),
        pytest.param({"size_categories": ()}, 0.10, id="size not stated"),
        pytest.param({"splits": (), "features": ()}, 0.20, id="neither splits nor fields"),
        pytest.param({"downloads": 0, "likes": 0}, 0.20, id="nobody uses it"),
        pytest.param({"last_modified": NOW - timedelta(days=9 * 366)}, 0.05, id="stale"),
    ],
)
def test_what_each_fact_costs(change: dict[str, object], cost: float) -> None:
    full, less = (dataset(record=dataset_record(**fields), files=_bare_files()) for fields in ({}, change))

    assert score(full) - score(less) == pytest.approx(cost)


def test_file_names_tell_the_splits() -> None:
    silent = dataset_record(splits=(), features=("text",))

    assert score(dataset(record=silent)) > score(dataset(record=silent, files=_bare_files()))


def test_limits_and_length_of_the_card_count() -> None:
    assert score(dataset()) - score(dataset(card=known(""))) == pytest.approx(0.15)


def test_no_dataset_scores_nothing_and_says_so() -> None:
    result = METRIC.measure(evidence())

    assert (result.score, result.confidence) == (0.0, 1.0)
    assert "No dataset" in result.findings[0].summary


def test_a_dataset_that_is_gone_scores_nothing() -> None:
    assert METRIC.measure(evidence(dataset=dataset(record=lacking(Missing.NOT_FOUND)))).confidence == 1.0


def test_a_dataset_that_could_not_be_read_is_not_judged() -> None:
    assert METRIC.measure(evidence(dataset=dataset(record=lacking(Missing.UNAVAILABLE)))).confidence == 0.0

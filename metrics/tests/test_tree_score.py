"""Tree score: the mean of the parents, and what a root gets."""

import pytest

from metrics.evidence import Fact, LinkedBy, Missing, ParentEvidence
from metrics.metric import Kind
from metrics.tests.factories import evidence, known, lacking
from metrics.tree_score import METRIC


def parent(net: Fact[float], name: str = "acme/base") -> ParentEvidence:
    return ParentEvidence(name, f"huggingface:model:{name}", "base_model", LinkedBy.CARD_METADATA, net)


@pytest.mark.parametrize(
    ("parents", "score", "confidence"),
    [
        pytest.param((), 0.5, 0.0, id="a root"),
        pytest.param((parent(known(0.8)),), 0.8, 1.0, id="one parent"),
        pytest.param((parent(known(0.9)), parent(known(0.3), "acme/adapter")), 0.6, 1.0, id="the mean of two"),
        pytest.param((parent(known(0.8)), parent(lacking(Missing.NOT_FOUND), "acme/gone")), 0.4, 1.0, id="one is gone"),
        pytest.param((parent(known(0.8)), parent(lacking(), "acme/late")), 0.8, 0.5, id="one could not be rated now"),
        pytest.param((parent(lacking()),), 0.0, 0.0, id="none could be rated now"),
    ],
)
def test_score(parents: tuple[ParentEvidence, ...], score: float, confidence: float) -> None:
    result = METRIC.measure(evidence(parents=parents))

    assert (result.score, result.confidence) == (pytest.approx(score), confidence)


def test_a_parent_that_could_not_be_rated_is_named() -> None:
    result = METRIC.measure(evidence(parents=(parent(lacking(), "acme/late"),)))

    assert [(finding.kind, "acme/late" in finding.summary) for finding in result.findings] == [(Kind.MISSING, True)]

"""What holds for every metric on any evidence whatever."""

import math
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metrics.catalog import CATALOG
from metrics.evidence import (
    CodeEvidence,
    DemonstrationRun,
    Evidence,
    Fact,
    Missing,
    RepoFile,
    ReviewedChange,
    RunOutcome,
)
from metrics.license import SCORE_OF
from metrics.licenses import Family
from metrics.metric import Kind, Metric, MetricResult
from metrics.reproducibility import METRIC as REPRODUCIBILITY
from metrics.reviewedness import METRIC as REVIEWEDNESS
from metrics.second_opinion import MOST_MOVED
from metrics.size_score import METRIC as SIZE_SCORE
from metrics.tests.factories import change, code, evidence, files, known
from metrics.tests.strategies import EVIDENCE

QUICK = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
HEARS = {"ramp_up_time", "performance_claims"}
EACH = pytest.mark.parametrize("metric", CATALOG, ids=lambda metric: metric.name)


@QUICK
@given(gathered=EVIDENCE)
def test_any_evidence_gives_every_metric_a_score_in_range_with_its_reasons(gathered: Evidence) -> None:
    for metric in CATALOG:
        result = metric.measure(gathered)

        assert _in_range(metric, result), (metric.name, result)
        assert 0 <= result.confidence <= 1, (metric.name, result)
        assert result.findings, metric.name
        assert all(finding.summary and math.isfinite(finding.points) for finding in result.findings)


def _in_range(metric: Metric, result: MetricResult) -> bool:
    return 0 <= result.score <= 1 or (metric is REVIEWEDNESS and result.score == -1)


@QUICK
@given(gathered=EVIDENCE)
def test_the_points_of_the_findings_add_up_to_the_score(gathered: Evidence) -> None:
    for metric in CATALOG:
        result = metric.measure(gathered)
        moved = sum(finding.points for finding in result.findings)

        assert result.score == -1 or result.confidence == 0 or moved == pytest.approx(result.score), metric.name


@QUICK
@given(gathered=EVIDENCE)
def test_identical_evidence_gives_identical_results(gathered: Evidence) -> None:
    twin = replace(gathered)

    assert [metric.measure(gathered) for metric in CATALOG] == [metric.measure(twin) for metric in CATALOG]


@QUICK
@given(gathered=EVIDENCE)
def test_the_order_of_listings_does_not_matter(gathered: Evidence) -> None:
    turned = replace(
        gathered,
        files=_turned(gathered.files),
        commits=_turned(gathered.commits),
        parents=tuple(reversed(gathered.parents)),
        dataset=replace(gathered.dataset, files=_turned(gathered.dataset.files)),
        code=_turned_code(gathered.code),
    )

    for metric in CATALOG:
        assert metric.measure(turned).score == pytest.approx(metric.measure(gathered).score), metric.name


def _turned(fact: Fact[tuple[object, ...]]) -> Fact[tuple[object, ...]]:
    return fact if fact.value is None else replace(fact, value=tuple(reversed(fact.value)))


def _turned_code(linked: CodeEvidence) -> CodeEvidence:
    return replace(
        linked,
        contributors=_turned(linked.contributors),
        commits=_turned(linked.commits),
        changes=_turned(linked.changes),
        tree=_turned(linked.tree),
    )


@QUICK
@given(
    lines=st.lists(st.tuples(st.integers(0, 500), st.booleans()), min_size=1, max_size=12).filter(
        lambda lines: any(added for added, _ in lines)
    ),
    more=st.integers(0, 500),
)
def test_more_reviewed_lines_never_lower_reviewedness(lines: list[tuple[int, bool]], more: int) -> None:
    changes = tuple(_reviewed(added) if reviewed else change(additions=added) for added, reviewed in lines)
    before = REVIEWEDNESS.measure(evidence(code=code(changes=known(changes))))

    after = REVIEWEDNESS.measure(evidence(code=code(changes=known((*changes, _reviewed(more))))))

    assert after.score >= before.score


def _reviewed(added: int) -> ReviewedChange:
    return change(additions=added, pull=1, reviewers=("ben",))


@QUICK
@given(
    sizes=st.lists(st.integers(1, 10**11), min_size=1, max_size=5), at=st.integers(0, 4), more=st.integers(0, 10**11)
)
def test_more_bytes_never_raise_a_size_score(sizes: list[int], at: int, more: int) -> None:
    names = ["model.safetensors", "pytorch_model.bin", "tf_model.h5", "model.Q4_K_M.gguf", "onnx/model.onnx"]
    listed = [RepoFile(name, size) for name, size in zip(names, sizes, strict=False)]
    grown = [replace(f, size_bytes=f.size_bytes + more) if n == at % len(listed) else f for n, f in enumerate(listed)]

    before, after = (SIZE_SCORE.measure(evidence(files=known(tuple(each)))) for each in (listed, grown))

    assert all(after.parts[device] <= before.parts[device] for device in before.parts)


def test_a_more_restrictive_licence_never_scores_higher() -> None:
    scores = [SCORE_OF[family] for family in sorted(Family)]

    assert scores == sorted(scores, reverse=True)


@QUICK
@given(gathered=EVIDENCE)
def test_a_second_reader_moves_a_score_by_its_bound_at_most(gathered: Evidence) -> None:
    alone = replace(gathered, second_reading=Fact.lacking(Missing.NOT_ASKED))
    for metric in CATALOG:
        moved = abs(metric.measure(gathered).score - metric.measure(alone).score)

        assert moved <= MOST_MOVED + 1e-9 if metric.name in HEARS else moved == 0, metric.name


@QUICK
@given(gathered=EVIDENCE, outcome=st.sampled_from(RunOutcome))
def test_a_run_never_raises_code_that_its_text_condemns(gathered: Evidence, outcome: RunOutcome) -> None:
    by_text = REPRODUCIBILITY.measure(replace(gathered, demonstration=Fact.lacking(Missing.NOT_ASKED))).score
    run = DemonstrationRun(outcome, 0, 1.0, "a sandbox")

    score = REPRODUCIBILITY.measure(replace(gathered, demonstration=Fact(run))).score

    assert score in {0.0, 0.5, 1.0}
    assert score >= by_text or outcome is RunOutcome.FAILED
    assert score == 0 or by_text > 0


@EACH
def test_evidence_without_anything_in_it_still_explains_itself(metric: Metric) -> None:
    result = metric.measure(evidence(card=known(""), files=files(), model=known(None), commits=known(())))

    assert result.findings
    assert all(finding.kind in Kind for finding in result.findings)

"""Code quality: what a repository shows of how its code is made."""

from datetime import timedelta

import pytest

from metrics.code_quality import METRIC
from metrics.evidence import CodeAnalysis, CodeEvidence, Missing
from metrics.tests.factories import NOW, code, evidence, files, known, lacking, repo

SOURCES = [f"tiny/part_{n}.py" for n in range(4)]
KEPT = ["README.md", "LICENSE", "CONTRIBUTING.md", "docs/index.md", "pyproject.toml", "requirements.txt", "uv.lock"]
WATCHED = ["tests/test_part.py", ".github/workflows/ci.yml", "ruff.toml"]
CLEAN = CodeAnalysis(
    files=4,
    lines=1_000,
    lint_findings=0,
    complex_functions=0,
    functions=50,
    documented_functions=50,
    annotated_functions=50,
)


def score(linked: CodeEvidence) -> float:
    return METRIC.measure(evidence(code=linked)).score


def full(**facts: object) -> CodeEvidence:
    return code(
        **{
            "tree": files(*SOURCES, *KEPT, *WATCHED),
            "analysis": known(CLEAN),
            "repo": repo(stars=20_000),
            **facts,
        }
    )


def test_a_well_kept_repository_gets_everything() -> None:
    assert score(full()) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("gone", "cost"),
    [
        pytest.param("tests/test_part.py", 0.26, id="tests"),
        pytest.param(".github/workflows/ci.yml", 0.06, id="continuous integration"),
        pytest.param("ruff.toml", 0.04, id="lint configuration"),
        pytest.param("uv.lock", 0.02, id="lock file"),
        pytest.param("docs/index.md", 0.036, id="docs"),
    ],
)
def test_what_each_file_is_worth(gone: str, cost: float) -> None:
    left = [path for path in (*SOURCES, *KEPT, *WATCHED) if path != gone]

    assert score(full()) - score(full(tree=files(*left))) == pytest.approx(cost)


def test_more_lint_findings_score_less() -> None:
    messy = CodeAnalysis(
        files=4,
        lines=1_000,
        lint_findings=25,
        complex_functions=10,
        functions=50,
        documented_functions=5,
        annotated_functions=0,
    )

    assert score(full()) > score(full(analysis=known(messy)))


def test_old_code_that_is_not_archived_loses_little() -> None:
    dormant = repo(stars=20_000, pushed_at=NOW - timedelta(days=3_000))

    assert score(full(repo=dormant)) == pytest.approx(0.96)


@pytest.mark.parametrize("why", [Missing.NOT_ASKED, Missing.UNAVAILABLE, Missing.TOO_LARGE])
def test_an_analysis_that_was_not_made_costs_nothing(why: Missing) -> None:
    result = METRIC.measure(evidence(code=full(analysis=lacking(why))))

    assert result.score == pytest.approx(1.0)
    assert result.confidence == pytest.approx(0.84)


def test_no_repository_scores_nothing() -> None:
    assert METRIC.measure(evidence()).score == 0


def test_a_repository_that_is_gone_scores_nothing() -> None:
    gone = lacking(Missing.NOT_FOUND)

    assert METRIC.measure(evidence(code=code(repo=gone, tree=gone))).score == 0

"""Code quality: is the linked code maintained and well made?"""

import re

from metrics.evidence import CodeAnalysis, CodeEvidence, Evidence
from metrics.metric import Finding, Kind, Metric, MetricResult
from metrics.points import Row, could_not_judge, log_share, tally, unjudged, why_missing
from metrics.time_spans import years_between

WORTH_TESTS = 0.26
WORTH_DOCS = 0.24
WORTH_ANALYSIS = 0.16
WORTH_PACKAGING = 0.10
WORTH_ADOPTION = 0.10
WORTH_CI = 0.06
WORTH_LINT = 0.04
WORTH_ACTIVITY = 0.04

TEST_SHARE_FULL = 0.25
"""Test files per source file for full points: one to four, what well kept libraries of the field have."""

README_CHARACTERS_FULL = 2_000
STARS_FULL = 10_000
FINDINGS_PER_1000_LINES_WORST = 50.0
ACTIVE_YEARS = 0.5
DORMANT_YEARS = 3.0

_SOURCE = re.compile(
    r"\.(?:py|pyx|c|cc|cpp|cu|h|hpp|java|kt|js|jsx|ts|tsx|go|rs|rb|jl|r|swift|scala|m|lua)$", re.IGNORECASE
)
_TEST = re.compile(
    r"(?:^|/)(?:tests?|testing|__tests__)/|(?:^|/)(?:test_[^/]+|[^/]+[_.](?:test|spec)s?|tests?)\.\w+$", re.IGNORECASE
)
_CI = re.compile(
    r"^(?:\.github/workflows/[^/]+\.ya?ml|\.circleci/.+|\.travis\.yml|\.gitlab-ci\.yml|azure-pipelines\.yml"
    r"|Jenkinsfile|\.buildkite/.+|\.drone\.yml)$"
)
_LINT = re.compile(
    r"(?:^|/)(?:\.flake8|\.pylintrc|pylintrc|\.?ruff\.toml|mypy\.ini|\.mypy\.ini|pyrightconfig\.json|\.pre-commit-config\.yaml"
    r"|\.eslintrc[^/]*|eslint\.config\.\w+|tsconfig\.json|\.clang-format|\.clang-tidy|\.style\.yapf|\.isort\.cfg|tox\.ini|py\.typed)$"
)
_PACKAGE = re.compile(
    r"(?:^|/)(?:pyproject\.toml|setup\.py|setup\.cfg|package\.json|Cargo\.toml|go\.mod|CMakeLists\.txt|pom\.xml)$"
)
_REQUIREMENTS = re.compile(
    r"(?:^|/)(?:requirements[^/]*\.(?:txt|in)|environment\.ya?ml|Pipfile|conda\.ya?ml|cog\.yaml)$"
)
_LOCK = re.compile(
    r"(?:^|/)(?:poetry\.lock|uv\.lock|Pipfile\.lock|pdm\.lock|conda-lock\.yml|package-lock\.json|yarn\.lock|pnpm-lock\.yaml|Cargo\.lock|go\.sum)$"
)
_LICENSE = re.compile(r"^(?:licen[cs]e|copying)[^/]*$", re.IGNORECASE)
_CONTRIBUTING = re.compile(
    r"^(?:\.github/|docs/)?(?:contributing|changelog|code_of_conduct|history|releases?)[^/]*$", re.IGNORECASE
)
_DOCS = re.compile(r"^(?:docs?|examples?|notebooks?|tutorials?|demo)/|\.ipynb$", re.IGNORECASE)


def measure(evidence: Evidence) -> MetricResult:
    """Add up what the repository shows of how the code is made and kept.

    Tests, explanations and the sources themselves weigh most, as they are the code. How the project is run (workflows,
    lint set-up, recent commits) weighs a seventh: `bus_factor` and `reviewedness` judge that too, and research code is
    often finished rather than abandoned. 0 without a linked repository.
    """
    code = evidence.code
    if not code.url:
        finding = Finding(Kind.COSTS, "No code repository is linked", 0.0, "Link the code in the card.", evidence.url)
        return MetricResult(0.0, (finding,))
    if unjudged(code.repo) and unjudged(code.tree):
        return could_not_judge(code.repo, "The code repository")
    if not code.repo.known and not code.tree.known:
        saw = f"The repository does not resolve ({why_missing(code.repo)})"
        return MetricResult(0.0, (Finding(Kind.COSTS, saw, 0.0, "Link a repository that can be opened.", code.url),))
    return tally([*_tree_rows(code), _docs_row(code), _analysis_row(code), *_life_rows(evidence)])


def _tree_rows(code: CodeEvidence) -> list[Row]:
    source = code.tree.source or code.url
    if unjudged(code.tree):
        saw = f"The file tree could not be read ({why_missing(code.tree)})"
        return [Row(worth, None, saw, source=source) for worth in (WORTH_TESTS, WORTH_CI, WORTH_LINT, WORTH_PACKAGING)]
    paths = _paths(code)
    workflows = [path for path in paths if _CI.search(path)]
    lint = [path for path in paths if _LINT.search(path)]
    return [
        _tests_row(paths, source),
        Row(WORTH_CI, float(bool(workflows)), f"{len(workflows)} workflow file(s)", "Run the tests in CI.", source),
        Row(WORTH_LINT, float(bool(lint)), f"{len(lint)} lint or type configuration(s)", "Configure a linter.", source),
        _packaging_row(paths, source),
    ]


def _paths(code: CodeEvidence) -> list[str]:
    return sorted(file.path for file in code.tree.otherwise(()))


def _tests_row(paths: list[str], source: str) -> Row:
    sources = [path for path in paths if _SOURCE.search(path)]
    tests = sum(bool(_TEST.search(path)) for path in sources)
    others = len(sources) - tests
    share = tests / others / TEST_SHARE_FULL if others else float(tests > 0)
    saw = f"{tests} test file(s) for {others} source file(s)"
    return Row(WORTH_TESTS, min(1.0, share), saw, "Add tests.", source)


def _packaging_row(paths: list[str], source: str) -> Row:
    package, listed, locked = (
        next((path for path in paths if pattern.search(path)), None) for pattern in (_PACKAGE, _REQUIREMENTS, _LOCK)
    )
    share = 0.6 * bool(package) + 0.2 * bool(listed) + 0.2 * bool(locked)
    if listed and not package:  # a list of requirements installs what is needed, though not the code itself
        share = 0.7 + 0.2 * bool(locked)
    found = [path for path in (package, listed, locked) if path]
    saw = f"Installed from: {', '.join(found) if found else 'nothing that says how'}"
    return Row(WORTH_PACKAGING, share, saw, "Add a pyproject.toml and a lock file.", source)


def _docs_row(code: CodeEvidence) -> Row:
    if unjudged(code.readme) and unjudged(code.tree):
        return Row(
            WORTH_DOCS, None, f"README could not be read ({why_missing(code.readme)})", source=code.readme.source
        )
    length = len(code.readme.otherwise(""))
    paths = _paths(code)
    told = {
        "licence": any(_LICENSE.search(path) for path in paths),
        "contributing guide or changelog": any(_CONTRIBUTING.search(path) for path in paths),
        "docs, examples or notebooks": any(_DOCS.search(path) for path in paths),
    }
    share = 0.55 * min(1.0, length / README_CHARACTERS_FULL) + 0.15 * sum(told.values())
    saw = (
        f"README of {length:,} characters; {', '.join(what for what, there in told.items() if there) or 'no more docs'}"
    )
    return Row(WORTH_DOCS, share, saw, "Explain set-up and use, add examples and a contributing guide.", code.url)


def _analysis_row(code: CodeEvidence) -> Row:
    figures = code.analysis.value
    source = code.analysis.source or code.url
    if figures is None:
        return Row(WORTH_ANALYSIS, None, f"No static analysis ({why_missing(code.analysis)})", source=source)
    if figures.lines <= 0:
        return Row(WORTH_ANALYSIS, None, "No Python source to analyse", source=source)
    per_1000 = figures.lint_findings * 1000 / figures.lines
    saw = (
        f"{per_1000:.1f} lint findings per 1,000 lines, {figures.complex_functions} of {figures.functions} functions"
        f" complex, {figures.documented_functions} documented, {figures.annotated_functions} annotated"
    )
    return Row(
        WORTH_ANALYSIS, _analysis_share(figures, per_1000), saw, "Mend lint findings, split long functions.", source
    )


def _analysis_share(figures: CodeAnalysis, per_1000: float) -> float:
    clean = max(0.0, 1 - per_1000 / FINDINGS_PER_1000_LINES_WORST)
    functions = max(1, figures.functions)
    simple = max(0.0, 1 - figures.complex_functions / functions)
    told = min(1.0, (figures.documented_functions + figures.annotated_functions) / functions)
    parsable = max(0.0, 1 - figures.unparsable_files / max(1, figures.files))
    return (0.4 * clean + 0.35 * simple + 0.25 * told) * parsable


def _life_rows(evidence: Evidence) -> list[Row]:
    fact = evidence.code.repo
    repo = fact.value
    if repo is None:
        saw = f"The repository's record could not be read ({why_missing(fact)})"
        share = None if unjudged(fact) else 0.0
        return [Row(worth, share, saw, source=fact.source) for worth in (WORTH_ADOPTION, WORTH_ACTIVITY)]
    age = years_between(repo.pushed_at, evidence.gathered_at)
    active = 0.0 if age is None or repo.archived else (DORMANT_YEARS - age) / (DORMANT_YEARS - ACTIVE_YEARS)
    saw = "Archived" if repo.archived else f"Last push {age:.1f} years ago" if age is not None else "Last push unknown"
    return [
        Row(WORTH_ADOPTION, log_share(repo.stars, STARS_FULL), f"{repo.stars:,} stars", source=fact.source),
        Row(WORTH_ACTIVITY, min(1.0, max(0.0, active)), saw, "Keep dependencies and issues up.", fact.source),
    ]


METRIC = Metric(
    name="code_quality",
    question="Is the code maintained and well made?",
    weight=0.05,
    measure=measure,
    reads=("code.tree", "code.readme", "code.analysis", "code.repo"),
    scale=(
        f"{WORTH_TESTS}: test files, full at one for {1 / TEST_SHARE_FULL:g} source files",
        f"{WORTH_DOCS}: README (full at {README_CHARACTERS_FULL:,} characters), licence, guide, examples",
        f"{WORTH_ANALYSIS}: static analysis: lint findings, complexity, documentation and annotations",
        f"{WORTH_PACKAGING}: packaging, requirements and a lock file",
        f"{WORTH_ADOPTION}: stars, logarithmic, full at {STARS_FULL:,}",
        f"{WORTH_CI}: continuous integration",
        f"{WORTH_LINT}: lint or type configuration",
        f"{WORTH_ACTIVITY}: pushed within half a year, falling to 0 at {DORMANT_YEARS:g} years",
        "0: no repository is linked, or it does not resolve",
    ),
)

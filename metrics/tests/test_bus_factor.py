"""Bus factor: how many people carry a model, and who owns it."""

import pytest

from metrics.bus_factor import METRIC, effective_authors, survival
from metrics.evidence import Contributor, Evidence, Missing
from metrics.tests.factories import code, code_commits, evidence, hub_commits, known, lacking, repo


def coded(*authors: str, organisation: bool = False, **when: float) -> Evidence:
    owned = repo(full_name="ann/tiny", owner_is_organisation=organisation)
    return evidence(commits=known(()), code=code(repo=owned, commits=code_commits(*authors, **when)))


def score(gathered: Evidence) -> float:
    return METRIC.measure(gathered).score


def test_equally_busy_authors_count_each() -> None:
    assert effective_authors([("a", 0.0), ("b", 0.0), ("c", 0.0), ("d", 0.0)]) == pytest.approx(4)


def test_a_commit_of_last_year_counts_half() -> None:
    assert effective_authors([("a", 0.0), ("b", 1.0), ("b", 1.0)]) == pytest.approx(2)


@pytest.mark.parametrize(("authors", "expected"), [(0, 0.0), (1, 0.33), (2, 0.56), (4, 0.80)])
def test_curve(authors: int, expected: float) -> None:
    assert survival(authors) == pytest.approx(expected, abs=0.01)


def test_an_old_repository_does_not_fade_to_nothing() -> None:
    young, old = (score(coded("ann", "ben", "cem", every_days=0, age_days=days)) for days in (0, 4_000))

    assert old == pytest.approx(young)


def test_an_organisation_counts_above_a_lone_account() -> None:
    assert score(coded("ann", organisation=True)) > score(coded("ann"))


def test_an_owner_who_never_commits_is_an_organisation() -> None:
    assert score(evidence(commits=hub_commits("ben"))) > score(evidence(commits=hub_commits("acme")))


def test_bots_do_not_maintain() -> None:
    assert score(coded("ann", "dependabot[bot]", "release-bot")) == pytest.approx(score(coded("ann")))


def test_the_stronger_community_counts() -> None:
    both = evidence(commits=hub_commits("acme"), code=code(commits=code_commits("ann", "ben", "cem")))

    assert "Code repository" in METRIC.measure(both).findings[0].summary


def test_contributors_stand_in_for_commits_that_could_not_be_read() -> None:
    people = known((Contributor("ann", 30, is_bot=False), Contributor("ben", 30, is_bot=False)))
    owned = repo(full_name="ann/tiny", owner_is_organisation=False)
    gathered = evidence(commits=known(()), code=code(repo=owned, commits=lacking(), contributors=people))

    result = METRIC.measure(gathered)

    assert result.score == pytest.approx(survival(2))
    assert result.confidence == 0.5


def test_nothing_readable_is_not_a_score() -> None:
    assert METRIC.measure(evidence(commits=lacking(Missing.RATE_LIMITED))).confidence == 0


def test_nobody_known_scores_nothing() -> None:
    assert score(evidence(commits=known(()))) == 0

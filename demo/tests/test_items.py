from datetime import UTC, date, datetime

import pytest

from demo.items import Organisation, dataset, model, repository


def test_a_changed_file_is_another_commit() -> None:
    before, after = (model("a/b", files={"config.json": {"layers": layers}}) for layers in (6, 12))

    assert before.sha != after.sha
    assert before.sha == model("a/b", files={"config.json": {"layers": 6}}).sha


def test_older_commits_keep_their_ids_when_a_file_changes() -> None:
    commits = [{"on": date(2025, 2, 1), "by": "x", "what": "two"}, {"on": date(2025, 1, 1), "by": "x", "what": "one"}]
    before, after = (repository("a/b", files={"a.py": body}, commits=commits) for body in ("1", "2"))

    assert before.changes[0].sha != after.changes[0].sha
    assert before.changes[1].sha == after.changes[1].sha


@pytest.mark.parametrize(
    ("stated", "counted"),
    [("12/3", (12, 3)), (7, (7, 0)), ([4, 5], (4, 5))],
    ids=["in words", "only added", "pair"],
)
def test_lines_can_be_stated_in_three_ways(stated: object, counted: tuple[int, int]) -> None:
    commit = {"on": date(2025, 1, 1), "by": "x", "what": "y", "lines": {"a.py": stated}}

    assert repository("a/b", commits=[commit]).changes[0].lines == {"a.py": counted}


@pytest.mark.parametrize(
    "readme",
    ["# no head", "---\nnot closed", "---\n- a\n- list\n---\n", "---\nlicense: [mit\n---\n"],
    ids=["none", "open", "a list", "broken"],
)
def test_a_card_without_a_readable_head_states_nothing(readme: str) -> None:
    assert model("a/b", readme=readme).card == {}


def test_a_time_is_kept_and_a_day_begins_at_ten() -> None:
    exact = datetime(2025, 3, 1, 23, 59, tzinfo=UTC)

    assert model("a/b", created=exact).created_at == exact
    assert model("a/b", created=date(2025, 3, 1)).created_at == datetime(2025, 3, 1, 10, tzinfo=UTC)


def test_former_names_lead_to_the_present_one_in_any_case() -> None:
    organisation = Organisation.of(
        model("a/b", moved_from=["Old"]), dataset("a/d"), repository("a/c", moved_from=["a/x"])
    )

    assert organisation.moved("models", "old") == "a/b"
    assert organisation.moved("datasets", "old") is None
    assert organisation.moved_repository("A/X") is organisation.repositories["a/c"]

"""Tests for `tooling.pins` and `tooling.specifiers`."""

import pytest

from tooling import places
from tooling.pins import Purpose, as_requirements, name_of, needed_for, parse, requirements, select
from tooling.specifiers import disagreements

COMPILED = """\
# a header
alpha==1.2 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
    # via project (pyproject.toml)
beta-core==2.0 ; sys_platform == 'linux' \\
    --hash=sha256:cc
    # via
    #   alpha
    #   gamma
gamma==3.0 \\
    --hash=sha256:dd
    # via project (pyproject.toml:dev)
"""

PROJECT = """\
[project]
dependencies = ["Alpha>=1"]
[project.optional-dependencies]
cloud = ["delta>=4"]
[dependency-groups]
dev = ["gamma>=3"]
"""


def test_a_pin_keeps_its_marker_and_hashes_to_the_letter() -> None:
    _, beta, _ = parse(COMPILED)

    assert as_requirements([beta]).startswith("beta-core==2.0 ; sys_platform == 'linux' \\\n    --hash=sha256:cc\n")


def test_a_pin_knows_who_wants_it() -> None:
    _, beta, _ = parse(COMPILED)

    assert beta.wanted_by == {"alpha", "gamma"}


def test_running_takes_what_a_dependency_wants_and_no_tools() -> None:
    chosen = select(COMPILED, PROJECT, Purpose.RUN)

    assert [pin.name for pin in chosen] == ["alpha", "beta-core"]


def test_developing_takes_everything() -> None:
    assert needed_for(parse(COMPILED), ["alpha", "gamma"]) == select(COMPILED, PROJECT, Purpose.DEVELOP)


@pytest.mark.parametrize(
    ("requirement", "name"),
    [("Foo_Bar>=1", "foo-bar"), ("foo[extra]==2; os_name == 'nt'", "foo"), (" foo.bar ", "foo-bar")],
    ids=["spelling", "extra and marker", "spaces"],
)
def test_names_are_spelled_as_the_index_spells_them(requirement: str, name: str) -> None:
    assert name_of(requirement) == name


def test_a_missing_pin_and_one_outside_its_range_are_named() -> None:
    asks_for_newer = PROJECT.replace("gamma>=3", "gamma>=3.1")

    assert list(disagreements(asks_for_newer, COMPILED)) == ["delta>=4 is not pinned", "gamma>=3.1 is pinned to 3.0"]


def test_this_projects_pins_satisfy_its_requirements() -> None:
    assert list(disagreements(places.PYPROJECT.read_text(), places.PINS.read_text())) == []


def test_every_pin_of_this_project_is_wanted_by_something_and_has_hashes() -> None:
    pins = parse(places.PINS.read_text())

    assert [pin.name for pin in pins if not pin.wanted_by or "--hash=sha256:" not in "".join(pin.lines)] == []


def test_nothing_in_the_pins_points_at_one_machine() -> None:
    text = places.PINS.read_text()

    assert [word for word in ("://", "--index-url", "--find-links", "file:") if word in text] == []


def test_the_server_is_installed_without_the_tools_that_test_it() -> None:
    everything = select(places.PINS.read_text(), places.PYPROJECT.read_text(), Purpose.DEVELOP)
    running = {pin.name for pin in select(places.PINS.read_text(), places.PYPROJECT.read_text(), Purpose.RUN)}

    assert {name_of(each) for each in requirements(places.PYPROJECT.read_text(), Purpose.RUN)} <= running
    assert running & {"pytest", "mypy", "uv", "hypothesis"} == set()
    assert len(running) < len(everything)

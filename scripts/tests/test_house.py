"""Tests for the parts of the house that no compiler reads."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tooling import places
from tooling.check import shell_scripts
from tooling.commands import COMMANDS
from tooling.pins import Purpose, name_of, normalized, requirements
from tooling.reference import stale_pages

WORKFLOWS = sorted((places.ROOT / ".github").rglob("*.yml"))
PAGES = sorted(
    [*places.ROOT.glob("*.md"), *(places.ROOT / "docs").rglob("*.md"), *(places.ROOT / ".github").rglob("*.md")]
)
LINK = re.compile(r"\]\((?!https?://|mailto:|#)([^)#\s]+)[^)]*\)")


def test_the_generated_pages_say_what_the_code_says() -> None:
    assert stale_pages() == []


def test_every_command_has_its_executable() -> None:
    names = {script.name for script in shell_scripts() if script.parent == places.SCRIPTS}

    assert names == set(COMMANDS)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_explains_itself(name: str) -> None:
    result = subprocess.run([places.SCRIPTS / name, "--help"], cwd="/", capture_output=True, text=True, check=True)

    assert f"scripts/{name}" in result.stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(places.ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    targets = [page.parent / target for target in LINK.findall(page.read_text())]

    assert [str(target) for target in targets if not target.exists()] == []


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_configuration_of_the_forge_is_valid_yaml(file: Path) -> None:
    assert isinstance(yaml.safe_load(file.read_text()), dict)


def test_every_direct_dependency_has_its_reason() -> None:
    table = (places.ROOT / "docs" / "decisions" / "0006-libraries.md").read_text()
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| ")]
    explained = {normalized(name.strip()) for row in rows for name in row.split(",")}
    stated = {name_of(each) for each in requirements(places.PYPROJECT.read_text(), Purpose.DEVELOP)}

    assert stated - explained == set()


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = sorted(int(page.name[:4]) for page in (places.ROOT / "docs" / "decisions").glob("[0-9]*.md"))

    assert numbers == list(range(1, len(numbers) + 1))

"""Tests for the top-level `conftest.py`: naming the walks runs every suite."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tooling import places


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    shutil.copy(places.ROOT / "conftest.py", tmp_path)
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\ntestpaths = alpha tests_main.py\naddopts = --import-mode=importlib\n"
    )
    (tmp_path / "alpha").mkdir()
    (tmp_path / "alpha" / "test_one.py").write_text("def test_one(): pass\n")
    (tmp_path / "tests_main.py").write_text("def test_walk(): pass\ndef test_other(): pass\n")
    return tmp_path


def _ran(folder: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    said = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False).stdout
    return said.splitlines()[-1].split(" in ")[0]


@pytest.mark.parametrize(
    "arguments",
    [(), ("tests_main.py",), ("./tests_main.py",), ("tests_main.py", "-n", "2")],
    ids=["nothing named", "the walks", "spelled otherwise", "in parallel"],
)
def test_naming_the_walks_runs_every_suite(tree: Path, arguments: tuple[str, ...]) -> None:
    assert _ran(tree, *arguments) == "3 passed"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [(("tests_main.py::test_walk",), "1 passed"), (("alpha",), "1 passed"), (("alpha", "tests_main.py"), "3 passed")],
    ids=["one walk", "one suite", "both"],
)
def test_naming_anything_else_runs_what_is_named(tree: Path, arguments: tuple[str, ...], expected: str) -> None:
    assert _ran(tree, *arguments) == expected


def test_the_walks_are_meant_from_another_folder_too(tree: Path) -> None:
    assert _ran(tree / "alpha", "../tests_main.py") == "3 passed"


def test_every_folder_with_tests_is_a_suite(pytestconfig: pytest.Config) -> None:
    suites = set(pytestconfig.getini("testpaths"))
    found = {path.relative_to(places.ROOT).parts[0] for path in places.ROOT.glob("[a-z]*/**/tests/test_*.py")}

    assert found - {"frontend"} <= suites

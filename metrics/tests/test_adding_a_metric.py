"""The page on adding a metric works: it is followed to the letter on a copy of the package."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "adding-a-metric.md"
BLOCK = re.compile(r"^```(python|diff) (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

SHOW = """
import json, time
from metrics.rating import rate
from metrics.tests.factories import evidence
rating = rate(evidence(), timer=time.perf_counter)
print(json.dumps({"names": list(rating.metrics), "failed": dict(rating.failed), "net": rating.net_score}))
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A checkout in miniature, with the page's three edits made."""
    shutil.copytree(ROOT / "metrics", tmp_path / "metrics", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "conftest.py"):
        shutil.copy(ROOT / name, tmp_path)
    for kind, path, text in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        if kind == "python":
            (tmp_path / path).write_text(text, encoding="utf-8")
        else:
            _add_lines(tmp_path / path, [line.removeprefix("+") for line in text.splitlines()])
    return tmp_path


def _add_lines(catalogue: Path, lines: list[str]) -> None:
    """Put the import with the imports and the entry at the end of the tuple, as a reader of the page would."""
    added_import, entry = lines
    text = catalogue.read_text(encoding="utf-8")
    text = text.replace("from metrics.license import", f"{added_import}\nfrom metrics.license import")
    catalogue.write_text(text.replace("\n)\n", f"\n{entry}\n)\n", 1), encoding="utf-8")


def run(copy: Path, *arguments: str) -> str:
    command = [sys.executable, *arguments]
    environment = {**os.environ, "PYTHONPATH": str(copy)}
    done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - our own
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_new_metric_is_part_of_every_rating(copy: Path) -> None:
    shown = json.loads(run(copy, "-c", SHOW))

    assert shown["names"][-1] == "freshness"
    assert shown["failed"] == {}


def test_the_pages_own_test_and_the_properties_of_all_metrics_pass(copy: Path) -> None:
    tests = ("test_freshness.py", "test_properties.py", "test_rating.py")
    printed = run(copy, "-m", "pytest", "-q", "-p", "no:cacheprovider", *(f"metrics/tests/{name}" for name in tests))

    assert "passed" in printed
    assert "failed" not in printed

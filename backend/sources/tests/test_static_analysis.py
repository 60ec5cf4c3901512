import io
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.domain.errors import UpstreamFailed
from backend.sources import static_analysis
from backend.sources.archive import Archive
from backend.sources.static_analysis import AnalyserMissing, analyse

TIDY = '''"""A module."""


def area(side: float) -> float:
    """Square a side."""
    # a comment is no line of code
    return side * side
'''
UNTIDY = "import os\ndef f(a, b):\n    try:\n        return a\n    except:\n        pass\n"
COMPLEX = "def knot(x):\n" + "".join(f"    if x == {n}:\n        return {n}\n" for n in range(12))


def archive(**sources: str | bytes) -> Archive:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as made:
        for name, source in sources.items():
            body = source if isinstance(source, bytes) else source.encode()
            info = tarfile.TarInfo(f"top/{name}.py")
            info.size = len(body)
            made.addfile(info, io.BytesIO(body))
    return Archive(file, file.tell())


async def test_a_tidy_file_has_no_findings() -> None:
    found = await analyse(archive(tidy=TIDY))

    assert (found.files, found.lines, found.lint_findings, found.complex_functions) == (1, 4, 0, 0)
    assert (found.functions, found.documented_functions, found.annotated_functions) == (1, 1, 1)


async def test_findings_and_complex_functions_are_counted_apart() -> None:
    found = await analyse(archive(untidy=UNTIDY, complex=COMPLEX))

    assert found.lint_findings >= 2
    assert found.complex_functions == 1
    assert (found.functions, found.documented_functions, found.annotated_functions) == (2, 0, 0)


@pytest.mark.parametrize(
    "source",
    ["def broken(:\n", b"\xff\xfe\x00", "(" * 5000, "x = " + "-" * 100_000 + "1", b"a\x00b"],
    ids=["syntax", "encoding", "brackets", "operators", "nul"],
)
async def test_a_file_that_does_not_parse_is_counted_and_harmless(source: str | bytes) -> None:
    found = await analyse(archive(hostile=source, tidy=TIDY))

    assert (found.files, found.unparsable_files, found.functions) == (2, 1, 1)


@pytest.fixture
def trap(tmp_path: Path) -> Iterator[str]:
    """A source that leaves a file behind when it is run."""
    sprung = tmp_path / "sprung"
    yield f"open({str(sprung)!r}, 'w').close()\n"
    assert not sprung.exists()


async def test_nothing_in_the_archive_is_run(trap: str) -> None:
    found = await analyse(archive(conftest=trap, sitecustomize=trap, ast=trap, json=trap))

    assert found.files == 4


async def test_settings_in_the_archive_do_not_change_the_rules() -> None:
    silenced = "# ruff: noqa\nimport os\n"

    assert (await analyse(archive(silenced="import os\n"))).lint_findings == 1
    assert (await analyse(archive(silenced=silenced))).lint_findings == 1


async def test_an_archive_without_python_has_no_lines() -> None:
    found = await analyse(archive())

    assert (found.files, found.lines, found.lint_findings) == (0, 0, 0)


async def test_an_analysis_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(static_analysis, "TIMEOUT_S", 0.001)

    with pytest.raises(UpstreamFailed, match="took longer"):
        await analyse(archive(tidy=TIDY))


async def test_without_the_linter_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(static_analysis, "find_spec", lambda _: None)
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent / "nothing-here"))

    with pytest.raises(AnalyserMissing, match="ruff is not installed"):
        await analyse(archive(tidy=TIDY))

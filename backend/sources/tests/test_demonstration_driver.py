"""What stood in a demonstration's way, by the error it ended with."""

import errno
import json
import sys
from pathlib import Path

import pytest

from backend.sources.demonstration_driver import LACKED, STOPPED, run, status_of

FAILED = 1


@pytest.mark.parametrize(
    ("error", "status"),
    [
        pytest.param(ValueError("x"), FAILED, id="its own"),
        pytest.param(MemoryError(), STOPPED, id="memory"),
        pytest.param(BlockingIOError(errno.EAGAIN, "fork"), STOPPED, id="processes"),
        pytest.param(RuntimeError("can't start new thread"), STOPPED, id="threads"),
        pytest.param(ModuleNotFoundError(name="torch"), LACKED, id="a package"),
        pytest.param(ModuleNotFoundError(name="json.farm"), FAILED, id="a part of a package that is there"),
        pytest.param(ConnectionRefusedError(), LACKED, id="a connection"),
        pytest.param(OSError(errno.ENETUNREACH, "x"), LACKED, id="the network"),
        pytest.param(OSError(errno.EINVAL, "x"), FAILED, id="the system, by its own fault"),
        pytest.param(FileNotFoundError("cats.png"), LACKED, id="a file of the repository"),
    ],
)
def test_an_error_says_what_stood_in_the_way(error: Exception, status: int) -> None:
    assert status_of(error) == status


def test_an_error_raised_out_of_another_is_judged_by_that_one() -> None:
    error = RuntimeError("the model could not be loaded")
    error.__cause__ = OSError(errno.ENETUNREACH, "x")

    assert status_of(error) == LACKED


def test_errors_that_name_each_other_end() -> None:
    one, other = ValueError("one"), ValueError("other")
    one.__cause__, other.__cause__ = other, one

    assert status_of(one) == FAILED


def test_blocks_are_one_session_in_a_main_module_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    blocks = tmp_path / "blocks.json"
    blocks.write_text(json.dumps(["from __future__ import annotations\nx = 20", "print(x + 1, __name__)"]))

    run(blocks)

    assert capsys.readouterr().out == "21 __main__\n"
    assert not blocks.exists()

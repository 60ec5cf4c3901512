import signal
import subprocess
import sys

import pytest

from backend.services.crash import STEPS, crash_point


def _outcome(chosen: str, step: str, name: str) -> int:
    """Reach one step in a process of its own: it prints nothing, ends with 0, or dies."""
    code = f"from backend.services.crash import crash_point; crash_point({chosen!r})({step!r}, {name!r})"
    return subprocess.run([sys.executable, "-c", code], check=False, timeout=30).returncode  # noqa: S603 - our own code


def test_without_a_chosen_step_nothing_happens() -> None:
    reach = crash_point(None)

    for step in STEPS:
        reach(step, "any")


@pytest.mark.parametrize("chosen", ["ingest.done", "", "@name", "ingest", "INGEST.CLAIMED"])
def test_a_step_that_does_not_exist_is_refused_with_those_that_do(chosen: str) -> None:
    with pytest.raises(ValueError, match=r"mirror\.held"):
        crash_point(chosen)


@pytest.mark.parametrize(
    ("chosen", "step", "name", "dies"),
    [
        ("ingest.rated", "ingest.rated", "any", True),
        ("ingest.rated", "ingest.gathered", "any", False),
        ("ingest.rated@bert", "ingest.rated", "bert", True),
        ("ingest.rated@bert", "ingest.rated", "gpt", False),
    ],
)
def test_the_process_dies_at_the_chosen_step_about_the_chosen_artifact(
    chosen: str, step: str, name: str, dies: bool
) -> None:
    assert _outcome(chosen, step, name) == (-signal.SIGKILL if dies else 0)

"""Steps at which a recovery test may kill the process, as a power cut would."""

import os
import signal
from collections.abc import Callable

CrashPoint = Callable[[str, str], None]
"""Called with the name of each step as it is reached, and the name of the artifact it is about."""

STEPS = (
    "register.enqueued",
    "ingest.claimed",
    "ingest.gathered",
    "ingest.rated",
    "ingest.committed",
    "mirror.claimed",
    "mirror.stored",
    "mirror.held",
)


def crash_point(chosen: str | None) -> CrashPoint:
    """Make the function that dies by SIGKILL at a step, and does nothing when `chosen` is None.

    `chosen` is a step, or `step@name` to die only where it is about the artifact of that name.

    Raises:
        ValueError: there is no such step.
    """
    if chosen is None:
        return lambda _step, _name: None
    fatal, _, victim = chosen.partition("@")
    if fatal not in STEPS:
        raise ValueError(f"CRASH_POINT={chosen} is no step; choose one of {', '.join(STEPS)}")

    def die_at(step: str, name: str) -> None:
        if step == fatal and victim in {"", name}:
            os.kill(os.getpid(), signal.SIGKILL)

    return die_at

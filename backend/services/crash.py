"""Steps at which a recovery test may kill the process, as a power cut would."""

import os
import signal
from collections.abc import Callable

CrashPoint = Callable[[str], None]
"""Called with the name of each step as it is reached."""

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
    """Make the function that dies by SIGKILL at the step `chosen`, and does nothing when that is None.

    Raises:
        ValueError: there is no such step.
    """
    if chosen is None:
        return lambda _step: None
    if chosen not in STEPS:
        raise ValueError(f"CRASH_POINT={chosen} is no step; choose one of {', '.join(STEPS)}")

    def die_at(step: str) -> None:
        if step == chosen:
            os.kill(os.getpid(), signal.SIGKILL)

    return die_at

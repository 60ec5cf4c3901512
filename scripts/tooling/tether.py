"""Become another program that Linux ends when its parent dies, be it by `kill -9`; elsewhere just become it.

Started by the parent itself as `python tether.py <parent's process id> program argument ...`.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def _tie_to(parent: int) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        sys.exit("The command that wanted this program was gone before it began.")


if __name__ == "__main__":
    if sys.platform == "linux":
        _tie_to(int(sys.argv[1]))
    os.execv(sys.argv[2], sys.argv[2:])  # noqa: S606 (the parent names the program)

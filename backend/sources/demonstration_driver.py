"""Runs a demonstration block by block inside the cell, and says by its exit status what stood in the way.

Started inside the cell from its text, so it uses nothing but the standard library.
"""

import errno
import json
import sys
import traceback
import types
from pathlib import Path

LACKED = 75
"""Exit status where the network, a file or a package is needed that the cell does not have."""

STOPPED = 71
"""Exit status where a limit on memory or processes was met."""

_NO_NETWORK = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL, errno.EROFS})


def run(path: Path) -> None:
    """Run the blocks of a JSON file as one session, in a `__main__` of its own."""
    blocks = json.loads(path.read_text("utf-8"))
    path.unlink()
    session = types.ModuleType("__main__")
    sys.modules["__main__"] = session
    for number, block in enumerate(blocks, 1):
        exec(compile(block, f"<block {number}>", "exec"), session.__dict__)  # noqa: S102 - what the cell is for


def status_of(error: BaseException) -> int:
    """The exit status an error stands for; an error raised out of another is judged by that one as well."""
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        if _met_a_limit(cause):
            return STOPPED
        if _needs_more(cause):
            return LACKED
        seen.add(id(cause))
        cause = cause.__cause__ or cause.__context__
    return 1


def _met_a_limit(error: BaseException) -> bool:
    return isinstance(error, (MemoryError, BlockingIOError)) or "can't start new thread" in str(error)


def _needs_more(error: BaseException) -> bool:
    if isinstance(error, ModuleNotFoundError):
        # A missing part of a package that is there is the demonstration's own fault.
        return (error.name or "").partition(".")[0] not in sys.modules
    if isinstance(error, (ConnectionError, TimeoutError, FileNotFoundError, EOFError)):
        return True
    return isinstance(error, OSError) and (error.errno in _NO_NETWORK or type(error).__name__ == "gaierror")


if __name__ == "__main__":
    try:
        run(Path("blocks.json"))
    except Exception as error:  # noqa: BLE001 - whatever a stranger's code raises
        traceback.print_exception(error)
        sys.exit(status_of(error))

"""Which command is which program."""

import sys
from collections.abc import Callable, Mapping, Sequence

from tooling import check, compile_dependencies, generate_docs, run, test
from tooling.failure import CommandFailed

COMMANDS: Mapping[str, Callable[[Sequence[str]], int]] = {
    "run": run.main,
    "test": test.main,
    "check": check.main,
    "compile-dependencies": compile_dependencies.main,
    "generate-docs": generate_docs.main,
}


def main(arguments: Sequence[str]) -> int:
    """Run the command named first with the arguments after it, and return its exit status."""
    try:
        return COMMANDS[arguments[0]](arguments[1:])
    except CommandFailed as failed:
        print(failed, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130

"""Which command is which program."""

import sys
from collections.abc import Callable, Mapping, Sequence

from tooling import bench, check, compile_dependencies, generate_docs, rate, run, test, verify_audit
from tooling.children import Stopped, stoppable
from tooling.failure import CommandFailed

COMMANDS: Mapping[str, Callable[[Sequence[str]], int]] = {
    "run": run.main,
    "rate": rate.main,
    "bench": bench.main,
    "verify-audit": verify_audit.main,
    "test": test.main,
    "check": check.main,
    "compile-dependencies": compile_dependencies.main,
    "generate-docs": generate_docs.main,
}


def main(arguments: Sequence[str]) -> int:
    """Run the command named first with the arguments after it, and return its exit status."""
    try:
        with stoppable():
            return COMMANDS[arguments[0]](arguments[1:])
    except CommandFailed as failed:
        print(failed, file=sys.stderr)
        return 1
    except Stopped as stopped:
        return 128 + stopped.signum

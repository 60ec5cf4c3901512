"""Counts what Python files hold; run as a process of its own, because a hostile file can crash a parser.

Given a folder, prints one JSON object with the figures of `CodeAnalysis` that need a syntax tree, and removes the files
that have none: a linter need not cope with what CPython cannot. Standard library only, so that it starts isolated.
"""

import ast
import json
import sys
import warnings
from collections import Counter
from pathlib import Path

_MEMORY_BYTES = 1_000_000_000
_CPU_S = 60


def census(root: Path) -> Counter[str]:
    """Add up the figures of every `.py` file below `root`, and leave only those that parse."""
    total: Counter[str] = Counter(
        files=0, lines=0, functions=0, documented_functions=0, annotated_functions=0, unparsable_files=0
    )
    for path in sorted(root.rglob("*.py")):
        figures = _file(path.read_bytes())
        total.update(figures)
        if figures["unparsable_files"]:
            path.unlink()
    return total


def _file(source: bytes) -> Counter[str]:
    found = Counter(files=1, lines=_code_lines(source))
    try:
        tree = ast.parse(source)
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                found.update(_function(node))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        found["unparsable_files"] = 1
    return found


def _function(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Counter[str]:
    given = node.args
    parameters = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    unannotated = [one for one in parameters if one.annotation is None and one.arg not in {"self", "cls"}]
    annotated = not unannotated and (node.returns is not None or bool(parameters and parameters[-1].annotation))
    return Counter(
        functions=1,
        documented_functions=int(ast.get_docstring(node, clean=False) is not None),
        annotated_functions=int(annotated),
    )


def _code_lines(source: bytes) -> int:
    """Lines that are neither blank nor only a comment."""
    stripped = (line.strip() for line in source.splitlines())
    return sum(1 for line in stripped if line and not line.startswith(b"#"))


def _limit_resources() -> None:
    """Bound memory and processor time where the platform can."""
    try:
        import resource  # noqa: PLC0415 - not on every platform
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_S, _CPU_S))


if __name__ == "__main__":
    _limit_resources()
    warnings.simplefilter("ignore")
    sys.stdout.write(json.dumps(census(Path(sys.argv[1]))))

"""The code a card shows, as Python that can be inspected; nothing of it is ever run."""

import ast
import builtins
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from metrics.card_text import CodeBlock

LONGEST_BLOCK = 20_000
"""Characters of a block that are parsed; a longer one is a program, not a demonstration."""

PYTHON = frozenset({"python", "py", "python3", "pycon", "ipython", "{python}"})
SHELL = frozenset({"bash", "sh", "shell", "console", "zsh", "shell-session", "terminal", "cmd", "powershell"})

_LOOKS_LIKE_PYTHON = re.compile(
    r"^\s*(?:>>> |from \w[\w.]* import |import \w)|from_pretrained\(|\bpipeline\(", re.MULTILINE
)
_LOOKS_LIKE_SHELL = re.compile(
    r"^\s*\$?\s*(?:pip3?|python3?|git|conda|huggingface-cli|hf|curl|wget|docker|npm) ", re.MULTILINE
)
_BUILTINS = frozenset(dir(builtins)) | {"__file__", "__name__", "__doc__", "display", "get_ipython"}


@dataclass(frozen=True, slots=True)
class PythonCode:
    """A block that parsed: its tree, and the shell lines (`!pip install …`) that stood between."""

    tree: ast.Module
    shell: tuple[str, ...]


def is_python(block: CodeBlock) -> bool:
    """Whether a block is Python by its label, or by its look where it has none."""
    return block.language in PYTHON or (not block.language and bool(_LOOKS_LIKE_PYTHON.search(block.code)))


def is_shell(block: CodeBlock) -> bool:
    """Whether a block is for a shell by its label, or by its look where it has none."""
    return block.language in SHELL or (not block.language and bool(_LOOKS_LIKE_SHELL.search(block.code)))


def parsed_python(block: CodeBlock) -> PythonCode | None:
    """Parse a Python block, prompts and notebook magics taken off; None where it is not Python or does not parse."""
    if not is_python(block) or len(block.code) > LONGEST_BLOCK:
        return None
    lines, shell = _split_magics(_without_prompts(block.code.split("\n")))
    try:
        return PythonCode(ast.parse(_dedented(lines)), tuple(shell))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def shell_lines(block: CodeBlock) -> list[str]:
    """The commands of a shell block, continued lines joined, prompts and comments taken off."""
    joined = block.code[:LONGEST_BLOCK].replace("\\\n", " ")
    lines = (line.strip().removeprefix("$").strip() for line in joined.split("\n"))
    return [line for line in lines if line and not line.startswith("#")]


def _without_prompts(lines: list[str]) -> list[str]:
    if not any(line.lstrip().startswith(">>>") for line in lines):
        return lines
    kept = (line.lstrip() for line in lines)
    return [line[4:] for line in kept if line.startswith((">>>", "... ")) or line == "..."]


def _split_magics(lines: list[str]) -> tuple[list[str], list[str]]:
    code, shell = [], []
    for line in lines:
        if line.lstrip().startswith(("!", "%")):
            shell.append(line.lstrip().lstrip("!%").strip())
        else:
            code.append(line)
    return code, shell


def _dedented(lines: list[str]) -> str:
    first = next((line for line in lines if line.strip()), "")
    indent = first[: len(first) - len(first.lstrip())]
    return "\n".join(line.removeprefix(indent) for line in lines)


def imported_modules(tree: ast.Module) -> set[str]:
    """Top-level names of the modules a tree imports; relative imports are left out."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def bound_names(tree: ast.Module) -> set[str]:
    """Every name a tree gives a meaning to, in whatever scope."""
    found = set()
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                found.add(name)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                found.add(name)
            case ast.arg(arg=name) | ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
                found.add(name)
            case ast.alias(name=name, asname=other):
                found.add(other or name.partition(".")[0])
    return found


def undefined_names(tree: ast.Module, known: set[str]) -> list[str]:
    """Names a tree uses that neither it nor `known` nor Python defines, in order; none where it imports a star."""
    bound = bound_names(tree)
    if "*" in bound or "*" in known:
        return []
    used = (node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load))
    return list(dict.fromkeys(name for name in used if name not in bound | known | _BUILTINS))


def string_constants(tree: ast.Module) -> dict[str, str]:
    """Names that are assigned a plain string anywhere in a tree."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            found |= {target.id: node.value.value for target in node.targets if isinstance(target, ast.Name)}
    return found


def calls_with_text(tree: ast.Module, constants: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Each call's function name with each text it is given: (function, keyword or empty, text).

    Names that stand for a plain string are looked up in `constants`.
    """
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = _called_name(node.func)
        arguments = [("", value) for value in node.args] + [(key.arg or "", key.value) for key in node.keywords]
        for keyword, value in arguments:
            text = _text_of(value, constants)
            if text is not None:
                yield name, keyword, text


def _called_name(function: ast.expr) -> str:
    match function:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
        case _:
            return ""


def _text_of(value: ast.expr, constants: Mapping[str, str]) -> str | None:
    match value:
        case ast.Constant(value=str(text)):
            return text
        case ast.Name(id=name):
            return constants.get(name)
        case _:
            return None

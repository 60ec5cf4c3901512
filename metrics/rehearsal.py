"""A card's demonstration, read block by block as one session, and the faults that would stop it."""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

from metrics.card_text import CardText, CodeBlock
from metrics.demonstration import (
    PythonCode,
    bound_names,
    calls_with_text,
    imported_modules,
    is_python,
    is_shell,
    parsed_python,
    shell_lines,
    string_constants,
    undefined_names,
)
from metrics.evidence import Evidence, RepoFile
from metrics.well_known import LOADERS, MODEL_ARGUMENTS, MODULE_OF, MODULES, READERS

LONGEST_SEARCHED = 20_000
"""Characters of a block that are searched for placeholders."""

_HUB_ID = re.compile(r"^[\w.-]+/[\w.-]+$")
_LOCAL_FILE = re.compile(
    r"^(?!https?:)[\w./\\ -]{1,100}\.(?:png|jpe?g|wav|mp3|flac|ogg|csv|json|txt|pdf|mp4|npy|py|pt|bin|ckpt)$",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(
    r"\byour[_-](?:api|token|hf|access|model|username|name|key|path|file|image|text|org|repo|secret)\w*|\bpath[_/]to\b"
    r"|<\s?(?:your|path|insert|enter|add|replace|api|hf_|access|username)[^<>\n]{0,40}>|\bhf_x{3,}|\bINSERT_\w+"
    r"|\bxxxx+\b",
    re.IGNORECASE,
)
_INSTALL = re.compile(r"\b(?:pip3?|conda|poetry|mamba|uv) (?:install|add) ([^\n`;&|]+)")
_RUN_FILE = re.compile(r"\bpython3? (?:-u )?([\w./-]+\.py)\b")
_RUN_MODEL = re.compile(r"\b(?:vllm|llama-cli|llama-server|ollama|transformers|whisper|mlx_lm|docker)\b")
_FETCH = re.compile(r"huggingface-cli download|\bhf download|git clone|wget |curl ")


@dataclass(slots=True)
class Rehearsal:
    """What reading the blocks in order brought up; `faults` are sentences, each once."""

    evidence: Evidence
    installs: frozenset[str]
    python_blocks: int = 0
    unparsable: int = 0
    loads_this: bool = False
    loads_other: set[str] = field(default_factory=set)
    runs_something: bool = False
    faults: list[str] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    constants: dict[str, str] = field(default_factory=dict)

    def blame(self, *faults: str) -> None:
        """Add faults that were not found before."""
        self.faults += [fault for fault in faults if fault not in self.faults]


def rehearse(card: CardText, evidence: Evidence) -> Rehearsal:
    """Read a card's code in order; nothing is run."""
    seen = Rehearsal(evidence, _installs(card))
    for block in card.code:
        if is_python(block):
            _read_python(block, seen)
        elif is_shell(block):
            for line in shell_lines(block):
                _read_command(line, seen)
        else:
            continue
        if placeholder := _PLACEHOLDER.search(block.code[:LONGEST_SEARCHED]):
            seen.blame(f"“{placeholder[0]}” is left to fill in")
    if seen.python_blocks or seen.runs_something or seen.loads_this:
        seen.blame(*_model_faults(seen))
    return seen


def is_this_model(text: str, evidence: Evidence) -> bool:
    """Whether a text names the model: its id in any case, its URL, or its bare name from before ids had owners."""
    own = _own_id(evidence)
    named = text.casefold().rstrip("/")
    return named in {own, own.rpartition("/")[2]} or named.endswith((f"hf.co/{own}", f"huggingface.co/{own}"))


def _own_id(evidence: Evidence) -> str:
    return (evidence.model.value.id if evidence.model.value else evidence.name).casefold()


def _read_python(block: CodeBlock, seen: Rehearsal) -> None:
    seen.python_blocks += 1
    code = parsed_python(block)
    if code is None:
        seen.unparsable += 1
        seen.blame(f"a block under “{block.section[:40]}” does not parse")
        return
    seen.blame(*_import_faults(code, seen), *_name_faults(code, seen))
    seen.constants |= string_constants(code.tree)
    seen.names |= bound_names(code.tree)
    for function, keyword, text in calls_with_text(code.tree, seen.constants):
        _read_call(function, keyword, text, seen)
    for line in code.shell:
        _read_command(line, seen)


def _import_faults(code: PythonCode, seen: Rehearsal) -> Iterator[str]:
    record = seen.evidence.model.value
    library = (record.library_name or "" if record else "").replace("-", "_").casefold()
    local = {part for file in _files(seen.evidence) for part in (file.path.partition("/")[0].removesuffix(".py"),)}
    for module in sorted(imported_modules(code.tree)):
        known = module in sys.stdlib_module_names or module in MODULES or module in local
        if not known and module.casefold() not in seen.installs | {library}:
            yield f"`{module}` is imported, but nothing says how to install it"


def _name_faults(code: PythonCode, seen: Rehearsal) -> Iterator[str]:
    names = undefined_names(code.tree, seen.names)
    if names:
        yield f"{', '.join(f'`{name}`' for name in names[:4])} used without being defined"


def _read_call(function: str, keyword: str, text: str, seen: Rehearsal) -> None:
    if function in LOADERS and keyword in MODEL_ARGUMENTS:
        if is_this_model(text, seen.evidence):
            seen.loads_this = seen.runs_something = True
        elif _HUB_ID.match(text):
            seen.loads_other.add(text)
    if function in READERS and _LOCAL_FILE.match(text) and not _has_file(text, seen.evidence):
        seen.blame(f"the file {text} is read, but is not in the repository")


def _read_command(line: str, seen: Rehearsal) -> None:
    names_this = _own_id(seen.evidence) in line.casefold()
    if _FETCH.search(line):
        seen.loads_this |= names_this
    elif script := _RUN_FILE.search(line):
        seen.runs_something = True
        seen.loads_this |= names_this
        if not _has_file(script[1], seen.evidence):
            seen.blame(f"the script {script[1]} is not in the repository")
    elif names_this and _RUN_MODEL.search(line):
        seen.loads_this = seen.runs_something = True


def _files(evidence: Evidence) -> tuple[RepoFile, ...]:
    return evidence.files.otherwise(()) + evidence.code.tree.otherwise(())


def _has_file(path: str, evidence: Evidence) -> bool:
    wanted = path.replace("\\", "/").removeprefix("./")
    return any(file.path == wanted or file.path.endswith(f"/{wanted}") for file in _files(evidence))


def _installs(card: CardText) -> frozenset[str]:
    """Modules that some install line of the card brings, in lower case."""
    text = "\n".join([card.prose, *(block.code for block in card.code)])
    packages = {word for match in _INSTALL.finditer(text) for word in match[1].split() if not word.startswith("-")}
    return frozenset(_module_of(package) for package in packages)


def _module_of(package: str) -> str:
    """The module a requirement such as `a-b[c]>=1` or `git+https://host/a/b.git` most likely brings."""
    name = re.split(r"[\[=<>~!@]", package, maxsplit=1)[0].rstrip("/").rpartition("/")[2].removesuffix(".git").lower()
    return MODULE_OF.get(name, name).replace("-", "_").casefold()


def _model_faults(seen: Rehearsal) -> Iterator[str]:
    if not seen.loads_this:
        others = ", ".join(sorted(seen.loads_other)[:3])
        yield f"it loads {others} instead of this model" if others else "it never loads this model by its id"
    elif not seen.runs_something:
        yield "it fetches the model, but does not use it"

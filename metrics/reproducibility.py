"""Reproducibility: does the card's own demonstration run?"""

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

from metrics.card_text import CardText, CodeBlock, read_card
from metrics.demonstration import (
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
from metrics.evidence import Evidence
from metrics.metric import Finding, Kind, Metric, MetricResult
from metrics.points import could_not_judge, note, unjudged
from metrics.weights import smallest_complete

RUNS = 1.0
RUNS_AFTER_REPAIR = 0.5
CANNOT_RUN = 0.0

SMALL_REPAIRS = 3
"""Faults up to which mending is small: each takes a minute with the card at hand. Beyond it is a rewrite."""

WELL_KNOWN = frozenset(
    ["accelerate", "albumentations", "auto_gptq", "autogptq", "bitsandbytes", "coremltools", "ctranslate2", "ctransformers", "cv2", "datasets", "diffusers", "einops", "evaluate", "faiss", "fairseq", "fastai", "flair", "flax", "fsspec", "gensim", "gradio", "huggingface_hub", "imageio", "ipywidgets", "jax", "joblib", "keras", "keras_nlp", "langchain", "librosa", "lightning", "llama_cpp", "matplotlib", "nltk", "numpy", "nemo", "onnx", "onnxruntime", "open_clip", "openai", "openvino", "optimum", "pandas", "paddle", "peft", "PIL", "plotly", "pydantic", "pytorch_lightning", "requests", "safetensors", "scipy", "seaborn", "sentence_transformers", "sentencepiece", "seqeval", "skimage", "sklearn", "soundfile", "spacy", "speechbrain", "streamlit", "tensorflow", "tensorflow_hub", "timm", "tokenizers", "torch", "torchaudio", "torchvision", "tqdm", "transformers", "trl", "ultralytics", "unsloth", "vllm", "wandb", "whisper", "xgboost", "yaml"]
)
"""Modules anyone in the field can install by name without being told."""

_LOADERS = frozenset(
    ["from_pretrained", "pipeline", "SentenceTransformer", "CrossEncoder", "SparseEncoder", "snapshot_download", "hf_hub_download", "LLM", "load_model", "InferenceClient", "load_from_hub", "from_pretrained_keras", "create_model", "create_model_and_transforms", "YOLO", "WhisperModel", "Llama", "load", "from_hparams", "AutoModel", "FlagModel", "FashionCLIP", "GLiNER", "get_tokenizer", "SequenceTagger"]
)
_READERS = frozenset(["open", "read_csv", "read_json", "imread", "load_image", "read", "from_file", "loadtxt", "load_audio", "transcribe"])
_HUB_ID = re.compile(r"^[\w.-]+(?:/[\w.-]+)?$")
_LOCAL_FILE = re.compile(
    r"^(?!https?:)[\w./\\ -]{1,100}\.(?:png|jpe?g|wav|mp3|flac|ogg|csv|json|txt|pdf|mp4|npy|py|pt|bin|ckpt)$", re.IGNORECASE
)
_PLACEHOLDER = re.compile(
    r"\byour[_-](?:api|token|hf|access|model|username|name|key|path|file|image|text|org|repo|secret)\w*|\bpath[_/]to\b"
    r"|<\s*(?:your|path|insert|enter|add|replace|api|hf_|access|username)[^<>\n]{0,40}>|\bhf_x{3,}|\bINSERT_\w+|\bxxxx+\b",
    re.IGNORECASE,
)
_PIP = re.compile(r"\b(?:pip3?|uv pip|conda|poetry|mamba|uv)\s+(?:install|add)\s+([^\n`;&|]+)")
_RUN_FILE = re.compile(r"(?:^|\s)python3?\s+(?:-u\s+)?([\w./-]+\.py)\b")
_RUN_MODEL = re.compile(r"\b(?:vllm|llama-cli|llama-server|ollama|transformers|main|whisper|mlx_lm\S*|docker)\b")
_FETCHES = re.compile(r"huggingface-cli download|\bhf download|git clone|snapshot_download|wget |curl ")
_DISTRIBUTION_OF = {"pillow": "PIL", "opencv-python": "cv2", "scikit-learn": "sklearn", "pyyaml": "yaml"}


@dataclass(slots=True)
class _Reading:
    """What was seen while reading the blocks in order; `known` are the names that earlier blocks defined."""

    evidence: Evidence
    installs: frozenset[str]
    known: set[str] = field(default_factory=set)
    constants: dict[str, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    sound: int = 0
    broken: int = 0
    loads_this: bool = False
    loads_other: set[str] = field(default_factory=set)
    runs: bool = False


def measure(evidence: Evidence) -> MetricResult:
    """Judge the demonstration without running it: 1 runs as it stands, 0.5 after small repairs, 0 not or not there.

    Python blocks are read in order as one session. Each has to parse, use only names that are defined, import only
    modules that are well known, declared or part of the repository, and read only files that are there; one of them
    has to load this very model, whose weights have to be complete; nothing may be left to fill in.
    """
    if unjudged(evidence.card):
        return could_not_judge(evidence.card, "The card")
    card = read_card(evidence.card.otherwise(""))
    reading = _Reading(evidence, _declared(card))
    for block in card.code:
        _read_block(block, reading)
    return _verdict(reading, sum(map(is_python, card.code)), card)


def _read_block(block: CodeBlock, reading: _Reading) -> None:
    if is_python(block):
        _read_python(block, reading)
    elif is_shell(block):
        for line in shell_lines(block):
            _read_command(line, reading)
    else:
        return
    placeholder = _PLACEHOLDER.search(block.code[:20_000])
    if placeholder:
        reading.faults.append(f"“{placeholder[0]}” is left to fill in")


def _read_python(block: CodeBlock, reading: _Reading) -> None:
    code = parsed_python(block)
    if code is None:
        reading.broken += 1
        reading.faults.append(f"a block under “{block.section[:40]}” does not parse")
        return
    faults = [*_import_faults(imported_modules(code.tree), reading), *_name_faults(code.tree, reading)]
    reading.constants |= string_constants(code.tree)
    reading.known |= bound_names(code.tree)
    faults += _read_calls(list(calls_with_text(code.tree, reading.constants)), reading)
    reading.faults += faults
    reading.sound += not faults


def _import_faults(modules: set[str], reading: _Reading) -> Iterator[str]:
    files = {file.path for file in reading.evidence.files.otherwise(())}
    local = {path.removesuffix(".py") for path in files if "/" not in path} | {path.partition("/")[0] for path in files}
    library = (_record_library(reading.evidence) or "").replace("-", "_")
    for module in sorted(modules):
        known = module in sys.stdlib_module_names or module in WELL_KNOWN or module in local
        if not known and module.casefold() not in reading.installs and module != library:
            yield f"`{module}` is imported, but nothing says how to install it"


def _record_library(evidence: Evidence) -> str | None:
    return evidence.model.value.library_name if evidence.model.value else None


def _name_faults(tree: ast.Module, reading: _Reading) -> Iterator[str]:
    names = undefined_names(tree, reading.known)
    if names:
        yield f"{', '.join(f'`{name}`' for name in names[:4])} used without being defined"


def _read_calls(calls: list[tuple[str, str, str]], reading: _Reading) -> Iterator[str]:
    for function, keyword, text in calls:
        if function in _LOADERS and keyword in {
            "",
            "model",
            "repo_id",
            "model_id",
            "pretrained_model_name_or_path",
            "tokenizer",
            "model_name_or_path",
            "name",
            "source",
        }:
            _note_model(text, reading)
        if function in _READERS and _LOCAL_FILE.match(text) and not _has_file(text, reading.evidence):
            yield f"the file {text} is read, but is not in the repository"


def _note_model(text: str, reading: _Reading) -> None:
    if is_this_model(text, reading.evidence):
        reading.loads_this = True
        reading.runs = True
    elif _HUB_ID.match(text) and "/" in text:
        reading.loads_other.add(text)


def is_this_model(text: str, evidence: Evidence) -> bool:
    """Whether a text names the model: its id in any case, its URL, or its bare name from before ids had owners."""
    own = (evidence.model.value.id if evidence.model.value else evidence.name).casefold()
    named = text.casefold().rstrip("/")
    return (
        named == own
        or named.endswith(f"hf.co/{own}")
        or named.endswith(f"huggingface.co/{own}")
        or named == own.rpartition("/")[2]
    )


def _has_file(path: str, evidence: Evidence) -> bool:
    wanted = path.replace("\\", "/").removeprefix("./")
    listed = [*evidence.files.otherwise(()), *evidence.code.tree.otherwise(())]
    return any(file.path == wanted or file.path.endswith(f"/{wanted}") for file in listed)


def _read_command(line: str, reading: _Reading) -> None:
    own = (reading.evidence.model.value.id if reading.evidence.model.value else reading.evidence.name).casefold()
    names_this = own in line.casefold()
    if _FETCHES.search(line):
        reading.loads_this |= names_this
    elif script := _RUN_FILE.search(line):
        reading.runs = True
        if not _has_file(script[1], reading.evidence):
            reading.faults.append(f"the script {script[1]} is not in the repository")
    elif names_this and _RUN_MODEL.search(line):
        reading.loads_this = reading.runs = True


def _declared(card: CardText) -> frozenset[str]:
    text = "\n".join([card.prose, *(block.code for block in card.code)])
    names = set()
    for match in _PIP.finditer(text):
        for word in match[1].split():
            name = re.split(r"[\[=<>~!@]", word)[0].lower()
            names |= {name.replace("-", "_"), _DISTRIBUTION_OF.get(name, name).casefold()}
            names.add(word.rstrip("/").rpartition("/")[2].removesuffix(".git").replace("-", "_").casefold())
    return frozenset(names - {""})


def _verdict(reading: _Reading, python_blocks: int, card: CardText) -> MetricResult:
    evidence, source = reading.evidence, reading.evidence.card.source
    if not python_blocks and not reading.runs and not reading.loads_this:
        saw = f"{len(card.code)} code block(s), none of which uses the model"
        return _result(CANNOT_RUN, saw, [], evidence)
    faults = list(dict.fromkeys([*reading.faults, *_model_faults(reading)]))
    if python_blocks and reading.broken == python_blocks:
        return _result(CANNOT_RUN, "No block of the demonstration parses", faults, evidence)
    if not unjudged(evidence.files) and smallest_complete(evidence.files.otherwise(())) is None:
        return _result(CANNOT_RUN, "The repository holds no complete set of weights to load", faults, evidence)
    if not faults:
        return _result(RUNS, f"{python_blocks} Python block(s), sound as they stand", [], evidence)
    if len(faults) > SMALL_REPAIRS:
        return _result(CANNOT_RUN, f"{len(faults)} faults, too many to call it a demonstration", faults, evidence)
    return _result(RUNS_AFTER_REPAIR, f"Would run after {len(faults)} small repair(s)", faults, evidence)


def _model_faults(reading: _Reading) -> list[str]:
    if not reading.loads_this:
        others = ", ".join(sorted(reading.loads_other)[:3])
        return [f"it loads {others} instead of this model" if others else "it never loads this model by its id"]
    return [] if reading.runs else ["it fetches the model, but does not use it"]


def _result(score: float, saw: str, faults: list[str], evidence: Evidence) -> MetricResult:
    remedy = "" if score == RUNS else "Show complete code that loads this model by its id and can be pasted and run."
    source = evidence.card.source
    head = Finding(Kind.GIVES if score else Kind.COSTS, f"{saw}; judged without running it", score, remedy, source)
    return MetricResult(score, (head, *(note(f"To repair: {fault}", source=source) for fault in faults)))


METRIC = Metric(
    name="reproducibility",
    question="Does the card's own demonstration run?",
    weight=0.13,
    measure=measure,
    reads=("card", "files", "model", "code.tree"),
    scale=(
        f"{RUNS:g}: every step is there and checks out without a change",
        f"{RUNS_AFTER_REPAIR:g}: would run after at most {SMALL_REPAIRS} small repairs",
        f"{CANNOT_RUN:g}: there is none, or it cannot run",
    ),
)

"""Which files of a model repository are its weights, and the smallest set of them that is complete on its own."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from metrics.evidence import RepoFile


class WeightFormat(StrEnum):
    """How weights are stored."""

    SAFETENSORS = "safetensors"
    PICKLE = "pickle"
    GGUF = "gguf"
    ONNX = "onnx"
    TENSORFLOW = "tensorflow"
    FLAX = "flax"
    RUST = "rust"
    COREML = "coreml"
    TFLITE = "tflite"
    OPENVINO = "openvino"


@dataclass(frozen=True, slots=True)
class WeightSet:
    """Files that together hold every weight once, in one format, ordered by path.

    `is_adapter` is True where they only adjust another model, whose weights are needed as well.
    """

    format: WeightFormat
    files: tuple[RepoFile, ...]
    size_bytes: int
    is_adapter: bool = False


@dataclass(frozen=True, slots=True)
class _Part:
    """A weight file with its place among its fellows; `stem` is the name without shard number and suffix."""

    file: RepoFile
    format: WeightFormat
    folder: str
    stem: str
    shard: int = 1
    shards: int = 1
    loose_shards: bool = False


_SUFFIXES: Mapping[str, WeightFormat] = {
    ".safetensors": WeightFormat.SAFETENSORS,
    ".bin": WeightFormat.PICKLE,
    ".pt": WeightFormat.PICKLE,
    ".pth": WeightFormat.PICKLE,
    ".ckpt": WeightFormat.PICKLE,
    ".pkl": WeightFormat.PICKLE,
    ".pickle": WeightFormat.PICKLE,
    ".joblib": WeightFormat.PICKLE,
    ".gguf": WeightFormat.GGUF,
    ".onnx": WeightFormat.ONNX,
    ".onnx_data": WeightFormat.ONNX,
    ".h5": WeightFormat.TENSORFLOW,
    ".keras": WeightFormat.TENSORFLOW,
    ".pb": WeightFormat.TENSORFLOW,
    ".msgpack": WeightFormat.FLAX,
    ".ot": WeightFormat.RUST,
    ".mlmodel": WeightFormat.COREML,
    ".tflite": WeightFormat.TFLITE,
}
_LEFTOVERS = re.compile(
    r"(?:^|/)(?:optimizer|scheduler|training_args|rng_state[^/]*|scaler|random_states[^/]*|trainer_state"
    r"|global_step\d+/[^/]*|zero_pp_rank[^/]*|[^/]*optim_states|vocab|tokenizer[^/]*|spiece[^/]*|merges)\.[a-z]+$"
    r"|(?:^|/)(?:runs|logs|checkpoint-\d+)/"
)
"""State a training run leaves behind, intermediate checkpoints, and vocabularies with a weight-like suffix."""

_SHARD = re.compile(r"^(?P<stem>.+?)[-_.](?P<shard>\d{2,5})-of-(?P<shards>\d{2,5})$")
_CONSOLIDATED = re.compile(r"^(?P<stem>consolidated)\.(?P<shard>\d{2})$")
_TF_CHECKPOINT = re.compile(r"^(?P<stem>.+)\.data-(?P<shard>\d{5})-of-(?P<shards>\d{5})$")
_ADAPTER = re.compile(r"(?:^|/)(?:adapter_model|adapter|pytorch_lora_weights|lora)[^/]*$", re.IGNORECASE)
_MODULE_FOLDER = re.compile(r"^\d+_\w+$")
"""Numbered folders of a sentence-transformers pipeline: modules that run after the transformer at the root."""

_HALF = re.compile(r"^(?P<role>encoder|decoder)(?:_with_past)?_model(?:_merged)?(?P<precision>.*)$")
_PIPELINE_INDEX = "model_index.json"
_PIPELINE_EXTRAS = frozenset({"safety_checker", "feature_extractor"})


def smallest_complete(files: Iterable[RepoFile]) -> WeightSet | None:
    """Find the fewest bytes that hold a whole model; None where no complete set is there.

    Formats and quantised variants of one model are alternatives; shards, the components of a diffusion pipeline, the
    modules of a sentence-transformers pipeline and the two halves of an encoder-decoder export belong together. A set
    with a shard missing is not complete. An adapter counts only where no full weights are there.
    """
    listed = tuple(files)
    parts = [part for file in listed if (part := _part(file))]
    full = [part for part in parts if not _ADAPTER.search(part.file.path)]
    if any(file.path == _PIPELINE_INDEX for file in listed):
        candidates = [*_pipelines(full), *_single_models([part for part in full if not part.folder])]
    else:
        candidates = _single_models(full)
    adapters = [] if candidates else _single_models([part for part in parts if part not in full], is_adapter=True)
    return min([*candidates, *adapters], key=lambda found: (found.size_bytes, found.files[0].path), default=None)


def weight_paths(files: Iterable[RepoFile]) -> frozenset[str]:
    """Paths of every weight file in any format; training leftovers are not among them."""
    return frozenset(file.path for file in files if _part(file))


def _part(file: RepoFile) -> _Part | None:
    path = file.path
    if file.size_bytes <= 0 or _LEFTOVERS.search(path):
        return None
    package, is_package, _ = path.partition(".mlpackage/")
    if is_package:
        folder, _, stem = package.rpartition("/")
        return _Part(file, WeightFormat.COREML, folder, stem, loose_shards=True)
    folder, _, name = path.rpartition("/")
    if checkpoint := _TF_CHECKPOINT.match(name):
        return _sharded(file, WeightFormat.TENSORFLOW, folder, checkpoint, first=0)
    base, dot, suffix = name.rpartition(".")
    form = _SUFFIXES.get(f"{dot}{suffix}".lower())
    if form is None or not base:
        return None
    return _named(file, form, folder, base)


def _named(file: RepoFile, form: WeightFormat, folder: str, base: str) -> _Part:
    if base.startswith("openvino"):
        return _Part(file, WeightFormat.OPENVINO, folder, base)
    if match := _SHARD.match(base):
        return _sharded(file, form, folder, match)
    if match := _CONSOLIDATED.match(base):
        return _Part(file, form, folder, match["stem"], loose_shards=True)
    if form is WeightFormat.ONNX:
        return _Part(file, form, folder, base.removesuffix(".onnx"), loose_shards=True)
    if folder.endswith("variables") or base == "saved_model":
        return _Part(file, form, folder.removesuffix("/variables"), "saved_model", loose_shards=True)
    return _Part(file, form, folder, base)


def _sharded(file: RepoFile, form: WeightFormat, folder: str, match: re.Match[str], first: int = 1) -> _Part:
    return _Part(file, form, folder, match["stem"], int(match["shard"]) + 1 - first, int(match["shards"]))


def _single_models(parts: Sequence[_Part], *, is_adapter: bool = False) -> list[WeightSet]:
    modules = [part for part in parts if _MODULE_FOLDER.match(part.folder)]
    groups = _complete_groups([part for part in parts if part not in modules])
    found = [_set_of([*group, *_modules_for(group[0].format, modules)], is_adapter) for group in groups]
    return found if found or not modules else [_set_of(modules, is_adapter)]


def _modules_for(form: WeightFormat, modules: Sequence[_Part]) -> list[_Part]:
    """The modules in the format of the transformer, or in the one they come in; each once."""
    formats = {part.format for part in modules}
    wanted = form if form in formats else min(formats, default=form)
    return [part for part in modules if part.format is wanted]


def _complete_groups(parts: Sequence[_Part]) -> list[list[_Part]]:
    groups: defaultdict[tuple[WeightFormat, str, str, int], list[_Part]] = defaultdict(list)
    for part in parts:
        groups[part.format, part.folder, part.stem, part.shards].append(part)
    complete = [group for group in groups.values() if _is_complete(group)]
    return _with_halves_joined(complete)


def _is_complete(group: Sequence[_Part]) -> bool:
    first = group[0]
    return first.loose_shards or {part.shard for part in group} >= set(range(1, first.shards + 1))


def _with_halves_joined(groups: list[list[_Part]]) -> list[list[_Part]]:
    """Join the ONNX export of an encoder with the smallest decoder of the same precision in its folder.

    Of a decoder there may be several exports (with or without a cache of past states); one is enough, and none is
    without the encoder where there is one.
    """
    joined, halves = [], defaultdict[tuple[str, str], defaultdict[str, list[list[_Part]]]](lambda: defaultdict(list))
    encoders = {group[0].folder for group in groups if _role(group[0]).startswith("encoder")}
    for group in groups:
        role, folder = _role(group[0]), group[0].folder
        if role and folder in encoders:
            halves[folder, _precision(group[0])][role].append(group)
        else:
            joined.append(group)
    both = [roles for roles in halves.values() if {"encoder", "decoder"} <= roles.keys()]
    return joined + [[part for role in sorted(roles) for part in min(roles[role], key=_bytes_of)] for roles in both]


def _role(part: _Part) -> str:
    match = _HALF.match(part.stem) if part.format is WeightFormat.ONNX else None
    return match["role"] if match else ""


def _precision(part: _Part) -> str:
    match = _HALF.match(part.stem)
    return match["precision"] if match else ""


def _pipelines(parts: Sequence[_Part]) -> list[WeightSet]:
    """One set a format in which every component folder has weights; the smallest variant of each is taken."""
    components = {part.folder for part in parts if part.folder and part.folder not in _PIPELINE_EXTRAS}
    found = []
    for form in {part.format for part in parts}:
        chosen: list[_Part] = []
        groups = _complete_groups([part for part in parts if part.format is form])
        for folder in sorted(components):
            mine = [group for group in groups if group[0].folder == folder]
            smallest: list[_Part] = min(mine, key=_bytes_of, default=[])
            chosen += smallest
        if components and {part.folder for part in chosen} == components:
            found.append(_set_of(chosen, is_adapter=False))
    return found


def _bytes_of(group: Sequence[_Part]) -> int:
    return sum(part.file.size_bytes for part in group)


def _set_of(parts: Sequence[_Part], is_adapter: bool) -> WeightSet:
    files = tuple(sorted((part.file for part in parts), key=lambda file: file.path))
    return WeightSet(parts[0].format, files, sum(file.size_bytes for file in files), is_adapter)

"""What a model's card, configuration and tags say it belongs to; decided from texts alone."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backend.domain.artifact import Link, Relation
from backend.domain.errors import InvalidInput
from backend.domain.source import ArtifactType, Host, Source
from backend.sources.identify import identify
from metrics.evidence import LinkedBy, ModelRecord, RepoFile

MAX_NAMES = 200
_HUB = "https://huggingface.co"
_TOLD_RELATIONS = {
    "finetune": Relation.FINE_TUNED_FROM,
    "adapter": Relation.ADAPTER,
    "quantized": Relation.QUANTIZED,
    "merge": Relation.MERGE,
}


@dataclass(frozen=True, slots=True)
class Named:
    """A place that a model names: as it is written there, what it is read as, and how it was found."""

    name: str
    source: Source
    linked_by: LinkedBy


@dataclass(frozen=True, slots=True)
class NamedParent:
    """A model that this one was made from, and how."""

    named: Named
    relation: Relation


@dataclass(frozen=True, slots=True)
class LinkDraft:
    """A link before the artifact that states it has an id."""

    relation: Relation
    target_key: str
    target_name: str
    linked_by: LinkedBy

    @classmethod
    def to(cls, relation: Relation, named: Named, moved: Mapping[str, str]) -> "LinkDraft":
        """A link to a named place, under the key that `moved` says its stated one stands for."""
        key = named.source.key
        return cls(relation, moved.get(key, key), named.name, named.linked_by)

    def of(self, artifact_id: str) -> Link:
        """The link as stated by an artifact."""
        return Link(artifact_id, self.relation, self.target_key, self.target_name, self.linked_by)


def stated_datasets(record: ModelRecord) -> list[Named]:
    """Datasets by the card's `datasets:`, then by the hub's tags, in order, each once."""
    stated = [(name, LinkedBy.CARD_METADATA) for name in record.card.datasets]
    tagged = [(tag.removeprefix("dataset:"), LinkedBy.HUB_TAG) for tag in record.tags if tag.startswith("dataset:")]
    return list(_named(ArtifactType.DATASET, [*stated, *tagged]))


def stated_parents(record: ModelRecord, config: Mapping[str, Any], files: Sequence[RepoFile]) -> list[NamedParent]:
    """Parents by the card's `base_model:`, then by the hub's tags, else by what the configuration was saved from.

    The relation is the one that the card or a tag tells. Where none does it is read off the files; a card's
    `base_model` without further sign is a fine-tune, as the hub itself has it, while a configuration only says that
    weights were loaded from there.
    """
    told = dict(_told_by_tags(record.tags))
    stated = [(name, LinkedBy.CARD_METADATA) for name in record.card.base_models]
    tagged = [(name, LinkedBy.HUB_TAG) for name in told]
    parents = [named for named in _named(ArtifactType.MODEL, [*stated, *tagged]) if not _same(named.name, record.id)]
    if not parents:
        saved_from = [(name, LinkedBy.CONFIG_JSON) for name in _saved_from(record.id, config)]
        parents = list(_named(ArtifactType.MODEL, saved_from))
    by_card = _TOLD_RELATIONS.get(record.card.base_model_relation or "")
    by_files = _relation_by_files(record, config, files, merged=len(parents) > 1)
    return [NamedParent(named, by_card or told.get(named.name) or by_files or _by_default(named)) for named in parents]


def _by_default(named: Named) -> Relation:
    return Relation.BASE_MODEL if named.linked_by is LinkedBy.CONFIG_JSON else Relation.FINE_TUNED_FROM


def _told_by_tags(tags: Iterable[str]) -> Iterator[tuple[str, Relation | None]]:
    """Names in tags such as `base_model:owner/name` and `base_model:quantized:owner/name`; the latter come last."""
    stated = [tag.removeprefix("base_model:") for tag in tags if tag.startswith("base_model:")]
    for rest in sorted(stated, key=lambda rest: ":" in rest):
        word, colon, name = rest.partition(":")
        yield (name, _TOLD_RELATIONS.get(word)) if colon else (rest, None)


def _relation_by_files(
    record: ModelRecord, config: Mapping[str, Any], files: Sequence[RepoFile], *, merged: bool
) -> Relation | None:
    """What the files and tags give away, None when they say nothing."""
    names = {file.path.rsplit("/", 1)[-1].lower() for file in files}
    tags = {tag.lower() for tag in record.tags}
    if "adapter_config.json" in names:
        return Relation.ADAPTER
    if merged or "mergekit_config.yml" in names or "mergekit" in tags:
        return Relation.MERGE
    converted = any(name.endswith((".gguf", ".onnx")) for name in names)
    original = any(re.search(r"(?:model|weights).*\.(?:safetensors|bin|pt|pth|h5)$", name) for name in names)
    if "quantization_config" in config or tags & {"gptq", "awq", "exl2"} or (converted and not original):
        return Relation.QUANTIZED
    return None


_LOCAL_FOLDERS = frozenset({"checkpoint", "checkpoints", "data", "home", "mnt", "model", "models", "output", "outputs",
                            "result", "results", "root", "runs", "tmp", "weights", "workspace"})  # fmt: skip


def _saved_from(own_id: str, config: Mapping[str, Any]) -> Iterator[str]:
    """The hub id a configuration was loaded from; a local path and the model itself are none."""
    for field in ("base_model_name_or_path", "_name_or_path"):
        value = config.get(field)
        if not isinstance(value, str) or not re.fullmatch(r"[\w.-]+/[\w.-]+", value, re.ASCII):
            continue
        owner, _, name = value.partition("/")
        if owner.lower() in _LOCAL_FOLDERS or name.lower().startswith("checkpoint-") or owner in {".", ".."}:
            continue
        if not _same(value, own_id):
            yield value
            return


def _same(name: str, own_id: str) -> bool:
    """Whether `name` is the model itself, under its id or under its bare name."""
    own = own_id.lower()
    return name.lower() in {own, own.rpartition("/")[2]}


def _named(kind: ArtifactType, stated: Iterable[tuple[str, LinkedBy]]) -> Iterator[Named]:
    """Read each stated name as a place on the hub, each place once; what is no hub name is passed over."""
    seen = set()
    for name, linked_by in stated:
        folder = "datasets/" if kind is ArtifactType.DATASET else ""
        url = name if name.startswith("https://") else f"{_HUB}/{folder}{name}"
        try:
            source = identify(kind, url)
        except InvalidInput:
            continue
        if source.key not in seen:
            seen.add(source.key)
            yield Named(source.repo if source.host is Host.HUGGINGFACE else name, source, linked_by)


_WORD = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._/-]*[A-Za-z0-9])?")
_SHAPED = re.compile(r"[-_/0-9]|[a-z][A-Z]")
_SHORTEST_NAME = 4
_EVERYDAY = frozenset(
    {"about", "also", "base", "based", "been", "best", "both", "card", "code", "config", "data", "dataset",
     "datasets", "each", "evaluation", "example", "examples", "file", "files", "from", "have", "into",
     "language", "large", "license", "main", "model", "models", "more", "only", "other", "paper", "results",
     "same", "sample", "small", "some", "such", "task", "test", "text", "than", "that", "their", "them",
     "then", "these", "they", "this", "tiny", "tokenizer", "train", "training", "used", "using", "version",
     "were", "when", "where", "which", "with", "your"}
)  # fmt: skip


def is_telling(name: str) -> bool:
    """Whether a name is long and unusual enough for a mention of it to mean anything."""
    return len(name) >= _SHORTEST_NAME and name.lower() not in _EVERYDAY


_LONG_NAME = 8


def is_distinctive(name: str) -> bool:
    """Whether a name can hardly mean anything but this: an identifier, or a long word.

    Cards name the architecture they build on (`bert`) without meaning the repository of that name.
    """
    return is_telling(name) and (bool(_SHAPED.search(name)) or len(name) >= _LONG_NAME)


def mentions(card: str, name: str) -> bool:
    """Whether a card names an artifact, as a word of its own and in any case."""
    if not is_telling(name):
        return False
    return re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", card, re.IGNORECASE) is not None


def mentioned_names(card: str, stated: Iterable[str]) -> list[str]:
    """Words of a card that an artifact might be called, at most `MAX_NAMES`, the likeliest first.

    First come the stated names and their last parts, then words that look like identifiers (`bert-base`, `BookCorpus`),
    then the others in the order of the text. A word with capitals is also given in lower case.
    """
    words = list(dict.fromkeys(_WORD.findall(card)))
    parts = [part for word in words for part in ({word, word.rpartition("/")[2]} if "/" in word else {word})]
    shaped = [word for word in parts if _SHAPED.search(word)]
    plain = [word for word in parts if not _SHAPED.search(word)]
    from_metadata = [variant for name in stated for variant in (name, name.rpartition("/")[2])]
    ordered = [*from_metadata, *shaped, *plain]
    both = (variant for word in ordered for variant in (word, word.lower()))
    return [word for word in dict.fromkeys(both) if is_telling(word)][:MAX_NAMES]

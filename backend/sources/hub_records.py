"""Records of the Hugging Face hub as evidence."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from backend.sources.cards import card_data, dataset_info
from backend.sources.loose import clean, count, mapping, moment, objects, text, texts
from metrics.evidence import DatasetRecord, HubCommit, ModelRecord, RepoFile

if TYPE_CHECKING:  # huggingface_hub takes 140 ms to import, which a start should not pay
    from huggingface_hub import CardData, DatasetInfo, ModelInfo
    from huggingface_hub.hf_api import RepoSibling


def model_record(info: "ModelInfo") -> ModelRecord:
    """A model's record."""
    head = _head(info.card_data)
    return ModelRecord(
        id=info.id,
        author=text(info.author),
        sha=text(info.sha),
        created_at=moment(info.created_at),
        last_modified=moment(info.last_modified),
        downloads=count(info.downloads),
        likes=count(info.likes),
        pipeline_tag=text(info.pipeline_tag) or text(head.get("pipeline_tag")),
        library_name=text(info.library_name) or text(head.get("library_name")),
        tags=texts(info.tags),
        gated=bool(info.gated),
        card=card_data(head, info.model_index),
        parameters=count(info.safetensors.total) or None if info.safetensors else None,
    )


def dataset_record(info: "DatasetInfo") -> DatasetRecord:
    """A dataset's record; figures come from its card's `dataset_info`, categories also from its tags."""
    head = _head(info.card_data)
    splits, features, rows = dataset_info(head)
    tags = texts(info.tags)
    return DatasetRecord(
        id=info.id,
        author=text(info.author),
        sha=text(info.sha),
        last_modified=moment(info.last_modified),
        downloads=count(info.downloads),
        likes=count(info.likes),
        tags=tags,
        gated=bool(info.gated),
        licenses=texts(head.get("license")) or _tagged(tags, "license"),
        languages=texts(head.get("language")) or _tagged(tags, "language"),
        size_categories=texts(head.get("size_categories")) or _tagged(tags, "size_categories"),
        task_categories=texts(head.get("task_categories")) or _tagged(tags, "task_categories"),
        splits=splits or _index_splits(head.get("train-eval-index")),
        features=features,
        rows=rows,
        description=text(info.description) or "",
    )


def files(siblings: "Iterable[RepoSibling] | None", folder: str) -> tuple[RepoFile, ...]:
    """The files under `folder`, with paths from there; a digest that is not one is left out."""
    prefix = f"{folder}/" if folder else ""
    found = []
    for sibling in siblings or ():
        if not sibling.rfilename.startswith(prefix):
            continue
        lfs = sibling.lfs
        size = count(sibling.size) or (count(lfs.size) if lfs else 0)
        sha256 = _digest(lfs.sha256, 64) if lfs else None
        git_sha1 = None if lfs else _digest(sibling.blob_id, 40)
        found.append(RepoFile(clean(sibling.rfilename.removeprefix(prefix)), size, sha256, git_sha1))
    return tuple(found)


def hub_commits(answer: Any) -> tuple[HubCommit, ...]:
    """The commits of one page, newest first."""
    return tuple(
        HubCommit(
            id=text(commit.get("id")) or "",
            authors=tuple(name for author in objects(commit.get("authors")) if (name := text(author.get("user")))),
            date=moment(commit.get("date")),
            title=text(commit.get("title")) or "",
        )
        for commit in objects(answer)
    )


def _head(card: "CardData | None") -> Mapping[str, Any]:
    return mapping(card.to_dict()) if card else {}  # type: ignore[no-untyped-call]


def _tagged(tags: Iterable[str], kind: str) -> tuple[str, ...]:
    return tuple(tag.removeprefix(f"{kind}:") for tag in tags if tag.startswith(f"{kind}:"))


def _index_splits(index: Any) -> tuple[str, ...]:
    """Split names of a `train-eval-index`, which older cards have in place of `dataset_info`."""
    named = [name for entry in objects(index) for name in mapping(entry.get("splits")).values()]
    return texts(named)


def _digest(value: Any, length: int) -> str | None:
    """A digest in lower-case hex, None where `value` is anything else."""
    found = (text(value) or "").lower()
    return found if len(found) == length and set(found) <= set("0123456789abcdef") else None

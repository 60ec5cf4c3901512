"""What a URL file asks for: one model a line, with the code and the dataset that belong to it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from backend.domain.errors import InvalidInput
from backend.domain.source import ArtifactType, Source
from backend.sources.identify import identify

SHAPE = "write `code_url, dataset_url, model_url`, where the first two may be empty, or a model's URL alone"
_ALONE = 1
_FULL = 3


class Unreadable(Exception):
    """The URL file cannot be read; the text says which and what to do."""


@dataclass(frozen=True, slots=True)
class Linked:
    """A dataset or code repository that a line names: its URL as written, and where that leads."""

    kind: ArtifactType
    url: str
    source: Source


@dataclass(frozen=True, slots=True)
class Order:
    """One model to rate; `line` counts from 1."""

    line: int
    url: str
    source: Source
    dataset: Linked | None = None
    code: Linked | None = None


@dataclass(frozen=True, slots=True)
class Malformed:
    """A line that asks for nothing that can be rated, and what is wrong with it."""

    line: int
    why: str


def read_orders(place: str) -> list[Order | Malformed]:
    """The orders of a file, or the one that `place` itself spells, where it is a URL.

    Raises:
        Unreadable: there is no such file, or it holds no text.
    """
    return list(parse_orders(place if "://" in place else _text_of(Path(place))))


def _text_of(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise Unreadable(f"{file} does not exist: give a file with one model a line, or a model's URL") from None
    except OSError as error:
        raise Unreadable(f"{file} cannot be read: {error.strerror}; give a file with one model a line") from None
    except UnicodeDecodeError:
        raise Unreadable(f"{file} is not text in UTF-8: save it as that") from None


def parse_orders(text: str) -> Iterator[Order | Malformed]:
    """What each line asks for; blank lines and lines that start with # ask for nothing."""
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip() and not line.lstrip().startswith("#"):
            try:
                yield _order(number, line)
            except InvalidInput as wrong:
                yield Malformed(number, str(wrong))


def _order(number: int, line: str) -> Order:
    fields = [field.strip() for field in line.split(",")]
    if len(fields) == _ALONE:
        fields = ["", "", *fields]
    if len(fields) != _FULL:
        raise InvalidInput(f"it has {len(fields)} fields; {SHAPE}")
    code, dataset, model = fields
    if not model:
        raise InvalidInput(f"it names no model; {SHAPE}")
    return Order(
        number,
        model,
        _source(ArtifactType.MODEL, model),
        dataset=_linked(ArtifactType.DATASET, dataset),
        code=_linked(ArtifactType.CODE, code),
    )


def _linked(kind: ArtifactType, url: str) -> Linked | None:
    return Linked(kind, url, _source(kind, url)) if url else None


def _source(kind: ArtifactType, url: str) -> Source:
    try:
        return identify(kind, url)
    except InvalidInput as wrong:
        why = wrong.fields[0].message if wrong.fields else str(wrong)
        raise InvalidInput(f"its {kind} {url!r} {why}") from None

"""Listings with filters and an order of their own: which artifacts are in, where each stands, and where to go on."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from backend.domain.artifact import Artifact
from backend.domain.errors import InvalidInput
from backend.domain.instants import instant
from backend.domain.rating import NET_SCORE
from backend.domain.source import ArtifactType

LARGEST_NUMBER = 2**63 - 1
"""What every store can hold a value against."""

Scores = Mapping[str, float]
Value: TypeAlias = str | int | float | None


class Sort(StrEnum):
    """What a listing is ordered by."""

    ID = "id"
    NAME = "name"
    CREATED_AT = "created_at"
    NET_SCORE = "net_score"
    SIZE = "size"


_TYPE_OF_VALUE: Mapping[Sort, type | tuple[type, ...]] = {
    Sort.ID: str,
    Sort.NAME: str,
    Sort.CREATED_AT: int,
    Sort.NET_SCORE: (int, float, type(None)),
    Sort.SIZE: (int, type(None)),
}


@dataclass(frozen=True, slots=True)
class ScoreRange:
    """A metric, or `net_score`, with the least and the most it may be, both included; None is no bound."""

    metric: str
    least: float | None = None
    most: float | None = None

    def holds(self, scores: Scores) -> bool:
        """Whether the metric was rated, within the bounds."""
        score = scores.get(self.metric)
        return (
            score is not None
            and (self.least is None or score >= self.least)
            and (self.most is None or score <= self.most)
        )


@dataclass(frozen=True, slots=True)
class Place:
    """Where an artifact stands in an order: its value there, and its id where values are the same."""

    value: Value
    id: str


@dataclass(frozen=True, slots=True)
class Listing:
    """What a listing holds, each None or empty where it does not matter, and its order.

    `name` is exact; `text` is a part of the name in any case; `license` is a whole SPDX expression in any case;
    `created_from` is included, `created_before` is not. Artifacts that have no value to be ordered by come last in
    either direction.
    """

    types: frozenset[ArtifactType] = frozenset()
    name: str | None = None
    text: str | None = None
    license: str | None = None
    owner: str | None = None
    created_from: datetime | None = None
    created_before: datetime | None = None
    scores: tuple[ScoreRange, ...] = ()
    sort: Sort = Sort.ID
    descending: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether it is every artifact of the types, by ascending id."""
        return self == Listing(self.types)

    def selects(self, artifact: Artifact, scores: Scores) -> bool:
        """Whether an artifact with these scores is in."""
        return (
            (not self.types or artifact.type in self.types)
            and self.name in {None, artifact.name}
            and (self.text is None or folded(self.text) in folded(artifact.name))
            and (self.license is None or (artifact.license or "").lower() == self.license.lower())
            and self.owner in {None, artifact.owner}
            and (self.created_from is None or artifact.created_at >= self.created_from)
            and (self.created_before is None or artifact.created_at < self.created_before)
            and all(each.holds(scores) for each in self.scores)
        )

    def place_of(self, artifact: Artifact, scores: Scores) -> Place:
        """Where an artifact with these scores stands."""
        value: Value
        match self.sort:
            case Sort.ID:
                value = artifact.id
            case Sort.NAME:
                value = artifact.name
            case Sort.CREATED_AT:
                value = instant(artifact.created_at)
            case Sort.NET_SCORE:
                value = scores.get(NET_SCORE)
            case Sort.SIZE:
                value = artifact.size_bytes
        return Place(value, artifact.id)

    def mark(self, place: Place) -> str:
        """The text from which this listing goes on behind a place."""
        return json.dumps([self.sort, self.descending, place.value, place.id])

    def marked(self, text: str | None) -> Place | None:
        """The place that `mark` wrote down; None at the start.

        Raises:
            InvalidInput: the text is none of this order's.
        """
        if text is None:
            return None
        try:
            sort, descending, value, artifact_id = json.loads(text)
            f"{value}{artifact_id}".encode()
        except (ValueError, TypeError, RecursionError):
            sort, descending, value, artifact_id = None, None, None, None
        fits = isinstance(value, _TYPE_OF_VALUE[self.sort]) and isinstance(artifact_id, str)
        small = isinstance(value, str) or value is None or abs(value) <= LARGEST_NUMBER
        if (sort, descending, fits and small) != (self.sort, self.descending, True):
            raise InvalidInput.field("offset", "belongs to a listing of another order; leave it out for the first page")
        return Place(value, artifact_id)


def folded(name: str) -> str:
    """A name as its parts are looked for."""
    return name.casefold()

"""Lineage: the graph of a model's family, and of what stands around it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from backend.domain.artifact import Artifact, Link, Relation
from backend.domain.source import ArtifactType
from metrics.evidence import LinkedBy


class Include(StrEnum):
    """What a graph may show beyond registered models."""

    EXTERNAL = "external"
    """Parents that are not registered."""
    DATASETS = "datasets"
    CODE = "code"


class Role(StrEnum):
    """What a dataset or a repository is to the model that names it."""

    TRAINING_DATASET = "training_dataset"
    EVALUATION_DATASET = "evaluation_dataset"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class Edge:
    """A parent, its child, and what the parent is to the child."""

    parent_id: str
    child_id: str
    relation: Relation | Role


@dataclass(frozen=True, slots=True)
class Neighbour:
    """What a member names and is no member itself: a dataset, a repository, or a parent that is not registered.

    `id` is the artifact's where it is registered, else one made of the place it stands for. `found_by` is the
    strongest way (a `LinkedBy` value) it was found.
    """

    id: str
    name: str
    kind: ArtifactType
    url: str
    commit: str | None
    registered: bool
    found_by: str


@dataclass(frozen=True, slots=True)
class Family:
    """All registered models that are connected, by id, with the links each was found by, and their neighbours, by id.

    Edges are ordered by parent, child and relation, those to neighbours among them.
    """

    members: Sequence[Artifact]
    edges: Sequence[Edge]
    found_by: dict[str, str]
    """Member id -> the strongest way (a `LinkedBy` value) its link to a parent was found, or for a root its children's.

    A model that stands alone is not in it.
    """
    neighbours: Sequence[Neighbour] = ()


_STRENGTH = list(LinkedBy)


def strength(link: Link) -> int:
    """How surely a link was found, as a place in a row: 0 is the surest."""
    return _STRENGTH.index(link.linked_by)


def in_order(edges: Iterable[Edge]) -> list[Edge]:
    """Each edge once, by parent, child and relation."""
    return sorted(set(edges), key=lambda edge: (edge.parent_id, edge.child_id, edge.relation))

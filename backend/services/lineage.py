"""The family of a model: registered ancestors and descendants, the same graph seen from each of its members."""

from collections.abc import Sequence
from dataclasses import dataclass

from backend.domain.artifact import PARENT_RELATIONS, Artifact, Link, Relation
from backend.domain.errors import NotFound
from backend.domain.source import ArtifactType
from backend.domain.user import User
from backend.storage.base import Catalog
from metrics.evidence import LinkedBy

MAX_MEMBERS = 2_000
"""A family larger than this is cut there: the graph is for people, and a request must end."""


@dataclass(frozen=True, slots=True)
class Edge:
    """A parent, its child, and what the parent is to the child."""

    parent_id: str
    child_id: str
    relation: Relation


@dataclass(frozen=True, slots=True)
class Family:
    """All registered models that are connected, by id, with the links each was found by."""

    members: Sequence[Artifact]
    edges: Sequence[Edge]
    found_by: dict[str, str]
    """Member id -> the strongest way (a `LinkedBy` value) its link to a parent was found, or for a root its children's.

    A model that stands alone is not in it.
    """


class Lineage:
    """Lineage graphs."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    async def of(self, viewer: User, artifact_id: str) -> Family:
        """The connected graph around one registered model.

        Raises:
            NotFound: there is no such model.
        """
        start = await self._catalog.get(viewer, ArtifactType.MODEL, artifact_id)
        if start is None:
            raise NotFound(f"there is no model with id {artifact_id}")
        members = {start.id: start}
        links: dict[tuple[str, str, Relation], Link] = {}
        frontier = [start]
        while frontier and len(members) < MAX_MEMBERS:
            found = await self._neighbours(viewer, frontier, links)
            frontier = [model for model in found if model.id not in members]
            members.update((model.id, model) for model in frontier)
        return _family(members, list(links.values()))

    async def _neighbours(
        self, viewer: User, models: Sequence[Artifact], links: dict[tuple[str, str, Relation], Link]
    ) -> list[Artifact]:
        """Parents and children one step away; adds the links walked to `links`."""
        up = await self._catalog.links_from([model.id for model in models])
        parent_links = [link for link in up if link.relation in PARENT_RELATIONS]
        down = await self._catalog.links_to([model.source.key for model in models], sorted(PARENT_RELATIONS))
        for link in (*parent_links, *down):
            links[link.artifact_id, link.target_key, link.relation] = link
        parents = await self._catalog.by_keys(viewer, sorted({link.target_key for link in parent_links}))
        children = await self._catalog.by_ids(viewer, sorted({link.artifact_id for link in down}))
        return [model for model in (*parents, *children) if model.type is ArtifactType.MODEL]


STRENGTH = list(LinkedBy)
"""The ways a link is found, strongest first."""


def _family(members: dict[str, Artifact], links: Sequence[Link]) -> Family:
    """Lay the graph out so that it does not matter in which order it was walked."""
    by_key = {model.source.key: model.id for model in members.values()}
    inside = [
        (parent, link)
        for link in sorted(links, key=lambda link: STRENGTH.index(link.linked_by))
        if (parent := by_key.get(link.target_key)) and link.artifact_id in members and parent != link.artifact_id
    ]
    found_by: dict[str, str] = {}
    for _, link in inside:
        found_by.setdefault(link.artifact_id, link.linked_by.value)
    for parent, link in inside:
        found_by.setdefault(parent, link.linked_by.value)
    edges = {Edge(parent, link.artifact_id, link.relation) for parent, link in inside}
    ordered = [members[member] for member in sorted(members)]
    return Family(ordered, sorted(edges, key=lambda edge: (edge.parent_id, edge.child_id, edge.relation)), found_by)

"""The family of a model: registered ancestors and descendants, the same graph seen from each of its members."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from backend.domain.artifact import PARENT_RELATIONS, Artifact, Link, Relation
from backend.domain.errors import NotFound
from backend.domain.lineage import Edge, Family, Include, in_order, strength
from backend.domain.source import ArtifactType
from backend.domain.user import User
from backend.services.neighbourhood import ties, with_neighbours
from backend.storage.base import Catalog
from metrics.evidence import CardData

MAX_MEMBERS = 2_000
"""A family larger than this is cut there: the graph is for people, and a request must end."""
RELATIONS: dict[Include, frozenset[Relation]] = {
    Include.EXTERNAL: PARENT_RELATIONS,
    Include.DATASETS: frozenset({Relation.DATASET}),
    Include.CODE: frozenset({Relation.CODE}),
}
"""The links to follow for each thing to include."""


class Lineage:
    """Lineage graphs."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    async def of(self, viewer: User, artifact_id: str, include: Collection[Include] = ()) -> Family:
        """The connected graph around one registered model, with its neighbours of the kinds to include.

        Neighbours are those of each member, so the graph is the same whichever member is asked; it does not go on
        beyond them.

        Raises:
            NotFound: there is no such model.
        """
        start = await self._catalog.get(viewer, ArtifactType.MODEL, artifact_id)
        if start is None:
            raise NotFound(f"there is no model with id {artifact_id}")
        walk = _Walk()
        frontier = walk.add([start])
        while frontier and len(walk.members) < MAX_MEMBERS:
            frontier = walk.add(await self._step(viewer, frontier, walk))
        family = _family(walk)
        return await self._with_neighbours(viewer, family, include) if include else family

    async def _step(self, viewer: User, models: Sequence[Artifact], walk: "_Walk") -> list[Artifact]:
        """Parents and children one step away that the walk has not met; it keeps the links that lead there.

        Asks for nothing that is known: a chain is as many steps as it is long.
        """
        up = await self._catalog.links_from([model.id for model in models])
        parent_links = [link for link in up if link.relation in PARENT_RELATIONS]
        down = await self._catalog.links_to([model.source.key for model in models], sorted(PARENT_RELATIONS))
        walk.links.update(((link.artifact_id, link.target_key, link.relation), link) for link in (*parent_links, *down))
        keys = {link.target_key for link in parent_links} - walk.ids.keys()
        ids = {link.artifact_id for link in down} - walk.members.keys()
        parents = await self._catalog.by_keys(viewer, sorted(keys)) if keys else []
        children = await self._catalog.by_ids(viewer, sorted(ids)) if ids else []
        return [model for model in (*parents, *children) if model.type is ArtifactType.MODEL]

    async def _with_neighbours(self, viewer: User, family: Family, include: Collection[Include]) -> Family:
        """The family with what its members name beside each other."""
        members = [member.id for member in family.members]
        followed = frozenset[Relation]().union(*(RELATIONS[each] for each in include))
        links = [link for link in await self._catalog.links_from(members) if link.relation in followed]
        cards = await self._cards(members) if Include.DATASETS in include else {}
        tied = ties(links, cards)
        registered = await self._catalog.by_keys(viewer, sorted({tie.link.target_key for tie in tied}))
        return with_neighbours(family, tied, registered)

    async def _cards(self, model_ids: Iterable[str]) -> dict[str, CardData]:
        """The cards of models as they were read for their ratings, by model id."""
        ratings = [await self._catalog.rating(model_id) for model_id in model_ids]
        records = {stored.artifact_id: stored.evidence.model.value for stored in ratings if stored is not None}
        return {model_id: record.card for model_id, record in records.items() if record is not None}


@dataclass(slots=True)
class _Walk:
    """What has been met of a family so far."""

    members: dict[str, Artifact] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    """Source key -> id of the member."""
    links: dict[tuple[str, str, Relation], Link] = field(default_factory=dict)

    def add(self, models: Sequence[Artifact]) -> list[Artifact]:
        """Take models in, and give those that were not members."""
        new = {model.id: model for model in models if model.id not in self.members}
        self.members.update(new)
        self.ids.update((model.source.key, model.id) for model in new.values())
        return list(new.values())


def _family(walk: _Walk) -> Family:
    """Lay the graph out so that it does not matter in which order it was walked."""
    inside = [
        (parent, link)
        for link in sorted(walk.links.values(), key=strength)
        if (parent := walk.ids.get(link.target_key)) and link.artifact_id in walk.members and parent != link.artifact_id
    ]
    found_by: dict[str, str] = {}
    for _, link in inside:
        found_by.setdefault(link.artifact_id, link.linked_by.value)
    for parent, link in inside:
        found_by.setdefault(parent, link.linked_by.value)
    edges = in_order(Edge(parent, link.artifact_id, link.relation) for parent, link in inside)
    return Family(sorted(walk.members.values(), key=lambda model: model.id), edges, found_by)

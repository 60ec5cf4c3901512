"""What an artifact costs to take home: megabytes, alone and with everything it depends on."""

from collections.abc import Mapping
from dataclasses import dataclass

from backend.domain.artifact import Artifact
from backend.domain.errors import NotFound
from backend.domain.source import ArtifactType
from backend.domain.user import User
from backend.storage.base import Catalog

MEGABYTE = 1_000_000
MAX_DEPENDENCIES = 2_000
"""A closure larger than this is cut there, so that a request ends."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Download size in megabytes (10^6 bytes): `standalone` of the artifact's own files, `total` of its closure."""

    standalone: float
    total: float


class Costs:
    """Download costs."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    async def of(self, viewer: User, kind: ArtifactType, artifact_id: str, *, dependencies: bool) -> Mapping[str, Cost]:
        """Cost by artifact id: of this one, and with `dependencies` of each registered artifact it depends on.

        An artifact whose size its source does not state counts as 0.

        Raises:
            NotFound: there is no such artifact.
        """
        root = await self._catalog.get(viewer, kind, artifact_id)
        if root is None:
            raise NotFound(f"there is no {kind} with id {artifact_id}")
        if not dependencies:
            alone = _megabytes(root)
            return {root.id: Cost(alone, alone)}
        needed, needs = await self._closure(viewer, root)
        return {
            artifact.id: Cost(_megabytes(artifact), sum(_megabytes(needed[i]) for i in _reach(artifact.id, needs)))
            for artifact in needed.values()
        }

    async def _closure(self, viewer: User, root: Artifact) -> tuple[dict[str, Artifact], dict[str, set[str]]]:
        """Every artifact reachable over links, and who needs whom directly."""
        needed = {root.id: root}
        needs: dict[str, set[str]] = {}
        frontier = [root]
        while frontier and len(needed) < MAX_DEPENDENCIES:
            links = await self._catalog.links_from([artifact.id for artifact in frontier])
            targets = await self._catalog.by_keys(viewer, sorted({link.target_key for link in links}))
            by_key: dict[str, list[Artifact]] = {}
            for target in targets:
                by_key.setdefault(target.source.key, []).append(target)
            for link in links:
                wanted = {target.id for target in by_key.get(link.target_key, []) if target.id != link.artifact_id}
                needs.setdefault(link.artifact_id, set()).update(wanted)
            frontier = [target for target in targets if target.id not in needed]
            needed.update((target.id, target) for target in frontier)
        return needed, needs


def _reach(start: str, needs: Mapping[str, set[str]]) -> set[str]:
    """Everything reachable from `start`, itself included, each once."""
    reached = {start}
    frontier = [start]
    while frontier:
        for following in needs.get(frontier.pop(), ()):
            if following not in reached:
                reached.add(following)
                frontier.append(following)
    return reached


def _megabytes(artifact: Artifact) -> float:
    return (artifact.size_bytes or 0) / MEGABYTE

"""Lineage graphs on the wire."""

from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, StringConstraints

from backend.api.schemas import ArtifactId
from backend.domain.lineage import Family, Include

_ANY_INCLUDE = "|".join(Include)
Inclusion = Annotated[str, StringConstraints(pattern=rf"^({_ANY_INCLUDE})(,({_ANY_INCLUDE}))*$", max_length=100)]
INCLUDE = Query(
    description="What to show beyond registered models, separated by commas: `external` parents, `datasets`, `code`."
)


class LineageNode(BaseModel):
    """A model in the graph, or what it names; `metadata.registered` tells whether this registry has it."""

    artifact_id: ArtifactId
    name: str
    source: str
    metadata: dict[str, Any]


class LineageEdge(BaseModel):
    """From parent to child."""

    from_node_artifact_id: ArtifactId
    to_node_artifact_id: ArtifactId
    relationship: str


class LineageGraph(BaseModel):
    """The connected graph of registered models, and where asked for what stands around it."""

    nodes: list[LineageNode]
    edges: list[LineageEdge]


def show_family(family: Family) -> LineageGraph:
    """Lay a graph out: members first, then their neighbours."""
    members = [
        LineageNode(
            artifact_id=model.id,
            name=model.name,
            source=family.found_by.get(model.id, "registration"),
            metadata={"repository_url": model.url, "sha": model.commit, "registered": True},
        )
        for model in family.members
    ]
    neighbours = [
        LineageNode(
            artifact_id=each.id,
            name=each.name,
            source=each.found_by,
            metadata={
                "repository_url": each.url,
                "sha": each.commit,
                "registered": each.registered,
                "type": each.kind,
            },
        )
        for each in family.neighbours
    ]
    edges = [
        LineageEdge(from_node_artifact_id=e.parent_id, to_node_artifact_id=e.child_id, relationship=e.relation)
        for e in family.edges
    ]
    return LineageGraph(nodes=[*members, *neighbours], edges=edges)

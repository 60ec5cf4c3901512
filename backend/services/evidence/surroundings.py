"""What a model belongs to: links given, stated and presented, and what is registered here under their names."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from backend.domain.artifact import Artifact, Relation
from backend.domain.page import MAX_LIMIT, NameQuery
from backend.domain.source import ArtifactType, Host, Source
from backend.domain.user import User
from backend.services.evidence.code_links import code_in_card
from backend.services.evidence.links import (
    LinkDraft,
    Named,
    NamedParent,
    is_distinctive,
    mentioned_names,
    stated_datasets,
    stated_parents,
)
from backend.services.evidence.model import ModelFacts
from backend.storage.base import Catalog
from metrics.evidence import LinkedBy, ParentEvidence

_MENTIONS_KEPT = 10
_LINKS_KEPT = 50


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a model names, the likeliest first, and which of it is registered."""

    datasets: Sequence[Named]
    code: Sequence[Named]
    parents: Sequence[NamedParent]
    registered: Sequence[Artifact]


def given(source: Source | None) -> tuple[Named, ...]:
    """A link given at registration, as a candidate."""
    if source is None:
        return ()
    return (Named(source.repo, source, LinkedBy.REGISTRATION),)


async def look_around(
    catalog: Catalog, viewer: User, facts: ModelFacts, dataset: Sequence[Named], code: Sequence[Named]
) -> Surroundings:
    """Put given links first, then the card's metadata, its text, and last what is registered here and mentioned.

    Of several datasets in the metadata those that are registered come first: theirs is the link people can follow.
    """
    record, card = facts.model.record, facts.card.otherwise("")
    stated = stated_datasets(record)
    parents = stated_parents(record, facts.config.otherwise({}), facts.model.files)
    presented = code_in_card(card, record)
    keys = [named.source.key for named in (*stated, *(parent.named for parent in parents))]
    registered, mentioned = await asyncio.gather(
        catalog.by_keys(viewer, keys),
        _mentioned(catalog, viewer, mentioned_names(card, [named.name for named in stated])),
    )
    return Surroundings(
        [*dataset, *_registered_first(stated, [*registered, *mentioned]), *_mentions(ArtifactType.DATASET, mentioned)],
        [*code, *([presented] if presented else []), *_mentions(ArtifactType.CODE, mentioned)],
        parents,
        registered,
    )


def links(around: Surroundings, parents: Sequence[ParentEvidence], moved: Mapping[str, str]) -> tuple[LinkDraft, ...]:
    """Every link worth keeping, each place once for each relation.

    `moved` gives the key that a stated one turned out to stand for; what was not asked keeps the key it was stated by.
    """
    drafts = [LinkDraft.to(Relation.DATASET, named, moved) for named in around.datasets]
    drafts += [LinkDraft.to(Relation.CODE, named, moved) for named in around.code]
    seen = {parent.name: parent.key for parent in parents}
    for parent in around.parents:
        turned_out = {parent.named.source.key: seen.get(parent.named.name, parent.named.source.key)}
        drafts.append(LinkDraft.to(parent.relation, parent.named, turned_out))
    unique: dict[tuple[Relation, str], LinkDraft] = {}
    for draft in drafts:
        unique.setdefault((draft.relation, draft.target_key), draft)
    return tuple(unique.values())[:_LINKS_KEPT]


async def _mentioned(catalog: Catalog, viewer: User, names: Sequence[str]) -> list[Artifact]:
    """Registered datasets and code that go by one of these names, in the order of the names."""
    if not names:
        return []
    kinds = frozenset({ArtifactType.DATASET, ArtifactType.CODE})
    page = await catalog.page(viewer, [NameQuery(name, kinds) for name in names], after=None, limit=MAX_LIMIT)
    rank = {name: place for place, name in enumerate(names)}
    likeliest = sorted(page.items, key=lambda one: (rank[one.name], one.id))[:_MENTIONS_KEPT]
    found = await asyncio.gather(*(catalog.get(viewer, one.type, one.id) for one in likeliest))
    return [artifact for artifact in found if artifact is not None]


def _mentions(kind: ArtifactType, mentioned: Sequence[Artifact]) -> Iterator[Named]:
    for artifact in mentioned:
        if artifact.type is kind and (kind is not ArtifactType.CODE or is_distinctive(artifact.name)):
            yield Named(artifact.name, artifact.source, LinkedBy.NAME_MENTION)


def _registered_first(stated: Sequence[Named], artifacts: Sequence[Artifact]) -> list[Named]:
    """Stated datasets with those ahead that are registered; a bare name takes a registered dataset's full one."""
    sources = [artifact.source for artifact in artifacts if artifact.type is ArtifactType.DATASET]
    known = {source.key: source for source in sources}
    by_name = {source.short_name.lower(): source for source in sources if source.host is Host.HUGGINGFACE}
    ahead: list[Named] = []
    behind: list[Named] = []
    for named in stated:
        bare = "/" not in named.source.repo
        source = known.get(named.source.key) or (by_name.get(named.source.repo.lower()) if bare else None)
        (ahead if source else behind).append(replace(named, source=source or named.source))
    return [*ahead, *behind]

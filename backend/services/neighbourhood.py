"""What stands around a family of models, decided from their links and cards: outside parents, datasets and code."""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from backend.domain.artifact import Artifact, Link, Relation
from backend.domain.lineage import Edge, Family, Neighbour, Role, in_order, strength
from backend.domain.source import ArtifactType, Host, Source
from metrics.evidence import CardData, LinkedBy

KINDS = {Relation.DATASET: ArtifactType.DATASET, Relation.CODE: ArtifactType.CODE}
"""What a link of each relation leads to; every other one leads to a model."""
SAYS_TRAINING = frozenset({LinkedBy.REGISTRATION, LinkedBy.CARD_METADATA, LinkedBy.HUB_TAG})
"""How a dataset is named as what a model was made from: by whoever registered it, or in a card's `datasets:`."""
HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}", re.ASCII)
SLUG_LENGTH = 80
DIGEST_LENGTH = 16


@dataclass(frozen=True, slots=True)
class Tie:
    """A link, and everything that its target is to the model that states it."""

    link: Link
    meanings: tuple[Relation | Role, ...]


def ties(links: Sequence[Link], cards: Mapping[str, CardData]) -> list[Tie]:
    """What each link means, and the datasets that a card's results name without a link; `cards` are by model id."""
    linked = {(link.artifact_id, link.target_key) for link in links}
    claimed = [link for model_id, card in cards.items() for link in _claimed(model_id, card)]
    return [
        *(Tie(link, _meanings(link, cards.get(link.artifact_id))) for link in links),
        *(
            Tie(link, (Role.EVALUATION_DATASET,))
            for link in claimed
            if (link.artifact_id, link.target_key) not in linked
        ),
    ]


def _claimed(model_id: str, card: CardData) -> Iterator[Link]:
    """Links to the datasets that a card has results on, where it names them as the hub does; each once."""
    for name in dict.fromkeys(result.dataset for result in card.results):
        if name is not None and HUB_NAME.fullmatch(name):
            key = Source(Host.HUGGINGFACE, ArtifactType.DATASET, name).key
            yield Link(model_id, Relation.DATASET, key, name, LinkedBy.CARD_METADATA)


def _meanings(link: Link, card: CardData | None) -> tuple[Relation | Role, ...]:
    """What a link's target is: a dataset that only results name is one to evaluate on, any other was trained on."""
    match link.relation:
        case Relation.CODE:
            return (Role.CODE,)
        case Relation.DATASET:
            evaluated = card is not None and _has_results_on(link, card)
            if not evaluated:
                return (Role.TRAINING_DATASET,)
            trained = link.linked_by in SAYS_TRAINING
            return (Role.TRAINING_DATASET, Role.EVALUATION_DATASET) if trained else (Role.EVALUATION_DATASET,)
        case _:
            return (link.relation,)


def _has_results_on(link: Link, card: CardData) -> bool:
    """Whether a card has results on a dataset, under its whole name or its last part, however it is spelt."""
    names = {_letters(link.target_name), _letters(link.target_name.rsplit("/", 1)[-1])}
    return any(result.dataset is not None and _letters(result.dataset) in names for result in card.results)


def _letters(name: str) -> str:
    """A name without what people spell differently: case, dashes, spaces, and a configuration in brackets."""
    return re.sub(r"\(.*?\)|[\W_]", "", name.lower())


def with_neighbours(family: Family, tied: Sequence[Tie], registered: Sequence[Artifact]) -> Family:
    """The family with what its members are tied to; `registered` are the artifacts that ties may lead to."""
    by_place = {(artifact.source.key, artifact.type): artifact for artifact in registered}
    neighbours: dict[str, Neighbour] = {}
    edges = list(family.edges)
    for tie in sorted(tied, key=lambda tie: strength(tie.link)):
        neighbour = _neighbour(tie.link, by_place)
        if neighbour.registered and neighbour.kind is ArtifactType.MODEL:
            continue  # it is in the family, or was cut off with the rest of a family too large
        neighbours.setdefault(neighbour.id, neighbour)
        edges += [Edge(neighbour.id, tie.link.artifact_id, meaning) for meaning in tie.meanings]
    return replace(family, edges=in_order(edges), neighbours=[neighbours[each] for each in sorted(neighbours)])


def _neighbour(link: Link, by_place: Mapping[tuple[str, ArtifactType], Artifact]) -> Neighbour:
    kind = KINDS.get(link.relation, ArtifactType.MODEL)
    found_by = link.linked_by.value
    artifact = by_place.get((link.target_key, kind))
    if artifact is not None:
        return Neighbour(artifact.id, artifact.name, kind, artifact.url, artifact.commit, True, found_by)
    source = Source.of_key(link.target_key)
    name = link.target_name or source.short_name
    return Neighbour(outside_id(kind, link.target_key), name, kind, _page(source), None, False, found_by)


def outside_id(kind: ArtifactType, key: str) -> str:
    """The id of what is not registered: the same for the same place, and never that of an artifact.

    It reads like the place, and holds a digest of it, since different places may read alike.
    """
    slug = re.sub(r"[^a-z0-9]+", "-", key.lower())[:SLUG_LENGTH].strip("-")
    return f"outside-{kind}-{slug}-{hashlib.sha256(key.encode()).hexdigest()[:DIGEST_LENGTH]}"


def _page(source: Source) -> str:
    """The page where a person would look at a place that nobody registered."""
    match source.host:
        case Host.HUGGINGFACE:
            folder = "datasets/" if source.space is ArtifactType.DATASET else ""
            return f"https://huggingface.co/{folder}{source.repo}"
        case Host.GITHUB:
            return f"https://github.com/{source.repo}"
        case Host.LINK:
            return source.repo

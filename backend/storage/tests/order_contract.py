"""What every catalog does when a listing has filters and an order of its own."""

from collections.abc import Awaitable, Callable
from dataclasses import fields, replace
from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from backend.domain.artifact import Artifact, ArtifactSummary, Visibility
from backend.domain.audit import Action
from backend.domain.errors import InvalidInput
from backend.domain.listing import Listing, ScoreRange, Sort
from backend.domain.page import Page
from backend.domain.source import ArtifactType
from backend.storage.base import Commit, MetadataStore
from backend.storage.tests.factories import ADMIN, MINUTE, NOW, OWNER, STRANGER, a_rating, an_artifact, an_entry

MODEL, DATASET = ArtifactType.MODEL, ArtifactType.DATASET
MODELS = frozenset({MODEL})


async def rated(store: MetadataStore, net_score: float | None = None, **fields: Any) -> Artifact:
    artifact = an_artifact(**fields)
    rating = None if net_score is None else a_rating(artifact, net_score)
    await store.commit(Commit(artifact, rating=rating))
    return artifact


async def a_library(store: MetadataStore) -> dict[str, Artifact]:
    made = [
        await rated(store, 0.5, name="Bert", size_bytes=30, license="MIT", created_at=NOW + 2 * MINUTE),
        await rated(store, 0.9, name="bert-large", size_bytes=20, license="mit", owner=STRANGER.name),
        await rated(store, 0.5, name="École", size_bytes=10, license="Apache-2.0", created_at=NOW + MINUTE),
        await rated(store, None, name="gpt", size_bytes=None, created_at=NOW - timedelta(microseconds=1)),
        await rated(store, 0.0, name="%_'", size_bytes=5 * 10**12, license="MIT OR Apache-2.0"),
        await rated(store, None, name="squad", kind=DATASET, size_bytes=20),
    ]
    return {artifact.name: artifact for artifact in made}


async def followed(ask: Callable[[str | None], Awaitable[Page[ArtifactSummary]]]) -> list[ArtifactSummary]:
    """The items of all pages, of which no library here has more than a hundred."""
    items, after = [], None
    for _ in range(100):
        page = await ask(after)
        items += page.items
        after = page.after
        if after is None:
            return items
    raise AssertionError(f"the listing does not end: {items}")


async def names(store: MetadataStore, listing: Listing, *, limit: int = 2, viewer: Any = STRANGER) -> list[str]:
    found = await followed(lambda after: store.listed(viewer, listing, after=after, limit=limit))
    return [item.name for item in found]


FILTERS = [
    (Listing(), ["Bert", "bert-large", "École", "gpt", "%_'", "squad"]),
    (Listing(MODELS), ["Bert", "bert-large", "École", "gpt", "%_'"]),
    (Listing(frozenset({MODEL, DATASET})), ["Bert", "bert-large", "École", "gpt", "%_'", "squad"]),
    (Listing(name="bert"), []),
    (Listing(name="Bert"), ["Bert"]),
    (Listing(text="BERT"), ["Bert", "bert-large"]),
    (Listing(text="écO"), ["École"]),
    (Listing(text="%"), ["%_'"]),
    (Listing(text="_"), ["%_'"]),
    (Listing(license="mit"), ["Bert", "bert-large"]),
    (Listing(license="MIT OR APACHE-2.0"), ["%_'"]),
    (Listing(owner=STRANGER.name), ["bert-large"]),
    (Listing(created_from=NOW + MINUTE), ["Bert", "École"]),
    (Listing(created_before=NOW), ["gpt"]),
    (Listing(created_from=NOW, created_before=NOW + MINUTE), ["bert-large", "%_'", "squad"]),
    (Listing(scores=(ScoreRange("net_score", least=0.5),)), ["Bert", "bert-large", "École"]),
    (Listing(scores=(ScoreRange("net_score", most=0.5),)), ["Bert", "École", "%_'"]),
    (Listing(scores=(ScoreRange("net_score", 0.1, 0.5), ScoreRange("license", least=1))), ["Bert", "École"]),
    (Listing(scores=(ScoreRange("size_score", -1, -1),)), ["Bert", "bert-large", "École", "%_'"]),
    (Listing(scores=(ScoreRange("bus_factor"),)), []),
    (Listing(MODELS, text="e", license="mit", scores=(ScoreRange("net_score", 0.6),)), ["bert-large"]),
]

ORDERS = [
    (Sort.ID, ["Bert", "bert-large", "École", "gpt", "%_'", "squad"], 0),
    (Sort.NAME, ["%_'", "Bert", "bert-large", "gpt", "squad", "École"], 0),
    (Sort.CREATED_AT, ["gpt", "bert-large", "%_'", "squad", "École", "Bert"], 0),
    (Sort.NET_SCORE, ["%_'", "Bert", "École", "bert-large", "gpt", "squad"], 2),
    (Sort.SIZE, ["École", "bert-large", "squad", "Bert", "%_'", "gpt"], 1),
]

FOREIGN = [
    *("x", "7", "{}", "[]", '"wxyz"', "[" * 5000),
    *('["name",false,"a","b"]', '["id",true,"a","a"]', '["id",false,7,"a"]', '["id",false,"\\ud800","a"]'),
]


def told(listing: Listing) -> str:
    """What a listing asks for, in the same words in every process: a set has no order that parallel runs share."""
    asked = {field.name: getattr(listing, field.name) for field in fields(listing)}
    kinds = "+".join(sorted(asked.pop("types"))) or "all"
    return ", ".join([kinds, *(f"{name}={value}" for name, value in asked.items() if value)])


class OrderContract:
    @pytest.mark.parametrize(("listing", "wanted"), FILTERS, ids=[told(listing) for listing, _ in FILTERS])
    async def test_a_listing_holds_what_its_filters_select(
        self, store: MetadataStore, listing: Listing, wanted: list[str]
    ) -> None:
        await a_library(store)
        assert await names(store, listing) == wanted

    @pytest.mark.parametrize("limit", [1, 2, 4, 100])
    @pytest.mark.parametrize(("sort", "wanted", "without"), ORDERS, ids=[each[0].value for each in ORDERS])
    async def test_a_listing_is_in_its_order_either_way_and_what_has_no_value_comes_last(
        self, store: MetadataStore, sort: Sort, wanted: list[str], without: int, limit: int
    ) -> None:
        await a_library(store)
        valued, rest = wanted[: len(wanted) - without], wanted[len(wanted) - without :]
        assert await names(store, Listing(sort=sort), limit=limit) == wanted
        backwards = Listing(sort=sort, descending=True)
        assert await names(store, backwards, limit=limit) == valued[::-1] + rest[::-1]

    async def test_what_a_viewer_may_not_see_is_in_no_listing(self, store: MetadataStore) -> None:
        await rated(store, 0.5, name="hidden", visibility=Visibility.OWNER)
        for sort in Sort:
            shown = [await names(store, Listing(sort=sort), viewer=viewer) for viewer in (STRANGER, OWNER, ADMIN)]
            assert shown == [[], ["hidden"], ["hidden"]]

    async def test_a_new_rating_moves_an_artifact_and_an_update_without_one_leaves_it(
        self, store: MetadataStore
    ) -> None:
        low, high = await rated(store, 0.1, name="low"), await rated(store, 0.2, name="high")
        best = Listing(sort=Sort.NET_SCORE, descending=True)
        await store.commit(Commit(replace(low, version=2), 1, rating=a_rating(low, 0.3)))
        assert await names(store, best) == ["low", "high"]
        await store.commit(Commit(replace(high, version=2, license="MIT"), 1))
        await store.commit(Commit(replace(low, version=3, name="LOW"), 2))
        assert await names(store, best) == ["LOW", "high"]
        assert await names(store, Listing(text="lo", scores=(ScoreRange("net_score", 0.3, 0.3),))) == ["LOW"]

    @pytest.mark.parametrize("descending", [False, True], ids=["up", "down"])
    @pytest.mark.parametrize("sort", list(Sort))
    async def test_pages_skip_and_repeat_nothing_while_rows_come_and_go(
        self, store: MetadataStore, sort: Sort, *, descending: bool
    ) -> None:
        numbers = count()

        async def one() -> Artifact:
            at = next(numbers)
            score = None if at % 5 == 4 else (at * 7 % 4) / 4
            size = None if at % 6 == 5 else at * 5 % 7
            fields = {"name": f"n{at * 3 % 8}", "size_bytes": size, "created_at": NOW + (at * 3 % 5) * MINUTE}
            return await rated(store, score, **fields)

        kept = [await one() for _ in range(15)]
        doomed = [await one() for _ in range(12)]

        async def disturbed(after: str | None) -> Page[ArtifactSummary]:
            for gone in (doomed.pop(), doomed.pop(0)) if after and len(doomed) > 1 else ():
                await store.delete(ADMIN, gone.type, gone.id, an_entry(gone, Action.DELETE))
            page = await store.listed(STRANGER, Listing(sort=sort, descending=descending), after=after, limit=3)
            # The row that the next page goes on behind may itself be gone by then.
            for last in [each for each in doomed if page.items and each.id == page.items[-1].id]:
                doomed.remove(last)
                await store.delete(ADMIN, last.type, last.id, an_entry(last, Action.DELETE))
            if len(kept) < 20:
                kept.append(await one())
            return page

        seen = [item.id for item in await followed(disturbed)]
        assert len(seen) == len(set(seen))
        assert {artifact.id for artifact in kept[:15]} <= set(seen)

    @pytest.mark.parametrize("after", FOREIGN, ids=lambda after: after[:30])
    async def test_going_on_from_another_order_is_refused(self, store: MetadataStore, after: str) -> None:
        with pytest.raises(InvalidInput, match="another order"):
            await store.listed(STRANGER, Listing(), after=after, limit=1)

"""What every catalog does when it is asked for many artifacts, and who sees which."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from backend.domain.artifact import Artifact, ArtifactSummary, Visibility
from backend.domain.audit import Action
from backend.domain.needs import Search
from backend.domain.page import NameQuery, Page
from backend.domain.source import ArtifactType
from backend.domain.user import User
from backend.storage.base import Commit, MetadataStore
from backend.storage.tests.catalog_contract import stored
from backend.storage.tests.factories import ADMIN, OWNER, STRANGER, an_artifact, an_entry
from backend.storage.tests.paging import every_item, every_page

MODEL, DATASET, CODE = ArtifactType.MODEL, ArtifactType.DATASET, ArtifactType.CODE
ANYTHING = [NameQuery(None)]


def query(name: str | None, *types: ArtifactType) -> NameQuery:
    return NameQuery(name, frozenset(types))


async def all_pages(store: MetadataStore, viewer: User, queries: Sequence[NameQuery], limit: int) -> list[str]:
    pages = await every_page(lambda after: store.page(viewer, queries, after=after, limit=limit))
    assert all(len(page.items) <= limit for page in pages)
    return [item.id for page in pages for item in page.items]


class VisibilityContract:
    @pytest.mark.parametrize(
        ("viewer", "sees"), [(OWNER, True), (ADMIN, True), (STRANGER, False)], ids=["owner", "admin", "stranger"]
    )
    async def test_what_its_owner_keeps_is_seen_by_owner_and_admin(
        self, store: MetadataStore, viewer: User, *, sees: bool
    ) -> None:
        hidden = await stored(store, visibility=Visibility.OWNER, readme="secret")
        found = hidden if sees else None
        several = [hidden] if sees else []
        assert await store.get(viewer, hidden.type, hidden.id) == found
        assert await store.by_source(viewer, hidden.type, hidden.source.key) == found
        assert list(await store.by_keys(viewer, [hidden.source.key])) == several
        assert list(await store.by_ids(viewer, [hidden.id])) == several
        summaries = [artifact.summary for artifact in several]
        for queries in (ANYTHING, [query(hidden.name)], [query(None, MODEL)], [query(None, MODEL, CODE)]):
            assert list((await store.page(viewer, queries, after=None, limit=9)).items) == summaries
        scanned = await store.search(viewer, Search(lambda _name, _readme: True), after=None, limit=9)
        assert list(scanned.items) == summaries
        assert (await store.counts(viewer))[MODEL] == len(several)
        assert await store.delete(viewer, hidden.type, hidden.id, an_entry(hidden, Action.DELETE)) is sees
        assert (await store.get(ADMIN, hidden.type, hidden.id) is None) is sees

    async def test_what_everyone_may_see_a_stranger_sees(self, store: MetadataStore) -> None:
        shown = await stored(store)
        assert await store.get(STRANGER, shown.type, shown.id) == shown

    async def test_an_update_can_hide_an_artifact(self, store: MetadataStore) -> None:
        shown = await stored(store)
        await store.commit(Commit(replace(shown, visibility=Visibility.OWNER, version=2), expected_version=1))
        assert await store.get(STRANGER, shown.type, shown.id) is None


class LookupContract:
    async def test_get_minds_the_type(self, store: MetadataStore) -> None:
        model = await stored(store)
        assert await store.get(OWNER, CODE, model.id) is None
        assert await store.by_source(OWNER, CODE, model.source.key) is None

    async def test_nothing_is_found_in_an_empty_store(self, store: MetadataStore) -> None:
        artifact = an_artifact()
        assert await store.get(ADMIN, artifact.type, artifact.id) is None
        assert await store.by_source(ADMIN, artifact.type, artifact.source.key) is None
        assert not await store.by_keys(ADMIN, [artifact.source.key])
        assert not await store.by_ids(ADMIN, [])
        assert (await store.page(ADMIN, ANYTHING, after=None, limit=1)).items == []

    async def test_lookups_of_many_come_once_each_by_id(self, store: MetadataStore) -> None:
        kept = [await stored(store, kind=kind) for kind in (CODE, MODEL, DATASET)]
        keys = [artifact.source.key for artifact in reversed(kept)]
        assert list(await store.by_keys(OWNER, keys + keys)) == kept
        assert list(await store.by_ids(OWNER, [artifact.id for artifact in reversed(kept)] * 2)) == kept

    async def test_counts_name_every_type(self, store: MetadataStore) -> None:
        assert await store.counts(ADMIN) == {MODEL: 0, DATASET: 0, CODE: 0}
        await stored(store, kind=CODE)
        await stored(store, kind=CODE)
        await stored(store, kind=MODEL)
        assert await store.counts(STRANGER) == {MODEL: 1, DATASET: 0, CODE: 2}


async def a_shelf(store: MetadataStore) -> list[Artifact]:
    wanted = [("bert", MODEL), ("bert", CODE), ("Bert", MODEL), ("squad", DATASET), ("bert", DATASET), ("gpt", MODEL)]
    return [await stored(store, name=name, kind=kind) for name, kind in wanted]


class PageContract:
    @pytest.mark.parametrize(
        "queries",
        [
            [],
            [query(None)],
            [query("bert")],
            [query("nothing")],
            [query(None, MODEL)],
            [query(None, DATASET, CODE)],
            [query(None, MODEL, DATASET, CODE)],
            [query("bert", MODEL)],
            [query("bert", MODEL, CODE)],
            [query("bert"), query("squad")],
            [query("bert"), query("bert")],
            [query("bert", CODE), query("squad", DATASET), query("gpt", CODE)],
            [query("bert"), query(None, DATASET), query("gpt", MODEL)],
            [query("bert"), query(None)],
            [query("bert", MODEL), query(None, MODEL)],
            [query("*"), query("%"), query("bert_"), query("' OR 1=1 --")],
        ],
        ids=lambda queries: "+".join(f"{each.name}:{','.join(sorted(each.types))}" for each in queries) or "none",
    )
    @pytest.mark.parametrize("limit", [1, 2, 100], ids=lambda limit: f"by-{limit}")
    async def test_a_page_holds_what_any_query_matches_once_by_id(
        self, store: MetadataStore, queries: list[NameQuery], limit: int
    ) -> None:
        shelf = await a_shelf(store)
        wanted = [each.id for each in shelf if any(query.matches(each.name, each.type) for query in queries)]
        assert await all_pages(store, STRANGER, queries, limit) == sorted(wanted)

    async def test_a_page_shows_id_name_and_type(self, store: MetadataStore) -> None:
        artifact = await stored(store, name="bert", kind=DATASET)
        page = await store.page(STRANGER, ANYTHING, after=None, limit=1)
        assert (list(page.items), page.after) == ([ArtifactSummary(artifact.id, "bert", DATASET)], None)

    async def test_after_is_none_exactly_at_the_end(self, store: MetadataStore) -> None:
        first, second = await stored(store), await stored(store)
        page = await store.page(STRANGER, ANYTHING, after=None, limit=1)
        assert page.after == first.id
        assert (await store.page(STRANGER, ANYTHING, after=page.after, limit=1)).after is None
        assert (await store.page(STRANGER, ANYTHING, after=second.id, limit=1)).items == []

    async def test_paging_misses_and_repeats_nothing_while_rows_come_and_go(self, store: MetadataStore) -> None:
        kept = [await stored(store) for _ in range(10)]
        doomed = [await stored(store) for _ in range(10)]

        async def disturbed(after: str | None) -> Page[ArtifactSummary]:
            for gone in (doomed.pop(), doomed.pop(0)) if after and doomed else ():
                await store.delete(ADMIN, gone.type, gone.id, an_entry(gone, Action.DELETE))
            await stored(store, id=f"0{after}")
            return await store.page(STRANGER, ANYTHING, after=after, limit=3)

        seen = [item.id for item in await every_item(disturbed)]
        assert len(seen) == len(set(seen))
        assert seen == sorted(seen)
        assert {artifact.id for artifact in kept} <= set(seen)

    async def test_more_names_than_one_statement_takes_are_one_page(self, store: MetadataStore) -> None:
        shelf = await a_shelf(store)
        queries = [query("gpt"), *(query(f"none-{at}") for at in range(25_000)), query("squad")]
        page = await store.page(STRANGER, queries, after=None, limit=1)
        assert [item.id for item in page.items] == [shelf[3].id]
        rest = await store.page(STRANGER, queries, after=page.after, limit=1)
        assert ([item.id for item in rest.items], rest.after) == ([shelf[5].id], None)

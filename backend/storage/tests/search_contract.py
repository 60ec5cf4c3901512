"""What every catalog does when names and READMEs are searched: the same as asking each text by itself."""

import asyncio
import threading
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.domain.audit import Action
from backend.domain.needs import Literal, Search, in_any_case
from backend.services.directory import search_for
from backend.storage.base import Commit, MetadataStore
from backend.storage.tests.catalog_contract import stored
from backend.storage.tests.factories import ADMIN, STRANGER, an_artifact, an_entry
from backend.storage.tests.paging import every_page
from backend.storage.tests.patterns import ALPHABET, Made, compiled, patterns

texts = st.text(ALPHABET, max_size=30)
EVIL = ["(a+)+$", "(a*)*b", "(a|aa)+$", r"(\w+\s?)*$x", "(x+x+)+y", "(.*a){20}b", "((a{9}){9}){9}", "(?i)(k|s|ß)+z"]
ODD = [
    "a\0needle",
    'say "needle"',
    "NEEDLE* (needle",
    "nee\ndle",
    "needl",
    "\N{KELVIN SIGN}elvin",
    "文字列needle",
    "ne\u0301edle",
]


async def found(store: MetadataStore, wanted: Search) -> list[str]:
    pages = await every_page(lambda after: store.search(STRANGER, wanted, after=after, limit=3))
    return [item.id for page in pages for item in page.items]


class SearchContract:
    async def test_a_search_asks_of_name_and_readme(self, store: MetadataStore) -> None:
        by_name = await stored(store, name="needle")
        by_readme = await stored(store, name="hay", readme="a needle in here")
        await stored(store, name="straw", readme=None)
        wanted = Search(lambda name, readme: "needle" in name or "needle" in (readme or ""))
        page = await store.search(STRANGER, wanted, after=None, limit=10)
        assert (list(page.items), page.after) == ([by_name.summary, by_readme.summary], None)

    @pytest.mark.parametrize("limit", [1, 7, 600], ids=lambda limit: f"by-{limit}")
    async def test_searching_on_from_after_finds_all_by_id(self, store: MetadataStore, limit: int) -> None:
        shelf = [an_artifact(f"n-{at}", id=f"{at:04}") for at in range(1100)]
        await asyncio.gather(*(store.commit(Commit(artifact)) for artifact in shelf))

        def matches(name: str, _readme: str | None) -> bool:
            return name.endswith("7")

        pages = await every_page(lambda after: store.search(STRANGER, Search(matches), after=after, limit=limit))
        assert {len(page.items) for page in pages[:-1]} <= {limit}
        found = [item.id for page in pages for item in page.items]
        assert found == [f"{at:04}" for at in range(7, 1100, 10)]

    async def test_a_search_asks_off_the_event_loop(self, store: MetadataStore) -> None:
        await stored(store)
        askers: set[int] = set()

        def matches(_name: str, _readme: str | None) -> bool:
            askers.add(threading.get_ident())
            return True

        await store.search(STRANGER, Search(matches), after=None, limit=5)
        assert askers
        assert threading.get_ident() not in askers

    async def test_what_matches_raises_reaches_the_caller(self, store: MetadataStore) -> None:
        await stored(store)
        with pytest.raises(ZeroDivisionError):
            await store.search(STRANGER, Search(lambda _name, _readme: 1 // 0 > 0), after=None, limit=5)

    async def test_a_search_finds_what_the_engine_finds_text_by_text(self, store: MetadataStore) -> None:
        loop = asyncio.get_running_loop()

        @settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
        @given(st.lists(st.tuples(patterns, texts, texts), min_size=1, max_size=6))
        def compare(cases: list[tuple[Made, str, str]]) -> None:
            asyncio.run_coroutine_threadsafe(self.compare(store, cases), loop).result()

        await asyncio.to_thread(compare)

    async def compare(self, store: MetadataStore, cases: list[tuple[Made, str, str]]) -> None:
        await store.reset()
        witnesses = [f"{before}{made[1]}{after}" for made, before, after in cases]
        shelf = [await stored(store, name=text or "n", readme=None) for text in witnesses[::2]]
        shelf += [await stored(store, name="n", readme=text) for text in witnesses[1::2]]
        for (pattern, _), _, _ in cases:
            engine = compiled(pattern)
            if engine is not None:
                matching = [each.id for each in shelf if engine.search(each.name) or engine.search(each.readme or "")]
                if any(engine.search(text) for text in ("", "n")):  # what an absent README counts as is not at stake
                    continue
                assert await found(store, search_for(pattern)) == matching, pattern

    @pytest.mark.parametrize("pattern", EVIL)
    async def test_a_pattern_built_to_hang_finds_what_it_finds(self, store: MetadataStore, pattern: str) -> None:
        shelf = [
            await stored(store, name=name, readme=name * 50) for name in ("aaaa!", "axy", "xxxy", "K\u017fßZ", "b")
        ]
        engine = compiled(pattern)
        matching = [each.id for each in shelf if engine.search(each.name) or engine.search(each.readme)]
        assert await found(store, search_for(pattern)) == matching

    @pytest.mark.parametrize("wanted", ODD)
    async def test_odd_characters_are_found_as_they_stand(self, store: MetadataStore, wanted: str) -> None:
        by_name = await stored(store, name=wanted)
        by_readme = await stored(store, readme=f"before{wanted}after")
        await stored(store, readme="nothing of the kind")
        literal = Search(lambda name, readme: wanted in name or wanted in (readme or ""), Literal(wanted))
        assert await found(store, literal) == [by_name.id, by_readme.id]

    async def test_a_search_follows_updates_and_deletions(self, store: MetadataStore) -> None:
        first, second = await stored(store, readme="a needle"), await stored(store, readme="a needle too")
        wanted = search_for("needle")
        assert await found(store, wanted) == [first.id, second.id]
        await store.commit(Commit(replace(first, readme="straw", version=2), expected_version=1))
        assert await found(store, wanted) == [second.id]
        await store.commit(Commit(replace(first, name="needle", readme=None, version=3), expected_version=2))
        await store.delete(ADMIN, second.type, second.id, an_entry(second, Action.DELETE))
        assert await found(store, wanted) == [first.id]
        await store.reset()
        assert await found(store, wanted) == []
        again = await stored(store, readme="needle")
        assert await found(store, wanted) == [again.id]

    async def test_a_name_is_found_in_any_case_of_any_alphabet(self, store: MetadataStore) -> None:
        shelf = [await stored(store, readme=text) for text in ("Skills-Data", "\u017f\u212a\u0131lls-data", "skill")]
        wanted = Search(lambda _name, readme: (readme or "").lower() != "skill", in_any_case("skills-data"))
        assert await found(store, wanted) == [each.id for each in shelf[:2]]

    @pytest.mark.parametrize("common", [10, 400], ids=["few", "many"])
    async def test_pages_by_the_index_are_the_pages_of_a_walk(self, store: MetadataStore, common: int) -> None:
        shelf = [an_artifact(f"n{at}", readme="common" if at < common else "rare", id=f"{at:04}") for at in range(600)]
        await asyncio.gather(*(store.commit(Commit(artifact)) for artifact in reversed(shelf)))
        for word in ("common", "rare", "(?i)COMMON|RARE", "."):
            engine = compiled(word)
            matching = [each.id for each in shelf if engine.search(each.name) or engine.search(each.readme)]
            pages = await every_page(lambda after, w=word: store.search(STRANGER, search_for(w), after=after, limit=70))
            assert [item.id for page in pages for item in page.items] == matching

import time

import pytest

from backend.domain.artifact import Visibility
from backend.domain.errors import InvalidInput, NotFound, TooMany
from backend.domain.page import NameQuery
from backend.domain.source import ArtifactType
from backend.domain.user import LOCAL, User
from backend.services.directory import MAX_PATTERN_LENGTH, Directory, compile_pattern
from backend.storage.memory import MemoryStore
from backend.tests.factories import make_artifact, make_entry, register

STRANGER = User("stranger", is_admin=False)


async def _found(store: MemoryStore, pattern: str) -> list[str]:
    page = await Directory(store).matching(LOCAL, pattern, after=None, limit=100)
    return [found.name for found in page.items]


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("alpha", ["alpha"]),
        ("^al", ["alpha"]),
        ("a$", ["alpha", "beta"]),
        ("zebra", ["beta"]),
        ("(?i)ZEBRA", ["beta"]),
        (".", ["alpha", "beta"]),
        (r"\bstripes\b", ["beta"]),
        ("größe", ["beta"]),
    ],
)
async def test_a_pattern_matches_names_and_readmes_with_case_as_written(pattern: str, names: list[str]) -> None:
    store = MemoryStore()
    await register(store, make_artifact("acme/alpha"))
    await register(store, make_artifact("acme/beta", readme="# Beta\nA zebra has stripes, in every größe.\n"))

    assert await _found(store, pattern) == names


@pytest.mark.parametrize("pattern", ["ALPHA", "Zebra", "^zebra$", "nothing"])
async def test_a_pattern_that_matches_nothing_is_not_found(pattern: str) -> None:
    store = MemoryStore()
    await register(store, make_artifact("acme/alpha", readme="a zebra"))

    with pytest.raises(NotFound):
        await _found(store, pattern)


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("(a", "missing"),
        ("abc[z-a]", r"z-a.*at character"),
        ("*a", r"\*"),
        (r"(a)\1", "escape"),
        ("(?=a)", r"\(\?="),
        ("a{1001}", r"1001"),
        ("(((a{100}){100}){100}){100}", "repetition|large"),
        ("", "empty"),
        ("x" * (MAX_PATTERN_LENGTH + 1), str(MAX_PATTERN_LENGTH)),
    ],
    ids=lambda value: value[:24],
)
def test_a_pattern_that_is_refused_says_what_the_engine_objects_to(pattern: str, words: str) -> None:
    with pytest.raises(InvalidInput, match=words) as refused:
        compile_pattern(pattern)
    assert [each.field for each in refused.value.fields] == ["regex"]


def test_an_objection_says_where() -> None:
    with pytest.raises(InvalidInput, match=r"at character 5"):
        compile_pattern("abc[z-a]")


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+$",
        "(a*)*b",
        "(a|aa)+$",
        "(a|a?)+$",
        "(.*a){20}b",
        r"(\w+\s?)*$x",
        "(x+x+)+y",
        "^(([a-z])+.)+[A-Z]([a-z])+$",
    ],
)
def test_a_pattern_built_to_hang_an_engine_takes_linear_time(pattern: str) -> None:
    compiled = compile_pattern(pattern)
    began = time.perf_counter()

    compiled.search("a" * 100_000 + "!")

    assert time.perf_counter() - began < 1.0


async def test_a_page_of_no_query_is_refused() -> None:
    with pytest.raises(InvalidInput, match="at least one"):
        await Directory(MemoryStore()).page(LOCAL, [], after=None, limit=10)


async def test_more_queries_than_can_be_answered_are_refused() -> None:
    with pytest.raises(TooMany, match="1001"):
        await Directory(MemoryStore()).page(LOCAL, [NameQuery("x")] * 1001, after=None, limit=10)


async def test_all_of_one_name_are_found_however_many_pages_they_fill(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.services.directory.MAX_LIMIT", 2)
    store = MemoryStore()
    made = [await register(store, make_artifact(f"acme/{n}", name="same")) for n in range(5)]
    await register(store, make_artifact("acme/other"))

    assert [found.id for found in await Directory(store).named(LOCAL, "same")] == [each.id for each in made]


async def test_what_a_viewer_may_not_see_is_not_found_by_any_way() -> None:
    store = MemoryStore()
    hidden = await register(
        store, make_artifact("acme/hidden", owner="ann", visibility=Visibility.OWNER), files=[make_entry("x")]
    )
    directory = Directory(store)

    for looking in (
        directory.get(STRANGER, hidden.type, hidden.id),
        directory.files(STRANGER, hidden.type, hidden.id),
        directory.named(STRANGER, "hidden"),
        directory.matching(STRANGER, "hidden", after=None, limit=10),
    ):
        with pytest.raises(NotFound):
            await looking
    assert (await directory.page(STRANGER, [NameQuery(None)], after=None, limit=10)).items == []
    assert await directory.get(User("ann", is_admin=False), hidden.type, hidden.id) == hidden


async def test_files_come_with_their_artifact_ordered_by_path() -> None:
    store = MemoryStore()
    artifact = await register(store, make_artifact(), files=[make_entry("b"), make_entry("a")])

    found, files = await Directory(store).files(LOCAL, ArtifactType.MODEL, artifact.id)

    assert (found, [file.path for file in files]) == (artifact, ["a", "b"])

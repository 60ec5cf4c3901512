import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from backend.domain.needs import AllOf, AnyOf, Literal, Need, holds
from backend.domain.pattern import requirement
from backend.storage.tests.patterns import ALPHABET, Made, compiled, patterns

around = st.text(ALPHABET, max_size=12)


@settings(max_examples=1500, deadline=None)
@given(patterns, around, around)
def test_whatever_matches_fulfils_what_the_pattern_needs(made: Made, before: str, after: str) -> None:
    engine = compiled(made[0])
    assume(engine is not None)
    needs = requirement(made[0]).needs
    for text in (made[1], f"{before}{made[1]}{after}", before):
        if engine.search(text):
            assert holds(needs, text)


@settings(max_examples=500, deadline=None)
@given(patterns, st.lists(around, min_size=1, max_size=4), st.integers(0, 3))
def test_a_pattern_that_sees_no_edges_matches_texts_that_are_joined(made: Made, texts: list[str], at: int) -> None:
    engine = compiled(made[0])
    assume(engine is not None and not requirement(made[0]).sees_edges)
    texts.insert(at, made[1])
    if any(engine.search(text) for text in texts):
        assert engine.search("\n".join(texts))


def either(*texts: str) -> Need:
    return AnyOf(tuple(map(Literal, sorted(texts))))


@pytest.mark.parametrize(
    ("pattern", "needs"),
    [
        ("needle", Literal("needle")),
        ("^needle$", Literal("needle")),
        (r"\bneedle\b", Literal("needle")),
        (r"need\.le", Literal("need.le")),
        (r"\Qa.b*\E+c", Literal("a.b")),
        (r"\x{6e}\x65edle", Literal("needle")),
        ("foo.*bar", AllOf((Literal("foo"), Literal("bar")))),
        ("foo(.*)bar", AllOf((Literal("foo"), Literal("bar")))),
        ("foo|bar", either("foo", "bar")),
        ("(?:foo|bar)[0-9]", either("foo", "bar")),
        ("gr[ae]y", either("gray", "grey")),
        ("colou?r", either("color", "colour")),
        ("(abc)+", Literal("abc")),
        ("(abc){2,}x", Literal("abcabc")),
        ("ab{3}c", Literal("abbbc")),
        ("(?i)BERT-base", either("bert-base", "bert-ba\u017fe")),
        ("(?i:bert)Base", Literal("bertBase")),
        ("größe", Literal("größe")),
        ("(?i)größe", None),
        ("fo|bar", None),
        ("foo|", None),
        ("foo*", None),
        ("(foo)?", None),
        ("ab", None),
        (".*", None),
        (r"\d\d\d", None),
        ("[^abc]", None),
        (r"\pL+", None),
        ("a{,3}", Literal("a{,3}")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_pattern_needs(pattern: str, needs: Need | None) -> None:
    assert requirement(pattern).needs == needs


@pytest.mark.parametrize(("pattern", "sees"), [("a$", True), (r"\Aa", True), ("(?m)^a$", False), (r"\ba\B", False)])
def test_a_pattern_sees_edges(pattern: str, sees: bool) -> None:
    assert requirement(pattern).sees_edges is sees


@pytest.mark.parametrize("pattern", ["a**", "(", "(?=a)", r"\1", "[a", "a\\", "*a", "(" * 5000], ids=lambda p: p[:9])
def test_what_is_not_understood_needs_nothing_and_may_see_edges(pattern: str) -> None:
    found = requirement(pattern)
    assert (found.needs, found.sees_edges) == (None, True)

"""Random RE2 patterns, each with a text that it was made to match."""

from typing import Any, TypeAlias

import re2
from hypothesis import strategies as st

Made: TypeAlias = tuple[str, str]
"""A pattern and its witness. Anchors and flags may spoil the witness; the engine decides."""

ALPHABET = "abckKsSi\N{LATIN SMALL LETTER DOTLESS I}\N{KELVIN SIGN}\N{LATIN SMALL LETTER LONG S}éÉßẞ日 \n\0-_.\"'*(1"
OPTIONS = re2.Options()
OPTIONS.log_errors = False
NAMED = {"a": "[a-c]", "b": "[[:alpha:]b]", "k": "[k-m]", "S": r"[\x41-\x5a]", "é": "[éÉ]", "1": r"\d", "-": "[-a]"}
ZERO_WIDTH = ["^", "$", r"\b", r"\B", r"\A", r"\z", "(?:)", r"\Q\E", "(?m:^)", "(?m:$)"]


def escaped(text: str) -> str:
    return "".join(each if each.isalnum() or not each.isascii() else f"\\x{{{ord(each):x}}}" for each in text)


def _character(text: str) -> Made:
    return NAMED.get(text, f"[{escaped(text)}z]" if text != "k" else "."), text


def _around(before: str, after: str = ")") -> Any:
    return lambda made: (f"{before}{made[0]}{after}", made[1])


def _swapped(made: Made) -> Made:
    return f"(?i:{made[0]})", made[1].swapcase()


def _repeated(made: Made, how: tuple[str, int]) -> Made:
    return f"(?:{made[0]}){how[0]}", made[1] * how[1]


def _joined(parts: list[Made]) -> Made:
    return "".join(part[0] for part in parts), "".join(part[1] for part in parts)


def _either(branches: list[Made], which: int) -> Made:
    return f"(?:{'|'.join(branch[0] for branch in branches)})", branches[which % len(branches)][1]


def _wider(inner: st.SearchStrategy[Made]) -> st.SearchStrategy[Made]:
    several = st.lists(inner, min_size=2, max_size=3)
    times = [("*", 0), ("*", 2), ("+", 2), ("?", 0), ("?", 1), ("{2}", 2), ("{0}", 0), ("{1,3}", 2), ("{2,}?", 3)]
    return st.one_of(
        several.map(_joined),
        several.map(_joined),
        st.builds(_either, several, st.integers(0, 2)),
        st.builds(_repeated, inner, st.sampled_from(times)),
        inner.map(_swapped),
        st.sampled_from(["(", "(?P<n>", "(?s:", "(?-i:", "(?mi:"]).flatmap(lambda before: inner.map(_around(before))),
        inner.map(_around("(?i)", "")),
        inner.map(lambda made: (f"{made[0]}|zzz", made[1])),
        inner.map(lambda made: (f"{made[0]}+?", made[1])),
    )


pieces = st.text(ALPHABET, min_size=1, max_size=6)
patterns = st.recursive(
    st.one_of(
        pieces.map(lambda text: (escaped(text), text)),
        pieces.map(lambda text: (escaped(text), text)),
        pieces.map(lambda text: (rf"\Q{text}\E", text)),
        st.sampled_from(ALPHABET).map(_character),
        st.sampled_from(ZERO_WIDTH).map(lambda pattern: (pattern, "")),
    ),
    _wider,
    max_leaves=6,
)


def compiled(pattern: str) -> Any:
    """What RE2 makes of a pattern, None where it takes it not."""
    try:
        return re2.compile(pattern, OPTIONS)
    except re2.error:
        return None

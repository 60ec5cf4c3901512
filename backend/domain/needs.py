"""What a text must contain for a search to match it: the condition that lets a store look only where it may hold."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

SHORTEST = 3
"""Shorter literals say too little to look anything up by."""

_CASE_IN_ASCII = re.compile(rf"(?:(?![iks])[!-~]){{{SHORTEST},}}", re.IGNORECASE | re.ASCII)
"""Runs of printable ASCII without i, k and s, which are also the other case of letters beyond ASCII."""


@dataclass(frozen=True, slots=True)
class Literal:
    """The text contains these characters in a row; ASCII letters in either case."""

    text: str


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every part holds."""

    parts: tuple["Need", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one part holds."""

    parts: tuple["Need", ...]


Need: TypeAlias = Literal | AllOf | AnyOf
"""A necessary condition; where there is none, None stands for it."""


def all_of(needs: Iterable[Need | None]) -> Need | None:
    """What holds when all of these do; a None among them adds nothing."""
    parts = tuple(dict.fromkeys(need for need in needs if need is not None))
    return AllOf(parts) if len(parts) > 1 else next(iter(parts), None)


def any_of(needs: Iterable[Need | None]) -> Need | None:
    """What holds when one of these does; None as soon as one of them is, since then anything may do."""
    parts = tuple(dict.fromkeys(needs))
    known = tuple(need for need in parts if need is not None)
    if len(known) < len(parts) or not known:
        return None
    return AnyOf(known) if len(known) > 1 else known[0]


def any_literal(texts: Iterable[str]) -> Need | None:
    """One of these texts is contained; None where one of them is too short to be looked up."""
    return any_of(Literal(text) if len(text) >= SHORTEST else None for text in sorted(texts))


def in_any_case(text: str) -> Need | None:
    """What a text holds that contains `text` in any case, whichever engine's idea of case it is."""
    return all_of(any_literal({run}) for run in _CASE_IN_ASCII.findall(text))


def holds(need: Need | None, text: str) -> bool:
    """Whether a text fulfils the condition."""
    match need:
        case None:
            return True
        case Literal(wanted):
            return _folded(wanted) in _folded(text)
        case AllOf(parts):
            return all(holds(part, text) for part in parts)
        case AnyOf(parts):
            return any(holds(part, text) for part in parts)


def _folded(text: str) -> bytes:
    # Bytes are lowered in ASCII alone, in every release of Python the same.
    return text.encode(errors="replace").lower()


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for in names and READMEs.

    `matches(name, readme)` decides, and is pure. `needs` holds for the name or the README of all that matches.
    `rules_out(joined)`, where there is one, takes several texts in UTF-8 joined by newlines; True means that none of
    them matches, False means nothing.
    """

    matches: Callable[[str, str | None], bool]
    needs: Need | None = None
    rules_out: Callable[[bytes], bool] | None = None

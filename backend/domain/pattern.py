"""What a text must contain for an RE2 pattern to match it, read off the pattern.

The idea is Russ Cox's (Regular Expression Matching with a Trigram Index, 2012). The pattern is one that RE2 has taken;
what is not understood here only makes the condition weaker, down to none at all.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

from backend.domain.needs import Need, all_of, any_literal, any_of
from backend.domain.pattern_pieces import ClassReader, Flags, NotUnderstood, Scanner, folded

MOST_TEXTS = 16
"""An expression that matches more texts than this is no longer listed text by text."""
LONGEST_TEXT = 120


@dataclass(frozen=True, slots=True)
class Requirement:
    """What a match needs, and whether the pattern sees where a text begins or ends."""

    needs: Need | None
    sees_edges: bool


def requirement(pattern: str) -> Requirement:
    """The condition that every text matched by `pattern` fulfils, as strong as can be told with little effort."""
    parser = _Parser(pattern)
    try:
        needs = parser.whole().needs
    except (NotUnderstood, RecursionError):
        return Requirement(None, sees_edges=True)
    return Requirement(needs, parser.sees_edges)


@dataclass(frozen=True, slots=True)
class _Info:
    """What is known of an expression: all texts it matches where they are few, else what each of them contains."""

    texts: frozenset[str] | None
    otherwise: Need | None = None

    @property
    def needs(self) -> Need | None:
        return self.otherwise if self.texts is None else any_literal(self.texts)


_EMPTY = _Info(frozenset({""}))
_ANYTHING = _Info(None)


def _listed(texts: Iterable[str]) -> frozenset[str] | None:
    """The texts, None where they are too many or too long."""
    distinct = frozenset(texts)
    return distinct if len(distinct) <= MOST_TEXTS and all(len(each) <= LONGEST_TEXT for each in distinct) else None


def _either(branches: list[_Info]) -> _Info:
    lists = [branch.texts for branch in branches if branch.texts is not None]
    together = _listed(text for texts in lists for text in texts) if len(lists) == len(branches) else None
    return _Info(together) if together is not None else _Info(None, any_of(branch.needs for branch in branches))


def _in_a_row(pieces: list[_Info]) -> _Info:
    """Pieces one after the other; neighbours whose texts can be listed make longer ones."""
    needs: list[Need | None] = []
    run: frozenset[str] = frozenset({""})
    for piece in pieces:
        longer = None if piece.texts is None else _listed(head + tail for head, tail in product(run, piece.texts))
        if longer is not None:
            run = longer
            continue
        needs.append(any_literal(run))
        run = piece.texts if piece.texts is not None else frozenset({""})
        needs.append(piece.otherwise)
    if not needs:
        return _Info(run)
    return _Info(None, all_of([*needs, any_literal(run)]))


def _repeated(piece: _Info, least: int, most: int | None) -> _Info:
    if least == 0:
        if most == 0:
            return _EMPTY
        optional = None if piece.texts is None or most != 1 else _listed(piece.texts | {""})
        return _Info(optional)
    if piece.texts is None or len(piece.texts) != 1:
        return piece if (least, most) == (1, 1) else _Info(None, piece.needs)
    (text,) = piece.texts
    many = text * least
    exact = _listed({many}) if least == most else None
    return _Info(exact, any_literal({many[:LONGEST_TEXT]}))


class _Parser:
    """A reader of RE2's syntax, one method for each level of precedence."""

    def __init__(self, pattern: str) -> None:
        self._at = Scanner(pattern)
        self.sees_edges = False

    def whole(self) -> _Info:
        found = self._alternation(Flags())
        if not self._at.ended:
            raise NotUnderstood
        return found

    def _alternation(self, flags: Flags) -> _Info:
        """Branches up to the end of the group; flags set in one branch hold in those behind it."""
        branches: list[_Info] = []
        while True:
            branch, flags = self._branch(flags)
            branches.append(branch)
            if not self._at.take("|"):
                return _either(branches) if len(branches) > 1 else branch

    def _branch(self, flags: Flags) -> tuple[_Info, Flags]:
        pieces: list[_Info] = []
        while not self._at.ended and self._at.ahead not in "|)":
            if (changed := self._at.flags_alone(flags)) is not None:
                flags = changed
                continue
            pieces += self._pieces(flags)
        return _in_a_row(pieces), flags

    def _pieces(self, flags: Flags) -> list[_Info]:
        """One atom, or the characters of a quotation, the last of them with the repetition behind it."""
        quoted = self._at.quotation()
        atoms = [self._atom(flags)] if quoted is None else [_character(each, flags) for each in quoted]
        times = self._at.repetition()
        if times is None:
            return atoms
        if not atoms:
            raise NotUnderstood  # what is repeated stands before the empty quotation
        if self._at.repetition() is not None:
            raise NotUnderstood
        return [*atoms[:-1], _repeated(atoms[-1], *times)]

    def _atom(self, flags: Flags) -> _Info:
        match self._at.next():
            case "(":
                return self._group(flags)
            case "[":
                return self._class(flags)
            case ".":
                return _ANYTHING
            case "^" | "$":
                self.sees_edges |= not flags.by_line
                return _EMPTY
            case "\\":
                return self._escape(flags)
            case "*" | "+" | "?":
                raise NotUnderstood
            case character:
                return _character(character, flags)

    def _group(self, flags: Flags) -> _Info:
        inside = self._at.group_opening(flags)
        found = self._alternation(inside)
        if not self._at.take(")"):
            raise NotUnderstood
        return found

    def _class(self, flags: Flags) -> _Info:
        members = ClassReader(self._at).members(MOST_TEXTS)
        if members is None:
            return _ANYTHING
        return _either([_character(each, flags) for each in sorted(members)])

    def _escape(self, flags: Flags) -> _Info:
        if self._at.ended:
            raise NotUnderstood
        if self._at.ahead in "AzbB":
            self.sees_edges |= self._at.next() in "Az"
            return _EMPTY
        character = self._at.escaped()
        return _ANYTHING if character is None else _character(character, flags)


def _character(character: str, flags: Flags) -> _Info:
    """One character: itself, or under `i` all that count as the same."""
    if not flags.any_case:
        return _Info(frozenset({character}))
    return _Info(folded(character))

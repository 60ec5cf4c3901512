"""The small pieces of RE2's syntax: flags, repetitions, escapes and classes, each read from where a scanner stands."""

import re
from dataclasses import dataclass, replace


class NotUnderstood(Exception):
    """The pattern holds something that is not read here."""


@dataclass(frozen=True, slots=True)
class Flags:
    """The flags that change what a pattern needs: `i`, and `m`, under which ^ and $ are about lines."""

    any_case: bool = False
    by_line: bool = False


_FLAGS = re.compile(r"\(\?([imsU]*)(?:-([imsU]+))?\)")
_OPENING = re.compile(r"\?(?:P?<\w+>|([imsU]*)(?:-([imsU]+))?:)")
_TIMES = re.compile(r"(?:\*|\+|\?|\{(\d+)(,(\d*))?\})\??")
_HEX = re.compile(r"x(?:\{([0-9A-Fa-f]+)\}|([0-9A-Fa-f]{2}))")
_UNICODE_CLASS = re.compile(r"[pP](?:\{\^?\w+\}|\w)")
_CONTROLS = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v", "a": "\a"}
_KINDS = "dDwWsS"
_ALSO = {"k": "\N{KELVIN SIGN}", "s": "\N{LATIN SMALL LETTER LONG S}"}
"""The two characters beyond ASCII that count as an ASCII letter when case does not matter."""


def folded(character: str) -> frozenset[str] | None:
    """What matches a character in any case, in lower case; None beyond ASCII, where tables differ by release."""
    lower = character.lower()
    if lower in _ALSO.values():
        lower = {other: letter for letter, other in _ALSO.items()}[lower]
    if not lower.isascii():
        return None
    return frozenset({lower, _ALSO[lower]}) if lower in _ALSO else frozenset({lower})


class Scanner:
    """A place in a pattern, and what stands there."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._place = 0

    @property
    def ended(self) -> bool:
        """Whether nothing is left."""
        return self._place >= len(self._pattern)

    @property
    def ahead(self) -> str:
        """The character that stands here."""
        return self._pattern[self._place]

    def next(self) -> str:
        """Step over one character and return it.

        Raises:
            NotUnderstood: nothing is left.
        """
        if self.ended:
            raise NotUnderstood
        self._place += 1
        return self._pattern[self._place - 1]

    def take(self, text: str) -> bool:
        """Step over `text` if it stands here."""
        here = self._pattern.startswith(text, self._place)
        self._place += len(text) if here else 0
        return here

    def _matched(self, expected: re.Pattern[str]) -> re.Match[str] | None:
        found = expected.match(self._pattern, self._place)
        self._place = found.end() if found else self._place
        return found

    def flags_alone(self, flags: Flags) -> Flags | None:
        """The flags behind `(?i)` and the like; None where no such thing stands here."""
        found = self._matched(_FLAGS)
        return None if found is None else _changed(flags, found[1], found[2])

    def group_opening(self, flags: Flags) -> Flags:
        """Step over what follows `(`, and return the flags inside.

        Raises:
            NotUnderstood: it is an opening of some other kind.
        """
        found = self._matched(_OPENING)
        if found is None:
            if not self.ended and self.ahead == "?":
                raise NotUnderstood
            return flags
        return _changed(flags, found[1], found[2])

    def repetition(self) -> tuple[int, int | None] | None:
        r"""The least and most times of `*`, `+`, `?` or `{n,m}`; None without bound, or where none stands here."""
        found = self._matched(_TIMES)
        if found is None:
            return None
        if found[1] is None:
            return {"*": (0, None), "+": (1, None), "?": (0, 1)}[found[0][0]]
        least = int(found[1])
        if found[2] is None:
            return least, least
        return least, int(found[3]) if found[3] else None

    def quotation(self) -> str | None:
        r"""What stands between `\Q` and `\E` or the end; None where no quotation begins here."""
        if not self.take(r"\Q"):
            return None
        text, _, _ = self._pattern[self._place :].partition(r"\E")
        self._place += len(text)
        self.take(r"\E")
        return text

    def escaped(self) -> str | None:
        r"""The character that the escape behind `\` stands for; None for a kind of character.

        Raises:
            NotUnderstood: it is some other escape.
        """
        if self._matched(_UNICODE_CLASS) is not None:
            return None
        if (number := self._matched(_HEX)) is not None:
            return chr(int(number[1] or number[2], 16))
        character = self.next()
        if character in _KINDS:
            return None
        if character in _CONTROLS:
            return _CONTROLS[character]
        if character.isascii() and not character.isalnum():
            return character
        raise NotUnderstood

    def named_class(self) -> bool:
        """Step over `[:alpha:]` and the like, in a class."""
        end = self._pattern.find(":]", self._place + 2)
        if not self._pattern.startswith("[:", self._place) or end < 0:
            return False
        self._place = end + 2
        return True


def _changed(flags: Flags, on: str | None, off: str | None) -> Flags:
    for names, value in ((on, True), (off, False)):
        if names and "i" in names:
            flags = replace(flags, any_case=value)
        if names and "m" in names:
            flags = replace(flags, by_line=value)
    return flags


class ClassReader:
    """Reads a class from behind its opening bracket."""

    def __init__(self, scanner: Scanner) -> None:
        self._at = scanner

    def members(self, most: int) -> frozenset[str] | None:
        """The characters of the class, None where they are more than `most` or cannot be listed."""
        negated = self._at.take("^")
        found: set[str] | None = set()
        first = True
        while first or not self._at.take("]"):
            first = False
            span = self._span()
            wide = span is None or ord(span[1]) - ord(span[0]) >= most
            found = None if found is None or span is None or wide else found | _between(*span)
        return None if negated or found is None or not 0 < len(found) <= most else frozenset(found)

    def _span(self) -> tuple[str, str] | None:
        """The first and last character of a range, or one character twice; None for a kind of characters."""
        if self._at.named_class():
            return None
        first = self._one()
        if first is None or not self._at.take("-"):
            return None if first is None else (first, first)
        if not self._at.ended and self._at.ahead == "]":
            # The hyphen stands last, for itself; what is listed here may only be too much, never too little.
            return None
        last = self._one()
        return None if last is None else (first, last)

    def _one(self) -> str | None:
        character = self._at.next()
        return self._at.escaped() if character == "\\" else character


def _between(first: str, last: str) -> set[str]:
    return {chr(code) for code in range(ord(first), ord(last) + 1)}

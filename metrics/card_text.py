"""A card's Markdown as its parts: sections, code, tables and links, without what a template left to fill in."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile

from markdown_it import MarkdownIt
from markdown_it.token import Token

LONGEST_READ = 100_000
"""Characters of a card that are read: the longest honest cards are half of it, and parsing has to stay quick."""

SUBSTANCE_WORDS = 12
"""Words from which a section says something; a template's lead-in sentences are shorter."""

_UNFILLED = re.compile(
    r"more information (?:is )?needed|\[optional\]:?\**\s*$|machine learning impact calculator", re.IGNORECASE
)
_LINK = re.compile(r"https?://[^\s<>\"'\])|`]+")
_WORD = re.compile(r"\w+")
_LABEL = re.compile(r"\*\*([^*\n]{2,40}?):?\*\*:?")


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """One fenced or indented block: its language in lower case (empty where none is given) and where it stands."""

    language: str
    code: str
    section: str


@dataclass(frozen=True, slots=True)
class Table:
    """One table: its cells row by row, the head first; `context` is the heading and text it stands under."""

    rows: tuple[tuple[str, ...], ...]
    context: str


@dataclass(frozen=True, slots=True)
class Section:
    """What stands under one heading, up to the next heading of any level; `level` is 1 for the largest, 0 for none."""

    title: str
    level: int
    text: str
    has_code: bool
    has_table: bool

    @property
    def words(self) -> int:
        """Words of its text."""
        return len(_WORD.findall(self.text))

    @property
    def has_substance(self) -> bool:
        """Whether something was written under the heading."""
        return self.has_code or self.has_table or self.words >= SUBSTANCE_WORDS


@dataclass(frozen=True, slots=True)
class CardText:
    """A card's parts in the order they stand; `prose` is its text without code and without unfilled template lines."""

    sections: tuple[Section, ...]
    code: tuple[CodeBlock, ...]
    tables: tuple[Table, ...]
    links: tuple[str, ...]
    prose: str

    @property
    def words(self) -> int:
        """Words of prose."""
        return len(_WORD.findall(self.prose))

    def section_about(self, *topics: str, titled: str = "") -> Section | None:
        """The first section with substance whose heading, or a bold label in it, has one of these words.

        A heading that is the card's own title, `titled`, is no topic: `# trained-gender` is not about training.
        """
        wanted = _topic_pattern(topics)
        for at, section in enumerate(self.sections):
            is_title = section.title.strip().casefold() == titled.casefold()
            if not is_title and wanted.search(section.title) and self._says_something(at):
                return section
            if section.has_substance and any(wanted.search(label) for label in _LABEL.findall(section.text)):
                return section
        return None

    def _says_something(self, at: int) -> bool:
        """Whether the section at this place, or one nested in it, has substance."""
        level = self.sections[at].level
        nested = takewhile(lambda section: section.level > level, self.sections[at + 1 :])
        return self.sections[at].has_substance or any(section.has_substance for section in nested)


@lru_cache(maxsize=64)
def _topic_pattern(topics: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(r"\b(?:" + "|".join(topics) + r")", re.IGNORECASE)


@lru_cache(maxsize=8)
def read_card(markdown: str) -> CardText:
    """Take a card apart; unfilled template lines and HTML comments are dropped first.

    Kept for the last few texts, since several metrics read the same card one after the other.
    """
    tokens = _parser().parse(_without_comments(markdown[:LONGEST_READ]))
    return _Reader().read(tokens)


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark").enable("table")
    parser.core.ruler.disable(["inline"])  # links are found by pattern; inline parsing is slow on hostile text
    return parser


def _without_comments(markdown: str) -> str:
    kept, at = [], 0
    while (start := markdown.find("<!--", at)) >= 0:
        kept.append(markdown[at:start])
        end = markdown.find("-->", start)
        if end < 0:
            return "".join(kept)
        at = end + 3
    kept.append(markdown[at:])
    return "".join(kept)


def _filled_in(text: str) -> str:
    return "\n".join(line for line in text.split("\n") if not _UNFILLED.search(line))


class _Reader:
    """Collects parts while walking the token stream once."""

    def __init__(self) -> None:
        self._title = ""
        self._level = 0
        self._text: list[str] = []
        self._has_code = False
        self._has_table = False
        self._sections: list[Section] = []
        self._code: list[CodeBlock] = []
        self._tables: list[Table] = []

    def read(self, tokens: list[Token]) -> CardText:
        walk = iter(tokens)
        for token in walk:
            if token.type == "heading_open":
                self._begin_section(next(walk).content, int(token.tag[1:]))
            elif token.type in {"fence", "code_block"}:
                self._take_code(token)
            elif token.type == "table_open":
                self._take_table(walk)
            elif token.type in {"inline", "html_block"}:
                self._text.append(_filled_in(token.content))
        self._begin_section("", 0)
        prose = "\n".join(f"{section.title}\n{section.text}" for section in self._sections)
        links = tuple(dict.fromkeys(link.rstrip(".,;:") for link in _LINK.findall(prose)))
        return CardText(tuple(self._sections), tuple(self._code), tuple(self._tables), links, prose)

    def _begin_section(self, title: str, level: int) -> None:
        text = "\n".join(part for part in self._text if part)
        if self._title or text or self._has_code or self._has_table:
            self._sections.append(Section(self._title, self._level, text, self._has_code, self._has_table))
        self._title, self._level = title, level
        self._text, self._has_code, self._has_table = [], False, False

    def _take_code(self, token: Token) -> None:
        language = token.info.strip().split(" ")[0].lower() if token.info else ""
        if token.content.strip():
            self._has_code = True
            self._code.append(CodeBlock(language, token.content, self._title))

    def _take_table(self, walk: Iterator[Token]) -> None:
        rows: list[tuple[str, ...]] = []
        cells: list[str] = []
        for token in walk:
            if token.type == "table_close":
                break
            if token.type == "tr_open":
                cells = []
            elif token.type == "inline":
                cells.append(token.content.strip())
            elif token.type == "tr_close":
                rows.append(tuple(cells))
        self._has_table = True
        context = f"{self._title}\n" + "\n".join(self._text)
        self._tables.append(Table(tuple(rows), context))
        self._text.append("\n".join(" | ".join(row) for row in rows))

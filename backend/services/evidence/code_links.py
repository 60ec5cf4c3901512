"""Which of the GitHub repositories in a model's card is the model's own code."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from backend.domain.errors import InvalidInput
from backend.domain.source import ArtifactType
from backend.services.evidence.links import Named
from backend.sources.identify import identify
from metrics.evidence import LinkedBy, ModelRecord

_URL = re.compile(r"https?://(?:www\.)?github\.com/([A-Za-z0-9-]+)/([A-Za-z0-9._-]+)((?:/[^\s)\]>\"'`]*)?)")
_HEADING = re.compile(r"^\s{0,3}#{1,6}\s+(.*)")
_CONTEXT = re.compile(
    r"\b(?:code(?:base)?|repositor(?:y|ies)|repo|github|usage|how to use|implementation|official|source|citation|cite"
    r"|released|developed|clone)\b",
    re.IGNORECASE,
)
_BADGE = re.compile(r"shields\.io|badge|/actions/workflows|colab|\.(?:svg|png|gif|jpe?g)\b", re.IGNORECASE)
_PASSING = re.compile(r"^/(?:issues|pull|discussions|wiki|releases|stargazers|blob|tree|raw)\b")
_COMMON_WORDS = frozenset(
    {"base", "large", "small", "tiny", "medium", "mini", "model", "models", "cased", "uncased", "the", "for",
     "and", "v1", "v2", "v3", "ft", "pretrained", "finetuned", "com", "org", "hub"}
)  # fmt: skip

# What a mention is worth. A repository needs more than nothing to be taken for the model's code: being on the page
# is no reason, and neither badges nor deep links to a file elsewhere are.
IN_CONTEXT = 3.0
SHARES_NAME = 3.0
SAME_OWNER = 3.0
IS_A_BADGE = -4.0
IN_PASSING = -1.5
IS_THE_LIBRARY = -3.0


@dataclass(frozen=True, slots=True)
class _Mention:
    owner: str
    name: str
    rest: str
    line: str
    heading: str


def code_in_card(card: str, record: ModelRecord) -> Named | None:
    """The repository that the card presents as the model's code, None when none is presented so.

    The best mention of each repository counts; of equals the first.
    """
    best: dict[str, float] = {}
    for mention in _mentions(card):
        key = f"{mention.owner}/{mention.name}"
        best[key] = max(best.get(key, -10.0), _worth(mention, record))
    chosen = max(best, key=lambda key: best[key], default=None)
    if chosen is None or best[chosen] <= 0:
        return None
    try:
        source = identify(ArtifactType.CODE, f"https://github.com/{chosen}")
    except InvalidInput:
        return None
    return Named(source.repo, source, LinkedBy.CARD_TEXT)


def _mentions(card: str) -> Iterator[_Mention]:
    heading = ""
    for line in card.splitlines():
        titled = _HEADING.match(line)
        heading = titled[1] if titled else heading
        for found in _URL.finditer(line):
            owner, name, rest = found.groups()
            yield _Mention(owner, name.rstrip(".").removesuffix(".git"), rest, line, heading)


def _worth(mention: _Mention, record: ModelRecord) -> float:
    around = _URL.sub(" ", mention.line)
    worth = IN_CONTEXT if _in_context(around, mention.heading) else 0.0
    own_owner, _, own_name = record.id.lower().rpartition("/")
    if _words(mention.name) & _words(own_name):
        worth += SHARES_NAME
    if own_owner and _squeezed(mention.owner) == _squeezed(own_owner):
        worth += SAME_OWNER
    elif _squeezed(mention.name) == _squeezed(record.library_name or ""):
        worth += IS_THE_LIBRARY
    if _BADGE.search(around) or _BADGE.search(mention.rest):
        worth += IS_A_BADGE
    elif _PASSING.match(mention.rest):
        worth += IN_PASSING
    return worth


def _in_context(around: str, heading: str) -> bool:
    """Whether the line or its heading speaks of code; a row of a table and a section on data speak of other things."""
    if around.lstrip().startswith("|") or re.search(r"\bdata", heading, re.IGNORECASE):
        return False
    return bool(_CONTEXT.search(around) or _CONTEXT.search(heading))


def _words(name: str) -> set[str]:
    """The telling words of a name; digits stay with their word (`gpt2`, and `gpt-2` as `gpt`)."""
    parts = re.split(r"[^a-z0-9]+", name.lower())
    stems = {re.sub(r"\d+$", "", part) for part in parts}
    return {word for word in {*parts, *stems} if len(word) > 2 and word not in _COMMON_WORDS}  # noqa: PLR2004 - shorter words are endings


def _squeezed(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())

"""Find artifacts: by id, by name, by query and by regular expression."""

from collections.abc import Sequence

import re2

from backend.domain.artifact import Artifact, ArtifactSummary, FileEntry
from backend.domain.errors import InvalidInput, NotFound, TooMany
from backend.domain.listing import Listing
from backend.domain.needs import Search
from backend.domain.page import MAX_LIMIT, NameQuery, Page
from backend.domain.pattern import requirement
from backend.domain.source import ArtifactType
from backend.domain.user import User
from backend.storage.base import Catalog

PATTERN_MEMORY_BYTES = 8 << 20
"""What RE2 may spend on one compiled pattern; its own default, stated so that a refusal means the same everywhere."""
MAX_PATTERN_LENGTH = 1_000
"""Longer patterns are mistakes or attacks; no name or sentence someone looks for needs them."""
MAX_QUERIES = MAX_LIMIT
"""Each exact query can name at least one artifact, so more of them than a page holds can never be answered."""


class Directory:
    """Reads of the catalogue."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    async def get(self, viewer: User, kind: ArtifactType, artifact_id: str) -> Artifact:
        """One artifact.

        Raises:
            NotFound: there is none of this type and id.
        """
        artifact = await self._catalog.get(viewer, kind, artifact_id)
        if artifact is None:
            raise NotFound(f"there is no {kind} with id {artifact_id}")
        return artifact

    async def files(self, viewer: User, kind: ArtifactType, artifact_id: str) -> tuple[Artifact, Sequence[FileEntry]]:
        """An artifact and its files, ordered by path.

        Raises:
            NotFound: there is none of this type and id.
        """
        artifact = await self.get(viewer, kind, artifact_id)
        return artifact, await self._catalog.files(artifact_id)

    async def page(
        self, viewer: User, queries: Sequence[NameQuery], *, after: str | None, limit: int
    ) -> Page[ArtifactSummary]:
        """One page of the union of all queries.

        Raises:
            InvalidInput: there is no query, or `after` belongs to a listing with an order of its own.
            TooMany: there are more queries than a page can ever answer.
        """
        if not queries:
            raise InvalidInput.field("body", "needs at least one query")
        if len(queries) > MAX_QUERIES:
            raise TooMany(f"{len(queries)} queries ask for more than a page can hold; send at most {MAX_QUERIES}")
        if after is not None and after.startswith("["):
            raise InvalidInput.field("offset", "belongs to a listing of another order; leave it out for the first page")
        return await self._catalog.page(viewer, queries, after=after, limit=limit)

    async def listed(self, viewer: User, listing: Listing, *, after: str | None, limit: int) -> Page[ArtifactSummary]:
        """One page of a listing with filters and an order of its own.

        Raises:
            InvalidInput: `after` belongs to another order.
        """
        if not listing.is_plain:
            return await self._catalog.listed(viewer, listing, after=after, limit=limit)
        return await self.page(viewer, [NameQuery(None, listing.types)], after=after, limit=limit)

    async def named(self, viewer: User, name: str) -> Sequence[ArtifactSummary]:
        """Every artifact of exactly this name, of any type, by id.

        Raises:
            NotFound: there is none.
        """
        found: list[ArtifactSummary] = []
        after: str | None = None
        while True:
            page = await self._catalog.page(viewer, [NameQuery(name)], after=after, limit=MAX_LIMIT)
            found.extend(page.items)
            after = page.after
            if after is None:
                break
        if not found:
            raise NotFound(f"there is no artifact named {name!r}")
        return found

    async def matching(self, viewer: User, pattern: str, *, after: str | None, limit: int) -> Page[ArtifactSummary]:
        """One page of the artifacts whose name or README matches an RE2 pattern anywhere, case as written.

        Raises:
            InvalidInput: the pattern is malformed, or more than the linear-time engine takes.
            NotFound: nothing matches.
        """
        page = await self._catalog.search(viewer, search_for(pattern), after=after, limit=limit)
        if not page.items and after is None:
            raise NotFound("no artifact matches this pattern")
        return page


def search_for(pattern: str) -> Search:
    """What looks for a pattern.

    Raises:
        InvalidInput: as `compile_pattern` does.
    """
    compiled = compile_pattern(pattern)
    required = requirement(pattern)

    def found_in(text: bytes) -> bool:
        return compiled.search(text) is not None

    def matches(name: str, readme: str | None) -> bool:
        # As bytes, because of text the engine's wrapper also counts out at which character each match stands.
        return found_in(name.encode()) or (readme is not None and found_in(readme.encode()))

    # A pattern that does not see where a text ends cannot tell one text from several that newlines keep apart.
    return Search(matches, required.needs, None if required.sees_edges else lambda joined: not found_in(joined))


def compile_pattern(pattern: str) -> "re2._Regexp":
    """Compile for RE2, whose time is linear in the text whatever the pattern.

    Raises:
        InvalidInput: the pattern is empty, too long, malformed or too large; says what the engine objects to.
    """
    if not pattern:
        raise InvalidInput.field("regex", "is empty; use .* to match everything")
    if len(pattern) > MAX_PATTERN_LENGTH:
        raise InvalidInput.field("regex", f"has {len(pattern)} characters; at most {MAX_PATTERN_LENGTH} are taken")
    options = re2.Options()
    options.max_mem = PATTERN_MEMORY_BYTES
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as refused:
        raise InvalidInput.field("regex", _objection(pattern, refused)) from None


def _objection(pattern: str, refused: Exception) -> str:
    """The engine's words, and where in the pattern the piece it names stands."""
    words = refused.args[0] if refused.args else ""
    text = words.decode(errors="replace") if isinstance(words, bytes) else str(words)
    piece = text.rpartition(": ")[2] if ": " in text else ""
    at = pattern.find(piece) if piece else -1
    return f"is not a pattern RE2 takes: {text}" + (f" (at character {at + 1})" if at >= 0 else "")

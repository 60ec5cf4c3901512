"""The engine's index of names and READMEs by trigrams, kept in the transaction that writes the artifact.

For SQLite it is an FTS5 table without content: each entry lists the trigrams of the different words of one artifact, in
lower case as far as ASCII goes. It holds no text, so whoever asks verifies each candidate; and to remove an entry one
has to say again what it was made of.

New artifacts wait on a list until they are many, since entering them one by one costs three times as much; whoever
searches looks at those too.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, column, delete, insert, literal, select, table, text

from backend.domain.needs import SHORTEST, AllOf, AnyOf, Literal, Need
from backend.storage.sql.prepared import PreparedChange, PreparedInsert, PreparedSelect
from backend.storage.sql.schema import artifacts, indexed, unindexed

MOST_TRIGRAMS = 6
"""Trigrams of one literal that are asked for: six name few artifacts, and each costs reading its list."""
MOST_WAITING = 64
"""Artifacts that are on the list before it is entered: every search looks at each of them."""
LARGEST_QUERY = 5_000
"""Characters of a query; a condition with more parts than that is not worth its parsing."""

_TRIGRAMS = table("trigrams", column("trigrams"), column("rowid"), column("text"))
_ENTRY: dict[str, Any] = {"rowid": bindparam("number"), "text": bindparam("words")}
_ADD = PreparedChange(insert(_TRIGRAMS).values(_ENTRY))
_REMOVE = PreparedChange(insert(_TRIGRAMS).values({"trigrams": literal("delete"), **_ENTRY}))
_CLEAR = text("INSERT INTO trigrams (trigrams) VALUES ('delete-all')")
_NUMBER = PreparedSelect(select(indexed.c.number).where(indexed.c.artifact_id == bindparam("artifact_id")))
_ENTER = PreparedSelect(insert(indexed).values(artifact_id=bindparam("entered")).returning(indexed.c.number))
_WAIT = PreparedInsert(unindexed)
_WAITING = PreparedSelect(select(unindexed.c.artifact_id))
_TEXTS_WAITING = (
    select(artifacts.c.id, artifacts.c.name, artifacts.c.readme)
    .join(unindexed, unindexed.c.artifact_id == artifacts.c.id)
    .order_by(artifacts.c.id)
)
_CANDIDATES = text(
    "SELECT artifact_id FROM unindexed UNION ALL SELECT artifact_id FROM"
    " (SELECT indexed.artifact_id FROM trigrams JOIN indexed ON indexed.number = trigrams.rowid"
    " WHERE trigrams MATCH :query LIMIT :most)"
)
"""In one statement, so that an artifact on its way from one to the other is in it."""

Words = tuple[str, str | None]
"""A name and a README, as an entry is made of."""


def add(connection: Connection, artifact_id: str) -> None:
    """Put a new artifact on the list, and enter those on it once they are many."""
    _WAIT.run(connection, [{"artifact_id": artifact_id}])
    waiting = _WAITING.rows(connection, {})
    if len(waiting) >= MOST_WAITING:
        _enter(connection)


def change(connection: Connection, artifact_id: str, before: Words, after: Words) -> None:
    """Put an artifact on the list anew when what it is found by has changed."""
    if before != after and remove(connection, artifact_id, before):
        connection.execute(delete(indexed).where(indexed.c.artifact_id == artifact_id))
        add(connection, artifact_id)


def remove(connection: Connection, artifact_id: str, before: Words) -> bool:
    """Remove the entry of an artifact that is about to be deleted; it was made of `before`. False: it has none yet."""
    found = _NUMBER.row(connection, {"artifact_id": artifact_id})
    if found is not None:
        _REMOVE.run(connection, {"number": found.number, "words": _entry(before)})
    return found is not None


def _enter(connection: Connection) -> None:
    """Enter all that wait.

    Nothing else may be written between two entries: each such write would have the index flush what it has gathered,
    and it is by flushing once that many at a time are cheaper.
    """
    entries = [
        {"number": _ENTER.rows(connection, {"entered": row.id})[0].number, "words": _entry((row.name, row.readme))}
        for row in connection.execute(_TEXTS_WAITING).all()
    ]
    for entry in entries:
        _ADD.run(connection, entry)
    connection.execute(delete(unindexed))


def clear(connection: Connection) -> None:
    """Remove all entries."""
    connection.execute(_CLEAR)


def candidates(connection: Connection, need: Need | None, most: int) -> list[str] | None:
    """Ids of all artifacts that may fulfil `need`; None where they are more than `most`, or cannot be told."""
    query = None if need is None else query_for(need)
    if query is None or len(query) > LARGEST_QUERY:
        return None
    found: Sequence[str] = connection.execute(_CANDIDATES, {"query": query, "most": most + 1}).scalars().all()
    return None if len(found) > most else list(found)


def query_for(need: Need) -> str | None:
    """The condition in FTS5's language; None where it has no trigram to ask for."""
    match need:
        case Literal(wanted):
            return _joined("AND", [_quoted(part) for part in _trigrams(wanted)])
        case AllOf(parts):
            return _joined("AND", [query for query in map(query_for, parts) if query is not None])
        case AnyOf(parts):
            queries = [query_for(part) for part in parts]
            known = [query for query in queries if query is not None]
            return _joined("OR", known) if len(known) == len(queries) else None


def _joined(operator: str, queries: Sequence[str]) -> str | None:
    return f"({f' {operator} '.join(queries)})" if queries else None


def _quoted(trigram: str) -> str:
    return '"' + trigram.replace('"', '""') + '"'


def _trigrams(literal: str) -> list[str]:
    """At most `MOST_TRIGRAMS` of a literal, spread over its length."""
    every = [word[at : at + SHORTEST] for word in words_of(literal) for at in range(len(word) - SHORTEST + 1)]
    distinct = list(dict.fromkeys(every))
    apart = -(-len(distinct) // MOST_TRIGRAMS) or 1
    return distinct[::apart]


def words_of(text: str) -> list[str]:
    """The different words of a text, in lower case as far as ASCII goes.

    A part of the text without white space is a part of one of its words. NUL, at which the tokenizer would stop, counts
    as white space. Bytes are lowered and split by ASCII's rules alone, in every release of Python the same.
    """
    folded = text.encode().lower().replace(b"\0", b" ").split()
    return [word.decode() for word in dict.fromkeys(folded)]


def _entry(words: Words) -> str:
    name, readme = words
    return " ".join(words_of(f"{name}\n{readme or ''}"))

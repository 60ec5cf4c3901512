"""The engine's index of names and READMEs by trigrams, kept in the transaction that writes the artifact.

For SQLite it is an FTS5 table without content: each entry lists the trigrams of the different words of one artifact, in
lower case as far as ASCII goes. It holds no text, so whoever asks verifies each candidate; and to remove an entry one
has to say again what it was made of.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, column, insert, literal, select, table, text

from backend.domain.needs import SHORTEST, AllOf, AnyOf, Literal, Need
from backend.storage.sql.prepared import PreparedChange, PreparedSelect
from backend.storage.sql.schema import indexed

MOST_TRIGRAMS = 6
"""Trigrams of one literal that are asked for: six name few artifacts, and each costs reading its list."""
LARGEST_QUERY = 5_000
"""Characters of a query; a condition with more parts than that is not worth its parsing."""

_TRIGRAMS = table("trigrams", column("trigrams"), column("rowid"), column("text"))
_ENTRY: dict[str, Any] = {"rowid": bindparam("number"), "text": bindparam("words")}
_ADD = PreparedChange(insert(_TRIGRAMS).values(_ENTRY))
_REMOVE = PreparedChange(insert(_TRIGRAMS).values({"trigrams": literal("delete"), **_ENTRY}))
_CLEAR = text("INSERT INTO trigrams (trigrams) VALUES ('delete-all')")
_NUMBER = PreparedSelect(select(indexed.c.number).where(indexed.c.artifact_id == bindparam("artifact_id")))
_ENTER = PreparedSelect(insert(indexed).values(artifact_id=bindparam("entered")).returning(indexed.c.number))
_CANDIDATES = text(
    "SELECT indexed.artifact_id FROM trigrams JOIN indexed ON indexed.number = trigrams.rowid"
    " WHERE trigrams MATCH :query LIMIT :most"
)

Words = tuple[str, str | None]
"""A name and a README, as an entry is made of."""


def add(connection: Connection, artifact_id: str, words: Words) -> None:
    """Enter a new artifact."""
    (entered,) = _ENTER.rows(connection, {"entered": artifact_id})
    _put(connection, entered.number, words)


def change(connection: Connection, artifact_id: str, before: Words, after: Words) -> None:
    """Enter an artifact anew when what it is found by has changed."""
    if before != after:
        number = _number(connection, artifact_id)
        _take(connection, number, before)
        _put(connection, number, after)


def remove(connection: Connection, artifact_id: str, before: Words) -> None:
    """Remove the entry of an artifact that is about to be deleted; it was made of `before`."""
    _take(connection, _number(connection, artifact_id), before)


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


def _number(connection: Connection, artifact_id: str) -> int:
    (entered,) = _NUMBER.rows(connection, {"artifact_id": artifact_id})
    number: int = entered.number
    return number


def _put(connection: Connection, number: int, words: Words) -> None:
    _ADD.run(connection, {"number": number, "words": _entry(words)})


def _take(connection: Connection, number: int, words: Words) -> None:
    _REMOVE.run(connection, {"number": number, "words": _entry(words)})


def _entry(words: Words) -> str:
    name, readme = words
    return " ".join(words_of(f"{name}\n{readme or ''}"))

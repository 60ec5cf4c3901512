"""The few statements that engines spell differently."""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import TypeVar

from sqlalchemy import Connection, Insert, Table
from sqlalchemy.dialects import postgresql, sqlite

T = TypeVar("T")

MAX_PARAMETERS = 10_000
"""How many values one statement lists; every engine takes this many, and none takes any number."""


def insert_new(connection: Connection, table: Table, key: str | None = None) -> Insert:
    """An insert that leaves a row alone which has the same primary or unique key; `rowcount` tells.

    With `key` only a row that has the same value there counts.
    """
    return _insert_new(connection.dialect.name, table, key)


@cache
def _insert_new(dialect: str, table: Table, key: str | None) -> Insert:
    elements = None if key is None else [key]
    match dialect:
        case "sqlite":
            return sqlite.insert(table).on_conflict_do_nothing(elements)
        case "postgresql":
            return postgresql.insert(table).on_conflict_do_nothing(index_elements=elements)
        case _:
            raise ValueError(f"no insert for {dialect}: the engines are sqlite and postgresql")


def in_lots(values: Sequence[T]) -> Iterator[list[T]]:
    """Distinct values in lots that fit one statement each."""
    distinct = list(dict.fromkeys(values))
    for start in range(0, len(distinct), MAX_PARAMETERS):
        yield distinct[start : start + MAX_PARAMETERS]

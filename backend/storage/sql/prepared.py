"""Statements that are run thousands of times a second: written once, and on SQLite given to the driver as they are.

SQLAlchemy spends five to ten times on an execution what SQLite spends on a row by its key. A `Prepared` statement is
an ordinary one to every other engine.
"""

import sqlite3
from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, cast

from sqlalchemy import CompoundSelect, Connection, Insert, Select, Table, Update
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql.dml import ReturningInsert

from backend.storage.sql.dialect import insert_new
from backend.storage.sql.records import AnyRow

Parameters = Mapping[str, Any]

_SQLITE = sqlite.dialect(paramstyle="qmark")


class _Compiled:
    """A statement in SQLite's words and the order in which it takes its parameters."""

    def __init__(self, statement: Select[Any] | CompoundSelect[Any] | Insert | Update) -> None:
        compiled = statement.compile(dialect=_SQLITE)
        self.text = str(compiled)
        self._order = compiled.positiontup or []
        self._fixed = {name: value for name, value in compiled.params.items() if value is not None}

    def arranged(self, parameters: Parameters) -> list[Any]:
        """The parameters in their order, those that the statement itself brings along included."""
        given = {**self._fixed, **parameters}
        return [given[name] for name in self._order]


class PreparedSelect:
    """A SELECT, or an INSERT that returns, of plain columns: texts and numbers, which the driver gives as they are."""

    def __init__(self, statement: Select[Any] | CompoundSelect[Any] | ReturningInsert[Any]) -> None:
        self._statement = statement
        converted = [each.name for each in statement.exported_columns if each.type.result_processor(_SQLITE, None)]
        if converted:
            raise ValueError(f"{', '.join(converted)} would come back as stored, not as declared: execute it plainly")

    @cached_property
    def _compiled(self) -> tuple[_Compiled, Callable[[Iterable[Any]], Any]]:
        columns = [column.name for column in self._statement.exported_columns]
        row = namedtuple("Row", columns)  # type: ignore[misc] # noqa: PYI024 -- its fields are known at run time only
        return _Compiled(self._statement), cast("Any", row)._make

    def rows(self, connection: Connection, parameters: Parameters) -> Sequence[AnyRow]:
        """All rows, with their columns as attributes."""
        driver = _driver(connection)
        if driver is None:
            return connection.execute(self._statement, dict(parameters)).all()
        compiled, as_row = self._compiled
        return [as_row(row) for row in driver.execute(compiled.text, compiled.arranged(parameters))]

    def plain_rows(self, connection: Connection, parameters: Parameters) -> Sequence[tuple[Any, ...]]:
        """All rows as tuples, for lists long enough that naming their columns would cost more than reading them."""
        driver = _driver(connection)
        if driver is None:
            return connection.execute(self._statement, dict(parameters)).all()
        compiled = self._compiled[0]
        return driver.execute(compiled.text, compiled.arranged(parameters)).fetchall()

    def row(self, connection: Connection, parameters: Parameters) -> AnyRow | None:
        """The one row, None when there is none."""
        found = self.rows(connection, parameters)
        return found[0] if found else None


class PreparedChange:
    """An INSERT or UPDATE that says itself what it takes."""

    def __init__(self, statement: Insert | Update) -> None:
        self._statement = statement

    @cached_property
    def _compiled(self) -> _Compiled:
        return _Compiled(self._statement)

    def run(self, connection: Connection, parameters: Parameters) -> int:
        """Change rows and return how many."""
        driver = _driver(connection)
        if driver is None:
            return connection.execute(self._statement, dict(parameters)).rowcount
        return driver.execute(self._compiled.text, self._compiled.arranged(parameters)).rowcount


class PreparedInsert:
    """An INSERT of whole rows; one that has the primary or a unique key of another is left out.

    With `key` only a row of the same value there counts, and any other conflict is an error.
    """

    def __init__(self, table: Table, key: str | None = None) -> None:
        self._table = table
        self._key = key
        self._compiled: _Compiled | None = None

    def run(self, connection: Connection, rows: Sequence[Parameters]) -> int:
        """Insert the rows and return how many went in."""
        driver = _driver(connection)
        if driver is None:
            return connection.execute(
                insert_new(connection, self._table, self._key), [dict(row) for row in rows]
            ).rowcount
        if self._compiled is None:
            self._compiled = _Compiled(insert_new(connection, self._table, self._key))
        return driver.executemany(self._compiled.text, map(self._compiled.arranged, rows)).rowcount


def _driver(connection: Connection) -> sqlite3.Connection | None:
    """The driver's own connection where it is SQLite's."""
    if connection.dialect.name != "sqlite":
        return None
    return cast("sqlite3.Connection", connection.connection.dbapi_connection)

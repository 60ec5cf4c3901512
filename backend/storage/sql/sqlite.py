# ruff: noqa: D102 - the protocol in store.py carries the docstrings
"""SQLite: reads where they are asked for, scans in threads, and one thread that commits writes in groups."""

import asyncio
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import ParamSpec, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError

from backend.domain.errors import Unavailable
from backend.storage.sql import migrate
from backend.storage.sql.sqlite_writer import FAILURES, Writer, driver, unavailable
from backend.storage.sql.store import Executor, SqlStore, Work

P = ParamSpec("P")
T = TypeVar("T")

SCAN_THREADS = 4

PRAGMAS = (
    "busy_timeout = 10000",  # milliseconds to wait for another process that writes
    "journal_mode = WAL",  # readers and the writer do not wait for each other
    "synchronous = FULL",  # a commit that was acknowledged survives a power cut
    "foreign_keys = ON",
)


def open_sqlite(path: Path) -> SqlStore:
    """Open the store in this file, creating the file and its folder and migrating it where that is needed.

    Raises:
        Unavailable: the file cannot be opened, or is no database.
        RuntimeError: a newer release has migrated it.
    """
    engine = sqlite_engine(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with engine.connect() as connection:
            _bring_up_to_date(connection)
        return SqlStore(SqliteExecutor(engine))
    except (OSError, DBAPIError) as error:
        engine.dispose()
        raise unavailable(error) from error
    except RuntimeError:
        engine.dispose()
        raise


def sqlite_engine(path: Path) -> Engine:
    """An engine whose connections run in autocommit, because transactions here are begun and ended by hand."""
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        isolation_level="AUTOCOMMIT",
        # Each connection has one user at a time, though not always in the thread that opened it.
        connect_args={"check_same_thread": False},
        pool_size=SCAN_THREADS + 2,
        pool_reset_on_return=None,
    )
    event.listen(engine, "connect", _configure)
    return engine


def _configure(connection: sqlite3.Connection, _record: object) -> None:
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}").close()


def _bring_up_to_date(connection: Connection) -> None:
    if migrate.is_current(connection):
        return
    control = driver(connection)
    # A migration that rebuilds a table drops the old one, which with foreign keys on would empty its dependants.
    control.execute("PRAGMA foreign_keys = OFF")
    control.execute("BEGIN IMMEDIATE")
    try:
        migrate.upgrade(connection)
        control.execute("COMMIT")
    finally:
        if control.in_transaction:
            control.execute("ROLLBACK")
        control.execute("PRAGMA foreign_keys = ON")


class SqliteExecutor(Executor):
    """Runs work on one SQLite file, which other processes may use as well.

    A point read takes less time than handing it to a thread would, so it runs on the caller's own.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reader = engine.connect()
        self._writer = Writer(engine.connect())
        self._scans = ThreadPoolExecutor(SCAN_THREADS, thread_name_prefix="sqlite-scan")
        self._closed = False

    async def read(self, work: Work[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        if self._closed:
            raise Unavailable("the store is closed")
        try:
            return work(self._reader, *args, **kwargs)
        except FAILURES as error:
            raise unavailable(error) from error

    async def scan(self, work: Work[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        if self._closed:
            raise Unavailable("the store is closed")
        scanning = partial(self._scan, work, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._scans, scanning)

    def _scan(self, work: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            with self._engine.connect() as connection:
                return work(connection, *args, **kwargs)
        except FAILURES as error:
            raise unavailable(error) from error

    async def write(self, work: Work[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._writer.run(lambda connection: work(connection, *args, **kwargs))

    async def close(self) -> None:
        self._closed = True
        await asyncio.to_thread(self._stop)

    def _stop(self) -> None:
        self._writer.close()
        self._scans.shutdown()
        self._reader.close()
        self._engine.dispose()

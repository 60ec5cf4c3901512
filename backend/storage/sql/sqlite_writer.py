"""The one thread that writes to a SQLite file: writes that wait for each other's fsync share the next one."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any, TypeVar, cast

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from backend.domain.errors import Unavailable

T = TypeVar("T")

MAX_GROUP = 128
"""Writes to one commit; bounds how long the first of them waits and how long other processes are kept out."""


FAILURES = (DBAPIError, sqlite3.Error)
"""How the database says that it failed: through SQLAlchemy, or to a prepared statement."""


def driver(connection: Connection) -> sqlite3.Connection:
    """The driver's connection, for the few commands that are about the connection itself."""
    return cast("sqlite3.Connection", connection.connection.dbapi_connection)


def unavailable(error: Exception) -> Unavailable:
    """Say that the database failed, in its own words and without the statement."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return Unavailable(f"the database failed: {cause}")


@dataclass(frozen=True, slots=True, eq=False)
class _Write:
    """Work to do, and the future of the caller that waits for it on `loop`."""

    work: Callable[[Connection], Any]
    loop: asyncio.AbstractEventLoop
    future: "asyncio.Future[Any]"


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What became of a write: its result, or the error that undid it."""

    write: _Write
    result: Any = None
    error: Exception | None = None

    def settle(self) -> None:
        if self.write.future.done():  # its caller was cancelled; the write stands all the same
            return
        if self.error is None:
            self.write.future.set_result(self.result)
        else:
            self.write.future.set_exception(self.error)


class Writer:
    """Runs writes one after the other, each in a savepoint of a transaction that it shares with those that waited.

    A write is acknowledged after the commit that made it durable; one that fails leaves its neighbours alone.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._queue: SimpleQueue[_Write | None] = SimpleQueue()
        self._thread: Thread | None = None
        self._closed = False
        self._lock = Lock()

    async def run(self, work: Callable[[Connection], T]) -> T:
        """Do `work` in a transaction; returns once it is on disk.

        Raises:
            Unavailable: the database failed, or the writer is closed.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        with self._lock:
            if self._closed:
                raise Unavailable("the store is closed")
            if self._thread is None:
                self._thread = Thread(target=self._serve, name="sqlite-writer", daemon=True)
                self._thread.start()
            self._queue.put(_Write(work, loop, future))
        return await future

    def close(self) -> None:
        """Commit what waits, then stop."""
        with self._lock:
            self._closed = True
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()
        self._connection.close()

    def _serve(self) -> None:
        while (first := self._queue.get()) is not None:
            group, last = self._waiting_with(first)
            _deliver(_commit(self._connection, group))
            if last:
                return

    def _waiting_with(self, first: _Write) -> tuple[list[_Write], bool]:
        """All writes that wait by now, up to the cap, and whether the queue ends behind them."""
        group = [first]
        with suppress(Empty):
            while len(group) < MAX_GROUP:
                write = self._queue.get_nowait()
                if write is None:
                    return group, True
                group.append(write)
        return group, False


def _commit(connection: Connection, group: Sequence[_Write]) -> list[_Outcome]:
    """Apply a group in one transaction; if that cannot begin or end, none of it has happened."""
    control = driver(connection)
    try:
        # IMMEDIATE takes the write lock first, so no read in here is overtaken by another process.
        control.execute("BEGIN IMMEDIATE")
        outcomes = [_attempt(connection, control, write) for write in group]
        control.execute("COMMIT")
    except sqlite3.Error as error:
        if control.in_transaction:
            control.execute("ROLLBACK")
        return [_Outcome(write, error=unavailable(error)) for write in group]
    return outcomes


def _attempt(connection: Connection, control: sqlite3.Connection, write: _Write) -> _Outcome:
    """Apply one write; whatever it raises undoes it alone and goes to its caller."""
    control.execute("SAVEPOINT one_write")
    try:
        outcome = _Outcome(write, write.work(connection))
    except Exception as error:  # noqa: BLE001 - the caller gets it, and the thread serves the others
        # A full disk may have ended the whole transaction; then this fails too, and with it the group.
        control.execute("ROLLBACK TO one_write")
        outcome = _Outcome(write, error=unavailable(error) if isinstance(error, FAILURES) else error)
    control.execute("RELEASE one_write")
    return outcome


def _deliver(outcomes: Sequence[_Outcome]) -> None:
    """Wake the callers, one call for each event loop."""
    by_loop: dict[asyncio.AbstractEventLoop, list[_Outcome]] = {}
    for outcome in outcomes:
        by_loop.setdefault(outcome.write.loop, []).append(outcome)
    for loop, settled in by_loop.items():
        with suppress(RuntimeError):  # the loop is closed, so nobody waits any more
            loop.call_soon_threadsafe(_settle, settled)


def _settle(outcomes: Sequence[_Outcome]) -> None:
    for outcome in outcomes:
        outcome.settle()

"""Group commit: one thread writes for all, many units of work to a transaction.

It takes what is queued, up to 64 units of work, and commits them together, each in its own
savepoint: one fsync for many, and no waiting on SQLite's busy handler. A caller hears of its unit
after the commit, never before.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from bridge.errors import LedgerBusy

T = TypeVar("T")

#: Units of work in one commit: more would only lengthen the wait of the first.
_MOST_UNITS = 64
#: After these the same call may succeed (primary codes of https://www.sqlite.org/rescode.html).
_PASSING = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
    }
)


@dataclass(slots=True, eq=False)
class _Unit:
    """One caller's work, and what came of it."""

    work: Callable[[Connection], Any]
    future: Future[Any]
    value: Any = None
    error: BaseException | None = None

    def attempt(self, conn: Connection) -> None:
        """Run within the batch's transaction, and leave no trace there on failure."""
        savepoint = conn.begin_nested()
        try:
            self.value = self.work(conn)
            savepoint.commit()
        except BaseException as error:
            self.error = _busy(error) or error
            if not _in_transaction(conn):
                self.tell(None)
                raise _TransactionLost from error
            savepoint.rollback()

    def tell(self, failure: LedgerBusy | None) -> None:
        """Tell the caller. The batch's failure comes first: what was found in it is void."""
        if self.future.done():
            return
        if failure:
            # One each: a traceback grows with every thread that raises it.
            self.error = LedgerBusy(str(failure))
            self.error.__cause__ = failure
        if self.error:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.value)


class _TransactionLost(Exception):
    """A unit of work ended the transaction that it shared, as SQLite does on some failures."""


class Writer:
    """The one thread that writes, and the queue before it."""

    def __init__(self, engine: Engine, turn: Callable[[], AbstractContextManager[None]]) -> None:
        self._engine = engine
        self._turn = turn
        self._queue: SimpleQueue[_Unit | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stopped = False

    def submit(self, work: Callable[[Connection], T]) -> Future[T]:
        """Queue a unit of work. Its future is done when the unit is durable, or has failed."""
        self._refuse_own_thread()
        future: Future[T] = Future()
        with self._lock:
            if self._stopped:
                raise LedgerBusy("the database is closed; nothing was written")
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="ledger", daemon=True)
                self._thread.start()
            self._queue.put(_Unit(work, future))
        return future

    def stop(self) -> None:
        """Finish what is queued; refuse what comes later."""
        self._refuse_own_thread()
        with self._lock:
            self._stopped = True
            self._queue.put(None)
        if self._thread:
            self._thread.join()

    def _refuse_own_thread(self) -> None:
        if threading.current_thread() is self._thread:
            raise RuntimeError("called from within a unit of work, which would wait for itself")

    def _run(self) -> None:
        try:
            while units := self._next():
                self._commit(units)
        finally:
            self._refuse_the_rest()

    def _next(self) -> list[_Unit]:
        """Wait for a unit and take those queued behind it. Empty: there will be no more."""
        unit = self._queue.get()
        units: list[_Unit] = []
        try:
            while unit is not None and len(units) < _MOST_UNITS - 1:
                units.append(unit)
                unit = self._queue.get_nowait()
        except Empty:
            return units
        if unit is not None:
            units.append(unit)
        elif units:
            self._queue.put(None)
        return units

    def _commit(self, units: Sequence[_Unit]) -> None:
        """Commit the units together, and only then tell the callers."""
        failure: LedgerBusy | None = LedgerBusy("the database's writer died; nothing was written")
        try:
            with self._turn(), self._engine.connect() as conn:
                with conn.begin():
                    for unit in units:
                        unit.attempt(conn)
                failure = None
        except (SQLAlchemyError, LedgerBusy, OSError, _TransactionLost) as error:
            self._engine.dispose()
            if failure:
                failure = _busy(error) or LedgerBusy("the write failed; nothing was written")
                failure.__cause__ = error
        finally:
            for unit in units:
                unit.tell(failure)

    def _refuse_the_rest(self) -> None:
        with self._lock:
            self._stopped = True
            while not self._queue.empty():
                if unit := self._queue.get_nowait():
                    unit.tell(LedgerBusy("the database is closed; nothing was written"))


@contextmanager
def passing_failures() -> Iterator[None]:
    """Tell a failure that will pass from a fault."""
    try:
        yield
    except (DBAPIError, sqlite3.Error) as error:
        if busy := _busy(error):
            raise busy from error
        raise


def _busy(error: BaseException) -> LedgerBusy | None:
    """What to raise for a lock, an I/O error or a full disk; None for anything else."""
    if isinstance(error, LedgerBusy):
        return error
    cause = error.orig if isinstance(error, DBAPIError) else error
    if getattr(cause, "sqlite_errorcode", 0) & 0xFF not in _PASSING:
        return None
    return LedgerBusy(f"the database cannot be used now ({cause}); nothing was written")


def _in_transaction(conn: Connection) -> bool:
    driver: Any = conn.connection.driver_connection
    return bool(driver.in_transaction)

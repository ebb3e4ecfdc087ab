"""The database: the one home of the transaction.

One thread per process writes (`writer`), many read, each on a snapshot of its own. Between
processes a file lock is held for each batch of writes, its checkpoint included, so that a short
command can write beside a running server: before SQLite 3.51.3 two connections that write or
checkpoint at the same moment can, rarely, corrupt the file
(https://www.sqlite.org/wal.html#walresetbug).

This module, `writer` and `guards` know SQLite; beside them only the types and partial indexes of
`schema` and the inserts of `upsert` know which database it is.
"""

import fcntl
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import IO, Any, Self, TypeVar

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError

from bridge.database.writer import Writer, passing_failures
from bridge.errors import LedgerBusy, SettingsError

T = TypeVar("T")

#: The first SQLite with STRICT tables.
_OLDEST_SQLITE = (3, 37)
_WRITER_PRAGMAS = (
    "synchronous=FULL",
    "fullfsync=ON",  # macOS: fsync alone leaves the data in the drive's cache
    "foreign_keys=ON",
    "recursive_triggers=ON",
)
_READER_PRAGMAS = ("query_only=ON",)
#: Seconds between two looks at a file lock that another process holds.
_POLL = 0.001


class Database:
    """One SQLite database. Shared by threads; opened anew in each process."""

    def __init__(self, path: Path, wait: float) -> None:
        self._path = path
        self._wait = wait
        self._pid = os.getpid()
        self._readers = _engine(path, wait, _READER_PRAGMAS, begin="BEGIN")
        self._engine = _engine(path, wait, _WRITER_PRAGMAS, begin="BEGIN IMMEDIATE")
        self._writer = Writer(self._engine, self._turn)

    @classmethod
    def open(cls, url: str, *, wait: float = 5.0) -> Self:
        """Open `sqlite:///relative/path` or `sqlite:////absolute/path`.

        The file need not exist: `migrate` makes it.

        Args:
            url: where the database is.
            wait: seconds to wait while somebody else writes, before `LedgerBusy`.

        Raises:
            SettingsError: the URL cannot be used, or what is there is not this database.
            LedgerBusy: the database is locked.
        """
        path = _path_in(url)
        _check_file(path)
        database = cls(path, wait)
        try:
            database._check_schema()
        except BaseException:
            database.close()
            raise
        return database

    def write(self, work: Callable[[Connection], T]) -> T:
        """Run a unit of work in one transaction; it is durable when its result is returned.

        What `work` raises rolls it back entirely, and is raised here and nowhere else. `work` runs
        in the writer's thread while others wait: it does no I/O but SQL, neither commits nor rolls
        back, and returns plain values.

        Raises:
            LedgerBusy: the database cannot take the write now, or is closed. Repeat it.
            RuntimeError: called from within a unit of work, which would wait for itself.
        """
        self._refuse_fork()
        return self._writer.submit(work).result()

    def read(self, work: Callable[[Connection], T]) -> T:
        """Run queries on one snapshot, beside the writer and without waiting for it.

        Raises:
            LedgerBusy: the database cannot be read now.
        """
        self._refuse_fork()
        with passing_failures(), self._readers.begin() as conn:
            return work(conn)

    def migrate(self) -> None:
        """Bring tables and guards to this version's state; make the file where there is none.

        Safe to repeat, and when two processes do it at once.

        Raises:
            LedgerBusy: somebody else writes, or the disk is full.
            SettingsError: the file system cannot carry a write-ahead log.
        """
        with passing_failures(), self._turn():
            self._make_private()
            self._upgrade()

    def _make_private(self) -> None:
        """Nobody but the bridge's own user reads a new database: it names customers."""
        with suppress(FileExistsError):
            os.close(os.open(self._path, os.O_CREAT | os.O_EXCL, 0o600))

    def _upgrade(self) -> None:
        with self._engine.connect() as conn:
            # Kept in the file. Here, where nobody else writes: two processes that switch at once
            # fail at once, whatever the time-out.
            cursor = conn.connection.cursor()
            cursor.execute("PRAGMA journal_mode=WAL")
            if cursor.fetchone() != ("wal",):
                raise SettingsError(f"database: {self._path} must be on a local disk")
            with conn.begin():
                command.upgrade(_alembic(conn), "head")

    def revisions(self) -> tuple[str | None, str]:
        """The schema's revision, None where there are no tables yet, and the one of this version.

        Raises:
            LedgerBusy: the database cannot be read now.
        """
        head = str(ScriptDirectory.from_config(_alembic()).get_current_head())
        return self.read(_revision) if self._path.exists() else None, head

    def is_current(self) -> bool:
        """Whether there are tables, and they are those of this version.

        Raises:
            LedgerBusy: the database cannot be read now.
        """
        revision, head = self.revisions()
        return revision == head

    @contextmanager
    def serving_lock(self) -> Iterator[None]:
        """Be the one server on this database. Short commands are not kept out.

        Raises:
            SettingsError: another server holds it.
        """
        with _locked(_beside(self._path, ".serve"), wait=0) as mine:
            if not mine:
                raise SettingsError(
                    f"database: another server is running on {self._path}; stop it first"
                )
            yield

    def close(self) -> None:
        """Finish what is queued, then let go of the file. Repeating is safe."""
        self._writer.stop()
        self._readers.dispose()
        # The last connection to close checkpoints.
        with _locked(_beside(self._path, ".lock"), self._wait):
            self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def _refuse_fork(self) -> None:
        if os.getpid() != self._pid:
            raise RuntimeError("the database was opened before a fork: open it in each process")

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """This process's turn: no other one writes or checkpoints meanwhile."""
        with _locked(_beside(self._path, ".lock"), self._wait) as mine:
            if not mine:
                raise LedgerBusy(
                    f"another process has been writing for {self._wait:g} s; nothing was written"
                )
            yield

    def _check_schema(self) -> None:
        if not self._path.exists():
            return
        try:
            found = self.read(_revision)
        except (DBAPIError, LedgerBusy) as error:
            raise SettingsError(f"database: {_unreadable(self._path, error)}") from error
        if found and found not in _known_revisions():
            raise SettingsError(
                f"database: {self._path} was written by a newer version (schema {found}):"
                " install that one, or restore the backup from before the upgrade"
            )
        if found == "":
            raise SettingsError(f"database: {self._path} holds the tables of something else")


_CANNOT_WRITE = (
    "{path} cannot be opened: its files (-wal, -shm beside it) or its folder {folder} cannot be"
    " written by this user; mend their owner and mode, or run as the user that owns them"
)
#: What SQLite says (https://www.sqlite.org/rescode.html), and what to do about it.
_UNREADABLE = {
    sqlite3.SQLITE_NOTADB: (
        "{path} is not an SQLite database, or is damaged; name another file, or restore the last"
        " sound backup"
    ),
    sqlite3.SQLITE_CORRUPT: "{path} is damaged; restore the last sound backup",
    sqlite3.SQLITE_CANTOPEN: _CANNOT_WRITE,
    sqlite3.SQLITE_READONLY: _CANNOT_WRITE,
    sqlite3.SQLITE_PERM: _CANNOT_WRITE,
    sqlite3.SQLITE_FULL: "the disk under {folder} is full; make room",
    sqlite3.SQLITE_IOERR: "the disk under {folder} fails to read or write; look at it",
}


def _unreadable(path: Path, error: BaseException) -> str:
    """Why a database cannot be read, as SQLite says it. Raises LedgerBusy: it only waits."""
    cause = error.__cause__ if isinstance(error, LedgerBusy) else error
    code = getattr(getattr(cause, "orig", cause), "sqlite_errorcode", 0) & 0xFF
    if isinstance(error, LedgerBusy) and code not in _UNREADABLE:
        raise error
    why = _UNREADABLE.get(code, "{path} is not an SQLite database, or is damaged")
    return why.format(path=path, folder=path.parent)


def _path_in(url: str) -> Path:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise SettingsError("database: not a URL; write sqlite:////path/to/points.db") from None
    if parsed.get_backend_name() != "sqlite":
        raise SettingsError(
            f"database: {parsed.get_backend_name()} is not supported yet, only sqlite"
        )
    if parsed.query or parsed.database in (None, "", ":memory:"):
        raise SettingsError("database: write sqlite:////path/to/points.db, and nothing more")
    return Path(str(parsed.database)).resolve()


def _check_file(path: Path) -> None:
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        raise SettingsError(f"database: SQLite {sqlite3.sqlite_version} is too old; 3.37 is needed")
    if not path.parent.is_dir():
        raise SettingsError(f"database: there is no directory {path.parent}")
    if path.is_dir() or (path.exists() and not os.access(path, os.W_OK)):
        raise SettingsError(f"database: {path} cannot be written")
    try:
        # The file itself is left to SQLite: closing it here would drop the locks that other
        # connections of this process hold (https://www.sqlite.org/howtocorrupt.html, 2.2).
        _beside(path, ".lock").open("a").close()
    except OSError as error:
        raise SettingsError(f"database: {path.parent} cannot be written") from error


def _revision(conn: Connection) -> str | None:
    """The schema's revision; None in an empty file, "" where the tables are not ours."""
    tables = inspect(conn).get_table_names()
    if "alembic_version" not in tables:
        return "" if tables else None
    revision: str | None = conn.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


@cache
def _known_revisions() -> frozenset[str]:
    scripts = ScriptDirectory.from_config(_alembic()).walk_revisions()
    return frozenset(script.revision for script in scripts)


def _alembic(conn: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", "bridge.database:migrations")
    config.attributes["connection"] = conn
    return config


def _engine(path: Path, wait: float, pragmas: Sequence[str], *, begin: str) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        # Transactions are ours: the driver would begin late, and not for every statement.
        connect_args={"timeout": wait, "isolation_level": None},
        max_overflow=-1,
        hide_parameters=True,
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def start(conn: Connection) -> None:
        conn.exec_driver_sql(begin)

    return engine


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


@contextmanager
def _locked(path: Path, wait: float) -> Iterator[bool]:
    """Hold a lock between processes; False when it could not be had within `wait` seconds."""
    with path.open("a") as file:
        mine = _flock(file, time.monotonic() + wait)
        try:
            yield mine
        finally:
            # Not left to the close: a child forked meanwhile holds the file open.
            fcntl.flock(file, fcntl.LOCK_UN)


def _flock(file: IO[str], deadline: float) -> bool:
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(_POLL)
        else:
            return True

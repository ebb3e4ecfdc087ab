"""The database: transactions, group commit, other processes, and what goes wrong."""

import fcntl
import re
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from bridge.database import engine
from bridge.database.engine import Database
from bridge.database.schema import helpdesks, links
from bridge.errors import LedgerBusy, SettingsError
from tests.ledger.conftest import NOW


class Refused(Exception):
    """A unit of work's own failure."""


def adding(name: str) -> Callable[[Connection], str]:
    """A unit of work that adds one row."""

    def work(conn: Connection) -> str:
        conn.execute(insert(helpdesks).values(name=name, first_seen_at=NOW))
        return name

    return work


def failing(name: str) -> Callable[[Connection], str]:
    """A unit of work that adds one row and fails."""

    def work(conn: Connection) -> str:
        adding(name)(conn)
        raise Refused(name)

    return work


def names(db: Database) -> list[str]:
    return db.read(lambda conn: list(conn.scalars(select(helpdesks.c.name).order_by("name"))))


def sound(path: Path) -> bool:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@contextmanager
def held_up(db: Database) -> Iterator[None]:
    """While a unit of work is under way, so that what is written meanwhile is queued."""
    begun, released = threading.Event(), threading.Event()

    def work(_: Connection) -> bool:
        begun.set()
        return released.wait()

    blocker = db._writer.submit(work)
    begun.wait()
    try:
        yield
    finally:
        released.set()
        blocker.result()


def in_one_batch(db: Database, *works: Callable[[Connection], str]) -> list[Future[str]]:
    with held_up(db):
        futures = [db._writer.submit(work) for work in works]
    for future in futures:
        future.exception()
    return futures


def python(code: str, *arguments: object) -> subprocess.Popen[str]:
    """Another process, with `db` opened on the first argument."""
    preamble = (
        "import os, sys, threading\n"
        "from bridge.database.engine import Database\n"
        "from tests.ledger.test_engine import adding\n"
        "db = Database.open(f'sqlite:///{sys.argv[1]}')\n"
    )
    command = [sys.executable, "-c", preamble + code, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_a_unit_of_work_is_there_after_the_database_is_opened_again(
    db: Database, path: Path
) -> None:
    assert db.write(adding("one")) == "one"
    db.close()
    with Database.open(f"sqlite:///{path}") as again:
        assert names(again) == ["one"]


def test_a_unit_that_fails_leaves_nothing_and_its_caller_learns_why(db: Database) -> None:
    with pytest.raises(Refused, match="one"):
        db.write(failing("one"))
    assert names(db) == []


@pytest.mark.parametrize(("units", "expected"), [(64, 1), (128, 2), (129, 3)])
def test_what_is_queued_is_committed_together_64_at_a_time(
    db: Database, units: int, expected: int
) -> None:
    commits: list[Connection] = []
    event.listen(db._engine, "commit", commits.append)
    works = [adding(f"{number:03}") for number in range(units)]
    futures = in_one_batch(db, *works)
    assert [future.result() for future in futures] == names(db)
    the_one_that_held_them_up = 1
    assert len(commits) == the_one_that_held_them_up + expected


def test_a_failing_unit_does_not_spoil_its_neighbours(db: Database) -> None:
    one, two, three = in_one_batch(db, adding("one"), failing("two"), adding("three"))
    assert [one.result(), three.result()] == ["one", "three"]
    assert isinstance(two.exception(), Refused)
    assert names(db) == ["one", "three"]


def test_nobody_hears_of_success_before_the_commit(db: Database) -> None:
    def dangling(conn: Connection) -> str:
        conn.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        conn.execute(insert(links).values(helpdesk="a", customer_ref="b", account_id=77))
        return "fails at the commit"

    futures = in_one_batch(db, adding("one"), dangling, failing("two"), adding("three"))
    assert [type(future.exception()) for future in futures] == [LedgerBusy] * 4
    assert names(db) == []
    assert db.write(adding("later")) == "later"


def test_what_goes_wrong_after_the_commit_does_not_deny_it(db: Database) -> None:
    @contextmanager
    def turn() -> Iterator[None]:
        yield
        raise OSError

    db._writer._turn = turn
    assert db.write(adding("one")) == "one"
    assert names(db) == ["one"]


@pytest.mark.parametrize(
    "ending",
    ["ROLLBACK", "INSERT OR ROLLBACK INTO helpdesks VALUES ('one', '')"],
    ids=["explicit", "by a conflict"],
)
def test_a_unit_that_ends_the_transaction_takes_nobody_s_word_with_it(
    db: Database, ending: str
) -> None:
    def work(conn: Connection) -> str:
        conn.exec_driver_sql(ending)
        return "never"

    one, culprit, three = in_one_batch(db, adding("one"), work, adding("three"))
    assert isinstance(culprit.exception(), (IntegrityError, OperationalError))
    assert [type(one.exception()), type(three.exception())] == [LedgerBusy] * 2
    assert names(db) == []
    assert db.write(adding("later")) == "later"


def test_every_commit_waits_for_the_disk(db: Database) -> None:
    pragmas = ("synchronous", "foreign_keys", "recursive_triggers")
    full, on = 2, 1
    settings = db.write(
        lambda conn: [conn.exec_driver_sql(f"PRAGMA {pragma}").scalar() for pragma in pragmas]
    )
    assert settings == [full, on, on]


def test_a_reader_does_not_wait_for_the_writer(db: Database) -> None:
    begun, released = threading.Event(), threading.Event()

    def slow(conn: Connection) -> str:
        adding("one")(conn)
        begun.set()
        released.wait()
        return "one"

    future = db._writer.submit(slow)
    begun.wait()
    assert names(db) == []
    released.set()
    future.result()
    assert names(db) == ["one"]


def test_a_reader_sees_one_state_from_beginning_to_end(db: Database) -> None:
    def twice(conn: Connection) -> list[int]:
        count = text("SELECT count(*) FROM helpdesks")
        before = conn.execute(count).scalar_one()
        db.write(adding("one"))
        return [before, conn.execute(count).scalar_one()]

    assert db.read(twice) == [0, 0]
    assert names(db) == ["one"]


def test_a_reader_cannot_write(db: Database) -> None:
    with pytest.raises(OperationalError, match="readonly"):
        db.read(adding("one"))
    assert names(db) == []


@pytest.mark.parametrize("call", [lambda db: db.write(adding("one")), Database.close])
def test_what_would_wait_for_itself_is_refused(
    db: Database, call: Callable[[Database], object]
) -> None:
    with pytest.raises(RuntimeError, match="wait for itself"):
        db.write(lambda _: call(db))
    assert db.write(adding("later")) == "later"


def test_closing_finishes_what_is_queued_and_can_be_repeated(path: Path) -> None:
    db = Database.open(f"sqlite:///{path}")
    with held_up(db):
        futures = [db._writer.submit(adding(f"{number:03}")) for number in range(100)]
        closing_thread = threading.Thread(target=db.close)
        closing_thread.start()
    closing_thread.join()
    assert {future.done() for future in futures} == {True}
    db.close()
    assert [future.result() for future in futures] == [f"{number:03}" for number in range(100)]


def test_a_closed_database_refuses_writes(db: Database) -> None:
    db.close()
    with pytest.raises(LedgerBusy, match="closed"):
        db.write(adding("one"))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_dead_writer_leaves_no_caller_waiting(db: Database) -> None:
    def die() -> None:
        raise SystemExit

    with held_up(db):
        db._writer._turn = die  # type: ignore[assignment]  # a fault that no code of ours can have
        futures = [db._writer.submit(adding(f"{number:03}")) for number in range(100)]
    assert {type(future.exception()) for future in futures} == {LedgerBusy}
    with pytest.raises(LedgerBusy):
        db.write(adding("later"))
    assert names(db) == []


def test_a_database_is_not_carried_over_a_fork(path: Path) -> None:
    code = """
db.write(adding("parent"))
child = os.fork()
if not child:
    for use in (db.write, db.read):
        try:
            use(adding("child"))
        except RuntimeError as error:
            print(error, flush=True)
    os._exit(0)
os.waitpid(child, 0)
db.close()
"""
    printed, _ = python(code, path).communicate()
    assert printed == "the database was opened before a fork: open it in each process\n" * 2


def _another_writer(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    return connection


def _another_process_s_turn(path: Path) -> object:
    file = path.with_name(path.name + ".lock").open("a")
    fcntl.flock(file, fcntl.LOCK_EX)
    return file


@pytest.mark.parametrize("occupy", [_another_writer, _another_process_s_turn])
def test_a_database_that_others_write_to_is_busy_and_then_not(
    path: Path, occupy: Callable[[Path], Any]
) -> None:
    with Database.open(f"sqlite:///{path}", wait=0.01) as db:
        with closing(occupy(path)):
            with pytest.raises(LedgerBusy, match="nothing was written"):
                db.write(adding("one"))
            with pytest.raises(LedgerBusy):
                db.migrate()
        assert db.write(adding("two")) == "two"
        assert names(db) == ["two"]


def test_a_full_disk_is_busy_and_loses_nothing(db: Database, path: Path) -> None:
    def limit(pages: int) -> None:
        db.write(lambda conn: conn.exec_driver_sql(f"PRAGMA max_page_count = {pages}").scalar())

    db.write(adding("before"))
    limit(db.read(lambda conn: int(conn.exec_driver_sql("PRAGMA page_count").scalar_one())) + 2)
    with pytest.raises(LedgerBusy, match="full"):
        db.write(adding("x" * 100_000))
    assert names(db) == ["before"]
    limit(1_000_000)
    db.write(adding("later"))
    assert names(db) == ["before", "later"]
    assert sound(path)


def test_a_disk_that_fills_up_at_the_commit_loses_nothing(db: Database, path: Path) -> None:
    code = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
db.write(adding("before"))
log = os.path.getsize(sys.argv[1] + "-wal")
resource.setrlimit(resource.RLIMIT_FSIZE, (log + 10_000, resource.RLIM_INFINITY))
try:
    db.write(adding("x" * 100_000))
except Exception as error:
    print(type(error).__name__)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print(db.write(adding("later")))
db.close()
"""
    printed, _ = python(code, path).communicate()
    assert printed.split() == ["LedgerBusy", "later"]
    assert names(db) == ["before", "later"]
    assert sound(path)


def test_processes_write_side_by_side(db: Database, path: Path) -> None:
    code = "for number in range(100): db.write(adding(f'{sys.argv[2]}{number:03}'))\ndb.close()"
    others = [python(code, path, name) for name in ("a", "b")]
    for number in range(100):
        db.write(adding(f"c{number:03}"))
    assert [(other.communicate(), other.returncode)[1] for other in others] == [0, 0]
    assert names(db) == [f"{name}{number:03}" for name in "abc" for number in range(100)]
    assert sound(path)


def test_a_killed_process_loses_no_write_that_it_acknowledged(db: Database, path: Path) -> None:
    code = """
def work(thread):
    for number in range(10**6):
        name = db.write(adding(f"{thread}-{number}"))
        os.write(1, (name + "\\n").encode())
for thread in range(4):
    threading.Thread(target=work, args=[thread]).start()
"""
    child = python(code, path)
    assert child.stdout
    acknowledged = [child.stdout.readline().strip() for _ in range(200)]
    child.kill()
    acknowledged += child.stdout.read().split()
    child.wait()
    child.stdout.close()
    assert child.returncode == -signal.SIGKILL
    assert set(acknowledged) - set(names(db)) == set()
    assert db.write(adding("later")) == "later"
    assert sound(path)


def test_only_one_server_runs_on_a_database(db: Database, path: Path) -> None:
    code = "with db.serving_lock():\n print('serving', flush=True)\n threading.Event().wait()"
    with Database.open(f"sqlite:///{path}") as second:
        with db.serving_lock():
            with pytest.raises(SettingsError, match="another server"), second.serving_lock():
                pass
            assert second.write(adding("a short command")) == "a short command"
        with second.serving_lock():
            pass
    server = python(code, path)
    assert server.stdout
    assert server.stdout.readline() == "serving\n"
    with pytest.raises(SettingsError, match="another server"), db.serving_lock():
        pass
    server.kill()
    server.communicate()
    with db.serving_lock():
        pass


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("postgresql://points:hunter2@db/points", "postgresql is not supported yet, only sqlite"),
        ("points.db", "not a URL"),
        ("sqlite://", "write sqlite:"),
        ("sqlite:///:memory:", "write sqlite:"),
        ("sqlite:////tmp/points.db?mode=ro", "write sqlite:"),
        ("sqlite:///{tmp_path}/missing/points.db", "no directory {tmp_path}/missing"),
        ("sqlite:///{tmp_path}", "{tmp_path} cannot be written"),
        ("sqlite:////proc/points.db", "/proc cannot be written"),
        ("sqlite:///{tmp_path}/notes.txt", "notes.txt is not an SQLite database"),
        ("sqlite:///{tmp_path}/torn.db", "torn.db is not an SQLite database, or is damaged"),
    ],
)
def test_a_database_that_cannot_be_used_is_named(tmp_path: Path, url: str, complaint: str) -> None:
    (tmp_path / "notes.txt").write_text("Buy milk. " * 100)
    (tmp_path / "torn.db").write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    with pytest.raises(
        SettingsError, match=re.escape(complaint.format(tmp_path=tmp_path))
    ) as caught:
        Database.open(url.format(tmp_path=tmp_path))
    assert "hunter2" not in str(caught.value)


def test_a_file_that_may_only_be_read_is_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An administrator's account may write to every file, so the file's mode cannot say it."""
    monkeypatch.setattr("os.access", lambda file, _mode: file != path)
    with pytest.raises(SettingsError, match=r"points\.db cannot be written"):
        Database.open(f"sqlite:///{path}")


def test_a_failure_never_shows_what_was_to_be_written(db: Database) -> None:
    db.write(adding("secret"))
    with pytest.raises(IntegrityError) as caught:
        db.write(adding("secret"))
    assert "secret" not in str(caught.value)


def test_a_folder_that_cannot_be_written_is_not_called_damage(path: Path) -> None:
    """SQLite needs files beside the database, and finds one that it cannot open."""
    path.with_name(f"{path.name}-wal").mkdir()
    with pytest.raises(SettingsError, match=r"its folder .* cannot be written by this user"):
        Database.open(f"sqlite:///{path}")


@pytest.mark.parametrize(
    ("code", "why"),
    [
        (sqlite3.SQLITE_NOTADB, "is not an SQLite database, or is damaged"),
        (sqlite3.SQLITE_CORRUPT, "is damaged; restore the last sound backup"),
        (sqlite3.SQLITE_READONLY, "cannot be written by this user"),
        (sqlite3.SQLITE_READONLY_DIRECTORY, "cannot be written by this user"),
        (sqlite3.SQLITE_FULL, "is full; make room"),
        (sqlite3.SQLITE_IOERR_READ, "fails to read or write; look at it"),
    ],
)
def test_each_cause_has_its_own_sentence(
    path: Path, monkeypatch: pytest.MonkeyPatch, code: int, why: str
) -> None:
    failure = sqlite3.OperationalError("as SQLite says it")
    failure.sqlite_errorcode = code

    def fails(_conn: Connection) -> None:
        raise DBAPIError("SELECT", None, failure)

    monkeypatch.setattr(engine, "_revision", fails)
    with pytest.raises(SettingsError, match=why):
        Database.open(f"sqlite:///{path}")

"""The migrations lead to the very schema that the code describes, guards included."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from bridge.database import guards
from bridge.database.engine import Database
from bridge.database.schema import metadata
from bridge.errors import SettingsError


def _definitions(path: Path) -> dict[str, list[str]]:
    """What each table and index is made of; a column that came later stands at the end."""
    query = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND type <> 'trigger'"
    with sqlite3.connect(path) as connection:
        found = dict(connection.execute(query).fetchall())
    connection.close()
    found.pop("alembic_version", None)
    return {name: _parts(sql) for name, sql in found.items()}


def _parts(definition: str) -> list[str]:
    """The head, the columns and constraints in the order of the alphabet, and the tail."""
    head, _, rest = definition.partition("(")
    body, _, tail = rest.rpartition(")")
    depth, parts = 0, [""]
    for character in body:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return [
        " ".join(part.split()) for part in (head, *sorted(part.strip() for part in parts), tail)
    ]


def test_a_new_database_is_read_by_its_own_user_only(tmp_path: Path) -> None:
    with Database.open(f"sqlite:///{tmp_path / 'points.db'}") as db:
        db.migrate()
        modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.glob("points.db*")}
    assert modes["points.db"] == modes["points.db-wal"] == 0o600


def test_alembic_finds_nothing_to_migrate_after_the_migrations(db: Database) -> None:
    options = {"compare_type": True, "compare_server_default": True}
    differences = db.read(
        lambda conn: compare_metadata(MigrationContext.configure(conn, opts=options), metadata)
    )
    assert differences == []


def test_the_migrated_tables_are_defined_word_for_word_as_the_metadata(
    path: Path, tmp_path: Path
) -> None:
    """Alembic compares neither CHECKs nor STRICT nor the conditions of partial indexes."""
    by_metadata = tmp_path / "metadata.db"
    engine = create_engine(f"sqlite:///{by_metadata}")
    metadata.create_all(engine)
    engine.dispose()
    assert _definitions(path) == _definitions(by_metadata)


def test_the_guards_are_in_force_after_the_migrations(db: Database) -> None:
    assert db.read(guards.missing) == []


@pytest.mark.parametrize(
    "harm",
    [
        "DROP TRIGGER guard_lot_update",
        """DROP TRIGGER guard_entry_delete;
        CREATE TRIGGER guard_entry_delete BEFORE DELETE ON entries BEGIN SELECT 1; END""",
    ],
    ids=["lost", "weakened"],
)
def test_migrating_again_puts_a_guard_back_in_force(db: Database, path: Path, harm: str) -> None:
    connection = sqlite3.connect(path)
    connection.executescript(harm)
    connection.close()
    assert len(db.read(guards.missing)) == 1
    db.migrate()
    assert db.read(guards.missing) == []


def test_migrating_again_keeps_what_is_there(db: Database, path: Path) -> None:
    before = _definitions(path)
    db.migrate()
    assert _definitions(path) == before


def test_the_migrated_database_has_a_write_ahead_log(db: Database) -> None:
    assert db.read(lambda conn: conn.exec_driver_sql("PRAGMA journal_mode").scalar()) == "wal"


def test_two_processes_may_migrate_the_same_new_file_at_once(tmp_path: Path) -> None:
    path = tmp_path / "points.db"
    url = f"sqlite:///{path}"
    code = f"from bridge.database.engine import Database; Database.open({url!r}).migrate()"
    script = [sys.executable, "-W", "error", "-c", code]
    migrations = [subprocess.Popen(script) for _ in range(3)]
    assert [migration.wait() for migration in migrations] == [0, 0, 0]
    with Database.open(url) as db:
        assert db.read(guards.missing) == []


def test_a_schema_newer_than_the_code_is_refused(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()
    with pytest.raises(SettingsError, match=r"newer version \(schema 9999\)"):
        Database.open(f"sqlite:///{path}")


def test_a_database_of_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE recipes (name)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(SettingsError, match="something else"):
        Database.open(f"sqlite:///{path}")
    assert path.read_bytes() == before

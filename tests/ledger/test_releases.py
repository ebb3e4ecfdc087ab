"""A database that an earlier release wrote is brought up to date with all that is in it.

Each file in `releases` is the dump of one: two customers and a stranger on a Zammad and a Zendesk,
with tickets that run, wait for points, were declined, re-opened for free and late, a delivery that
nobody can read and one that nobody has looked at yet.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bridge.adapters.answers import IN_A_LINE, change_seq
from bridge.database import guards
from bridge.database.engine import Database
from bridge.ledger.audit import audit

_RELEASES = sorted((Path(__file__).parent / "releases").glob("*.sql"))
_KEPT = {
    "accounts": "ref, name, zone, country, subdivision, balance",
    "lots": "account_id, kind, points, remaining, usable_from, expires_at, source, reference",
    "incidents": "helpdesk, ticket_id, number, account_id, state, opened_at, held_at, closed",
    "clocks": "incident_id, cycle, started_at, due_at, result, responded_at",
    "txs": "kind, dedupe_key, account_id, incident_id, points, at, valid_at",
    "entries": "tx_id, kind, lot_id, delta",
    "decisions": "incident_id, kind, at, delivery, findings",
    "inbox": "helpdesk, delivery_id, ticket_id, state",
    "outbox": "helpdesk, ticket_id, dedupe_key, state",
}


def _contents(path: Path) -> dict[str, list[tuple[object, ...]]]:
    with closing(sqlite3.connect(path)) as connection:
        return {
            table: connection.execute(f"SELECT {columns} FROM {table} ORDER BY id").fetchall()
            for table, columns in _KEPT.items()
        }


@pytest.fixture(params=_RELEASES, ids=lambda release: release.stem)
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The database as a release left it."""
    path = tmp_path / "points.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(request.param.read_text(encoding="utf-8"))
    return path


def _migrated(path: Path, query: str) -> list[tuple[object, ...]]:
    with Database.open(f"sqlite:///{path}") as db:
        db.migrate()
        return [tuple(row) for row in db.read(lambda conn: conn.exec_driver_sql(query).fetchall())]


def _change(path: Path, sql: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(sql)


def test_the_database_of_a_release_migrates_with_its_data(path: Path) -> None:
    before = _contents(path)
    with Database.open(f"sqlite:///{path}") as db:
        db.migrate()
        assert db.read(audit) == []
        assert db.read(guards.missing) == []
    assert _contents(path) == before
    assert len(before["incidents"]) == 10


def test_an_incident_gets_the_one_record_that_its_account_has_in_its_helpdesk(path: Path) -> None:
    found = _migrated(path, "SELECT id, customer_ref FROM incidents ORDER BY id")
    acme, maple = "organization:2", "organization:3"
    assert [ref for _, ref in found] == [
        *(acme, maple, "organization:6130830349850", acme, maple),
        *("person:8", acme, acme, maple, maple),
    ]


def test_with_two_records_nobody_can_tell_any_more_where_an_incident_came_from(path: Path) -> None:
    _change(path, "INSERT INTO links VALUES ('support', 'organization:9', 1, NULL, NULL, NULL)")
    query = "SELECT id FROM incidents WHERE customer_ref IS NULL ORDER BY id"
    assert _migrated(path, query) == [(1,), (4,), (7,), (8,)]


def test_what_was_seen_of_a_ticket_stays_seen_and_nothing_more(path: Path) -> None:
    """A line of a helpdesk's history had one number; now each of its changes has one."""
    audit = 21_273_011_420_001
    _change(path, f"UPDATE incidents SET seen = {audit} WHERE helpdesk = 'cloud'")
    seen = _migrated(path, "SELECT id, seen FROM incidents WHERE seen <> 0 ORDER BY id")
    assert seen == [(id_, change_seq(line, IN_A_LINE - 1)) for id_, line in _seen(audit)]
    for _, line in _seen(audit):
        assert change_seq(line, IN_A_LINE - 1) < change_seq(line + 1)


def _seen(audit: int) -> list[tuple[int, int]]:
    return [(1, 157), (3, audit), (7, 170)]


def test_a_record_is_called_as_the_account_that_has_it_alone(path: Path) -> None:
    found = _migrated(path, "SELECT helpdesk, customer_ref, name FROM links ORDER BY account_id, 1")
    assert found == [
        ("cloud", "organization:6130830349850", None),
        ("support", "organization:2", None),
        ("support", "organization:3", "Maple Inc"),
        ("support", "person:8", "stranger@nowhere.example"),
    ]


def test_accounts_are_found_by_ref_and_by_name_however_they_are_typed(path: Path) -> None:
    _change(path, "UPDATE accounts SET ref = 'ÄRZTE  gmbh', name = 'Ärzte Maple' WHERE id = 2")
    assert _migrated(path, "SELECT account_id, key, name FROM names ORDER BY account_id, key") == [
        (1, "acme gmbh", "Acme GmbH"),
        (2, "ärzte gmbh", "ÄRZTE  gmbh"),
        (2, "ärzte maple", "Ärzte Maple"),
        (3, "stranger@nowhere.example", "stranger@nowhere.example"),
    ]


def test_no_account_has_hours_of_its_own_yet(path: Path) -> None:
    assert set(_migrated(path, "SELECT hours FROM accounts")) == {(None,)}

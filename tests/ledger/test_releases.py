"""A database that an earlier release wrote is brought up to date with all that is in it.

Each file in `releases` is the dump of one: two customers and a stranger on a Zammad and a Zendesk,
with tickets that run, wait for points, were declined, re-opened for free and late, a delivery that
nobody can read and one that nobody has looked at yet.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

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


@pytest.mark.parametrize("release", _RELEASES, ids=lambda release: release.stem)
def test_the_database_of_a_release_migrates_with_its_data(release: Path, tmp_path: Path) -> None:
    path = tmp_path / "points.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(release.read_text(encoding="utf-8"))
    before = _contents(path)
    with Database.open(f"sqlite:///{path}") as db:
        db.migrate()
        assert db.read(audit) == []
        assert db.read(guards.missing) == []
    assert _contents(path) == before
    assert len(before["incidents"]) == 10

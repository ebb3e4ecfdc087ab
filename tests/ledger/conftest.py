"""A fresh, migrated database for each test, and shorthand for what the tests say often."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import StaticPool, create_engine, insert, select

from bridge.database.engine import Database
from bridge.database.schema import accounts, decisions, incidents
from bridge.ledger import holdings, points
from bridge.ledger.audit import audit
from bridge.ledger.points import Purchase
from bridge.policy.points import Slice

#: A Monday, in summer time.
NOW = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@dataclass
class Book:
    """The ledger on its database, at an instant that the test sets."""

    db: Database
    path: Path
    now: datetime = NOW
    numbers: int = 0

    def account(self, ref: str = "acme") -> int:
        row = insert(accounts).values(ref=ref, name=ref, created_at=self.now)
        return self.db.write(
            lambda conn: int(conn.execute(row.returning(accounts.c.id)).scalar_one())
        )

    def incident(self, account_id: int) -> int:
        self.numbers += 1
        row = insert(incidents).values(
            helpdesk="support",
            ticket_id=str(self.numbers),
            number=1,
            ticket_number=f"310{self.numbers:02}",
            account_id=account_id,
            state="charged",
            opened_at=self.now,
        )
        return self.db.write(
            lambda conn: int(conn.execute(row.returning(incidents.c.id)).scalar_one())
        )

    def buy(self, account_id: int, amount: int, **given: Any) -> Purchase:
        """A purchase made now: usable at once, for 365 days, under a reference of its own."""
        self.numbers += 1
        values: dict[str, Any] = {
            "purchased_on": self.now.date(),
            "usable_from": self.now,
            "expires_at": self.now + 365 * DAY,
            "source": "shop",
            "reference": f"INV-{self.numbers}",
            "actor": "admin",
            "now": self.now,
        }
        return self.db.write(
            lambda conn: points.book_purchase(
                conn, account_id=account_id, points=amount, **values | given
            )
        )

    def charge(self, incident_id: int, account_id: int, **given: Any) -> tuple[Slice, ...] | None:
        values: dict[str, Any] = {
            "points": 10,
            "valid_at": self.now,
            "now": self.now,
            "actor": "bridge",
            "reason": "on hand",
        }
        return self.db.write(
            lambda conn: points.charge(
                conn, incident_id=incident_id, account_id=account_id, **values | given
            )
        )

    def credit(self, incident_id: int, zone: str = "UTC", days: int = 90) -> int:
        return self.db.write(
            lambda conn: points.credit(
                conn,
                incident_id=incident_id,
                now=self.now,
                zone=zone,
                credit_days=days,
                actor="agent",
                reason="bug",
            )
        )

    def expire(self, limit: int = 100) -> int:
        return self.db.write(lambda conn: points.expire_due(conn, now=self.now, limit=limit))

    def on_hand(self, account_id: int, at: datetime | None = None) -> int:
        return self.db.read(lambda conn: holdings.on_hand(conn, account_id, at or self.now))

    def balance(self, account_id: int) -> int:
        query = select(accounts.c.balance).where(accounts.c.id == account_id)
        return self.db.read(lambda conn: int(conn.execute(query).scalar_one()))

    def remaining(self, account_id: int) -> dict[int, int]:
        """The points left in each lot that has any."""
        lots = self.db.read(lambda conn: holdings.live_lots(conn, account_id))
        return {lot.id: lot.remaining for lot in lots}

    def lines(self, account_id: int) -> list[holdings.StatementLine]:
        return self.db.read(lambda conn: holdings.statement(conn, account_id, self.now))

    def audit(self) -> list[str]:
        return self.db.read(audit)


@pytest.fixture
def book(db: Database, path: Path) -> Iterator[Book]:
    """Whatever a test does, the ledger is sound in the end."""
    book = Book(db, path)
    yield book
    assert book.audit() == []


@pytest.fixture(scope="session")
def world(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `attacks` describes, made by the ledger's own functions."""
    path = Path(shutil.copy(migrated, tmp_path_factory.mktemp("world") / "points.db"))
    with Database.open(f"sqlite:///{path}") as db:
        book = Book(db, path, now=NOW - 2 * DAY)
        acme, other = book.account("acme"), book.account("other")
        book.buy(acme, 50, reference="INV-1")
        book.buy(acme, 10, reference="INV-2", expires_at=NOW - DAY)
        book.buy(acme, 10, reference="INV-3", usable_from=NOW + DAY)
        book.buy(other, 20, reference="INV-4")
        book.buy(acme, 10, reference="INV-5", expires_at=NOW - DAY / 2)
        book.now, book.numbers = NOW, 0
        incidents = [book.incident(owner) for owner in (acme, acme, acme, other, acme)]
        book.charge(incidents[0], acme)
        book.charge(incidents[1], acme)
        book.charge(incidents[4], acme, valid_at=NOW - DAY)
        book.credit(incidents[1])
        row = {"kind": "accepted", "at": NOW, "decided_at": NOW, "findings": []}
        first = insert(decisions).values(incident_id=incidents[0], **row)
        db.write(lambda conn: conn.execute(first).rowcount)
    return path


def in_memory(path: Path) -> sqlite3.Connection:
    """A copy of a database in an SQL shell, with that module's defaults."""
    shell = sqlite3.connect(":memory:", isolation_level=None)
    with closing(sqlite3.connect(path)) as source:
        source.backup(shell)
    return shell


def audit_of(shell: sqlite3.Connection) -> list[str]:
    engine = create_engine("sqlite://", creator=lambda: shell, poolclass=StaticPool)
    with engine.connect() as conn:
        return audit(conn)

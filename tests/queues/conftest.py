"""Both queues on their database, at an instant that the test sets."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection

from bridge.database.engine import Database
from bridge.ledger import accounts, incidents
from bridge.ledger.incidents import Stored
from bridge.policy.decisions import Incident
from bridge.queues import inbox, outbox, rows
from bridge.queues.outbox import Payload, TicketWrite
from bridge.queues.rows import QueueName, QueueRow
from bridge.ticket import Delivery, HttpDelivery, PointsState

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@dataclass
class Queues:
    """What is stored gets the ids 1, 2, 3 ... in each queue."""

    db: Database
    incident_id: int
    now: datetime = NOW
    keys: list[str] = field(default_factory=list)

    def deliver(self, ticket: str = "5", *, helpdesk: str = "support", **given: Any) -> bool:
        """A delivery with an id of its own, unless one is given."""
        delivery = given.get("delivery") or f"delivery-{len(self.keys)}"
        self.keys.append(delivery)
        body, headers = given.get("body", b"{}"), given.get("headers", {})
        http = HttpDelivery(headers, body, self.now)
        told = Delivery(delivery, ticket, "updated")
        unread = given.get("unread")
        return self.db.write(lambda conn: inbox.store(conn, helpdesk, http, told, unread=unread))

    def owe(self, ticket: str = "5", *, helpdesk: str = "support", **given: Any) -> None:
        """A write with a key of its own, unless one is given."""
        key = given.get("key") or f"key-{len(self.keys)}"
        self.keys.append(key)
        payload: Payload = given.get("payload") or TicketWrite(self.incident_id, "charged")
        self.db.write(
            lambda conn: outbox.owe(
                conn, helpdesk=helpdesk, ticket_id=ticket, key=key, payload=payload, now=self.now
            )
        )

    def take_deliveries(self) -> inbox.Leased | None:
        return self.db.write(lambda conn: inbox.claim_ticket(conn, self.now))

    def take_write(self) -> outbox.Leased | None:
        return self.db.write(lambda conn: outbox.claim_next(conn, self.now))

    def taken(self) -> int | None:
        """The id of the write that is taken next."""
        leased = self.take_write()
        return leased.id if leased else None

    def finish(self, queue: QueueName, *ids: int, outcome: str = "written") -> None:
        self.db.write(lambda conn: rows.finish(conn, queue, ids, outcome, self.now))

    def postpone(self, queue: QueueName, *ids: int, **given: Any) -> None:
        """The jitter is such that waits are neither longer nor shorter."""
        values: dict[str, Any] = {"error": "down", "retry_after": None, "jitter": 0.5}
        self.db.write(lambda conn: rows.postpone(conn, queue, ids, now=self.now, **values | given))

    def bury(self, queue: QueueName, *ids: int, error: str = "refused") -> None:
        self.db.write(lambda conn: rows.bury(conn, queue, ids, error=error, now=self.now))

    def row(self, queue: QueueName, row_id: int = 1) -> QueueRow:
        return self.db.read(lambda conn: rows.details(conn, queue, row_id))[0]

    def raw(self, queue: QueueName, row_id: int = 1) -> Any:
        """The row as it is stored."""
        return self.db.read(lambda conn: rows._row(conn, queue, row_id))


@pytest.fixture
def queues(db: Database) -> Queues:
    def work(conn: Connection) -> int:
        account = accounts.find_or_create(conn, "acme", NOW).id
        incident = Incident(PointsState.CHARGED, NOW)
        return incidents.add(conn, Stored(0, "support", "5", "31005", account, incident)).id

    return Queues(db, db.write(work))

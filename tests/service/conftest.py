"""A bridge on a database and two helpdesks in memory, at an instant that the test sets."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from bridge.database.engine import Database
from bridge.ledger import accounts, holdings, incidents
from bridge.ledger.audit import audit
from bridge.ledger.incidents import PastDecision, Stored
from bridge.policy.places import Address
from bridge.policy.terms import Terms
from bridge.queues import rows
from bridge.queues.rows import QueueName, QueueRow
from bridge.service.core import Bridge, Helpdesk
from bridge.service.intake import handle_next, receive
from bridge.service.purchases import Bought, buy
from bridge.service.sending import send_next
from bridge.texts import Texts
from bridge.ticket import (
    Answer,
    Channel,
    Customer,
    Note,
    Received,
    Requester,
    Status,
    Ticket,
    TicketUpdate,
)
from tests.service.memory import SECRET, MemoryDesk, delivery_of

#: A Monday, 10:00 in Berlin.
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
ACME = Customer("organization:2", "Acme GmbH")
BETA = Customer("organization:3", "Beta Ltd")
HOME = Address("Europe/Berlin", "DE", "BE")


@dataclass
class House:
    """The bridge with `desk` (its helpdesk "support") and `sales`, and what tests do with them."""

    db: Database
    now: datetime = NOW
    deliveries: int = 0
    desk: MemoryDesk = field(init=False)
    sales: MemoryDesk = field(init=False)
    bridge: Bridge = field(init=False)

    def __post_init__(self) -> None:
        self.desk = MemoryDesk(SECRET, now=lambda: self.now)
        self.sales = MemoryDesk(SECRET, now=lambda: self.now)
        self.bridge = Bridge(
            db=self.db,
            helpdesks={
                "support": Helpdesk("support", self.desk),
                "sales": Helpdesk("sales", self.sales, language="de"),
            },
            terms=Terms(),
            home=HOME,
            texts=Texts.load(),
            now=lambda: self.now,
        )
        self.db.write(
            lambda conn: accounts.put_into_service(conn, self.bridge.helpdesks, NOW - 30 * DAY)
        )

    def configure(self, **given: Any) -> None:
        """Treat the helpdesk "support" in another way."""
        support = replace(self.bridge.helpdesks["support"], **given)
        self.bridge = replace(self.bridge, helpdesks={**self.bridge.helpdesks, "support": support})

    def open(self, ticket_id: str = "5", customer: Customer = ACME, **given: Any) -> None:
        """A ticket comes into being, and the helpdesk tells of it."""
        self.put(ticket_id, customer, **given)
        self.tell(ticket_id)

    def put(self, ticket_id: str = "5", customer: Customer = ACME, **given: Any) -> None:
        """A ticket comes into being, and nobody tells."""
        values: dict[str, Any] = {
            "id": ticket_id,
            "number": f"3100{ticket_id}",
            "status": Status.OPEN,
            "created_at": self.now,
            "updated_at": self.now,
            "channel": Channel.EMAIL,
            "opened_by_agent": False,
            "customer": customer,
            "requester": Requester("Carla Customer", "carla@acme.example"),
        }
        self.desk.tickets[ticket_id] = Ticket(**values | given)

    def change(self, ticket_id: str = "5", **given: Any) -> None:
        self.desk.tickets[ticket_id] = replace(self.desk.tickets[ticket_id], **given)

    def answer(self, ticket_id: str = "5") -> None:
        """An agent answers now."""
        given = self.desk.tickets[ticket_id].answers
        self.change(ticket_id, answers=(*given, Answer(self.now, "agent 5")))

    def tell(self, ticket_id: str = "5", delivery: str | None = None) -> Received:
        self.deliveries += 1
        name = delivery or f"delivery-{self.deliveries}"
        return receive(self.bridge, "support", delivery_of(ticket_id, name, self.now))

    def settle(self, ticket_id: str | None = None) -> str:
        """Handle every delivery, first one about that ticket; the outcome of the last one."""
        if ticket_id:
            self.tell(ticket_id)
        while handle_next(self.bridge):
            pass
        return self.rows("inbox")[-1].outcome or ""

    def send(self) -> list[TicketUpdate]:
        """Carry out all that is due; what was written."""
        before = len(self.desk.updates)
        while send_next(self.bridge):
            pass
        return self.desk.updates[before:]

    def run(self, ticket_id: str | None = None) -> str:
        """Settle and send until nothing is left; the last outcome."""
        outcome = self.settle(ticket_id)
        self.send()
        return outcome

    def buy(self, amount: int, ref: str = ACME.name, **given: Any) -> Bought:
        self.deliveries += 1
        usual: dict[str, Any] = {"reference": f"INV-{self.deliveries}", "new": True}
        return buy(self.bridge, ref, amount, **usual | given)

    def later(self, **span: float) -> None:
        self.now += timedelta(**span)

    def incident(self, ticket_id: str = "5", helpdesk: str = "support") -> Stored:
        found = self.db.read(lambda conn: incidents.newest(conn, helpdesk, ticket_id))
        assert found
        return found

    def decisions(self, ticket_id: str = "5") -> list[PastDecision]:
        def work(conn: Connection) -> list[PastDecision]:
            known = incidents.on_ticket(conn, "support", ticket_id)
            return incidents.past_decisions(conn, [one.id for one in known])

        return self.db.read(work)

    def kinds(self, ticket_id: str = "5") -> list[str]:
        return [one.kind for one in self.decisions(ticket_id)]

    def on_hand(self, ref: str = ACME.name) -> int:
        return self.db.read(
            lambda conn: holdings.on_hand(conn, accounts.find(conn, ref).id, self.now)
        )

    def rows(self, queue: str) -> list[QueueRow]:
        """All that ever was in a queue, oldest first."""
        states = (rows.QUEUED, rows.DONE, rows.DEAD, rows.DISCARDED)

        def work(conn: Connection) -> list[QueueRow]:
            return [row for state in states for row in rows.listed(conn, state=state)]

        found = [row for row in self.db.read(work) if row.queue == queue]
        return sorted(found, key=lambda row: row.id)

    def raw(self, queue: QueueName, row_id: int = 1) -> Any:
        """The row as it is stored."""
        return self.db.read(lambda conn: rows._row(conn, queue, row_id))

    def notes(self, ticket_id: str = "5") -> list[Note]:
        return self.desk.notes[ticket_id]


@pytest.fixture(scope="session")
def opened(
    migrated: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Database, Path]]:
    path = Path(shutil.copy(migrated, tmp_path_factory.mktemp("service") / "points.db"))
    with Database.open(f"sqlite:///{path}") as database:
        yield database, path


@pytest.fixture
def house(opened: tuple[Database, Path], migrated: Path) -> Iterator[House]:
    """Each test has an empty database, and whatever it does, the ledger is sound in the end.

    The database is opened once for all of them: half of a test's time would go into putting queries
    into words that the test before has put already.
    """
    database, path = opened
    database._engine.dispose()
    database._readers.dispose()
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    shutil.copy(migrated, path)
    yield House(database)
    assert database.read(audit) == []


@pytest.fixture
def held(house: House) -> House:
    """Ticket 5 waits for points, and is set to wait in the helpdesk."""
    house.configure(held_status=Status.PENDING)
    house.open()
    house.run()
    house.later(hours=1)
    return house

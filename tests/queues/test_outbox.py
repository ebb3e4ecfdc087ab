"""What helpdesks are owed, and whether a ticket's fields may be repaired."""

from datetime import timedelta

import pytest

from bridge.queues import outbox
from bridge.queues.outbox import FieldRepair, Leased, Payload, TicketWrite
from bridge.queues.rows import QueueRow
from bridge.ticket import Note, Status
from tests.queues.conftest import NOW, SECOND, Queues

NOTE = Note(mark="key-1", subject="Held", text="Please buy points.", public=True)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    "payload",
    [
        TicketWrite(1, "charged"),
        TicketWrite(1, "charged", Status.OPEN),
        TicketWrite(1, "awaiting_points", Status.PENDING, NOW + HOUR, NOTE),
        FieldRepair(1),
    ],
    ids=["bare", "with a status", "with everything", "a repair"],
)
def test_a_payload_comes_out_as_it_was_owed(queues: Queues, payload: Payload) -> None:
    queues.owe("5", payload=payload)
    assert queues.take_write() == Leased(1, "support", "5", payload, 1)


def test_a_payload_is_stored_without_what_is_not_there() -> None:
    assert TicketWrite(1, "charged").as_json() == {"state": "charged"}
    assert TicketWrite(1, "awaiting_points", Status.PENDING, NOW, NOTE).as_json() == {
        "state": "awaiting_points",
        "status": "pending",
        "pending_until": "2026-11-23T09:00:00+00:00",
        "note": {
            "mark": "key-1",
            "subject": "Held",
            "text": "Please buy points.",
            "public": True,
        },
    }


def test_a_row_says_what_it_is_for(queues: Queues) -> None:
    queues.owe("5", key="support:5:decision:1")
    assert queues.row("outbox") == QueueRow(
        queue="outbox",
        id=1,
        helpdesk="support",
        ticket_id="5",
        what="support:5:decision:1",
        state="queued",
        attempts=0,
        stored_at=NOW,
        next_at=NOW,
        outcome=None,
    )
    assert queues.raw("outbox").incident_id == queues.incident_id


def test_owing_it_again_changes_nothing(queues: Queues) -> None:
    queues.owe(key="once")
    queues.finish("outbox", 1)
    queues.owe(key="once")
    assert queues.taken() is None


class TestUnwritten:
    """Whether a write may not have been there when the ticket was read."""

    def ask(self, queues: Queues, ticket: str = "5", helpdesk: str = "support") -> bool:
        seen_at = queues.now
        return queues.db.read(lambda conn: outbox.is_unwritten(conn, helpdesk, ticket, seen_at))

    def test_nothing_was_owed(self, queues: Queues) -> None:
        assert not self.ask(queues)

    def test_it_is_queued(self, queues: Queues) -> None:
        queues.owe()
        assert self.ask(queues)

    def test_it_is_a_dead_letter(self, queues: Queues) -> None:
        queues.owe()
        queues.bury("outbox", 1)
        queues.now += HOUR
        assert self.ask(queues)

    def test_it_was_written_since(self, queues: Queues) -> None:
        queues.owe()
        queues.now += SECOND
        queues.finish("outbox", 1)
        queues.now -= SECOND
        assert self.ask(queues)

    def test_it_was_written_before(self, queues: Queues) -> None:
        queues.owe()
        queues.finish("outbox", 1)
        assert not self.ask(queues)

    def test_it_is_about_another_ticket(self, queues: Queues) -> None:
        queues.owe("6")
        queues.owe("5", helpdesk="sales")
        assert not self.ask(queues)
        assert self.ask(queues, "6")
        assert self.ask(queues, helpdesk="sales")


def test_repairs_are_counted_by_ticket_and_time(queues: Queues) -> None:
    repair = FieldRepair(queues.incident_id)
    for at in (NOW - SECOND, NOW, NOW + SECOND):
        queues.now = at
        queues.owe(payload=repair)
        queues.owe()
        queues.owe("6", payload=repair)
        queues.owe(payload=repair, helpdesk="sales")
    count = queues.db.read(lambda conn: outbox.repairs_since(conn, "support", "5", NOW))
    assert count == 2

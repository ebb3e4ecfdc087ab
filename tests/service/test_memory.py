"""The helpdesk in memory does what every adapter must do, so that what is tested on it holds."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from bridge.errors import HelpdeskRefused
from bridge.ticket import (
    AccountFields,
    Answer,
    Channel,
    Customer,
    Delivery,
    HttpDelivery,
    Requester,
    Status,
    Ticket,
)
from tests.adapters.contract import NOW, SECRET, AnyAdapterContract
from tests.service.memory import MemoryDesk, signed

TICKET = Ticket(
    id="5",
    number="31005",
    status=Status.OPEN,
    created_at=NOW,
    updated_at=NOW,
    channel=Channel.EMAIL,
    opened_by_agent=False,
    customer=Customer("organization:2", "Acme GmbH"),
    requester=Requester("Carla Customer"),
    answers=(Answer(NOW, "agent 5"), Answer(NOW + timedelta(hours=1), "agent 5")),
)


class TestContract(AnyAdapterContract[MemoryDesk]):
    signature_header = "x-seal"
    ticket_id = "5"
    status_field = "state"
    organization = "organization:2"
    balance_field = "balance"

    @pytest.fixture
    def vendor(self) -> MemoryDesk:
        """The desk is its own vendor."""
        self.desk = MemoryDesk(SECRET)
        return self.desk

    def adapter(self, *secrets: str) -> MemoryDesk:
        return self.desk if hasattr(self, "desk") else MemoryDesk(*secrets)

    def signed(self, body: bytes, secret: str = SECRET) -> HttpDelivery:
        return signed(body, NOW, secret)

    def about_a_ticket(self) -> tuple[bytes, Delivery]:
        body = json.dumps({"ticket": 5, "delivery": "d1"}).encode()
        return body, Delivery("d1", "5", "updated")

    def about_something_else(self) -> bytes:
        return b'{"ping": 1}'

    def serve(
        self, vendor: MemoryDesk, *, marks: tuple[str, ...] = (), lost_field: str | None = None
    ) -> None:
        vendor.tickets["5"] = replace(TICKET, marks=frozenset(marks))
        for status in (Status.PENDING, Status.CLOSED):
            vendor.set_status("5", status)
        if lost_field:
            refused = HelpdeskRefused(f"{lost_field} was not stored")
            vendor.failing |= {"write": refused, "show account": refused}

    def account_shown(self, vendor: MemoryDesk) -> AccountFields:
        return vendor.accounts["organization:2"]

    def serve_no_ticket(self, vendor: MemoryDesk) -> None:
        assert vendor.tickets == {}

    def notes_sent(self, vendor: MemoryDesk) -> list[str]:
        return [note.text for note in vendor.notes["5"]]

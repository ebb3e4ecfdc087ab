"""A helpdesk in memory: a whole adapter on dicts, for tests of what lies above adapters."""

import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from bridge.adapters.answers import organization_id
from bridge.adapters.base import Adapter
from bridge.adapters.signatures import sign_hmac, verify_hmac
from bridge.errors import PayloadNotUnderstood, TicketNotFound
from bridge.ticket import (
    AccountFields,
    Actor,
    Change,
    Delivery,
    Fields,
    HttpDelivery,
    Note,
    Status,
    StatusChange,
    Ticket,
    TicketUpdate,
)

SECRET = "canary-secret-0123456789"


class MemoryDesk(Adapter):
    """Tickets are put into `tickets` and `changes`; `failing` is what calls meet."""

    def __init__(
        self, *secrets: str, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._secrets = secrets
        self._now = now
        self.tickets: dict[str, Ticket] = {}
        self.changes: dict[str, list[Change]] = defaultdict(list)
        self.fields: dict[str, Fields] = {}
        self.notes: dict[str, list[Note]] = defaultdict(list)
        self.updates: list[TicketUpdate] = []
        self.accounts: dict[str, AccountFields] = {}
        self.failing: dict[str, Exception] = {}
        self.calls: list[str] = []

    def verify(self, delivery: HttpDelivery) -> None:
        given = delivery.headers.get("x-seal")
        verify_hmac(delivery.body, given, self._secrets, digest="sha256", encoding="hex")

    def parse(self, delivery: HttpDelivery) -> Delivery | None:
        try:
            body = json.loads(delivery.body.decode("utf-8"))
        except (ValueError, RecursionError) as error:
            raise PayloadNotUnderstood("the body is not JSON") from error
        match body:
            case {"ticket": int(ticket), "delivery": str(delivery_id)}:
                return Delivery(delivery_id, str(ticket), "updated")
            case {"ping": _}:
                return None
        raise PayloadNotUnderstood("the body names no ticket")

    def fetch(self, ticket_id: str) -> Ticket:
        self._call("fetch")
        return self._known(ticket_id)

    def history(self, ticket_id: str) -> tuple[Change, ...]:
        self._call("history")
        self._known(ticket_id)
        return tuple(self.changes[ticket_id])

    def shows(self, ticket: Ticket, fields: Fields) -> bool:
        shown = self.fields.get(ticket.id)
        return shown is not None and _compared(shown) == _compared(fields)

    def write(self, update: TicketUpdate) -> bool:
        self._call("write")
        ticket, note = self._known(update.ticket_id), update.note
        if ticket.closed_for_good:
            return False
        self.updates.append(update)
        self.fields[ticket.id] = update.fields
        if note and not (update.repeat and note.mark in ticket.marks):
            self.notes[ticket.id].append(note)
            ticket = replace(ticket, marks=ticket.marks | {note.mark})
        self.tickets[ticket.id] = ticket
        if update.status:
            self.set_status(ticket.id, update.status, Actor.US)
        return True

    def show_account(self, customer: str, fields: AccountFields) -> None:
        organization_id("Memory", customer)
        self._call("show account")
        self.accounts[customer] = fields

    def set_status(self, ticket_id: str, status: Status, actor: Actor = Actor.AGENT) -> None:
        """Somebody does that now; nothing happens where it is so already."""
        ticket, at = self._known(ticket_id), self._now()
        if ticket.status is status:
            return
        line = StatusChange(len(self.changes[ticket_id]) + 1, at, actor, "5", ticket.status, status)
        self.changes[ticket_id].append(line)
        hint = at if status is Status.CLOSED else ticket.close_hint
        self.tickets[ticket_id] = replace(ticket, status=status, updated_at=at, close_hint=hint)

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if name in self.failing:
            raise self.failing[name]

    def _known(self, ticket_id: str) -> Ticket:
        if ticket_id not in self.tickets:
            raise TicketNotFound(f"no ticket {ticket_id[:20]!r} in memory")
        return self.tickets[ticket_id]


def _compared(fields: Fields) -> Fields:
    """What is only as of the last write is not compared."""
    return replace(fields, balance=0, next_expiry=None)


def delivery_of(ticket_id: str, delivery_id: str, at: datetime) -> HttpDelivery:
    """What the desk would send, signed."""
    return signed(json.dumps({"ticket": int(ticket_id), "delivery": delivery_id}).encode(), at)


def signed(body: bytes, at: datetime, secret: str = SECRET) -> HttpDelivery:
    """Any body, signed."""
    seal = sign_hmac(body, secret, digest="sha256", encoding="hex")
    return HttpDelivery({"x-seal": seal}, body, at)

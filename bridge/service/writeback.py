"""What a helpdesk is owed after decisions, stored: one row for all that belong together.

What is owed is policy's to say (`bridge.policy.owed`). The text of a note is fixed when it is owed;
the fields are read from the ledger when they are written, so that a late write shows what is true
then.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from bridge.ledger import accounts, holdings
from bridge.ledger.accounts import Account
from bridge.ledger.incidents import Stored
from bridge.policy.decisions import Decision
from bridge.policy.display import awaited_clock, summary_parts, ticket_fields
from bridge.policy.owed import CLOCK_TURNED, REMINDER, Owed, Text, together
from bridge.policy.points import last_valid_day
from bridge.policy.writeback import REPAIR_SPAN, may_repair
from bridge.policy.zones import load_zone, place_of_zone
from bridge.queues import outbox
from bridge.queues.outbox import FieldRepair, TicketWrite
from bridge.service.core import Bridge
from bridge.service.facts import facts_of, language_of
from bridge.ticket import AccountFields, Fields, Note, Ticket

#: Fields of helpdesks hold 250; there must be room for the balance.
_MOST_IN_A_LINE = 240


@dataclass(frozen=True, slots=True)
class Made:
    """A decision that was made, the incident as stored after it, and the record's id."""

    stored: Stored
    decision: Decision
    record_id: int


@dataclass(frozen=True, slots=True)
class Seen:
    """A ticket as it was read, and when (UTC)."""

    ticket: Ticket
    at: datetime


def owe(
    conn: Connection,
    bridge: Bridge,
    made: Sequence[Made],
    now: datetime,
    seen: Seen | None = None,
) -> None:
    """Owe the helpdesk one write for all the decisions that were made about a ticket together.

    `seen` is the ticket that they rest on, None where it was not read. One that shows already what
    it is to show is not written to (product rule 6.6).
    """
    owed = together([one.decision.owed for one in made])
    if not owed.shows:
        return
    last = [one for one in made if one.decision.owed.shows][-1]
    stored, seen_at = last.stored, seen.at if seen else None
    if seen and owed.silent and _shown(conn, bridge, stored, seen):
        return
    key = f"{stored.helpdesk}:{stored.ticket_id}:decision:{last.record_id}"
    _owe(conn, bridge, stored, key, owed, now, seen_at)


def owe_reminder(conn: Connection, bridge: Bridge, stored: Stored, day: int, now: datetime) -> None:
    """Owe the requester of a held ticket the reminder of that day."""
    key = f"{stored.helpdesk}:{stored.ticket_id}:reminder:{stored.id}:{day}"
    _owe(conn, bridge, stored, key, REMINDER, now)


def owe_clock(conn: Connection, bridge: Bridge, stored: Stored, now: datetime) -> None:
    """Owe the helpdesk the fields after the clock's state changed."""
    clock = stored.incident.clock
    if clock and clock.result:
        why = f"clock-{clock.cycle}-{clock.result.value}"
        key = f"{stored.helpdesk}:{stored.ticket_id}:fields:{stored.id}:{why}"
        _owe(conn, bridge, stored, key, CLOCK_TURNED, now)


def owe_repair(
    conn: Connection, stored: Stored, delivery: str, seen_at: datetime, now: datetime
) -> bool:
    """Owe the helpdesk fields that show something else than the ledger says.

    Nothing where a write may have come after the ticket was read at `seen_at`, nor more often than
    `may_repair` says. Returns whether it is owed.
    """
    helpdesk, ticket_id = stored.helpdesk, stored.ticket_id
    if outbox.is_unwritten(conn, helpdesk, ticket_id, seen_at):
        return False
    if not may_repair(outbox.repairs_since(conn, helpdesk, ticket_id, now - REPAIR_SPAN)):
        return False
    key = f"{helpdesk}:{ticket_id}:repair:{delivery}"
    payload = FieldRepair(stored.id)
    outbox.owe(conn, helpdesk=helpdesk, ticket_id=ticket_id, key=key, payload=payload, now=now)
    return True


def fields_of(conn: Connection, bridge: Bridge, stored: Stored) -> Fields:
    """What a ticket's fields should show now, read from the ledger."""
    account = accounts.by_id(conn, stored.account_id)
    shown, _ = account_fields(conn, bridge, account, bridge.now())
    charged = holdings.charged_points(conn, stored.id)
    zone = bridge.locate(account).calendar.zone
    fields = ticket_fields(stored.incident, charged, shown, zone, bridge.terms)
    return replace(fields, summary=_summary(bridge, stored, fields))


def account_fields(
    conn: Connection, bridge: Bridge, account: Account, now: datetime
) -> tuple[AccountFields, datetime | None]:
    """What an account has, as helpdesks show it, and the instant (UTC) its next points expire."""
    expiry = holdings.next_expiry(conn, account.id, now)
    expires_at = expiry[0] if expiry else None
    zone = bridge.locate(account).calendar.zone
    day = last_valid_day(expires_at, zone) if expires_at else None
    return AccountFields(holdings.on_hand(conn, account.id, now), day), expires_at


def _summary(bridge: Bridge, stored: Stored, fields: Fields) -> str:
    """The line that says it all: of facts that are so until something happens, and never of now."""
    texts, language = bridge.texts, language_of(bridge.helpdesks.get(stored.helpdesk))
    facts: dict[str, object] = {"charged": fields.charged, "balance": "$balance"}
    facts["price"] = bridge.terms.price
    if clock := awaited_clock(stored.incident):
        at = clock.by_close.astimezone(load_zone(fields.zone))
        weekdays = texts.fill(language, "weekdays", {}).text.split()
        facts |= {"weekday": weekdays[at.weekday()], "day": at.date(), "time": f"{at:%H:%M}"}
        facts["place"] = place_of_zone(fields.zone)
    parts = (
        texts.fill(language, part.value, facts).text for part in summary_parts(stored.incident)
    )
    return " · ".join(" ".join(part.split()) for part in parts)[:_MOST_IN_A_LINE]


def _shown(conn: Connection, bridge: Bridge, stored: Stored, seen: Seen) -> bool:
    """Whether the ticket shows what it is to show, and nothing is under way that changes that."""
    if outbox.is_unwritten(conn, stored.helpdesk, stored.ticket_id, seen.at):
        return False
    adapter = bridge.helpdesk(stored.helpdesk).adapter
    return adapter.shows(seen.ticket, fields_of(conn, bridge, stored))


def _owe(
    conn: Connection,
    bridge: Bridge,
    stored: Stored,
    key: str,
    owed: Owed,
    now: datetime,
    seen_at: datetime | None = None,
) -> None:
    payload = TicketWrite(
        incident_id=stored.id,
        state=stored.incident.state.value,
        status=owed.status,
        pending_until=owed.pending_until,
        note=_note(conn, bridge, stored, owed.texts, key, now),
        account_id=stored.account_id,
        seen_at=seen_at,
    )
    outbox.owe(
        conn,
        helpdesk=stored.helpdesk,
        ticket_id=stored.ticket_id,
        key=key,
        payload=payload,
        now=now,
    )


def _note(
    conn: Connection,
    bridge: Bridge,
    stored: Stored,
    texts: Sequence[Text],
    key: str,
    now: datetime,
) -> Note | None:
    """One note of all the texts, in the helpdesk's language."""
    if not texts:
        return None
    language = language_of(bridge.helpdesks.get(stored.helpdesk))
    facts = facts_of(conn, bridge, stored, now, public=texts[-1].public)
    written = [bridge.texts.fill(language, text.value, facts) for text in texts]
    return Note(
        mark=key,
        subject=written[-1].subject,
        text="\n\n".join(one.text for one in written),
        public=texts[-1].public,
    )

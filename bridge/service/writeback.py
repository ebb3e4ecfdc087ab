"""What a helpdesk is owed after a decision: the fields, a status, and one note that says why.

The text of a note is fixed when it is owed; the fields are read from the ledger when they are
written, so that a late write shows what is true then.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from bridge import queues
from bridge.ledger import accounts, holdings, incidents
from bridge.ledger.accounts import Account
from bridge.ledger.incidents import Stored
from bridge.policy.incidents import Decision, Kind, free_reopen_until
from bridge.policy.points import last_valid_day
from bridge.policy.rules import Rule
from bridge.policy.zones import load_zone, local_date
from bridge.service.core import Bridge
from bridge.ticket import AccountFields, Fields, Note, PointsState, Status

_INTERNAL = {
    Kind.ACCEPTED: "receipt_accepted",
    Kind.RELEASED: "receipt_released",
    Kind.REOPENED: "receipt_reopened",
}
_PUBLIC = {Kind.HELD: "reply_held", Kind.REFUSED: "reply_refused"}
_CLOCKLESS = (PointsState.AWAITING_POINTS, PointsState.DECLINED)


@dataclass(frozen=True, slots=True)
class Made:
    """A decision that was made, the incident as stored after it, and the record's id."""

    stored: Stored
    decision: Decision
    record_id: int


def owe(
    conn: Connection, bridge: Bridge, account: Account, made: Sequence[Made], now: datetime
) -> None:
    """Owe the helpdesk one write for all the decisions that were made about a ticket together."""
    told = [one for one in made if not _changes_nothing_to_see(one)]
    if not told:
        return
    stored = told[-1].stored
    key = f"{stored.helpdesk}:{stored.ticket_id}:decision:{told[-1].record_id}"
    payload: dict[str, Any] = {"note": _note(conn, bridge, account, told, key, now)}
    payload |= _status(bridge, stored, told[-1].decision)
    _enqueue(conn, stored, key, payload, now)


def owe_reminder(conn: Connection, bridge: Bridge, stored: Stored, day: int, now: datetime) -> None:
    """Owe the requester of a held ticket the reminder of that day."""
    account = accounts.by_id(conn, stored.account_id)
    key = f"{stored.helpdesk}:{stored.ticket_id}:reminder:{stored.id}:{day}"
    facts = _facts(conn, bridge, account, stored, now)
    note = _written(bridge, stored, "reply_reminder", facts, key, public=True)
    _enqueue(conn, stored, key, {"note": note}, now)


def owe_fields(conn: Connection, stored: Stored, why: str, now: datetime) -> None:
    """Owe the helpdesk the fields alone; `why` makes the write unique."""
    key = f"{stored.helpdesk}:{stored.ticket_id}:fields:{stored.id}:{why}"
    _enqueue(conn, stored, key, {}, now)


def fields_of(conn: Connection, bridge: Bridge, stored: Stored) -> Fields:
    """What a ticket's fields should show now, read from the ledger."""
    now = bridge.now()
    incident = stored.incident
    account = accounts.by_id(conn, stored.account_id)
    zone = bridge.locate(account).calendar.zone
    shown, _ = account_fields(conn, bridge, account, now)
    shows_clock = incident.state not in _CLOCKLESS and incident.clock and incident.clock.result
    clock = incident.clock if shows_clock else None
    free = incident.first_closed_at if incident.state not in _CLOCKLESS else None
    return Fields(
        state=incident.state,
        charged=holdings.charged_points(conn, stored.id),
        balance=shown.balance,
        next_expiry=shown.next_expiry,
        response_due=clock.due_at if clock else None,
        sla=clock.result if clock else None,
        free_reopen_until=free_reopen_until(free, zone, bridge.terms) if free else None,
    )


def account_fields(
    conn: Connection, bridge: Bridge, account: Account, now: datetime
) -> tuple[AccountFields, datetime | None]:
    """What an account has, as helpdesks show it, and the instant (UTC) its next points expire."""
    expiry = holdings.next_expiry(conn, account.id, now)
    expires_at = expiry[0] if expiry else None
    zone = bridge.locate(account).calendar.zone
    day = last_valid_day(expires_at, zone) if expires_at else None
    return AccountFields(holdings.on_hand(conn, account.id, now), day), expires_at


def _enqueue(
    conn: Connection, stored: Stored, key: str, payload: dict[str, Any], now: datetime
) -> None:
    queues.enqueue(
        conn,
        helpdesk=stored.helpdesk,
        ticket_id=stored.ticket_id,
        incident_id=stored.id,
        dedupe_key=key,
        payload={"state": stored.incident.state.value}
        | {name: value for name, value in payload.items() if value is not None},
        now=now,
    )


def _changes_nothing_to_see(made: Made) -> bool:
    """A declined ticket shows the same after it is closed: mostly the echo of our own closing."""
    return made.decision.kind is Kind.CLOSED and made.stored.incident.state is PointsState.DECLINED


def _status(bridge: Bridge, stored: Stored, decision: Decision) -> dict[str, Any]:
    """The status that the last decision asks of the helpdesk; empty: leave it as it is."""
    helpdesk = bridge.helpdesks.get(stored.helpdesk)
    last = decision.kind
    if helpdesk is None or (stored.incident.closed and last is not Kind.REFUSED):
        return {}
    if last is Kind.HELD and helpdesk.held_status:
        until = decision.at + timedelta(days=bridge.terms.hold_days)
        return {"status": helpdesk.held_status.value, "pending_until": until.isoformat()}
    if last is Kind.RELEASED and helpdesk.held_status:
        return {"status": Status.OPEN.value}
    if last is Kind.DECLINED and helpdesk.declined_status:
        return {"status": helpdesk.declined_status.value}
    return {"status": Status.CLOSED.value} if last is Kind.REFUSED else {}


def _note(
    conn: Connection,
    bridge: Bridge,
    account: Account,
    made: Sequence[Made],
    key: str,
    now: datetime,
) -> dict[str, Any] | None:
    """One note for decisions made together: a public reply, or else all their receipts."""
    facts = _facts(conn, bridge, account, made[-1].stored, now)
    names = [_text_of(one) for one in made]
    spoken = [name for name in names if name]
    if not spoken:
        return None
    if spoken[-1].startswith("reply_"):
        return _written(bridge, made[-1].stored, spoken[-1], facts, key, public=True)
    receipts = [name for name in spoken if name.startswith("receipt_")]
    notes = [_written(bridge, made[-1].stored, name, facts, key, public=False) for name in receipts]
    return notes[-1] | {"text": "\n\n".join(note["text"] for note in notes)}


def _text_of(made: Made) -> str | None:
    kind, rules = made.decision.kind, {finding.rule for finding in made.decision.findings}
    if kind is Kind.DECLINED:
        return "reply_declined" if Rule.HOLD_ENDS in rules else "receipt_declined"
    if kind is Kind.ACCEPTED and Rule.REOPEN_LATE in rules:
        return "receipt_reopened_late"
    return _INTERNAL.get(kind) or _PUBLIC.get(kind)


def _written(
    bridge: Bridge,
    stored: Stored,
    name: str,
    facts: dict[str, object],
    key: str,
    *,
    public: bool,
) -> dict[str, Any]:
    helpdesk = bridge.helpdesks.get(stored.helpdesk)
    text = bridge.texts.fill(helpdesk.language if helpdesk else "en", name, facts)
    return asdict(Note(mark=key, subject=text.subject, text=text.text, public=public))


def _facts(
    conn: Connection, bridge: Bridge, account: Account, stored: Stored, now: datetime
) -> dict[str, object]:
    """What the texts may say. Facts of the account and the ledger only."""
    terms, incident = bridge.terms, stored.incident
    zone = bridge.locate(account).calendar.zone
    helpdesk = bridge.helpdesks.get(stored.helpdesk)
    language = helpdesk.language if helpdesk else "en"
    closed = _first_closure(conn, stored)
    held_until = (incident.held_at or now) + timedelta(days=terms.hold_days)
    return {
        "number": stored.ticket_number,
        "account": account.name,
        "price": terms.price,
        "charged": holdings.charged_points(conn, stored.id),
        "balance": holdings.on_hand(conn, account.id, now),
        "zone": zone,
        "due": _local(incident.clock.by_close, zone) if incident.clock else "",
        "hold_days": terms.hold_days,
        "hold_until": local_date(held_until, zone).isoformat(),
        "first_closed_on": local_date(closed, zone).isoformat() if closed else "",
        "free_until": free_reopen_until(closed, zone, terms).isoformat() if closed else "",
        "why": bridge.texts.fill(
            language, "why_closed_while_held", {"hold_days": terms.hold_days}
        ).text,
    }


def _first_closure(conn: Connection, stored: Stored) -> datetime | None:
    """The first closure of this incident, or of the one before it on the same ticket."""
    for other in reversed(incidents.on_ticket(conn, stored.helpdesk, stored.ticket_id)):
        if other.incident.first_closed_at:
            return other.incident.first_closed_at
    return None


def _local(at: datetime, zone: str) -> str:
    return f"{at.astimezone(load_zone(zone)):%Y-%m-%d %H:%M}"

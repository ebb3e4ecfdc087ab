"""The one home of the decision's transaction.

Ledger entries, incident, the record of the decision and the write-backs that are owed are written
here, together, on the caller's connection: they commit with its transaction or not at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from bridge.errors import LedgerBusy
from bridge.ledger import accounts, holdings, incidents, points
from bridge.ledger.accounts import Account
from bridge.ledger.incidents import Stored
from bridge.policy.incidents import (
    Context,
    Decision,
    Incident,
    Kind,
    decide,
    end_hold,
    needs_history,
    release,
)
from bridge.service import writeback
from bridge.service.core import Bridge, Helpdesk
from bridge.service.writeback import Made
from bridge.ticket import StateChange, Ticket

#: More steps than any ticket's life has: beyond them the rules go round in circles.
_MOST_STEPS = 10_000


@dataclass(frozen=True, slots=True)
class HistoryNeeded:
    """The ticket may have been closed or re-opened: ask again with its history."""


def settle_ticket(
    conn: Connection,
    bridge: Bridge,
    helpdesk: Helpdesk,
    ticket: Ticket,
    history: Sequence[StateChange] | None,
    delivery: str | None = None,
) -> str | HistoryNeeded:
    """Decide everything that happened to a ticket and write it down. Returns what was decided.

    Safe to repeat: what was decided once is not decided again.
    """
    now = bridge.now()
    stored = incidents.newest(conn, helpdesk.name, ticket.id)
    if history is None and needs_history(ticket, stored.incident if stored else None):
        return HistoryNeeded()
    account = accounts.resolve(conn, helpdesk.name, ticket.customer, now)
    if stored:
        account = accounts.by_id(conn, stored.account_id)
    made: list[Made] = []
    for _ in range(_MOST_STEPS):
        context = _context(conn, bridge, helpdesk, account, now, ticket.follow_up_of)
        decision = decide(ticket, stored.incident if stored else None, history, context)
        if decision.kind is Kind.NOTHING:
            break
        owner = stored or _first(helpdesk, ticket, account, decision)
        made.append(_keep(conn, bridge, account, owner, decision, now, delivery))
        stored = made[-1].stored
    else:
        raise RuntimeError(f"no end to the decisions about {helpdesk.name} ticket {ticket.id}")
    if stored and decision.incident and decision.incident != stored.incident:
        incidents.save(conn, replace(stored, incident=decision.incident))
    writeback.owe(conn, bridge, account, made, now)
    return _summary(made, decision)


def release_held(conn: Connection, bridge: Bridge, account: Account) -> list[Stored]:
    """Charge the held incidents of an account that got points, oldest first, up to the balance."""
    released = []
    now = bridge.now()
    for stored in incidents.held(conn, account.id):
        helpdesk = bridge.helpdesks.get(stored.helpdesk)
        decision = release(stored.incident, _context(conn, bridge, helpdesk, account, now))
        if decision.kind is Kind.NOTHING:
            break
        released.append(_settle(conn, bridge, account, stored, decision, now))
    return released


def decline_held(conn: Connection, bridge: Bridge, stored: Stored) -> Stored:
    """Decline a held incident whose time is over."""
    now = bridge.now()
    account = accounts.by_id(conn, stored.account_id)
    context = _context(conn, bridge, bridge.helpdesks.get(stored.helpdesk), account, now)
    return _settle(conn, bridge, account, stored, end_hold(stored.incident, context), now)


def _settle(
    conn: Connection,
    bridge: Bridge,
    account: Account,
    stored: Stored,
    decision: Decision,
    now: datetime,
) -> Stored:
    made = _keep(conn, bridge, account, stored, decision, now)
    writeback.owe(conn, bridge, account, [made], now)
    return made.stored


def _context(
    conn: Connection,
    bridge: Bridge,
    helpdesk: Helpdesk | None,
    account: Account,
    now: datetime,
    follow_up_of: str | None = None,
) -> Context:
    since = helpdesk.in_service_since if helpdesk else now
    if helpdesk and since is None:
        since = accounts.in_service_since(conn, helpdesk.name)
    lots = holdings.live_lots(conn, account.id)
    before = (
        incidents.newest(conn, helpdesk.name, follow_up_of) if helpdesk and follow_up_of else None
    )
    return Context(
        terms=bridge.terms,
        lots=lots,
        calendar=bridge.locate(account).calendar,
        now=now,
        in_service_since=since or now,
        continues=before.incident if before and before.account_id == account.id else None,
    )


def _keep(
    conn: Connection,
    bridge: Bridge,
    account: Account,
    owner: Stored,
    decision: Decision,
    now: datetime,
    delivery: str | None = None,
) -> Made:
    """Store the incident as the decision leaves it, take its points, record why."""
    if decision.incident is None:
        raise RuntimeError(f"a decision {decision.kind} without an incident")
    stored = _stored(conn, owner, decision.incident)
    if decision.kind.charges:
        taken = points.charge(
            conn,
            incident_id=stored.id,
            account_id=account.id,
            points=bridge.terms.price,
            valid_at=decision.valid_at or now,
            now=now,
            actor="bridge",
            reason=decision.kind.value,
        )
        if taken is None:
            raise LedgerBusy("another charge took the points meanwhile; decide anew")
    clock = stored.incident.clock
    inputs = bridge.locate(account).inputs(clock.started_at, clock.due_at) if clock else None
    incidents.save(conn, stored, inputs)
    return Made(stored, decision, incidents.record(conn, stored.id, decision, now, delivery))


def _first(helpdesk: Helpdesk, ticket: Ticket, account: Account, decision: Decision) -> Stored:
    if decision.incident is None:
        raise RuntimeError(f"a decision {decision.kind} without an incident")
    return Stored(
        id=0,
        helpdesk=helpdesk.name,
        ticket_id=ticket.id,
        ticket_number=ticket.number,
        account_id=account.id,
        incident=decision.incident,
    )


def _stored(conn: Connection, owner: Stored, incident: Incident) -> Stored:
    """The row of the decision's incident: the owner's own, or a new one on the same ticket."""
    stored = replace(owner, incident=incident)
    same = owner.id != 0 and owner.incident.number == incident.number
    return stored if same else incidents.add(conn, stored)


def _summary(made: Sequence[Made], last: Decision) -> str:
    if made:
        return ", ".join(one.decision.kind.value for one in made)
    return "; ".join(finding.outcome for finding in last.findings) or Kind.NOTHING.value

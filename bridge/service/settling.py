"""The one home of the decision's transaction.

Ledger entries, incident, the record of the decision and the write-backs that are owed are written
here, together, on the caller's connection: they commit with its transaction or not at all.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from bridge.errors import LedgerBusy
from bridge.ledger import accounts, holdings, incidents, points
from bridge.ledger.accounts import Account
from bridge.ledger.incidents import Stored
from bridge.policy.decisions import Context, Decision, Incident, Kind, Statuses
from bridge.policy.gate import end_hold, release
from bridge.policy.incidents import decide, needs_history
from bridge.queues import inbox
from bridge.service import writeback
from bridge.service.core import Bridge, Helpdesk
from bridge.service.writeback import Made, Seen
from bridge.ticket import Change, PointsState, Ticket

#: More steps than any ticket's life has: beyond them the rules go round in circles.
_MOST_STEPS = 10_000


@dataclass(frozen=True, slots=True)
class Touch:
    """Why a ticket was looked at: the delivery that asked for it, and when it was read (UTC).

    `rows` are the deliveries in the inbox that the look answers.
    """

    delivery: str
    seen_at: datetime
    rows: tuple[int, ...] = ()


def wants_history(conn: Connection, helpdesk: Helpdesk, ticket: Ticket) -> bool:
    """Whether `settle_ticket` must be given the ticket's history."""
    stored = incidents.newest(conn, helpdesk.name, ticket.id)
    incident = stored.incident if stored else None
    return needs_history(ticket, incident, helpdesk.held_status)


def settle_ticket(
    conn: Connection,
    bridge: Bridge,
    helpdesk: Helpdesk,
    ticket: Ticket,
    history: Sequence[Change] | None,
    touch: Touch,
) -> str:
    """Decide everything that happened to a ticket and write it down. Returns what was decided.

    `history` is None where `wants_history` said no. Safe to repeat: what was decided once is not
    decided again. To a ticket that is closed for good nothing is owed: it cannot be shown there.
    """
    now = bridge.now()
    before = stored = incidents.newest(conn, helpdesk.name, ticket.id)
    asks = accounts.resolve(conn, helpdesk.name, ticket.customer, now)
    made: list[Made] = []
    for _ in range(_MOST_STEPS):
        context = _context_of(conn, bridge, helpdesk, ticket, stored, asks, now)
        decision = decide(ticket, stored.incident if stored else None, history, context)
        if decision.kind is Kind.NOTHING:
            break
        owner = stored or _first(helpdesk, ticket, asks, decision)
        made += _keep_all(conn, bridge, owner, decision, asks, now, touch.delivery)
        stored = made[-1].stored
    else:
        raise RuntimeError(f"no end to the decisions about {helpdesk.name} ticket {ticket.id}")
    if stored and decision.incident and decision.incident != stored.incident:
        stored = replace(stored, incident=decision.incident)
        incidents.save(conn, stored)
    if not ticket.closed_for_good:
        writeback.owe(conn, bridge, made, now, Seen(ticket, touch.seen_at))
    released = _release_after(conn, bridge, before, touch)
    repaired = not released and _repair(conn, bridge, helpdesk, ticket, stored, touch)
    return _summary(made, decision, released=released, repaired=repaired)


def release_held(
    conn: Connection, bridge: Bridge, account: Account, handled: Collection[int] = ()
) -> list[Stored]:
    """Charge the held incidents of an account that got points, oldest first, up to the balance.

    Those of which something was heard that nobody has looked at yet may be held no more: they are
    left, with their points, to that look (`handled`: the deliveries that the caller's own look
    answers). One that the helpdesk does not show is passed over, and no points are left to it; so
    is one whose customer record is another account's now.
    Where nothing was heard, a look is asked for: it finds what should have been heard.
    """
    released: list[Stored] = []
    now, unread = bridge.now(), 0
    for stored in incidents.held(conn, account.id):
        if _is_anothers(conn, stored):
            continue
        if inbox.is_unread(conn, stored.helpdesk, stored.ticket_id, handled):
            unread += not inbox.is_missing(conn, stored.helpdesk, stored.ticket_id)
            continue
        helpdesk = bridge.helpdesks.get(stored.helpdesk)
        context = _context(conn, bridge, helpdesk, account, now)
        decision = release(stored.incident, context, unread)
        if decision.kind is Kind.NOTHING:
            break
        released.append(_settle(conn, bridge, stored, decision, now))
        if not inbox.is_unread(conn, stored.helpdesk, stored.ticket_id):
            inbox.look(conn, stored.helpdesk, stored.ticket_id, f"released:{stored.id}", now)
    return released


def _is_anothers(conn: Connection, stored: Stored) -> bool:
    """Whether the record that an incident came from is not its account's any more."""
    record = stored.incident.customer_ref
    owner = accounts.owner_of(conn, stored.helpdesk, record) if record else stored.account_id
    return owner != stored.account_id


def decline_held(conn: Connection, bridge: Bridge, stored: Stored) -> Stored:
    """Decline a held incident whose time is over."""
    now = bridge.now()
    account = accounts.by_id(conn, stored.account_id)
    context = _context(conn, bridge, bridge.helpdesks.get(stored.helpdesk), account, now)
    return _settle(conn, bridge, stored, end_hold(stored.incident, context), now)


def _release_after(conn: Connection, bridge: Bridge, before: Stored | None, touch: Touch) -> bool:
    """Release what was left to this look: the ticket itself, or who waits behind it.

    Returns whether it was the ticket itself.
    """
    if before is None or before.incident.state is not PointsState.AWAITING_POINTS:
        return False
    account = accounts.by_id(conn, before.account_id)
    released = release_held(conn, bridge, account, touch.rows)
    return before.id in [stored.id for stored in released]


def _settle(
    conn: Connection, bridge: Bridge, stored: Stored, decision: Decision, now: datetime
) -> Stored:
    made = [_keep(conn, bridge, stored, decision, now)]
    writeback.owe(conn, bridge, made, now)
    return made[-1].stored


def _context_of(
    conn: Connection,
    bridge: Bridge,
    helpdesk: Helpdesk,
    ticket: Ticket,
    stored: Stored | None,
    asks: Account,
    now: datetime,
) -> Context:
    """What a decision about the ticket rests on: the account that pays, and the one that asks."""
    if stored is None or stored.account_id == asks.id:
        return _context(conn, bridge, helpdesk, asks, now, ticket.follow_up_of)
    payer = accounts.by_id(conn, stored.account_id)
    return replace(
        _context(conn, bridge, helpdesk, payer, now),
        elsewhere=_context(conn, bridge, helpdesk, asks, now, ticket.follow_up_of),
        paid=holdings.charged_points(conn, stored.id) > 0,
    )


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
    before = (
        incidents.newest(conn, helpdesk.name, follow_up_of) if helpdesk and follow_up_of else None
    )
    statuses = Statuses(helpdesk.held_status, helpdesk.declined_status) if helpdesk else Statuses()
    located = bridge.locate(account)
    return Context(
        terms=located.terms,
        lots=holdings.live_lots(conn, account.id),
        calendar=located.calendar,
        now=now,
        in_service_since=since or now,
        continues=before.incident if before and before.account_id == account.id else None,
        statuses=statuses,
        account=account.name,
        announces_release=helpdesk is not None and helpdesk.announce_release,
    )


def _keep_all(
    conn: Connection,
    bridge: Bridge,
    owner: Stored,
    decision: Decision,
    asks: Account,
    now: datetime,
    delivery: str,
) -> list[Made]:
    """Store a decision, and the one that is made with it for the account that asks now."""
    if decision.leaves:
        owner = replace(owner, account_id=asks.id)
    made = [_keep(conn, bridge, owner, decision, now, delivery)]
    if decision.then:
        owner = replace(made[0].stored, account_id=asks.id)
        made.append(_keep(conn, bridge, owner, decision.then, now, delivery))
    return made


def _keep(
    conn: Connection,
    bridge: Bridge,
    owner: Stored,
    decision: Decision,
    now: datetime,
    delivery: str | None = None,
) -> Made:
    """Store the incident as the decision leaves it, move its points, record why."""
    stored = _stored(conn, owner, _incident_of(decision))
    account = accounts.by_id(conn, stored.account_id)
    clock = stored.incident.clock
    located = bridge.locate(account)
    incidents.save(conn, stored, located.inputs(clock.started_at, clock.due_at) if clock else None)
    _book(conn, bridge, stored, decision, now)
    return Made(stored, decision, incidents.record(conn, stored.id, decision, now, delivery))


def _book(
    conn: Connection, bridge: Bridge, stored: Stored, decision: Decision, now: datetime
) -> None:
    """Move the points that the decision owes."""
    owed = decision.owed
    if owed.credit:
        account = accounts.by_id(conn, stored.account_id)
        points.credit(
            conn,
            incident_id=stored.id,
            now=now,
            zone=bridge.locate(account).calendar.zone,
            credit_days=bridge.terms.credit_days,
            actor="bridge",
            reason=owed.credit,
        )
        release_held(conn, bridge, account)
    if owed.charge:
        taken = points.charge(
            conn,
            incident_id=stored.id,
            account_id=stored.account_id,
            points=owed.charge.points,
            valid_at=owed.charge.valid_at,
            now=now,
            actor="bridge",
            reason=decision.kind.value,
        )
        if taken is None:
            raise LedgerBusy("another charge took the points meanwhile; decide anew")


def _first(helpdesk: Helpdesk, ticket: Ticket, account: Account, decision: Decision) -> Stored:
    return Stored(
        id=0,
        helpdesk=helpdesk.name,
        ticket_id=ticket.id,
        ticket_number=ticket.number,
        account_id=account.id,
        incident=_incident_of(decision),
    )


def _incident_of(decision: Decision) -> Incident:
    if decision.incident is None:
        raise RuntimeError(f"a decision {decision.kind} without an incident")
    return decision.incident


def _stored(conn: Connection, owner: Stored, incident: Incident) -> Stored:
    """The row of the decision's incident: the owner's own, or a new one on the same ticket."""
    stored = replace(owner, incident=incident)
    same = owner.id != 0 and owner.incident.number == incident.number
    return stored if same else incidents.add(conn, stored)


def _repair(
    conn: Connection,
    bridge: Bridge,
    helpdesk: Helpdesk,
    ticket: Ticket,
    stored: Stored | None,
    touch: Touch,
) -> bool:
    """Mend fields that show something else: a browser saves every field as it loaded it."""
    if stored is None or ticket.closed_for_good:
        return False
    if helpdesk.adapter.shows(ticket, writeback.fields_of(conn, bridge, stored)):
        return False
    return writeback.owe_repair(conn, stored, touch.delivery, touch.seen_at, bridge.now())


def _summary(made: Sequence[Made], last: Decision, *, released: bool, repaired: bool) -> str:
    said = [one.decision.kind.value for one in made]
    if released:
        said.append(Kind.RELEASED.value)
    if repaired:
        said.append("fields repaired")
    if said:
        return ", ".join(said)
    return "; ".join(finding.outcome for finding in last.findings) or Kind.NOTHING.value

"""The outbox: carry out what a helpdesk is owed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from bridge.ledger import accounts, incidents
from bridge.policy.writeback import is_overtaken, is_stale, keeps_message, keeps_status
from bridge.queues import inbox, outbox, rows
from bridge.queues.outbox import Leased, TicketWrite
from bridge.service.attempts import attempt
from bridge.service.core import Bridge
from bridge.service.writeback import fields_of
from bridge.ticket import PointsState, Status, Ticket, TicketUpdate


def send_next(bridge: Bridge) -> bool:
    """Carry out the next thing that is owed to a helpdesk. False: nothing is due.

    Safe to repeat and to run from several threads or processes: a ticket's writes go out one at a
    time and in order, and a note that may have arrived is looked for before it is written again.
    """
    leased = bridge.db.write(lambda conn: outbox.claim_next(conn, bridge.now()))
    if leased is None:
        return False
    attempt(bridge, "outbox", [leased.id], lambda: _send(bridge, leased))
    return True


def _send(bridge: Bridge, leased: Leased) -> None:
    adapter = bridge.helpdesk(leased.helpdesk).adapter
    turn = bridge.db.read(lambda conn: _turn(conn, bridge, leased))
    if turn.update is None:
        _finish(bridge, [leased.id], rows.UNSENT)
        return
    if turn.looks_first and _left_to_a_look(bridge, leased, adapter.fetch(leased.ticket_id)):
        return
    written = adapter.write(turn.update)
    outcome = "written" if written else "closed for good: nothing written"
    # Its fields are those of now, so that whatever was to show fields alone is shown as well.
    _finish(bridge, [leased.id, *turn.shown_by_it], outcome)


@dataclass(frozen=True, slots=True)
class _Turn:
    """What a write has come to, read in one snapshot.

    `update` None leaves it to a write behind it that does more; `looks_first`: the ticket is to be
    read before; `shown_by_it` are the rows that this write does the work of.
    """

    update: TicketUpdate | None
    looks_first: bool = False
    shown_by_it: tuple[int, ...] = ()


def _turn(conn: Connection, bridge: Bridge, leased: Leased) -> _Turn:
    behind = outbox.behind(conn, leased)
    if leased.payload.silent and not all(other.silent for other in behind.values()):
        return _Turn(None)
    update = _update(conn, bridge, leased)
    silent = tuple(id_ for id_, one in behind.items() if one.silent)
    return _Turn(update, _looks_first(conn, update, leased, bridge.now()), silent)


def _finish(bridge: Bridge, ids: Sequence[int], outcome: str) -> None:
    bridge.db.write(lambda conn: rows.finish(conn, "outbox", ids, outcome, bridge.now()))


def _looks_first(conn: Connection, update: TicketUpdate, leased: Leased, now: datetime) -> bool:
    """Whether a status is set or somebody told something, and nobody has looked just now.

    What failed before, or is about a ticket of which something was heard since, is always looked
    at: seconds are enough to close a ticket, or to give it to somebody else.
    """
    payload = leased.payload
    speaks = update.status is not None or (update.note is not None and update.note.public)
    if not speaks or not isinstance(payload, TicketWrite):
        return False
    unread = inbox.is_unread(conn, leased.helpdesk, leased.ticket_id)
    return unread or leased.attempts > 1 or is_stale(payload.seen_at, now)


def _left_to_a_look(bridge: Bridge, leased: Leased, ticket: Ticket) -> bool:
    """End a write that something has overtaken of which nothing was heard, and ask for a look.

    Webhooks come late, or never: a ticket that somebody closed must not be opened again, nor its
    new requester read of the account that it has left.
    """

    def work(conn: Connection) -> bool:
        newest = incidents.newest(conn, leased.helpdesk, ticket.id)
        owner = accounts.owner_of(conn, leased.helpdesk, ticket.customer.ref)
        same = newest is not None and newest.account_id == owner
        if newest is None or not is_overtaken(
            ticket, newest.incident, bridge.terms, same_account=same
        ):
            return False
        now = bridge.now()
        inbox.look(conn, leased.helpdesk, ticket.id, f"unwritten:{leased.id}", now)
        rows.finish(conn, "outbox", [leased.id], "overtaken: left to the next look", now)
        return True

    overtaken = bridge.db.write(work)
    if overtaken:
        bridge.wake.call()
    return overtaken


def _update(conn: Connection, bridge: Bridge, leased: Leased) -> TicketUpdate:
    """The write as it should be now.

    When the incident has moved on meanwhile, the fields show it, and neither a status nor a message
    to the requester that has become wrong goes out any more (`bridge.policy.writeback`).
    """
    payload = leased.payload
    stored = incidents.by_id(conn, payload.incident_id)
    newest = incidents.newest(conn, stored.helpdesk, stored.ticket_id) or stored
    fields, again = fields_of(conn, bridge, newest), leased.attempts > 1
    if not isinstance(payload, TicketWrite):
        return TicketUpdate(leased.ticket_id, fields, repeat=again)
    mine, owed_in = newest.id == stored.id, PointsState(payload.state)
    status, note = payload.status, payload.note
    if status and not (mine and keeps_status(status, owed_in, stored.incident)):
        status = None
    same = payload.account_id in (None, stored.account_id)
    if note and note.public:
        closes = payload.status is Status.CLOSED
        told = mine and keeps_message(owed_in, stored.incident, same_account=same, closes=closes)
        note = note if told else None
    return TicketUpdate(
        ticket_id=leased.ticket_id,
        fields=fields,
        status=status,
        pending_until=payload.pending_until if status else None,
        note=note,
        repeat=again,
    )

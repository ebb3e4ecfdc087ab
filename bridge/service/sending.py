"""The outbox: carry out what a helpdesk is owed."""

from sqlalchemy import Connection

from bridge.ledger import incidents
from bridge.policy.writes import keeps_message, keeps_status
from bridge.queues import outbox, rows
from bridge.queues.outbox import Leased, TicketWrite
from bridge.service.attempts import attempt
from bridge.service.core import Bridge
from bridge.service.writeback import fields_of
from bridge.ticket import PointsState, TicketUpdate


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
    written = adapter.write(bridge.db.read(lambda conn: _update(conn, bridge, leased)))
    ids, outcome = [leased.id], "written" if written else "closed for good: nothing written"
    bridge.db.write(lambda conn: rows.finish(conn, "outbox", ids, outcome, bridge.now()))


def _update(conn: Connection, bridge: Bridge, leased: Leased) -> TicketUpdate:
    """The write as it should be now.

    When the incident has moved on meanwhile, the fields show it, and neither a status nor a message
    to the requester that has become wrong goes out any more (`bridge.policy.writes`).
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
        told = mine and keeps_message(owed_in, stored.incident, same_account=same)
        note = note if told else None
    return TicketUpdate(
        ticket_id=leased.ticket_id,
        fields=fields,
        status=status,
        pending_until=payload.pending_until if status else None,
        note=note,
        repeat=again,
    )

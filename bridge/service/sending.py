"""The outbox: write to a helpdesk what it is owed."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from bridge import queues
from bridge.ledger import incidents
from bridge.service.attempts import attempt
from bridge.service.core import Bridge
from bridge.service.writeback import fields_of
from bridge.ticket import Note, Status, TicketUpdate


def send_next(bridge: Bridge) -> bool:
    """Write the next thing that is owed to a helpdesk. False: nothing is due.

    Safe to repeat and to run from several threads or processes: a ticket's writes go out one at a
    time and in order, and a note that may have arrived is looked for before it is written again.
    """
    row = bridge.db.write(lambda conn: queues.claim_write(conn, bridge.now()))
    if row is None:
        return False
    attempt(bridge, "outbox", [row.id], lambda: _send(bridge, row))
    return True


def _send(bridge: Bridge, row: Row[Any]) -> None:
    adapter = bridge.helpdesk(row.helpdesk).adapter
    adapter.write(bridge.db.read(lambda conn: _update(conn, bridge, row)))
    bridge.db.write(lambda conn: queues.finish(conn, "outbox", [row.id], "written", bridge.now()))


def _update(conn: Connection, bridge: Bridge, row: Row[Any]) -> TicketUpdate:
    """The write as it should be now.

    When the incident has moved on meanwhile, the fields show it, and neither a status nor a message
    to the requester that has become wrong goes out any more.
    """
    stored = incidents.by_id(conn, row.incident_id)
    timely = row.payload["state"] == stored.incident.state.value
    note = Note(**row.payload["note"]) if "note" in row.payload else None
    status, until = row.payload.get("status"), row.payload.get("pending_until")
    return TicketUpdate(
        ticket_id=row.ticket_id,
        fields=fields_of(conn, bridge, stored),
        status=Status(status) if status and timely else None,
        pending_until=datetime.fromisoformat(until) if until and timely else None,
        note=note if note and (timely or not note.public) else None,
        repeat=row.attempts > 1,
    )

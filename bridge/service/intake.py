"""The inbox: keep what a helpdesk sends, then look at the ticket and settle it."""

import hashlib
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from bridge import queues
from bridge.errors import PayloadNotUnderstood, TicketNotFound
from bridge.service.attempts import attempt
from bridge.service.core import Bridge
from bridge.service.settling import HistoryNeeded, settle_ticket
from bridge.ticket import Delivery, HttpDelivery, Received, StateChange, Ticket


def receive(bridge: Bridge, name: str, http: HttpDelivery) -> Received:
    """Verify a delivery and keep it, durably, before this returns. Safe to repeat.

    Raises:
        UnknownHelpdesk: no helpdesk of that name.
        WebhookRejected: it does not prove where it comes from; nothing is kept.
        PayloadNotUnderstood: it is authentic but unreadable; it is kept as a dead letter.
        LedgerBusy: it could not be kept; the helpdesk must send it again.
    """
    adapter = bridge.helpdesk(name).adapter
    adapter.verify(http)
    try:
        delivery = adapter.parse(http)
    except PayloadNotUnderstood as error:
        _keep_unread(bridge, name, http, str(error))
        raise
    if delivery is None:
        return Received.IGNORED
    new = bridge.db.write(lambda conn: queues.store_delivery(conn, name, http, delivery))
    if new:
        bridge.wake.call()
    return Received.STORED if new else Received.DUPLICATE


def handle_next(bridge: Bridge) -> bool:
    """Settle the ticket whose deliveries have waited longest. False: there is none.

    All the deliveries of that ticket are settled together: they all say no more than "look at it".
    """
    rows = bridge.db.write(lambda conn: queues.claim_deliveries(conn, bridge.now()))
    if not rows:
        return False
    attempt(bridge, "inbox", [row.id for row in rows], lambda: _handle(bridge, rows))
    bridge.wake.call()
    return True


def _keep_unread(bridge: Bridge, name: str, http: HttpDelivery, why: str) -> None:
    digest = hashlib.sha256(http.body).hexdigest()
    unread = Delivery(id=f"unread:{digest}", ticket_id="", event="unreadable")
    bridge.db.write(lambda conn: queues.store_delivery(conn, name, http, unread, unread=why))


def _handle(bridge: Bridge, rows: Sequence[Row[Any]]) -> None:
    helpdesk = bridge.helpdesk(rows[0].helpdesk)
    ticket_id = rows[0].ticket_id
    try:
        ticket = helpdesk.adapter.fetch(ticket_id)
    except TicketNotFound as error:
        # Not a deletion: a right that is missing looks the same. Nothing is decided on it.
        _finish(bridge, rows, str(error))
        return
    if not _settle(bridge, rows, ticket, None):
        _settle(bridge, rows, ticket, helpdesk.adapter.history(ticket_id))


def _settle(
    bridge: Bridge,
    rows: Sequence[Row[Any]],
    ticket: Ticket,
    history: Sequence[StateChange] | None,
) -> bool:
    """Settle the ticket and finish its deliveries in one transaction; False: history is needed."""
    helpdesk = bridge.helpdesk(rows[0].helpdesk)

    def work(conn: Any) -> bool:
        outcome = settle_ticket(conn, bridge, helpdesk, ticket, history, rows[0].delivery_id)
        if isinstance(outcome, HistoryNeeded):
            return False
        queues.finish(conn, "inbox", [row.id for row in rows], outcome, bridge.now())
        return True

    return bridge.db.write(work)


def _finish(bridge: Bridge, rows: Sequence[Row[Any]], outcome: str) -> None:
    ids = [row.id for row in rows]
    bridge.db.write(lambda conn: queues.finish(conn, "inbox", ids, outcome, bridge.now()))

"""The inbox: keep what a helpdesk sends, then look at the ticket and settle it."""

import hashlib

from sqlalchemy import Connection

from bridge.errors import PayloadNotUnderstood, TicketNotFound
from bridge.ledger import incidents
from bridge.policy.retries import MISSING_FOR
from bridge.queues import inbox, rows
from bridge.queues.inbox import Leased
from bridge.service.attempts import attempt
from bridge.service.core import Bridge
from bridge.service.settling import Touch, settle_ticket, wants_history
from bridge.ticket import Delivery, HttpDelivery, PointsState, Received


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
    new = bridge.db.write(lambda conn: inbox.store(conn, name, http, delivery))
    if new:
        bridge.wake.call()
    return Received.STORED if new else Received.DUPLICATE


def handle_next(bridge: Bridge) -> bool:
    """Settle the ticket whose deliveries have waited longest. False: there is none.

    All the deliveries of that ticket are settled together: they all say no more than "look at it".
    """
    leased = bridge.db.write(lambda conn: inbox.claim_ticket(conn, bridge.now()))
    if leased is None:
        return False
    attempt(bridge, "inbox", leased.ids, lambda: _handle(bridge, leased))
    bridge.wake.call()
    return True


def _keep_unread(bridge: Bridge, name: str, http: HttpDelivery, why: str) -> None:
    digest = hashlib.sha256(http.body).hexdigest()
    unread = Delivery(id=f"unread:{digest}", ticket_id="", event="unreadable")
    bridge.db.write(lambda conn: inbox.store(conn, name, http, unread, unread=why))


def _handle(bridge: Bridge, leased: Leased) -> None:
    helpdesk = bridge.helpdesk(leased.helpdesk)
    ids, touch = leased.ids, Touch(leased.delivery_id, bridge.now(), leased.ids)
    try:
        ticket = helpdesk.adapter.fetch(leased.ticket_id)
    except TicketNotFound as error:
        unseen = str(error)
        bridge.db.write(lambda conn: _not_shown(conn, bridge, leased, unseen))
        return
    history = None
    if bridge.db.read(lambda conn: wants_history(conn, helpdesk, ticket)):
        history = helpdesk.adapter.history(leased.ticket_id)

    def settle(conn: Connection) -> None:
        """The decisions and the end of their deliveries are one transaction."""
        outcome = settle_ticket(conn, bridge, helpdesk, ticket, history, touch)
        rows.finish(conn, "inbox", ids, outcome, bridge.now())

    bridge.db.write(settle)


def _not_shown(conn: Connection, bridge: Bridge, leased: Leased, unseen: str) -> None:
    """Not a deletion: a right that is missing looks the same. Nothing is decided on it.

    Points are not spent on it either: a held ticket is looked for again, and not released before
    it is seen.
    """
    now = bridge.now()
    rows.finish(conn, "inbox", leased.ids, unseen, now)
    stored = incidents.newest(conn, leased.helpdesk, leased.ticket_id)
    if stored and stored.incident.state is PointsState.AWAITING_POINTS:
        why, at = f"missing:{leased.ids[-1]}", now + MISSING_FOR
        inbox.look(conn, leased.helpdesk, leased.ticket_id, why, at, missing=True)

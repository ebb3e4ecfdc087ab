"""What happens as time goes by. Every step may be repeated, and by two schedulers at once."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from sqlalchemy import Connection

from bridge.ledger import accounts, holdings, incidents, points
from bridge.ledger.incidents import Stored
from bridge.policy.clock import watched
from bridge.policy.gate import hold_is_over, reminder_due
from bridge.queues import inbox
from bridge.service import writeback
from bridge.service.core import Bridge
from bridge.service.settling import decline_held, release_held
from bridge.ticket import PointsState

#: Lots that one transaction expires: small enough that it never holds up a delivery.
EXPIRY_BATCH = 100


def expire_points(bridge: Bridge) -> int:
    """Book the expiry of lots that are due; a query never counted them since. Returns how many."""
    total = 0
    while booked := bridge.db.write(
        lambda conn: points.expire_due(conn, now=bridge.now(), limit=EXPIRY_BATCH)
    ):
        total += booked
    return total


def watch_clocks(bridge: Bridge) -> int:
    """Mark first responses that are at risk or late. Returns how many clocks changed."""
    due = bridge.db.read(lambda conn: incidents.waiting(conn, bridge.now()))
    return _each(bridge, due, _watch)


def watch_holds(bridge: Bridge) -> int:
    """Release held tickets that were passed over, remind of the others, decline what is overdue.

    A purchase passes over a ticket of which something was heard; the look at it releases it, except
    where that look never comes to an end.
    """
    held = bridge.db.read(incidents.held)
    able = bridge.db.read(partial(_able_to_pay, bridge=bridge, held=held))
    released = sum(bridge.db.write(partial(_release, bridge=bridge, account_id=i)) for i in able)
    if released:
        bridge.wake.call()
    return released + _each(bridge, held, _hold)


def _each(bridge: Bridge, found: Sequence[Stored], step: Callable[..., bool]) -> int:
    """Look at each incident again in a transaction of its own; how many changed."""
    changed = 0
    for stored in found:
        incident_id = stored.id
        changed += bridge.db.write(partial(step, bridge=bridge, incident_id=incident_id))
    if changed:
        bridge.wake.call()
    return changed


def _watch(conn: Connection, bridge: Bridge, incident_id: int) -> bool:
    stored = incidents.by_id(conn, incident_id)
    clock = stored.incident.clock
    now = bridge.now()
    state = watched(clock, now) if clock else None
    if clock is None or state is None:
        return False
    changed = replace(stored.incident, clock=replace(clock, result=state))
    stored = replace(stored, incident=changed)
    incidents.save(conn, stored)
    writeback.owe_clock(conn, bridge, stored, now)
    return True


def _able_to_pay(conn: Connection, bridge: Bridge, held: Sequence[Stored]) -> list[int]:
    """Whose tickets are worth a transaction: most accounts that wait have no points."""
    waiting = sorted({stored.account_id for stored in held})
    now, price = bridge.now(), bridge.terms.price
    return [one for one in waiting if holdings.on_hand(conn, one, now) >= price]


def _release(conn: Connection, bridge: Bridge, account_id: int) -> int:
    return len(release_held(conn, bridge, accounts.by_id(conn, account_id)))


def _hold(conn: Connection, bridge: Bridge, incident_id: int) -> bool:
    stored = incidents.by_id(conn, incident_id)
    held_at = stored.incident.held_at
    if held_at is None or stored.incident.state is not PointsState.AWAITING_POINTS:
        return False
    now, ticket = bridge.now(), (stored.helpdesk, stored.ticket_id)
    unread = inbox.is_unread(conn, *ticket)
    if hold_is_over(held_at, now, bridge.terms):
        paid = holdings.on_hand(conn, stored.account_id, now) >= bridge.terms.price
        # Points that came in time are left to the look that is still to come.
        if unread and paid and not inbox.is_missing(conn, *ticket):
            return False
        decline_held(conn, bridge, stored)
        return True
    if unread:
        return False
    sent = incidents.reminded_day(conn, incident_id)
    day = reminder_due(held_at, sent, now, bridge.terms)
    if day is None:
        return False
    incidents.set_reminded(conn, incident_id, day)
    writeback.owe_reminder(conn, bridge, stored, day, now)
    return True

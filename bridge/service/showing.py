"""What accounts have, shown on the organisations' records in the helpdesks."""

from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection

from bridge.errors import BridgeError, HelpdeskUnavailable
from bridge.ledger import accounts, displays
from bridge.ledger.displays import Stale
from bridge.service import writeback
from bridge.service.core import Bridge, Helpdesk
from bridge.ticket import AccountFields

log = structlog.get_logger(__name__)

#: Records that one run writes in a helpdesk: calls are shared with what tickets need.
_BATCH = 20
#: Vendors take few updates of one record in a minute; this makes five at most.
_SPACING = timedelta(seconds=12)
#: Somebody may type over what is shown; after this it is written anew whatever it shows.
_REFRESH = timedelta(days=1)
_AFTER_AN_OUTAGE = timedelta(minutes=1)
_AFTER_A_REFUSAL = timedelta(hours=1)


def show_accounts(bridge: Bridge) -> int:
    """Write the records that show something else than the ledger says. Returns how many.

    A display, never truth: what fails is tried again later, and no dead letter comes of it.
    """
    return sum(
        _show_all(bridge, helpdesk)
        for helpdesk in bridge.helpdesks.values()
        if helpdesk.adapter.shows_accounts
    )


def _show_all(bridge: Bridge, helpdesk: Helpdesk) -> int:
    due = bridge.db.read(
        lambda conn: displays.stale(conn, helpdesk.name, bridge.now(), limit=_BATCH)
    )
    for count, record in enumerate(due):
        try:
            _show(bridge, helpdesk, record)
        except HelpdeskUnavailable as error:
            wait = timedelta(seconds=error.retry_after or _AFTER_AN_OUTAGE.total_seconds())
            _note_failure(bridge, record, error, wait)
            return count
        except BridgeError as error:
            _note_failure(bridge, record, error, _AFTER_A_REFUSAL)
    return len(due)


def _show(bridge: Bridge, helpdesk: Helpdesk, record: Stale) -> None:
    fields, stale_at = bridge.db.read(lambda conn: _fields(conn, bridge, record))
    helpdesk.adapter.show_account(record.customer_ref, fields)
    next_at = bridge.now() + _SPACING
    bridge.db.write(lambda conn: displays.written(conn, record, stale_at=stale_at, next_at=next_at))


def _fields(conn: Connection, bridge: Bridge, record: Stale) -> tuple[AccountFields, datetime]:
    """What to show, and until when that will be so if nothing is booked."""
    now = bridge.now()
    account = accounts.by_id(conn, record.account_id)
    fields, expires_at = writeback.account_fields(conn, bridge, account, now)
    return fields, min(now + _REFRESH, expires_at or now + _REFRESH)


def _note_failure(bridge: Bridge, record: Stale, error: BridgeError, wait: timedelta) -> None:
    problem, next_at = str(error), bridge.now() + wait
    log.warning("an account is not shown", record=record.customer_ref, error=problem)
    bridge.db.write(lambda conn: displays.failed(conn, record, problem, next_at))

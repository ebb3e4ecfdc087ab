"""The inbox: deliveries that were verified and stored, until their ticket was looked at."""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, select

from bridge.database.schema import inbox
from bridge.database.upsert import insert
from bridge.queues.rows import DEAD, QUEUED, claim
from bridge.ticket import Delivery, HttpDelivery

_TELLING_HEADERS = frozenset({"content-type", "content-length", "user-agent"})
_MISSING = "look for what was missing"


@dataclass(frozen=True, slots=True)
class Leased:
    """The deliveries of one ticket, leased together; `delivery_id` is the first one's."""

    ids: tuple[int, ...]
    helpdesk: str
    ticket_id: str
    delivery_id: str


def store(
    conn: Connection,
    helpdesk: str,
    http: HttpDelivery,
    delivery: Delivery,
    *,
    unread: str | None = None,
) -> bool:
    """Keep a verified delivery. False: it is a repetition of one that is kept already.

    `unread` says why the body could not be understood: it is kept as a dead letter.
    """
    row = {
        "helpdesk": helpdesk,
        "delivery_id": delivery.id,
        "ticket_id": delivery.ticket_id or None,
        "event": delivery.event,
        "headers": _telling(http.headers),
        "body": http.body,
        "body_sha256": hashlib.sha256(http.body).hexdigest(),
        "received_at": http.received_at,
        "state": DEAD if unread else QUEUED,
        "next_at": http.received_at,
        "outcome": unread,
    }
    result = conn.execute(
        insert(conn, inbox)
        .values(**row)
        .on_conflict_do_nothing(index_elements=["helpdesk", "delivery_id"])
    )
    return result.rowcount == 1


def look(
    conn: Connection,
    helpdesk: str,
    ticket_id: str,
    why: str,
    at: datetime,
    *,
    missing: bool = False,
) -> None:
    """Ask for a look at a ticket, from `at` on (UTC), of which nothing need have been heard.

    Asking again with the same `why`, which names what the look is for, changes nothing. `missing`:
    the helpdesk did not show the ticket.
    """
    asked = Delivery(id=f"look:{why}", ticket_id=ticket_id, event=_MISSING if missing else "look")
    store(conn, helpdesk, HttpDelivery({}, b"", at), asked)


def is_missing(conn: Connection, helpdesk: str, ticket_id: str) -> bool:
    """Whether the helpdesk did not show a ticket, and it is to be looked for again."""
    mine = and_(inbox.c.helpdesk == helpdesk, inbox.c.ticket_id == ticket_id)
    again = and_(mine, inbox.c.state == QUEUED, inbox.c.event == _MISSING)
    return conn.scalar(select(inbox.c.id).where(again).limit(1)) is not None


def is_unread(
    conn: Connection, helpdesk: str, ticket_id: str, handled: Collection[int] = ()
) -> bool:
    """Whether something was heard of a ticket that nobody has looked at yet.

    Not counted are the rows `handled`, which the caller's look answers, and dead letters, which
    wait for an admin and not for us.
    """
    mine = and_(inbox.c.helpdesk == helpdesk, inbox.c.ticket_id == ticket_id)
    waiting = and_(mine, inbox.c.state == QUEUED, inbox.c.id.not_in(handled))
    return conn.scalar(select(inbox.c.id).where(waiting).limit(1)) is not None


def claim_ticket(conn: Connection, now: datetime) -> Leased | None:
    """Lease every queued delivery of the ticket that has waited longest; None: there is none."""
    rows = claim(conn, "inbox", now, whole_ticket=True)
    if not rows:
        return None
    first = rows[0]
    ids = tuple(row.id for row in rows)
    return Leased(ids, first.helpdesk, first.ticket_id, first.delivery_id)


def _telling(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that may help to understand a delivery: none that carry a password."""
    return {
        name: value
        for name, value in headers.items()
        if name in _TELLING_HEADERS or name.startswith("x-")
    }

"""Inbox and outbox: work that is owed, one ticket at a time, in order, until it is done or parked.

Both tables have the same life: queued, leased, then done; or queued again with a wait; or dead, for
an admin to replay or to discard with a reason. A lease that runs out makes the work claimable
again, so a killed worker loses nothing. The rows of one ticket are never worked on by two workers.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Row, Table, and_, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from bridge.database.schema import inbox, outbox
from bridge.errors import BadRequest
from bridge.policy.retries import wait_before_retry
from bridge.ticket import Delivery, HttpDelivery

#: Longer than any call to a helpdesk may take; after it the work is taken for abandoned.
LEASE = timedelta(minutes=5)

_TELLING_HEADERS = frozenset({"content-type", "content-length", "user-agent"})

QUEUED, DONE, DEAD, DISCARDED = "queued", "done", "dead", "discarded"
QueueName = Literal["inbox", "outbox"]
_TABLES: dict[str, Table] = {"inbox": inbox, "outbox": outbox}


@dataclass(frozen=True, slots=True)
class Letter:
    """A row of a queue, as an admin sees it."""

    queue: str
    id: int
    helpdesk: str
    ticket_id: str | None
    what: str
    state: str
    attempts: int
    stored_at: datetime
    next_at: datetime
    outcome: str | None


def store_delivery(
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
    dialect = sqlite if conn.dialect.name == "sqlite" else postgresql
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
        dialect.insert(inbox)
        .values(**row)
        .on_conflict_do_nothing(index_elements=["helpdesk", "delivery_id"])
    )
    return result.rowcount == 1


def enqueue(
    conn: Connection,
    *,
    helpdesk: str,
    ticket_id: str,
    incident_id: int,
    dedupe_key: str,
    payload: dict[str, Any],
    now: datetime,
) -> None:
    """Owe a helpdesk a write. Repeating it with the same key changes nothing."""
    dialect = sqlite if conn.dialect.name == "sqlite" else postgresql
    row = {
        "helpdesk": helpdesk,
        "ticket_id": ticket_id,
        "incident_id": incident_id,
        "dedupe_key": dedupe_key,
        "payload": payload,
        "created_at": now,
        "state": QUEUED,
        "next_at": now,
    }
    conn.execute(
        dialect.insert(outbox).values(**row).on_conflict_do_nothing(index_elements=["dedupe_key"])
    )


def claim_deliveries(conn: Connection, now: datetime) -> list[Row[Any]]:
    """Lease every queued delivery of the ticket that has waited longest; [] when there is none."""
    first = conn.execute(_claimable(inbox, now).limit(1)).one_or_none()
    if first is None:
        return []
    same = and_(
        inbox.c.helpdesk == first.helpdesk,
        inbox.c.ticket_id == first.ticket_id,
        inbox.c.state == QUEUED,
    )
    return _lease(conn, inbox, same, now)


def claim_write(conn: Connection, now: datetime) -> Row[Any] | None:
    """Lease the next write-back: the oldest one of its ticket, so that they arrive in order."""
    earlier = outbox.alias("earlier")
    overtakes = (
        select(earlier.c.id)
        .where(
            earlier.c.helpdesk == outbox.c.helpdesk,
            earlier.c.ticket_id == outbox.c.ticket_id,
            earlier.c.state == QUEUED,
            earlier.c.id < outbox.c.id,
        )
        .exists()
    )
    first = conn.execute(_claimable(outbox, now).where(~overtakes).limit(1)).one_or_none()
    return _lease(conn, outbox, outbox.c.id == first.id, now)[0] if first else None


def finish(
    conn: Connection, queue: QueueName, ids: Sequence[int], outcome: str, now: datetime
) -> None:
    """The work is done. A delivery's body is forgotten: it holds what customers wrote."""
    table = _TABLES[queue]
    values: dict[str, Any] = {"state": DONE, "finished_at": now, "outcome": outcome}
    if table is inbox:
        values |= {"body": None}
    conn.execute(update(table).where(table.c.id.in_(ids)).values(leased_until=None, **values))


def postpone(
    conn: Connection,
    queue: QueueName,
    ids: Sequence[int],
    *,
    error: str,
    retry_after: float | None,
    jitter: float,
    now: datetime,
) -> None:
    """The attempt failed and may succeed later: queue it again, or park what failed for days."""
    table = _TABLES[queue]
    for row in conn.execute(select(table).where(table.c.id.in_(ids))):
        stored_at = row.received_at if table is inbox else row.created_at
        wait = wait_before_retry(row.attempts, now - stored_at, retry_after, jitter)
        if wait is None:
            bury(conn, queue, [row.id], error=error, now=now)
            continue
        values = {"leased_until": None, "next_at": now + wait, "outcome": error}
        conn.execute(update(table).where(table.c.id == row.id).values(**values))


def bury(
    conn: Connection, queue: QueueName, ids: Sequence[int], *, error: str, now: datetime
) -> None:
    """Park what cannot succeed as it is, for an admin to look at."""
    table = _TABLES[queue]
    values = {"state": DEAD, "leased_until": None, "finished_at": now, "outcome": error}
    conn.execute(update(table).where(table.c.id.in_(ids)).values(**values))


def replay(conn: Connection, queue: QueueName, letter_id: int, now: datetime) -> None:
    """Queue a dead letter again.

    Raises:
        BadRequest: it is not dead, or does not say which ticket it is about.
    """
    row = _dead(conn, queue, letter_id)
    if row.ticket_id is None:
        raise BadRequest(f"{queue} {letter_id} names no ticket that could be looked at; discard it")
    table = _TABLES[queue]
    values = {"state": QUEUED, "next_at": now, "finished_at": None}
    conn.execute(update(table).where(table.c.id == letter_id).values(**values))


def replay_all(conn: Connection, now: datetime) -> int:
    """Queue every dead letter again that says which ticket it is about; how many."""
    values = {"state": QUEUED, "next_at": now, "finished_at": None}
    return sum(
        conn.execute(
            update(table)
            .where(table.c.state == DEAD, table.c.ticket_id.is_not(None))
            .values(**values)
        ).rowcount
        for table in _TABLES.values()
    )


def discard(conn: Connection, queue: QueueName, letter_id: int, reason: str, now: datetime) -> None:
    """Put a dead letter aside for good, with the reason on record.

    Raises:
        BadRequest: it is not dead, or no reason is given.
    """
    if not reason.strip():
        raise BadRequest("say why it is discarded: the reason stays on record")
    row = _dead(conn, queue, letter_id)
    table = _TABLES[queue]
    outcome = f"discarded: {reason.strip()} (was: {row.outcome})"
    values: dict[str, Any] = {"state": DISCARDED, "finished_at": now, "outcome": outcome}
    if table is inbox:
        values |= {"body": None}
    conn.execute(update(table).where(table.c.id == letter_id).values(**values))


def letters(conn: Connection, *, state: str | None = None) -> list[Letter]:
    """Rows of both queues, oldest first: those in one state, or all that are not done."""
    found = []
    for queue, table in _TABLES.items():
        wanted = table.c.state == state if state else table.c.state != DONE
        rows = conn.execute(select(table).where(wanted).order_by(table.c.id))
        found += [_letter(queue, row) for row in rows]
    return found


def letter(conn: Connection, queue: QueueName, letter_id: int) -> tuple[Letter, dict[str, Any]]:
    """One row, and what it carries (a payload, or a delivery's headers and the size of its body).

    Raises:
        BadRequest: there is no such row.
    """
    row = _row(conn, queue, letter_id)
    if queue == "outbox":
        return _letter(queue, row), dict(row.payload)
    carried = {
        "headers": row.headers,
        "body_bytes": len(row.body or b""),
        "sha256": row.body_sha256,
    }
    return _letter(queue, row), carried


def backlog(conn: Connection) -> dict[str, dict[str, int]]:
    """How many rows are in which state, for each queue."""
    counts: dict[str, dict[str, int]] = {}
    for queue, table in _TABLES.items():
        rows = conn.execute(select(table.c.state, func.count()).group_by(table.c.state))
        counts[queue] = {state: count for state, count in rows}  # noqa: C416 - dict() would lose the types
    return counts


def about(conn: Connection, helpdesk: str, ticket_id: str) -> list[Letter]:
    """Everything in both queues about one ticket, done or not."""
    return [
        _letter(queue, row)
        for queue, table in _TABLES.items()
        for row in conn.execute(
            select(table)
            .where(table.c.helpdesk == helpdesk, table.c.ticket_id == ticket_id)
            .order_by(table.c.id)
        )
    ]


def _telling(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that may help to understand a delivery: none that carry a password."""
    return {
        name: value
        for name, value in headers.items()
        if name in _TELLING_HEADERS or name.startswith("x-")
    }


def _claimable(table: Table, now: datetime) -> Any:
    other = table.alias("other")
    busy = (
        select(other.c.id)
        .where(
            other.c.helpdesk == table.c.helpdesk,
            other.c.ticket_id == table.c.ticket_id,
            other.c.state == QUEUED,
            other.c.leased_until > now,
        )
        .exists()
    )
    due = and_(table.c.state == QUEUED, table.c.next_at <= now, ~busy)
    return select(table).where(due).order_by(table.c.id).with_for_update(skip_locked=True)


def _lease(
    conn: Connection, table: Table, which: ColumnElement[bool], now: datetime
) -> list[Row[Any]]:
    values = {"leased_until": now + LEASE, "attempts": table.c.attempts + 1}
    free = or_(table.c.leased_until.is_(None), table.c.leased_until <= now)
    rows = conn.execute(update(table).where(which, free).values(**values).returning(*table.c))
    return sorted(rows, key=lambda row: row.id)


def _row(conn: Connection, queue: QueueName, letter_id: int) -> Row[Any]:
    table = _TABLES[queue]
    row = conn.execute(select(table).where(table.c.id == letter_id)).one_or_none()
    if row is None:
        raise BadRequest(
            f"there is no {queue} {letter_id}; `points-bridge deliveries list` lists them"
        )
    return row


def _dead(conn: Connection, queue: QueueName, letter_id: int) -> Row[Any]:
    row = _row(conn, queue, letter_id)
    if row.state != DEAD:
        raise BadRequest(f"{queue} {letter_id} is {row.state}, not dead: nothing to do")
    return row


def _letter(queue: str, row: Row[Any]) -> Letter:
    stored_at = row.received_at if queue == "inbox" else row.created_at
    what = row.event if queue == "inbox" else row.dedupe_key
    return Letter(
        queue,
        row.id,
        row.helpdesk,
        row.ticket_id,
        what,
        row.state,
        row.attempts,
        stored_at,
        row.next_at,
        row.outcome,
    )

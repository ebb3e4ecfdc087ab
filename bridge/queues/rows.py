"""What the rows of both queues have in common: leases, retries, dead letters. Nobody else leases.

A ticket is the unit of a lease: whoever holds a row of it holds the ticket in that queue. Before a
lease is given, all the ticket's queued rows are locked in the order of their ids, so that of two
workers the second one waits, and then sees the first one's lease (the lock is a no-op in SQLite,
which has one writer).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Row, Table, and_, func, select, update

from bridge.database.schema import inbox, outbox
from bridge.errors import BadRequest
from bridge.policy.retries import wait_before_retry

#: Longer than any call to a helpdesk may take; after it the work is taken for abandoned.
LEASE = timedelta(minutes=5)

QUEUED, DONE, DEAD, DISCARDED = "queued", "done", "dead", "discarded"
QueueName = Literal["inbox", "outbox"]
_TABLES: dict[str, Table] = {"inbox": inbox, "outbox": outbox}
UNSENT = "left to the write behind it"
"""The outcome of a write for which no helpdesk was called."""

DENIALS = frozenset({401, 403})
"""Answers to credentials that are wrong, or lack a right."""

#: How long such an answer is believed where nothing else is heard: who is not ready may be sent no
#: webhook, and then never calls.
LATELY = timedelta(minutes=15)
#: Tickets that are tried when others take them first.
_CANDIDATES = 8


@dataclass(frozen=True, slots=True)
class QueueRow:
    """A row of a queue, as an admin sees it. `what` is a delivery's event, or a write's kind."""

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


def claim(
    conn: Connection, queue: QueueName, now: datetime, *, whole_ticket: bool
) -> list[Row[Any]]:
    """Lease the work that has waited longest and is due; [] when there is none.

    All the queued rows of its ticket, or with `whole_ticket` False the first of them alone. A row
    that names no ticket is a dead letter from the start, and never queued.
    """
    table = _TABLES[queue]
    due = and_(table.c.state == QUEUED, table.c.next_at <= now, ~_leased(table, now))
    if not whole_ticket:
        due = and_(due, ~_would_overtake(table))
    candidates = select(table).where(due).order_by(table.c.id).limit(_CANDIDATES)
    for first in conn.execute(candidates).all():
        rows = conn.execute(
            select(table)
            .where(_of_same_ticket(table, first))
            .order_by(table.c.id)
            .with_for_update()
        ).all()
        if rows and not any(row.leased_until and row.leased_until > now for row in rows):
            return _lease(conn, table, [row.id for row in rows[: None if whole_ticket else 1]], now)
    return []


def end_leases(conn: Connection) -> int:
    """Give up every lease; how many. Only for who knows that nobody else works on this database."""
    return sum(
        conn.execute(
            update(table)
            .where(table.c.state == QUEUED, table.c.leased_until.is_not(None))
            .values(leased_until=None)
        ).rowcount
        for table in _TABLES.values()
    )


def finish(
    conn: Connection, queue: QueueName, ids: Sequence[int], outcome: str, now: datetime
) -> None:
    """The work is done. A delivery's body is forgotten: it holds what customers wrote."""
    _end(conn, queue, ids, DONE, outcome, now)


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
    for row in conn.execute(select(table).where(table.c.id.in_(ids))).all():
        wait = wait_before_retry(row.attempts, now - _stored_at(queue, row), retry_after, jitter)
        if wait is None:
            bury(conn, queue, [row.id], error=error, now=now)
            continue
        values = {"leased_until": None, "next_at": now + wait, "outcome": error}
        conn.execute(update(table).where(table.c.id == row.id).values(**values))


def bury(
    conn: Connection,
    queue: QueueName,
    ids: Sequence[int],
    *,
    error: str,
    now: datetime,
    status: int | None = None,
) -> None:
    """Park what cannot succeed as it is, for an admin to look at; `status` as of the refusal."""
    table = _TABLES[queue]
    values: dict[str, Any] = {"state": DEAD, "leased_until": None, "finished_at": now}
    values |= {"outcome": error, "denied": status if status in DENIALS else None}
    conn.execute(update(table).where(table.c.id.in_(ids)).values(**values))


def replay(conn: Connection, queue: QueueName, row_id: int, now: datetime) -> None:
    """Queue a dead letter again.

    Raises:
        BadRequest: it is not dead, or does not say which ticket it is about.
    """
    row = _dead(conn, queue, row_id)
    if row.ticket_id is None:
        raise BadRequest(f"{queue} {row_id} names no ticket that could be looked at; discard it")
    table = _TABLES[queue]
    values = {"state": QUEUED, "next_at": now, "finished_at": None}
    conn.execute(update(table).where(table.c.id == row_id).values(**values))


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


def discard(conn: Connection, queue: QueueName, row_id: int, reason: str, now: datetime) -> None:
    """Put a dead letter aside for good, with the reason on record.

    Raises:
        BadRequest: it is not dead, or no reason is given.
    """
    if not reason.strip():
        raise BadRequest("say why it is discarded: the reason stays on record")
    row = _dead(conn, queue, row_id)
    outcome = f"discarded: {reason.strip()} (was: {row.outcome})"
    _end(conn, queue, [row_id], DISCARDED, outcome, now)


def listed(conn: Connection, *, state: str | None = None) -> list[QueueRow]:
    """Rows of both queues, oldest first: those in one state, or all that are not done."""
    found = []
    for queue, table in _TABLES.items():
        wanted = table.c.state == state if state else table.c.state != DONE
        rows = conn.execute(select(table).where(wanted).order_by(table.c.id))
        found += [_as_seen(queue, row) for row in rows]
    return found


def details(conn: Connection, queue: QueueName, row_id: int) -> tuple[QueueRow, dict[str, Any]]:
    """One row, and what it carries (a payload, or a delivery's headers and the size of its body).

    Raises:
        BadRequest: there is no such row.
    """
    row = _row(conn, queue, row_id)
    if queue == "outbox":
        return _as_seen(queue, row), dict(row.payload)
    carried = {
        "headers": row.headers,
        "body_bytes": len(row.body or b""),
        "sha256": row.body_sha256,
    }
    return _as_seen(queue, row), carried


def backlog(conn: Connection) -> dict[str, dict[str, int]]:
    """How many rows are in which state, for each queue."""
    counts: dict[str, dict[str, int]] = {}
    for queue, table in _TABLES.items():
        rows = conn.execute(select(table.c.state, func.count()).group_by(table.c.state))
        counts[queue] = {state: count for state, count in rows}  # noqa: C416 - dict() would lose the types
    return counts


def denied(conn: Connection, now: datetime) -> dict[str, int]:
    """Which helpdesks lately took our credentials for wrong, with the status, and nothing since.

    What the worker met, in whatever process: the helpdesk is not asked.
    """
    recent = [
        row
        for table in _TABLES.values()
        for row in conn.execute(
            select(table.c.helpdesk, table.c.finished_at, table.c.denied)
            .where(table.c.state == DEAD, table.c.denied.is_not(None))
            .where(table.c.finished_at >= now - LATELY)
        )
    ]
    last = {row.helpdesk: row for row in sorted(recent, key=lambda row: row.finished_at)}
    return {
        name: row.denied for name, row in last.items() if not _served(conn, name, row.finished_at)
    }


def _served(conn: Connection, helpdesk: str, since: datetime) -> bool:
    """Whether a call to that helpdesk has worked after that instant."""
    return any(
        conn.execute(
            select(table.c.id)
            .where(table.c.helpdesk == helpdesk, table.c.state == DONE)
            .where(table.c.finished_at > since, table.c.outcome != UNSENT)
            .limit(1)
        ).first()
        for table in _TABLES.values()
    )


def unreadable(conn: Connection) -> int:
    """How many dead letters name no ticket, so that they cannot be replayed."""
    query = select(func.count()).where(inbox.c.state == DEAD, inbox.c.ticket_id.is_(None))
    return conn.execute(query).scalar_one()


def oldest_queued(conn: Connection) -> datetime | None:
    """Since when the oldest work that is owed has waited (UTC); None where nothing is."""
    stored = ((inbox, inbox.c.received_at), (outbox, outbox.c.created_at))
    found = [
        conn.scalar(select(func.min(stored_at)).where(table.c.state == QUEUED))
        for table, stored_at in stored
    ]
    return min((at for at in found if at), default=None)


def about(conn: Connection, helpdesk: str, ticket_id: str) -> list[QueueRow]:
    """Everything in both queues about one ticket, done or not."""
    return [
        _as_seen(queue, row)
        for queue, table in _TABLES.items()
        for row in conn.execute(
            select(table)
            .where(table.c.helpdesk == helpdesk, table.c.ticket_id == ticket_id)
            .order_by(table.c.id)
        )
    ]


def _of_same_ticket(table: Table, row: Row[Any]) -> ColumnElement[bool]:
    """The queued rows that one worker at a time may hold, by one of them."""
    return and_(
        table.c.helpdesk == row.helpdesk,
        table.c.ticket_id == row.ticket_id,
        table.c.state == QUEUED,
    )


def _leased(table: Table, now: datetime) -> ColumnElement[bool]:
    """A row of the same ticket is in somebody's hands, this one or another."""
    other = table.alias("other")
    mine = and_(other.c.helpdesk == table.c.helpdesk, other.c.ticket_id == table.c.ticket_id)
    held = and_(other.c.state == QUEUED, other.c.leased_until > now)
    return select(other.c.id).where(mine, held).exists()


def _would_overtake(table: Table) -> ColumnElement[bool]:
    """An earlier row of the same ticket waits, so that writes arrive in order."""
    earlier = table.alias("earlier")
    return (
        select(earlier.c.id)
        .where(
            earlier.c.helpdesk == table.c.helpdesk,
            earlier.c.ticket_id == table.c.ticket_id,
            earlier.c.state == QUEUED,
            earlier.c.id < table.c.id,
        )
        .exists()
    )


def _lease(conn: Connection, table: Table, ids: Sequence[int], now: datetime) -> list[Row[Any]]:
    values = {"leased_until": now + LEASE, "attempts": table.c.attempts + 1}
    mine = update(table).where(table.c.id.in_(ids)).values(**values)
    return sorted(conn.execute(mine.returning(*table.c)), key=lambda row: row.id)


def _end(
    conn: Connection, queue: QueueName, ids: Sequence[int], state: str, outcome: str, now: datetime
) -> None:
    table = _TABLES[queue]
    values: dict[str, Any] = {"state": state, "finished_at": now, "outcome": outcome}
    if table is inbox:
        values |= {"body": None}
    conn.execute(update(table).where(table.c.id.in_(ids)).values(leased_until=None, **values))


def _row(conn: Connection, queue: QueueName, row_id: int) -> Row[Any]:
    table = _TABLES[queue]
    row = conn.execute(select(table).where(table.c.id == row_id)).one_or_none()
    if row is None:
        raise BadRequest(f"there is no {queue} {row_id}; `points-bridge queues list` lists them")
    return row


def _dead(conn: Connection, queue: QueueName, row_id: int) -> Row[Any]:
    row = _row(conn, queue, row_id)
    if row.state != DEAD:
        raise BadRequest(f"{queue} {row_id} is {row.state}, not dead: nothing to do")
    return row


def _stored_at(queue: str, row: Row[Any]) -> datetime:
    at: datetime = row.received_at if queue == "inbox" else row.created_at
    return at


def _as_seen(queue: str, row: Row[Any]) -> QueueRow:
    return QueueRow(
        queue=queue,
        id=row.id,
        helpdesk=row.helpdesk,
        ticket_id=row.ticket_id,
        what=row.event if queue == "inbox" else row.dedupe_key,
        state=row.state,
        attempts=row.attempts,
        stored_at=_stored_at(queue, row),
        next_at=row.next_at,
        outcome=row.outcome,
    )

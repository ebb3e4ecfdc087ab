"""Which customer records in a helpdesk show something else than the ledger says.

Nothing is queued: a record is stale when its account has a booking that it was not written after,
when time alone has changed what is on hand, or when it was last written long ago (somebody may have
typed over it). However many bookings there were meanwhile, it takes one write.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, func, or_, select

from bridge.database.schema import displays, links, txs
from bridge.database.upsert import insert

_ORGANIZATIONS = "organization:%"


@dataclass(frozen=True, slots=True)
class Stale:
    """A customer record to be written; `tx_id` is its account's latest booking at this moment."""

    helpdesk: str
    customer_ref: str
    account_id: int
    tx_id: int


def stale(conn: Connection, helpdesk: str, now: datetime, limit: int) -> list[Stale]:
    """The organisations of a helpdesk that are to be written now, those that waited longest first.

    People's records are left alone: what they have is on their tickets.
    """
    latest = (
        select(func.coalesce(func.max(txs.c.id), 0))
        .where(txs.c.account_id == links.c.account_id)
        .scalar_subquery()
    )
    same = and_(
        displays.c.helpdesk == links.c.helpdesk, displays.c.customer_ref == links.c.customer_ref
    )
    outdated = or_(
        displays.c.account_id.is_(None),
        displays.c.account_id != links.c.account_id,
        displays.c.tx_id != latest,
        displays.c.stale_at <= now,
    )
    query = (
        select(links.c.helpdesk, links.c.customer_ref, links.c.account_id, latest.label("tx_id"))
        .select_from(links)
        .join(displays, same, isouter=True)
        .where(links.c.helpdesk == helpdesk, links.c.customer_ref.like(_ORGANIZATIONS))
        .where(outdated, or_(displays.c.next_at.is_(None), displays.c.next_at <= now))
        .order_by(displays.c.next_at.is_not(None), displays.c.next_at, links.c.customer_ref)
        .limit(limit)
    )
    return [Stale(*row) for row in conn.execute(query)]


def written(conn: Connection, record: Stale, *, stale_at: datetime, next_at: datetime) -> None:
    """The record was written as of `record.tx_id`.

    Args:
        conn: of the transaction.
        record: what `stale` gave.
        stale_at: when it will be wrong although nothing is booked (UTC).
        next_at: before this instant it is not written again (UTC).
    """
    _store(conn, record, {"tx_id": record.tx_id, "stale_at": stale_at, "problem": None}, next_at)


def failed(conn: Connection, record: Stale, problem: str, next_at: datetime) -> None:
    """The record could not be written, and will be tried again at that instant (UTC)."""
    _store(conn, record, {"tx_id": -1, "stale_at": next_at, "problem": problem}, next_at)


def problems(conn: Connection, helpdesks: Iterable[str]) -> dict[str, list[str]]:
    """Why records could not be written at the last attempt, one reason a record, by helpdesk."""
    query = select(displays.c.helpdesk, displays.c.problem).where(
        displays.c.problem.is_not(None), displays.c.helpdesk.in_(list(helpdesks))
    )
    found: dict[str, list[str]] = {}
    for helpdesk, problem in conn.execute(query.order_by(displays.c.next_at.desc())):
        found.setdefault(helpdesk, []).append(problem)
    return found


def _store(conn: Connection, record: Stale, values: dict[str, object], next_at: datetime) -> None:
    change = {"account_id": record.account_id, "next_at": next_at, **values}
    key = {"helpdesk": record.helpdesk, "customer_ref": record.customer_ref}
    conn.execute(
        insert(conn, displays)
        .values(**key, **change)
        .on_conflict_do_update(index_elements=list(key), set_=change)
    )

"""What an account has, and how it came to that. Reads only.

Expired points are never counted, booked as such or not.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import accumulate
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, case, func, select

from bridge.database.schema import accounts, entries, incidents, lots, txs
from bridge.policy.points import Lot


@dataclass(frozen=True, slots=True)
class LotLine:
    """A lot with points left, as people know it. `expires_at` is UTC, exclusive."""

    reference: str
    kind: str
    points: int
    remaining: int
    purchased_on: date
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class PurchaseLine:
    """A purchase, and what is left of it. `expires_at` is UTC, exclusive."""

    reference: str
    account: str
    points: int
    remaining: int
    purchased_on: date
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One entry of an account, and its balance after it.

    `reference` is the payment's, and `purchased_on` and `expires_at` (UTC, exclusive) are its
    lot's; `helpdesk` and `ticket_number` are None where no incident is concerned. `at` is UTC.
    `entry_id` is None for points that have expired and are not booked so yet.
    """

    entry_id: int | None
    at: datetime
    kind: str
    points: int
    balance: int
    source: str
    reference: str
    purchased_on: date
    expires_at: datetime
    helpdesk: str | None
    ticket_number: str | None
    actor: str
    reason: str


def live_lots(conn: Connection, account_id: int) -> tuple[Lot, ...]:
    """The lots of an account that have points left: also those expired but not yet booked so."""
    query = select(lots).where(lots.c.account_id == account_id, lots.c.remaining > 0)
    return tuple(map(as_lot, conn.execute(query.order_by(lots.c.expires_at, lots.c.id))))


def usable_lots(conn: Connection, account_id: int, at: datetime) -> tuple[LotLine, ...]:
    """The lots that can be drawn on at an instant (UTC), next expiry first."""
    columns = [lots.c[name] for name in LotLine.__dataclass_fields__]
    query = select(*columns).where(
        lots.c.account_id == account_id,
        lots.c.remaining > 0,
        lots.c.usable_from <= at,
        lots.c.expires_at > at,
    )
    rows = conn.execute(query.order_by(lots.c.expires_at, lots.c.id)).mappings()
    return tuple(LotLine(**row) for row in rows)


def on_hand(conn: Connection, account_id: int, at: datetime) -> int:
    """The points that can be spent at an instant (UTC).

    The stored balance without the lots that are expired or not yet usable: few, and indexed, so
    it costs the same however long the account's history is.
    """
    left = select(func.coalesce(func.sum(lots.c.remaining), 0)).where(
        lots.c.account_id == account_id, lots.c.remaining > 0
    )
    expired = left.where(lots.c.expires_at <= at).scalar_subquery()
    later = left.where(lots.c.usable_from > at).scalar_subquery()
    query = select(accounts.c.balance - expired - later).where(accounts.c.id == account_id)
    return int(conn.execute(query).scalar_one())


def expired_unbooked(conn: Connection, account_id: int, at: datetime) -> int:
    """The points that have expired at an instant (UTC), which nobody has booked yet."""
    query = select(func.coalesce(func.sum(lots.c.remaining), 0)).where(_expired(account_id, at))
    return int(conn.execute(query).scalar_one())


def next_expiry(conn: Connection, account_id: int, at: datetime) -> tuple[datetime, int] | None:
    """When points on hand at an instant expire next (UTC, exclusive), and how many of them."""
    usable = and_(
        lots.c.account_id == account_id,
        lots.c.remaining > 0,
        lots.c.expires_at > at,
        lots.c.usable_from <= at,
    )
    query = (
        select(lots.c.expires_at, func.sum(lots.c.remaining))
        .where(usable)
        .group_by(lots.c.expires_at)
        .order_by(lots.c.expires_at)
        .limit(1)
    )
    row = conn.execute(query).one_or_none()
    return (row[0], int(row[1])) if row else None


def statement(conn: Connection, account_id: int, at: datetime) -> list[StatementLine]:
    """Every entry of an account in the order of booking, and what has expired at `at` unbooked.

    The last balance is what is `on_hand`, whether anybody has booked the expiries or not.
    """
    query = (
        select(
            entries.c.id.label("entry_id"),
            txs.c.at,
            txs.c.kind,
            entries.c.delta.label("points"),
            lots.c.source,
            lots.c.reference,
            lots.c.purchased_on,
            lots.c.expires_at,
            incidents.c.helpdesk,
            incidents.c.ticket_number,
            txs.c.actor,
            txs.c.reason,
        )
        .select_from(entries)
        .join(txs, txs.c.id == entries.c.tx_id)
        .join(lots, lots.c.id == entries.c.lot_id)
        .join(incidents, incidents.c.id == txs.c.incident_id, isouter=True)
        .where(txs.c.account_id == account_id)
        .order_by(entries.c.id)
    )
    booked = [dict(row) for row in conn.execute(query).mappings()]
    rows = [*booked, *_unbooked(conn, account_id, at)]
    balances = accumulate(row["points"] for row in rows)
    return [
        StatementLine(**row, balance=balance) for row, balance in zip(rows, balances, strict=True)
    ]


def _unbooked(conn: Connection, account_id: int, at: datetime) -> Iterator[dict[str, Any]]:
    query = select(lots).where(_expired(account_id, at))
    for lot in conn.execute(query.order_by(lots.c.expires_at, lots.c.id)):
        yield {
            "entry_id": None,
            "at": lot.expires_at,
            "kind": "expiry",
            "points": -lot.remaining,
            "source": lot.source,
            "reference": lot.reference,
            "purchased_on": lot.purchased_on,
            "expires_at": lot.expires_at,
            "helpdesk": None,
            "ticket_number": None,
            "actor": "bridge",
            "reason": "expired; not booked yet",
        }


def _expired(account_id: int, at: datetime) -> ColumnElement[bool]:
    return and_(lots.c.account_id == account_id, lots.c.remaining > 0, lots.c.expires_at <= at)


def purchases(conn: Connection, at: datetime, account_id: int | None = None) -> list[PurchaseLine]:
    """Every purchase, or those of one account, in the order of booking; what is left at `at`."""
    left = case((lots.c.expires_at > at, lots.c.remaining), else_=0)
    query = (
        select(
            lots.c.reference,
            accounts.c.ref.label("account"),
            lots.c.points,
            left,
            lots.c.purchased_on,
            lots.c.expires_at,
        )
        .join(accounts, accounts.c.id == lots.c.account_id)
        .where(lots.c.kind == "purchase")
        .order_by(lots.c.id)
    )
    if account_id is not None:
        query = query.where(lots.c.account_id == account_id)
    return [PurchaseLine(*row) for row in conn.execute(query)]


def references(conn: Connection, source: str) -> list[str]:
    """The references of all purchases that came from there."""
    mine = and_(lots.c.kind == "purchase", lots.c.source == source)
    return list(conn.scalars(select(lots.c.reference).where(mine).order_by(lots.c.id)))


def charged_points(conn: Connection, incident_id: int) -> int:
    """What an incident costs as things stand: its charge without what was credited."""
    query = (
        select(func.coalesce(-func.sum(entries.c.delta), 0))
        .join(txs, txs.c.id == entries.c.tx_id)
        .where(txs.c.incident_id == incident_id, txs.c.kind.in_(["charge", "credit"]))
    )
    return int(conn.execute(query).scalar_one())


def as_lot(row: Row[Any]) -> Lot:
    """A row of `lots` as policy sees it."""
    return Lot(row.id, row.remaining, row.purchased_on, row.usable_from, row.expires_at)

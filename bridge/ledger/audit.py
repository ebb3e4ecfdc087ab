"""The audit: reads the whole ledger afresh, and trusts neither its guards nor its stored sums."""

from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, not_, or_, select

from bridge.database import guards
from bridge.database.schema import accounts, entries, lots, txs

_Check = tuple[str, Select[Any]]


def _total(column: ColumnElement[int]) -> ColumnElement[int]:
    return func.coalesce(func.sum(column), 0)


def _lot_sums() -> _Check:
    booked = select(_total(entries.c.delta)).where(entries.c.lot_id == lots.c.id).scalar_subquery()
    return (
        "lot {id}: {remaining} of {points} points remain, but its entries add up to {booked}",
        select(lots.c.id, lots.c.remaining, lots.c.points, booked.label("booked")).where(
            or_(lots.c.remaining != booked, not_(lots.c.remaining.between(0, lots.c.points)))
        ),
    )


def _balances() -> _Check:
    held = select(_total(lots.c.remaining)).where(lots.c.account_id == accounts.c.id)
    in_lots = held.scalar_subquery()
    return (
        "account {ref!r}: the balance is {balance}, but its lots hold {held}",
        select(accounts.c.ref, accounts.c.balance, in_lots.label("held")).where(
            or_(accounts.c.balance != in_lots, accounts.c.balance < 0)
        ),
    )


def _amounts() -> _Check:
    moved = (
        select(_total(func.abs(entries.c.delta)))
        .where(entries.c.tx_id == txs.c.id)
        .scalar_subquery()
    )
    whole = txs.c.kind.in_(["purchase", "charge", "credit", "expiry"])
    return (
        "transaction {id} ({kind}): {points} points, but its entries move {moved}",
        select(txs.c.id, txs.c.kind, txs.c.points, moved.label("moved")).where(
            or_(moved > txs.c.points, and_(whole, moved != txs.c.points))
        ),
    )


def _strays() -> _Check:
    """Foreign keys may have been off, and accounts mixed."""
    query = (
        select(entries.c.id)
        .join(txs, and_(txs.c.id == entries.c.tx_id, txs.c.kind == entries.c.kind), isouter=True)
        .join(lots, lots.c.id == entries.c.lot_id, isouter=True)
        .join(accounts, accounts.c.id == lots.c.account_id, isouter=True)
        .where(or_(accounts.c.id.is_(None), txs.c.account_id.is_distinct_from(accounts.c.id)))
    )
    return "entry {id}: its transaction, lot and account do not belong together", query


def _validity() -> _Check:
    spent = and_(entries.c.delta < 0, txs.c.kind != "expiry")
    outside = or_(txs.c.valid_at < lots.c.usable_from, txs.c.valid_at >= lots.c.expires_at)
    early = and_(txs.c.kind == "expiry", txs.c.at < lots.c.expires_at)
    query = (
        select(entries.c.id, entries.c.lot_id, txs.c.kind)
        .join(txs, txs.c.id == entries.c.tx_id)
        .join(lots, lots.c.id == entries.c.lot_id)
        .where(or_(and_(spent, outside), early))
    )
    return "entry {id} ({kind}): took from lot {lot_id} at an instant when that cannot be", query


def _double_charges() -> _Check:
    query = (
        select(txs.c.incident_id, func.count().label("times"))
        .where(txs.c.kind == "charge")
        .group_by(txs.c.incident_id)
        .having(func.count() > 1)
    )
    return "incident {incident_id}: charged {times} times", query


def _excess_reversals() -> _Check:
    reversal = txs.alias()
    query = (
        select(txs.c.id, txs.c.points, func.sum(reversal.c.points).label("reversed"))
        .join(reversal, reversal.c.reverses_id == txs.c.id)
        .group_by(txs.c.id, txs.c.points)
        .having(func.sum(reversal.c.points) > txs.c.points)
    )
    return "transaction {id}: {reversed} of {points} points credited or refunded", query


_FIGURES = (
    "{issued} issued + {credited} credited + {adjusted} adjusted, but {consumed} consumed"
    " + {expired} expired + {refunded} refunded + {remaining} remaining"
)


def _of(kind: str) -> ColumnElement[int]:
    return _total(case((entries.c.kind == kind, entries.c.delta)))


def _figures() -> tuple[list[Any], ColumnElement[int]]:
    """The figures of the invariant, and what ought to remain by them."""
    figures = [
        _of("purchase").label("issued"),
        _of("credit").label("credited"),
        _of("adjustment").label("adjusted"),
        (-_of("charge")).label("consumed"),
        (-_of("expiry")).label("expired"),
        (-_of("refund")).label("refunded"),
    ]
    signed = [*figures[:3], *(-figure for figure in figures[3:])]
    return figures, sum(signed[1:], signed[0])


def _account_invariant() -> _Check:
    figures, expected = _figures()
    remaining = (
        select(_total(lots.c.remaining)).where(lots.c.account_id == accounts.c.id).scalar_subquery()
    )
    query = (
        select(accounts.c.ref, *figures, remaining.label("remaining"))
        .select_from(accounts)
        .join(txs, txs.c.account_id == accounts.c.id, isouter=True)
        .join(entries, entries.c.tx_id == txs.c.id, isouter=True)
        .group_by(accounts.c.id, accounts.c.ref)
        .having(expected != remaining)
    )
    return "account {ref!r}: " + _FIGURES, query


def _invariant() -> _Check:
    figures, expected = _figures()
    remaining = select(_total(lots.c.remaining)).scalar_subquery()
    query: Select[Any] = select(*figures, remaining.label("remaining")).having(
        expected != remaining
    )
    return "in all: " + _FIGURES, query


_CHECKS = (
    _lot_sums,
    _balances,
    _amounts,
    _strays,
    _validity,
    _double_charges,
    _excess_reversals,
    _account_invariant,
    _invariant,
)


def audit(conn: Connection) -> list[str]:
    """Everything that is wrong with the ledger, a sentence each; an empty list: it is sound.

    Reads every table from one end to the other. The invariant, per account and in all: issued +
    credited + adjusted = consumed + expired + refunded + remaining.
    """
    wrong = [f"the guard {name} is not in force" for name in guards.missing(conn)]
    for check in _CHECKS:
        sentence, query = check()
        wrong += [sentence.format_map(row) for row in conn.execute(query).mappings()]
    return wrong

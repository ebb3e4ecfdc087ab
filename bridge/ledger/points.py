"""Points: bought, charged, credited, expired.

Every function works within the caller's transaction and commits nothing. Points only move by an
inserted entry; the guards apply it to the lot and the account, and refuse what must not be. The
account's row is locked before its lots are read, so that two callers never pick the same points
(the lock is a no-op in SQLite, which has one writer).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import count
from typing import Any

from sqlalchemy import Connection, Row, and_, func, insert, or_, select

from bridge.database.schema import accounts, entries, lots, purchases, txs
from bridge.database.upsert import insert as upsert
from bridge.errors import BadRequest, LedgerBusy
from bridge.ledger.holdings import as_lot, references
from bridge.ledger.names import key, now_called
from bridge.policy.points import Slice, credit_expires_at, pick
from bridge.policy.terms import Terms

#: An expiry is booked this long after it: a first decision may still test points this far back.
#: The guards know the same number, so a setting can only shorten the look-back.
LOOK_BACK = Terms().look_back

_CREDIT_MARK = "#credit:"
_CANCEL = "cancel:lot:"


@dataclass(frozen=True, slots=True)
class Purchase:
    """A booked purchase; `created` is False when it had been booked before.

    The rest is as it was booked then; `expires_at` is UTC, exclusive.
    """

    lot_id: int
    points: int
    reference: str
    purchased_on: date
    expires_at: datetime
    created: bool


def book_purchase(
    conn: Connection,
    *,
    account_id: int,
    points: int,
    purchased_on: date,
    usable_from: datetime,
    expires_at: datetime,
    source: str,
    reference: str,
    actor: str,
    now: datetime,
) -> Purchase:
    """Put bought points on an account. Safe to repeat: see `booked`.

    `purchased_on` is the day in the account's zone. The points can be spent in [`usable_from`,
    `expires_at`), both UTC and frozen from now on.

    Raises:
        BadRequest: the reference is taken by another purchase, or the values make no sense.
        LedgerBusy: somebody else books the same reference at this moment. Repeat it.
    """
    _lock(conn, [account_id])
    own = {"source": source, "reference": reference}
    before = booked(conn, account_id=account_id, points=points, purchased_on=None, **own)
    if before:
        return before
    if points <= 0 or usable_from >= expires_at or not reference or _CREDIT_MARK in reference:
        raise BadRequest(
            f"a purchase needs points above 0 (not {points}), an expiry after {usable_from}, and a"
            f" reference without {_CREDIT_MARK!r}"
        )
    lot_id = _add_lot(
        conn,
        kind="purchase",
        account_id=account_id,
        points=points,
        purchased_on=purchased_on,
        usable_from=usable_from,
        expires_at=expires_at,
        **own,
    )
    known_as = upsert(conn, purchases).values(source=source, key=key(reference), lot_id=lot_id)
    if not conn.execute(known_as.on_conflict_do_nothing()).rowcount:
        raise LedgerBusy(f"{reference!r} is being booked by others; nothing was written")
    _book(
        conn,
        {lot_id: points},
        kind="purchase",
        dedupe_key=f"purchase:lot:{lot_id}",
        account_id=account_id,
        at=now,
        actor=actor,
        reason=f"bought: {reference}",
    )
    return Purchase(lot_id, points, reference, purchased_on, expires_at, created=True)


def booked(
    conn: Connection,
    *,
    account_id: int,
    points: int,
    purchased_on: date | None,
    source: str,
    reference: str,
) -> Purchase | None:
    """The purchase that was booked under a reference, or under what people take for the same.

    "A purchase has a reference (order, invoice, payment id), unique per source: the same purchase
    posted twice is one lot." `purchased_on` None: whichever day it was booked for.

    Raises:
        BadRequest: it is another purchase, or it was cancelled; says what differs.
    """
    lot = purchase_of(conn, source, reference)
    if lot is None:
        return None
    asked = (account_id, points, purchased_on or lot.purchased_on)
    if (lot.account_id, lot.points, lot.purchased_on) != asked:
        was, wanted = (
            (f" on {lot.purchased_on}", f" on {purchased_on}") if purchased_on else ("", "")
        )
        raise BadRequest(
            f"the reference {lot.reference!r} is booked already, with {lot.points} points for"
            f" {_called(conn, lot.account_id)}{was}; this asks for {points} points for"
            f" {_called(conn, account_id)}{wanted}"
        )
    if at := cancelled_at(conn, lot.id):
        raise BadRequest(
            f"the purchase {lot.reference!r} was cancelled on {at:%Y-%m-%d}; book another one under"
            " a reference of its own"
        )
    return Purchase(
        lot.id, lot.points, lot.reference, lot.purchased_on, lot.expires_at, created=False
    )


def purchase_of(conn: Connection, source: str, reference: str) -> Row[Any] | None:
    """The lot that was bought under a reference: letter by letter, else as people read it.

    Raises:
        BadRequest: it is a third spelling of what were two purchases before such were one.
    """
    mine = and_(lots.c.source == source, lots.c.reference == reference, lots.c.kind == "purchase")
    same = and_(purchases.c.source == source, purchases.c.key == key(reference))
    exact = conn.execute(select(lots).where(mine)).one_or_none()
    found = exact or conn.execute(select(lots).join(purchases).where(same)).one_or_none()
    if found and not exact:
        several = [one for one in references(conn, source) if key(one) == key(reference)]
        if len(several) > 1:
            which = ", or ".join(map(repr, several))
            raise BadRequest(f"{reference!r} may mean several purchases; write {which}")
    return found


def cancelled_at(conn: Connection, lot_id: int, number: int = 1) -> datetime | None:
    """When a purchase was cancelled (UTC), the first time or a later one; None where it was not."""
    mine = txs.c.dedupe_key == f"{_CANCEL}{lot_id}:{number}"
    at: datetime | None = conn.scalar(select(txs.c.at).where(mine))
    return at


def cancel(conn: Connection, lot: Row[Any], *, actor: str, reason: str, now: datetime) -> int:
    """Take back what is unspent of a purchase, and of what was credited to it; the points taken.

    What was charged stays charged, and what expired stays expired. Repeating takes nothing, unless
    points have been credited to the purchase since.
    """
    _lock(conn, [lot.account_id])
    # Not LIKE, to which SQLite's capitals are all one: INV-1 and inv-1 may be two old purchases.
    mark = f"{lot.reference}{_CREDIT_MARK}"
    credits_to_it = and_(
        lots.c.account_id == lot.account_id, func.substr(lots.c.reference, 1, len(mark)) == mark
    )
    own = or_(lots.c.id == lot.id, and_(lots.c.source == lot.source, credits_to_it))
    unspent = and_(own, lots.c.remaining > 0, lots.c.expires_at > now)
    taken: dict[int, int] = {
        row.id: -row.remaining for row in conn.execute(select(lots).where(unspent))
    }
    if taken:
        number = next(n for n in count(1) if cancelled_at(conn, lot.id, n) is None)
        _book(
            conn,
            taken,
            kind="adjustment",
            dedupe_key=f"{_CANCEL}{lot.id}:{number}",
            account_id=lot.account_id,
            at=now,
            actor=actor,
            reason=f"cancelled: {reason}",
        )
    return -sum(taken.values())


def charge(
    conn: Connection,
    *,
    incident_id: int,
    account_id: int,
    points: int,
    valid_at: datetime,
    now: datetime,
    actor: str,
    reason: str,
) -> tuple[Slice, ...] | None:
    """Take an incident's points; None when too few were on hand at `valid_at`: all or nothing.

    "The debit is keyed to the incident (unique), never to an event": repeating it returns the
    slices that were booked and books nothing. "Soonest-expiring lot first, then oldest purchase,
    then lowest id." `account_id` is the incident's; `valid_at` lies at most 72 hours before `now`
    (both UTC); `reason` names the rule that was followed.
    """
    _lock(conn, [account_id])
    booked = _slices(conn, incident_id)
    if booked:
        return booked
    usable = and_(
        lots.c.account_id == account_id,
        lots.c.remaining > 0,
        lots.c.usable_from <= valid_at,
        lots.c.expires_at > valid_at,
    )
    # Each lot has a point at least, so `points` lots are enough.
    first = select(lots).where(usable).order_by(lots.c.expires_at, lots.c.purchased_on, lots.c.id)
    slices = pick(map(as_lot, conn.execute(first.limit(points))), points, valid_at)
    if slices:
        _book(
            conn,
            {part.lot_id: -part.points for part in slices},
            kind="charge",
            dedupe_key=f"charge:incident:{incident_id}",
            account_id=account_id,
            incident_id=incident_id,
            at=now,
            valid_at=valid_at,
            actor=actor,
            reason=reason,
        )
    return slices


def credit(
    conn: Connection,
    *,
    incident_id: int,
    now: datetime,
    zone: str,
    credit_days: int,
    actor: str,
    reason: str,
) -> int:
    """Give an incident's points back, and return how many; 0 when it was never charged.

    "Credit each slice to the lot that it came from; expiry = max(lot's expiry, day of credit + 90
    days); where that differs from the lot's, a credit lot with the parent's payment reference."
    The day of credit is the one in `zone`, the account's; the 90 are `credit_days`. Once per
    incident: repeating it returns the same number and books nothing.
    """
    charged = select(txs).where(txs.c.incident_id == incident_id, txs.c.kind == "charge")
    tx = conn.execute(charged).one_or_none()
    if tx is None:
        return 0
    _lock(conn, [tx.account_id])
    key = f"credit:incident:{incident_id}"
    booked: int | None = conn.scalar(select(txs.c.points).where(txs.c.dedupe_key == key))
    if booked is not None:
        return booked
    slices = _slices(conn, incident_id)
    returned = {}
    for part in slices:
        lot = conn.execute(select(lots).where(lots.c.id == part.lot_id)).one()
        expires_at = credit_expires_at(lot.expires_at, now, zone, credit_days)
        lot_id = lot.id
        if expires_at != lot.expires_at:
            lot_id = _add_credit_lot(conn, lot, part.points, incident_id, now, expires_at)
        returned[lot_id] = part.points
    _book(
        conn,
        returned,
        kind="credit",
        dedupe_key=key,
        account_id=tx.account_id,
        incident_id=incident_id,
        reverses_id=tx.id,
        at=now,
        actor=actor,
        reason=reason,
    )
    return sum(returned.values())


def expire_due(conn: Connection, *, now: datetime, limit: int) -> int:
    """Book the expiry of at most `limit` lots, and return how many; fewer than that: all done.

    A booking waits for 72 hours after the expiry, so that a late first decision can still draw;
    no balance counts the points meanwhile. Safe to repeat.
    """
    due = and_(lots.c.remaining > 0, lots.c.expires_at <= now - LOOK_BACK)
    found = conn.execute(
        select(lots.c.id, lots.c.account_id).where(due).order_by(lots.c.expires_at).limit(limit)
    ).all()
    _lock(conn, {row.account_id for row in found})
    chosen = lots.c.id.in_([row.id for row in found])
    expired = conn.execute(select(lots).where(due, chosen).order_by(lots.c.id)).all()
    for lot in expired:
        _book(
            conn,
            {lot.id: -lot.remaining},
            kind="expiry",
            dedupe_key=f"expire:lot:{lot.id}",
            account_id=lot.account_id,
            at=now,
            actor="bridge",
            reason=f"expired: {lot.reference}",
        )
    return len(expired)


def _lock(conn: Connection, account_ids: Collection[int]) -> None:
    """Lock accounts, always in the order of their ids."""
    query = select(accounts.c.id).where(accounts.c.id.in_(account_ids)).order_by(accounts.c.id)
    found = conn.scalars(query.with_for_update()).all()
    if missing := set(account_ids).difference(found):
        raise BadRequest(f"there is no account {min(missing)}")


def _called(conn: Connection, account_id: int) -> str:
    """An account as people know it: its ref, and its name where that is another one."""
    row = conn.execute(select(accounts).where(accounts.c.id == account_id)).one()
    return f"{row.ref!r}{now_called(row.ref, row.name)}"


def _slices(conn: Connection, incident_id: int) -> tuple[Slice, ...]:
    """What an incident's charge took; empty when it was never charged."""
    query = (
        select(entries.c.lot_id, -entries.c.delta)
        .join(txs, txs.c.id == entries.c.tx_id)
        .where(txs.c.incident_id == incident_id, txs.c.kind == "charge")
        .order_by(entries.c.id)
    )
    return tuple(Slice(*row) for row in conn.execute(query))


def _add_lot(conn: Connection, **values: Any) -> int:
    lot_id: int = conn.execute(insert(lots).values(values).returning(lots.c.id)).scalar_one()
    return lot_id


def _add_credit_lot(
    conn: Connection,
    parent: Row[Any],
    points: int,
    incident_id: int,
    now: datetime,
    expires_at: datetime,
) -> int:
    return _add_lot(
        conn,
        kind="credit",
        account_id=parent.account_id,
        points=points,
        purchased_on=parent.purchased_on,
        usable_from=now,
        expires_at=expires_at,
        source=parent.source,
        reference=f"{parent.reference}{_CREDIT_MARK}{incident_id}",
        parent_id=parent.id,
    )


def _book(
    conn: Connection, deltas: Mapping[int, int], *, kind: str, at: datetime, **values: Any
) -> None:
    """One transaction of the ledger, and its entry in each lot."""
    tx = {"valid_at": at, **values, "kind": kind, "at": at}
    points = abs(sum(deltas.values()))
    tx_id = conn.execute(insert(txs).values(points=points, **tx).returning(txs.c.id)).scalar_one()
    for lot_id, delta in deltas.items():
        entry = {"tx_id": tx_id, "kind": kind, "lot_id": lot_id, "delta": delta}
        conn.execute(insert(entries).values(entry))

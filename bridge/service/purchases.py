"""Points bought: one lot for one reference, and the tickets that waited for it."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection

from bridge.errors import BadRequest, did_you_mean
from bridge.ledger import accounts, holdings, names, points
from bridge.ledger.holdings import PurchaseLine
from bridge.ledger.incidents import Stored
from bridge.ledger.points import Purchase
from bridge.policy.points import expires_at, last_valid_day
from bridge.policy.zones import local_date, start_of_day
from bridge.service.core import Bridge
from bridge.service.settling import release_held

#: Beyond any sale, so a slip of the hand; and helpdesks' number fields hold ten times as much.
MOST_POINTS = 100_000
#: The source and the actor of what is booked by a command.
CLI = "cli"


@dataclass(frozen=True, slots=True)
class Bought:
    """What came of a purchase. `created` False: it had been booked before, nothing was changed.

    Of one that was booked before, everything is as it was booked then.
    `account` is its ref, `name` what it is called now, which is another where it was renamed.
    `new_account`: nobody of that name was known before, so it may be misspelt.
    """

    account: str
    name: str
    also_known_as: tuple[str, ...]
    lot_id: int
    reference: str
    points: int
    purchased_on: date
    last_valid_day: date
    created: bool
    balance: int
    new_account: bool
    released: tuple[Stored, ...]


def buy(
    bridge: Bridge,
    ref: str,
    amount: int,
    *,
    reference: str,
    on: date | None = None,
    new: bool = False,
    source: str = CLI,
    actor: str = CLI,
) -> Bought:
    """Book points for an account (made if it may be `new`) and release its held tickets.

    "Points expire one year from their date of purchase", which is `on`, by default today, in the
    account's zone. The same `source` and `reference` again books nothing, and tells what was
    booked: repeating is safe, also after the points have expired.

    Raises:
        UnknownAccount: nobody is called so, and it may not be new.
        BadRequest: no points, no reference, a date in the future or so old that the points have
            expired, or a reference that was used for another purchase.
    """
    if not 0 < amount <= MOST_POINTS:
        raise BadRequest(f"{amount} points cannot be bought at once; give 1 to {MOST_POINTS}")
    asked = _Asked(names.checked(reference, "the purchase's reference"), on, source, actor)
    bought = bridge.db.write(lambda conn: _buy(conn, bridge, ref, amount, asked, new=new))
    bridge.wake.call()
    return bought


@dataclass(frozen=True, slots=True)
class _Asked:
    reference: str
    on: date | None
    source: str
    actor: str


def _buy(
    conn: Connection, bridge: Bridge, ref: str, amount: int, asked: _Asked, *, new: bool
) -> Bought:
    now = bridge.now()
    account, made = accounts.meant(conn, ref, now, new=new)
    zone = bridge.locate(account).calendar.zone
    purchase = points.booked(
        conn,
        account_id=account.id,
        points=amount,
        purchased_on=asked.on,
        source=asked.source,
        reference=asked.reference,
    ) or _book(conn, account.id, amount, asked, zone, now)
    released = release_held(conn, bridge, account) if purchase.created else []
    return Bought(
        account=account.ref,
        name=account.name,
        also_known_as=accounts.other_names(conn, account),
        lot_id=purchase.lot_id,
        reference=purchase.reference,
        points=purchase.points,
        purchased_on=purchase.purchased_on,
        last_valid_day=last_valid_day(purchase.expires_at, zone),
        created=purchase.created,
        balance=holdings.on_hand(conn, account.id, now),
        new_account=made,
        released=tuple(released),
    )


def _book(
    conn: Connection, account_id: int, amount: int, asked: _Asked, zone: str, now: datetime
) -> Purchase:
    today = local_date(now, zone)
    day = asked.on or today
    if day > today:
        raise BadRequest(f"{day} is in the future in {zone}; points are on hand once bought")
    expiry = expires_at(day, zone)
    if expiry <= now:
        raise BadRequest(f"points bought on {day} have expired already; check the date")
    return points.book_purchase(
        conn,
        account_id=account_id,
        points=amount,
        purchased_on=day,
        usable_from=min(start_of_day(day, zone), now) if asked.on else now,
        expires_at=expiry,
        source=asked.source,
        reference=asked.reference,
        actor=asked.actor,
        now=now,
    )


@dataclass(frozen=True, slots=True)
class Cancelled:
    """What came of taking a purchase back: `points` of `bought`; the rest was spent or expired.

    `created` False: there was nothing more to take, it had been cancelled at `at` (UTC) before.
    """

    account: str
    name: str
    reference: str
    bought: int
    points: int
    at: datetime
    created: bool
    balance: int


def cancel(
    bridge: Bridge, reference: str, reason: str, *, source: str = CLI, actor: str = CLI
) -> Cancelled:
    """Take back what is unspent of a purchase: one that was booked wrongly. Safe to repeat.

    Its reference stays taken. What was charged from it stays charged.

    Raises:
        BadRequest: no such purchase, or several; no reason, or nothing of it is left.
    """
    why = names.checked(reason, "the reason")

    def work(conn: Connection) -> Cancelled:
        now = bridge.now()
        lot = points.purchase_of(conn, source, reference)
        if lot is None:
            known = did_you_mean(reference, holdings.references(conn, source))
            raise BadRequest(f"no purchase has the reference {reference!r}{known}")
        before = points.cancelled_at(conn, lot.id)
        taken = points.cancel(conn, lot, actor=actor, reason=why, now=now)
        if not taken and before is None:
            raise BadRequest(
                f"nothing is left of the purchase {lot.reference!r}: its {lot.points} points are"
                " spent or have expired"
            )
        account = accounts.by_id(conn, lot.account_id)
        return Cancelled(
            account=account.ref,
            name=account.name,
            reference=lot.reference,
            bought=lot.points,
            points=taken,
            at=now if taken or before is None else before,
            created=bool(taken),
            balance=holdings.on_hand(conn, account.id, now),
        )

    cancelled = bridge.db.write(work)
    bridge.wake.call()
    return cancelled


def listed(bridge: Bridge, ref: str | None = None) -> list[PurchaseLine]:
    """Every purchase, or those of one account, oldest first.

    Raises:
        UnknownAccount: nobody is called so.
    """

    def work(conn: Connection) -> list[PurchaseLine]:
        account = accounts.find(conn, ref) if ref is not None else None
        return holdings.purchases(conn, bridge.now(), account.id if account else None)

    return bridge.db.read(work)

"""Points bought: one lot for one reference, and the tickets that waited for it."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from bridge.errors import BadRequest
from bridge.ledger import accounts, holdings, points
from bridge.ledger.incidents import Stored
from bridge.policy.points import expires_at, last_valid_day
from bridge.policy.zones import local_date, start_of_day
from bridge.service.core import Bridge
from bridge.service.settling import release_held

#: Beyond any sale, so a slip of the hand; and helpdesks' number fields hold ten times as much.
MOST_POINTS = 100_000


@dataclass(frozen=True, slots=True)
class Bought:
    """What came of a purchase. `created` False: it had been booked before, nothing was changed.

    `account` is its ref, `name` what it is called now, which is another where it was renamed.
    `new_account`: nobody of that name was known before, so it may be misspelt.
    """

    account: str
    name: str
    also_known_as: tuple[str, ...]
    lot_id: int
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
    source: str = "cli",
    actor: str = "cli",
) -> Bought:
    """Book points for an account (made if need be) and release its held tickets.

    "Points expire one year from their date of purchase", which is `on`, by default today, in the
    account's zone. The same `source` and `reference` again books nothing: repeating is safe.

    Raises:
        BadRequest: no points, no reference, a date in the future or so old that the points have
            expired, or a reference that was used for another purchase.
    """
    if not 0 < amount <= MOST_POINTS:
        raise BadRequest(f"{amount} points cannot be bought at once; give 1 to {MOST_POINTS}")
    if not reference.strip():
        raise BadRequest("give the purchase a reference: an order, invoice or payment number")
    bought = bridge.db.write(
        lambda conn: _buy(conn, bridge, ref, amount, reference.strip(), on, source, actor)
    )
    bridge.wake.call()
    return bought


def _buy(
    conn: Connection,
    bridge: Bridge,
    ref: str,
    amount: int,
    reference: str,
    on: date | None,
    source: str,
    actor: str,
) -> Bought:
    now = bridge.now()
    known = accounts.is_known(conn, ref)
    account = accounts.find_or_create(conn, ref, now)
    zone = bridge.locate(account).calendar.zone
    day = on or local_date(now, zone)
    if day > local_date(now, zone):
        raise BadRequest(f"{day} is in the future in {zone}; points are on hand once bought")
    expiry = expires_at(day, zone)
    if expiry <= now:
        raise BadRequest(f"points bought on {day} have expired already; check the date")
    purchase = points.book_purchase(
        conn,
        account_id=account.id,
        points=amount,
        purchased_on=day,
        usable_from=min(start_of_day(day, zone), now) if on else now,
        expires_at=expiry,
        source=source,
        reference=reference,
        actor=actor,
        now=now,
    )
    released = release_held(conn, bridge, account) if purchase.created else []
    return Bought(
        account=account.ref,
        name=account.name,
        also_known_as=accounts.other_names(conn, account),
        lot_id=purchase.lot_id,
        points=amount,
        purchased_on=day,
        last_valid_day=last_valid_day(expiry, zone),
        created=purchase.created,
        balance=holdings.on_hand(conn, account.id, now),
        new_account=not known,
        released=tuple(released),
    )

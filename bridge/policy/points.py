"""Points: lots, which of them to draw on, and when they expire. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from bridge.policy.zones import local_date, start_of_day


@dataclass(frozen=True, slots=True)
class Lot:
    """Points bought (or credited) together: usable in `[usable_from, expires_at)`, both UTC."""

    id: int
    remaining: int
    purchased_on: date
    usable_from: datetime
    expires_at: datetime

    def usable(self, at: datetime) -> bool:
        """Whether points of this lot are on hand at that instant."""
        return self.remaining > 0 and self.usable_from <= at < self.expires_at


@dataclass(frozen=True, slots=True)
class Slice:
    """The part of a charge that one lot bears."""

    lot_id: int
    points: int


def on_hand(lots: Iterable[Lot], at: datetime) -> int:
    """The points that can be spent at that instant; expired lots do not count, swept or not."""
    return sum(lot.remaining for lot in lots if lot.usable(at))


def pick(lots: Iterable[Lot], points: int, at: datetime) -> tuple[Slice, ...] | None:
    """Which lots bear a charge: soonest expiry first, then oldest purchase, then lowest id.

    None when there are too few points on hand: the answer is no, not half.
    """
    slices = []
    for lot in sorted(lots, key=lambda lot: (lot.expires_at, lot.purchased_on, lot.id)):
        if points == 0:
            break
        if lot.usable(at):
            slices.append(Slice(lot.id, min(points, lot.remaining)))
            points -= slices[-1].points
    return tuple(slices) if points == 0 else None


def anniversary(day: date) -> date:
    """The same day a year later; 29 February becomes 28 February."""
    leap_day = (day.month, day.day) == (2, 29)
    return day.replace(year=day.year + 1, day=28 if leap_day else day.day)


def expires_at(purchased_on: date, zone: str) -> datetime:
    """When a lot stops being usable: exclusive, UTC, frozen for ever.

    "Points expire one year from their date of purchase." Valid through the whole anniversary in
    the account's zone.
    """
    return start_of_day(anniversary(purchased_on) + timedelta(days=1), zone)


def credit_expires_at(
    lot_expires_at: datetime, credited_at: datetime, zone: str, days: int
) -> datetime:
    """When credited points expire: with their lot, but not before `days` after the day of credit.

    Exclusive, UTC. Valid through that last day in the account's zone.
    """
    last_day = local_date(credited_at, zone) + timedelta(days=days)
    return max(lot_expires_at, start_of_day(last_day + timedelta(days=1), zone))


def last_valid_day(expires: datetime, zone: str) -> date:
    """The last local day on which points with this (exclusive) expiry can be spent."""
    return local_date(expires - timedelta(microseconds=1), zone)


def validity_instant(created_at: datetime, now: datetime, look_back: timedelta) -> datetime:
    """When the points of a first decision must have been on hand: at the ticket's own creation.

    At most `look_back` before `now`, so that our downtime costs nobody points, and never after it.
    """
    return min(max(created_at, now - look_back), now)

"""Lots, and when their points expire: one test per sentence of the rules."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.policy.points import (
    Lot,
    anniversary,
    credit_expires_at,
    expires_at,
    last_valid_day,
    on_hand,
    pick,
    validity_instant,
)
from bridge.policy.zones import local_date, start_of_day, zone_names

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def lot(number: int, remaining: int = 10, *, lives: int = 100, bought: int = 100) -> Lot:
    """A lot that was bought some days ago and lives for some more."""
    bought_at = NOON - bought * DAY
    return Lot(number, remaining, bought_at.date(), bought_at, NOON + lives * DAY)


def drawn(lots: list[Lot], points: int) -> list[tuple[int, int]] | None:
    slices = pick(lots, points, NOON)
    return None if slices is None else [(one.lot_id, one.points) for one in slices]


def test_the_soonest_expiring_lot_is_drawn_on_first() -> None:
    """ "Soonest-expiring lot first" """
    assert drawn([lot(1, lives=9), lot(2, lives=3), lot(3, lives=6)], 10) == [(2, 10)]


def test_however_old_the_purchase_of_another_is() -> None:
    assert drawn([lot(1, lives=9, bought=9), lot(2, lives=3, bought=1)], 10) == [(2, 10)]


def test_then_the_oldest_purchase() -> None:
    """ "then oldest purchase" """
    assert drawn([lot(1, bought=1), lot(2, bought=3), lot(3, bought=2)], 10) == [(2, 10)]


def test_then_the_lowest_id() -> None:
    """ "then lowest id" """
    assert drawn([lot(3), lot(1), lot(2)], 10) == [(1, 10)]


def test_one_incident_may_draw_on_several_lots() -> None:
    """ "one incident may draw on several lots" """
    lots = [lot(1, 4, lives=1), lot(2, 5, lives=2), lot(3, 9, lives=3)]
    assert drawn(lots, 10) == [(1, 4), (2, 5), (3, 1)]


def test_an_empty_lot_bears_nothing() -> None:
    assert drawn([lot(1, 0, lives=1), lot(2, lives=2)], 10) == [(2, 10)]


def test_too_few_points_are_no_half_charge() -> None:
    """ "The balance can never go below zero" """
    assert drawn([lot(1, 9)], 10) is None


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(-2, 5)), max_size=8), st.integers(1, 40))
def test_a_pick_takes_exactly_the_points_or_none(sizes: list[tuple[int, int]], wanted: int) -> None:
    lots = [lot(n, size, lives=lives) for n, (size, lives) in enumerate(sizes) if lives]
    slices = pick(lots, wanted, NOON)
    if slices is None:
        assert on_hand(lots, NOON) < wanted
        return
    left = {one.id: one.remaining for one in lots}
    assert sum(part.points for part in slices) == wanted
    assert all(0 < part.points <= left[part.lot_id] for part in slices)
    assert len({part.lot_id for part in slices}) == len(slices)


def test_points_expire_a_year_from_their_purchase() -> None:
    """ "Points expire one year from their date of purchase." """
    assert expires_at(date(2026, 3, 10), "UTC") == datetime(2027, 3, 11, tzinfo=UTC)


def test_the_purchase_date_is_a_day_in_the_accounts_zone() -> None:
    """ "Purchase date in the account's time zone" """
    assert expires_at(date(2026, 3, 10), "Asia/Tokyo") == datetime(2027, 3, 10, 15, tzinfo=UTC)


def test_points_are_valid_through_the_anniversary_and_not_longer() -> None:
    """ "valid through the calendar anniversary", "exclusive" """
    end = expires_at(date(2026, 3, 10), "Europe/Berlin")
    bought = Lot(1, 10, date(2026, 3, 10), NOON - 300 * DAY, end)
    assert last_valid_day(end, "Europe/Berlin") == date(2027, 3, 10)
    assert bought.usable(end - timedelta(microseconds=1))
    assert not bought.usable(end)


def test_a_leap_day_has_its_anniversary_on_28_february() -> None:
    """ "29 Feb -> 28 Feb" """
    assert anniversary(date(2028, 2, 29)) == date(2029, 2, 28)
    assert anniversary(date(2027, 2, 28)) == date(2028, 2, 28)


@pytest.mark.parametrize(
    ("zone", "day", "start"),
    [
        ("Africa/Cairo", date(2026, 4, 24), "2026-04-23T22:00:00+00:00"),
        ("America/Santiago", date(2026, 9, 6), "2026-09-06T04:00:00+00:00"),
        ("Asia/Beirut", date(2026, 3, 29), "2026-03-28T22:00:00+00:00"),
        ("America/Havana", date(2026, 11, 1), "2026-11-01T04:00:00+00:00"),
        ("Pacific/Apia", date(2011, 12, 30), "2011-12-30T10:00:00+00:00"),
    ],
    ids=["skipped", "skipped in the south", "skipped at midnight", "repeated", "no such day"],
)
def test_a_day_without_a_midnight_of_its_own_still_begins(zone: str, day: date, start: str) -> None:
    """ "`expires_at` = the next local midnight", also where there is none that day"""
    assert start_of_day(day, zone).isoformat() == start


@given(
    st.dates(date(1990, 1, 1), date(2035, 12, 31)),
    st.sampled_from(sorted(zone_names())),
)
def test_a_day_starts_at_its_first_instant(day: date, zone: str) -> None:
    start = start_of_day(day, zone)
    assert local_date(start, zone) >= day
    assert local_date(start - timedelta(seconds=1), zone) < day


def test_expired_points_are_not_on_hand_swept_or_not() -> None:
    """ "Every balance query has `expires_at > now` in it" """
    lots = [lot(1, 10, lives=-1), lot(2, 7), lot(3, 5, bought=-1)]
    assert on_hand(lots, NOON) == 7


@pytest.mark.parametrize(
    ("created", "tested"),
    [(0, 0), (-71, -71), (-73, -72), (1, 0)],
    ids=["now", "within 72 hours", "older", "a helpdesk whose clock is ahead"],
)
def test_a_first_decision_tests_the_tickets_own_creation(created: int, tested: int) -> None:
    """ "tests validity at the ticket's own creation time (at most 72 h back)" """
    hour = timedelta(hours=1)
    assert validity_instant(NOON + created * hour, NOON, 72 * hour) == NOON + tested * hour


def test_credited_points_keep_their_lots_expiry_when_that_is_later() -> None:
    """ "expiry = max(lot's expiry, day of credit + 90 days)" """
    end = NOON + 200 * DAY
    assert credit_expires_at(end, NOON, "Europe/Berlin", 90) == end


def test_credited_points_live_at_least_90_days() -> None:
    """ "expiry = max(lot's expiry, day of credit + 90 days)" """
    credited = credit_expires_at(NOON + DAY, NOON, "Europe/Berlin", 90)
    assert last_valid_day(credited, "Europe/Berlin") == date(2026, 11, 22) + 90 * DAY

"""Points 1 to 8 of the business-hours rules."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest

from bridge.errors import SettingsError
from bridge.policy.hours import (
    DAY,
    HOUR,
    MONDAY_TO_FRIDAY,
    Calendar,
    Due,
    Weekly,
    Window,
    add_business_time,
    business_elapsed,
)
from bridge.policy.notation import parse_windows
from bridge.policy.zones import load_zone, local_date

NEW_YORK = "America/New_York"
OFFICE = Calendar(NEW_YORK)
ALL_DAY: tuple[Window, ...] = ((0, DAY),)
ROUND_THE_CLOCK: Weekly = dict.fromkeys(range(7), ALL_DAY)
FOUR_HOURS = 4 * HOUR


def at(wall: str, zone: str = NEW_YORK) -> datetime:
    """The UTC instant of a wall time in a zone; `+` at its end means the second occurrence."""
    local = datetime.fromisoformat(wall.removesuffix("+")).replace(tzinfo=load_zone(zone))
    return local.replace(fold=wall.endswith("+")).astimezone(UTC)


def daily(hours: str) -> Weekly:
    return dict.fromkeys(range(7), parse_windows(hours))


# Point 1


AWARE = at("2026-03-02 13:00")
NAIVE = datetime(2026, 3, 2, 13)  # noqa: DTZ001 - the mistake under test


@pytest.mark.parametrize(
    "compute",
    [
        lambda: add_business_time(NAIVE, FOUR_HOURS, OFFICE),
        lambda: business_elapsed(NAIVE, AWARE, OFFICE),
        lambda: business_elapsed(AWARE, NAIVE, OFFICE),
        lambda: local_date(NAIVE, NEW_YORK),
    ],
)
def test_naive_instants_are_an_error(compute: Callable[[], object]) -> None:
    """1. "All instants are aware; stored UTC; ... Naive input: error." """
    with pytest.raises(ValueError, match="aware"):
        compute()


def test_instants_are_floored_to_whole_seconds_and_come_back_in_utc() -> None:
    """1. "start floored to whole seconds; arithmetic on integers." """
    start = at("2026-03-02 10:00:00").astimezone(load_zone("Asia/Tokyo"))
    late_in_the_second = start + timedelta(microseconds=999_999)
    due = add_business_time(late_in_the_second, HOUR, OFFICE)
    assert due == Due(at("2026-03-02 11:00"), at("2026-03-02 11:00"))
    assert due.at.tzinfo is UTC
    assert business_elapsed(late_in_the_second, start + timedelta(seconds=1), OFFICE) == 1


# Point 2


@pytest.mark.parametrize(
    ("sunday", "hours"), [("2026-03-08", 23), ("2026-11-01", 25), ("2026-06-07", 24)]
)
def test_elapsed_time_is_real_seconds(sunday: str, hours: int) -> None:
    """2. "Elapsed = real seconds in that set (a 24-h Sunday is 23 or 25 h)." """
    calendar = Calendar(NEW_YORK, {6: ALL_DAY})
    start = at(f"{sunday} 00:00")
    assert business_elapsed(start, start + timedelta(days=2), calendar) == hours * HOUR


FRIDAY = date(2026, 7, 3)
SHORT: tuple[Window, ...] = ((10 * HOUR, 11 * HOUR),)


def holiday_on_friday(year: int) -> frozenset[date]:
    return frozenset({FRIDAY} if year == FRIDAY.year else ())


@pytest.mark.parametrize(
    ("calendar", "expected"),
    [
        (Calendar("UTC"), MONDAY_TO_FRIDAY[4]),
        (Calendar("UTC", holidays_of=holiday_on_friday), ()),
        (Calendar("UTC", extra_closed=frozenset({FRIDAY})), ()),
        (
            Calendar("UTC", holidays_of=holiday_on_friday, removed=frozenset({FRIDAY})),
            MONDAY_TO_FRIDAY[4],
        ),
        (
            Calendar("UTC", extra_closed=frozenset({FRIDAY}), removed=frozenset({FRIDAY})),
            MONDAY_TO_FRIDAY[4],
        ),
        (
            Calendar("UTC", extra_closed=frozenset({FRIDAY}), open_windows={FRIDAY: SHORT}),
            SHORT,
        ),
        (Calendar("UTC", removed=frozenset({FRIDAY}), open_windows={FRIDAY: ()}), ()),
    ],
)
def test_closures_and_special_hours_have_an_order(
    calendar: Calendar, expected: tuple[Window, ...]
) -> None:
    """2. "open_windows > removed > extra_closed > holidays > weekly." """
    assert calendar.windows_on(FRIDAY) == expected


def test_removing_a_closure_opens_no_weekend() -> None:
    sunday = date(2026, 7, 5)
    assert Calendar("UTC", removed=frozenset({sunday})).windows_on(sunday) == ()


def test_special_hours_open_a_weekend() -> None:
    saturday = date(2026, 7, 4)
    calendar = Calendar("UTC", open_windows={saturday: SHORT})
    due = add_business_time(at("2026-07-03 17:00", "UTC"), 60, calendar)
    assert due.at == at("2026-07-04 10:01", "UTC")


# Point 3


def test_touching_windows_merge() -> None:
    """3. "Touching windows merge": a target used up where they touch is used up inside hours."""
    calendar = Calendar(NEW_YORK, daily("00:00-12:00 12:00-24:00"))
    start = at("2026-06-01 08:00")
    for hours in (4, 16):
        reached = start + timedelta(hours=hours)
        assert add_business_time(start, hours * HOUR, calendar) == Due(reached, reached)


# Points 4, 5 and 6


def test_a_target_used_up_at_closing_is_due_at_the_next_opening() -> None:
    """4. "13:00 + 4 h -> at = tomorrow 09:00, by_close = today 17:00." """
    due = add_business_time(at("2026-03-02 13:00"), FOUR_HOURS, OFFICE)
    assert due == Due(at=at("2026-03-03 09:00"), by_close=at("2026-03-02 17:00"))


@pytest.mark.parametrize(
    ("start", "due"),
    [
        ("2026-03-02 09:00", "2026-03-02 13:00"),
        ("2026-03-02 13:00:01", "2026-03-03 09:00:01"),
        ("2026-03-06 16:00", "2026-03-09 12:00"),
        ("2026-03-07 11:11", "2026-03-09 13:00"),
        ("2026-03-02 07:00", "2026-03-02 13:00"),
        ("2026-03-02 17:00", "2026-03-03 13:00"),
    ],
)
def test_four_business_hours(start: str, due: str) -> None:
    """ "Monday through Friday, 9:00 - 17:00 in your local time zone ... four business hours" """
    reached = at(due)
    assert add_business_time(at(start), FOUR_HOURS, OFFICE) == Due(reached, reached)


def test_the_boundary_second_is_the_last_one_of_the_target() -> None:
    """5. "Answering at the boundary second is on time." """
    start = at("2026-03-02 13:00:30")
    boundary = at("2026-03-03 09:00:30")
    assert business_elapsed(start, boundary, OFFICE) == FOUR_HOURS
    assert business_elapsed(start, boundary + timedelta(milliseconds=999), OFFICE) == FOUR_HOURS
    assert business_elapsed(start, boundary + timedelta(seconds=1), OFFICE) == FOUR_HOURS + 1


@pytest.mark.parametrize(
    ("start", "expected"),
    [("2026-03-02 13:00", "2026-03-02 13:00"), ("2026-03-06 17:00", "2026-03-09 09:00")],
)
def test_no_seconds_is_the_next_opening_or_start(start: str, expected: str) -> None:
    """5. "seconds = 0: next opening, or start if open." """
    assert add_business_time(at(start), 0, OFFICE) == Due(at(expected), at(start))


def test_negative_seconds_are_an_error() -> None:
    """5. "seconds < 0: error" """
    with pytest.raises(ValueError, match="-1 seconds"):
        add_business_time(at("2026-03-02 13:00"), -1, OFFICE)


def test_an_end_before_the_start_has_elapsed_nothing() -> None:
    """6. "elapsed(end < start) = 0 for SLA use" """
    assert business_elapsed(at("2026-03-02 13:00"), at("2026-03-02 10:00"), OFFICE) == 0


# Points 7 and 8


@pytest.mark.parametrize(
    ("weekly", "message"),
    [
        ({}, "empty"),
        ({0: ()}, "empty"),
        ({7: ALL_DAY}, "weekday 7"),
        ({0: ((17 * HOUR, 9 * HOUR),)}, "17:00-09:00 must open before it closes"),
        ({0: ((9 * HOUR, 9 * HOUR),)}, "09:00-09:00 must open before it closes"),
        ({0: ((9 * HOUR, DAY + 60),)}, "09:00-24:01 must open before it closes, by 24:00"),
        ({0: ((-60, HOUR),)}, "must open before it closes"),
        ({0: ((9 * HOUR, 13 * HOUR), (12 * HOUR, 17 * HOUR))}, "Mon: 12:00-17:00 begins before"),
        ({6: ((13 * HOUR, 17 * HOUR), (9 * HOUR, 12 * HOUR))}, "Sun: 09:00-12:00 begins before"),
    ],
)
def test_nonsensical_hours_are_a_configuration_error(weekly: Weekly, message: str) -> None:
    """7. "empty weekly, inverted or overlapping windows: configuration error when saved" """
    with pytest.raises(SettingsError, match=message):
        Calendar("UTC", weekly)


def test_special_hours_are_checked_as_weekly_hours_are() -> None:
    with pytest.raises(SettingsError, match="hours on 2026-07-03: 10:00-09:00"):
        Calendar("UTC", open_windows={FRIDAY: ((10 * HOUR, 9 * HOUR),)})


def test_an_instant_is_no_special_day() -> None:
    with pytest.raises(SettingsError, match="plain dates"):
        Calendar("UTC", extra_closed=frozenset({at("2026-07-03 00:00", "UTC")}))


def every_sunday(year: int) -> frozenset[date]:
    days = (date(year, 1, 1) + timedelta(days=n) for n in range(366))
    return frozenset(day for day in days if day.weekday() == 6)


def days_from(first: date, years: int) -> frozenset[date]:
    last = min(first.toordinal() + 366 * years, date.max.toordinal() + 1)
    return frozenset(map(date.fromordinal, range(first.toordinal(), last)))


def test_a_calendar_that_never_opens_is_a_configuration_error() -> None:
    """7. "No open time within 20 years ... configuration error when saved" """
    with pytest.raises(SettingsError, match="no open time within 20 years"):
        Calendar("UTC", {6: ALL_DAY}, every_sunday)
    with pytest.raises(SettingsError, match="no open time within 20 years of 2040-01-01"):
        Calendar("UTC", extra_closed=days_from(date(2040, 1, 1), years=21) | {FRIDAY})
    reopens = Calendar("UTC", extra_closed=days_from(date(2040, 1, 1), years=19))
    assert add_business_time(at("2040-01-01 00:00", "UTC"), 0, reopens).at.year == 2059


@pytest.mark.parametrize("first", [date(2040, 1, 1), date.max - timedelta(days=300)])
def test_special_hours_can_close_a_calendar_for_good_too(first: date) -> None:
    closed = dict.fromkeys(days_from(first, years=21), ())
    with pytest.raises(SettingsError, match=f"no open time within 20 years of {first}"):
        Calendar("UTC", open_windows=closed)


def test_a_span_of_more_than_twenty_years_is_counted_in_full() -> None:
    start, end = at("2001-01-01 00:00", "UTC"), at("2026-01-01 00:00", "UTC")
    always = Calendar("UTC", dict.fromkeys(range(7), ALL_DAY))
    assert business_elapsed(start, end, always) == (end - start).total_seconds()


def test_a_closure_without_end_that_begins_later_is_a_configuration_error_too() -> None:
    """Nobody can foresee it when a calendar is saved, but it must not compute for ever."""

    def all_days_after_2030(year: int) -> frozenset[date]:
        return days_from(date(year, 1, 1), years=1) if year > 2030 else frozenset()

    calendar = Calendar("UTC", holidays_of=all_days_after_2030)
    with pytest.raises(SettingsError, match="no open time within 20 years of 2031"):
        add_business_time(at("2031-06-01 00:00", "UTC"), 1, calendar)


def test_an_unknown_zone_is_a_configuration_error_that_names_similar_ones() -> None:
    with pytest.raises(SettingsError, match="'New York'; did you mean America/New_York"):
        Calendar("New York")
    with pytest.raises(SettingsError, match=r"unknown time zone '\.\./zones'$"):
        Calendar("../zones")


@pytest.mark.parametrize("zone", ["Asia/Riyadh", "Europe/Paris"])
def test_the_default_is_monday_to_friday_nine_to_five_everywhere(zone: str) -> None:
    """8. "Zones with a Friday weekend keep it unless the account sets `weekly`" """
    monday = date(2026, 3, 2)
    week = [Calendar(zone).windows_on(monday + timedelta(days=n)) for n in range(7)]
    assert week == [parse_windows("09:00-17:00")] * 5 + [()] * 2


def test_calendars_are_values() -> None:
    one = Calendar("UTC", dict(MONDAY_TO_FRIDAY), open_windows={FRIDAY: SHORT})
    same = Calendar("UTC", open_windows={FRIDAY: SHORT})
    assert (one, hash(one)) == (same, hash(same))
    assert one != Calendar("UTC")

"""Clock changes, and what other libraries get wrong about them."""

import time
from datetime import UTC, date, datetime, timedelta

import pytest

from bridge.policy.hours import (
    DAY,
    HOUR,
    Calendar,
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


def at(wall: str, zone: str = NEW_YORK) -> datetime:
    """The UTC instant of a wall time in a zone; `+` at its end means the second occurrence."""
    local = datetime.fromisoformat(wall.removesuffix("+")).replace(tzinfo=load_zone(zone))
    return local.replace(fold=wall.endswith("+")).astimezone(UTC)


def daily(hours: str) -> Weekly:
    return dict.fromkeys(range(7), parse_windows(hours))


def test_a_repeated_wall_time_is_its_first_occurrence() -> None:
    """3. "repeated -> first occurrence" """
    opens_twice = Calendar(NEW_YORK, daily("01:30-03:00"))
    start = at("2026-11-01 00:00")
    assert add_business_time(start, 0, opens_twice).at == at("2026-11-01 01:30")
    assert business_elapsed(start, at("2026-11-01 12:00"), opens_twice) == 2.5 * HOUR
    closes_twice = Calendar(NEW_YORK, daily("00:00-01:30"))
    assert add_business_time(start, 90 * 60, closes_twice).by_close == at("2026-11-01 01:30")
    assert business_elapsed(at("2026-11-01 01:00+"), at("2026-11-01 12:00"), closes_twice) == 0


@pytest.mark.parametrize(
    ("zone", "day", "hours", "opens", "minutes"),
    [
        (NEW_YORK, "2026-03-08", "02:30-03:15", "03:00", 15),
        (NEW_YORK, "2026-03-08", "02:10-02:50", None, 0),
        (NEW_YORK, "2026-03-08", "01:00-02:30", "01:00", 60),
        ("Australia/Lord_Howe", "2026-10-04", "02:15-03:00", "02:30", 30),
        ("Australia/Lord_Howe", "2026-10-04", "02:30-03:15", "02:30", 45),
        ("Africa/Cairo", "2026-04-24", "00:00-01:30", "01:00", 30),
    ],
)
def test_a_skipped_wall_time_is_the_instant_of_the_jump(
    zone: str, day: str, hours: str, opens: str | None, minutes: int
) -> None:
    """3. "skipped -> the instant of the jump"; elsewhere such a window is lost, or overshoots."""
    calendar = Calendar(zone, daily(hours))
    start = at(f"{day} 12:00", zone) - timedelta(days=1)
    noon = at(f"{day} 12:00", zone)
    assert business_elapsed(start, noon, calendar) == minutes * 60
    if opens:
        assert add_business_time(start, 0, calendar).at == at(f"{day} {opens}", zone)


@pytest.mark.parametrize("hours", ["09:00-17:00", "00:00-24:00"])
def test_a_date_that_does_not_exist_yields_nothing(hours: str) -> None:
    """3. "A date that does not exist (Samoa 2011-12-30) yields nothing. Never raises." """
    apia = "Pacific/Apia"
    friday_only = Calendar(apia, {4: parse_windows(hours)})
    thursday, saturday = at("2011-12-29 00:00", apia), at("2011-12-31 23:00", apia)
    assert business_elapsed(thursday, saturday, friday_only) == 0
    assert local_date(add_business_time(thursday, 0, friday_only).at, apia) == date(2012, 1, 6)


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Asia/Almaty", "2024-02-29", 25),
        ("Africa/Casablanca", "2026-09-20", 25),
        ("Australia/Lord_Howe", "2026-04-05", 24.5),
        ("Asia/Pyongyang", "2015-08-14", 24.5),
        ("America/Caracas", "2016-05-01", 23.5),
    ],
)
def test_clocks_may_change_without_daylight_saving_time(zone: str, day: str, hours: float) -> None:
    """Elsewhere: `AmbiguousTime` where clocks go back without a DST flag."""
    calendar = Calendar(zone, ROUND_THE_CLOCK)
    start = at(f"{day} 00:00", zone)
    end = at(f"{date.fromisoformat(day) + timedelta(days=1)} 00:00", zone)
    assert business_elapsed(start, end, calendar) == hours * HOUR
    due = add_business_time(start, round(hours * HOUR) - 1, calendar)
    assert due.at == end - timedelta(seconds=1)


def test_clocks_that_go_back_over_midnight_repeat_no_date() -> None:
    """St John's, 2006-10-29: one minute into Sunday, it was 23:01 on Saturday again."""
    zone = "America/St_Johns"
    start = at("2006-10-28 12:00", zone)
    saturday, sunday = Calendar(zone, {5: ALL_DAY}), Calendar(zone, {6: ALL_DAY})
    assert business_elapsed(start, start + timedelta(days=3), saturday) == 12 * HOUR
    assert business_elapsed(start, start + timedelta(days=3), sunday) == 25 * HOUR
    again = at("2006-10-28 23:30+", zone)
    assert add_business_time(again, 0, sunday).at == again


@pytest.mark.parametrize("process_zone", ["America/New_York", "Europe/London", "Asia/Almaty"])
def test_the_time_zone_of_the_process_is_irrelevant(
    process_zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    starts = [at("2026-03-06 16:00") + timedelta(hours=7 * n) for n in range(700)]
    expected = [add_business_time(start, 4 * HOUR, OFFICE) for start in starts]
    monkeypatch.setenv("TZ", process_zone)
    time.tzset()
    try:
        assert [add_business_time(start, 4 * HOUR, OFFICE) for start in starts] == expected
    finally:
        monkeypatch.undo()
        time.tzset()


def test_history_keeps_the_offset_it_had() -> None:
    """Elsewhere the offset of today is applied to instants of another season."""
    assert add_business_time(at("2026-01-05 08:00"), 0, OFFICE).at.hour == 14
    assert add_business_time(at("2026-07-06 08:00"), 0, OFFICE).at.hour == 13

"""Hours and dates as people write them: what is read, what is refused, and what is written back."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import SettingsError
from bridge.policy.hours import DAY, HOUR, MONDAY_TO_FRIDAY, Calendar, Weekly, Window
from bridge.policy.notation import (
    format_open_day,
    format_weekly,
    format_windows,
    parse_day,
    parse_open_day,
    parse_open_days,
    parse_weekly,
    parse_windows,
)
from tests.policy.written import weeks, windows

MON, TUE, WED, THU, FRI, SAT, SUN = range(7)
OFFICE = ((9 * HOUR, 17 * HOUR),)
SPLIT = ((9 * HOUR, 12 * HOUR), (13 * HOUR, 17 * HOUR))


def on(windows: tuple[Window, ...], *days: int) -> dict[int, tuple[Window, ...]]:
    return dict.fromkeys(days, windows)


# Weekly hours


@pytest.mark.parametrize(
    ("text", "weekly"),
    [
        ("Mon-Fri 09:00-17:00", MONDAY_TO_FRIDAY),
        (
            "Mon-Thu 08:00-18:00, Fri 08:00-15:00",
            on(((8 * HOUR, 18 * HOUR),), MON, TUE, WED, THU) | on(((8 * HOUR, 15 * HOUR),), FRI),
        ),
        ("Mon-Fri 09:00-12:00 13:00-17:00", on(SPLIT, MON, TUE, WED, THU, FRI)),
        ("Mon 13:00-17:00 09:00-12:00", on(SPLIT, MON)),
        ("Mon Wed Fri-Sat 09:00-17:00", on(OFFICE, MON, WED, FRI, SAT)),
        ("Sun-Thu 09:00-17:00", on(OFFICE, MON, TUE, WED, THU, SUN)),
        ("Sat-Mon 09:00-17:00", on(OFFICE, SAT, SUN, MON)),
        ("Mon-Sun 00:00-24:00", on(((0, DAY),), *range(7))),
        ("Sat 22:00-24:00, Sun 00:00-02:00",
         on(((22 * HOUR, DAY),), SAT) | on(((0, 2 * HOUR),), SUN)),
        ("  monday - THURS 9:00 \N{EN DASH} 17:00 ,fri 09:00-17:00", MONDAY_TO_FRIDAY),
    ],
)  # fmt: skip
def test_weekly_hours_are_read(text: str, weekly: Weekly) -> None:
    assert parse_weekly(text) == weekly


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "'' names no weekday: write hours like 'Mon-Thu 08:00-18:00, Fri"),
        ("Mon-Fri 09:00-17:00,", "'' names no weekday: write hours like"),
        ("09:00-17:00", "'09:00-17:00' names no weekday: write hours like"),
        ("Mon-Fri 09:00-12:00, 13:00-17:00", "'13:00-17:00' names no weekday"),
        ("Mon, Tue 09:00-17:00", "'Mon' names no hours: write hours like"),
        ("Mo-Fr 09:00-17:00", "unknown weekday 'Mo': write Mon, Tue, Wed"),
        ("Funday 09:00-17:00", "unknown weekday 'Funday'"),
        ("Mon- 09:00-17:00", "'Mon-09:00-17:00' names no hours|unknown weekday"),
        ("Mon-Wed-Fri 09:00-17:00", "'Mon-Wed-Fri' has too many days: write like Mon-Thu"),
        ("Mon-Fri 09:00-17:00, Fri 18:00-19:00", "Fri is named twice in .* behind each other"),
        ("Mon Mon 09:00-17:00", "Mon is named twice"),
        ("Mon-Fri 9-5", "'9-5' are no hours: write them like 09:00-17:00"),
        ("Mon 09:00", "'09:00' are no hours"),
        ("Mon 09:00-12:00-17:00", "'09:00-12:00-17:00' are no hours"),
        ("Mon 09:00-17:60", "'09:00-17:60' are no hours"),
        ("Mon 9am-5pm", "'9am-5pm' are no hours"),
        ("Mon 09:00-17:00 Tue", "'Tue' are no hours"),
        ("Mon-Fri 17:00-09:00", "hours on Mon-Fri: 17:00-09:00 must open before it closes"),
        ("Fri 22:00-02:00", "across midnight are two windows, until 24:00 and from 00:00"),
        ("Fri 09:00-09:00", "09:00-09:00 must open before it closes"),
        ("Fri 09:00-24:01", "by 24:00"),
        ("Fri 24:00-24:00", "by 24:00"),
        ("Fri 09:00-13:00 12:00-17:00", "hours on Fri: 12:00-17:00 begins before"),
    ],
)
def test_weekly_hours_that_cannot_be_read_say_what_to_write(text: str, message: str) -> None:
    """7. "empty weekly, inverted or overlapping windows: configuration error when saved" """
    with pytest.raises(SettingsError, match=message):
        parse_weekly(text)


@pytest.mark.parametrize(
    ("weekly", "text"),
    [
        (MONDAY_TO_FRIDAY, "Mon-Fri 09:00-17:00"),
        (on(OFFICE, SUN, MON, TUE, WED, THU), "Sun-Thu 09:00-17:00"),
        (on(OFFICE, *range(7)), "Mon-Sun 09:00-17:00"),
        (on(OFFICE, MON, WED) | on(SPLIT, SUN),
         "Mon 09:00-17:00, Wed 09:00-17:00, Sun 09:00-12:00 13:00-17:00"),
        (on(OFFICE, SAT, SUN) | on((), MON), "Sat-Sun 09:00-17:00"),
        (on(((0, DAY),), FRI, SAT, SUN, MON), "Fri-Mon 00:00-24:00"),
    ],
)  # fmt: skip
def test_weekly_hours_are_written_with_like_days_together(weekly: Weekly, text: str) -> None:
    assert format_weekly(weekly) == text


@given(weeks())
def test_what_is_written_is_read_back_the_same(weekly: Weekly) -> None:
    text = format_weekly(weekly)
    assert parse_weekly(text) == weekly
    assert format_weekly(parse_weekly(text)) == text
    assert Calendar("UTC", weekly) == Calendar("UTC", parse_weekly(text))


pieces = st.sampled_from(["Mon", "Fri-Mon", "Sun", "9:00-12:00", "12:00-24:00", ",", "-", "x"])


@given(st.lists(pieces).map(" ".join))
def test_what_is_read_is_hours_or_an_error(text: str) -> None:
    """Whatever comes in, what comes out can be saved."""
    try:
        weekly = parse_weekly(text)
    except SettingsError:
        return
    assert Calendar("UTC", weekly).weekly == parse_weekly(format_weekly(weekly))


@given(windows())
def test_the_windows_of_a_day_are_read_back_the_same(day: tuple[Window, ...]) -> None:
    assert parse_windows(format_windows(day)) == day
    assert parse_windows(format_windows(reversed(day))) == day


# Dates


def test_a_date_is_read() -> None:
    assert parse_day(" 2026-12-24 ") == date(2026, 12, 24)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("24.12.2026", "'24.12.2026' is no date: write it like 2026-12-24"),
        ("2026-02-29", "'2026-02-29' is no date"),
        ("20261224", "'20261224' is no date"),
        ("2026-W52-4", "is no date"),
        ("", "'' is no date"),
        ("0226-12-24", "'0226-12-24' is not between 2000 and 2099"),
    ],
)
def test_what_is_no_date_says_what_to_write(text: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        parse_day(text)


def test_a_date_has_hours_of_its_own() -> None:
    assert parse_open_day("2026-12-31 09:00-12:00") == (date(2026, 12, 31), SPLIT[:1])
    assert parse_open_day(" 2026-12-31  13:00-17:00 09:00-12:00") == (date(2026, 12, 31), SPLIT)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("2026-12-31", "no date with hours: write it like '2026-12-31 09:00-12:00'"),
        ("Thu 09:00-12:00", "'Thu' is no date"),
        ("2026-12-31 morning", "'morning' are no hours"),
        ("2026-12-31 12:00-09:00", "hours on 2026-12-31: 12:00-09:00 must open before"),
        ("2026-12-31 09:00-12:00 11:00-13:00", "hours on 2026-12-31: 11:00-13:00 begins before"),
    ],
)  # fmt: skip
def test_an_open_date_that_cannot_be_read_says_what_to_write(text: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        parse_open_day(text)


@given(st.dates(date(2000, 1, 1), date(2099, 12, 31)), windows())
def test_an_open_date_is_read_back_the_same(day: date, hours: tuple[Window, ...]) -> None:
    assert parse_open_day(format_open_day(day, hours)) == (day, hours)


def test_what_is_said_of_the_same_date_adds_up() -> None:
    day = date(2026, 12, 31)
    said = [f"{day} 13:00-17:00", f"{day + timedelta(days=1)} 09:00-17:00", f"{day} 09:00-12:00"]
    assert parse_open_days(said) == {day: SPLIT, day + timedelta(days=1): OFFICE}
    with pytest.raises(SettingsError, match="hours on 2026-12-31: 09:00-12:00 begins before"):
        parse_open_days([*said, said[-1]])


def test_a_day_without_hours_is_told_what_to_write() -> None:
    with pytest.raises(SettingsError, match=r"^hours: there are none; write"):
        parse_windows(" ")

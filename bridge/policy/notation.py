"""Hours and dates as people write them, and as they are written back.

Weekly hours are days and their windows: `Mon-Thu 08:00-18:00, Fri 09:00-12:00 13:00-15:00`. A comma
ends the hours of those days; several windows stand behind each other. Days may be listed (`Mon Wed
Fri 09:00-17:00`), and run over the end of the week (`Sun-Thu`); a day that is not named is closed.
Days may be written out, in any case. Times are whole minutes of the local day, up to 24:00.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from itertools import takewhile

from bridge.errors import SettingsError
from bridge.policy.hours import HOUR, WEEKDAYS, Weekly, Window, check_windows, time_of_day

_EXAMPLE = "Mon-Thu 08:00-18:00, Fri 09:00-12:00 13:00-15:00"
_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DASH = re.compile("\\s*[-\u2013]\\s*")
_TIME = re.compile(r"([0-9]{1,2}):([0-5][0-9])")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
#: A date outside these years is a slip of the pen, not a plan.
_YEARS = range(2000, 2100)


def parse_weekly(text: str) -> Weekly:
    """Read weekly hours, as the module says. The windows of a day may come in any order.

    Raises:
        SettingsError: what cannot be read, and what to write instead.
    """
    weekly: dict[int, tuple[Window, ...]] = {}
    for part in _DASH.sub("-", text).split(","):
        days, windows = _part(part.strip())
        for day in days:
            if day in weekly:
                raise SettingsError(
                    f"{WEEKDAYS[day]} is named twice in {text!r}: write its windows behind each"
                    f" other, such as {_EXAMPLE!r}"
                )
            weekly[day] = windows
    return dict(sorted(weekly.items()))


def format_weekly(weekly: Weekly) -> str:
    """Write weekly hours so that `parse_weekly` reads the same: days with equal hours together."""
    parts = []
    for first, last in _runs(weekly):
        days = WEEKDAYS[first] if first == last else f"{WEEKDAYS[first]}-{WEEKDAYS[last]}"
        parts.append(f"{days} {format_windows(weekly[first])}")
    return ", ".join(parts)


def parse_windows(text: str, where: str = "hours") -> tuple[Window, ...]:
    """Read the windows of one day: `"09:00-12:00 13:00-17:00"`. Errors say `where`.

    Raises:
        SettingsError: what cannot be read, overlaps, is empty or runs over midnight.
    """
    windows = tuple(sorted(map(_window, _DASH.sub("-", text).split())))
    if not windows:
        raise SettingsError(f"{where}: there are none; write '09:00-17:00'")
    check_windows(where, windows)
    return windows


def format_windows(windows: Iterable[Window]) -> str:
    """Write the windows of one day so that `parse_windows` reads the same."""
    return " ".join(f"{time_of_day(opens)}-{time_of_day(closes)}" for opens, closes in windows)


def parse_day(text: str) -> date:
    """Read a date: `"2026-12-24"`.

    Raises:
        SettingsError: not in that form, no such day, or not of this century.
    """
    try:
        day = date.fromisoformat(text.strip()) if _DATE.fullmatch(text.strip()) else None
    except ValueError:
        day = None
    if day is None:
        raise SettingsError(f"{text!r} is no date: write it like 2026-12-24")
    if day.year not in _YEARS:
        raise SettingsError(f"{text!r} is not between {_YEARS[0]} and {_YEARS[-1]}")
    return day


def parse_open_day(text: str) -> tuple[date, tuple[Window, ...]]:
    """Read a date with the hours that it has instead of its usual ones: `"2026-12-31 09:00-12:00"`.

    Raises:
        SettingsError: what cannot be read, and what to write instead.
    """
    written, _, hours = text.strip().partition(" ")
    if not hours:
        raise SettingsError(
            f"{text!r} is no date with hours: write it like '2026-12-31 09:00-12:00'"
        )
    day = parse_day(written)
    return day, parse_windows(hours, f"hours on {day}")


def parse_open_days(texts: Iterable[str]) -> Mapping[date, tuple[Window, ...]]:
    """Read dates with hours; what is said of the same date adds up.

    Raises:
        SettingsError: as `parse_open_day`, or the windows of a date overlap.
    """
    days: dict[date, tuple[Window, ...]] = {}
    for day, windows in map(parse_open_day, texts):
        days[day] = tuple(sorted((*days.get(day, ()), *windows)))
        check_windows(f"hours on {day}", days[day])
    return days


def format_open_day(day: date, windows: Iterable[Window]) -> str:
    """Write a date with its hours so that `parse_open_day` reads the same."""
    return f"{day} {format_windows(windows)}"


def _part(part: str) -> tuple[list[int], tuple[Window, ...]]:
    """Some days, and the windows that each of them has."""
    words = part.split()
    days = list(takewhile(lambda word: not word[0].isdigit(), words))
    for what, some in (("weekday", days), ("hours", words[len(days) :])):
        if not some:
            raise SettingsError(f"{part!r} names no {what}: write hours like {_EXAMPLE!r}")
    hours = " ".join(words[len(days) :])
    return [day for word in days for day in _days(word)], parse_windows(
        hours, f"hours on {' '.join(days)}"
    )


def _days(word: str) -> Iterator[int]:
    """The days of `"Fri"`, or of `"Fri-Mon"`."""
    first, *rest = map(_weekday, word.split("-"))
    if len(rest) > 1:
        raise SettingsError(f"{word!r} has too many days: write like Mon-Thu")
    length = (rest[0] - first) % 7 if rest else 0
    return ((first + day) % 7 for day in range(length + 1))


def _weekday(word: str) -> int:
    for weekday, name in enumerate(_NAMES):
        if len(word) >= len("Mon") and name.startswith(word.casefold()):
            return weekday
    raise SettingsError(f"unknown weekday {word!r}: write {', '.join(WEEKDAYS)}")


def _window(word: str) -> Window:
    times = [_TIME.fullmatch(time) for time in word.split("-")]
    match times:
        case [re.Match() as opens, re.Match() as closes]:
            return _second_of_day(opens), _second_of_day(closes)
    raise SettingsError(f"{word!r} are no hours: write them like 09:00-17:00")


def _second_of_day(time: re.Match[str]) -> int:
    return int(time[1]) * HOUR + int(time[2]) * 60


def _runs(weekly: Weekly) -> Iterator[tuple[int, int]]:
    """Days with equal hours that follow each other, as first and last; `Sun-Thu` is one run."""
    hours = [tuple(weekly.get(day, ())) for day in range(7)]
    start = 0
    if hours[0] and len(set(hours)) > 1:
        while hours[start - 1] == hours[0]:
            start -= 1
    first = start
    for day in range(start, start + 7):
        if day == start + 6 or hours[(day + 1) % 7] != hours[day % 7]:
            if hours[day % 7]:
                yield first % 7, day % 7
            first = day + 1

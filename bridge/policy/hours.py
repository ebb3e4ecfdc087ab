"""Business hours: which seconds count, and when the promise of a first response falls due.

"Incident Support is available Monday through Friday, 9:00 - 17:00 in your local time zone. Incident
support is not available on major government holidays. ... a support technician will respond to your
inquiry within four business hours."

Pure arithmetic on whole seconds of real time: a Sunday open all day has 23 or 25 hours where the
clocks change. Instants are aware: floored to the second on the way in, UTC on the way out. Due and
elapsed times read one table of open spans, so that for whole seconds they agree exactly:
`business_elapsed(start, now) > target` if and only if `now > due.at`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType

from bridge.errors import SettingsError
from bridge.policy.zones import first_instant, load_zone

Window = tuple[int, int]
"""Opening and closing in seconds of the local day, half open; a day ends at 24:00 = `DAY`."""

Weekly = Mapping[int, tuple[Window, ...]]
"""Windows by weekday, Monday = 0. A weekday that is left out is closed."""

HolidaysOf = Callable[[int], frozenset[date]]
"""The public holidays of any year: a promise may run into the next one."""

HOUR = 3_600
DAY = 24 * HOUR
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONDAY_TO_FRIDAY: Weekly = MappingProxyType(dict.fromkeys(range(5), ((9 * HOUR, 17 * HOUR),)))
AROUND_THE_CLOCK: Weekly = MappingProxyType(dict.fromkeys(range(7), ((0, DAY),)))

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_TWENTY_YEARS = 20 * 366
_ANY_DAY = date(2026, 1, 1)  # public holidays shut every year much alike


def no_holidays(_year: int) -> frozenset[date]:
    """The public holidays of nowhere."""
    return frozenset()


def time_of_day(second: int) -> str:
    """A time of day as it is written: `"09:00"`, and `"24:00"` where a day ends."""
    return f"{second // HOUR:02}:{second // 60 % 60:02}"


def check_windows(where: str, windows: tuple[Window, ...]) -> None:
    """Refuse windows that are inverted, out of order, overlapping or beyond the day.

    Raises:
        SettingsError: says `where`, and which one.
    """
    previous = 0
    for opens, closes in windows:
        span = f"{time_of_day(opens)}-{time_of_day(closes)}"
        if not 0 <= opens < closes <= DAY:
            raise SettingsError(
                f"{where}: {span} must open before it closes, by 24:00; hours across midnight are"
                " two windows, until 24:00 and from 00:00 of the next day"
            )
        if opens < previous:
            raise SettingsError(f"{where}: {span} begins before the window ahead of it ends")
        previous = closes


def check_weekly(weekly: Weekly) -> None:
    """Refuse weekly hours that are empty, or wrong on one of their days.

    Raises:
        SettingsError: names the weekday, and what is wrong.
    """
    for weekday, windows in weekly.items():
        if weekday not in range(7):
            raise SettingsError(f"weekly hours: weekday {weekday} is not 0 (Monday) to 6")
        check_windows(f"hours on {WEEKDAYS[weekday]}", windows)
    if not any(weekly.values()):
        raise SettingsError("weekly hours are empty: name at least one window")


@dataclass(frozen=True, slots=True)
class Calendar:
    """When support is open, in one IANA zone. A value: equal ones are interchangeable.

    The first that speaks of a date wins: `open_windows` (its hours; none closes it), `removed`
    (not closed after all), `extra_closed`, public holidays, `weekly`.

    Raises:
        SettingsError: unknown zone; weekly hours that are empty, inverted, out of order or
            overlapping; or no open time within 20 years.
    """

    zone: str
    weekly: Weekly = field(default_factory=lambda: MONDAY_TO_FRIDAY, hash=False)
    holidays_of: HolidaysOf = no_holidays
    extra_closed: frozenset[date] = frozenset()
    removed: frozenset[date] = frozenset()
    open_windows: Mapping[date, tuple[Window, ...]] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "weekly", MappingProxyType(dict(self.weekly)))
        object.__setattr__(self, "open_windows", MappingProxyType(dict(self.open_windows)))
        load_zone(self.zone)
        check_weekly(self.weekly)
        for day in (*self.extra_closed, *self.removed, *self.open_windows):
            # A datetime is a date to Python, but never equal to one: it would close nothing.
            if isinstance(day, datetime):
                raise SettingsError(f"{day} is an instant: special days are plain dates")
        for day, windows in self.open_windows.items():
            check_windows(f"hours on {day}", windows)
        self._check_it_opens()

    def _check_it_opens(self) -> None:
        reopens = date.min
        for day in sorted({_ANY_DAY, *self.extra_closed, *self.open_windows}):
            if day >= reopens:
                reopens = self._open_date_from(day)

    def _open_date_from(self, day: date) -> date:
        last = min(day.toordinal() + _TWENTY_YEARS, date.max.toordinal())
        for candidate in map(date.fromordinal, range(day.toordinal(), last)):
            if self.windows_on(candidate):
                return candidate
        raise SettingsError(f"no open time within 20 years of {day}: check hours and closures")

    def windows_on(self, day: date) -> tuple[Window, ...]:
        """The hours of a local date, after closures and special hours."""
        special = self.open_windows.get(day)
        if special is not None:
            return special
        usual = self.weekly.get(day.weekday(), ())
        return () if usual and self._is_closed(day) else usual

    def closures_of(self, year: int) -> frozenset[date]:
        """The dates of a year that are closed, whichever hours their weekday has.

        One with hours of its own is none of them, be they empty.
        """
        ours = {day for day in self.extra_closed if day.year == year}
        return (self.holidays_of(year) | ours) - self.removed - self.open_windows.keys()

    def closed_dates(self, first: date, last: date) -> tuple[date, ...]:
        """The dates from `first` to `last`, both included, that lose their weekly hours."""
        days = map(date.fromordinal, range(first.toordinal(), last.toordinal() + 1))
        usual = (day for day in days if self.weekly.get(day.weekday()))
        return tuple(day for day in usual if not self.windows_on(day))

    def _is_closed(self, day: date) -> bool:
        if day in self.removed:
            return False
        return day in self.extra_closed or day in self.holidays_of(day.year)


@dataclass(frozen=True, slots=True)
class Due:
    """When a promise is used up. Both instants are UTC and whole seconds.

    `at` is the last instant that is on time, and lies inside the hours: it is compared and written
    to fields. `by_close` is the first one at which the target is used up: it is told to people.
    They differ only at a closing: four hours from 13:00 are used up at 17:00, and an answer at
    09:00 sharp the next day takes no longer.
    """

    at: datetime
    by_close: datetime


def add_business_time(start: datetime, seconds: int, calendar: Calendar) -> Due:
    """The due date `seconds` of open time after `start`.

    For 0 seconds, `at` is the next opening, or `start` itself where that is open.

    Raises:
        ValueError: `start` is naive, or `seconds` is negative.
        SettingsError: no open time within 20 years.
    """
    at, by_close = _add(_whole(start), seconds, calendar)
    return Due(_instant(at), _instant(by_close))


def business_elapsed(start: datetime, end: datetime, calendar: Calendar) -> int:
    """Open seconds from `start` to `end`; 0 where `end` is the earlier.

    Raises:
        ValueError: an instant is naive.
    """
    return _elapsed(_whole(start), _whole(end), calendar)


def _whole(instant: datetime) -> int:
    """Whole seconds since 1970, by integer arithmetic: a float could round a late year up."""
    if instant.utcoffset() is None:
        raise ValueError(f"{instant} has no time zone: pass an aware datetime")
    return (instant - _EPOCH) // _SECOND


def _instant(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)


def _add(start: int, seconds: int, calendar: Calendar) -> tuple[int, int]:
    if seconds < 0:
        raise ValueError(f"{seconds} seconds: a promise cannot be shorter than none")
    left = seconds
    by_close = None if left else start
    for opens, closes in _open_spans(start, calendar):
        span = closes - opens
        if by_close is None and left <= span:
            by_close = opens + left
        if by_close is not None and left < span:
            return opens + left, by_close
        left -= span
    raise SettingsError(f"no open time within 20 years of {_instant(start):%Y-%m-%d}")


def _elapsed(start: int, end: int, calendar: Calendar) -> int:
    total = 0
    for opens, closes in _open_spans(start, calendar):
        total += max(min(closes, end) - opens, 0)
        if closes >= end:
            break
    return total


def _open_spans(start: int, calendar: Calendar) -> Iterator[tuple[int, int]]:
    """Open spans from `start` on, in order; ends after 20 years without one."""
    zone = load_zone(calendar.zone)
    # Nothing of an earlier local date is left: its windows close by the midnight that began this.
    ordinal = datetime.fromtimestamp(start, zone).toordinal()
    horizon = ordinal + _TWENTY_YEARS
    while ordinal < horizon:
        day = date.fromordinal(ordinal)
        for opens, closes in calendar.windows_on(day):
            begin = max(first_instant(zone, day, opens), start)
            end = first_instant(zone, day, closes)
            if begin < end:
                yield begin, end
                horizon = ordinal + _TWENTY_YEARS
        ordinal += 1

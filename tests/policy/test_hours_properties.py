"""What holds of business hours for every zone, calendar and instant, tried on random ones."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from bridge.policy.hours import (
    DAY,
    HOUR,
    Calendar,
    Window,
    add_business_time,
    business_elapsed,
)
from bridge.policy.zones import load_zone, zone_names

MINUTE = 60
SECOND = timedelta(seconds=1)
LONGEST_TARGET = 60 * HOUR

# Zones whose clocks change in unusual ways, each with an instant at which they do.
CLOCK_CHANGES = [
    ("Africa/Cairo", datetime(2026, 4, 23, 22, tzinfo=UTC)),
    ("Africa/Casablanca", datetime(2026, 9, 20, 1, tzinfo=UTC)),
    ("America/Havana", datetime(2026, 3, 8, 5, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 11, 1, 6, tzinfo=UTC)),
    ("America/Santiago", datetime(2026, 4, 5, 3, tzinfo=UTC)),
    ("America/Sao_Paulo", datetime(2018, 11, 4, 3, tzinfo=UTC)),
    ("America/St_Johns", datetime(2006, 10, 29, 2, 31, tzinfo=UTC)),
    ("Antarctica/Troll", datetime(2026, 10, 25, 1, tzinfo=UTC)),
    ("Asia/Almaty", datetime(2024, 2, 29, 18, tzinfo=UTC)),
    ("Asia/Pyongyang", datetime(2015, 8, 14, 15, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 10, 3, 15, 30, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 3, 29, 1, tzinfo=UTC)),
    ("Pacific/Apia", datetime(2011, 12, 30, 10, tzinfo=UTC)),
    ("Pacific/Kwajalein", datetime(1993, 8, 21, 12, tzinfo=UTC)),
]


@dataclass(frozen=True)
class Case:
    """A calendar, and an instant on a whole minute near which its days are interesting."""

    calendar: Calendar
    start: datetime

    def later(self, seconds: int) -> datetime:
        return self.start + timedelta(seconds=seconds)


@st.composite
def places(draw: st.DrawFn) -> tuple[str, datetime]:
    zone, near = draw(st.sampled_from(CLOCK_CHANGES))
    if draw(st.booleans()):
        return zone, near + timedelta(minutes=draw(st.integers(-3 * 1440, 1440)))
    some_day = st.datetimes(datetime(1990, 1, 1), datetime(2040, 1, 1))  # noqa: DTZ001 - its API
    instant = draw(some_day).replace(second=0, microsecond=0, tzinfo=UTC)
    return draw(st.sampled_from(sorted(zone_names()))), instant


@st.composite
def windows(draw: st.DrawFn, *, least: int = 0) -> tuple[Window, ...]:
    """Windows on whole minutes that may touch, cover the day, or end at midnight."""
    if draw(st.integers(0, 9)) == 0:
        return ((0, DAY),)
    minutes = st.one_of(st.integers(0, 1440), st.integers(0, 180), st.sampled_from([0, 1440]))
    edges = sorted(draw(st.sets(minutes, min_size=2 * least, max_size=5)))
    spans = list(pairwise(edges))
    chosen = spans if draw(st.booleans()) else spans[::2]
    return tuple((opens * MINUTE, closes * MINUTE) for opens, closes in chosen)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    zone, start = draw(places())
    weekly = {weekday: draw(windows()) for weekday in range(7)}
    weekly[draw(st.integers(0, 6))] = draw(windows(least=1))
    nearby = st.sets(st.integers(-1, 5).map(lambda n: start.date() + timedelta(days=n)), max_size=2)
    holidays = frozenset(draw(nearby))
    calendar = Calendar(
        zone,
        weekly,
        holidays_of=lambda year: frozenset(day for day in holidays if day.year == year),
        extra_closed=frozenset(draw(nearby)),
        removed=frozenset(draw(nearby)),
        open_windows={day: draw(windows()) for day in draw(nearby)},
    )
    return Case(calendar, start)


properties = settings(
    deadline=None,
    max_examples=80,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
targets = st.one_of(st.integers(0, LONGEST_TARGET), st.sampled_from([0, 1, HOUR, 4 * HOUR, DAY]))
offsets = st.integers(0, 10 * DAY)


def is_open(calendar: Calendar, wall: datetime) -> bool:
    """The rules as the specification lists them, for one wall time."""
    day = wall.date()
    if day in calendar.open_windows:
        hours = calendar.open_windows[day]
    elif day not in calendar.removed and (
        day in calendar.extra_closed or day in calendar.holidays_of(day.year)
    ):
        hours = ()
    else:
        hours = calendar.weekly[day.weekday()]
    second = wall.hour * HOUR + wall.minute * MINUTE
    return any(opens <= second < closes for opens, closes in hours)


def open_minutes(calendar: Calendar, start: datetime, minutes: int) -> list[bool]:
    """Whether each minute from `start` on is open, by watching a clock on the wall tick.

    Where clocks go back, the hands wait at the latest time seen until it is passed again, for a
    repeated time counts as its first occurrence.
    """
    zone = load_zone(calendar.zone)
    latest = datetime.min  # noqa: DTZ901 - a wall time, compared with wall times only
    ticks = []
    for minute in range(-1500, minutes):
        shown = (start + timedelta(minutes=minute)).astimezone(zone).replace(tzinfo=None)
        latest = max(latest, shown)
        if minute >= 0:
            ticks.append(is_open(calendar, latest))
    return ticks


@properties
@given(cases(), st.integers(0, 4 * 1440), st.integers(0, 4 * 1440))
def test_due_and_elapsed_agree_with_counting_minutes(case: Case, end: int, pick: int) -> None:
    """Elapsed is the open minutes counted; `at` is the minute after the last one that is needed."""
    ticks = open_minutes(case.calendar, case.start, 4 * 1440)
    elapsed = business_elapsed(case.start, case.later(end * MINUTE), case.calendar)
    assert elapsed == sum(ticks[:end]) * MINUTE

    counted = [minute for minute, opened in enumerate(ticks) if opened]
    assume(counted)
    needed = pick % len(counted)
    due = add_business_time(case.start, needed * MINUTE, case.calendar)
    assert due.at == case.later(counted[needed] * MINUTE)
    used_up = counted[needed - 1] + 1 if needed else 0
    assert due.by_close == case.later(used_up * MINUTE)


@properties
@given(cases(), targets, st.integers(0, 59))
def test_at_is_the_last_instant_on_time_and_by_close_the_first_used_up(
    case: Case, target: int, seconds: int
) -> None:
    """4. "`at` = last instant t >= start with elapsed(start,t) <= seconds. `by_close` = first
    instant with elapsed == seconds."
    """
    start = case.later(seconds)
    due = add_business_time(start, target, case.calendar)
    assert business_elapsed(start, due.at, case.calendar) == target
    assert business_elapsed(start, due.at + SECOND, case.calendar) == target + 1
    assert business_elapsed(start, due.by_close, case.calendar) == target
    if target:
        assert business_elapsed(start, due.by_close - SECOND, case.calendar) == target - 1
    else:
        assert due.by_close == start


@properties
@given(cases(), targets)
def test_at_is_inside_hours(case: Case, target: int) -> None:
    """4. "`at` is always inside hours" """
    due = add_business_time(case.start, target, case.calendar)
    assert business_elapsed(due.at, due.at + SECOND, case.calendar) == 1
    assert add_business_time(due.at, 0, case.calendar).at == due.at


@properties
@given(cases(), targets, st.integers(-DAY, 20 * DAY), st.integers(-2, 2))
def test_late_is_after_at(case: Case, target: int, offset: int, near: int) -> None:
    """4. "`late <=> now > at` holds exactly" """
    due = add_business_time(case.start, target, case.calendar)
    for now in (case.later(offset), due.at + near * SECOND, due.by_close + near * SECOND):
        late = business_elapsed(case.start, now, case.calendar) > target
        assert late == (now > due.at)


@properties
@given(cases(), st.tuples(offsets, offsets, offsets))
def test_elapsed_time_adds_up_over_split_points(case: Case, at: tuple[int, int, int]) -> None:
    first, middle, last = map(case.later, sorted(at))
    parts = business_elapsed(first, middle, case.calendar) + business_elapsed(
        middle, last, case.calendar
    )
    assert parts == business_elapsed(first, last, case.calendar)


@properties
@given(cases(), targets, targets)
def test_targets_add_up(case: Case, one: int, other: int) -> None:
    """What is used up in two goes falls due when the sum of them does."""
    halfway = add_business_time(case.start, one, case.calendar).at
    whole = add_business_time(case.start, one + other, case.calendar).at
    assert add_business_time(halfway, other, case.calendar).at == whole


@properties
@given(cases(), targets, targets, offsets)
def test_a_later_start_or_a_longer_target_is_never_due_earlier(
    case: Case, one: int, other: int, offset: int
) -> None:
    short, long = sorted((one, other))
    due = add_business_time(case.start, short, case.calendar)
    for later in (
        add_business_time(case.start, long, case.calendar),
        add_business_time(case.later(offset), short, case.calendar),
    ):
        assert due.at <= later.at
        assert due.by_close <= later.by_close


@properties
@given(cases(), st.integers(0, 400))
def test_closed_dates_are_those_that_lose_their_weekly_hours(case: Case, days: int) -> None:
    first = case.start.date()
    last = first + timedelta(days=days)
    closed = set(case.calendar.closed_dates(first, last))
    assert all(first <= day <= last for day in closed)
    for day in (date.fromordinal(first.toordinal() + n) for n in range(days + 1)):
        weekly = case.calendar.weekly[day.weekday()]
        assert (day in closed) == bool(weekly and not case.calendar.windows_on(day))

"""Several records say where an account is: which of them counts, and what cannot be read."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.errors import SettingsError
from bridge.policy.calendars import build_calendar, clock_inputs, public_holidays, weekly_hash
from bridge.policy.hours import (
    AROUND_THE_CLOCK,
    DAY,
    HOUR,
    MONDAY_TO_FRIDAY,
    Window,
    add_business_time,
)
from bridge.policy.notation import parse_weekly, parse_windows
from bridge.policy.places import Address, locate_account
from bridge.policy.service_hours import Hours
from bridge.policy.terms import Terms
from tests.policy.written import weeks, windows

NOTHING = Address()
HOME = Address("Europe/Berlin", "DE", "BE")
BERLINS_OWN = date(2026, 3, 8)


@pytest.mark.parametrize(
    ("own", "told", "zone", "country", "subdivision"),
    [
        (NOTHING, NOTHING, "Europe/Berlin", "DE", "BE"),
        (NOTHING, Address("Europe/Vienna"), "Europe/Vienna", "AT", None),
        (NOTHING, Address(country="Austria"), "Europe/Berlin", "AT", None),
        (NOTHING, Address("America/Toronto", "CA", "Ontario"), "America/Toronto", "CA", "ON"),
        (Address("Europe/Paris", "FR"), Address("Asia/Tokyo", "JP"), "Europe/Paris", "FR", None),
        (NOTHING, Address(subdivision="BY"), "Europe/Berlin", "DE", "BE"),
    ],
)
def test_the_best_record_counts(
    own: Address, told: Address, zone: str, country: str, subdivision: str | None
) -> None:
    found = locate_account(own, told, HOME)
    assert (found.calendar.zone, found.place.country, found.place.subdivision) == (
        zone,
        country,
        subdivision,
    )
    assert found.unread == ()


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (Address("Berlin"), ["zone 'Berlin'"]),
        (Address("Europe/Berlin", "Germania"), ["country 'Germania'"]),
        (Address("Europe/Berlin", "DE", "Tyrol"), ["subdivision 'Tyrol'"]),
        (Address("Berlin", "Germania"), ["zone 'Berlin'", "country 'Germania'"]),
    ],
)
def test_what_a_helpdesk_says_illegibly_is_left_out_and_told(
    told: Address, said: list[str]
) -> None:
    found = locate_account(NOTHING, told, HOME)
    assert [word in unread for word, unread in zip(said, found.unread, strict=True)] == [
        True
    ] * len(said)
    assert set(found.unread) <= set(found.warnings)
    assert found.calendar.zone == "Europe/Berlin"


def test_the_home_has_holidays_of_its_own() -> None:
    assert BERLINS_OWN in locate_account(NOTHING, NOTHING, HOME).calendar.holidays_of(2026)
    elsewhere = locate_account(NOTHING, Address(country="DE", subdivision="BY"), HOME)
    assert BERLINS_OWN not in elsewhere.calendar.holidays_of(2026)


def test_a_setting_that_cannot_be_read_is_an_error() -> None:
    with pytest.raises(SettingsError, match="Germania"):
        locate_account(Address(country="Germania"), NOTHING, HOME)


# Hours


CHRISTMAS = date(2026, 12, 25)
SHORT = parse_windows("09:00-12:00")


def test_without_a_word_on_hours_the_terms_own_count() -> None:
    """ "Monday through Friday, 9:00 - 17:00 in your local time zone" """
    found = locate_account(NOTHING, NOTHING, HOME)
    assert found.calendar.weekly == MONDAY_TO_FRIDAY
    assert found.hours == Hours()


def test_hours_of_an_account_make_its_calendar() -> None:
    hours = Hours.from_dict(
        {
            "hours": "Mon-Thu 08:00-18:00, Fri 08:00-15:00",
            "closed": ["2026-12-24"],
            "worked": ["2026-05-01"],
            "open": ["2026-12-31 09:00-12:00"],
            "response_hours": 8,
        }
    )
    found = locate_account(NOTHING, NOTHING, HOME, hours)
    assert found.calendar == build_calendar(
        "Europe/Berlin",
        "DE",
        "BE",
        weekly=parse_weekly("Mon-Thu 08:00-18:00, Fri 08:00-15:00"),
        extra_closed=frozenset({date(2026, 12, 24)}),
        removed=frozenset({date(2026, 5, 1)}),
        open_windows={date(2026, 12, 31): SHORT},
    )
    assert found.hours.applied_to(Terms()).response_seconds == 8 * HOUR


def test_around_the_clock_every_second_counts() -> None:
    """On holidays and closed dates too, so that nobody need hear of their categories."""
    closed = frozenset({CHRISTMAS})
    hours = Hours(around_the_clock=True, categories=("bank",), extra_closed=closed)
    found = locate_account(NOTHING, NOTHING, HOME, hours)
    start = datetime(2026, 12, 24, 23, 30, tzinfo=UTC)
    due = add_business_time(start, 20 * HOUR, found.calendar)
    assert due.at == due.by_close == start + timedelta(hours=20)
    assert (found.place.country, found.warnings) == ("DE", ())


def test_categories_are_those_that_were_chosen() -> None:
    new_years_eve = date(2026, 12, 31)
    japan = Address("Asia/Tokyo", "JP")
    usual = locate_account(NOTHING, japan, HOME)
    chosen = locate_account(NOTHING, japan, HOME, Hours(categories=("public",)))
    assert usual.calendar.windows_on(new_years_eve) == ()
    assert chosen.calendar.windows_on(new_years_eve) == MONDAY_TO_FRIDAY[0]
    assert chosen.warnings == ()


@pytest.mark.parametrize(
    ("categories", "counted", "warning"),
    [
        (("public", "bank"), ("public",), "DE has no holidays bank, only catholic, public"),
        (("bank", "half_day"), ("public",), "DE has no .* half_day, .*: its usual ones close$"),
        (("catholic", "public"), ("catholic", "public"), None),
    ],
)  # fmt: skip
def test_categories_that_a_country_does_not_have_stop_no_ticket(
    categories: tuple[str, ...], counted: tuple[str, ...], warning: str | None
) -> None:
    """The deployment chooses for all countries, and an account's may change with a record."""
    found = locate_account(NOTHING, NOTHING, HOME, Hours(categories=categories))
    assert found.calendar == build_calendar("Europe/Berlin", "DE", "BE", categories=counted)
    assert found.unread == ()
    if warning:
        assert re.match(warning, found.warnings[-1])
    else:
        assert found.warnings == ()


def test_categories_ask_for_nothing_where_no_country_is_known() -> None:
    nowhere = Address("Etc/UTC")
    found = locate_account(nowhere, NOTHING, NOTHING, Hours(categories=("bank",)))
    assert found.calendar == build_calendar("Etc/UTC")
    assert found.warnings == ("no country is known: no public holiday is observed",)


days_around_christmas = st.integers(-3, 8).map(lambda days: CHRISTMAS + timedelta(days=days))
some_days = st.frozensets(days_around_christmas, max_size=4)
all_hours = st.builds(
    Hours,
    weekly=st.none() | weeks(),
    around_the_clock=st.sampled_from([None, None, None, False, True]),
    categories=st.sampled_from([None, ("public",), ("bank", "public"), ("bank",)]),
    extra_closed=some_days,
    removed=some_days,
    open_windows=st.dictionaries(days_around_christmas, windows(), max_size=3),
)


def expected(account: Hours, defaults: Hours, day: date) -> tuple[Window, ...]:
    """The rules one by one: who speaks of this day, and what counts first of what is said.

    2. "Order of precedence: open_windows > removed > extra_closed > holidays > weekly."
    """
    for source in (account, defaults):
        if source.around_the_clock:
            return ((0, DAY),)
        if source.weekly is not None or source.around_the_clock is False:
            break
    weekly = next((s.weekly for s in (account, defaults) if s.weekly is not None), MONDAY_TO_FRIDAY)
    chosen = next((s.categories for s in (account, defaults) if s.categories), ("public",))
    closed = day in public_holidays("LI", categories=chosen)(day.year)
    for source in (account, defaults):
        if day in source.open_windows:
            return source.open_windows[day]
        if day in source.removed | source.extra_closed:
            closed = day not in source.removed
            break
    return () if closed else weekly.get(day.weekday(), ())


@settings(deadline=None)  # the first to ask for a year builds it
@given(all_hours, all_hours, days_around_christmas)
def test_of_all_that_is_said_of_a_day_the_right_word_counts(
    account: Hours, defaults: Hours, day: date
) -> None:
    vaduz = Address("Europe/Vaduz", "LI")
    found = locate_account(vaduz, NOTHING, HOME, account.over(defaults))
    assert found.calendar.windows_on(day) == expected(account, defaults, day)


@settings(deadline=None)  # the first to ask for a year builds it
@given(all_hours)
def test_the_record_of_a_due_time_carries_what_it_was_computed_from(hours: Hours) -> None:
    """13. "categories, weekly hash, closed dates between start and due" """
    found = locate_account(Address("Europe/Vaduz", "LI"), NOTHING, HOME, hours)
    start, due = (datetime(2026, 12, day, 12, tzinfo=UTC) for day in (22, 30))
    record = clock_inputs(found.calendar, start, due, found.place.source)
    always = bool(hours.around_the_clock)
    assert record["categories"] == ([] if always else list(hours.categories or ("public",)))
    weekly = AROUND_THE_CLOCK if always else hours.weekly or MONDAY_TO_FRIDAY
    assert record["weekly_hash"] == weekly_hash(weekly)
    assert parse_weekly(record["weekly"]) == weekly
    between = [date(2026, 12, day) for day in range(22, 31)]
    assert record["closed_dates"] == [
        str(day)
        for day in between
        if weekly.get(day.weekday()) and not expected(hours, Hours(), day)
    ]


def test_where_nobody_says_a_zone_it_is_utc() -> None:
    assert locate_account(NOTHING, NOTHING, NOTHING).calendar.zone == "UTC"

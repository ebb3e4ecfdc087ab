"""What defaults and accounts say of hours: each alone, one over the other, and written down."""

import json
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import SettingsError
from bridge.policy.hours import DAY, HOUR, MONDAY_TO_FRIDAY, Window
from bridge.policy.notation import parse_weekly
from bridge.policy.service_hours import Hours, parse_hours
from bridge.policy.terms import Terms
from tests.policy.written import weeks, windows

EVE, SILVESTER, MAY_DAY = date(2026, 12, 24), date(2026, 12, 31), date(2026, 5, 1)
SHORT: tuple[Window, ...] = ((9 * HOUR, 12 * HOUR),)
LONG: tuple[Window, ...] = ((8 * HOUR, 18 * HOUR),)

dates = st.integers(0, 6).map(lambda days: EVE + timedelta(days=days))
some_dates = st.frozensets(dates, max_size=3)
categories = st.sets(st.sampled_from(["public", "bank", "optional"]), min_size=1).map(tuple)
hours = st.builds(
    Hours,
    weekly=st.none() | weeks(),
    around_the_clock=st.none() | st.booleans(),
    response_seconds=st.none() | st.integers(900, 7_200_000),
    categories=st.none() | categories,
    extra_closed=some_dates,
    removed=some_dates,
    open_windows=st.dictionaries(dates, windows(), max_size=3),
)

# One over the other


@given(hours)
def test_who_says_nothing_changes_nothing(said: Hours) -> None:
    assert said.over(Hours()) == said == Hours().over(said)


@given(hours, hours, hours)
def test_three_sources_may_be_put_together_in_either_order(a: Hours, b: Hours, c: Hours) -> None:
    assert a.over(b).over(c) == a.over(b.over(c))


@given(hours, hours)
def test_the_nearer_source_decides_all_that_it_speaks_of(near: Hours, far: Hours) -> None:
    merged = near.over(far)
    for name in ("weekly", "response_seconds", "categories"):
        said = getattr(near, name)
        assert getattr(merged, name) == (getattr(far, name) if said is None else said)
    for days in range(7):
        day = EVE + timedelta(days=days)
        speaks = near if word(near, day) != NO_WORD else far
        assert word(merged, day) == word(speaks, day)


def word(said: Hours, day: date) -> tuple[bool, bool, tuple[Window, ...] | None]:
    """What a source says of a date: closed, worked, its own hours."""
    return day in said.extra_closed, day in said.removed, said.open_windows.get(day)


NO_WORD = (False, False, None)


@pytest.mark.parametrize(
    ("near", "far", "always"),
    [
        (Hours(), Hours(around_the_clock=True), True),
        (Hours(around_the_clock=True), Hours(weekly=MONDAY_TO_FRIDAY), True),
        (Hours(around_the_clock=False), Hours(around_the_clock=True), False),
        (Hours(weekly=MONDAY_TO_FRIDAY), Hours(around_the_clock=True), False),
        (Hours(extra_closed=frozenset({EVE})), Hours(around_the_clock=True), True),
    ],
)
def test_weekly_hours_end_an_around_the_clock_behind_them(
    near: Hours, far: Hours, always: bool
) -> None:
    assert bool(near.over(far).around_the_clock) is always


def test_an_account_may_undo_what_the_deployment_says_of_a_date() -> None:
    deployment = Hours(
        extra_closed=frozenset({EVE}),
        removed=frozenset({MAY_DAY}),
        open_windows={SILVESTER: SHORT},
    )
    account = Hours(
        removed=frozenset({EVE}),
        open_windows={MAY_DAY: LONG},
        extra_closed=frozenset({SILVESTER}),
    )
    assert account.over(deployment) == account


@given(hours, some_dates)
def test_a_date_that_is_as_usual_again_is_not_spoken_of(said: Hours, days: frozenset[date]) -> None:
    usual = said.as_usual(days)
    for day in (EVE + timedelta(days=n) for n in range(7)):
        assert word(usual, day) == (NO_WORD if day in days else word(said, day))
    for name in ("weekly", "around_the_clock", "response_seconds", "categories"):
        assert getattr(usual, name) == getattr(said, name)


def test_the_promise_is_the_deployments_unless_an_account_has_its_own() -> None:
    terms = Terms(response_seconds=2 * HOUR, price=7)
    assert Hours().applied_to(terms) == terms
    own = Hours(response_seconds=8 * HOUR).applied_to(terms)
    assert own == Terms(response_seconds=8 * HOUR, price=7)


# Values


def test_hours_are_values() -> None:
    one = Hours(weekly=dict(MONDAY_TO_FRIDAY) | {6: ()}, categories=("public", "bank"))
    same = Hours(weekly=MONDAY_TO_FRIDAY, categories=("bank", "public"))
    assert (one, hash(one)) == (same, hash(same))
    assert one != Hours(weekly=MONDAY_TO_FRIDAY)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"weekly": {}}, "weekly hours are empty"),
        ({"weekly": {0: ((DAY, 0),)}}, "hours on Mon: 24:00-00:00 must open before"),
        ({"open_windows": {EVE: ()}}, "hours on 2026-12-24 are empty: close the date instead"),
        ({"open_windows": {EVE: SHORT + SHORT}}, "hours on 2026-12-24: 09:00-12:00 begins before"),
        ({"categories": ()}, "holiday categories are empty"),
        ({"categories": ("publik",)}, "unknown holiday category 'publik'; did you mean public"),
        ({"response_seconds": 0}, "response hours 0 are not between 0.25 and 2000"),
        ({"response_seconds": 2001 * HOUR}, "response hours 2001 are not between"),
    ],
)
def test_nonsense_is_an_error(said: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        Hours(**said)  # type: ignore[arg-type]


# Written down


@pytest.mark.parametrize("text", ["24/7", " Around  the CLOCK "])
def test_around_the_clock_may_be_written_as_hours(text: str) -> None:
    """It closes on no holiday either: who writes 24/7 does not expect to wait at Christmas."""
    assert parse_hours(text) == Hours(around_the_clock=True)
    assert parse_hours("Mon-Sun 00:00-24:00") == Hours(weekly=dict.fromkeys(range(7), ((0, DAY),)))


def test_what_is_said_is_written_as_people_write_it() -> None:
    said = {
        "hours": "Mon-Thu 08:00-18:00, Fri 08:00-15:00",
        "around_the_clock": False,
        "response_hours": 8,
        "holiday_categories": ["bank", "public"],
        "closed": ["2026-12-24", "2026-12-28"],
        "worked": ["2026-05-01"],
        "open": ["2026-12-31 09:00-12:00 13:00-14:00"],
    }
    hours = Hours.from_dict(said)
    assert hours.weekly == parse_weekly("Mon-Thu 08:00-18:00, Fri 08:00-15:00")
    assert hours.response_seconds == 8 * HOUR
    assert hours.as_dict() == said
    assert Hours().as_dict() == {}
    assert Hours.from_dict({"hours": "24/7"}).as_dict() == {"around_the_clock": True}


@given(hours)
def test_what_is_written_down_is_read_back_the_same(said: Hours) -> None:
    assert Hours.from_dict(json.loads(json.dumps(said.as_dict()))) == said


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"hours": "9-5"}, "names no weekday"),
        ({"closed": ["Christmas"]}, "'Christmas' is no date"),
        ({"worked": ["2026-13-01"]}, "'2026-13-01' is no date"),
        ({"open": ["2026-12-31"]}, "is no date with hours"),
        ({"response_hours": 0.1}, "response hours 0.1 are not between"),
    ],
)
def test_what_cannot_be_read_is_an_error(said: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        Hours.from_dict(said)

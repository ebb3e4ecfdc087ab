"""Public holidays, the country of a zone, and whose holidays apply.

Days and counts are those of the pinned `holidays` and `tzdata` packages, for years that are past or
set by law: an update that changes one of them changes due dates, and should be looked at.
"""

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime

import pytest

from bridge.errors import SettingsError
from bridge.policy import calendars
from bridge.policy.calendars import (
    CountrySource,
    Place,
    PublicHolidays,
    Region,
    build_calendar,
    country_code,
    find_place,
    public_holidays,
    subdivision_code,
)
from bridge.policy.countries import ASK_FOR_SUBDIVISION
from bridge.policy.hours import Calendar, add_business_time
from bridge.policy.notation import parse_windows
from bridge.policy.zones import country_of_zone, zone_names


def working_days_off(year: int, *place: str) -> set[str]:
    days = public_holidays(*place)(year)
    return {f"{day:%m-%d}" for day in days if day.weekday() < 5}


# Holidays


def test_the_united_states_close_on_the_federal_holidays_only() -> None:
    """ "Incident support is not available on major government holidays." """
    assert working_days_off(2026, "US") == {
        "01-01", "01-19", "02-16", "05-25", "06-19", "07-03",
        "09-07", "10-12", "11-11", "11-26", "12-25",
    }  # fmt: skip


def test_holidays_are_observed_when_they_fall_on_a_weekend() -> None:
    """Independence Day of 2026 is a Saturday, New Year's Day of 2022 was one too."""
    assert date(2026, 7, 3) in public_holidays("US")(2026)
    assert date(2021, 12, 31) in public_holidays("US")(2021)


def test_the_united_kingdom_is_england_unless_said_otherwise() -> None:
    """ "GB: subdivision required, default ENG (without it 6 weekday closures in 2026 instead of
    8)".
    """
    england = working_days_off(2026, "GB")
    assert england == working_days_off(2026, "GB", "ENG")
    assert len(england) == 8
    assert england > {"04-06", "08-31"}
    assert "08-31" not in working_days_off(2026, "GB", "SCT")


@pytest.mark.parametrize(
    ("country", "part"), [("DE", "BY"), ("AU", "NSW"), ("ES", "MD"), ("IT", "MI"), ("CH", "ZH")]
)
def test_a_subdivision_adds_its_own_days_where_we_ask_for_one(country: str, part: str) -> None:
    assert country in ASK_FOR_SUBDIVISION
    assert working_days_off(2026, country, part) > working_days_off(2026, country)


def test_no_half_day_closes_support_unless_the_account_asks_for_it() -> None:
    """ "half_day, bank, optional, school, religious, unofficial: off; per-account opt-in." """
    christmas_eve = date(2026, 12, 24)
    assert christmas_eve not in public_holidays("IS")(2026)
    chosen = public_holidays("IS", categories=["public", "half_day"])
    assert christmas_eve in chosen(2026)
    assert chosen == public_holidays("IS", categories=("half_day", "public", "public"))


@pytest.mark.parametrize(
    ("categories", "complaint"),
    [(["bank"], "US has no holidays 'bank', only"), ([], "categories of US are empty, name one")],
)
def test_unknown_or_no_categories_are_a_configuration_error(
    categories: list[str], complaint: str
) -> None:
    with pytest.raises(SettingsError) as error:
        public_holidays("US", categories=categories)
    known = "government, half_day, public, unofficial"
    assert str(error.value).removeprefix("holiday ") == f"{complaint}: {known}"


@pytest.mark.parametrize("language", ["de", "xx_XX", "en_US", ""])
@pytest.mark.parametrize("country", ["DE", "BS", "GH"])
def test_the_language_of_the_environment_changes_no_date(
    country: str, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some countries (BS, GH) have no names in English: dates are the same in any language."""
    expected = public_holidays(country)(2026)
    monkeypatch.setattr(calendars, "_built", {})
    monkeypatch.setenv("LANGUAGE", language)
    assert public_holidays(country)(2026) == expected


def test_threads_that_ask_at_once_get_one_and_the_same_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library's objects answer "no holiday" to a thread while another one fills them."""
    places = [PublicHolidays("US"), PublicHolidays("GB", "ENG"), PublicHolidays("DE", "BY")]
    asked = [(place, year) for place in places for year in range(2020, 2030)]
    alone = [place(year) for place, year in asked]
    monkeypatch.setattr(calendars, "_built", {})
    threads = 8
    together = threading.Barrier(threads)

    def ask(_: int) -> list[frozenset[date]]:
        together.wait(timeout=30)
        return [place(year) for place, year in asked]

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(threads) as pool:
            answers = list(pool.map(ask, range(threads)))
    finally:
        sys.setswitchinterval(interval)
    assert answers == [alone] * threads
    assert len({id(days) for answer in answers for days in answer}) == len(asked)


def test_data_that_end_or_are_suspended_do_not_cover_a_year() -> None:
    """14. "leaves the data's years (`end_year`) or a country has no day that year" """
    sri_lanka = public_holidays("LK")
    assert sri_lanka.covers(2025, 2026)
    assert not sri_lanka.covers(2026, 2027)
    assert not public_holidays("UA").covers(2026, 2026)
    assert public_holidays("UA").covers(2020, 2021)
    assert not public_holidays("US").covers(2100, 2101)
    assert not public_holidays("US").covers(1700, 1700)


# Countries and subdivisions by name


@pytest.mark.parametrize(
    ("text", "code"),
    [("DE", "DE"), ("de", "DE"), ("DEU", "DE"), (" Germany ", "DE"), ("UK", "GB"),
     ("United States", "US"), ("south korea", "KR"), ("Aland Islands", "AX")],
)  # fmt: skip
def test_a_country_is_known_by_code_or_name(text: str, code: str) -> None:
    assert country_code(text) == code


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Germny", "unknown country 'Germny'.* did you mean Germany"),
        ("united kingdon", "did you mean United Kingdom"),
        ("Deutschland", "or its English name$"),
        ("XX", "unknown country 'XX'"),
        ("", "unknown country ''"),
    ],
)
def test_an_unknown_country_is_an_error_that_names_similar_ones(text: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        country_code(text)


@pytest.mark.parametrize("text", ["BY", "by", "DE-BY", "de-by", "Bayern", " bayern "])
def test_a_subdivision_is_known_by_code_or_name(text: str) -> None:
    assert subdivision_code("DE", text) == "BY"


@pytest.mark.parametrize(
    ("country", "text", "message"),
    [
        ("DE", "Bayren", "unknown subdivision 'Bayren' of DE; did you mean Bayern"),
        ("DE", "XY", "unknown subdivision 'XY' of DE; known: BB, BE"),
        ("SE", "AB", "SE has no holidays by subdivision: leave out 'AB'"),
    ],
)
def test_an_unknown_subdivision_is_an_error_that_says_what_to_do(
    country: str, text: str, message: str
) -> None:
    with pytest.raises(SettingsError, match=message):
        public_holidays(country, text)


# The country of a zone


@pytest.mark.parametrize(
    ("zone", "country"),
    [
        ("Europe/Oslo", "NO"),
        ("Europe/Berlin", "DE"),
        ("America/Puerto_Rico", "PR"),
        ("America/Port_of_Spain", "TT"),
        ("Africa/Accra", "GH"),
    ],
)
def test_a_zone_counts_as_named(zone: str, country: str) -> None:
    """ "Look up the name as given, never canonicalise first" """
    assert country_of_zone(zone) == country


@pytest.mark.parametrize(
    ("zone", "country"),
    [("US/Pacific", "US"), ("Asia/Calcutta", "IN"), ("Australia/ACT", "AU"), ("Brazil/East", "BR")],
)
def test_an_old_name_stands_for_the_one_country_of_its_target(zone: str, country: str) -> None:
    """ "accept if the name has a `/` and the target has one country in zone1970" """
    assert country_of_zone(zone) == country


@pytest.mark.parametrize(
    "zone", ["UTC", "Etc/UTC", "Etc/GMT+5", "CET", "EST", "Japan", "Canada/Eastern", "Nowhere/City"]
)
def test_a_name_that_stands_for_no_or_several_countries_is_refused(zone: str) -> None:
    """ "Refuse the other 98 (Etc/*, UTC, CET, EST, Canada/Eastern ...)" """
    assert country_of_zone(zone) is None


def test_every_country_that_a_zone_stands_for_has_holidays() -> None:
    """ "418; ... 82 more names": all of them are countries that the `holidays` library knows."""
    found = [country for zone in zone_names() if (country := country_of_zone(zone))]
    assert len(found) == 418 + 82
    assert {country_code(country) for country in found} == set(found)


# Whose holidays apply


GERMANY = Region("DE", "BE")
FRANCE = Region("FR")
JAPAN = Region("JP")


def test_a_default_of_the_inferred_country_adds_its_subdivision() -> None:
    """The zone says Germany, the deployment says Berlin: no contradiction, and nothing to guess."""
    place = find_place("Europe/Berlin", None, None, Region("DE", "BE"))
    assert (place.country, place.subdivision) == ("DE", "BE")
    assert (place.source, place.warnings) == (CountrySource.DEFAULT, ())


def test_the_account_decides_before_the_organisation_the_zone_and_the_default() -> None:
    """ "account setting > organisation field > inferred ... > deployment default > none" """
    zone = "America/Chicago"
    assert find_place(zone, GERMANY, FRANCE, JAPAN) == Place("DE", "BE", CountrySource.ACCOUNT)
    assert find_place(zone, None, FRANCE, JAPAN) == Place("FR", None, CountrySource.ORGANISATION)
    inferred = find_place(zone, None, None, JAPAN)
    assert (inferred.country, inferred.source) == ("US", CountrySource.INFERRED)
    assert inferred.warnings == (f"country US is inferred from zone {zone}: confirm or set it",)
    assert find_place("Etc/UTC", None, None, JAPAN) == Place("JP", None, CountrySource.DEFAULT)


def test_without_a_country_no_holiday_is_observed_and_that_is_said() -> None:
    """ "none: no public holidays, warning" """
    nowhere = find_place("Etc/UTC")
    assert (nowhere.country, nowhere.source) == (None, CountrySource.NONE)
    assert nowhere.warnings == ("no country is known: no public holiday is observed",)


def test_an_organisations_record_that_cannot_be_read_stops_nothing() -> None:
    unknown = find_place("Europe/Paris", organisation=Region("Atlantis"))
    assert (unknown.country, unknown.source) == ("FR", CountrySource.INFERRED)
    assert "unknown country 'Atlantis'" in unknown.warnings[0]
    partly = find_place("Europe/Paris", organisation=Region("germany", "Bayren"))
    assert (partly.country, partly.subdivision) == ("DE", None)
    assert partly.source is CountrySource.ORGANISATION
    assert "unknown subdivision 'Bayren'" in partly.warnings[0]
    fully = find_place("Europe/Paris", organisation=Region("Germany", "Bayern"))
    assert fully == Place("DE", "BY", CountrySource.ORGANISATION)


@pytest.mark.parametrize("setting", ["account", "default"])
def test_a_setting_that_cannot_be_read_is_a_configuration_error(setting: str) -> None:
    with pytest.raises(SettingsError, match="unknown country 'Atlantis'"):
        find_place("Etc/UTC", **{setting: Region("Atlantis")})


def test_a_state_in_an_american_address_adds_no_holidays() -> None:
    """ "US none = the 11 federal days: exactly "major government holidays"; no state" """
    assert find_place("UTC", organisation=Region("US", "TX")).subdivision is None
    assert find_place("UTC", account=Region("US", "TX")).subdivision == "TX"


def test_a_country_of_states_asks_for_one() -> None:
    place = find_place("UTC", account=Region("DE"))
    assert place.warnings == ("DE has most of its holidays by subdivision: set one",)


# Calendars


def test_a_holiday_moves_the_due_date_to_the_next_working_day() -> None:
    calendar = build_calendar("America/New_York", "US")
    start = datetime(2026, 7, 2, 19, 0, tzinfo=UTC)
    due = add_business_time(start, 4 * 3600, calendar)
    assert due.at == datetime(2026, 7, 6, 15, 0, tzinfo=UTC)


def test_without_a_country_a_calendar_has_no_holidays() -> None:
    assert build_calendar("America/New_York") == Calendar("America/New_York")


def test_an_account_may_close_reopen_and_shorten_days() -> None:
    """ "Custom days: per account `extra_closed`, `removed`, `open_windows` by date." """
    calendar = build_calendar(
        "Europe/Berlin",
        "DE",
        "BE",
        extra_closed=frozenset({date(2026, 12, 24)}),
        removed=frozenset({date(2026, 5, 1)}),
        open_windows={date(2026, 12, 31): parse_windows("09:00-12:00")},
    )
    assert calendar.windows_on(date(2026, 12, 24)) == ()
    assert calendar.windows_on(date(2026, 12, 25)) == ()
    assert calendar.windows_on(date(2026, 5, 1)) == parse_windows("09:00-17:00")
    assert calendar.windows_on(date(2026, 12, 31)) == parse_windows("09:00-12:00")
    assert calendar.windows_on(date(2027, 1, 1)) == ()
    closures = calendar.closures_of(2026)
    assert date(2026, 12, 24) in closures
    assert not closures & {date(2026, 5, 1), date(2026, 12, 31), date(2027, 1, 1)}


def test_equal_places_make_equal_calendars() -> None:
    one, same = build_calendar("UTC", "de", "DE-BY"), build_calendar("UTC", "Germany", "Bayern")
    assert (one, hash(one)) == (same, hash(same))
    assert one != build_calendar("UTC", "DE")

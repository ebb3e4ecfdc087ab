"""Which days close support in a country.

Days are those of the pinned `holidays` package, for years that are past or set by law: an update
that changes one of them changes due dates, and should be looked at.
"""

from datetime import date

import holidays
import pytest
from holidays.registry import COUNTRIES

from bridge.errors import SettingsError
from bridge.policy.calendars import public_holidays
from bridge.policy.countries import categories_of, checked_categories, usual_categories

#: Weekdays on which nobody is in the office, whatever the law calls them, one in each country.
WELL_KNOWN = [
    ("AE", "2026-12-02", "National Day"),
    ("AR", "2026-05-25", "May Revolution Day"),
    ("AT", "2026-10-26", "National Day"),
    ("AU", "2026-01-26", "Australia Day"),
    ("BE", "2026-07-21", "National Day"),
    ("BR", "2026-09-07", "Independence Day"),
    ("CA", "2026-10-12", "Thanksgiving Day"),
    ("CH", "2025-08-01", "National Day"),
    ("CL", "2026-09-18", "Independence Day"),
    ("CN", "2026-10-01", "National Day"),
    ("CO", "2026-07-20", "Independence Day"),
    ("CZ", "2026-10-28", "Independent Czechoslovak State Day"),
    ("DE", "2025-10-03", "German Unity Day"),
    ("DK", "2026-05-14", "Ascension Day"),
    ("ES", "2026-10-12", "National Day"),
    ("FI", "2026-06-19", "Midsummer Eve"),
    ("FR", "2026-07-14", "National Day"),
    ("GB", "2026-08-31", "Late Summer Bank Holiday"),
    ("GR", "2026-03-25", "Independence Day"),
    ("HK", "2026-04-03", "Good Friday"),
    ("HU", "2026-08-20", "State Foundation Day"),
    ("ID", "2026-08-17", "Independence Day"),
    ("IE", "2026-03-17", "Saint Patrick's Day"),
    ("IL", "2026-09-21", "Yom Kippur"),
    ("IN", "2026-01-26", "Republic Day"),
    ("IS", "2026-06-17", "National Day"),
    ("IT", "2026-06-02", "Republic Day"),
    ("JP", "2026-12-31", "Bank Holiday"),
    ("KR", "2026-09-25", "Chuseok"),
    ("MO", "2026-12-25", "Christmas Day"),
    ("MX", "2026-09-16", "Independence Day"),
    ("MY", "2026-08-31", "National Day"),
    ("NL", "2026-04-27", "King's Day"),
    ("NO", "2027-05-17", "Constitution Day"),
    ("NZ", "2026-02-06", "Waitangi Day"),
    ("PH", "2026-06-12", "Independence Day"),
    ("PL", "2026-11-11", "National Independence Day"),
    ("PT", "2026-06-10", "Day of Portugal, Camões, and the Portuguese Communities"),
    ("RO", "2026-12-01", "National Day"),
    ("SA", "2026-09-23", "National Day"),
    ("SE", "2026-06-19", "Midsummer Eve"),
    ("SG", "2026-08-10", "National Day"),
    ("SH", "2026-01-01", "New Year's Day"),
    ("TH", "2026-04-13", "Songkran Festival"),
    ("TR", "2026-10-29", "Republic Day"),
    ("TT", "2026-02-17", "Carnival Tuesday"),
    ("TW", "2026-02-17", "Chinese New Year"),
    ("US", "2026-11-26", "Thanksgiving Day"),
    ("VN", "2026-09-02", "National Day"),
    ("ZA", "2026-09-24", "Heritage Day"),
]
YEARS = range(2025, 2034)


def names(country: str, *categories: str, part: str | None = None) -> dict[date, str]:
    """What the library calls the days of these categories."""
    days = holidays.country_holidays(
        country, subdiv=part, years=YEARS, categories=categories, language="en_US"
    )
    return {day: name.removesuffix(" (observed)") for day, name in days.items()}


@pytest.mark.parametrize(
    ("country", "iso", "name"), WELL_KNOWN, ids=[f"{code} {iso}" for code, iso, _ in WELL_KNOWN]
)
def test_a_well_known_day_closes_support(country: str, iso: str, name: str) -> None:
    """ "a table of 30 well-known days in as many countries" """
    day = date.fromisoformat(iso)
    found = public_holidays(country)
    assert day.weekday() < 5
    assert day in found(day.year)
    assert name in names(country, *found.categories, part=found.subdivision)[day]


@pytest.mark.parametrize(
    ("country", "added", "days"),
    [
        (
            "CA",
            "government",
            {
                "Boxing Day",
                "Canada Day",
                "Christmas Day",
                "National Day for Truth and Reconciliation",
                "Remembrance Day",
                "Thanksgiving Day",
                "Victoria Day",
            },
        ),
        ("HK", "optional", {"Good Friday", "The day following Good Friday", "Easter Monday"}),
        ("JP", "bank", {"Bank Holiday"}),
        (
            "MO",
            "optional",
            {
                "All Souls' Day",
                "Christmas Day",
                "Christmas Eve",
                "Dragon Boat Festival",
                "Good Friday",
                "Immaculate Conception",
                "The Buddha's Birthday",
                "The Day before Easter",
                "The day following National Day of the People's Republic of China",
                "Winter Solstice",
            },
        ),
        ("SE", "de_facto", {"Midsummer Eve", "Christmas Eve", "New Year's Eve"}),
        ("SH", "government", {"New Year's Day", "Pentecost Monday"}),
        ("TT", "optional", {"Carnival Monday", "Carnival Tuesday"}),
    ],
)
def test_a_category_is_added_where_each_of_its_days_is_one_on_which_offices_are_shut(
    country: str, added: str, days: set[str]
) -> None:
    """ "with the day's name as proof" """
    assert usual_categories(country) == ("public", added)
    public = names(country, "public")
    more = {day: name for day, name in names(country, added).items() if day not in public}
    assert set(more.values()) == days
    assert all(day in public_holidays(country)(day.year) for day in more)


def test_the_provinces_of_canada_say_themselves_what_is_public() -> None:
    """ "CA without subdivision: ("public","government") ... with subdivision: `public`" """
    ontario = public_holidays("CA", "ON")
    assert ontario.categories == ("public",)
    assert date(2026, 10, 12) in ontario(2026)
    assert date(2026, 9, 30) not in ontario(2026)


@pytest.mark.parametrize(("country", "part"), [("MO", "M"), ("SH", "HL")])
def test_a_part_of_a_country_keeps_what_the_country_adds(country: str, part: str) -> None:
    assert usual_categories(country, part) == usual_categories(country)


EVERYWHERE = sorted({code for _, code, *_ in COUNTRIES.values()})


def test_everywhere_else_public_holidays_are_what_counts() -> None:
    """ "every country's default category is `public`" """
    others = {code for code in EVERYWHERE if usual_categories(code) != ("public",)}
    assert others == {"CA", "HK", "JP", "MO", "SE", "SH", "TT"}
    assert all(set(usual_categories(code)) <= set(categories_of(code)) for code in EVERYWHERE)


def test_no_half_day_closes_support_of_itself() -> None:
    """ "half_day, ... school, religious, unofficial: off; per-account opt-in." """
    defaults = {category for code in EVERYWHERE for category in usual_categories(code)}
    assert defaults == {"public", "government", "optional", "bank", "de_facto"}
    assert date(2026, 12, 24) not in public_holidays("IS")(2026)


# Categories that somebody chose


def test_chosen_categories_are_the_same_in_any_order_and_case() -> None:
    assert checked_categories([" Public", "bank", "public"]) == ("bank", "public")


@pytest.mark.parametrize("code", EVERYWHERE)
def test_every_category_of_a_country_can_be_chosen(code: str) -> None:
    assert checked_categories(categories_of(code)) == tuple(sorted(categories_of(code)))


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ([], "are empty: name at least one, such as public"),
        (["publik"], "unknown holiday category 'publik'; did you mean public"),
        (["public", "q"], "unknown holiday category 'q'; known: albanian, armed_forces, "),
        (["jan"], "unknown holiday category 'jan'"),
    ],
)
def test_a_category_that_no_country_has_is_an_error(chosen: list[str], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        checked_categories(chosen)

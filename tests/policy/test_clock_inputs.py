"""The record of a due date's inputs, and the versions of the data behind it."""

import importlib.metadata
import json
import zoneinfo
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from bridge.policy.calendars import (
    CountrySource,
    build_calendar,
    clock_inputs,
    data_versions,
    weekly_hash,
)
from bridge.policy.hours import MONDAY_TO_FRIDAY, Calendar, add_business_time
from bridge.policy.notation import parse_windows
from bridge.policy.zones import load_zone

START = datetime(2026, 12, 24, 4, 30, tzinfo=UTC)
DUE = datetime(2027, 1, 4, 15, 0, tzinfo=UTC)


def test_the_record_names_all_that_a_due_date_was_computed_from() -> None:
    """13. "Persist: ... zone, country, subdiv, categories, weekly hash, closed dates between start
    and due, holidays version, IANA version".
    """
    calendar = build_calendar(
        "America/New_York",
        "US",
        extra_closed=frozenset({date(2026, 12, 28), date(2027, 3, 1)}),
        open_windows={
            date(2026, 12, 23): parse_windows("09:00-12:00"),
            date(2027, 1, 5): parse_windows("09:00-12:00"),
        },
    )
    record = clock_inputs(calendar, START, DUE, CountrySource.ACCOUNT)
    assert record == {
        "zone": "America/New_York",
        "country": "US",
        "subdivision": None,
        "country_source": "account",
        "categories": ["public"],
        "weekly": "Mon-Fri 09:00-17:00",
        "weekly_hash": weekly_hash(MONDAY_TO_FRIDAY),
        "closed_dates": ["2026-12-25", "2026-12-28", "2027-01-01"],
        "open_windows": {"2026-12-23": [[9 * 3600, 12 * 3600]]},
        "holidays_version": importlib.metadata.version("holidays"),
        "iana_version": data_versions().iana,
        "calendar_incomplete": False,
    }
    assert json.loads(json.dumps(record)) == record


def test_dates_are_those_of_the_calendars_zone() -> None:
    """04:30 UTC on the 24th is still the 23rd in New York, and noon already in Auckland."""
    closed = frozenset({date(2026, 12, 23)})
    in_new_york = Calendar("America/New_York", extra_closed=closed)
    in_auckland = Calendar("Pacific/Auckland", extra_closed=closed)
    source = CountrySource.NONE
    assert clock_inputs(in_new_york, START, DUE, source)["closed_dates"] == ["2026-12-23"]
    assert clock_inputs(in_auckland, START, DUE, source)["closed_dates"] == []


def test_a_calendar_without_country_is_recorded_as_such() -> None:
    record = clock_inputs(build_calendar("UTC"), START, DUE, CountrySource.NONE)
    assert (record["country"], record["categories"]) == (None, [])
    assert record["calendar_incomplete"] is False


@pytest.mark.parametrize(
    ("country", "incomplete"), [("US", False), ("LK", True), ("UA", True), ("GB", False)]
)
def test_a_due_date_beyond_the_holiday_data_is_flagged(country: str, incomplete: bool) -> None:
    """14. "compute, but flag `calendar_incomplete`" """
    calendar = build_calendar("UTC", country)
    record = clock_inputs(calendar, START, DUE, CountrySource.INFERRED)
    assert record["calendar_incomplete"] is incomplete


def test_naive_instants_are_an_error() -> None:
    naive = datetime(2026, 12, 24)  # noqa: DTZ001 - the mistake under test
    with pytest.raises(ValueError, match="aware"):
        clock_inputs(build_calendar("UTC"), naive, DUE, CountrySource.NONE)


def test_the_fingerprint_of_weekly_hours_stays_the_same_for_ever() -> None:
    """Stored records are compared with it, so neither key order nor a new release may change it."""
    backwards = {day: MONDAY_TO_FRIDAY[day] for day in (4, 3, 2, 1, 0)} | {6: ()}
    assert weekly_hash(backwards) == weekly_hash(MONDAY_TO_FRIDAY) == "07a2c55581f7373c"
    assert weekly_hash({0: parse_windows("09:00-17:00")}) != weekly_hash(MONDAY_TO_FRIDAY)


@pytest.fixture
def tzpath(tmp_path: Path) -> Iterator[Path]:
    data_versions.cache_clear()
    before = zoneinfo.TZPATH
    zoneinfo.reset_tzpath([tmp_path])
    yield tmp_path
    zoneinfo.reset_tzpath(before)
    data_versions.cache_clear()


def test_the_versions_are_those_of_the_packages(tzpath: Path) -> None:
    versions = data_versions()
    assert versions.holidays == importlib.metadata.version("holidays")
    assert versions.tzdata == importlib.metadata.version("tzdata")
    year, letter = versions.iana[:4], versions.iana[4:]
    assert versions.tzdata.split(".") == [year, str("abcdefghijklmnopqrstuvwxyz".index(letter) + 1)]


def test_a_system_copy_of_the_zones_is_noticed(tzpath: Path) -> None:
    """ "`zoneinfo` prefers the system copy ... check at start-up" """
    assert data_versions().zoneinfo_pinned
    data_versions.cache_clear()
    (tzpath / "Etc").mkdir()
    (tzpath / "Etc/UTC").touch()
    assert not data_versions().zoneinfo_pinned


def test_due_dates_never_use_a_system_copy_of_the_zones(tzpath: Path) -> None:
    """Old copies do not know that British Columbia keeps summer time from November 2026 on."""
    (tzpath / "America").mkdir()
    (tzpath / "America/Vancouver").write_bytes(b"not a zone")
    load_zone.cache_clear()
    calendar = build_calendar("America/Vancouver", "CA", "BC")
    opening = add_business_time(datetime(2027, 1, 3, tzinfo=UTC), 0, calendar).at
    assert opening == datetime(2027, 1, 4, 16, tzinfo=UTC)

"""Where a calendar comes from: public holidays, whose they are, and a record of the inputs.

"Incident support is not available on major government holidays": the `public` holidays of the
`holidays` library, and what `countries` adds to them, as frozen sets per year. The library's own
objects are never shared: they fill themselves while they are read, and answer a second thread "no
holiday" meanwhile.
"""

import hashlib
import json
import zoneinfo
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from importlib.metadata import version
from pathlib import Path
from threading import Lock
from typing import Any

import holidays
from holidays.registry import COUNTRIES

from bridge.errors import SettingsError, did_you_mean
from bridge.policy.countries import (
    ASK_FOR_SUBDIVISION,
    DEFAULT_SUBDIVISION,
    NATIONAL_ONLY,
    PUBLIC,
    categories_of,
    usual_categories,
)
from bridge.policy.hours import MONDAY_TO_FRIDAY, Calendar, Weekly, Window, no_holidays
from bridge.policy.notation import format_weekly
from bridge.policy.zones import country_of_zone, local_date, zone_file

_built: dict[tuple[str, str | None, tuple[str, ...], int], frozenset[date]] = {}
_building = Lock()


@dataclass(frozen=True, slots=True)
class PublicHolidays:
    """The public holidays of a place, for any year. A value, safe to share between threads.

    Made by `public_holidays`, which checks and completes what it is given.
    """

    country: str
    subdivision: str | None = None
    categories: tuple[str, ...] = PUBLIC

    def __call__(self, year: int) -> frozenset[date]:
        """The closed dates of a year; empty outside the library's data."""
        key = (self.country, self.subdivision, self.categories, year)
        days = _built.get(key)
        if days is None:
            with _building:
                if key not in _built:
                    _built[key] = self._build(year)
                days = _built[key]
        return days

    def _build(self, year: int) -> frozenset[date]:
        # `language` names the days, it does not choose them: 36 countries have no en_US and keep
        # their own names. Left out, it would be read from the environment.
        return frozenset(
            holidays.country_holidays(
                self.country,
                subdiv=self.subdivision,
                categories=self.categories,
                years=year,
                expand=False,
                observed=True,
                language="en_US",
            )
        )

    def covers(self, first_year: int, last_year: int) -> bool:
        """Whether there is at least one closed date in each of these years, both included.

        A year beyond the library's data (Sri Lanka's end in 2026), and one whose holidays are
        suspended (Ukraine under martial law), look like plain working days.
        """
        return all(self(year) for year in range(first_year, last_year + 1))


def public_holidays(
    country: str, subdivision: str | None = None, categories: Iterable[str] | None = None
) -> PublicHolidays:
    """The holidays that close support in a country or its subdivision.

    Categories default to `usual_categories`. Others are a choice of the account: a
    `half_day` would close the whole day, so give the date's hours as special hours instead.

    Raises:
        SettingsError: the library does not know the country, the subdivision or a category.
    """
    code = country_code(country)
    part = subdivision_code(code, subdivision) if subdivision else DEFAULT_SUBDIVISION.get(code)
    if categories is None:
        return PublicHolidays(code, part, usual_categories(code, part))
    wanted = tuple(sorted(set(categories)))
    known = categories_of(code)
    for category in wanted:
        if category not in known:
            raise SettingsError(f"{code} has no holidays {category!r}, only: {', '.join(known)}")
    if not wanted:
        raise SettingsError(f"holiday categories of {code} are empty, name one: {', '.join(known)}")
    return PublicHolidays(code, part, wanted)


def build_calendar(
    zone: str,
    country: str | None = None,
    subdivision: str | None = None,
    *,
    categories: Iterable[str] | None = None,
    weekly: Weekly = MONDAY_TO_FRIDAY,
    extra_closed: frozenset[date] = frozenset(),
    removed: frozenset[date] = frozenset(),
    open_windows: Mapping[date, tuple[Window, ...]] | None = None,
) -> Calendar:
    """An account's calendar. Without a country, no public holiday closes it.

    Raises:
        SettingsError: as `Calendar` and `public_holidays`.
    """
    return Calendar(
        zone=zone,
        weekly=weekly,
        holidays_of=public_holidays(country, subdivision, categories) if country else no_holidays,
        extra_closed=extra_closed,
        removed=removed,
        open_windows=open_windows or {},
    )


def country_code(text: str) -> str:
    """The ISO 3166 alpha-2 code of a country: from that code, the alpha-3 one, or its name.

    Raises:
        SettingsError: no such country; names similar ones.
    """
    wanted = text.strip().replace(" ", "_").casefold()
    for name, (_, code, *others) in COUNTRIES.items():
        if wanted in (name, code.casefold(), *map(str.casefold, others)):
            return code
    names = [name.replace("_", " ").title() for name in COUNTRIES]
    hint = did_you_mean(text.strip().title(), names)
    raise SettingsError(
        f"unknown country {text!r}: give a two-letter ISO 3166 code, or its English name{hint}"
    )


def subdivision_code(country: str, text: str) -> str:
    """The code of a state or province within `country`: from `"BY"`, `"DE-BY"` or `"Bayern"`.

    Raises:
        SettingsError: no such subdivision has holidays of its own; names similar ones.
    """
    data = getattr(holidays, country)
    codes: dict[str, str] = {code.casefold(): code for code in data.subdivisions}
    codes |= {name.casefold(): code for name, code in data.subdivisions_aliases.items()}
    wanted = text.strip().casefold().removeprefix(f"{country.casefold()}-")
    if wanted in codes:
        return codes[wanted]
    if not codes:
        raise SettingsError(f"{country} has no holidays by subdivision: leave out {text!r}")
    hint = (
        did_you_mean(text, data.subdivisions_aliases) or f"; known: {', '.join(data.subdivisions)}"
    )
    raise SettingsError(f"unknown subdivision {text!r} of {country}{hint}")


class CountrySource(StrEnum):
    """How the country of an account's holidays is known, best first."""

    ACCOUNT = "account"
    ORGANISATION = "organisation"
    INFERRED = "inferred"
    DEFAULT = "default"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Region:
    """A country and, within it, a subdivision, as somebody wrote them."""

    country: str
    subdivision: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Whose holidays apply to an account, how that is known, and what an admin should look at."""

    country: str | None
    subdivision: str | None
    source: CountrySource
    warnings: tuple[str, ...] = ()


def find_place(
    zone: str,
    account: Region | None = None,
    organisation: Region | None = None,
    default: Region | None = None,
) -> Place:
    """Whose holidays apply to an account in that zone.

    The account's setting, else the organisation's record in the helpdesk, else the country of the
    zone (with the default's subdivision where that is the default's country), else the deployment's
    default, else nobody's. A helpdesk's record is not a setting: what
    cannot be read in it is left out, with a warning, and stops no ticket.

    Raises:
        SettingsError: `account` or `default` names an unknown country or subdivision.
    """
    if account:
        return _place_in(account, CountrySource.ACCOUNT)
    warnings: tuple[str, ...] = ()
    if organisation:
        region, warnings = legible(organisation)
        if region:
            return _place_in(region, CountrySource.ORGANISATION, warnings)
    inferred = country_of_zone(zone)
    if default and inferred == country_code(default.country):
        return _place_in(default, CountrySource.DEFAULT, warnings)
    if inferred:
        guess = f"country {inferred} is inferred from zone {zone}: confirm or set it"
        return _place_in(Region(inferred), CountrySource.INFERRED, (*warnings, guess))
    if default:
        return _place_in(default, CountrySource.DEFAULT, warnings)
    none = "no country is known: no public holiday is observed"
    return Place(None, None, CountrySource.NONE, (*warnings, none))


def legible(record: Region) -> tuple[Region | None, tuple[str, ...]]:
    """What can be read of a helpdesk's record, and a warning where that is not all of it."""
    region = None
    try:
        region = Region(country_code(record.country))
        if record.subdivision and region.country not in NATIONAL_ONLY:
            part = subdivision_code(region.country, record.subdivision)
            region = Region(region.country, part)
    except SettingsError as error:
        return region, (f"the organisation's record is not used in full: {error}",)
    return region, ()


def _place_in(region: Region, source: CountrySource, warnings: tuple[str, ...] = ()) -> Place:
    found = public_holidays(region.country, region.subdivision)
    if found.country in ASK_FOR_SUBDIVISION and not found.subdivision:
        few = f"{found.country} has most of its holidays by subdivision: set one"
        warnings = (*warnings, few)
    return Place(found.country, found.subdivision, source, warnings)


def clock_inputs(
    calendar: Calendar, start: datetime, due: datetime, source: CountrySource
) -> dict[str, Any]:
    """What `calendar` said of the time from `start` to `due`, both aware and included.

    Stored with a due date, so that it can be explained years later: "The due time is stored with
    the inputs that it was computed from, and is not recomputed for past tickets when a holiday list
    or zone file changes." In JSON's own types: dates as ISO text, times of day in seconds.
    `calendar_incomplete` says that the holiday data do not reach over all of that time.

    Raises:
        ValueError: an instant is naive.
    """
    first, last = local_date(start, calendar.zone), local_date(due, calendar.zone)
    closures = calendar.holidays_of if isinstance(calendar.holidays_of, PublicHolidays) else None
    versions = data_versions()
    return {
        "zone": calendar.zone,
        "country": closures.country if closures else None,
        "subdivision": closures.subdivision if closures else None,
        "country_source": source.value,
        "categories": list(closures.categories) if closures else [],
        "weekly": format_weekly(calendar.weekly),
        "weekly_hash": weekly_hash(calendar.weekly),
        "closed_dates": [day.isoformat() for day in calendar.closed_dates(first, last)],
        "open_windows": {
            day.isoformat(): [list(window) for window in windows]
            for day, windows in sorted(calendar.open_windows.items())
            if first <= day <= last
        },
        "holidays_version": versions.holidays,
        "iana_version": versions.iana,
        "calendar_incomplete": closures is not None and not closures.covers(first.year, last.year),
    }


def weekly_hash(weekly: Weekly) -> str:
    """A short fingerprint of weekly hours, the same in every process and release."""
    text = json.dumps([weekly.get(weekday, ()) for weekday in range(7)])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class DataVersions:
    """Which public data this process computes with.

    `zoneinfo_pinned` is False where plain `ZoneInfo(name)` reads the system's copy of the zones
    rather than the `tzdata` package: `PYTHONTZPATH=""` mends that. `load_zone` is always pinned.
    """

    holidays: str
    tzdata: str
    iana: str
    zoneinfo_pinned: bool


@cache
def data_versions() -> DataVersions:
    """Versions of the `holidays` and `tzdata` packages, and of the IANA release in the latter."""
    return DataVersions(
        holidays=version("holidays"),
        tzdata=version("tzdata"),
        iana=zone_file("tzdata.zi")[0].removeprefix("# version "),
        zoneinfo_pinned=not any(Path(root, "Etc/UTC").is_file() for root in zoneinfo.TZPATH),
    )

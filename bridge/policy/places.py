"""Where an account is, and its hours: several sources say it, and one calendar comes of them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bridge.errors import SettingsError
from bridge.policy.calendars import Place, Region, build_calendar, clock_inputs, find_place, legible
from bridge.policy.countries import categories_of
from bridge.policy.hours import AROUND_THE_CLOCK, MONDAY_TO_FRIDAY, Calendar
from bridge.policy.service_hours import Hours
from bridge.policy.terms import Terms
from bridge.policy.zones import load_zone

NOTHING_SAID = Hours()
USUAL_TERMS = Terms()


@dataclass(frozen=True, slots=True)
class Address:
    """What a record says of where its people work; None where it says nothing."""

    zone: str | None = None
    country: str | None = None
    subdivision: str | None = None

    @property
    def region(self) -> Region | None:
        """The country with its subdivision; a subdivision alone says nothing."""
        return Region(self.country, self.subdivision) if self.country else None


@dataclass(frozen=True, slots=True)
class AccountCalendar:
    """The calendar of an account, whose holidays those are, and what an admin should look at.

    `unread` are those of the warnings that are about a helpdesk's record that cannot be read.
    `hours` is what is said of its hours, that of all sources together. `terms` are the
    deployment's, with the response time that the account was promised.
    """

    calendar: Calendar
    place: Place
    warnings: tuple[str, ...]
    unread: tuple[str, ...]
    hours: Hours
    terms: Terms

    def inputs(self, start: datetime, due: datetime) -> dict[str, Any]:
        """What a due time was computed from, to be stored with it."""
        return clock_inputs(self.calendar, start, due, self.place.source)


def locate_account(
    own: Address,
    helpdesk_address: Address,
    home: Address,
    hours: Hours = NOTHING_SAID,
    terms: Terms = USUAL_TERMS,
) -> AccountCalendar:
    """When support is open for an account.

    Its own setting comes first, then what its helpdesk says, then the deployment's default. A
    helpdesk's record that cannot be read is left out with a warning, and so are categories of
    holidays that the country does not have: it may change with that record, and stops no ticket.

    Args:
        own: where the account's own setting says it is.
        helpdesk_address: where its helpdesk says it is.
        home: where accounts are that nobody says anything else of.
        hours: what the account says of its hours, over what the deployment does.
        terms: the deployment's.

    Raises:
        SettingsError: `own` or `home` cannot be read, or with these hours support never opens.
    """
    zone, unread = _zone(own, helpdesk_address, home)
    place = find_place(zone, own.region, helpdesk_address.region, home.region)
    categories, strange = _categories(place.country, hours)
    warnings = (*unread, *place.warnings, *strange)
    if helpdesk_address.region and not own.region:
        unread += legible(helpdesk_address.region)[1]
    calendar = _calendar(zone, place, hours, categories)
    return AccountCalendar(calendar, place, warnings, unread, hours, hours.applied_to(terms))


def _calendar(
    zone: str, place: Place, hours: Hours, categories: tuple[str, ...] | None
) -> Calendar:
    if hours.around_the_clock:
        return Calendar(zone, AROUND_THE_CLOCK)
    return build_calendar(
        zone,
        place.country,
        place.subdivision,
        categories=categories,
        weekly=hours.weekly or MONDAY_TO_FRIDAY,
        extra_closed=hours.extra_closed,
        removed=hours.removed,
        open_windows=hours.open_windows,
    )


def _categories(
    country: str | None, hours: Hours
) -> tuple[tuple[str, ...] | None, tuple[str, ...]]:
    """Those of the chosen categories that a country has, None for its usual ones; and a warning."""
    if not country or not hours.categories or hours.around_the_clock:
        return None, ()
    known = categories_of(country)
    strange = [name for name in hours.categories if name not in known]
    had = tuple(name for name in hours.categories if name in known) or None
    if not strange:
        return had, ()
    rest = "" if had else ": its usual ones close"
    missing, there = ", ".join(strange), ", ".join(known)
    return had, (f"{country} has no holidays {missing}, only {there}{rest}",)


def _zone(own: Address, helpdesk_address: Address, home: Address) -> tuple[str, tuple[str, ...]]:
    fallback = own.zone or home.zone or "UTC"
    if own.zone or not helpdesk_address.zone:
        return fallback, ()
    try:
        load_zone(helpdesk_address.zone)
    except SettingsError as error:
        return fallback, (f"the organisation's zone is not used: {error}",)
    return helpdesk_address.zone, ()

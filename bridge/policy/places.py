"""Where an account is: several records say it, and one calendar comes of them."""

from dataclasses import dataclass

from bridge.errors import SettingsError
from bridge.policy.calendars import Place, Region, build_calendar, legible, locate
from bridge.policy.hours import Calendar
from bridge.policy.zones import load_zone


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
class Settled:
    """The calendar of an account, whose holidays those are, and what an admin should look at.

    `unread` are those of the warnings that are about a helpdesk's record that cannot be read.
    """

    calendar: Calendar
    place: Place
    warnings: tuple[str, ...]
    unread: tuple[str, ...]


def settle(own: Address, told: Address, home: Address) -> Settled:
    """When support is open for an account.

    Its own setting comes first, then what its helpdesk says, then the deployment's default. A
    helpdesk's record that cannot be read is left out with a warning.

    Raises:
        SettingsError: `own` or `home` cannot be read.
    """
    zone, unread = _zone(own, told, home)
    place = locate(zone, own.region, told.region, home.region)
    warnings = (*unread, *place.warnings)
    if told.region and not own.region:
        unread += legible(told.region)[1]
    calendar = build_calendar(zone, place.country, place.subdivision)
    return Settled(calendar, place, warnings, unread)


def _zone(own: Address, told: Address, home: Address) -> tuple[str, tuple[str, ...]]:
    fallback = own.zone or home.zone or "UTC"
    if own.zone or not told.zone:
        return fallback, ()
    try:
        load_zone(told.zone)
    except SettingsError as error:
        return fallback, (f"the organisation's zone is not used: {error}",)
    return told.zone, ()

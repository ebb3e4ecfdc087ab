"""When an answer would be due: without settings, database or ticket, as it is for a ticket."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bridge.errors import BadRequest
from bridge.policy.calendars import build_calendar, clock_inputs, find_place
from bridge.policy.hours import Due, add_business_time
from bridge.policy.places import Address
from bridge.policy.zones import load_zone


@dataclass(frozen=True, slots=True)
class Expected:
    """A first response that would be due, what that was computed from, and what to look at.

    `opened_at` is in UTC; `inputs` are those that are stored with a ticket's due time.
    """

    opened_at: datetime
    zone: str
    due: Due
    inputs: dict[str, Any]
    warnings: tuple[str, ...]


def first_response(opened_at: str, address: Address, response_seconds: int) -> Expected:
    """When a first response would be due, in Monday to Friday's usual hours. Pure.

    Args:
        opened_at: ISO 8601; without an offset it is local time in the zone.
        address: the zone, UTC where there is none, and whose holidays; else the zone's country's.
        response_seconds: the promise, in business time.

    Raises:
        SettingsError: unknown zone, country or subdivision.
        BadRequest: no such instant, a subdivision without its country, or beyond all calendars.
    """
    if address.subdivision and not address.country:
        raise BadRequest("a subdivision needs its country; give --country too")
    zone = address.zone or "UTC"
    place = find_place(zone, address.region)
    calendar = build_calendar(zone, place.country, place.subdivision)
    try:
        start, taken = _instant(opened_at, zone)
        due = add_business_time(start, response_seconds, calendar)
        inputs = clock_inputs(calendar, start, due.at, place.source)
    except (OverflowError, ValueError, OSError):
        raise BadRequest("that is beyond the years that calendars know") from None
    return Expected(start, zone, due, inputs, taken + place.warnings)


def _instant(text: str, zone: str) -> tuple[datetime, tuple[str, ...]]:
    """The instant (UTC), and what was taken where clocks show that time never, or twice."""
    known = load_zone(zone)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise BadRequest(f"{text!r} is no ISO 8601 time, like 2026-11-20T15:30") from None
    if at.tzinfo:
        return at.astimezone(UTC), ()
    earlier, later = (at.replace(tzinfo=known, fold=fold) for fold in (0, 1))
    start = earlier.astimezone(UTC)
    if earlier.utcoffset() == later.utcoffset():
        return start, ()
    shown = start.astimezone(known)
    if shown.replace(tzinfo=None) == at:
        taken = (
            f"clocks in {zone} show {at:%H:%M} twice on {at:%Y-%m-%d}; the earlier was taken,"
            f" {shown.isoformat()}; the later is {later.isoformat()}"
        )
    else:
        taken = (
            f"clocks in {zone} never show {at:%H:%M} on {at:%Y-%m-%d}, as they go forward then;"
            f" {shown.isoformat()} was taken"
        )
    return start, (taken,)

"""Calendars and SLAs: when Zammad says that a first response is due.

Held against recordings 173 to 185. Not there: targets for updates and solutions, breaks while a
ticket was pending, iCalendar feeds, and the job that goes over the tickets when an SLA changes:
here a ticket learns of it when it is saved.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from bridge.sandbox.zammad.conditions import Event, holds
from bridge.sandbox.zammad.records import ApiError, Record
from bridge.sandbox.zammad.store import Store

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LONGEST = 20 * 366


class Escalations:
    """Writes onto a ticket what follows from the SLA that fits it.

    Args:
        store: the database.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def apply(self, ticket: Record) -> None:
        """Compute the times anew; what a caller wrote into them is gone (recordings 182, 187)."""
        due = None
        disabled = self._store.get("TicketState", ticket["state_id"])["ignore_escalation"]
        sla = self.sla_of(ticket)
        calendar = self._store.tables["Calendar"].get(sla["calendar_id"] or 0) if sla else None
        if sla and calendar:
            if not disabled and ticket["first_response_at"] is None and sla["first_response_time"]:
                span = timedelta(minutes=int(sla["first_response_time"]))
                due = destination(ticket["created_at"], span, calendar)
            ticket["preferences"] = (ticket["preferences"] or {}) | {
                "escalation_calculation": {
                    "sla_id": sla["id"],
                    "sla_updated_at": sla["updated_at"],
                    "calendar_id": calendar["id"],
                    "calendar_updated_at": calendar["updated_at"],
                    "escalation_disabled": disabled,
                }
            }
        ticket.update(first_response_escalation_at=due, escalation_at=due)

    def sla_of(self, ticket: Record) -> Record | None:
        """The first SLA by name whose condition holds, else the last of those without one.

        That one without a condition is for the rest is from Zammad's code: it was recorded that
        Zammad takes such an SLA (178), and not what it then does.
        """
        fallback = None
        rows = self._store.tables["Sla"].values()
        for row in sorted(rows, key=lambda row: (str(row["name"]), row["id"])):
            if not row["condition"]:
                fallback = row
            elif self._fits(row["condition"], ticket):
                return row
        return fallback

    def _fits(self, condition: Record, ticket: Record) -> bool:
        def related(owner: str) -> Record | None:
            if owner == "ticket":
                return ticket
            table = {"customer": "User", "organization": "Organization"}[owner]
            return self._store.tables[table].get(ticket[f"{owner}_id"] or 0)

        try:
            return holds(condition, Event("search", ticket), related)
        except KeyError:
            return False


def destination(start: datetime, span: timedelta, calendar: Record) -> datetime | None:
    """The last instant at which no more open time than `span` has passed since `start`.

    So a span that is used up at a closing leads to the next opening, as in Zammad. None where it
    never opens again.
    """
    left = span
    for opens, closes in _open_frames(start, calendar):
        begin = max(opens, start)
        if closes <= begin:
            continue
        if left < closes - begin:
            return begin + left
        left -= closes - begin
    return None


def _open_frames(start: datetime, calendar: Record) -> Iterator[tuple[datetime, datetime]]:
    """Opening and closing, UTC, from the local day of `start` on."""
    zone = ZoneInfo(calendar["timezone"])
    closed = {day for day, entry in calendar["public_holidays"].items() if entry.get("active")}
    first = start.astimezone(zone).date()
    for day in (first + timedelta(days=number) for number in range(_LONGEST)):
        hours = calendar["business_hours"].get(_DAYS[day.weekday()], {})
        if hours.get("active") and day.isoformat() not in closed:
            for opens, closes in hours["timeframes"]:
                yield _instant(day, opens, zone), _instant(day, closes, zone)


def _instant(day: date, clock: str, zone: ZoneInfo) -> datetime:
    hours, minutes = map(int, clock.split(":"))
    wall = datetime(day.year, day.month, day.day) + timedelta(hours=hours, minutes=minutes)  # noqa: DTZ001 - a wall time until it has its zone
    return wall.replace(tzinfo=zone).astimezone(UTC)


def check_hours(calendar: Record) -> None:
    """Refuse a calendar that is never open.

    Raises:
        ApiError: 422. From Zammad's code: no recording.
    """
    days = (calendar["business_hours"] or {}).values()
    if not any(day.get("active") and day.get("timeframes") for day in days):
        raise ApiError(422, "No configured business hours found!")


@lru_cache(maxsize=64)
def zone_offsets(now: datetime) -> dict[str, int]:
    """The zones that a calendar can be given, each with its offset in whole hours (174).

    Every country's own ones: neither older names nor those of no country, such as UTC.
    """
    table = files("tzdata").joinpath("zoneinfo/zone1970.tab").read_text(encoding="utf-8")
    own = files("tzdata").joinpath("zoneinfo/zone.tab").read_text(encoding="utf-8")
    lines = [line for line in (table + own).splitlines() if not line.startswith("#")]
    names = dict.fromkeys(line.split("\t")[2] for line in lines)
    offsets = {name: now.astimezone(ZoneInfo(name)).utcoffset() for name in names}
    return {name: (gap or timedelta()) // timedelta(hours=1) for name, gap in offsets.items()}

"""Zammad's own calendars and SLAs, so that its escalation badge counts as the bridge does.

They are optional, and the bridge reads nothing from them: what it promised is in the ledger. An SLA
counts from the ticket's creation and cannot be told otherwise, so `zammad_badge` compares the two.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial

from pydantic import BaseModel

from bridge.adapters.provisioning import Action, Plan, Step, Wanted
from bridge.adapters.zammad.setup import layout
from bridge.adapters.zammad.setup.admin import (
    PERMISSIONS,
    ZammadAdmin,
    differing,
    permission_lacking,
)
from bridge.adapters.zammad.setup.layout import NATIVE_PREFIX, Json
from bridge.adapters.zammad.setup.places import Target, Written, targets
from bridge.adapters.zammad.ticket import checked
from bridge.errors import HelpdeskRefused
from bridge.policy.hours import Calendar

_CALENDARS, _SLAS = "calendars", "slas"
_LABELS = {_CALENDARS: "calendar", _SLAS: "SLA"}
#: Holidays are sent for this year and so many more.
_YEARS_AHEAD = 2
#: What is missing of them is a fault only when it is as near as this.
_NEAR = timedelta(days=60)
_HOLIDAYS = "holidays"


class _Zones(BaseModel):
    timezones: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class _There:
    """What there is in Zammad: all its calendars and SLAs, by id."""

    calendars: list[Json]
    slas: list[Json]


class NativeSlas:
    """The calendars and SLAs of one Zammad.

    Args:
        admin: calls with the permissions `admin.calendar` and `admin.sla`.
        fields: the organisation's attributes for zone, country and subdivision.
        wanted: whether there are to be any; otherwise what is ours is taken away.
    """

    def __init__(self, admin: ZammadAdmin, fields: Written, *, wanted: bool) -> None:
        self._admin = admin
        self._fields = fields
        self._wanted = wanted

    def plan(self, wanted: Wanted) -> Plan:
        """Calendars, then the SLAs that use them, then what is one too many, then reports."""
        if not self._wanted:
            return self.removal()
        try:
            there = self._there()
            zones = checked(_Zones, self._admin.get("calendars_init")).timezones
        except HelpdeskRefused as error:
            return (_left_out(error),)
        rows = self._admin.rows("organizations")
        places, said = targets(rows, self._fields, wanted.home, zones)
        calendars = {one.calendar_name: one.calendar for one in places}
        return (
            *(self._calendar_step(*one, wanted, there) for one in calendars.items()),
            *(self._sla_step(one, wanted, there) for one in places),
            *self._removals(there, {one.sla for one in places}, calendars),
            *said,
            *_foreign(there.slas, places),
        )

    def removal(self) -> Plan:
        """SLAs first: Zammad gives those of a calendar that is gone another one."""
        try:
            there = self._there()
        except HelpdeskRefused as error:
            # Who never wanted them need not hear that the token may not look.
            return (_left_out(error),) if self._wanted or not permission_lacking(error) else ()
        return tuple(self._removals(there, (), ()))

    def _there(self) -> _There:
        return _There(self._admin.rows(_CALENDARS), self._admin.rows(_SLAS))

    def _calendar_step(self, name: str, calendar: Calendar, wanted: Wanted, there: _There) -> Step:
        ours = _called(there.calendars, name)
        action, detail, pressing = Action.MAKE, _years_said(wanted.today), True
        if ours:
            other = _unlike(ours[0], _body(calendar, wanted.today))
            pressing = other != [_HOLIDAYS] or not _reaches(ours[0], calendar, wanted.today)
            action, detail = (Action.CHANGE, ", ".join(other)) if other else (Action.KEEP, "")
            if _HOLIDAYS in other:
                detail = f"{detail}: {_years_said(wanted.today)}"
        ensure = partial(self._ensure_calendar, name, calendar, wanted)
        return Step(
            _LABELS[_CALENDARS],
            name,
            action,
            detail,
            required=False,
            pressing=pressing,
            apply=ensure,
        )

    def _ensure_calendar(self, name: str, calendar: Calendar, wanted: Wanted) -> None:
        ours, body = _called(self._admin.rows(_CALENDARS), name), _body(calendar, wanted.today)
        if not ours:
            stored = self._admin.create(_CALENDARS, {"name": name, "default": False, **body})
        elif _unlike(ours[0], body):
            stored = self._admin.update(f"{_CALENDARS}/{ours[0]['id']}", body)
        else:
            return
        _insist(_CALENDARS, name, _unlike(stored, body))

    def _sla_step(self, target: Target, wanted: Wanted, there: _There) -> Step:
        ours = _called(there.slas, target.sla)
        action, detail = Action.MAKE, ""
        if ours:
            other = differing(ours[0], _sla_body(target, wanted, there.calendars))
            action, detail = (Action.CHANGE, ", ".join(other)) if other else (Action.KEEP, "")
        ensure = partial(self._ensure_sla, target, wanted)
        return Step(_LABELS[_SLAS], target.sla, action, detail, required=False, apply=ensure)

    def _ensure_sla(self, target: Target, wanted: Wanted) -> None:
        there = self._there()
        body = _sla_body(target, wanted, there.calendars)
        ours = _called(there.slas, target.sla)
        if body["calendar_id"] is None:
            raise HelpdeskRefused(f"the SLA {target.sla} lacks its calendar: make that first")
        if not ours:
            stored = self._admin.create(_SLAS, {"name": target.sla, **body})
        elif differing(ours[0], body):
            stored = self._admin.update(f"{_SLAS}/{ours[0]['id']}", body)
        else:
            return
        _insist(_SLAS, target.sla, differing(stored, body))

    def _removals(
        self, there: _There, slas: Collection[str], calendars: Collection[str]
    ) -> Iterator[Step]:
        yield from (self._removal(_SLAS, row) for row in _spare(there.slas, slas))
        for row in _spare(there.calendars, calendars):
            users = [one for one in there.slas if one.get("calendar_id") == row["id"]]
            theirs = ", ".join(str(one.get("name")) for one in users if not _is_ours(one))
            if not theirs:
                yield self._removal(_CALENDARS, row)
                continue
            detail = f"is kept for an SLA that is not ours: {theirs}"
            label, remedy = _LABELS[_CALENDARS], "give that SLA another calendar"
            yield Step(label, str(row["name"]), Action.REPORT, detail, remedy, required=False)

    def _removal(self, resource: str, row: Json) -> Step:
        delete = partial(self._admin.delete, f"{resource}/{row['id']}")
        name = str(row["name"])
        return Step(_LABELS[resource], name, Action.REMOVE, required=False, apply=delete)


def _is_ours(row: Json) -> bool:
    return str(row.get("name")).startswith(NATIVE_PREFIX)


def _called(rows: Iterable[Json], name: str) -> list[Json]:
    return [row for row in rows if row.get("name") == name]


def _spare(rows: Iterable[Json], names: Collection[str]) -> Iterator[Json]:
    """What is ours and not to be there, or there a second time."""
    seen: set[str] = set()
    for row in filter(_is_ours, rows):
        name = str(row["name"])
        if name not in names or name in seen:
            yield row
        seen.add(name)


def _body(calendar: Calendar, today: date) -> Json:
    closed = (day for year in _years(today) for day in calendar.holidays_of(year))
    return layout.calendar(calendar.zone, calendar.weekly, closed)


def _sla_body(target: Target, wanted: Wanted, calendars: Iterable[Json]) -> Json:
    ids = [row["id"] for row in _called(calendars, target.calendar_name)]
    minutes = round(wanted.response_seconds / 60)
    return layout.sla(ids[0] if ids else None, minutes, target.values)


def _years(today: date) -> range:
    return range(today.year, today.year + _YEARS_AHEAD + 1)


def _years_said(today: date) -> str:
    return f"public holidays of {_years(today)[0]} to {_years(today)[-1]}"


def _unlike(row: Json, body: Json) -> list[str]:
    """What is not as it must be; the names of holidays, and past ones, are an admin's business."""
    rest = {key: value for key, value in body.items() if key != "public_holidays"}
    closed, wanted = _closed(row), _closed(body)
    first = min(wanted, default=date.min).year
    same = {day for day in closed if day.year >= first} == wanted
    return differing(row, rest) + ([] if same else [_HOLIDAYS])


def _closed(row: Json) -> set[date]:
    """The days on which a calendar is closed; what is no date closes nothing."""
    found = set()
    for day, entry in (row.get("public_holidays") or {}).items():
        with suppress(ValueError):
            if isinstance(entry, dict) and entry.get("active"):
                found.add(date.fromisoformat(day))
    return found


def _reaches(row: Json, calendar: Calendar, today: date) -> bool:
    """Whether the years that it has are right, and go on for some time yet."""
    closed = _closed(row)
    years = {day.year for day in closed} | {today.year, (today + _NEAR).year}
    return all(
        {day for day in closed if day.year == year} == calendar.holidays_of(year)
        for year in years
        if year >= today.year
    )


def _insist(resource: str, name: str, other: list[str]) -> None:
    if other:
        label = _LABELS[resource]
        raise HelpdeskRefused(f"Zammad stored the {label} {name} with another {', '.join(other)}")


def _left_out(error: HelpdeskRefused) -> Step:
    """What the bridge can do without is left out where the token may not do it.

    Raises:
        HelpdeskRefused: it failed for another reason.
    """
    if not permission_lacking(error):
        raise error
    needed = f"{PERMISSIONS[_CALENDARS]} and {PERMISSIONS[_SLAS]}"
    detail = f"are left out: the token may not {needed}"
    remedy = "give the setup token these permissions, or set native_slas = false"
    return Step("SLAs", "of the bridge", Action.REPORT, detail, remedy, required=False)


def _foreign(slas: Iterable[Json], places: Iterable[Target]) -> Iterator[Step]:
    """What else counts, or counts no more: an admin knows whether that is as it should be."""
    names = sorted(one.sla for one in places) or [NATIVE_PREFIX]
    for row in slas:
        if not _is_ours(row):
            name = str(row.get("name"))
            told = _conditional(name, names) if row.get("condition") else _for_all(name, names)
            yield Step(_LABELS[_SLAS], name, Action.REPORT, *told, required=False)


def _conditional(name: str, ours: list[str]) -> tuple[str, str]:
    first = name.casefold() < ours[0]
    of_whom = (
        "comes first by name" if first else "has a condition, and ours for everybody else none"
    )
    remedy = "leave it so where that is meant; otherwise narrow its condition"
    return f"counts in place of ours for the tickets that it fits: it {of_whom}", remedy


def _for_all(name: str, ours: list[str]) -> tuple[str, str]:
    """Of those without a condition Zammad takes the last one by name."""
    remedy = "give it a condition, or delete it"
    if name.casefold() > ours[-1]:
        return "counts in place of ours for everybody else: it comes later by name", remedy
    return "counts for no ticket: ours for everybody else comes later by name", remedy

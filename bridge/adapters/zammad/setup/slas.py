"""Zammad's own calendars and SLAs, so that its escalation badge counts as the bridge does.

They are optional, and the bridge reads nothing from them: what it promised is in the ledger. An SLA
counts from the ticket's creation and cannot be told otherwise, so `badge` compares the two.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from functools import partial

from pydantic import BaseModel

from bridge.adapters.provisioning import Action, Step, Wanted
from bridge.adapters.resources import Item, Json, Lists, Records, permission_lacking
from bridge.adapters.zammad.setup import layout
from bridge.adapters.zammad.setup.admin import HOW_TO_PERMIT, PERMISSIONS, ZammadAdmin
from bridge.adapters.zammad.setup.layout import NATIVE_PREFIX
from bridge.adapters.zammad.setup.places import Target, Written, targets
from bridge.adapters.zammad.setup.records import Conveniences
from bridge.adapters.zammad.ticket import checked
from bridge.errors import HelpdeskRefused
from bridge.policy.hours import Calendar

_CALENDARS, _SLAS = "calendars", "slas"
#: Holidays are sent for this year and so many more.
_YEARS_AHEAD = 2
#: What is missing of them is a fault only when it is as near as this.
_NEAR = timedelta(days=60)
_HOLIDAYS = "holidays"


_LEFT_OUT = Step(
    "SLAs",
    "of the bridge",
    Action.REPORT,
    "are left out: the setup token needs the permissions"
    f" {PERMISSIONS[_CALENDARS]} and {PERMISSIONS[_SLAS]}, and so does its user",
    f"{HOW_TO_PERMIT}; or set native_slas = false",
    required=False,
)


class _Zones(BaseModel):
    timezones: Mapping[str, float]


class NativeSlas:
    """The calendars and SLAs of one Zammad.

    Args:
        admin: calls with the permissions `admin.calendar` and `admin.sla`.
        lists: what is there.
        fields: the organisation's attributes for zone, country and subdivision.
        wanted: whether there are to be any; otherwise what is ours is one too many.
    """

    def __init__(self, admin: ZammadAdmin, lists: Lists, fields: Written, *, wanted: bool) -> None:
        self._admin = admin
        self._lists = lists
        self._fields = fields
        self._wanted = wanted

    def resources(self, wanted: Wanted | None) -> tuple[tuple[Records, ...], Sequence[Step]]:
        """Calendars and then the SLAs that use them, and what is only said; None: to remove them.

        Both are left out where the token may not look at one of them. Reads only.

        Raises: as `Provisioner.plan`.
        """
        try:
            self._lists.rows(_CALENDARS)
            self._lists.rows(_SLAS)
        except HelpdeskRefused as error:
            if not permission_lacking(error):
                raise
            # Who never wanted them need not hear that the token may not look.
            return (), [_LEFT_OUT] if self._wanted else []
        if wanted is None or not self._wanted:
            return self._both((), date.min, 0), []
        zones = checked(_Zones, self._admin.get("calendars_init")).timezones
        rows = self._admin.rows("organizations")
        places, said = targets(rows, self._fields, wanted.home, wanted.hours, zones)
        told = (*said, *_unkept(places, wanted.today))
        return self._both(places, wanted.today, round(wanted.response_seconds / 60)), told

    def _both(self, places: Sequence[Target], today: date, minutes: int) -> tuple[Records, Records]:
        calendars = {one.calendar_name: one.calendar for one in places}
        slas = [
            Item(one.sla, partial(self._sla, one, minutes), required=False, needs="its calendar")
            for one in places
        ]
        return _Calendars(self._lists, calendars, today), _Slas(self._lists, _SLAS, "SLA", slas)

    def _sla(self, target: Target, minutes: int) -> Json | None:
        named = (row for row in self._lists.rows(_CALENDARS) if row["name"] == target.calendar_name)
        calendar = next(named, None)
        return layout.sla(calendar["id"], minutes, target.values) if calendar else None


class _Slas(Conveniences):
    """SLAs, beside those of others."""

    prefix = NATIVE_PREFIX

    def reports(self) -> Iterator[Step]:
        """What else counts, or counts no more: an admin knows whether that is as it should be."""
        ours = sorted(item.name for item in self.items)
        for row in self.rows() if ours else ():
            if not self.is_ours(row):
                name = self.called(row)
                told = _conditional(name, ours) if row.get("condition") else _for_all(name, ours)
                yield self.report(row, *told)


class _Calendars(Conveniences):
    """Calendars, by name. Their holidays are those of a few years, so they go on each year."""

    prefix = NATIVE_PREFIX

    def __init__(self, lists: Lists, calendars: Mapping[str, Calendar], today: date) -> None:
        items = [
            Item(name, partial(_body, one, today), _not_the_default, required=False)
            for name, one in calendars.items()
        ]
        super().__init__(lists, _CALENDARS, "calendar", items)
        self._calendars = calendars
        self._today = today

    def differing(self, row: Json, body: Json) -> list[str]:
        """The names of holidays, and past ones, are an admin's business."""
        rest = {key: value for key, value in body.items() if key != "public_holidays"}
        closed, wanted = _closed(row), _closed(body)
        first = min(wanted, default=date.min).year
        same = {day for day in closed if day.year >= first} == wanted
        return super().differing(row, rest) + ([] if same else [_HOLIDAYS])

    def missing(self, item: Item) -> Step:
        """Made with the holidays of some years."""
        return self.step(item, Action.MAKE, self._years)

    def judge(self, item: Item) -> Step:
        """Years that are missing at the end are no fault until they are near."""
        step = super().judge(item)
        if step.action is not Action.CHANGE or not step.detail.endswith(_HOLIDAYS):
            return step
        reaches = _reaches(self.found(item)[0], self._calendars[item.name], self._today)
        pressing = step.detail != _HOLIDAYS or not reaches
        return replace(step, detail=f"{step.detail}: {self._years}", pressing=pressing)

    def removal(self, row: Json, detail: str = "") -> Step:
        """Zammad gives the SLAs of a calendar that is gone another one, and tells nobody."""
        users = (one for one in self.lists.rows(_SLAS) if one.get("calendar_id") == row["id"])
        names = [str(one.get("name")) for one in users]
        theirs = ", ".join(name for name in names if not name.startswith(NATIVE_PREFIX))
        if not theirs:
            return super().removal(row, detail)
        told = f"is kept for an SLA that is not ours: {theirs}"
        return self.report(row, told, "give that SLA another calendar")

    @property
    def _years(self) -> str:
        years = _years(self._today)
        return f"public holidays of {years[0]} to {years[-1]}"


def _unkept(places: Sequence[Target], today: date) -> Iterator[Step]:
    """The dates whose own hours a calendar cannot have: it has those of the weekday there."""
    days = sorted({day for one in places for day in one.calendar.open_windows if day >= today})
    if days:
        dates = ", ".join(map(str, days))
        detail = f"count the weekly hours on {dates}: Zammad knows no hours of a single date"
        remedy = "go by the field points_response_due around then"
        yield Step("SLAs", "of the bridge", Action.REPORT, detail, remedy, required=False)


def _not_the_default() -> Json:
    return {"default": False}


def _body(calendar: Calendar, today: date) -> Json:
    closed = (day for year in _years(today) for day in calendar.closures_of(year))
    return layout.calendar(calendar.zone, calendar.weekly, closed)


def _years(today: date) -> range:
    return range(today.year, today.year + _YEARS_AHEAD + 1)


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
        {day for day in closed if day.year == year} == calendar.closures_of(year)
        for year in years
        if year >= today.year
    )


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

"""A Zammad that is to count business time itself, with organisations in several places."""

from dataclasses import replace
from datetime import date
from typing import Any

import responses

from bridge.adapters.provisioning import Action, Plan, Problem
from bridge.adapters.zammad.setup.layout import NATIVE_PREFIX
from tests.adapters.zammad_desk import NOW, WANTED, Desk, Row, set_up

EVERYBODY = f"{NATIVE_PREFIX}4: everybody else"
BERLIN = f"{NATIVE_PREFIX}Europe/Berlin, DE"
OPEN = {"active": True, "timeframes": [["09:00", "17:00"]]}
CLOSED = {"active": False, "timeframes": [["09:00", "17:00"]]}
SUPPORT = ("support_timezone", "support_country", "support_subdivision")

Places = tuple[tuple[str, str, str, str], ...]
#: name, zone, country, subdivision
PLACES: Places = (
    ("Acme Berlin", "Europe/Berlin", "DE", "BE"),
    ("Acme Munich", "Europe/Berlin", "DE", "BY"),
    ("Beta", "Europe/Berlin", "", ""),
    ("Maple", "America/Toronto", "CA", ""),
    ("Gamma", "", "AT", ""),
    ("Nobody", "", "", ""),
)


class Native(Desk):
    """A Zammad that is set up but for its SLAs, with organisations in several places."""

    def __init__(self, mock: responses.RequestsMock, places: Places = PLACES) -> None:
        super().__init__(mock)
        set_up(self)
        for name, *values in places:
            self.organization(name, *values)
        self.native_slas = True
        self.box.model.calls.clear()

    def organization(self, name: str, *values: str) -> None:
        self.box.model.add_organization(name, **dict(zip(SUPPORT, values, strict=True)))

    def slas(self) -> dict[str, Row]:
        """Ours, by their names without the prefix."""
        return self.ours("Sla")

    def calendars(self) -> dict[str, Row]:
        return self.ours("Calendar")

    def ours(self, table: str) -> dict[str, Row]:
        rows = sorted(self.rows(table), key=lambda row: str(row["name"]))
        return {row["name"].removeprefix(NATIVE_PREFIX): row for row in rows}

    def foreign_sla(self, name: str, **fields: Any) -> Row:
        fields = {"calendar_id": 1, "first_response_time": 60, "condition": {}} | fields
        return self.add("Sla", name=name, **fields)


def plan(desk: Desk, today: date = WANTED.today) -> Plan:
    return desk.setup().plan(replace(WANTED, today=today))


def said(found: Plan) -> list[tuple[str, str]]:
    """What is reported, beside what is said of the groups."""
    return [
        (step.name, step.detail)
        for step in found
        if step.action is Action.REPORT and step.kind != "group"
    ]


def complaints(desk: Native, wanted: Any = WANTED) -> list[Problem]:
    """What doctor says, beside what it says of the groups."""
    found = desk.setup().check(wanted, lambda: NOW)
    return [one for one in found if not one.what.startswith("group")]

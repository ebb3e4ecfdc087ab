"""Zammad's own calendars and SLAs: for which places, what stays, what is said, what is compared."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import responses

from bridge.adapters.provisioning import Action, Plan, Problem, Promise, Severity
from bridge.adapters.zammad.setup.layout import NATIVE_PREFIX
from bridge.errors import HelpdeskRefused, HelpdeskUnavailable
from bridge.policy.calendars import build_calendar, public_holidays
from bridge.policy.hours import add_business_time
from bridge.policy.places import Address
from bridge.policy.service_hours import Hours
from bridge.sandbox.zammad import BRIDGE, Fault, Token
from bridge.sandbox.zammad.escalation import destination
from tests.adapters.test_zammad_setup import (
    CUTS,
    NOW,
    WANTED,
    Desk,
    Row,
    carry_out,
    changes,
    set_up,
    take_away,
)

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


@pytest.fixture
def desk(vendor: responses.RequestsMock) -> Native:
    return Native(vendor)


def plan(desk: Desk, today: date = WANTED.today) -> Plan:
    return desk.setup().plan(replace(WANTED, today=today))


def said(found: Plan) -> list[tuple[str, str]]:
    """What is reported, beside what is said of the groups."""
    return [
        (step.name, step.detail)
        for step in found
        if step.action is Action.REPORT and step.kind != "group"
    ]


class TestThePlaces:
    def test_have_an_sla_each_that_sorts_the_more_it_asks_for(self, desk: Native) -> None:
        set_up(desk)
        assert list(desk.slas()) == [
            "1: Europe/Berlin, DE, BE",
            "1: Europe/Berlin, DE, BY",
            "2: America/Toronto, CA",
            "3: Europe/Berlin, AT",
            "3: Europe/Berlin, DE",
            "4: everybody else",
        ]
        assert said(plan(desk)) == []

    def test_share_a_calendar_where_they_are_the_same(self, desk: Native) -> None:
        """Beta's zone alone and everybody else are both in Berlin."""
        set_up(desk)
        assert list(desk.calendars()) == [
            "America/Toronto, CA",
            "Europe/Berlin, AT",
            "Europe/Berlin, DE",
            "Europe/Berlin, DE, BE",
            "Europe/Berlin, DE, BY",
        ]
        slas, berlin = desk.slas(), desk.calendars()["Europe/Berlin, DE"]["id"]
        assert slas["3: Europe/Berlin, DE"]["calendar_id"] == berlin
        assert slas["4: everybody else"]["calendar_id"] == berlin

    def test_are_known_by_what_is_written(self, desk: Native) -> None:
        """In the form that was recorded to work: 176, and an `is` on a custom attribute (177)."""
        set_up(desk)
        slas = desk.slas()
        assert slas["1: Europe/Berlin, DE, BY"]["condition"] == {
            "organization.support_timezone": {"operator": "is", "value": "Europe/Berlin"},
            "organization.support_country": {"operator": "is", "value": "DE"},
            "organization.support_subdivision": {"operator": "is", "value": "BY"},
        }
        assert slas["3: Europe/Berlin, AT"]["condition"] == {
            "organization.support_country": {"operator": "is", "value": "AT"}
        }
        assert slas["4: everybody else"]["condition"] == {}
        assert {row["first_response_time"] for row in slas.values()} == {240}

    def test_have_the_target_of_the_terms(self, desk: Native) -> None:
        carry_out(desk.setup().plan(replace(WANTED, response_seconds=90 * 60)))
        assert {row["first_response_time"] for row in desk.slas().values()} == {90}

    def test_have_the_hours_and_holidays_that_the_bridge_counts_by(self, desk: Native) -> None:
        set_up(desk)
        row = desk.calendars()["Europe/Berlin, DE, BY"]
        week = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), OPEN)
        assert row["business_hours"] == week | {"sat": CLOSED, "sun": CLOSED}
        assert row["timezone"] == "Europe/Berlin"
        ours = public_holidays("DE", "BY")
        days = {day for year in (2026, 2027, 2028) for day in ours(year)}
        assert {date.fromisoformat(day) for day in row["public_holidays"]} == days
        assert row["public_holidays"]["2028-12-25"] == {"active": True, "summary": "public holiday"}

    def test_have_the_hours_that_the_settings_say(self, desk: Native) -> None:
        """Closed dates are closed, worked ones are not, and the weekly hours are those."""
        hours = Hours.from_dict(
            {"hours": "Mon-Thu 08:00-12:00 13:00-18:00", "closed": ["2026-12-24"]}
            | {"worked": ["2027-01-01"]}
        )
        carry_out(desk.setup().plan(replace(WANTED, hours=hours)))
        for name, row in desk.calendars().items():
            week, closed = row["business_hours"], row["public_holidays"]
            assert week["mon"]["timeframes"] == [["08:00", "12:00"], ["13:00", "18:00"]], name
            assert (week["thu"]["active"], week["fri"]["active"]) == (True, False), name
            assert closed["2026-12-24"]["active"], name
            assert "2027-01-01" not in closed, name
            assert "2027-12-25" in closed, name
        assert changes(desk.setup().plan(replace(WANTED, hours=hours))) == []

    def test_that_are_open_around_the_clock_have_no_holidays(self, desk: Native) -> None:
        carry_out(desk.setup().plan(replace(WANTED, hours=Hours(around_the_clock=True))))
        for row in desk.calendars().values():
            frames = {
                tuple(map(tuple, day["timeframes"])) for day in row["business_hours"].values()
            }
            assert frames == {(("00:00", "24:00"),)}
            assert row["public_holidays"] == {}

    def test_tell_of_dates_with_hours_of_their_own(self, desk: Native) -> None:
        """Zammad has none: it counts the weekday's, so its time comes early and never late."""
        hours = Hours.from_dict({"open": ["2026-11-22 09:00-12:00", "2026-12-25 09:00-12:00"]})
        carry_out(desk.setup().plan(replace(WANTED, hours=hours)))
        row = desk.calendars()["Europe/Berlin, DE"]
        assert "2026-12-25" not in row["public_holidays"]
        ((_, told),) = said(desk.setup().plan(replace(WANTED, hours=hours)))
        assert "the weekly hours on 2026-12-25:" in told

    def test_of_one_calendar_that_are_written_differently_have_an_sla_each(
        self, vendor: responses.RequestsMock
    ) -> None:
        """An SLA compares what is written; newer versions want names that are unique."""
        berlin = "Europe/Berlin"
        places = (("A", berlin, "DE", ""), ("B", berlin, "de", ""), ("C", f"{berlin} ", "DE", ""))
        desk = Native(vendor, places)
        set_up(desk)
        name = "2: Europe/Berlin, DE"
        assert list(desk.slas()) == [name, f"{name} (2)", f"{name} (3)", "4: everybody else"]
        written = {
            tuple(row["value"] for row in sla["condition"].values()) for sla in desk.slas().values()
        }
        assert written == {(berlin, "DE"), (berlin, "de"), (f"{berlin} ", "DE"), ()}
        assert list(desk.calendars()) == ["Europe/Berlin, DE"]

    def test_with_a_subdivision_and_no_country_are_told_by_the_zone(
        self, vendor: responses.RequestsMock
    ) -> None:
        desk = Native(vendor, (("A", "Europe/Vienna", "", "9"), ("B", "", "", "9")))
        set_up(desk)
        assert list(desk.slas()) == ["3: Europe/Vienna, AT", "4: everybody else"]

    def test_are_read_by_the_names_in_the_settings(self, desk: Native) -> None:
        """Attributes that the organisations do not have yet name no place."""
        desk.box.model.attributes.drop("Organization", "support_timezone")
        desk.box.model.attributes.drop("Organization", "support_country")
        set_up(desk)
        assert list(desk.slas()) == ["4: everybody else"]

    def test_of_everybody_else_are_the_deployments(self, vendor: responses.RequestsMock) -> None:
        desk = Native(vendor, ())
        carry_out(desk.setup().plan(replace(WANTED, home=Address("America/Toronto", "CA", "QC"))))
        assert list(desk.calendars()) == ["America/Toronto, CA, QC"]

    def test_without_any_setting_are_in_utc(self, vendor: responses.RequestsMock) -> None:
        desk = Native(vendor, ())
        carry_out(desk.setup().plan(replace(WANTED, home=Address())))
        (row,) = desk.calendars().values()
        assert (row["timezone"], row["public_holidays"]) == ("UTC", {})

    def test_that_are_hundreds_are_all_found(self, desk: Native) -> None:
        for number in range(120):
            desk.organization(f"Company {number}", "", "", "")
        desk.organization("The last one", "Asia/Tokyo", "JP", "")
        set_up(desk)
        assert "2: Asia/Tokyo, JP" in desk.slas()


UNREADABLE: dict[str, tuple[tuple[str, str, str], str, str | None]] = {
    # what is written, what is said of it, the SLA that there is all the same
    "zone": (("Berlin", "", ""), "unknown time zone 'Berlin'", None),
    "zone, and not the country": (("Berlin", "AT", ""), "zone 'Berlin'", "2: Europe/Berlin, AT"),
    "country": (("Asia/Tokyo", "Nippon", ""), "country 'Nippon'", "2: Asia/Tokyo, JP"),
    "country alone": (("", "Nippon", ""), "country 'Nippon'", None),
    "subdivision": (("Europe/Vienna", "AT", "X"), "subdivision 'X'", "1: Europe/Vienna, AT"),
    "everything": (("Berlin", "Nippon", "X"), "zone 'Berlin'", None),
}


class TestWhatCannotBeRead:
    @pytest.mark.parametrize(("written", "told", "sla"), UNREADABLE.values(), ids=UNREADABLE)
    def test_is_reported_and_what_can_be_read_counts(
        self, vendor: responses.RequestsMock, written: Any, told: str, sla: str | None
    ) -> None:
        desk = Native(vendor, (("Odd Ltd", *written),))
        first = set_up(desk)
        ((name, detail),) = said(first)
        assert (name, told in detail) == ("Odd Ltd", True)
        assert list(desk.slas()) == ([sla] if sla else []) + ["4: everybody else"]
        assert changes(plan(desk)) == []

    def test_is_told_once_for_all_who_write_it(self, vendor: responses.RequestsMock) -> None:
        odd: Places = tuple((f"Odd {n}", "Berlin", "", "") for n in range(5))
        found = said(plan(Native(vendor, odd)))
        assert [name for name, _ in found] == ["Odd 0, Odd 1, Odd 2 and 2 more"]

    def test_is_also_a_zone_that_this_zammad_does_not_offer(
        self, vendor: responses.RequestsMock
    ) -> None:
        """An older name: a calendar in a zone that the server lacks could break its tickets."""
        desk = Native(vendor, (("A", "Asia/Calcutta", "IN", ""), ("B", "Asia/Tokyo", "JP", "")))
        found = said(set_up(desk))
        assert found == [
            (
                "Asia/Calcutta, IN",
                "is left out: this Zammad does not offer the zone Asia/Calcutta",
            )
        ]
        assert list(desk.slas()) == ["2: Asia/Tokyo, JP", "4: everybody else"]


class TestRepeating:
    def test_changes_nothing(self, desk: Native) -> None:
        first = set_up(desk)
        assert {step.kind for step in first if step.changes} == {"calendar", "SLA"}
        before = desk.state()
        second = plan(desk)
        assert changes(second) == []
        for step in second:
            step.apply()
        assert desk.state() == before

    def test_takes_away_a_place_that_nobody_names_any_more(self, desk: Native) -> None:
        set_up(desk)
        desk.row("Organization", "Acme Munich")["support_subdivision"] = "BE"
        assert changes(set_up(desk)) == [
            (Action.REMOVE, f"{NATIVE_PREFIX}1: Europe/Berlin, DE, BY"),
            (Action.REMOVE, f"{NATIVE_PREFIX}Europe/Berlin, DE, BY"),
        ]
        assert changes(plan(desk)) == []

    def test_takes_away_what_there_is_twice(self, desk: Native) -> None:
        set_up(desk)
        kept = [desk.row(*one)["id"] for one in (("Sla", EVERYBODY), ("Calendar", BERLIN))]
        desk.add("Sla", **desk.row("Sla", EVERYBODY))
        desk.add("Calendar", **desk.row("Calendar", BERLIN))
        assert changes(set_up(desk)) == [(Action.REMOVE, EVERYBODY), (Action.REMOVE, BERLIN)]
        left = [desk.row(*one)["id"] for one in (("Sla", EVERYBODY), ("Calendar", BERLIN))]
        assert left == kept

    @pytest.mark.parametrize(
        ("table", "name", "damage"),
        [
            ("Sla", EVERYBODY, {"first_response_time": 60}),
            ("Sla", EVERYBODY, {"condition": {"ticket.state_id": {"operator": "is", "value": 1}}}),
            ("Sla", EVERYBODY, {"calendar_id": 77}),
            ("Calendar", BERLIN, {"timezone": "UTC"}),
            ("Calendar", BERLIN, {"business_hours": {"mon": OPEN}}),
            ("Calendar", BERLIN, {"public_holidays": {}}),
            ("Calendar", BERLIN, {"ical_url": "https://feeds.example/holidays.ics"}),
        ],
    )
    def test_mends_what_somebody_changed(
        self, desk: Native, table: str, name: str, damage: Row
    ) -> None:
        set_up(desk)
        desk.row(table, name).update(damage)
        (found,) = complaints(desk)
        assert (found.severity, f"{name} is not as it must be" in found.what) == (
            Severity.WARNING,
            True,
        )
        assert changes(set_up(desk)) == [(Action.CHANGE, name)]
        assert changes(plan(desk)) == []

    @pytest.mark.parametrize("active", [True, False])
    def test_mends_a_single_day(self, desk: Native, active: bool) -> None:
        set_up(desk)
        days = desk.row("Calendar", BERLIN)["public_holidays"]
        days["2026-12-28" if active else "2026-12-25"] = {"active": active, "summary": "x"}
        assert changes(set_up(desk)) == [(Action.CHANGE, BERLIN)]

    def test_leaves_what_an_admin_may_choose(self, desk: Native) -> None:
        set_up(desk)
        desk.row("Sla", EVERYBODY).update(update_time=600, solution_time=6000)
        desk.row("Calendar", BERLIN).update(default=True)
        days = desk.row("Calendar", BERLIN)["public_holidays"]
        days["2026-12-25"]["summary"] = "Weihnachten"
        days["2027-01-05"] = {"active": False, "summary": "not a holiday"}
        days |= {"2025-12-25": days["2026-12-25"], "some day": days["2026-12-25"]}
        assert changes(plan(desk)) == []

    def test_finds_an_answer_that_is_not_what_was_sent(self, desk: Native) -> None:
        stored = b'{"id": 1, "name": "x", "timezone": "UTC"}'
        desk.box.model.faults.add(Fault("POST", "/api/v1/calendars", status=201, body=stored))
        with pytest.raises(HelpdeskRefused, match="another timezone"):
            set_up(desk)

    def test_does_not_make_an_sla_without_its_calendar(self, desk: Native) -> None:
        steps = [step for step in plan(desk) if step.kind == "SLA"]
        with pytest.raises(HelpdeskRefused, match="lacks its calendar"):
            carry_out(tuple(steps))
        assert desk.rows("Sla") == []


class TestTheYears:
    def test_are_this_one_and_the_next_two(self, desk: Native) -> None:
        (detail,) = {step.detail for step in plan(desk) if step.kind == "calendar"}
        assert detail == "public holidays of 2026 to 2028"

    def test_are_added_by_a_later_run_which_no_check_asks_for_yet(self, desk: Native) -> None:
        set_up(desk)
        wanted = replace(WANTED, today=date(2027, 1, 1))
        assert complaints(desk, wanted) == []
        later = desk.setup().plan(wanted)
        assert {step.detail for step in later if step.changes} == {
            "holidays: public holidays of 2027 to 2029"
        }
        carry_out(later)
        assert "2029-12-25" in desk.row("Calendar", BERLIN)["public_holidays"]
        assert changes(desk.setup().plan(wanted)) == []

    @pytest.mark.parametrize(
        ("today", "warned"),
        [
            (date(2028, 11, 1), False),
            (date(2028, 11, 2), True),
            (date(2029, 6, 1), True),
        ],
    )
    def test_that_end_soon_are_a_warning(self, desk: Native, today: date, warned: bool) -> None:
        """Sixty days before the first day of a year that is missing."""
        set_up(desk)
        found = complaints(desk, replace(WANTED, today=today))
        assert any(BERLIN in one.what for one in found) is warned
        assert {one.severity for one in found} == ({Severity.WARNING} if warned else set())

    def test_do_not_hide_a_day_that_is_wrong_now(self, desk: Native) -> None:
        set_up(desk)
        del desk.row("Calendar", BERLIN)["public_holidays"]["2026-12-25"]
        wanted = replace(WANTED, today=date(2027, 1, 1))
        assert complaints(desk, wanted) == [], "that day is past"
        del desk.row("Calendar", BERLIN)["public_holidays"]["2028-12-25"]
        (found,) = complaints(desk, wanted)
        assert (found.severity, BERLIN in found.what) == (Severity.WARNING, True)


def complaints(desk: Native, wanted: Any = WANTED) -> list[Problem]:
    """What doctor says, beside what it says of the groups."""
    found = desk.setup().check(wanted, lambda: NOW)
    return [one for one in found if not one.what.startswith("group")]


class TestAnInterruptedSetup:
    @pytest.mark.parametrize("fault", CUTS.values(), ids=CUTS)
    def test_goes_on_from_any_call_to_the_same_end(
        self, vendor: responses.RequestsMock, fault: Fault
    ) -> None:
        """Places in the plan, one that is gone, one that has changed: every call is cut in turn."""
        places = (PLACES[0], PLACES[3])
        whole = self.half_done(vendor, places)
        set_up(whole)
        expected, calls = whole.state(), list(whole.box.model.calls)
        assert [call.method for call in calls if call.method != "GET"] == [
            *["PUT", "POST", "POST", "PUT", "DELETE", "DELETE"]
        ]
        for cut, call in enumerate(calls):
            if call.method == "GET" and fault.carried_out:
                continue  # nothing is carried out by it
            vendor.reset()
            desk = self.half_done(vendor, places)
            desk.fault(fault, after=cut)
            with pytest.raises(HelpdeskUnavailable):
                set_up(desk)
            set_up(desk)
            assert desk.state() == expected, f"cut at call {cut}: {call}"
            assert changes(plan(desk)) == []

    @staticmethod
    def half_done(vendor: responses.RequestsMock, places: Places) -> Native:
        """Set up before Berlin's office moved and its hours were changed by hand."""
        desk = Native(vendor, places)
        set_up(desk)
        desk.row("Organization", "Acme Berlin")["support_subdivision"] = "BY"
        desk.row("Calendar", f"{NATIVE_PREFIX}America/Toronto, CA")["timezone"] = "UTC"
        desk.row("Sla", EVERYBODY)["first_response_time"] = 60
        desk.box.model.calls.clear()
        return desk

    @pytest.mark.parametrize("fault", CUTS.values(), ids=CUTS)
    def test_of_switching_it_off_goes_on_from_any_call(
        self, vendor: responses.RequestsMock, fault: Fault
    ) -> None:
        whole = self.switched_off(vendor)
        set_up(whole)
        calls = list(whole.box.model.calls)
        for cut, call in enumerate(calls):
            if call.method == "GET" and fault.carried_out:
                continue
            vendor.reset()
            desk = self.switched_off(vendor)
            desk.fault(fault, after=cut)
            with pytest.raises(HelpdeskUnavailable):
                set_up(desk)
            set_up(desk)
            assert desk.rows("Sla") == desk.rows("Calendar") == []

    @staticmethod
    def switched_off(vendor: responses.RequestsMock) -> Native:
        desk = Native(vendor, (PLACES[3],))
        set_up(desk)
        desk.native_slas = False
        desk.box.model.calls.clear()
        return desk


class TestTakingThemAway:
    @pytest.mark.parametrize("native", [True, False])
    def test_removes_ours_slas_first(self, desk: Native, native: bool) -> None:
        set_up(desk)
        desk.native_slas = native
        gone = [step.kind for step in take_away(desk) if step.kind in {"SLA", "calendar"}]
        assert gone == ["SLA"] * 6 + ["calendar"] * 5
        assert desk.rows("Sla") == desk.rows("Calendar") == []
        assert desk.setup().removal() == ()

    def test_happens_when_the_setting_is_off_again(self, desk: Native) -> None:
        set_up(desk)
        desk.native_slas = False
        gone = set_up(desk)
        assert {step.action for step in gone if step.changes} == {Action.REMOVE}
        assert desk.rows("Sla") == desk.rows("Calendar") == []
        assert changes(plan(desk)) == []

    def test_is_a_warning_until_it_is_done(self, desk: Native) -> None:
        set_up(desk)
        desk.native_slas = False
        found = complaints(desk)
        assert {one.severity for one in found} == {Severity.WARNING}
        assert any(f"SLA {EVERYBODY} is one too many" in one.what for one in found)

    def test_keeps_a_calendar_that_another_sla_uses(self, desk: Native) -> None:
        """Zammad would give that SLA another calendar, and tell nobody."""
        set_up(desk)
        calendar = desk.row("Calendar", BERLIN)
        desk.foreign_sla("Gold", calendar_id=calendar["id"])
        carry_out(desk.setup().removal())
        assert [row["name"] for row in desk.rows("Calendar")] == [BERLIN]
        assert said(desk.setup().removal()) == [
            (BERLIN, "is kept for an SLA that is not ours: Gold")
        ]


CONDITION = {"ticket.priority_id": {"operator": "is", "value": ["3"]}}


class TestForeignOnes:
    def test_are_never_changed(self, desk: Native) -> None:
        """Not even where a name is nearly ours."""
        near = NATIVE_PREFIX.strip()
        hours = {"timezone": "UTC", "business_hours": {"mon": OPEN}, "public_holidays": {}}
        theirs = [
            desk.add("Calendar", name=name, **hours)
            for name in (near, f"x{NATIVE_PREFIX}", BERLIN[1:])
        ]
        theirs += [
            desk.foreign_sla(name, calendar_id=theirs[0]["id"]) for name in (near, EVERYBODY[1:])
        ]
        before = [dict(row) for row in theirs]
        set_up(desk)
        take_away(desk)
        assert theirs == before
        assert len(desk.rows("Calendar")) + len(desk.rows("Sla")) == len(theirs)

    @pytest.mark.parametrize(
        ("name", "condition", "told"),
        [
            ("Gold", CONDITION, "it comes first by name"),
            ("ZZ-gold", CONDITION, "it comes first by name"),
            ("zzz", CONDITION, "ours for everybody else none"),
            ("Standard", {}, "counts for no ticket"),
            ("zzz", {}, "counts in place of ours for everybody else"),
        ],
    )
    def test_that_count_before_or_after_ours_are_reported(
        self, desk: Native, name: str, condition: Row, told: str
    ) -> None:
        desk.foreign_sla(name, condition=condition)
        for found in (set_up(desk), plan(desk)):
            ((reported, detail),) = said(found)
            assert (reported, told in detail) == (name, True)
        (problem,) = complaints(desk)
        assert (problem.severity, f"SLA {name}" in problem.what) == (Severity.WARNING, True)

    @pytest.mark.parametrize(("name", "wins"), [("aaa", True), ("zzz", False)])
    def test_win_as_they_are_reported_to(self, desk: Native, name: str, wins: bool) -> None:
        """What the report says is what the stand-in does, by its own rules."""
        set_up(desk)
        state = {"ticket.state_id": {"operator": "is", "value": ["1", "2"]}}
        desk.foreign_sla(name, condition=state, calendar_id=1)
        desk.box.model.add_customer("Mo", "mo@acme.example", "Acme Munich")
        ticket = desk.box.model.ticket(desk.box.model.customer_mails("mo@acme.example", "Hi", "."))
        inputs = ticket["preferences"]["escalation_calculation"]
        assert (inputs["sla_id"] == desk.row("Sla", name)["id"]) is wins

    def test_are_no_business_of_a_helpdesk_without_ours(self, desk: Native) -> None:
        desk.native_slas = False
        desk.foreign_sla("Gold", condition=CONDITION)
        assert said(plan(desk)) == []


class TestPermissions:
    @pytest.mark.parametrize("lacking", ["calendar", "sla"])
    def test_that_are_lacking_leave_it_out(self, desk: Native, lacking: str) -> None:
        kinds = ("object", "webhook", "trigger", "overview", "core_workflow", "calendar", "sla")
        admin = [f"admin.{one}" for one in kinds if one != lacking]
        desk.box.model.access.add_token("least", BRIDGE, "ticket.agent", *admin)
        setup = desk.setup(setup_token="least")
        assert (
            said(set_up(desk, setup))
            == said(setup.removal())
            == [("of the bridge", "are left out: the token may not admin.calendar and admin.sla")]
        )
        assert desk.rows("Calendar") == desk.rows("Sla") == []
        desk.native_slas = False
        assert said(desk.setup(setup_token="least").plan(WANTED)) == []

    def test_are_there_and_the_helpdesk_fails(self, desk: Native) -> None:
        fault = Fault("GET", "/api/v1/slas", status=422, body=b'{"error": "odd"}')
        desk.box.model.faults.add(fault)
        with pytest.raises(HelpdeskRefused, match="odd"):
            plan(desk)


# --- the badge ---------------------------------------------------------------------------------

MORNING = datetime(2026, 11, 23, 9, tzinfo=UTC)
DUE = datetime(2026, 11, 23, 13, tzinfo=UTC)
Spoil = Callable[[Native, Promise], Promise]


@pytest.fixture
def promise(desk: Native) -> Promise:
    """What the bridge has promised on the only ticket, which Zammad computes as well."""
    set_up(desk)
    desk.box.model.agent_notes(desk.ticket, "Saved once more.")
    ticket = desk.box.model.ticket(desk.ticket)
    assert ticket["first_response_escalation_at"] == DUE
    return Promise(str(desk.ticket), ticket["number"], MORNING, DUE)


def badge(desk: Native, *promises: Promise, setup_token: str = Token.SETUP) -> list[Problem]:
    setup = desk.setup(setup_token=setup_token)
    found = setup.check(replace(WANTED, promises=promises), lambda: NOW)
    return [one for one in found if one.where in {"first response", "helpdesk"}]


def released_later(desk: Native, promise: Promise) -> Promise:
    return replace(
        promise, started_at=MORNING + timedelta(hours=2), due_at=DUE + timedelta(hours=2)
    )


def another_sla(desk: Native, promise: Promise) -> Promise:
    condition = {"ticket.state_id": {"operator": "is", "value": ["1", "2"]}}
    desk.foreign_sla("Gold", condition=condition, calendar_id=desk.row("Calendar", BERLIN)["id"])
    desk.box.model.agent_notes(desk.ticket, "Saved once more.")
    return promise


def account_elsewhere(desk: Native, promise: Promise) -> Promise:
    return replace(promise, due_at=datetime(2026, 11, 23, 18, tzinfo=UTC))


class TestTheBadge:
    def test_that_agrees_is_not_mentioned(self, desk: Native, promise: Promise) -> None:
        assert badge(desk, promise) == []
        assert badge(desk, replace(promise, due_at=DUE + timedelta(seconds=60))) == []

    @pytest.mark.parametrize(
        ("spoil", "cause", "remedy"),
        [
            (released_later, "its release or re-opening 2026-11-23 11:00Z", "points_response_due"),
            (another_sla, "the SLA Gold counts", "narrow that SLA's condition"),
            (account_elsewhere, "other hours or holidays", "points-bridge setup support"),
        ],
    )
    def test_that_differs_is_a_warning_with_both_times_and_the_reason(
        self, desk: Native, promise: Promise, spoil: Spoil, cause: str, remedy: str
    ) -> None:
        promise = spoil(desk, promise)
        ticket = desk.box.model.ticket(desk.ticket)
        (found,) = badge(desk, promise)
        assert found.severity is Severity.WARNING
        for told in (
            f"ticket {ticket['number']}",
            f"{ticket['first_response_escalation_at']:%Y-%m-%d %H:%M}Z by Zammad",
            f"{promise.due_at:%Y-%m-%d %H:%M}Z by the bridge",
            cause,
        ):
            assert told in found.what
        assert remedy in found.remedy

    def test_names_no_sla_where_the_token_may_list_none(
        self, desk: Native, promise: Promise
    ) -> None:
        (found,) = badge(desk, another_sla(desk, promise), setup_token=Token.AGENT)
        assert "Gold" not in found.what

    @pytest.mark.parametrize("end", ["answered", "closed", "deleted", "out of sight"])
    def test_that_is_blank_or_out_of_sight_is_not_mentioned(
        self, desk: Native, promise: Promise, end: str
    ) -> None:
        promise, model = account_elsewhere(desk, promise), desk.box.model
        assert badge(desk, promise) != []
        if end == "answered":
            model.agent_answers(desk.ticket, "Try this.")
        elif end == "closed":
            model.agent_closes(desk.ticket)
        elif end == "deleted":
            model.admin_deletes(desk.ticket)
        else:
            model.access.actor(BRIDGE).user["group_ids"] = {"2": ["full"]}
        assert badge(desk, promise) == []

    def test_is_not_looked_at_without_the_setting(self, desk: Native, promise: Promise) -> None:
        desk.native_slas = False
        assert badge(desk, account_elsewhere(desk, promise)) == []


def test_the_policy_and_the_stand_in_count_alike(desk: Native) -> None:
    """Two computations that share no line, through the calendars that were made."""
    set_up(desk)
    for name, *place in (
        ("America/Toronto, CA", "America/Toronto", "CA", None),
        ("Europe/Berlin, DE, BY", "Europe/Berlin", "DE", "BY"),
    ):
        ours, theirs = build_calendar(*place), desk.calendars()[name]
        for hour in range(0, 24 * 366 * 2, 7):
            start = datetime(2026, 11, 1, tzinfo=UTC) + timedelta(hours=hour, seconds=hour)
            due = add_business_time(start, 4 * 3600, ours).at
            assert destination(start, timedelta(hours=4), theirs) == due, start

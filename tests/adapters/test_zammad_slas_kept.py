"""Zammad's own calendars and SLAs after a cut, beside those of others, and taken away again."""

from copy import deepcopy

import pytest
import responses

from bridge.adapters.provisioning import Action, Severity
from bridge.adapters.zammad.setup.layout import NATIVE_PREFIX
from bridge.errors import HelpdeskRefused, HelpdeskUnavailable
from bridge.sandbox.zammad import BRIDGE, Fault
from tests.adapters.zammad_desk import CUTS, WANTED, Row, carry_out, changes, set_up, take_away
from tests.adapters.zammad_native import (
    BERLIN,
    EVERYBODY,
    OPEN,
    PLACES,
    Native,
    Places,
    complaints,
    plan,
    said,
)


@pytest.fixture
def desk(vendor: responses.RequestsMock) -> Native:
    return Native(vendor)


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
        met: list[object] = []
        for cut, call in enumerate(calls):
            if call.method == "GET" and (fault.carried_out or fault.drop == cut % 2):
                continue  # nothing is carried out by it, and it fails in either way in turn
            vendor.reset()
            desk = self.half_done(vendor, places)
            desk.fault(fault, after=cut)
            with pytest.raises(HelpdeskUnavailable):
                set_up(desk)
            if (left := deepcopy(desk.state())) in met:
                continue  # from there it went on before: two reads leave the same
            met.append(left)
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
        others = ("object", "webhook", "trigger", "overview", "core_workflow", "group")
        admin = [f"admin.{one}" for one in (*others, "calendar", "sla") if one != lacking]
        desk.box.model.access.add_token("least", BRIDGE, "ticket.agent", *admin)
        setup = desk.setup(setup_token="least")
        ((name, told),) = said(set_up(desk, setup))
        assert name == "of the bridge"
        assert "are left out: the setup token needs" in told
        assert "admin.calendar and admin.sla, and so does its user" in told
        assert said(setup.removal()) == [(name, told)]
        assert desk.rows("Calendar") == desk.rows("Sla") == []
        desk.native_slas = False
        assert said(desk.setup(setup_token="least").plan(WANTED)) == []

    def test_are_there_and_the_helpdesk_fails(self, desk: Native) -> None:
        fault = Fault("GET", "/api/v1/slas", status=422, body=b'{"error": "odd"}')
        desk.box.model.faults.add(fault)
        with pytest.raises(HelpdeskRefused, match="odd"):
            plan(desk)

"""Zammad's own calendars and SLAs: for which places and years, and what is said of the rest."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import responses

from bridge.adapters.provisioning import Action, Severity
from bridge.adapters.zammad.setup.layout import NATIVE_PREFIX
from bridge.errors import HelpdeskRefused
from bridge.policy.calendars import public_holidays
from bridge.policy.places import Address
from bridge.policy.service_hours import Hours
from bridge.sandbox.zammad import Fault
from tests.adapters.zammad_desk import WANTED, Row, carry_out, changes, set_up
from tests.adapters.zammad_native import (
    BERLIN,
    CLOSED,
    EVERYBODY,
    OPEN,
    Native,
    Places,
    complaints,
    plan,
    said,
)


@pytest.fixture
def desk(vendor: responses.RequestsMock) -> Native:
    return Native(vendor)


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

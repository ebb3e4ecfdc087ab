"""What was decided about a ticket, written down: points, incident, record, and what is owed."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Connection

from bridge.ledger import accounts, incidents, points
from bridge.policy.decisions import Decision, Kind
from bridge.service import settling
from bridge.service.reports import statement
from bridge.service.settling import Touch, release_held, settle_ticket, wants_history
from bridge.ticket import PointsState, SlaState, Status
from tests.service.conftest import ACME, BETA, DAY, HOUR, NOW, House

TOUCH = Touch("d1", NOW)


def booked(house: House) -> list[tuple[str, int]]:
    return [(line.kind, line.points) for line in statement(house.bridge, ACME.name).entries]


class TestOpening:
    def test_with_points_it_is_charged_and_its_clock_runs(self, house: House) -> None:
        house.buy(100)
        house.open()
        assert house.settle() == "accepted"
        stored = house.incident()
        assert (stored.ticket_number, stored.incident.state) == ("31005", PointsState.CHARGED)
        assert stored.incident.customer_ref == ACME.ref
        assert stored.incident.clock
        assert stored.incident.clock.due_at == NOW + 4 * HOUR
        assert booked(house) == [("purchase", 100), ("charge", -10)]

    def test_without_points_it_is_held(self, house: House) -> None:
        house.buy(9)
        house.open()
        assert house.settle() == "held"
        incident = house.incident().incident
        assert (incident.state, incident.held_at, incident.clock) == (
            PointsState.AWAITING_POINTS,
            NOW,
            None,
        )
        assert house.on_hand() == 9

    def test_a_second_look_decides_nothing(self, house: House) -> None:
        house.buy(100)
        house.open()
        house.run()
        assert house.run("5") == "nothing"
        assert house.on_hand() == 90

    def test_the_charge_says_why_and_by_whom(self, house: House) -> None:
        house.buy(100)
        house.open()
        house.settle()
        line = statement(house.bridge, ACME.name).entries[-1]
        assert (line.actor, line.reason, line.ticket_number) == ("bridge", "accepted", "31005")

    def test_the_due_time_is_stored_with_what_it_was_computed_from(self, house: House) -> None:
        house.buy(100)
        house.open()
        house.settle()
        incident_id = house.incident().id
        (clock,) = house.db.read(lambda conn: incidents.past_clocks(conn, incident_id))
        assert (clock.inputs["zone"], clock.inputs["country"]) == ("Europe/Berlin", "DE")

    def test_a_ticket_older_than_the_bridge_is_left_alone(self, house: House) -> None:
        house.open(created_at=NOW - 31 * DAY)
        assert house.settle() == "no incident: the ticket is older"
        assert house.decisions() == []

    def test_the_setting_says_since_when_tickets_count(self, house: House) -> None:
        house.configure(in_service_since=NOW)
        house.open(created_at=NOW - timedelta(seconds=1))
        assert house.settle() == "no incident: the ticket is older"

    def test_points_that_expired_since_the_ticket_came_still_count(self, house: House) -> None:
        house.buy(10, on=(NOW - 365 * DAY).date())
        house.put()
        house.later(days=2)
        assert house.on_hand() == 0
        assert house.settle("5") == "accepted"


class TestALife:
    def test_answered_closed_and_reopened_for_free(self, house: House) -> None:
        house.buy(100)
        house.open()
        house.run()
        house.later(hours=1)
        house.answer()
        assert house.run("5") == "responded"
        house.desk.set_status("5", Status.CLOSED)
        assert house.run("5") == "closed"
        house.later(days=1)
        house.desk.set_status("5", Status.OPEN)
        assert house.run("5") == "reopened"
        incident = house.incident().incident
        assert incident.state is PointsState.FREE_REOPEN
        assert incident.clock
        assert (incident.clock.cycle, incident.clock.result) == (2, SlaState.RUNNING)
        assert house.on_hand() == 90

    def test_all_that_happened_meanwhile_is_decided_at_once(self, house: House) -> None:
        house.buy(100)
        house.put()
        house.later(hours=1)
        house.answer()
        house.later(hours=1)
        house.desk.set_status("5", Status.CLOSED)
        assert house.settle("5") == "accepted, responded, closed"
        assert house.kinds() == ["accepted", "responded", "closed"]

    def test_a_late_reopen_is_a_second_incident_on_the_ticket(self, house: House) -> None:
        house.buy(100)
        house.open(status=Status.CLOSED)
        house.desk.set_status("5", Status.OPEN)
        house.desk.set_status("5", Status.CLOSED)
        house.run("5")
        house.later(days=91)
        house.desk.set_status("5", Status.OPEN)
        assert house.run("5") == "accepted"
        assert house.incident().incident.number == 2
        assert house.on_hand() == 80

    def test_a_follow_up_ticket_takes_up_the_issue_for_free(self, house: House) -> None:
        house.buy(100)
        house.open()
        house.desk.set_status("5", Status.CLOSED)
        house.run("5")
        house.open("6", follow_up_of="5")
        assert house.settle() == "reopened"
        assert house.on_hand() == 90

    def test_a_follow_up_of_another_accounts_ticket_is_charged(self, house: House) -> None:
        house.buy(100)
        house.buy(100, BETA.name)
        house.open()
        house.desk.set_status("5", Status.CLOSED)
        house.run("5")
        house.open("6", BETA, follow_up_of="5")
        assert house.settle() == "accepted"
        assert house.on_hand(BETA.name) == 90

    def test_what_is_seen_is_not_asked_for_again(self, house: House) -> None:
        house.buy(100)
        house.open()
        house.run()
        house.desk.set_status("5", Status.PENDING)
        house.change(close_hint=NOW)
        house.run("5")
        ticket, support = house.desk.tickets["5"], house.bridge.helpdesk("support")
        assert not house.db.read(lambda conn: wants_history(conn, support, ticket))
        assert house.incident().incident.seen == 1

    def test_two_tickets_do_not_share_points(self, house: House) -> None:
        house.buy(10)
        house.open("5")
        house.open("6")
        house.settle()
        assert (house.kinds("5"), house.kinds("6")) == (["accepted"], ["held"])


class TestReleasing:
    def hold(self, house: House, *ticket_ids: str) -> None:
        for ticket_id in ticket_ids:
            house.open(ticket_id)
            house.run()
            house.later(minutes=1)

    def test_the_oldest_come_first_up_to_the_balance(self, house: House) -> None:
        self.hold(house, "7", "5", "6")
        bought = house.buy(25)
        assert [stored.ticket_id for stored in bought.released] == ["7", "5"]
        assert house.incident("6").incident.state is PointsState.AWAITING_POINTS
        assert house.on_hand() == 5

    def test_a_released_incident_is_recorded_with_its_clock(self, house: House) -> None:
        self.hold(house, "5")
        house.later(hours=1)
        (released,) = house.buy(10).released
        assert released == house.incident()
        assert released.incident.clock
        assert released.incident.clock.started_at == house.now
        (_, decision) = house.decisions()
        assert (decision.kind, decision.decided_at, decision.delivery) == (
            "released",
            house.now,
            None,
        )

    def test_tickets_of_others_stay_held(self, house: House) -> None:
        self.hold(house, "5")
        house.open("6", BETA)
        house.run()
        house.buy(100)
        assert house.incident("6").incident.state is PointsState.AWAITING_POINTS

    def test_a_status_that_held_it_is_taken_back(self, house: House) -> None:
        house.configure(held_status=Status.PENDING)
        self.hold(house, "5")
        house.buy(10)
        (update,) = house.send()
        assert update.status is Status.OPEN

    def test_tickets_of_a_helpdesk_that_is_gone_are_released_too(self, house: House) -> None:
        self.hold(house, "5")
        bridge = replace(house.bridge, helpdesks={})

        def work(conn: Connection) -> int:
            house_account = house.incident().account_id
            points.book_purchase(
                conn,
                account_id=house_account,
                points=10,
                purchased_on=NOW.date(),
                usable_from=NOW,
                expires_at=NOW + DAY,
                source="test",
                reference="1",
                actor="test",
                now=house.now,
            )
            return len(release_held(conn, bridge, accounts.by_id(conn, house_account)))

        assert house.db.write(work) == 1


class TestATransaction:
    def test_points_that_somebody_else_took_meanwhile_undo_all_of_it(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        house.buy(100)
        house.open()
        monkeypatch.setattr(points, "charge", lambda *_args, **_given: None)
        house.settle()
        assert house.decisions() == []
        (row,) = house.rows("inbox")
        assert (row.state, row.outcome) == (
            "queued",
            "another charge took the points meanwhile; decide anew",
        )

    @pytest.mark.parametrize("known", [False, True])
    def test_a_decision_about_no_incident_is_a_fault(
        self, house: House, monkeypatch: pytest.MonkeyPatch, known: bool
    ) -> None:
        house.put()
        if known:
            house.settle("5")
        nonsense = Decision(Kind.NOTED, NOW, None)
        monkeypatch.setattr(settling, "decide", lambda *_given: nonsense)
        support, ticket = house.bridge.helpdesk("support"), house.desk.tickets["5"]
        with pytest.raises(RuntimeError) as fault:
            house.db.write(
                lambda conn: settle_ticket(conn, house.bridge, support, ticket, None, TOUCH)
            )
        assert str(fault.value) == "a decision noted without an incident"

    def test_rules_that_go_round_in_circles_are_a_fault_and_write_nothing(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        house.buy(100)
        house.put()
        monkeypatch.setattr(settling, "_MOST_STEPS", 0)
        support, ticket = house.bridge.helpdesk("support"), house.desk.tickets["5"]
        with pytest.raises(RuntimeError) as fault:
            house.db.write(
                lambda conn: settle_ticket(conn, house.bridge, support, ticket, None, TOUCH)
            )
        assert str(fault.value) == "no end to the decisions about support ticket 5"

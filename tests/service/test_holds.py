"""A held ticket that people go on with: put back, or left to the agents."""

import pytest

from bridge.service import watch
from bridge.ticket import Actor, PointsState, Status
from tests.service.conftest import DAY, House


def customer_writes(house: House) -> str:
    house.desk.set_status("5", Status.OPEN, Actor.CUSTOMER)
    outcome = house.run("5")
    house.later(hours=1)
    return outcome


class TestTheCustomerWrites:
    def test_the_ticket_waits_again_and_nobody_is_told(self, held: House) -> None:
        until = held.desk.updates[-1].pending_until
        assert customer_writes(held) == "put_back"
        update = held.desk.updates[-1]
        assert (update.status, update.pending_until, update.note) == (Status.PENDING, until, None)
        assert held.desk.tickets["5"].status is Status.PENDING
        assert len(held.notes()) == 1

    def test_three_times_a_day(self, held: House) -> None:
        said = [customer_writes(held) for _ in range(4)]
        assert said == ["put_back"] * 3 + ["nothing"]
        assert held.desk.tickets["5"].status is Status.OPEN
        held.desk.set_status("5", Status.PENDING)
        held.later(days=1)
        assert customer_writes(held) == "put_back"

    def test_a_second_look_puts_nothing_back(self, held: House) -> None:
        held.desk.set_status("5", Status.OPEN, Actor.CUSTOMER)
        held.tell()
        held.settle()
        assert held.run("5") == "nothing"
        assert len(held.desk.updates) == 2

    def test_points_that_came_meanwhile_release_it_instead(self, held: House) -> None:
        held.desk.set_status("5", Status.OPEN, Actor.CUSTOMER)
        held.tell()
        held.buy(10)
        assert held.run() == "put_back, released"
        assert held.desk.tickets["5"].status is Status.OPEN


class TestAnAgentAnswers:
    @pytest.fixture
    def answered(self, held: House) -> House:
        held.answer()
        assert held.run("5") == "flagged"
        held.later(hours=1)
        return held

    def test_agents_are_told_and_the_ticket_is_left_as_it_is(self, answered: House) -> None:
        update = answered.desk.updates[-1]
        assert (update.fields.state, update.fields.charged) == (PointsState.REVIEW, 0)
        assert (update.status, update.note and update.note.public) == (None, False)
        assert answered.notes()[-1].text.startswith("Points: review. An agent answered while")

    def test_nobody_is_reminded_and_nothing_is_declined(self, answered: House) -> None:
        for _ in range(15):
            answered.later(days=1)
            assert watch.watch_holds(answered.bridge) == 0
            assert answered.send() == []
        assert answered.incident().incident.state is PointsState.REVIEW

    def test_points_that_come_are_not_taken_for_it(self, answered: House) -> None:
        assert answered.buy(10).released == ()
        assert answered.run("5") == "nothing"
        assert answered.on_hand() == 10

    def test_nor_where_they_come_before_the_answer_was_looked_at(self, held: House) -> None:
        held.answer()
        held.tell()
        held.buy(10)
        assert held.run() == "flagged"
        assert held.on_hand() == 10

    def test_a_message_that_opens_it_is_left_to_them(self, answered: House) -> None:
        assert customer_writes(answered) == "nothing"
        assert answered.desk.tickets["5"].status is Status.OPEN

    def test_closed_it_stays_for_review_and_a_thank_you_changes_nothing(
        self, answered: House
    ) -> None:
        answered.desk.set_status("5", Status.CLOSED)
        assert answered.run("5") == "closed"
        answered.later(days=100)
        assert customer_writes(answered) == "reopened"
        assert answered.desk.fields["5"].state is PointsState.REVIEW
        assert [note.public for note in answered.notes()] == [True, False]
        assert len(answered.desk.updates) == 2

    def test_one_that_is_answered_and_closed_at_once_is_for_review(self, held: House) -> None:
        held.answer()
        held.desk.set_status("5", Status.CLOSED)
        assert held.run("5") == "flagged, closed"
        assert held.desk.fields["5"].state is PointsState.REVIEW
        assert held.notes()[-1].text.startswith("Points: review.")

    def test_what_was_answered_before_we_looked_is_not_said_to_wait(self, house: House) -> None:
        house.configure(held_status=Status.PENDING)
        house.put()
        house.later(hours=1)
        house.answer()
        assert house.run("5") == "held, flagged"
        (note,) = house.notes()
        assert not note.public
        assert house.desk.tickets["5"].status is Status.OPEN


class TestNobodyToldOfTheAnswer:
    """The webhook was lost: the ticket is read before its requester is told anything."""

    def test_there_is_no_reminder(self, held: House) -> None:
        held.answer()
        held.later(days=1)
        watch.watch_holds(held.bridge)
        assert held.send() == []
        assert held.run() == "flagged"
        assert [note.public for note in held.notes()] == [True, False]

    def test_nor_a_decline(self, held: House) -> None:
        held.answer()
        held.now += 14 * DAY
        watch.watch_holds(held.bridge)
        assert held.send() == []
        assert held.run() == "flagged"
        assert held.incident().incident.state is PointsState.REVIEW
        assert held.desk.tickets["5"].status is Status.PENDING
        assert [note.public for note in held.notes()] == [True, False]

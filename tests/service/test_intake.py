"""Deliveries: kept before they are answered, then their ticket is looked at."""

import pytest

from bridge.errors import (
    HelpdeskRefused,
    HelpdeskUnavailable,
    PayloadNotUnderstood,
    UnknownHelpdesk,
    WebhookRejected,
)
from bridge.service.intake import handle_next, receive
from bridge.ticket import Received, Status
from tests.service.conftest import House
from tests.service.memory import delivery_of, signed


class TestReceiving:
    def test_a_delivery_is_stored_and_a_worker_is_woken(self, house: House) -> None:
        round_before = house.bridge.wake.round()
        assert house.tell("5", "d1") is Received.STORED
        (row,) = house.rows("inbox")
        assert (row.helpdesk, row.ticket_id, row.state) == ("support", "5", "queued")
        assert house.bridge.wake.round() == round_before + 1

    def test_a_repetition_is_stored_once_and_wakes_nobody(self, house: House) -> None:
        house.tell("5", "d1")
        round_before = house.bridge.wake.round()
        assert house.tell("5", "d1") is Received.DUPLICATE
        assert len(house.rows("inbox")) == 1
        assert house.bridge.wake.round() == round_before

    def test_what_is_not_about_a_ticket_is_ignored(self, house: House) -> None:
        assert receive(house.bridge, "support", signed(b'{"ping": 1}', house.now)) is (
            Received.IGNORED
        )
        assert house.rows("inbox") == []

    def test_a_forged_delivery_leaves_no_trace(self, house: House) -> None:
        forged = signed(b'{"ticket": 5, "delivery": "d1"}', house.now, "another secret")
        with pytest.raises(WebhookRejected):
            receive(house.bridge, "support", forged)
        assert house.rows("inbox") == []

    def test_what_cannot_be_read_is_kept_once_as_a_dead_letter(self, house: House) -> None:
        for _ in range(2):
            with pytest.raises(PayloadNotUnderstood):
                receive(house.bridge, "support", signed(b"not JSON", house.now))
        (row,) = house.rows("inbox")
        assert (row.state, row.outcome) == ("dead", "the body is not JSON")
        assert (row.helpdesk, row.ticket_id, row.what) == ("support", None, "unreadable")

    def test_two_bodies_that_cannot_be_read_are_two_dead_letters(self, house: House) -> None:
        for body in (b"not JSON", b"nor this"):
            with pytest.raises(PayloadNotUnderstood):
                receive(house.bridge, "support", signed(body, house.now))
        assert len(house.rows("inbox")) == 2

    def test_a_helpdesk_that_is_not_configured_is_named(self, house: House) -> None:
        with pytest.raises(UnknownHelpdesk) as unknown:
            receive(house.bridge, "elsewhere", delivery_of("5", "d1", house.now))
        assert str(unknown.value) == (
            "no helpdesk 'elsewhere' is configured; known: sales, support"
        )


class TestHandling:
    def test_all_deliveries_of_a_ticket_take_one_look(self, house: House) -> None:
        house.open()
        house.tell()
        house.buy(10)
        assert handle_next(house.bridge)
        assert not handle_next(house.bridge)
        assert house.desk.calls == ["fetch"]
        assert house.raw("inbox").finished_at == house.now
        assert [(row.state, row.outcome) for row in house.rows("inbox")] == [
            ("done", "accepted"),
            ("done", "accepted"),
        ]

    def test_the_decision_names_the_delivery_that_led_to_it(self, house: House) -> None:
        house.put()
        house.tell("5", "d1")
        house.settle()
        (decision,) = house.decisions()
        assert decision.delivery == "d1"

    def test_the_senders_are_woken_by_what_is_owed(self, house: House) -> None:
        house.open()
        round_before = house.bridge.wake.round()
        handle_next(house.bridge)
        assert house.bridge.wake.round() == round_before + 1

    def test_history_is_read_only_where_it_may_say_something(self, house: House) -> None:
        house.open()
        house.settle()
        house.desk.set_status("5", Status.CLOSED)
        house.settle("5")
        assert house.desk.calls == ["fetch", "fetch", "history"]

    def test_nothing_is_decided_on_a_ticket_that_is_not_shown(self, house: House) -> None:
        house.tell("5")
        house.settle()
        (row,) = house.rows("inbox")
        assert (row.state, row.outcome) == ("done", "no ticket '5' in memory")
        assert house.raw("inbox").finished_at == house.now

    def test_while_the_helpdesk_is_down_the_delivery_waits(self, house: House) -> None:
        house.open()
        house.desk.failing["fetch"] = HelpdeskUnavailable("down", retry_after=90)
        handle_next(house.bridge)
        (row,) = house.rows("inbox")
        assert (row.state, row.outcome) == ("queued", "down")
        assert (row.next_at - house.now).total_seconds() == 90
        house.desk.failing.clear()
        house.later(seconds=90)
        assert house.settle() == "held"

    def test_a_refusal_makes_it_a_dead_letter(self, house: House) -> None:
        house.open()
        house.desk.failing["fetch"] = HelpdeskRefused("the token has no rights")
        handle_next(house.bridge)
        (row,) = house.rows("inbox")
        assert (row.state, row.outcome) == ("dead", "the token has no rights")

    def test_a_failure_while_history_is_read_decides_nothing(self, house: House) -> None:
        house.open(status=Status.CLOSED)
        house.desk.failing["history"] = HelpdeskUnavailable("down")
        handle_next(house.bridge)
        assert house.rows("inbox")[0].state == "queued"
        assert house.decisions() == []

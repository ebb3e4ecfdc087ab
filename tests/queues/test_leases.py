"""Who may work on what, and for how long."""

from datetime import datetime

from bridge.queues import rows
from bridge.queues.inbox import Leased
from bridge.queues.rows import LEASE
from tests.queues.conftest import NOW, SECOND, Queues


class TestDeliveries:
    def test_of_the_ticket_that_waited_longest_are_taken_together(self, queues: Queues) -> None:
        queues.deliver("5", delivery="first")
        queues.deliver("6")
        queues.deliver("5", delivery="third")
        assert queues.take_deliveries() == Leased((1, 3), "support", "5", "first")

    def test_of_a_leased_ticket_wait_for_its_lease(self, queues: Queues) -> None:
        queues.deliver("5")
        queues.take_deliveries()
        queues.deliver("5")
        assert queues.take_deliveries() is None

    def test_of_a_ticket_in_hand_do_not_hold_up_those_of_others(self, queues: Queues) -> None:
        queues.deliver("5")
        queues.take_deliveries()
        queues.deliver("5")
        queues.deliver("6")
        assert queues.take_deliveries() == Leased((3,), "support", "6", "delivery-2")

    def test_of_two_helpdesks_are_about_two_tickets(self, queues: Queues) -> None:
        queues.deliver("5")
        queues.deliver("5", helpdesk="sales")
        taken = [queues.take_deliveries(), queues.take_deliveries()]
        assert [one and (one.helpdesk, one.ids) for one in taken] == [
            ("support", (1,)),
            ("sales", (2,)),
        ]

    def test_are_each_taken_by_one_worker_however_many_are_in_hand(self, queues: Queues) -> None:
        for number in range(40):
            queues.deliver(str(number % 15))
        taken = []
        while leased := queues.take_deliveries():
            taken.append(leased)
        assert [one.ticket_id for one in taken] == [str(number) for number in range(15)]
        assert sorted(i for one in taken for i in one.ids) == list(range(1, 41))

    def test_that_are_handled_are_not_taken_again(self, queues: Queues) -> None:
        queues.deliver()
        queues.take_deliveries()
        queues.finish("inbox", 1)
        queues.now += 2 * LEASE
        assert queues.take_deliveries() is None

    def test_that_came_meanwhile_are_taken_after_the_others(self, queues: Queues) -> None:
        queues.deliver()
        queues.take_deliveries()
        queues.deliver()
        queues.finish("inbox", 1)
        assert queues.take_deliveries() == Leased((2,), "support", "5", "delivery-1")


class TestWrites:
    def test_of_a_ticket_are_taken_one_at_a_time_and_in_order(self, queues: Queues) -> None:
        for _ in range(3):
            queues.owe()
        assert (queues.taken(), queues.taken()) == (1, None)
        queues.finish("outbox", 1)
        assert (queues.taken(), queues.taken()) == (2, None)
        queues.finish("outbox", 2)
        assert queues.taken() == 3

    def test_that_are_postponed_are_not_overtaken(self, queues: Queues) -> None:
        queues.owe()
        queues.owe()
        queues.take_write()
        queues.postpone("outbox", 1)
        assert queues.taken() is None

    def test_that_died_hold_up_nobody(self, queues: Queues) -> None:
        queues.owe()
        queues.owe()
        queues.take_write()
        queues.bury("outbox", 1)
        assert queues.taken() == 2

    def test_of_other_tickets_go_out_meanwhile(self, queues: Queues) -> None:
        queues.owe("5")
        queues.owe("6")
        queues.owe("5", helpdesk="sales")
        assert [queues.taken() for _ in range(4)] == [1, 2, 3, None]

    def test_know_how_often_they_were_tried(self, queues: Queues) -> None:
        queues.owe()
        first = queues.take_write()
        queues.now += LEASE
        second = queues.take_write()
        assert first
        assert second
        assert (first.attempts, second.attempts) == (1, 2)


def test_a_lease_runs_out(queues: Queues) -> None:
    """A worker that was killed loses nothing."""
    queues.deliver()
    queues.take_deliveries()
    queues.now += LEASE - SECOND
    assert queues.take_deliveries() is None
    queues.now += SECOND
    assert queues.take_deliveries() is not None


def test_work_is_not_taken_before_it_is_due(queues: Queues) -> None:
    queues.now += SECOND
    queues.deliver()
    queues.now = NOW
    assert queues.take_deliveries() is None
    queues.now += SECOND
    assert queues.take_deliveries() is not None


def test_leases_are_given_up_at_the_start_of_the_only_server(queues: Queues) -> None:
    queues.deliver()
    queues.owe()
    queues.owe("6")
    queues.take_deliveries()
    queues.take_write()
    assert queues.db.write(rows.end_leases) == 2
    assert queues.take_deliveries() == Leased((1,), "support", "5", "delivery-0")
    assert queues.taken() == 1


def test_what_is_done_has_no_lease_to_give_up(queues: Queues) -> None:
    queues.owe()
    queues.take_write()
    queues.finish("outbox", 1)
    assert queues.db.write(rows.end_leases) == 0
    assert queues.raw("outbox").leased_until is None


def test_the_oldest_work_that_is_owed_tells_how_long_it_waits(queues: Queues) -> None:
    def oldest() -> datetime | None:
        return queues.db.read(rows.oldest_queued)

    assert oldest() is None
    queues.owe("5")
    queues.now += SECOND
    queues.deliver("5")
    assert oldest() == queues.now - SECOND
    queues.finish("outbox", 1)
    assert oldest() == queues.now

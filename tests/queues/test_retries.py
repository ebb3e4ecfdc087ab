"""What becomes of work that failed."""

from datetime import timedelta

import pytest

from bridge.policy.retries import GIVE_UP_AFTER, WAITS
from bridge.queues.rows import QueueName
from tests.queues.conftest import NOW, SECOND, Queues

BOTH: list[QueueName] = ["inbox", "outbox"]


def failed(queues: Queues, queue: QueueName) -> None:
    """One row, tried once."""
    if queue == "inbox":
        queues.deliver()
        queues.take_deliveries()
    else:
        queues.owe()
        queues.take_write()


@pytest.mark.parametrize("queue", BOTH)
def test_it_waits_and_says_why(queues: Queues, queue: QueueName) -> None:
    failed(queues, queue)
    queues.now += SECOND
    queues.postpone(queue, 1, error="the helpdesk is down")
    row = queues.row(queue)
    assert (row.state, row.outcome, row.attempts) == ("queued", "the helpdesk is down", 1)
    assert row.next_at == NOW + SECOND + WAITS[0]


def test_it_is_tried_again_when_its_wait_is_over_and_not_before(queues: Queues) -> None:
    failed(queues, "outbox")
    queues.postpone("outbox", 1)
    queues.now += WAITS[0] - SECOND
    assert queues.taken() is None
    queues.now += SECOND
    assert queues.taken() == 1


def test_each_further_wait_is_longer(queues: Queues) -> None:
    failed(queues, "outbox")
    for wait in WAITS:
        queues.postpone("outbox", 1)
        assert queues.row("outbox").next_at == queues.now + wait
        queues.now += wait
        queues.take_write()


@pytest.mark.parametrize(("jitter", "factor"), [(0.0, 0.8), (0.5, 1.0), (0.75, 1.1)])
def test_jitter_spreads_the_waits(queues: Queues, jitter: float, factor: float) -> None:
    failed(queues, "outbox")
    queues.postpone("outbox", 1, jitter=jitter)
    assert queues.row("outbox").next_at == NOW + WAITS[0] * factor


@pytest.mark.parametrize("queue", BOTH)
def test_the_wait_that_a_helpdesk_asks_for_is_kept(queues: Queues, queue: QueueName) -> None:
    failed(queues, queue)
    queues.postpone(queue, 1, retry_after=90)
    assert queues.row(queue).next_at == NOW + timedelta(seconds=90)


@pytest.mark.parametrize("queue", BOTH)
def test_what_failed_for_three_days_becomes_a_dead_letter(queues: Queues, queue: QueueName) -> None:
    failed(queues, queue)
    queues.now += GIVE_UP_AFTER
    queues.postpone(queue, 1, error="still down")
    row = queues.raw(queue)
    assert (row.state, row.outcome, row.leased_until) == ("dead", "still down", None)
    assert row.finished_at == NOW + GIVE_UP_AFTER


def test_the_days_count_from_when_it_was_stored(queues: Queues) -> None:
    failed(queues, "outbox")
    queues.now += GIVE_UP_AFTER - SECOND
    queues.postpone("outbox", 1)
    queues.now += SECOND
    queues.postpone("outbox", 1)
    assert queues.row("outbox").state == "dead"


def test_of_several_only_the_old_ones_are_given_up(queues: Queues) -> None:
    queues.deliver()
    queues.now += GIVE_UP_AFTER
    queues.deliver()
    queues.take_deliveries()
    queues.postpone("inbox", 1, 2)
    assert [queues.row("inbox", i).state for i in (1, 2)] == ["dead", "queued"]


def test_those_after_one_that_is_given_up_are_postponed_too(queues: Queues) -> None:
    queues.deliver()
    queues.now += GIVE_UP_AFTER
    queues.deliver()
    queues.take_deliveries()
    queues.postpone("inbox", 1, 2, retry_after=60)
    assert queues.row("inbox", 2).next_at == queues.now + timedelta(seconds=60)


def test_what_is_refused_is_parked_at_once(queues: Queues) -> None:
    failed(queues, "outbox")
    queues.bury("outbox", 1, error="no such field")
    row = queues.raw("outbox")
    assert (row.state, row.outcome) == ("dead", "no such field")
    assert (row.leased_until, row.finished_at) == (None, NOW)
    assert queues.taken() is None


def test_a_dead_delivery_keeps_its_body(queues: Queues) -> None:
    queues.deliver(body=b'{"id":5}')
    queues.take_deliveries()
    queues.bury("inbox", 1)
    assert queues.raw("inbox").body == b'{"id":5}'

"""What is kept of a delivery."""

import hashlib

from bridge.queues.rows import QueueRow
from tests.queues.conftest import NOW, Queues


def test_a_delivery_is_kept_whole_until_it_is_handled(queues: Queues) -> None:
    assert queues.deliver("5", delivery="d1", body=b'{"id":5}')
    assert queues.row("inbox") == QueueRow(
        queue="inbox",
        id=1,
        helpdesk="support",
        ticket_id="5",
        what="updated",
        state="queued",
        attempts=0,
        stored_at=NOW,
        next_at=NOW,
        outcome=None,
    )
    row = queues.raw("inbox")
    assert (row.delivery_id, row.body) == ("d1", b'{"id":5}')
    assert row.body_sha256 == hashlib.sha256(b'{"id":5}').hexdigest()


def test_a_repetition_is_not_kept(queues: Queues) -> None:
    assert queues.deliver(delivery="d1")
    assert not queues.deliver(delivery="d1")
    queues.take_deliveries()
    assert queues.take_deliveries() is None


def test_two_helpdesks_may_use_the_same_id(queues: Queues) -> None:
    queues.deliver(delivery="d1")
    assert queues.deliver(delivery="d1", helpdesk="sales")


def test_no_header_is_kept_that_may_carry_a_password(queues: Queues) -> None:
    queues.deliver(
        headers={
            "authorization": "Basic c2VjcmV0",
            "cookie": "secret",
            "content-type": "application/json",
            "content-length": "2",
            "user-agent": "Zammad",
            "x-hub-signature": "sha1=0",
        }
    )
    assert queues.raw("inbox").headers == {
        "content-type": "application/json",
        "content-length": "2",
        "user-agent": "Zammad",
        "x-hub-signature": "sha1=0",
    }


def test_what_cannot_be_read_is_a_dead_letter_about_no_ticket(queues: Queues) -> None:
    assert queues.deliver("", unread="the body is not JSON")
    row = queues.row("inbox")
    assert (row.state, row.outcome, row.ticket_id) == ("dead", "the body is not JSON", None)
    assert queues.take_deliveries() is None


def test_the_body_is_forgotten_when_it_is_handled(queues: Queues) -> None:
    queues.deliver()
    queues.take_deliveries()
    queues.finish("inbox", 1, outcome="accepted")
    row = queues.raw("inbox")
    assert (row.state, row.outcome, row.body) == ("done", "accepted", None)
    assert (row.leased_until, row.finished_at) == (None, NOW)

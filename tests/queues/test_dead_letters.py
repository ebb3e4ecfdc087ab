"""What an admin sees of the queues, and what becomes of a dead letter."""

import hashlib

import pytest

from bridge.errors import BadRequest
from bridge.queues import rows
from bridge.queues.rows import QueueName
from tests.queues.conftest import NOW, SECOND, Queues


@pytest.fixture
def dead(queues: Queues) -> Queues:
    """One of each kind in each queue: dead, queued, done; and a dead letter about no ticket."""
    for _ in range(2):
        queues.deliver("5")
        queues.deliver("6")
        queues.deliver("7")
        queues.owe("5")
        queues.owe("6")
    queues.bury("inbox", 1, error="refused")
    queues.finish("inbox", 2, 3, 4, 5, 6)
    queues.deliver("8")
    queues.bury("outbox", 1, error="refused")
    queues.finish("outbox", 2, 3)
    queues.deliver("", unread="not JSON")
    return queues


def listed(queues: Queues, state: str | None = None) -> list[tuple[str, int]]:
    found = queues.db.read(lambda conn: rows.listed(conn, state=state))
    return [(row.queue, row.id) for row in found]


def replay(queues: Queues, queue: QueueName, row_id: int) -> None:
    queues.db.write(lambda conn: rows.replay(conn, queue, row_id, queues.now))


def discard(queues: Queues, queue: QueueName, row_id: int, reason: str = " a test ") -> None:
    queues.db.write(lambda conn: rows.discard(conn, queue, row_id, reason, queues.now))


def test_all_that_is_not_done_is_listed_oldest_first(dead: Queues) -> None:
    assert listed(dead) == [
        ("inbox", 1),
        ("inbox", 7),
        ("inbox", 8),
        ("outbox", 1),
        ("outbox", 4),
    ]


def test_rows_are_listed_by_their_state(dead: Queues) -> None:
    assert listed(dead, "dead") == [("inbox", 1), ("inbox", 8), ("outbox", 1)]
    assert listed(dead, "done")[-2:] == [("outbox", 2), ("outbox", 3)]


def test_the_backlog_counts_rows_by_state(dead: Queues) -> None:
    assert dead.db.read(rows.backlog) == {
        "inbox": {"dead": 2, "done": 5, "queued": 1},
        "outbox": {"dead": 1, "done": 2, "queued": 1},
    }


def test_everything_about_a_ticket_is_found_done_or_not(dead: Queues) -> None:
    found = dead.db.read(lambda conn: rows.about(conn, "support", "6"))
    assert [(row.queue, row.id) for row in found] == [
        ("inbox", 2),
        ("inbox", 5),
        ("outbox", 2),
        ("outbox", 4),
    ]
    assert dead.db.read(lambda conn: rows.about(conn, "sales", "6")) == []


def test_a_delivery_shows_its_headers_and_only_the_size_of_its_body(queues: Queues) -> None:
    queues.deliver(body=b"four", headers={"x-mark": "1"})
    _, carried = queues.db.read(lambda conn: rows.details(conn, "inbox", 1))
    assert carried == {
        "headers": {"x-mark": "1"},
        "body_bytes": 4,
        "sha256": hashlib.sha256(b"four").hexdigest(),
    }


def test_a_delivery_that_was_handled_has_no_body_any_more(queues: Queues) -> None:
    queues.deliver(body=b"four")
    queues.finish("inbox", 1)
    _, carried = queues.db.read(lambda conn: rows.details(conn, "inbox", 1))
    assert carried["body_bytes"] == 0


def test_a_write_shows_its_payload(queues: Queues) -> None:
    queues.owe()
    row, carried = queues.db.read(lambda conn: rows.details(conn, "outbox", 1))
    assert (row.queue, carried) == ("outbox", {"state": "charged"})


def test_a_row_that_is_not_there_is_named(queues: Queues) -> None:
    with pytest.raises(BadRequest) as refused:
        queues.row("outbox", 99)
    assert str(refused.value) == ("there is no outbox 99; `points-bridge queues list` lists them")


class TestReplay:
    def test_of_a_dead_write_sends_it_again(self, dead: Queues) -> None:
        dead.now += SECOND
        replay(dead, "outbox", 1)
        row = dead.raw("outbox")
        assert (row.state, row.next_at, row.finished_at) == ("queued", NOW + SECOND, None)
        assert dead.taken() == 1

    def test_leaves_the_others_dead(self, dead: Queues) -> None:
        replay(dead, "outbox", 1)
        assert listed(dead, "dead") == [("inbox", 1), ("inbox", 8)]

    def test_of_what_is_not_dead_is_refused(self, dead: Queues) -> None:
        with pytest.raises(BadRequest) as refused:
            replay(dead, "outbox", 4)
        assert str(refused.value) == "outbox 4 is queued, not dead: nothing to do"

    def test_of_what_names_no_ticket_is_refused(self, dead: Queues) -> None:
        with pytest.raises(BadRequest) as refused:
            replay(dead, "inbox", 8)
        assert str(refused.value) == ("inbox 8 names no ticket that could be looked at; discard it")

    def test_of_all_leaves_what_names_no_ticket(self, dead: Queues) -> None:
        dead.now += SECOND
        assert dead.db.write(lambda conn: rows.replay_all(conn, dead.now)) == 2
        assert listed(dead, "dead") == [("inbox", 8)]
        row = dead.raw("inbox")
        assert (row.state, row.next_at, row.finished_at) == ("queued", NOW + SECOND, None)


class TestDiscard:
    def test_keeps_the_reason_on_record(self, dead: Queues) -> None:
        dead.now += SECOND
        discard(dead, "inbox", 1)
        row = dead.raw("inbox")
        assert (row.state, row.outcome) == ("discarded", "discarded: a test (was: refused)")
        assert (row.finished_at, row.body) == (NOW + SECOND, None)

    def test_leaves_the_others_dead(self, dead: Queues) -> None:
        discard(dead, "inbox", 8)
        assert listed(dead, "dead") == [("inbox", 1), ("outbox", 1)]

    def test_needs_a_reason(self, dead: Queues) -> None:
        with pytest.raises(BadRequest) as refused:
            discard(dead, "inbox", 1, "  ")
        assert str(refused.value) == "say why it is discarded: the reason stays on record"

    def test_of_what_is_not_dead_is_refused(self, dead: Queues) -> None:
        with pytest.raises(BadRequest) as refused:
            discard(dead, "inbox", 2)
        assert str(refused.value) == "inbox 2 is done, not dead: nothing to do"

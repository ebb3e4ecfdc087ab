"""What an admin does with the queues; what is replayed is taken up at once."""

import pytest

from bridge.errors import BadRequest, HelpdeskRefused
from bridge.service import queues
from tests.service.conftest import House
from tests.service.memory import delivery_of


@pytest.fixture
def dead(house: House) -> House:
    """A delivery that was refused."""
    house.open()
    house.desk.failing["fetch"] = HelpdeskRefused("no rights")
    house.settle()
    house.desk.failing.clear()
    return house


def test_dead_letters_are_listed(dead: House) -> None:
    (row,) = queues.listed(dead.bridge, "dead")
    assert (row.queue, row.outcome) == ("inbox", "no rights")
    assert queues.listed(dead.bridge) == [row]
    assert queues.listed(dead.bridge, "queued") == []


def test_one_is_shown(dead: House) -> None:
    row, carried = queues.details(dead.bridge, "inbox", 1)
    assert (row.id, carried["body_bytes"]) == (
        1,
        len(delivery_of("5", "delivery-1", dead.now).body),
    )


def test_one_is_replayed_at_once(dead: House) -> None:
    dead.later(hours=1)
    round_before = dead.bridge.wake.round()
    queues.replay(dead.bridge, "inbox", 1)
    assert dead.bridge.wake.round() == round_before + 1
    assert queues.listed(dead.bridge)[0].next_at == dead.now
    assert dead.settle() == "held"


def test_all_are_replayed_at_once(dead: House) -> None:
    dead.later(hours=1)
    round_before = dead.bridge.wake.round()
    assert queues.replay_all(dead.bridge) == 1
    assert dead.bridge.wake.round() == round_before + 1
    assert queues.listed(dead.bridge)[0].next_at == dead.now


def test_one_is_discarded_with_its_reason(dead: House) -> None:
    dead.later(hours=1)
    queues.discard(dead.bridge, "inbox", 1, "a test")
    assert dead.raw("inbox").finished_at == dead.now
    (row,) = queues.listed(dead.bridge)
    assert (row.state, row.outcome) == ("discarded", "discarded: a test (was: no rights)")
    with pytest.raises(BadRequest):
        queues.replay(dead.bridge, "inbox", 1)

"""Fields that somebody's browser put back are mended, within bounds."""

from dataclasses import replace

import pytest

from bridge.errors import HelpdeskRefused
from bridge.policy.writeback import MOST_REPAIRS
from bridge.queues import rows
from bridge.ticket import PointsState, Ticket, TicketUpdate
from tests.service.conftest import House


@pytest.fixture
def spoilt(house: House) -> House:
    """A charged ticket whose fields show something else."""
    house.buy(100)
    house.open()
    house.run()
    house.later(minutes=1)
    spoil(house)
    return house


def spoil(house: House) -> None:
    shown = house.desk.fields["5"]
    house.desk.fields["5"] = replace(shown, state=PointsState.DECLINED)


def test_they_are_written_anew_and_nothing_else(spoilt: House) -> None:
    assert spoilt.settle("5") == "fields repaired"
    fields = spoilt.desk.updates[0].fields
    assert spoilt.send() == [TicketUpdate("5", fields)]
    assert spoilt.settle("5") == "nothing"


def test_fields_that_are_right_are_left_alone(house: House) -> None:
    house.buy(100)
    house.open()
    house.run()
    assert house.settle("5") == "nothing"
    assert house.send() == []


def test_a_balance_alone_is_not_worth_a_write(house: House) -> None:
    house.buy(100)
    house.open()
    house.run()
    house.buy(100)
    assert house.settle("5") == "nothing"


def test_not_while_a_write_is_queued(house: House) -> None:
    house.buy(100)
    house.open()
    house.settle()
    assert house.settle("5") == "nothing"


def test_not_while_a_write_is_a_dead_letter(spoilt: House) -> None:
    spoilt.desk.failing["write"] = HelpdeskRefused("no")
    spoilt.settle("5")
    spoilt.send()
    assert spoilt.settle("5") == "nothing"


def test_again_after_the_dead_letter_is_discarded(spoilt: House) -> None:
    spoilt.desk.failing["write"] = HelpdeskRefused("no")
    spoilt.settle("5")
    spoilt.send()
    dead = spoilt.rows("outbox")[-1].id
    spoilt.db.write(lambda conn: rows.discard(conn, "outbox", dead, "seen", spoilt.now))
    spoilt.later(seconds=1)
    assert spoilt.settle("5") == "fields repaired"


def test_not_after_a_write_that_the_read_may_have_missed(
    spoilt: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ticket was read before that write arrived, and is settled after it."""
    fetch = spoilt.desk.fetch

    def fetch_slowly(ticket_id: str) -> Ticket:
        read = fetch(ticket_id)
        spoilt.later(seconds=1)
        spoilt.send()
        return read

    spoilt.settle("5")
    monkeypatch.setattr(spoilt.desk, "fetch", fetch_slowly)
    assert spoilt.settle("5") == "nothing"


def test_at_most_three_times_an_hour(spoilt: House) -> None:
    outcomes = []
    for _ in range(MOST_REPAIRS + 1):
        outcomes.append(spoilt.run("5"))
        spoilt.later(minutes=5)
        spoil(spoilt)
    assert outcomes == ["fields repaired"] * MOST_REPAIRS + ["nothing"]


def test_and_again_an_hour_later(spoilt: House) -> None:
    for _ in range(MOST_REPAIRS):
        spoilt.run("5")
        spoil(spoilt)
        spoilt.later(minutes=1)
    spoilt.later(minutes=58)
    assert spoilt.run("5") == "fields repaired"


def test_one_delivery_repairs_once(spoilt: House) -> None:
    spoilt.tell("5", "d1")
    spoilt.run()
    keys = [row.what for row in spoilt.rows("outbox")]
    assert keys == ["support:5:decision:1", "support:5:repair:d1"]


def test_a_decision_writes_all_fields_so_that_nothing_is_left_to_repair(spoilt: House) -> None:
    spoilt.answer()
    assert spoilt.settle("5") == "responded"
    assert len(spoilt.send()) == 1


def test_a_ticket_without_an_incident_shows_nothing_and_is_left_alone(house: House) -> None:
    house.configure(in_service_since=house.now)
    house.put(created_at=house.now.replace(year=2020))
    assert house.settle("5") == "no incident: the ticket is older"
    assert house.send() == []


# Closed for good


def test_a_ticket_that_takes_no_update_any_more_is_not_repaired(spoilt: House) -> None:
    spoilt.change(closed_for_good=True)
    assert spoilt.settle("5") == "nothing"
    assert spoilt.send() == []


def test_what_is_decided_of_it_is_recorded_and_not_owed(house: House) -> None:
    house.open(closed_for_good=True)
    assert house.settle() == "held"
    assert house.rows("outbox") == []


def test_what_was_owed_before_is_done_without_a_write(house: House) -> None:
    house.open()
    house.settle()
    house.change(closed_for_good=True)
    assert house.send() == []
    (row,) = house.rows("outbox")
    assert (row.state, row.outcome) == (rows.DONE, "closed for good: nothing written")

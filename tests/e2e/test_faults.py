"""What goes wrong between the bridge and a helpdesk: nothing is lost, nothing is done twice."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from bridge.errors import BadRequest
from bridge.queues import inbox, rows
from bridge.worker import drain
from tests.e2e.desks import Desk
from tests.e2e.helpers import (
    CARLA,
    DAY,
    HOUR,
    bought,
    charges,
    dead,
    on_hand,
    opened,
    sound,
)


def retried(desk: Desk) -> None:
    """Let every retry fall due that a short failure has left."""
    for _ in range(6):
        desk.wait(HOUR)


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 503},
        {"status": 429, "headers": (("Retry-After", "30"),)},
        {"status": 500, "body": b'{"error": "Error ID 1: Please contact your administrator."}'},
        {"drop": True},
        {"drop": True, "carried_out": True},
        {"status": 502, "carried_out": True},
        {"status": 200, "body": b"<html>", "carried_out": True},
    ],
    ids=["503", "429", "500", "dropped", "answer lost", "answer lost behind a proxy", "html"],
)
def test_a_write_that_fails_once_arrives_once(desk: Desk, fault: dict[str, Any]) -> None:
    """ "replies are not repeatable and are marked so that a retry finds its own earlier copy" """
    bought(desk, "Acme GmbH", 10)
    desk.fails(desk.WRITE, **fault)
    ticket = opened(desk)
    retried(desk)
    if dead(desk):
        desk.bridge.db.write(lambda conn: rows.replay_all(conn, desk.clock()))
        desk.settle()
    assert len(desk.notes(ticket)) == 1
    assert desk.shown(ticket, "state") == "charged"
    assert dead(desk) == []


@pytest.mark.parametrize("status", [500, 502, 503, 504, 429])
def test_if_the_helpdesk_fails_no_decision_is_invented(desk: Desk, status: int) -> None:
    """ "If the helpdesk's API fails, no decision is invented: fail closed, retry." """
    bought(desk, "Acme GmbH", 10)
    desk.fails(desk.READ, status=status, times=3)
    ticket = opened(desk)
    assert charges(desk, "Acme GmbH") == 0
    retried(desk)
    assert charges(desk, "Acme GmbH") == 1
    assert desk.shown(ticket, "state") == "charged"


def test_a_refused_call_becomes_a_dead_letter_that_can_be_replayed(desk: Desk) -> None:
    """ "what cannot be delivered ends as a dead letter that an admin sees and can replay" """
    bought(desk, "Acme GmbH", 10)
    desk.fails(desk.WRITE, status=403, body=b'{"error": "Not authorized"}')
    ticket = opened(desk)
    (letter,) = dead(desk)
    assert letter.queue == "outbox"
    assert desk.RIGHT in (letter.outcome or "")
    desk.bridge.db.write(lambda conn: rows.replay(conn, "outbox", letter.id, desk.clock()))
    desk.settle()
    assert desk.shown(ticket, "state") == "charged"
    assert len(desk.notes(ticket)) == 1


def test_a_missing_field_is_named(desk: Desk) -> None:
    """Both answer 200, and drop what they do not know without a word."""
    desk.loses_field("sla_state")
    bought(desk, "Acme GmbH", 10)
    opened(desk)
    (letter,) = dead(desk)
    assert "points_sla_state" in (letter.outcome or "")
    assert charges(desk, "Acme GmbH") == 1


def test_a_ticket_that_is_gone_is_decided_nothing_about(desk: Desk) -> None:
    """ "A 404 counts as deletion only when two reconciliations ... agree" """
    bought(desk, "Acme GmbH", 10)
    ticket = desk.mails(CARLA, "Help", "Please.")
    desk.fails(desk.READ, status=404, body=desk.NOT_FOUND)
    desk.settle()
    assert on_hand(desk, "Acme GmbH") == 10
    assert dead(desk) == []
    desk.answers(ticket, "Hello?")
    desk.settle()
    assert desk.shown(ticket, "state") == "charged"


def test_an_outage_of_days_parks_the_work_and_loses_none(desk: Desk) -> None:
    bought(desk, "Acme GmbH", 10)
    desk.fails(desk.READ, status=503, times=1000)
    ticket = opened(desk)
    for _ in range(40):
        desk.wait(3 * HOUR)
    (letter,) = dead(desk)
    assert (letter.queue, letter.ticket_id) == ("inbox", str(ticket))
    desk.box.model.faults.clear()
    desk.bridge.db.write(lambda conn: rows.replay_all(conn, desk.clock()))
    desk.settle()
    assert desk.shown(ticket, "state") == "charged"
    assert sound(desk)


def test_a_worker_that_dies_with_work_in_hand_loses_none(desk: Desk) -> None:
    """The lease runs out, and somebody else takes the work."""
    bought(desk, "Acme GmbH", 10)
    ticket = desk.mails(CARLA, "Help", "Please.")
    desk.box.webhooks.drain()
    taken = desk.bridge.db.write(lambda conn: inbox.claim_ticket(conn, desk.clock()))
    assert taken
    desk.settle()
    assert charges(desk, "Acme GmbH") == 0
    desk.wait(rows.LEASE)
    assert charges(desk, "Acme GmbH") == 1
    assert desk.shown(ticket, "state") == "charged"


def test_a_dead_letter_is_discarded_with_a_reason_only(desk: Desk) -> None:
    desk.fails(desk.READ, status=401, body=b'{"error": "no"}', times=2)  # and with a new token
    opened(desk)
    (letter,) = dead(desk)
    now = desk.clock() + DAY
    with pytest.raises(BadRequest, match="why"):
        desk.bridge.db.write(lambda conn: rows.discard(conn, "inbox", letter.id, " ", now))
    desk.bridge.db.write(lambda conn: rows.discard(conn, "inbox", letter.id, "a test", now))
    found, _ = desk.bridge.db.read(lambda conn: rows.details(conn, "inbox", letter.id))
    assert found.state == "discarded"
    assert "a test" in (found.outcome or "")


def test_a_message_that_has_become_wrong_goes_out_no_more(desk: Desk) -> None:
    """The helpdesk was down while points were bought: nobody is told to wait for them, but that
    work has begun.
    """
    desk.fails(desk.WRITE, status=503, times=3)
    ticket = opened(desk)
    bought(desk, "Acme GmbH", 10)
    retried(desk)
    assert desk.shown(ticket, "state") == "charged"
    (told,) = desk.notes(ticket)
    assert "We have begun" in told.body


def test_a_decision_rests_on_one_instant_however_long_it_takes(desk: Desk) -> None:
    """A ticket older than 72 hours is tested exactly 72 hours back, to the microsecond."""

    def ticking() -> datetime:
        desk.clock.move(timedelta(microseconds=1))
        return desk.clock()

    bought(desk, "Acme GmbH", 10)
    ticket = desk.mails(CARLA, "Help", "Please.")
    desk.clock.move(4 * DAY)
    desk.box.webhooks.drain()
    drain(replace(desk.bridge, now=ticking))
    assert dead(desk) == []
    assert desk.shown(ticket, "state") == "charged"

"""What goes wrong between the bridge and a helpdesk: nothing is lost, nothing is done twice."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bridge.demo.scene import Scene
from bridge.queues import inbox, rows
from bridge.sandbox.zammad import Fault
from bridge.worker import drain
from tests.e2e.helpers import (
    CARLA,
    DAY,
    HOUR,
    bought,
    charges,
    dead,
    notes,
    on_hand,
    opened,
    shown,
    sound,
)

PUT = ("PUT", "/api/v1/tickets/*")
GET = ("GET", "/api/v1/tickets/*")


def retried(scene: Scene) -> None:
    """Let every retry fall due that a short failure has left."""
    for _ in range(6):
        scene.wait(HOUR)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(*PUT, status=503),
        Fault(*PUT, status=429, headers=(("Retry-After", "30"),)),
        Fault(
            *PUT, status=500, body=b'{"error": "Error ID 1: Please contact your administrator."}'
        ),
        Fault(*PUT, drop=True),
        Fault(*PUT, drop=True, carried_out=True),
        Fault(*PUT, status=502, carried_out=True),
        Fault(*PUT, status=200, body=b"<html>", carried_out=True),
    ],
    ids=["503", "429", "500", "dropped", "answer lost", "answer lost behind a proxy", "html"],
)
def test_a_write_that_fails_once_arrives_once(scene: Scene, fault: Fault) -> None:
    """ "replies are not repeatable and are marked so that a retry finds its own earlier copy" """
    bought(scene, "Acme GmbH", 10)
    scene.zammad.model.faults.add(fault)
    ticket = opened(scene)
    retried(scene)
    if dead(scene):
        scene.bridge.db.write(lambda conn: rows.replay_all(conn, scene.clock()))
        scene.settle()
    assert len(notes(scene, ticket)) == 1
    assert shown(scene, ticket, "state") == "charged"
    assert dead(scene) == []


@pytest.mark.parametrize("status", [500, 502, 503, 504, 429])
def test_if_the_helpdesk_fails_no_decision_is_invented(scene: Scene, status: int) -> None:
    """ "If the helpdesk's API fails, no decision is invented: fail closed, retry." """
    bought(scene, "Acme GmbH", 10)
    scene.zammad.model.faults.add(Fault(*GET, status=status), times=3)
    ticket = opened(scene)
    assert charges(scene, "Acme GmbH") == 0
    retried(scene)
    assert charges(scene, "Acme GmbH") == 1
    assert shown(scene, ticket, "state") == "charged"


def test_a_refused_call_becomes_a_dead_letter_that_can_be_replayed(scene: Scene) -> None:
    """ "what cannot be delivered ends as a dead letter that an admin sees and can replay" """
    bought(scene, "Acme GmbH", 10)
    body = b'{"error": "Not authorized"}'
    scene.zammad.model.faults.add(Fault(*PUT, status=403, body=body))
    ticket = opened(scene)
    (letter,) = dead(scene)
    assert letter.queue == "outbox"
    assert "ticket.agent" in (letter.outcome or "")
    scene.bridge.db.write(lambda conn: rows.replay(conn, "outbox", letter.id, scene.clock()))
    scene.settle()
    assert shown(scene, ticket, "state") == "charged"
    assert len(notes(scene, ticket)) == 1


def test_a_missing_attribute_is_named(scene: Scene) -> None:
    """Zammad answers 200 and silently drops what it does not know."""
    attributes = scene.zammad.model.store.tables["Attribute"]
    gone = next(row for row in attributes.values() if row["name"] == "points_sla_state")
    attributes.pop(gone["id"])
    bought(scene, "Acme GmbH", 10)
    opened(scene)
    (letter,) = dead(scene)
    assert "points_sla_state" in (letter.outcome or "")
    assert charges(scene, "Acme GmbH") == 1


def test_a_ticket_that_is_gone_is_decided_nothing_about(scene: Scene) -> None:
    """ "A 404 counts as deletion only when two reconciliations ... agree" """
    bought(scene, "Acme GmbH", 10)
    ticket = scene.zammad.model.customer_mails(CARLA, "Help", "Please.")
    scene.zammad.model.faults.add(Fault(*GET, status=404, body=b'{"error": "Couldn\'t find"}'))
    scene.settle()
    assert on_hand(scene, "Acme GmbH") == 10
    assert dead(scene) == []
    scene.zammad.model.agent_answers(ticket, "Hello?")
    scene.settle()
    assert shown(scene, ticket, "state") == "charged"


def test_an_outage_of_days_parks_the_work_and_loses_none(scene: Scene) -> None:
    bought(scene, "Acme GmbH", 10)
    scene.zammad.model.faults.add(Fault(*GET, status=503), times=1000)
    ticket = opened(scene)
    for _ in range(40):
        scene.wait(3 * HOUR)
    (letter,) = dead(scene)
    assert (letter.queue, letter.ticket_id) == ("inbox", str(ticket))
    scene.zammad.model.faults.clear()
    scene.bridge.db.write(lambda conn: rows.replay_all(conn, scene.clock()))
    scene.settle()
    assert shown(scene, ticket, "state") == "charged"
    assert sound(scene)


def test_a_worker_that_dies_with_work_in_hand_loses_none(scene: Scene) -> None:
    """The lease runs out, and somebody else takes the work."""
    bought(scene, "Acme GmbH", 10)
    ticket = scene.zammad.model.customer_mails(CARLA, "Help", "Please.")
    scene.zammad.webhooks.drain()
    taken = scene.bridge.db.write(lambda conn: inbox.claim_ticket(conn, scene.clock()))
    assert taken
    scene.settle()
    assert charges(scene, "Acme GmbH") == 0
    scene.wait(rows.LEASE)
    assert charges(scene, "Acme GmbH") == 1
    assert shown(scene, ticket, "state") == "charged"


def test_a_dead_letter_is_discarded_with_a_reason_only(scene: Scene) -> None:
    from bridge.errors import BadRequest

    scene.zammad.model.faults.add(Fault(*GET, status=401, body=b'{"error": "no"}'))
    opened(scene)
    (letter,) = dead(scene)
    now = scene.clock() + DAY
    with pytest.raises(BadRequest, match="why"):
        scene.bridge.db.write(lambda conn: rows.discard(conn, "inbox", letter.id, " ", now))
    scene.bridge.db.write(lambda conn: rows.discard(conn, "inbox", letter.id, "a test", now))
    found, _ = scene.bridge.db.read(lambda conn: rows.details(conn, "inbox", letter.id))
    assert found.state == "discarded"
    assert "a test" in (found.outcome or "")


def test_a_message_that_has_become_wrong_goes_out_no_more(scene: Scene) -> None:
    """The helpdesk was down while points were bought: nobody is told to wait for them."""
    scene.zammad.model.faults.add(Fault(*PUT, status=503), times=3)
    ticket = opened(scene)
    bought(scene, "Acme GmbH", 10)
    retried(scene)
    assert shown(scene, ticket, "state") == "charged"
    (receipt,) = notes(scene, ticket)
    assert receipt["internal"]


def test_a_decision_rests_on_one_instant_however_long_it_takes(scene: Scene) -> None:
    """A ticket older than 72 hours is tested exactly 72 hours back, to the microsecond."""

    def ticking() -> datetime:
        scene.clock.move(timedelta(microseconds=1))
        return scene.clock()

    bought(scene, "Acme GmbH", 10)
    ticket = scene.zammad.model.customer_mails(CARLA, "Help", "Please.")
    scene.clock.move(4 * DAY)
    scene.zammad.webhooks.drain()
    drain(replace(scene.bridge, now=ticking))
    assert dead(scene) == []
    assert shown(scene, ticket, "state") == "charged"

"""Many tickets at once, through the receiver and all workers: points are spent once."""

import threading
from concurrent.futures import ThreadPoolExecutor

from bridge.bootstrap import working
from bridge.queues.rows import backlog
from tests.e2e.desks import Desk
from tests.e2e.helpers import CARLA, bought, charges, dead, on_hand, sound

PATIENCE = 60
TICKETS = 20


def busy(desk: Desk) -> bool:
    return any(states.get("queued") for states in desk.bridge.db.read(backlog).values())


def worked_off(desk: Desk) -> None:
    """Let real workers do what is queued."""
    idle = threading.Event()
    with working(desk.bridge):
        for _ in range(PATIENCE * 20):
            if not busy(desk):
                break
            idle.wait(0.05)


def test_20_tickets_racing_for_10_points_are_one_charge(desk: Desk) -> None:
    """ "with N callers racing for the last 10 points exactly one wins and the others are held" """
    bought(desk, "Acme GmbH", 10)
    tickets = [desk.mails(CARLA, f"Problem {n}", "Please.") for n in range(TICKETS)]
    with ThreadPoolExecutor(TICKETS) as threads:
        answers = list(threads.map(desk.box.webhooks.attempt, desk.box.webhooks.pending))
    assert all(answer and answer.succeeded for answer in answers)
    worked_off(desk)
    states = sorted(desk.shown(ticket, "state") for ticket in tickets)
    assert states == ["awaiting_points"] * (TICKETS - 1) + ["charged"]
    assert (on_hand(desk, "Acme GmbH"), charges(desk, "Acme GmbH")) == (0, 1)
    assert sound(desk)


def test_the_same_deliveries_from_many_threads_charge_each_ticket_once(desk: Desk) -> None:
    """ "at least once and takes effect exactly once" """
    bought(desk, "Acme GmbH", 10 * TICKETS)
    tickets = [desk.mails(CARLA, f"Problem {n}", "Please.") for n in range(TICKETS)]
    with ThreadPoolExecutor(TICKETS) as threads:
        list(threads.map(desk.box.webhooks.send_again, [*desk.box.webhooks.pending] * 3))
    worked_off(desk)
    assert {desk.shown(ticket, "state") for ticket in tickets} == {"charged"}
    assert [len(desk.notes(ticket)) for ticket in tickets] == [1] * TICKETS
    assert (on_hand(desk, "Acme GmbH"), charges(desk, "Acme GmbH")) == (0, TICKETS)
    assert dead(desk) == []

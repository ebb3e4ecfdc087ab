"""Many tickets at once, through the receiver and all workers: points are spent once."""

import threading
from concurrent.futures import ThreadPoolExecutor

from bridge.bootstrap import working
from bridge.demo.scene import Scene
from bridge.queues.rows import backlog
from tests.e2e.helpers import CARLA, bought, charges, dead, notes, on_hand, shown, sound

PATIENCE = 60
TICKETS = 20


def busy(scene: Scene) -> bool:
    return any(states.get("queued") for states in scene.bridge.db.read(backlog).values())


def worked_off(scene: Scene) -> None:
    """Let real workers do what is queued."""
    idle = threading.Event()
    with working(scene.bridge):
        for _ in range(PATIENCE * 20):
            if not busy(scene):
                break
            idle.wait(0.05)


def test_20_tickets_racing_for_10_points_are_one_charge(scene: Scene) -> None:
    """ "with N callers racing for the last 10 points exactly one wins and the others are held" """
    bought(scene, "Acme GmbH", 10)
    model, webhooks = scene.zammad.model, scene.zammad.webhooks
    tickets = [model.customer_mails(CARLA, f"Problem {n}", "Please.") for n in range(TICKETS)]
    with ThreadPoolExecutor(TICKETS) as threads:
        answers = list(threads.map(webhooks.attempt, webhooks.pending))
    assert all(answer and answer.succeeded for answer in answers)
    worked_off(scene)
    states = sorted(shown(scene, ticket, "state") for ticket in tickets)
    assert states == ["awaiting_points"] * (TICKETS - 1) + ["charged"]
    assert (on_hand(scene, "Acme GmbH"), charges(scene, "Acme GmbH")) == (0, 1)
    assert sound(scene)


def test_the_same_deliveries_from_many_threads_charge_each_ticket_once(scene: Scene) -> None:
    """ "at least once and takes effect exactly once" """
    bought(scene, "Acme GmbH", 10 * TICKETS)
    model, webhooks = scene.zammad.model, scene.zammad.webhooks
    tickets = [model.customer_mails(CARLA, f"Problem {n}", "Please.") for n in range(TICKETS)]
    with ThreadPoolExecutor(TICKETS) as threads:
        list(threads.map(webhooks.send_again, [*webhooks.pending] * 3))
    worked_off(scene)
    assert {shown(scene, ticket, "state") for ticket in tickets} == {"charged"}
    assert [len(notes(scene, ticket)) for ticket in tickets] == [1] * TICKETS
    assert (on_hand(scene, "Acme GmbH"), charges(scene, "Acme GmbH")) == (0, TICKETS)
    assert dead(scene) == []

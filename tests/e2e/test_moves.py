"""Tickets that move to another account, and browsers that save over what the bridge wrote."""

import pytest

from bridge.demo.scene import Scene
from bridge.policy.writeback import MOST_REPAIRS
from tests.e2e.helpers import (
    CARLA,
    DAY,
    HOUR,
    MIKE,
    bought,
    calls,
    charges,
    decided,
    notes,
    on_hand,
    opened,
    shown,
    sound,
    status,
)


def moved_to(scene: Scene, ticket: int, address: str) -> None:
    """An agent gives the ticket another requester, and with him another organisation."""
    person = scene.zammad.model.store.first("User", email=address)
    assert person
    scene.zammad.model.agent_sets(ticket, customer_id=person["id"])
    scene.settle()


def told(scene: Scene, *, heard: bool) -> None:
    """What the helpdesk tells reaches the inbox, where nobody looks yet; or it is lost."""
    for delivery in scene.zammad.webhooks.pending:
        if heard:
            scene.zammad.webhooks.attempt(delivery)
        else:
            delivery.state = "failed"


def writes(scene: Scene) -> int:
    """How often the bridge wrote to a ticket since this was asked before."""
    return calls(scene).count("PUT /api/v1/tickets")


def test_a_hold_that_moved_is_not_released_by_its_old_account(scene: Scene) -> None:
    ticket = opened(scene)
    moved_to(scene, ticket, MIKE)
    bought(scene, "Acme GmbH", 10)
    assert (shown(scene, ticket, "state"), on_hand(scene, "Acme GmbH")) == ("awaiting_points", 10)
    bought(scene, "Maple Inc", 10, "INV-2")
    assert (shown(scene, ticket, "state"), on_hand(scene, "Maple Inc")) == ("charged", 0)
    assert decided(scene, ticket) == ["held", "moved", "released"]
    assert sound(scene)


@pytest.mark.parametrize("heard", [True, False], ids=["its webhook waits", "its webhook is lost"])
def test_a_held_ticket_that_was_closed_is_neither_charged_nor_opened(
    scene: Scene, heard: bool
) -> None:
    ticket = opened(scene)
    scene.clock.move(HOUR)
    scene.zammad.model.agent_closes(ticket)
    told(scene, heard=heard)
    scene.clock.move(HOUR)
    bought(scene, "Acme GmbH", 10)
    assert (status(scene, ticket), shown(scene, ticket, "state")) == ("closed", "declined")
    assert (decided(scene, ticket)[-1], on_hand(scene, "Acme GmbH")) == ("declined", 10)
    assert sound(scene)


@pytest.mark.parametrize("heard", [True, False], ids=["its webhook waits", "its webhook is lost"])
def test_a_held_ticket_that_has_moved_is_paid_by_whom_it_belongs_to(
    scene: Scene, heard: bool
) -> None:
    ticket = opened(scene)
    scene.clock.move(HOUR)
    person = scene.zammad.model.store.first("User", email=MIKE)
    assert person
    scene.zammad.model.agent_sets(ticket, customer_id=person["id"])
    told(scene, heard=heard)
    scene.clock.move(HOUR)
    bought(scene, "Acme GmbH", 10)
    bought(scene, "Maple Inc", 10, "INV-2")
    assert (on_hand(scene, "Acme GmbH"), on_hand(scene, "Maple Inc")) == (10, 0)
    assert shown(scene, ticket, "state") == "charged"
    assert sound(scene)


def test_an_open_charge_is_credited_there_and_taken_here(scene: Scene) -> None:
    bought(scene, "Acme GmbH", 10)
    bought(scene, "Maple Inc", 10, "INV-2")
    ticket = opened(scene)
    due = shown(scene, ticket, "response_due")
    moved_to(scene, ticket, MIKE)
    assert (on_hand(scene, "Acme GmbH"), on_hand(scene, "Maple Inc")) == (10, 0)
    assert decided(scene, ticket) == ["accepted", "moved", "accepted"]
    assert (shown(scene, ticket, "charged"), shown(scene, ticket, "response_due")) == (10, due)
    assert "moved here from Acme GmbH" in notes(scene, ticket)[-1]["body"]
    assert sound(scene)


def test_the_points_that_come_back_release_what_waits_for_them(scene: Scene) -> None:
    bought(scene, "Acme GmbH", 10)
    bought(scene, "Maple Inc", 10, "INV-2")
    first, second = opened(scene), opened(scene)
    moved_to(scene, first, MIKE)
    assert (shown(scene, first, "state"), shown(scene, second, "state")) == ("charged", "charged")
    assert sound(scene)


def test_a_late_reopen_is_paid_by_whom_the_ticket_belongs_to_now(scene: Scene) -> None:
    bought(scene, "Acme GmbH", 20)
    bought(scene, "Maple Inc", 20, "INV-2")
    ticket = opened(scene)
    scene.zammad.model.agent_answers(ticket, "Done.", close=True)
    scene.settle()
    moved_to(scene, ticket, MIKE)
    scene.wait(100 * DAY)
    scene.zammad.model.customer_replies_by_mail(ticket, "Again.")
    scene.settle()
    assert (on_hand(scene, "Acme GmbH"), on_hand(scene, "Maple Inc")) == (10, 10)
    assert sound(scene)


def test_it_may_move_back_and_forth(scene: Scene) -> None:
    bought(scene, "Acme GmbH", 10)
    bought(scene, "Maple Inc", 10, "INV-2")
    ticket = opened(scene)
    for address in (MIKE, CARLA, MIKE):
        moved_to(scene, ticket, address)
    assert (on_hand(scene, "Acme GmbH"), on_hand(scene, "Maple Inc")) == (10, 0)
    assert sound(scene)


def test_a_closed_ticket_that_moves_is_flagged(scene: Scene) -> None:
    bought(scene, "Acme GmbH", 10)
    ticket = opened(scene)
    scene.zammad.model.agent_answers(ticket, "Done.", close=True)
    scene.settle()
    moved_to(scene, ticket, MIKE)
    assert (shown(scene, ticket, "state"), on_hand(scene, "Acme GmbH")) == ("review", 0)
    assert decided(scene, ticket)[-1] == "flagged"


def test_a_person_who_moves_leaves_what_was_paid_with_who_paid(scene: Scene) -> None:
    bought(scene, "Acme GmbH", 10)
    bought(scene, "Maple Inc", 10, "INV-2")
    ticket = opened(scene)
    maple = scene.zammad.model.store.first("Organization", name="Maple Inc")
    assert maple
    scene.zammad.model.admin_moves_person(CARLA, "Maple Inc")
    scene.settle()
    assert decided(scene, ticket) == ["accepted", "noted"]
    assert (charges(scene, "Acme GmbH"), charges(scene, "Maple Inc")) == (1, 0)
    assert shown(scene, ticket, "state") == "charged"


def test_a_ticket_with_a_clock_does_not_look_edited(scene: Scene) -> None:
    bought(scene, "Acme GmbH", 10)
    scene.clock.move(HOUR / 7)
    ticket = opened(scene)
    assert shown(scene, ticket, "response_due")
    assert scene.zammad.model.fields_that_look_edited(ticket) == []


def test_what_a_browser_put_back_is_mended_on_the_next_look_and_boundedly(scene: Scene) -> None:
    bought(scene, "Acme GmbH", 10)
    model = scene.zammad.model
    ticket = model.customer_mails(CARLA, "Help", "Please.")
    stale = model.agent_opens_form(ticket)
    scene.settle()
    assert shown(scene, ticket, "state") == "charged"
    calls(scene)
    for _ in range(2 * MOST_REPAIRS):
        model.agent_saves_form(stale)
        assert shown(scene, ticket, "state") != "charged"
        model.customer_replies_by_mail(ticket, "One more thing.")
        scene.settle()
    assert writes(scene) == MOST_REPAIRS
    scene.wait(HOUR + HOUR / 60)
    model.customer_replies_by_mail(ticket, "And another.")
    scene.settle()
    assert shown(scene, ticket, "state") == "charged"


def test_a_whole_life_costs_one_write_for_each_thing_that_happened(scene: Scene) -> None:
    """Opened, answered, closed, re-opened, answered and closed at once; a balance costs none."""
    bought(scene, "Acme GmbH", 30)
    calls(scene)
    ticket = opened(scene)
    other = opened(scene)
    model = scene.zammad.model
    model.agent_answers(ticket, "Try this.")
    scene.settle()
    model.agent_closes(ticket)
    scene.settle()
    model.customer_replies_by_mail(ticket, "Not yet.")
    scene.settle()
    model.agent_answers(ticket, "Now.", close=True)
    scene.settle()
    model.customer_replies_by_mail(other, "Any news?")
    scene.settle()
    assert decided(scene, ticket) == [
        *("accepted", "responded", "closed", "reopened", "responded", "closed"),
    ]
    assert writes(scene) == 6

"""A ticket is gated, charged, clocked and written back: the main job, over HTTP, end to end."""

from bridge.demo.scene import HELPDESK, Scene
from bridge.policy.places import Address
from bridge.service.accounts import change_account
from bridge.service.purchases import buy
from tests.e2e.helpers import (
    CARLA,
    DAY,
    HOUR,
    MIKE,
    bought,
    calls,
    charges,
    dead,
    decided,
    notes,
    on_hand,
    opened,
    shown,
    sound,
    status,
)


def test_an_opened_ticket_is_charged_and_agents_see_it(scene: Scene) -> None:
    """ "The support points will be decremented when the ticket is opened." """
    bought(scene, "Acme GmbH", 30)
    ticket = opened(scene)
    assert on_hand(scene, "Acme GmbH") == 20
    assert (shown(scene, ticket, "state"), shown(scene, ticket, "charged")) == ("charged", 10)
    assert shown(scene, ticket, "balance") == 20
    assert str(shown(scene, ticket, "next_expiry")) == "2027-11-23"
    assert str(shown(scene, ticket, "response_due")).startswith("2026-11-23 13:00")
    assert shown(scene, ticket, "sla_state") == "running"
    (receipt,) = notes(scene, ticket)
    assert receipt["internal"]
    assert "10 charged" in receipt["body"]
    assert sound(scene)


def test_an_opened_ticket_costs_one_read_and_one_write(scene: Scene) -> None:
    bought(scene, "Acme GmbH", 30)
    opened(scene)  # the first one also learns the states' names and who the bridge is
    calls(scene)
    ticket = opened(scene)
    assert calls(scene) == ["GET /api/v1/tickets", "PUT /api/v1/tickets"]
    scene.zammad.model.agent_closes(ticket)
    scene.settle()
    assert calls(scene) == [
        "GET /api/v1/tickets",
        "GET /api/v1/ticket_history",
        "PUT /api/v1/tickets",
    ]


def test_a_held_ticket_costs_one_read_and_one_write_too(scene: Scene) -> None:
    opened(scene)
    calls(scene)
    opened(scene)
    assert calls(scene) == ["GET /api/v1/tickets", "PUT /api/v1/tickets"]


def test_our_own_writes_come_back_as_nothing(scene: Scene) -> None:
    bought(scene, "Acme GmbH", 30)
    ticket = opened(scene)
    assert [delivery.trigger for delivery in scene.zammad.webhooks.deliveries] == [
        "zz-points-bridge: created"
    ]
    scene.zammad.model.agent_sets(ticket, priority_id=3)
    scene.settle()
    assert decided(scene, ticket) == ["accepted"]


def test_a_ticket_without_points_is_held_and_its_requester_told(scene: Scene) -> None:
    """ "a ticket without points is held, not worked, and has no clock" """
    ticket = opened(scene)
    assert shown(scene, ticket, "state") == "awaiting_points"
    assert shown(scene, ticket, "charged") == 0
    assert shown(scene, ticket, "response_due") is None
    assert not shown(scene, ticket, "sla_state")
    (mail,) = notes(scene, ticket)
    assert (mail["internal"], mail["to"]) == (False, CARLA)
    assert "Acme GmbH has 0 on hand" in mail["body"]


def test_a_public_text_of_ours_does_not_stop_the_helpdesks_own_clock(scene: Scene) -> None:
    """ "it must not stop the vendor's own first-response clock" """
    ticket = opened(scene)
    assert notes(scene, ticket)
    assert scene.zammad.model.ticket(ticket)["first_response_at"] is None


def test_a_purchase_releases_the_oldest_held_tickets_up_to_the_balance(scene: Scene) -> None:
    """ "every purchase or credit releases held incidents of that account, oldest first" """
    tickets = [opened(scene, subject=f"Problem {n}") for n in range(3)]
    scene.wait(2 * HOUR)
    done = bought(scene, "Acme GmbH", 25)
    assert [stored.ticket_id for stored in done.released] == [str(one) for one in tickets[:2]]
    states = [shown(scene, one, "state") for one in tickets]
    assert states == ["charged", "charged", "awaiting_points"]
    assert str(shown(scene, tickets[0], "response_due")).startswith("2026-11-23 15:00")
    assert on_hand(scene, "Acme GmbH") == 5
    assert sound(scene)


def test_the_same_purchase_posted_twice_is_one_lot(scene: Scene) -> None:
    """ "the same purchase posted twice is one lot" """
    assert bought(scene, "Acme GmbH", 30).created
    assert not bought(scene, "Acme GmbH", 30).created
    assert on_hand(scene, "Acme GmbH") == 30


def test_a_held_ticket_is_reminded_of_and_then_declined_and_closed(scene: Scene) -> None:
    """ "Reminders to the requester on days 1, 7, 13; declined on day 14 without a charge." """
    ticket = opened(scene)
    for _ in range(14 * 4 + 1):
        scene.wait(6 * HOUR)
    subjects = [note["subject"] for note in notes(scene, ticket)]
    assert len(subjects) == 1 + 3 + 1
    assert [("still waiting" in subject) for subject in subjects[1:4]] == [True] * 3
    assert "declined" in subjects[-1]
    assert shown(scene, ticket, "state") == "declined"
    assert status(scene, ticket) == "closed"
    bought(scene, "Acme GmbH", 10)
    assert on_hand(scene, "Acme GmbH") == 10


def test_a_first_answer_in_time_is_met(scene: Scene) -> None:
    bought(scene, "Acme GmbH", 10)
    ticket = opened(scene)
    scene.wait(3 * HOUR)
    assert shown(scene, ticket, "sla_state") == "at_risk"
    scene.zammad.model.agent_notes(ticket, "internal: who knows this?")
    scene.settle()
    assert shown(scene, ticket, "sla_state") == "at_risk"
    scene.zammad.model.agent_answers(ticket, "Please restart it.")
    scene.settle()
    assert shown(scene, ticket, "sla_state") == "met"


def test_no_answer_in_time_is_a_breach_and_stays_one(scene: Scene) -> None:
    bought(scene, "Acme GmbH", 10)
    ticket = opened(scene)
    scene.wait(5 * HOUR)
    assert shown(scene, ticket, "sla_state") == "breached"
    scene.zammad.model.agent_answers(ticket, "Sorry.")
    scene.settle()
    assert shown(scene, ticket, "sla_state") == "breached"


def test_a_reopen_is_free_within_90_days_of_the_first_closure(scene: Scene) -> None:
    """ "re-opened up to 90 days following original closure" """
    bought(scene, "Acme GmbH", 20)
    ticket = opened(scene)
    scene.zammad.model.agent_answers(ticket, "Done.", close=True)
    scene.settle()
    assert str(shown(scene, ticket, "free_reopen_until")) == "2027-02-21"
    scene.wait(89 * DAY)
    scene.zammad.model.customer_replies_by_mail(ticket, "It is back.")
    scene.settle()
    assert (shown(scene, ticket, "state"), on_hand(scene, "Acme GmbH")) == ("free_reopen", 10)
    scene.zammad.model.agent_closes(ticket)
    scene.settle()
    scene.wait(3 * DAY)
    scene.zammad.model.customer_replies_by_mail(ticket, "Again.")
    scene.settle()
    assert decided(scene, ticket) == [
        "accepted", "responded", "closed", "reopened", "closed", "accepted",
    ]  # fmt: skip
    assert on_hand(scene, "Acme GmbH") == 0
    assert sound(scene)


def test_the_receipt_of_a_ticket_that_is_first_seen_closed_speaks_of_no_reopen(
    scene: Scene,
) -> None:
    bought(scene, "Acme GmbH", 10)
    ticket = scene.zammad.model.customer_mails(CARLA, "Help", "Please.")
    scene.zammad.model.agent_answers(ticket, "Done.", close=True)
    scene.settle()
    assert decided(scene, ticket) == ["accepted", "responded", "closed"]
    (receipt,) = notes(scene, ticket)
    assert receipt["body"].startswith("Points: 10 charged to Acme GmbH for this incident.")


def test_a_declined_ticket_offers_no_free_reopen(scene: Scene) -> None:
    ticket = opened(scene)
    scene.zammad.model.agent_closes(ticket)
    scene.settle()
    assert shown(scene, ticket, "state") == "declined"
    assert shown(scene, ticket, "free_reopen_until") is None


def test_webhooks_that_come_late_twice_and_backwards_change_nothing(scene: Scene) -> None:
    """ "a repeated, late or re-ordered webhook charges nothing" """
    bought(scene, "Acme GmbH", 30)
    model, webhooks = scene.zammad.model, scene.zammad.webhooks
    ticket = model.customer_mails(CARLA, "Help", "Please.")
    model.agent_answers(ticket, "Done.", close=True)
    scene.clock.move(DAY)
    model.customer_replies_by_mail(ticket, "Not quite.")
    scene.clock.move(DAY)
    for delivery in [*reversed(webhooks.deliveries), *webhooks.deliveries]:
        webhooks.send_again(delivery)
    scene.settle()
    assert decided(scene, ticket) == ["accepted", "responded", "closed", "reopened"]
    assert charges(scene, "Acme GmbH") == 1


def test_our_own_downtime_does_not_move_the_promise(scene: Scene) -> None:
    """ "a late delivery or our own downtime must not shorten the promise's clock" """
    bought(scene, "Acme GmbH", 10)
    ticket = scene.zammad.model.customer_mails(CARLA, "Help", "Please.")
    scene.wait(6 * HOUR)
    assert str(shown(scene, ticket, "response_due")).startswith("2026-11-23 13:00")


def test_expired_points_hold_a_ticket_before_the_sweep_has_run(scene: Scene) -> None:
    """ "expired lots do not count in the query" """
    bought(scene, "Acme GmbH", 10)
    scene.clock.move(366 * DAY)
    ticket = opened(scene)
    assert shown(scene, ticket, "state") == "awaiting_points"


def test_the_sweep_books_the_expiry_once(scene: Scene) -> None:
    """ "the scheduler's job only books the expiry entries" """
    from bridge.service import reports

    bought(scene, "Acme GmbH", 10)
    for _ in range(3):
        scene.wait(366 * DAY)
    _, lines = reports.statement(scene.bridge, "Acme GmbH")
    assert [(line.kind, line.points) for line in lines] == [("purchase", 10), ("expiry", -10)]
    assert sound(scene)


def test_the_promise_is_kept_in_the_customers_own_hours(scene: Scene) -> None:
    """ "9:00 - 17:00 in your local time zone" """
    bought(scene, "Maple Inc", 10)
    ticket = opened(scene, MIKE)
    assert str(shown(scene, ticket, "response_due")).startswith("2026-11-23 18:00")


def test_a_zone_that_the_helpdesk_spells_wrong_stops_no_ticket(scene: Scene) -> None:
    model = scene.zammad.model
    model.add_organization("Typo Ltd", support_timezone="Europe/Berlinn", support_country="XX")
    model.add_customer("Tim Typo", "tim@typo.example", "Typo Ltd")
    bought(scene, "Typo Ltd", 10)
    assert shown(scene, opened(scene, "tim@typo.example"), "state") == "charged"


def test_a_display_name_does_not_lead_to_somebodys_points(scene: Scene) -> None:
    bought(scene, "Acme GmbH", 30)
    model = scene.zammad.model
    ticket = model.customer_mails("eve@evil.example", "Help", "Please.", name="Acme GmbH")
    scene.settle()
    assert shown(scene, ticket, "state") == "awaiting_points"
    assert on_hand(scene, "Acme GmbH") == 30


def test_a_record_linked_to_an_account_brings_its_held_tickets_along(scene: Scene) -> None:
    ticket = opened(scene)
    buy(scene.bridge, "Acme worldwide", 10, reference="INV-9")
    change_account(scene.bridge, "Acme worldwide", Address(), f"{HELPDESK}:organization:2")
    scene.settle()
    assert shown(scene, ticket, "state") == "charged"
    assert on_hand(scene, "Acme worldwide") == 0


def test_what_agents_write_into_our_fields_is_not_taken_as_fact(scene: Scene) -> None:
    """ "the ledger, the helpdesk's own history and our stored incident are" """
    bought(scene, "Acme GmbH", 10)
    ticket = opened(scene)
    scene.zammad.model.agent_sets(ticket, points_charged=0, points_balance=999)
    scene.zammad.model.agent_closes(ticket)
    scene.settle()
    assert (shown(scene, ticket, "charged"), shown(scene, ticket, "balance")) == (10, 0)


def test_merging_stops_the_clock_and_charges_nothing_more(scene: Scene) -> None:
    bought(scene, "Acme GmbH", 30)
    source, target = opened(scene), opened(scene)
    scene.zammad.model.agent_merges(source, target)
    scene.settle()
    scene.wait(10 * HOUR)
    assert decided(scene, source) == ["accepted", "merged"]
    assert shown(scene, source, "sla_state") == "ended"
    assert charges(scene, "Acme GmbH") == 2
    assert dead(scene) == []

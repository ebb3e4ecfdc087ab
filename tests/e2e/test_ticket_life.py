"""A ticket is gated, charged, clocked and written back: the main job, over HTTP, end to end."""

from bridge.service import reports
from bridge.service.accounts import AccountChange, change_account
from bridge.service.purchases import buy
from tests.e2e.desks import Desk, ZammadDesk, ZendeskDesk
from tests.e2e.helpers import (
    CARLA,
    DAY,
    HOUR,
    MIKE,
    bought,
    charges,
    dead,
    decided,
    explained,
    on_hand,
    opened,
    sound,
)


def test_an_opened_ticket_is_charged_and_agents_see_it(desk: Desk) -> None:
    """ "The support points will be decremented when the ticket is opened." """
    bought(desk, "Acme GmbH", 30)
    ticket = opened(desk)
    assert on_hand(desk, "Acme GmbH") == 20
    assert (desk.shown(ticket, "state"), desk.shown(ticket, "charged")) == ("charged", 10)
    assert desk.shown(ticket, "balance") == 20
    assert str(desk.shown(ticket, "next_expiry")) == "2027-11-23"
    assert str(desk.shown(ticket, "response_due")).startswith("2026-11-23 13:00")
    assert desk.shown(ticket, "sla_state") == "running"
    (receipt,) = desk.notes(ticket)
    assert receipt.internal
    assert "10 charged" in receipt.body
    assert sound(desk)


def test_an_opened_ticket_costs_one_read_and_one_write(desk: Desk) -> None:
    bought(desk, "Acme GmbH", 30)
    opened(desk)  # the first one also learns names and ids, and who the bridge is
    desk.calls()
    opened(desk)
    assert desk.calls() == ["read", "write"]


def test_a_held_ticket_costs_one_read_and_one_write_too(desk: Desk) -> None:
    opened(desk)
    desk.calls()
    opened(desk)
    assert desk.calls() == ["read", "write"]


def test_a_closed_ticket_costs_its_history_as_well(zammad: ZammadDesk) -> None:
    """What Zammad shows of a ticket says who answered."""
    ticket = closed_by_an_agent(zammad)
    assert zammad.calls() == ["read", "history", "write"]
    assert decided(zammad, ticket) == ["accepted", "closed"]


def test_in_zendesk_the_history_also_tells_who_answered(zendesk: ZendeskDesk) -> None:
    """The audits are read with the ticket, as soon as there is more to it than its opening."""
    ticket = closed_by_an_agent(zendesk)
    assert zendesk.calls() == ["read", "history", "history", "write"]
    assert decided(zendesk, ticket) == ["accepted", "closed"]


def closed_by_an_agent(desk: Desk) -> int:
    """A charged ticket that was closed; the calls up to its closure are forgotten."""
    bought(desk, "Acme GmbH", 20)
    desk.closes(opened(desk))  # the first one also learns who the bridge is
    desk.settle()
    ticket = opened(desk)
    desk.calls()
    desk.closes(ticket)
    desk.settle()
    return ticket


def test_our_own_writes_come_back_as_nothing(desk: Desk) -> None:
    bought(desk, "Acme GmbH", 30)
    ticket = opened(desk)
    (heard,) = desk.box.webhooks.deliveries
    assert heard.trigger.endswith(": created")
    desk.touches(ticket)
    desk.settle()
    assert decided(desk, ticket) == ["accepted"]


def test_a_ticket_without_points_is_held_and_its_requester_told(desk: Desk) -> None:
    """ "a ticket without points is held, not worked, and has no clock" """
    ticket = opened(desk)
    assert desk.shown(ticket, "state") == "awaiting_points"
    assert desk.shown(ticket, "charged") == 0
    assert desk.shown(ticket, "response_due") is None
    assert desk.shown(ticket, "sla_state") is None
    (mail,) = desk.notes(ticket)
    assert (mail.internal, mail.to) == (False, CARLA)
    assert "Acme GmbH has 0 on hand" in mail.body


def test_a_public_text_of_ours_does_not_stop_zammads_own_clock(zammad: ZammadDesk) -> None:
    """ "it must not stop the vendor's own first-response clock" """
    ticket = opened(zammad)
    bought(zammad, "Acme GmbH", 10)
    assert [note.to for note in zammad.notes(ticket)] == [CARLA, CARLA]
    assert zammad.model.ticket(ticket)["first_response_at"] is None


def test_a_public_text_of_ours_is_a_reply_to_zendesk_and_no_answer_to_us(
    zendesk: ZendeskDesk,
) -> None:
    """Whatever an agent writes publicly counts there, and the bridge's user is one."""
    ticket = opened(zendesk)
    bought(zendesk, "Acme GmbH", 10)
    assert zendesk.model.store.tables["metric_sets"][ticket]["replies"] == 2
    assert decided(zendesk, ticket) == ["held", "released"]
    assert zendesk.shown(ticket, "sla_state") == "running"


def test_a_purchase_releases_the_oldest_held_tickets_up_to_the_balance(desk: Desk) -> None:
    """ "every purchase or credit releases held incidents of that account, oldest first" """
    tickets = [opened(desk, subject=f"Problem {n}") for n in range(3)]
    desk.wait(2 * HOUR)
    done = bought(desk, "Acme GmbH", 25)
    assert [stored.ticket_id for stored in done.released] == [str(one) for one in tickets[:2]]
    states = [desk.shown(one, "state") for one in tickets]
    assert states == ["charged", "charged", "awaiting_points"]
    assert str(desk.shown(tickets[0], "response_due")).startswith("2026-11-23 15:00")
    assert on_hand(desk, "Acme GmbH") == 5
    assert sound(desk)


def test_the_same_purchase_posted_twice_is_one_lot(desk: Desk) -> None:
    """ "the same purchase posted twice is one lot" """
    assert bought(desk, "Acme GmbH", 30).created
    assert not bought(desk, "Acme GmbH", 30).created
    assert on_hand(desk, "Acme GmbH") == 30


def test_a_held_ticket_is_reminded_of_and_then_declined_and_closed(desk: Desk) -> None:
    """ "Reminders to the requester on days 1, 7, 13; declined on day 14 without a charge." """
    ticket = opened(desk)
    for _ in range(14 * 4 + 1):
        desk.wait(6 * HOUR)
    first, *reminders, last = [note.body for note in desk.notes(ticket)]
    assert "We start as soon as enough points are bought" in first
    assert ["is still waiting" in text for text in reminders] == [True] * 3
    assert "we have to decline it" in last
    assert desk.shown(ticket, "state") == "declined"
    assert desk.is_closed(ticket)
    bought(desk, "Acme GmbH", 10)
    assert on_hand(desk, "Acme GmbH") == 10


def test_a_first_answer_in_time_is_met(desk: Desk) -> None:
    bought(desk, "Acme GmbH", 10)
    ticket = opened(desk)
    desk.wait(3 * HOUR)
    assert desk.shown(ticket, "sla_state") == "at_risk"
    desk.writes_internally(ticket, "internal: who knows this?")
    desk.settle()
    assert desk.shown(ticket, "sla_state") == "at_risk"
    desk.answers(ticket, "Please restart it.")
    desk.settle()
    assert desk.shown(ticket, "sla_state") == "met"


def test_no_answer_in_time_is_a_breach_and_stays_one(desk: Desk) -> None:
    bought(desk, "Acme GmbH", 10)
    ticket = opened(desk)
    desk.wait(5 * HOUR)
    assert desk.shown(ticket, "sla_state") == "breached"
    desk.answers(ticket, "Sorry.")
    desk.settle()
    assert desk.shown(ticket, "sla_state") == "breached"


def test_a_reopen_is_free_within_90_days_of_the_first_closure(desk: Desk) -> None:
    """ "re-opened up to 90 days following original closure": in Zendesk by a follow-up ticket."""
    bought(desk, "Acme GmbH", 20)
    ticket = opened(desk)
    desk.answers(ticket, "Done.", close=True)
    desk.settle()
    assert str(desk.shown(ticket, "free_reopen_until")) == "2027-02-21"
    desk.wait(89 * DAY)
    again = desk.replies(ticket, "It is back.")
    desk.settle()
    assert (desk.shown(again, "state"), on_hand(desk, "Acme GmbH")) == ("free_reopen", 10)
    desk.closes(again)
    desk.settle()
    desk.wait(3 * DAY)
    assert desk.replies(again, "Again.") == again
    desk.settle()
    assert decided(desk, ticket, again) == [
        "accepted", "responded", "closed", "reopened", "closed", "accepted",
    ]  # fmt: skip
    assert on_hand(desk, "Acme GmbH") == 0
    assert sound(desk)


def test_a_reopen_after_90_days_is_a_new_incident(desk: Desk) -> None:
    bought(desk, "Acme GmbH", 20)
    ticket = opened(desk)
    desk.answers(ticket, "Done.", close=True)
    desk.settle()
    desk.wait(91 * DAY)
    again = desk.replies(ticket, "It is back.")
    desk.settle()
    assert decided(desk, ticket, again) == ["accepted", "responded", "closed", "accepted"]
    assert (desk.shown(again, "state"), on_hand(desk, "Acme GmbH")) == ("charged", 0)


def test_a_reply_to_what_zendesk_closed_for_good_is_another_ticket(zendesk: ZendeskDesk) -> None:
    """ "a follow-up inside the root's window is a free re-open" """
    bought(zendesk, "Acme GmbH", 20)
    ticket = opened(zendesk)
    zendesk.answers(ticket, "Done.", close=True)
    zendesk.settle()
    zendesk.wait(29 * DAY)
    follow_up = zendesk.replies(ticket, "It is back.")
    zendesk.settle()
    assert follow_up != ticket
    assert decided(zendesk, follow_up) == ["reopened"]
    assert on_hand(zendesk, "Acme GmbH") == 10


def test_the_receipt_of_a_ticket_that_is_first_seen_closed_speaks_of_no_reopen(
    desk: Desk,
) -> None:
    bought(desk, "Acme GmbH", 10)
    ticket = desk.mails(CARLA, "Help", "Please.")
    desk.answers(ticket, "Done.", close=True)
    desk.settle()
    assert decided(desk, ticket) == ["accepted", "responded", "closed"]
    (receipt,) = desk.notes(ticket)
    assert receipt.body.startswith("Points: 10 charged to Acme GmbH for this incident.")


def test_a_declined_ticket_offers_no_free_reopen(desk: Desk) -> None:
    ticket = opened(desk)
    desk.closes(ticket)
    desk.settle()
    assert desk.shown(ticket, "state") == "declined"
    assert desk.shown(ticket, "free_reopen_until") is None


def test_webhooks_that_come_late_twice_and_backwards_change_nothing(desk: Desk) -> None:
    """ "a repeated, late or re-ordered webhook charges nothing" """
    bought(desk, "Acme GmbH", 30)
    webhooks = desk.box.webhooks
    ticket = desk.mails(CARLA, "Help", "Please.")
    desk.answers(ticket, "Done.", close=True)
    desk.clock.move(DAY)
    desk.replies(ticket, "Not quite.")
    desk.clock.move(DAY)
    for delivery in [*reversed(webhooks.deliveries), *webhooks.deliveries]:
        webhooks.send_again(delivery)
    desk.settle()
    assert decided(desk, ticket) == ["accepted", "responded", "closed", "reopened"]
    assert charges(desk, "Acme GmbH") == 1


def test_our_own_downtime_does_not_move_the_promise(desk: Desk) -> None:
    """ "a late delivery or our own downtime must not shorten the promise's clock" """
    bought(desk, "Acme GmbH", 10)
    ticket = desk.mails(CARLA, "Help", "Please.")
    desk.wait(6 * HOUR)
    assert str(desk.shown(ticket, "response_due")).startswith("2026-11-23 13:00")


def test_expired_points_hold_a_ticket_before_the_sweep_has_run(desk: Desk) -> None:
    """ "expired lots do not count in the query" """
    bought(desk, "Acme GmbH", 10)
    desk.clock.move(366 * DAY)
    ticket = opened(desk)
    assert desk.shown(ticket, "state") == "awaiting_points"


def test_the_sweep_books_the_expiry_once(desk: Desk) -> None:
    """ "the scheduler's job only books the expiry entries" """
    bought(desk, "Acme GmbH", 10)
    for _ in range(3):
        desk.wait(366 * DAY)
    lines = reports.statement(desk.bridge, "Acme GmbH").entries
    assert [(line.kind, line.points) for line in lines] == [("purchase", 10), ("expiry", -10)]
    assert sound(desk)


def test_the_promise_is_kept_in_the_customers_own_hours(desk: Desk) -> None:
    """ "9:00 - 17:00 in your local time zone" """
    bought(desk, "Maple Inc", 10)
    ticket = opened(desk, MIKE)
    assert str(desk.shown(ticket, "response_due")).startswith("2026-11-23 18:00")


def test_a_zone_that_the_helpdesk_spells_wrong_stops_no_ticket(desk: Desk) -> None:
    tim = ("Tim Typo", "tim@typo.example")
    desk.adds("Typo Ltd", tim, support_timezone="Europe/Berlinn", support_country="XX")
    bought(desk, "Typo Ltd", 10)
    assert desk.shown(opened(desk, "tim@typo.example"), "state") == "charged"


def test_a_display_name_does_not_lead_to_somebodys_points(desk: Desk) -> None:
    bought(desk, "Acme GmbH", 30)
    ticket = opened(desk, "eve@evil.example", name="Acme GmbH")
    assert desk.shown(ticket, "state") == "awaiting_points"
    assert on_hand(desk, "Acme GmbH") == 30


def test_a_record_linked_to_an_account_brings_its_held_tickets_along(desk: Desk) -> None:
    record = desk.adds("Acme Labs", ("Lea", "lea@labs.example"))
    ticket = opened(desk, "lea@labs.example")
    buy(desk.bridge, "Acme worldwide", 10, reference="INV-9", new=True)
    link = f"{desk.name}:organization:{record}"
    change_account(desk.bridge, "Acme worldwide", AccountChange(link=link, new=True, take=True))
    desk.settle()
    assert desk.shown(ticket, "state") == "charged"
    assert on_hand(desk, "Acme worldwide") == 0


def test_what_agents_write_into_our_fields_is_not_taken_as_fact(desk: Desk) -> None:
    """ "the ledger, the helpdesk's own history and our stored incident are" """
    bought(desk, "Acme GmbH", 10)
    ticket = opened(desk)
    desk.types(ticket, "charged", 0)
    desk.types(ticket, "balance", 999)
    desk.closes(ticket)
    desk.settle()
    assert (desk.shown(ticket, "charged"), desk.shown(ticket, "balance")) == (10, 0)


def test_merging_stops_the_clock_and_charges_nothing_more(desk: Desk) -> None:
    source = merged(desk)
    desk.wait(10 * HOUR)
    assert decided(desk, source) == ["accepted", "merged"]
    assert explained(desk, source).fields.sla == "ended"
    assert charges(desk, "Acme GmbH") == 2
    assert dead(desk) == []


def test_a_merged_ticket_shows_that_in_zammad(zammad: ZammadDesk) -> None:
    assert zammad.shown(merged(zammad), "sla_state") == "ended"


def test_a_merged_ticket_takes_nothing_more_in_zendesk(zendesk: ZendeskDesk) -> None:
    """It is closed for good: the ledger is right, and its fields stay as they were."""
    source = merged(zendesk)
    assert zendesk.model.ticket(source)["status"] == "closed"
    assert zendesk.shown(source, "sla_state") == "running"


def merged(desk: Desk) -> int:
    """A charged ticket that was merged into another one."""
    bought(desk, "Acme GmbH", 30)
    source, target = opened(desk), opened(desk)
    desk.merges(source, target)
    desk.settle()
    return source

"""Tickets that move to another account, and browsers that save over what the bridge wrote."""

from typing import Any

import pytest

from bridge.policy.writeback import MOST_REPAIRS
from bridge.queues import rows
from tests.e2e.desks import Desk, ZammadDesk, ZendeskDesk
from tests.e2e.helpers import (
    CARLA,
    DAY,
    HOUR,
    MIKE,
    bought,
    charges,
    decided,
    on_hand,
    opened,
    sound,
)


def moved_to(desk: Desk, ticket: int, address: str) -> None:
    """An agent gives the ticket another requester, and with him another organisation."""
    desk.gives(ticket, address)
    desk.settle()


def told(desk: Desk, *, heard: bool) -> None:
    """What the helpdesk tells reaches the inbox, where nobody looks yet; or it is lost."""
    sender: Any = desk.box.webhooks
    for delivery in sender.pending:
        if heard:
            sender.attempt(delivery)
        else:
            delivery.state = "failed"


def writes(desk: Desk) -> int:
    """How often the bridge wrote to a ticket since this was asked before."""
    return desk.calls().count("write")


def test_a_hold_that_moved_is_not_released_by_its_old_account(desk: Desk) -> None:
    ticket = opened(desk)
    moved_to(desk, ticket, MIKE)
    bought(desk, "Acme GmbH", 10)
    assert (desk.shown(ticket, "state"), on_hand(desk, "Acme GmbH")) == ("awaiting_points", 10)
    bought(desk, "Maple Inc", 10, "INV-2")
    assert (desk.shown(ticket, "state"), on_hand(desk, "Maple Inc")) == ("charged", 0)
    assert decided(desk, ticket) == ["held", "moved", "released"]
    assert sound(desk)


@pytest.mark.parametrize("heard", [True, False], ids=["its webhook waits", "its webhook is lost"])
def test_a_held_ticket_that_was_closed_is_neither_charged_nor_opened(
    desk: Desk, heard: bool
) -> None:
    ticket = opened(desk)
    desk.clock.move(HOUR)
    desk.closes(ticket)
    told(desk, heard=heard)
    desk.clock.move(HOUR)
    bought(desk, "Acme GmbH", 10)
    assert (desk.is_closed(ticket), desk.shown(ticket, "state")) == (True, "declined")
    assert (decided(desk, ticket)[-1], on_hand(desk, "Acme GmbH")) == ("declined", 10)
    assert sound(desk)


@pytest.mark.parametrize("heard", [True, False], ids=["its webhook waits", "its webhook is lost"])
def test_a_held_ticket_that_has_moved_is_paid_by_whom_it_belongs_to(
    desk: Desk, heard: bool
) -> None:
    ticket = opened(desk)
    desk.clock.move(HOUR)
    desk.gives(ticket, MIKE)
    told(desk, heard=heard)
    desk.clock.move(HOUR)
    bought(desk, "Acme GmbH", 10)
    bought(desk, "Maple Inc", 10, "INV-2")
    assert (on_hand(desk, "Acme GmbH"), on_hand(desk, "Maple Inc")) == (10, 0)
    assert desk.shown(ticket, "state") == "charged"
    assert sound(desk)


def test_an_open_charge_is_credited_there_and_taken_here(desk: Desk) -> None:
    bought(desk, "Acme GmbH", 10)
    bought(desk, "Maple Inc", 10, "INV-2")
    ticket = opened(desk)
    due = desk.shown(ticket, "response_due")
    moved_to(desk, ticket, MIKE)
    assert (on_hand(desk, "Acme GmbH"), on_hand(desk, "Maple Inc")) == (10, 0)
    assert decided(desk, ticket) == ["accepted", "moved", "accepted"]
    assert (desk.shown(ticket, "charged"), desk.shown(ticket, "response_due")) == (10, due)
    assert "moved here from Acme GmbH" in desk.notes(ticket)[-1].body
    assert sound(desk)


def test_the_points_that_come_back_release_what_waits_for_them(desk: Desk) -> None:
    bought(desk, "Acme GmbH", 10)
    bought(desk, "Maple Inc", 10, "INV-2")
    first, second = opened(desk), opened(desk)
    moved_to(desk, first, MIKE)
    assert (desk.shown(first, "state"), desk.shown(second, "state")) == ("charged", "charged")
    assert sound(desk)


def test_a_late_reopen_is_paid_by_whom_the_ticket_belongs_to_now(desk: Desk) -> None:
    bought(desk, "Acme GmbH", 20)
    bought(desk, "Maple Inc", 20, "INV-2")
    ticket = opened(desk)
    desk.answers(ticket, "Done.", close=True)
    desk.settle()
    moved_to(desk, ticket, MIKE)
    desk.wait(100 * DAY)
    desk.replies(ticket, "Again.")
    desk.settle()
    assert (on_hand(desk, "Acme GmbH"), on_hand(desk, "Maple Inc")) == (10, 10)
    assert sound(desk)


def test_it_may_move_back_and_forth(desk: Desk) -> None:
    bought(desk, "Acme GmbH", 10)
    bought(desk, "Maple Inc", 10, "INV-2")
    ticket = opened(desk)
    for address in (MIKE, CARLA, MIKE):
        moved_to(desk, ticket, address)
    assert (on_hand(desk, "Acme GmbH"), on_hand(desk, "Maple Inc")) == (10, 0)
    assert sound(desk)


def test_a_closed_ticket_that_moves_is_flagged(desk: Desk) -> None:
    bought(desk, "Acme GmbH", 10)
    ticket = opened(desk)
    desk.answers(ticket, "Done.", close=True)
    desk.settle()
    moved_to(desk, ticket, MIKE)
    assert (desk.shown(ticket, "state"), on_hand(desk, "Acme GmbH")) == ("review", 0)
    assert decided(desk, ticket)[-1] == "flagged"


def test_a_person_who_moves_leaves_what_was_paid_with_who_paid(zammad: ZammadDesk) -> None:
    """Zammad rewrites the organisation of all his tickets."""
    bought(zammad, "Acme GmbH", 10)
    bought(zammad, "Maple Inc", 10, "INV-2")
    ticket = opened(zammad)
    zammad.model.admin_moves_person(CARLA, "Maple Inc")
    zammad.settle()
    assert decided(zammad, ticket) == ["accepted", "noted"]
    assert (charges(zammad, "Acme GmbH"), charges(zammad, "Maple Inc")) == (1, 0)
    assert zammad.shown(ticket, "state") == "charged"


def test_a_ticket_with_a_clock_does_not_look_edited(zammad: ZammadDesk) -> None:
    bought(zammad, "Acme GmbH", 10)
    zammad.clock.move(HOUR / 7)
    ticket = opened(zammad)
    assert zammad.shown(ticket, "response_due")
    assert zammad.model.fields_that_look_edited(ticket) == []


def test_what_a_browser_put_back_is_mended_on_the_next_look(zammad: ZammadDesk) -> None:
    """Zammad's form sends every field as it was loaded."""
    bought(zammad, "Acme GmbH", 10)
    ticket = zammad.mails(CARLA, "Help", "Please.")
    stale = zammad.model.agent_opens_form(ticket)
    zammad.settle()
    assert zammad.shown(ticket, "state") == "charged"
    zammad.model.agent_saves_form(stale)
    assert zammad.shown(ticket, "state") != "charged"
    zammad.replies(ticket, "One more thing.")
    zammad.settle()
    assert zammad.shown(ticket, "state") == "charged"


def test_what_is_written_over_our_fields_is_mended_on_the_next_look_and_boundedly(
    desk: Desk,
) -> None:
    """ "mended on the next touch, at most a few times per ticket and hour" """
    bought(desk, "Acme GmbH", 10)
    ticket = opened(desk)
    desk.calls()
    for _ in range(2 * MOST_REPAIRS):
        desk.types(ticket, "charged", 0)
        desk.replies(ticket, "One more thing.")
        desk.settle()
    assert (writes(desk), desk.shown(ticket, "charged")) == (MOST_REPAIRS, 0)
    desk.wait(HOUR + HOUR / 60)
    desk.replies(ticket, "And another.")
    desk.settle()
    assert desk.shown(ticket, "charged") == 10


def test_what_an_agent_solves_and_gives_away_in_one_save_moves_and_is_closed(
    zendesk: ZendeskDesk,
) -> None:
    """It was open until that save, so its new account pays; and neither change is lost."""
    bought(zendesk, "Acme GmbH", 10)
    bought(zendesk, "Maple Inc", 10, "INV-2")
    ticket = opened(zendesk)
    zendesk.answers(ticket, "Please restart it.")
    mike = zendesk.model.store.user(MIKE)["id"]
    zendesk.model.agent_sets(ticket, status="solved", requester_id=mike)
    zendesk.settle()
    assert decided(zendesk, ticket)[-1] == "closed"
    assert (on_hand(zendesk, "Acme GmbH"), on_hand(zendesk, "Maple Inc")) == (10, 0)
    assert zendesk.shown(ticket, "state") == "charged"
    assert sound(zendesk)


def test_what_a_ticket_closed_for_good_shows_is_nobodys_debt(zendesk: ZendeskDesk) -> None:
    """Zendesk takes no update of it any more: what is owed to it would be owed for ever."""
    bought(zendesk, "Acme GmbH", 10)
    ticket = opened(zendesk)
    zendesk.answers(ticket, "Done.", close=True)
    zendesk.settle()
    zendesk.clock.move(29 * DAY)
    zendesk.types(ticket, "charged", 999)
    zendesk.model.automation_runs()
    zendesk.calls()
    zendesk.settle()
    assert writes(zendesk) == 0
    done = zendesk.bridge.db.read(lambda conn: rows.listed(conn, state=rows.DONE))
    assert not [row for row in done if row.queue == "outbox" and "repair" in row.what]
    assert zendesk.shown(ticket, "charged") == 999

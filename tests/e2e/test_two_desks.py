"""A Zammad and a Zendesk, one bridge: the second vendor needs nothing but its module."""

import pytest

from bridge.demo.scene import CLOUD, TwoDesks
from bridge.queues import rows
from bridge.queues.rows import QueueRow
from bridge.sandbox.zendesk import Fault
from bridge.service import reports
from tests.e2e.helpers import (
    CARLA,
    DAY,
    HOUR,
    MIKE,
    bought,
    charges,
    dead,
    on_hand,
    opened,
    sound,
)


def fields(desks: TwoDesks, ticket_id: int) -> dict[str, object]:
    """What an agent sees on a Zendesk ticket, by the fields' titles."""
    ticket = desks.zendesk.model.ticket(ticket_id)
    return {title: ticket.get(f"custom_fields_{id_}") for id_, title in titles(desks).items()}


def titles(desks: TwoDesks) -> dict[int, str]:
    table = desks.zendesk.model.store.tables["ticket_fields"]
    return {row["id"]: row["title"] for row in table.values()}


def sent(desks: TwoDesks) -> list[QueueRow]:
    """What the outbox carried out."""
    done = desks.bridge.db.read(lambda conn: rows.listed(conn, state=rows.DONE))
    return [row for row in done if row.queue == "outbox"]


def decided(desks: TwoDesks, ticket_id: int) -> list[str]:
    found = reports.explain(desks.bridge, CLOUD, str(ticket_id))
    return [decision.kind for decision in found.decisions]


def mailed(desks: TwoDesks) -> int:
    ticket = desks.zendesk.model.customer_mails(CARLA, "Help", "Please.")
    desks.settle()
    return ticket


def test_one_balance_is_shared_by_both(desks: TwoDesks) -> None:
    """ "It may be known in several helpdesks, and has one balance over all of them." """
    bought(desks, "Acme GmbH", 20)
    opened(desks)
    ticket = mailed(desks)
    assert (on_hand(desks, "Acme GmbH"), charges(desks, "Acme GmbH")) == (0, 2)
    assert fields(desks, ticket)["points_state"] == "points_state_charged"
    held = mailed(desks)
    assert fields(desks, held)["points_state"] == "points_state_awaiting_points"
    assert sound(desks)
    assert dead(desks) == []


def test_an_opened_ticket_costs_one_read_and_one_write(desks: TwoDesks) -> None:
    bought(desks, "Acme GmbH", 20)
    mailed(desks)  # the first one also fetches a token, the fields' ids and who the bridge is
    desks.zendesk.model.calls.clear()
    ticket = mailed(desks)
    made = [f"{call.method} {call.path}" for call in desks.zendesk.model.calls]
    path = f"/api/v2/tickets/{ticket}"
    assert [one.removesuffix(".json") for one in made] == [f"GET {path}", f"PUT {path}"]


def test_a_zendesk_ticket_lives_the_same_life(desks: TwoDesks) -> None:
    bought(desks, "Acme GmbH", 20)
    ticket = mailed(desks)
    desks.wait(2 * HOUR)
    desks.zendesk.model.agent_answers(ticket, "Please restart it.")
    desks.settle()
    assert fields(desks, ticket)["points_sla_state"] == "points_sla_state_met"
    desks.zendesk.model.agent_solves(ticket)
    desks.settle()
    desks.wait(5 * DAY)
    desks.zendesk.model.customer_replies(ticket, "It is back.")
    desks.settle()
    assert decided(desks, ticket) == ["accepted", "responded", "closed", "reopened"]
    assert on_hand(desks, "Acme GmbH") == 10


def test_what_an_agent_solves_and_gives_away_in_one_save_is_flagged(desks: TwoDesks) -> None:
    """Product rule 2.6: "after closure -> flagged"; it is not the person who moved."""
    bought(desks, "Acme GmbH", 20)
    ticket, model = mailed(desks), desks.zendesk.model
    model.add_organization("Maple Inc")
    mike = model.add_customer("Mike", MIKE, "Maple Inc")
    model.agent_answers(ticket, "Please restart it.")
    model.agent_sets(ticket, status="solved", requester_id=mike)
    desks.settle()
    assert decided(desks, ticket) == ["accepted", "responded", "closed", "flagged"]
    assert fields(desks, ticket)["points_state"] == "points_state_review"
    assert sound(desks)


@pytest.mark.parametrize(("days", "decision"), [(60, "reopened"), (91, "accepted")])
def test_a_follow_up_of_a_ticket_closed_for_good_counts_from_its_root(
    desks: TwoDesks, days: int, decision: str
) -> None:
    """ "a follow-up inside the root's window is a free re-open" """
    bought(desks, "Acme GmbH", 20)
    ticket = mailed(desks)
    desks.zendesk.model.agent_answers(ticket, "Done.", close=True)
    desks.settle()
    desks.wait(29 * DAY)
    desks.zendesk.model.automation_runs()
    desks.settle()
    desks.wait((days - 29) * DAY)
    follow_up = desks.zendesk.model.customer_replies(ticket, "It is back.")
    desks.settle()
    assert follow_up != ticket
    assert decided(desks, follow_up) == [decision]


def test_what_a_ticket_closed_for_good_shows_is_nobodys_debt(desks: TwoDesks) -> None:
    """Zendesk takes no update of it any more: what is owed to it would be owed for ever."""
    bought(desks, "Acme GmbH", 10)
    ticket, model = mailed(desks), desks.zendesk.model
    model.agent_answers(ticket, "Done.", close=True)
    desks.wait(29 * DAY)
    charged = next(id_ for id_, title in titles(desks).items() if title == "points_charged")
    model.agent_sets(ticket, custom_fields=[{"id": charged, "value": 999}])
    model.automation_runs()
    model.calls.clear()
    desks.settle()
    assert [call.method for call in model.calls if "/tickets/" in call.path] == ["GET", "GET"]
    assert all("repair" not in row.what for row in sent(desks))
    assert fields(desks, ticket)["points_charged"] == 999


@pytest.mark.parametrize(
    "fault",
    [
        Fault("PUT", "/api/v2/tickets/*", drop=True, carried_out=True),
        Fault("PUT", "/api/v2/tickets/*", status=503),
        Fault("PUT", "/api/v2/tickets/*", status=429, headers=(("Retry-After", "20"),)),
    ],
    ids=["answer lost", "503", "429"],
)
def test_a_write_that_fails_once_leaves_one_note(desks: TwoDesks, fault: Fault) -> None:
    bought(desks, "Acme GmbH", 10)
    desks.zendesk.model.faults.add(fault)
    ticket = mailed(desks)
    for _ in range(3):
        desks.wait(HOUR)
    comments = [
        row
        for row in desks.zendesk.model.store.tables["comments"].values()
        if row["ticket_id"] == ticket and not row["public"]
    ]
    assert len(comments) == 1
    assert fields(desks, ticket)["points_state"] == "points_state_charged"
    assert dead(desks) == []

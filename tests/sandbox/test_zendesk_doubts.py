"""Mails that Zendesk doubts: flags of comments, and suspended tickets that are recovered or not."""

import pytest

from bridge.sandbox.zendesk import AGENT, ApiError, Flag, ZendeskSandbox

from .conftest import CARLA, Clock, Json, Receiver, ZendeskApi

EVE = "eve@stranger.example"


def comments(zd: ZendeskApi, ticket_id: int) -> list[Json]:
    rows: list[Json] = zd.get(f"/tickets/{ticket_id}/comments")["comments"]
    return rows


def suspended(zd: ZendeskApi) -> list[Json]:
    rows: list[Json] = zd.get("/suspended_tickets")["suspended_tickets"]
    return rows


# --- flags ---------------------------------------------------------------------------------


def test_a_robots_mail_is_flagged_in_the_comment_and_in_its_audit(
    zendesk: ZendeskSandbox, zd: ZendeskApi
) -> None:
    """Zendesk's page "Comment flags": 4 is a comment that was automatically generated."""
    ticket_id = zendesk.model.customer_mails(CARLA, "Away", "I am.", flags=[Flag.AUTOMATIC])
    [comment] = comments(zd, ticket_id)
    [audit] = zd.get(f"/tickets/{ticket_id}/audits")["audits"]
    marked = {"flags": [4], "flags_options": {"4": {"trusted": False}}, "trusted": False}
    assert comment["metadata"] == {"system": {}, "custom": {}} | marked
    assert audit["metadata"] == comment["metadata"]


def test_what_is_not_doubted_has_no_flags_at_all(zendesk: ZendeskSandbox, zd: ZendeskApi) -> None:
    ticket_id = zendesk.model.customer_mails(CARLA, "Broken", "It is.")
    zendesk.model.agent_answers(ticket_id, "Try this.")
    assert [row["metadata"].keys() for row in comments(zd, ticket_id)] == [{"system", "custom"}] * 2


def test_an_answer_of_somebody_else_is_flagged_and_opens_the_ticket_all_the_same(
    zendesk: ZendeskSandbox, zd: ZendeskApi
) -> None:
    ticket_id = zendesk.model.customer_mails(CARLA, "Broken", "It is.")
    zendesk.model.agent_solves(ticket_id)
    zendesk.model.customer_replies(ticket_id, "Me too.", sender=EVE, flags=[22])
    assert comments(zd, ticket_id)[-1]["metadata"]["flags"] == [2, 22]
    ticket = zd.ticket(ticket_id)
    assert ticket["status"] == "open"
    assert ticket["requester_id"] == comments(zd, ticket_id)[0]["author_id"]
    zendesk.model.customer_replies(ticket_id, "Hello?", sender=EVE)
    assert "flags" not in comments(zd, ticket_id)[-1]["metadata"], "who has written is known"


def test_a_comment_in_another_ones_name_is_flagged_with_who_wrote_it(
    zendesk: ZendeskSandbox, zd: ZendeskApi
) -> None:
    ticket_id = zendesk.model.customer_mails(CARLA, "Broken", "It is.")
    carla = zd.ticket(ticket_id)["requester_id"]
    me = zd.get("/users/me")["user"]
    zd.update(ticket_id, comment={"body": "She said so.", "author_id": carla})
    comment = comments(zd, ticket_id)[-1]
    said = {"message": {"user": me["name"], "user_id": me["id"]}, "trusted": False}
    assert comment["author_id"] == carla
    assert comment["metadata"]["flags"] == [11]
    assert comment["metadata"]["flags_options"] == {"11": said}
    zd.update(ticket_id, comment={"body": "I say so.", "author_id": me["id"]})
    assert "flags" not in comments(zd, ticket_id)[-1]["metadata"]


def test_a_follow_up_keeps_the_doubts_about_its_mail(
    zendesk: ZendeskSandbox, zd: ZendeskApi
) -> None:
    ticket_id = zendesk.model.customer_mails(CARLA, "Broken", "It is.")
    zendesk.model.agent_solves(ticket_id)
    zendesk.model.agent_sets(ticket_id, status="closed")
    follow_up = zendesk.model.customer_replies(ticket_id, "Away.", flags=[Flag.AUTOMATIC])
    assert comments(zd, follow_up)[0]["metadata"]["flags"] == [4]


def test_a_comment_is_cut_without_a_word(zendesk: ZendeskSandbox, zd: ZendeskApi) -> None:
    ticket_id = zendesk.model.customer_mails(CARLA, "Long", "ä" * 40_000)
    assert comments(zd, ticket_id)[0]["body"] == "ä" * 32_768


# --- suspended tickets ---------------------------------------------------------------------


def test_a_suspended_mail_is_no_ticket_and_nobody_is_told(
    zendesk: ZendeskSandbox, zd: ZendeskApi, receiver: Receiver
) -> None:
    row_id = zendesk.model.mail_is_suspended(EVE, "Away", "I am.", cause_id=8, name="Eve New")
    [row] = suspended(zd)
    assert (row["id"], row["cause_id"]) == (row_id, 8)
    assert row["cause"] == "Automated response mail, out of office"
    assert row["author"] == {"id": None, "name": "Eve New", "email": EVE}
    assert row["content"] == "I am."
    assert zd.get(f"/suspended_tickets/{row_id}")["suspended_ticket"] == row
    zendesk.webhooks.drain()
    assert receiver.requests == []
    assert zd.get("/tickets")["tickets"] == []
    assert zd.get(f"/users/search?query={EVE}")["users"] == [], "a stranger stays one"


def test_after_fourteen_days_a_suspended_mail_is_gone(
    zendesk: ZendeskSandbox, zd: ZendeskApi, clock: Clock
) -> None:
    row_id = zendesk.model.mail_is_suspended(CARLA, "Away", "I am.")
    clock.advance(days=14, seconds=-5)
    assert len(suspended(zd)) == 1
    clock.advance(seconds=5)
    assert suspended(zd) == []
    zd.get(f"/suspended_tickets/{row_id}", status=404)
    zd.admin("PUT", f"/suspended_tickets/{row_id}/recover", status=404)


@pytest.mark.parametrize("many", [True, False])
def test_many_that_are_recovered_keep_their_senders_and_one_alone_is_the_agents(
    zendesk: ZendeskSandbox, zd: ZendeskApi, receiver: Receiver, many: bool
) -> None:
    """Zendesk: "the API sets the requester to the authenticated agent who called the API"."""
    row_id = zendesk.model.mail_is_suspended(EVE, "Help", "Please.", cause_id=2)
    path = f"recover_many?ids={row_id}" if many else f"{row_id}/recover"
    answer = zd.admin("PUT", f"/suspended_tickets/{path}")
    [ticket] = answer["tickets" if many else "ticket"]
    [user] = zd.get(f"/tickets/{ticket['id']}?include=users")["users"]
    assert (user["email"] == EVE) is many
    assert suspended(zd) == []
    [audit] = zd.get(f"/tickets/{ticket['id']}/audits")["audits"]
    assert ticket["via"]["channel"] == audit["via"]["channel"] == "recovered_from_suspended_tickets"
    assert ticket["via"]["source"]["from"]["address"] == EVE
    assert audit["metadata"]["suspension_type_id"] == 2
    [event] = [row for row in audit["events"] if "cause_id" in row]
    assert (event["cause_id"], event["cause_name"]) == (2, "unverified")
    zendesk.webhooks.drain()
    assert len(receiver.requests) == 1, "a recovered ticket is created like any other"


def test_a_recovered_ticket_has_a_channel_number_of_its_own(
    zendesk: ZendeskSandbox, zd: ZendeskApi
) -> None:
    condition = {"field": "via_id", "operator": "is", "value": "21"}
    zd.add_trigger(title="under test", conditions={"all": [condition]})
    zendesk.model.customer_mails(CARLA, "Broken", "It is.")
    row_id = zendesk.model.mail_is_suspended(CARLA, "Help", "Please.")
    agent = zendesk.model.access.actor(AGENT)
    ticket = zendesk.model.suspended.recover(agent, row_id, keep_author=True)
    told = [row.ticket_id for row in zendesk.webhooks.deliveries if row.trigger == "under test"]
    assert told == [ticket["id"]]


def test_a_recovered_answer_is_in_its_ticket_and_opens_it(
    zendesk: ZendeskSandbox, zd: ZendeskApi
) -> None:
    ticket_id = zendesk.model.customer_mails(CARLA, "Broken", "It is.")
    zendesk.model.agent_solves(ticket_id)
    row_id = zendesk.model.mail_is_suspended(CARLA, "Re: Broken", "No.", ticket_id=ticket_id)
    assert suspended(zd)[0]["ticket_id"] == ticket_id
    assert zd.ticket(ticket_id)["status"] == "solved"
    [ticket] = zd.admin("PUT", f"/suspended_tickets/recover_many?ids={row_id}")["tickets"]
    assert (ticket["id"], ticket["status"]) == (ticket_id, "open")
    last = comments(zd, ticket_id)[-1]
    assert (last["body"], last["author_id"]) == ("No.", ticket["requester_id"])


def test_what_cannot_be_recovered_stays_with_the_reason(
    zendesk: ZendeskSandbox, zd: ZendeskApi
) -> None:
    ticket_id = zendesk.model.customer_mails(CARLA, "Broken", "It is.")
    zendesk.model.agent_solves(ticket_id)
    zendesk.model.agent_sets(ticket_id, status="closed")
    stays = zendesk.model.mail_is_suspended(CARLA, "Re: Broken", "No.", ticket_id=ticket_id)
    goes = zendesk.model.mail_is_suspended(CARLA, "New", "Hello.")
    path = f"/suspended_tickets/recover_many?ids={stays},{goes}"
    [row] = zd.admin("PUT", path, status=422)["suspended_tickets"]
    assert row["id"] == stays
    assert "closed prevents ticket update" in row["error_messages"][0]["description"]
    assert [row["id"] for row in suspended(zd)] == [stays]


def test_an_answer_to_a_deleted_ticket_is_recovered_as_a_new_one(
    zendesk: ZendeskSandbox, zd: ZendeskApi
) -> None:
    ticket_id = zendesk.model.customer_mails(CARLA, "Broken", "It is.")
    row_id = zendesk.model.mail_is_suspended(CARLA, "Re: Broken", "No.", ticket_id=ticket_id)
    zendesk.model.agent_deletes(ticket_id)
    [ticket] = zd.admin("PUT", f"/suspended_tickets/recover_many?ids={row_id}")["tickets"]
    assert ticket["id"] != ticket_id


def test_suspended_mails_can_be_thrown_away(zendesk: ZendeskSandbox, zd: ZendeskApi) -> None:
    rows = [zendesk.model.mail_is_suspended(EVE, "Buy", "Now!", cause_id=0) for _ in range(3)]
    zd.admin("DELETE", f"/suspended_tickets/{rows[0]}", status=204)
    zd.admin("DELETE", f"/suspended_tickets/destroy_many?ids={rows[1]},{rows[2]}", status=204)
    assert suspended(zd) == []
    with pytest.raises(ApiError):
        zendesk.model.suspended.delete(rows[0])

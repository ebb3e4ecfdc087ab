"""The Zendesk sandbox's helpdesk: what people do with it, and what Zendesk does by itself."""

from datetime import timedelta

import pytest

from bridge.sandbox.zendesk import AGENT, BRIDGE, ApiError, ZendeskSandbox

from .conftest import CARLA, Clock, Json, ZendeskApi


def statuses(zd: ZendeskApi, ticket_id: int) -> list[Json]:
    """The statuses of a ticket, as its audits tell them."""
    audits = zd.get(f"/tickets/{ticket_id}/audits")["audits"]
    events = [event for audit in audits for event in audit["events"]]
    return [event["value"] for event in events if event.get("field_name") == "status"]


def channel(zd: ZendeskApi, ticket_id: int) -> Json:
    ticket = zd.ticket(ticket_id)
    return ticket["via"]["channel"], ticket["via"]["source"]["rel"]


# --- how tickets come in -------------------------------------------------------------------


def test_a_mail_of_a_stranger_makes_a_customer_of_the_domains_organisation(
    zendesk: ZendeskSandbox, zd: ZendeskApi
) -> None:
    ticket_id = zendesk.model.customer_mails("Eve@ACME.example", "Hello", "Hi.", name="Eve New")
    answer = zd.get(f"/tickets/{ticket_id}?include=users,organizations")
    [user] = answer["users"]
    assert (user["name"], user["email"], user["role"]) == (
        "Eve New",
        "eve@acme.example",
        "end-user",
    )
    assert [row["name"] for row in answer["organizations"]] == ["Acme GmbH"]
    source = answer["ticket"]["via"]["source"]
    written_to = ["eve@acme.example", "support@support.example"]
    sender = {"address": "eve@acme.example", "name": "Eve New"}
    assert source["from"] == sender | {"original_recipients": written_to}
    again = zendesk.model.customer_mails("eve@acme.example", "Again", "Hi.")
    assert zd.ticket(again)["requester_id"] == user["id"]


def test_the_form_and_an_agent_on_the_phone_share_a_channel_and_differ_in_the_submitter(
    zendesk: ZendeskSandbox, zd: ZendeskApi
) -> None:
    by_form = zendesk.model.customer_opens_by_web(CARLA, "Broken", "It is.")
    by_phone = zendesk.model.agent_logs_phone(CARLA, "Broken", "She called.")
    assert channel(zd, by_form) == channel(zd, by_phone) == ("web", None)
    form, phone = zd.ticket(by_form), zd.ticket(by_phone)
    assert form["submitter_id"] == form["requester_id"] == phone["requester_id"]
    assert phone["submitter_id"] == zendesk.model.access.actor(AGENT).id
    assert phone["description"] == "She called."


def test_a_customer_may_have_no_organisation_and_fields_of_the_own(
    zendesk: ZendeskSandbox, zd: ZendeskApi
) -> None:
    zone = "America/Toronto"
    zendesk.model.add_customer("Bob Buyer", "bob@beta.example", zone=zone, support_country="CA")
    zendesk.model.add_customer("Cora", "cora@beta.example", "Acme GmbH")
    bob, cora = (
        zd.ticket(zendesk.model.customer_opens_by_web(f"{name}@beta.example", "x", "y"))
        for name in ("bob", "cora")
    )
    user = zd.get(f"/users/{bob['requester_id']}.json")["user"]
    assert (bob["organization_id"], user["user_fields"]) == (None, {"support_country": "CA"})
    assert user["iana_time_zone"] == zone
    assert cora["organization_id"] == zd.get("/organizations")["organizations"][0]["id"]


def test_the_name_of_an_organisation_is_taken_once(zendesk: ZendeskSandbox) -> None:
    with pytest.raises(ApiError, match="already been taken"):
        zendesk.model.add_organization("Acme GmbH")


# --- answers -------------------------------------------------------------------------------


def test_an_agents_first_answer_takes_the_ticket_and_may_solve_it(
    zendesk: ZendeskSandbox, zd: ZendeskApi
) -> None:
    ticket_id = zendesk.model.customer_mails(CARLA, "Broken", "It is.")
    zendesk.model.agent_notes(ticket_id, "I look into it.")
    assert zd.ticket(ticket_id, "metric_sets")["metric_set"]["replies"] == 0
    zendesk.model.agent_answers(ticket_id, "Try this.", close=True)
    ticket = zd.ticket(ticket_id, "metric_sets")
    assert ticket["assignee_id"] == zendesk.model.access.actor(AGENT).id
    assert (ticket["status"], ticket["metric_set"]["replies"]) == ("solved", 1)
    assert statuses(zd, ticket_id) == ["new", "solved"]


@pytest.mark.parametrize("status", ["pending", "hold", "solved"])
def test_a_customers_answer_opens_what_waits_or_is_solved(
    zendesk: ZendeskSandbox, zd: ZendeskApi, status: str
) -> None:
    """Zendesk: "If an end user comments on a ticket with a status set to Pending, Solved, or
    On-hold, the ticket status is changed to Open."
    """
    ticket_id = zendesk.model.customer_mails(CARLA, "Broken", "It is.")
    zendesk.model.agent_answers(ticket_id, "Try this.")
    zendesk.model.agent_sets(ticket_id, status=status)
    assert zendesk.model.customer_replies(ticket_id, "No.") == ticket_id
    assert zd.ticket(ticket_id)["status"] == "open"
    assert statuses(zd, ticket_id) == ["new", "open", status, "open"]
    metrics = zd.ticket(ticket_id, "metric_sets")["metric_set"]
    assert metrics["reopens"] == (status == "solved")


def test_an_answer_to_a_closed_ticket_is_a_follow_up_with_its_tags_and_fields(
    zendesk: ZendeskSandbox, zd: ZendeskApi
) -> None:
    """Zendesk: "Once a ticket is closed [...], it can't be reopened", and "Follow-up tickets
    inherit the tags from the parent ticket upon creation".
    """
    ticket_id = zendesk.model.customer_mails(CARLA, "Broken", "It is.")
    ids = zd.field_ids()
    values = {ids["points_state"]: "points_state_charged", ids["points_charged"]: 10}
    fields = [{"id": key, "value": value} for key, value in values.items()]
    zd.update(ticket_id, custom_fields=fields)
    zendesk.model.agent_solves(ticket_id)
    zendesk.model.agent_sets(ticket_id, status="closed")
    with pytest.raises(ApiError, match="closed prevents ticket update"):
        zendesk.model.agent_reopens(ticket_id)
    follow_up = zendesk.model.customer_replies(ticket_id, "It is back.")
    ticket, parent = zd.ticket(follow_up), zd.ticket(ticket_id)
    assert (ticket["status"], parent["status"]) == ("new", "closed")
    source = ticket["via"]["source"]
    assert (source["rel"], source["from"]["ticket_id"]) == ("follow_up", ticket_id)
    assert ticket["tags"] == parent["tags"] == ["points_state_charged"]
    assert ticket["custom_fields"] == parent["custom_fields"]
    assert parent["followup_ids"] == [follow_up]
    third = zendesk.model.customer_replies(ticket_id, "Hello?")
    assert zd.ticket(ticket_id)["followup_ids"] == [follow_up, third]


def test_a_follow_up_has_a_channel_number_of_its_own(
    zendesk: ZendeskSandbox, zd: ZendeskApi
) -> None:
    condition = {"field": "via_id", "operator": "is", "value": "27"}
    zd.add_trigger(title="under test", conditions={"all": [condition]})
    ticket_id = zendesk.model.customer_mails(CARLA, "Broken", "It is.")
    zendesk.model.agent_solves(ticket_id)
    zendesk.model.agent_sets(ticket_id, status="closed")
    follow_up = zendesk.model.customer_replies(ticket_id, "It is back.")
    told = [row.ticket_id for row in zendesk.webhooks.deliveries if row.trigger == "under test"]
    assert told == [follow_up]


# --- closing by itself ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("setting", "days"), [(timedelta(days=4), 4), (timedelta(days=20), 20), (timedelta.max, 28)]
)
def test_what_is_solved_is_closed_after_the_accounts_time_and_after_28_days_at_the_latest(
    zendesk: ZendeskSandbox, zd: ZendeskApi, clock: Clock, setting: timedelta, days: int
) -> None:
    """Zendesk: solved tickets are closed by the system after 28 days, whatever the automation."""
    zendesk.model.close_solved_after = setting
    ticket_id = zendesk.model.customer_mails(CARLA, "Broken", "It is.")
    waiting = zendesk.model.customer_mails(CARLA, "Broken too", "It is.")
    zendesk.model.agent_solves(ticket_id)
    clock.advance(days=days, minutes=-1)
    zendesk.model.automation_runs()
    assert zd.ticket(ticket_id)["status"] == "solved"
    clock.advance(minutes=1)
    zendesk.model.automation_runs()
    assert [zd.ticket(row)["status"] for row in (ticket_id, waiting)] == ["closed", "new"]
    audit = zd.get(f"/tickets/{ticket_id}/audits")["audits"][-1]
    assert (audit["author_id"], audit["via"]["source"]["rel"]) == (-1, "automation")


def test_a_reopened_ticket_waits_again_from_its_next_solution(
    zendesk: ZendeskSandbox, zd: ZendeskApi, clock: Clock
) -> None:
    ticket_id = zendesk.model.customer_mails(CARLA, "Broken", "It is.")
    zendesk.model.agent_solves(ticket_id)
    clock.advance(days=3)
    zendesk.model.agent_reopens(ticket_id)
    zendesk.model.agent_solves(ticket_id)
    clock.advance(days=3)
    zendesk.model.automation_runs()
    assert zd.ticket(ticket_id)["status"] == "solved"


# --- the end -------------------------------------------------------------------------------


def test_an_agents_merge_leaves_the_comments_that_support_suggests(
    zendesk: ZendeskSandbox, zd: ZendeskApi
) -> None:
    source = zendesk.model.customer_mails(CARLA, "Broken", "It is.")
    target = zendesk.model.customer_mails(CARLA, "Broken too", "It is.")
    zendesk.model.agent_merges(source, target)
    texts = [zd.get(f"/tickets/{row}/comments")["comments"][-1] for row in (source, target)]
    assert f"#{target}" in texts[0]["body"]
    assert f"#{source}" in texts[1]["body"]
    assert not any(text["public"] for text in texts)
    assert statuses(zd, source) == ["new", "closed"]
    assert statuses(zd, target) == ["new"]


def test_spam_is_deleted_and_its_sender_suspended(zendesk: ZendeskSandbox, zd: ZendeskApi) -> None:
    ticket_id = zendesk.model.customer_mails("spam@else.example", "Buy", "Now!")
    zendesk.model.agent_marks_spam(ticket_id)
    zd.get(f"/tickets/{ticket_id}", status=404)
    assert zendesk.model.store.user("spam@else.example")["suspended"]
    zendesk.model.agent_restores(ticket_id)
    assert zd.ticket(ticket_id)["status"] == "new"


def test_what_is_deleted_for_good_leaves_its_id_and_nothing_else(
    zendesk: ZendeskSandbox, zd: ZendeskApi, clock: Clock
) -> None:
    ticket_id = zendesk.model.customer_mails(CARLA, "Secret", "My password")
    zendesk.model.admin_deletes_for_good(ticket_id)
    with pytest.raises(ApiError):
        zendesk.model.agent_restores(ticket_id)
    clock.advance(seconds=61)
    [row] = zd.get("/incremental/tickets/cursor?start_time=0")["tickets"]
    assert (row["id"], row["status"], row["subject"]) == (ticket_id, "deleted", "SCRUBBED")
    assert zd.get("/deleted_tickets")["deleted_tickets"] == []


def test_people_who_do_not_exist_are_a_mistake_of_the_test(zendesk: ZendeskSandbox) -> None:
    ticket_id = zendesk.model.customer_mails(CARLA, "Broken", "It is.")
    with pytest.raises(ValueError, match=r"nobody@support\.example"):
        zendesk.model.agent_answers(ticket_id, "x", agent="nobody@support.example")
    assert zendesk.model.ticket(ticket_id)["assignee_id"] is None
    assert zendesk.model.access.actor(BRIDGE).is_agent

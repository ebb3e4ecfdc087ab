"""What is left of tickets, people and organisations in the Zendesk sandbox, and what tells it."""

import json

import pytest

from bridge.sandbox.zendesk import AGENT, Client, ZendeskSandbox

from .conftest import CARLA, Clock, Json, Receiver, ZendeskApi


def exported(zd: ZendeskApi, clock: Clock, more: str = "", since: int = 0) -> list[Json]:
    clock.advance(seconds=61)
    path = f"/incremental/tickets/cursor?start_time={since}{more}"
    rows: list[Json] = zd.get(path)["tickets"]
    return rows


# --- exports -------------------------------------------------------------------------------


def test_an_export_has_deleted_tickets_unless_they_are_not_wanted(
    zendesk: ZendeskSandbox, zd: ZendeskApi, clock: Clock
) -> None:
    gone = zendesk.model.customer_mails(CARLA, "Broken", "It is.")
    stays = zendesk.model.customer_mails(CARLA, "Broken too", "It is.")
    zendesk.model.agent_deletes(gone)
    rows = {row["id"]: row["status"] for row in exported(zd, clock)}
    assert rows == {gone: "deleted", stays: "new"}
    assert [row["id"] for row in exported(zd, clock, "&exclude_deleted=true")] == [stays]


def test_an_export_has_a_ticket_again_that_zendesk_itself_has_touched(
    zendesk: ZendeskSandbox, zd: ZendeskApi, clock: Clock
) -> None:
    """Zendesk: exports go by `generated_timestamp`, which `updated_at` may be older than."""
    ticket_id = zendesk.model.customer_mails(CARLA, "Broken", "It is.")
    before = zd.ticket(ticket_id)
    clock.advance(hours=1)
    since = int(clock.now.timestamp()) - 10
    assert exported(zd, clock, since=since) == []
    zendesk.model.system_touches(ticket_id)
    [row] = exported(zd, clock, since=since)
    assert row["updated_at"] == before["updated_at"]
    assert row["generated_timestamp"] > before["generated_timestamp"]


# --- follow-ups and merges -----------------------------------------------------------------


def test_a_follow_up_names_its_source_as_a_text(zendesk: ZendeskSandbox, zd: ZendeskApi) -> None:
    ticket_id = zendesk.model.customer_mails(CARLA, "Broken", "It is.")
    zendesk.model.agent_solves(ticket_id)
    zendesk.model.agent_sets(ticket_id, status="closed")
    follow_up = zendesk.model.customer_replies(ticket_id, "It is back.")
    sources = [
        zd.get(f"/tickets/{row}/related")["ticket_related"]["followup_source_ids"]
        for row in (ticket_id, follow_up)
    ]
    assert sources == [[], [str(ticket_id)]]


def test_what_is_related_tells_of_the_archive(
    zendesk: ZendeskSandbox, zd: ZendeskApi, clock: Clock
) -> None:
    ticket_id = zendesk.model.customer_mails(CARLA, "Broken", "It is.")
    zendesk.model.agent_solves(ticket_id)
    zendesk.model.agent_sets(ticket_id, status="closed")
    path = f"/tickets/{ticket_id}/related"
    assert zd.get(path)["ticket_related"]["from_archive"] is False
    clock.advance(days=120)
    assert zd.get(path)["ticket_related"]["from_archive"] is True


@pytest.mark.parametrize("private", ["source", "target", None])
def test_the_comments_of_a_merge_are_private_if_a_ticket_is(
    zendesk: ZendeskSandbox, zd: ZendeskApi, private: str | None
) -> None:
    """Zendesk: "Comments are private and can't be modified" if any of the tickets is private."""
    agent = zendesk.model.access.actor(AGENT)
    ids = {}
    for side in ("source", "target"):
        comment = {"body": "x", "public": side != private}
        spec = {"subject": side, "requester_id": agent.id, "comment": comment}
        answer = zd.call("POST", "/tickets", {"ticket": spec}, status=201)
        ids[side] = answer["ticket"]["id"]
    texts: Json = {f"{side}_comment": side for side in ids}
    texts |= {f"{side}_comment_is_public": True for side in ids}
    zd.call("POST", f"/tickets/{ids['target']}/merge", {"ids": [ids["source"]], **texts})
    said = [zd.get(f"/tickets/{row}/comments")["comments"][-1]["public"] for row in ids.values()]
    assert said == [private is None] * 2


# --- deletion ------------------------------------------------------------------------------


def test_a_deleted_ticket_is_purged_after_thirty_days(
    zendesk: ZendeskSandbox, zd: ZendeskApi, clock: Clock
) -> None:
    ticket_id = zendesk.model.customer_mails(CARLA, "Broken", "It is.")
    zendesk.model.agent_deletes(ticket_id)
    clock.advance(days=30, seconds=-10)
    zendesk.model.purge_runs()
    assert len(zd.get("/deleted_tickets")["deleted_tickets"]) == 1
    clock.advance(seconds=10)
    zendesk.model.purge_runs()
    assert zd.get("/deleted_tickets")["deleted_tickets"] == []
    zd.admin("PUT", f"/deleted_tickets/{ticket_id}/restore", status=404)
    [row] = exported(zd, clock)
    assert (row["id"], row["subject"]) == (ticket_id, "SCRUBBED")


def test_only_an_admin_deletes_for_good_and_only_what_is_deleted(
    zendesk: ZendeskSandbox, zd: ZendeskApi
) -> None:
    ticket_id = zendesk.model.customer_mails(CARLA, "Broken", "It is.")
    path = f"/deleted_tickets/{ticket_id}"
    zd.admin("DELETE", path, status=404)
    zendesk.model.agent_deletes(ticket_id)
    job = zd.admin("DELETE", path)["job_status"]
    assert job["status"] == "queued"
    done = zd.get(f"/job_statuses/{job['id']}")["job_status"]
    assert (done["status"], done["results"][0]["id"]) == ("completed", ticket_id)
    zd.admin("DELETE", path, status=404)


def test_a_deleted_organisation_leaves_its_people_and_tickets_without_one(
    zendesk: ZendeskSandbox, zd: ZendeskApi, receiver: Receiver, clock: Clock
) -> None:
    closed = zendesk.model.customer_mails(CARLA, "Broken", "It is.")
    zendesk.model.agent_solves(closed)
    zendesk.model.agent_sets(closed, status="closed")
    ticket_id = zendesk.model.customer_mails(CARLA, "Broken too", "It is.")
    [row] = zd.get("/organizations")["organizations"]
    zd.subscribe("http://bridge.example/webhooks/zendesk", "organization_changed")
    zendesk.webhooks.drain()
    receiver.requests.clear()
    zd.call("DELETE", f"/organizations/{row['id']}", client=Client.SETUP, status=204)
    zd.get(f"/organizations/{row['id']}", status=404)
    assert [zd.ticket(key)["organization_id"] for key in (closed, ticket_id)] == [None, None]
    user = zd.get(f"/users/{zd.ticket(ticket_id)['requester_id']}")["user"]
    assert user["organization_id"] is None
    zendesk.webhooks.drain()
    told = [json.loads(request.body) for request in receiver.requests]
    assert [body["event"]["previous"] for body in told] == [str(row["id"])] * 2
    assert {body["type"] for body in told} == {"zen:event-type:ticket.organization_changed"}
    assert {key["id"] for key in exported(zd, clock)} == {closed, ticket_id}


def test_an_organisation_that_does_not_exist_cannot_be_deleted(zendesk: ZendeskSandbox) -> None:
    zendesk.model.admin_deletes_organization("Acme GmbH")
    with pytest.raises(ValueError, match="no organization"):
        zendesk.model.admin_deletes_organization("Acme GmbH")


def test_a_user_is_not_deleted_while_there_is_work(zendesk: ZendeskSandbox, zd: ZendeskApi) -> None:
    ticket_id = zendesk.model.customer_mails(CARLA, "Broken", "It is.")
    path = f"/users/{zd.ticket(ticket_id)['requester_id']}"
    zd.admin("DELETE", path, status=422)
    zendesk.model.agent_solves(ticket_id)
    zd.admin("DELETE", path, status=422)
    zendesk.model.agent_sets(ticket_id, status="closed")
    assert zd.admin("DELETE", path)["user"]["active"] is False
    assert zd.ticket(ticket_id)["status"] == "closed"
    me = zd.call("GET", "/users/me", client=Client.SETUP)["user"]["id"]
    zd.admin("DELETE", f"/users/{me}", status=403)


# --- where a ticket comes from -------------------------------------------------------------


def test_a_ticket_of_the_messenger_and_a_shared_one_say_so(
    zendesk: ZendeskSandbox, zd: ZendeskApi
) -> None:
    mailed = zd.ticket(zendesk.model.customer_mails(CARLA, "Broken", "It is."))
    written = zd.ticket(zendesk.model.customer_writes_by_messenger(CARLA, "Broken", "It is."))
    shared = zd.ticket(zendesk.model.partner_shares(CARLA, "Broken", "It is."))
    told = [row["from_messaging_channel"] for row in (mailed, written, shared)]
    assert told == [False, True, False]
    assert [len(row["sharing_agreement_ids"]) for row in (mailed, written, shared)] == [0, 0, 1]
    assert shared["via"]["channel"] == "ticket_sharing"


# --- budgets and tokens --------------------------------------------------------------------


def test_what_agents_do_by_hand_is_taken_from_the_budget_of_the_api(
    zendesk: ZendeskSandbox, zd: ZendeskApi, clock: Clock
) -> None:
    """Zendesk: 100 updates a minute for the account, those in the agents' browsers included."""
    zendesk.model.limits.ticket_updates = 3
    ticket_id = zendesk.model.customer_mails(CARLA, "Broken", "It is.")
    for number in range(4):
        zendesk.model.agent_sets(ticket_id, priority="high" if number % 2 else "low")
    zd.update(ticket_id, 429, priority="urgent")
    clock.advance(minutes=1)
    zd.update(ticket_id, priority="urgent")


def test_an_answer_may_not_say_how_long_a_token_lives_unless_asked(
    zendesk: ZendeskSandbox,
) -> None:
    access = zendesk.model.access
    request = {"client_id": Client.BRIDGE, "client_secret": Client.BRIDGE.secret}
    request |= {"grant_type": "client_credentials", "scope": "read"}
    assert access.grant(request)["expires_in"] == 1800
    access.tells_expiry = False
    assert "expires_in" not in access.grant(request)
    assert access.grant({**request, "expires_in": 600})["expires_in"] == 600

"""The sandbox's helpdesk: what people do with it, its set-up, its search. Nothing is sent here."""

import json
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import pytest

from bridge.sandbox.zammad import (
    ApiError,
    Token,
    ZammadSandbox,
)

from .conftest import CARLA, Api, Clock, Receiver

RECORDINGS = Path(__file__).with_name("recordings")


def states(api: Api, ticket_id: int) -> list[tuple[str, str]]:
    rows = api.get(f"/ticket_history/{ticket_id}")["history"]
    return [(r["value_from"], r["value_to"]) for r in rows if r.get("attribute") == "state"]


# --- the life of a ticket ------------------------------------------------------------------


def test_close_at_keeps_the_first_closure_and_last_close_at_moves(
    sandbox: ZammadSandbox, api: Api, clock: Clock
) -> None:
    ticket_id = sandbox.model.customer_mails(CARLA, "Broken", "It is.")
    sandbox.model.agent_closes(ticket_id)
    first = api.get(f"/tickets/{ticket_id}")
    clock.advance(days=3)
    sandbox.model.agent_reopens(ticket_id)
    sandbox.model.agent_closes(ticket_id)
    second = api.get(f"/tickets/{ticket_id}")
    assert first["close_at"] == first["last_close_at"] == second["close_at"]
    assert second["last_close_at"] > first["last_close_at"]
    assert states(api, ticket_id) == [("new", "closed"), ("closed", "open"), ("open", "closed")]


def test_only_a_public_message_of_an_agent_is_a_first_response(
    sandbox: ZammadSandbox, api: Api
) -> None:
    ticket_id = sandbox.model.customer_mails(CARLA, "Broken", "It is.")
    sandbox.model.agent_notes(ticket_id, "I look into it.")
    note = {"body": "Received.", "type": "note", "sender": "System"}
    api.put(f"/tickets/{ticket_id}", {"article": note})
    api.put(f"/tickets/{ticket_id}", {"article": note | {"type": "phone"}})
    aside = {"body": "She rang me.", "type": "phone", "sender": "Agent", "internal": True}
    api.put(f"/tickets/{ticket_id}", {"article": aside})
    before = api.get(f"/tickets/{ticket_id}")
    sandbox.model.agent_answers(ticket_id, "Try this.")
    after = api.get(f"/tickets/{ticket_id}")
    assert (before["first_response_at"], before["state_id"]) == (None, 1)
    assert before["last_contact_at"] == before["last_contact_customer_at"] < before["updated_at"]
    assert after["first_response_at"] == after["last_contact_at"] is not None
    api.put(f"/tickets/{ticket_id}", {"article": note | {"type": "phone"}})
    again = api.get(f"/tickets/{ticket_id}")
    assert again["last_contact_at"] == after["last_contact_at"]
    assert states(api, ticket_id) == [("new", "open")]


def test_a_customers_article_alone_does_not_reopen_but_the_state_with_it_does(
    sandbox: ZammadSandbox, api: Api
) -> None:
    ticket_id = sandbox.model.customer_opens_by_portal(CARLA, "Broken", "It is.")
    sandbox.model.agent_closes(ticket_id)
    sandbox.model.customer_answers_by_portal(ticket_id, "Still broken.")
    assert api.get(f"/tickets/{ticket_id}?expand=true")["state"] == "closed"
    sandbox.model.customer_answers_by_portal(ticket_id, "Please.", reopen=True)
    assert api.get(f"/tickets/{ticket_id}?expand=true")["state"] == "open"


def test_a_mail_reopens_until_the_groups_limit_from_the_last_closure(
    sandbox: ZammadSandbox, api: Api, clock: Clock, as_carla: dict[str, str]
) -> None:
    limit = {"follow_up_possible": "new_ticket_after_certain_time", "reopen_time_in_days": 90}
    api.put("/groups/1", limit, token=Token.ADMIN)
    ticket_id = sandbox.model.customer_mails(CARLA, "Calendar sync fails", "It does.")
    sandbox.model.agent_closes(ticket_id)
    clock.advance(days=80)
    assert sandbox.model.customer_replies_by_mail(ticket_id, "Again.") == ticket_id
    sandbox.model.agent_closes(ticket_id)
    clock.advance(days=20)
    assert sandbox.model.customer_replies_by_mail(ticket_id, "100 days after.") == ticket_id
    sandbox.model.agent_closes(ticket_id)
    clock.advance(days=91)
    late = sandbox.model.customer_replies_by_mail(ticket_id, "91 days after.")
    assert late != ticket_id
    assert api.get(f"/tickets/{late}")["title"] == "Calendar sync fails"
    assert api.get(f"/links?link_object=Ticket&link_object_value={ticket_id}")["links"] == []
    reopening = {"state": "open", "article": {"body": "again", "type": "web"}}
    api.call("PUT", f"/tickets/{ticket_id}", reopening, as_carla, status=422)
    sandbox.model.agent_reopens(ticket_id)
    assert api.get(f"/tickets/{ticket_id}")["state_id"] == 2


def test_a_merge_leaves_its_target_in_the_history_and_sends_later_mails_there(
    sandbox: ZammadSandbox, api: Api
) -> None:
    source = sandbox.model.customer_mails(CARLA, "Broken", "It is.")
    target = sandbox.model.agent_logs_phone(CARLA, "Broken too", "She called.")
    sandbox.model.agent_merges(source, target)
    merged = api.get(f"/tickets/{source}?expand=true")
    rows = api.get(f"/ticket_history/{source}")["history"]
    assert (merged["state"], merged["close_at"]) == ("merged", None)
    assert [row["id_to"] for row in rows if row["type"] == "merged_into"] == [target]
    assert sandbox.model.customer_replies_by_mail(source, "Hello?") == target
    with pytest.raises(ApiError, match="already merged"):
        sandbox.model.agent_merges(target, source)


def test_a_split_ticket_is_the_child_of_the_one_it_came_from(
    sandbox: ZammadSandbox, api: Api
) -> None:
    origin = sandbox.model.customer_mails(CARLA, "Two things", "Broken, and broken.")
    split = sandbox.model.agent_splits(origin, "The other thing", "Broken.")
    [link] = api.get(f"/tickets/{split}?all=true")["links"]
    assert (link["link_type"], link["link_object_value"]) == ("parent", origin)
    assert api.get(f"/tickets/{split}?expand=true")["customer"] == CARLA


def test_a_ticket_cannot_be_merged_into_itself(sandbox: ZammadSandbox) -> None:
    ticket_id = sandbox.model.customer_mails(CARLA, "Broken", "It is.")
    with pytest.raises(ApiError, match="cannot be merged into itself"):
        sandbox.model.agent_merges(ticket_id, ticket_id)


def test_a_mail_opens_a_ticket_that_was_pending(sandbox: ZammadSandbox, api: Api) -> None:
    ticket_id = sandbox.model.customer_mails(CARLA, "Broken", "It is.")
    sandbox.model.agent_sets(ticket_id, state_id=3, pending_time="2026-11-23T18:00:00Z")
    sandbox.model.customer_replies_by_mail(ticket_id, "Hello?")
    ticket = api.get(f"/tickets/{ticket_id}")
    assert (ticket["state_id"], ticket["pending_time"]) == (2, None)


def test_an_article_comes_after_what_is_saved_with_it(sandbox: ZammadSandbox, api: Api) -> None:
    """Recording 090, lines 94 and 97; 075 is the call."""
    ticket_id = sandbox.model.customer_mails(CARLA, "Broken", "It is.")
    sandbox.model.agent_answers(ticket_id, "Fixed.", close=True)
    ticket = api.get(f"/tickets/{ticket_id}")
    assert ticket["close_at"] < ticket["last_contact_agent_at"]


def test_the_scheduler_closes_a_ticket_that_was_pending_close(
    sandbox: ZammadSandbox, api: Api, clock: Clock, receiver: Receiver
) -> None:
    ticket_id = sandbox.model.customer_mails(CARLA, "Broken", "It is.")
    later = {"state": "pending close", "pending_time": "2026-11-22T19:00:30Z"}
    api.put(f"/tickets/{ticket_id}", later)
    sandbox.model.scheduler_runs()
    assert api.get(f"/tickets/{ticket_id}")["state_id"] == 7
    clock.advance(hours=1)
    sandbox.model.scheduler_runs()
    closed = api.get(f"/tickets/{ticket_id}")
    assert (closed["state_id"], closed["updated_by_id"], closed["pending_time"]) == (4, 1, None)
    sandbox.webhooks.drain()
    assert receiver.triggers == ["created", "state changed"]


def test_a_form_is_told_from_the_portal_by_the_tickets_preferences_alone(
    sandbox: ZammadSandbox, api: Api
) -> None:
    form = sandbox.model.visitor_submits_form("Vic", "vic@else.example", "Hi", "A question")
    portal = sandbox.model.customer_opens_by_portal(CARLA, "Hi", "A question")
    by_form, by_portal = (api.get(f"/tickets/{i}?expand=true") for i in (form, portal))
    assert by_form["create_article_type"] == by_portal["create_article_type"] == "web"
    assert ("form" in by_form["preferences"], "form" in by_portal["preferences"]) == (True, False)


def test_a_mail_needs_a_group_with_an_address(sandbox: ZammadSandbox, api: Api) -> None:
    ticket_id = sandbox.model.customer_mails(CARLA, "Broken", "It is.")
    api.put(f"/tickets/{ticket_id}", {"group": "Second Level"})
    change = {"state": "closed", "article": {"type": "email", "body": "No.", "to": CARLA}}
    assert api.put(f"/tickets/{ticket_id}", change, status=500).keys() == {"error"}
    assert api.get(f"/tickets/{ticket_id}")["state_id"] == 1, "nothing of the change is stored"


def test_the_mark_in_an_articles_preferences_comes_back(sandbox: ZammadSandbox, api: Api) -> None:
    ticket_id = sandbox.model.customer_mails(CARLA, "Broken", "It is.")
    mark = {"points_bridge": {"event": "charge:1"}}
    note = {"type": "note", "internal": True, "body": "10 points", "preferences": mark}
    api.put(f"/tickets/{ticket_id}", {"points_state": "charged", "article": note})
    articles = api.get(f"/ticket_articles/by_ticket/{ticket_id}")
    assert articles[-1]["preferences"] == mark


def test_a_change_that_changes_nothing_leaves_no_trace(sandbox: ZammadSandbox, api: Api) -> None:
    ticket_id = sandbox.model.customer_mails(CARLA, "Broken", "It is.")
    api.put(f"/tickets/{ticket_id}", {"points_charged": 10})
    before = api.get(f"/tickets/{ticket_id}"), api.get(f"/ticket_history/{ticket_id}")
    api.put(f"/tickets/{ticket_id}", {"points_charged": 10, "no_such_field": 1})
    assert (api.get(f"/tickets/{ticket_id}"), api.get(f"/ticket_history/{ticket_id}")) == before


def test_a_save_that_changes_nothing_is_signed_by_who_was_not_the_last(
    sandbox: ZammadSandbox, api: Api, receiver: Receiver
) -> None:
    """From Zammad's code: the signature is set before each save, and no history keeps it."""
    ticket_id = sandbox.model.customer_mails(CARLA, "Broken", "It is.")
    path = f"/tickets/{ticket_id}"
    before, history = api.get(path), api.get(f"/ticket_history/{ticket_id}")["history"]
    sandbox.webhooks.drain()
    receiver.requests.clear()
    after = api.put(path, {}, token=Token.AGENT)
    assert after["updated_by_id"] == sandbox.model.access.actor("agent@example.com").id
    assert after["updated_at"] > before["updated_at"]
    assert api.get(f"/ticket_history/{ticket_id}")["history"] == history
    sandbox.webhooks.drain()
    assert receiver.triggers == []


# --- set-up --------------------------------------------------------------------------------


def test_the_bridges_fields_take_and_give_back_typed_values(
    sandbox: ZammadSandbox, api: Api
) -> None:
    ticket_id = sandbox.model.customer_mails(CARLA, "Broken", "It is.")
    fields = {
        "points_state": "free_reopen",
        "points_charged": 10,
        "points_balance": 90,
        "points_next_expiry": "2027-01-31",
        "points_response_due": "2026-11-23T12:00:00.000Z",
        "points_sla_state": "at_risk",
        "points_free_reopen_until": "2027-02-20",
    }
    fresh = api.get(f"/tickets/{ticket_id}")
    assert [fresh[name] for name in fields] == ["", None, None, None, None, "", None]
    assert fields.items() <= api.put(f"/tickets/{ticket_id}", fields).items()
    for name, value in (("points_state", "unknown"), ("points_charged", 1_000_001)):
        api.put(f"/tickets/{ticket_id}", {name: value}, status=422)
    emptied = dict.fromkeys(fields)
    assert emptied.items() <= api.put(f"/tickets/{ticket_id}", emptied).items()


def test_an_organisation_says_where_its_support_hours_are(sandbox: ZammadSandbox, api: Api) -> None:
    place = {"support_timezone": "Europe/Berlin", "support_country": "DE"}
    [found] = api.get("/organizations/search?query=Acme")
    answer = api.put(f"/organizations/{found['id']}", place)
    assert place.items() <= answer.items()
    assert answer["support_subdivision"] == ""


def test_new_options_of_a_field_wait_for_a_migration(sandbox: ZammadSandbox, api: Api) -> None:
    attributes = api.get("/object_manager_attributes", token=Token.SETUP)
    [row] = [row for row in attributes if row["name"] == "points_state"]
    option = row["data_option"] | {"options": row["data_option"]["options"] | {"lost": "lost"}}
    path = f"/object_manager_attributes/{row['id']}"
    answer = api.put(path, {"data_option": option}, token=Token.SETUP)
    assert (answer["to_config"], answer["to_migrate"]) == (True, True)
    ticket_id = sandbox.model.customer_mails(CARLA, "Broken", "It is.")
    body = {"points_state": "lost"}
    api.put(f"/tickets/{ticket_id}", body, status=422)
    migrate = "/object_manager_attributes_execute_migrations"
    assert api.post(migrate, {}, token=Token.SETUP, status=200) == {}
    assert api.put(f"/tickets/{ticket_id}", body)["points_state"] == "lost"


def test_a_field_that_an_admin_deleted_is_ignored_without_a_word(
    sandbox: ZammadSandbox, api: Api
) -> None:
    ticket_id = sandbox.model.customer_mails(CARLA, "Broken", "It is.")
    sandbox.model.attributes.drop("Ticket", "points_charged")
    answer = api.put(f"/tickets/{ticket_id}", {"points_charged": 10, "points_balance": 90})
    assert ("points_charged" in answer, answer["points_balance"]) == (False, 90)
    with pytest.raises(ValueError, match="points_charged"):
        sandbox.model.attributes.drop("Ticket", "points_charged")


@pytest.mark.parametrize("path", ["/webhooks", "/triggers", "/object_manager_attributes"])
def test_the_runtime_token_may_not_administer(api: Api, path: str) -> None:
    assert api.get(path, status=403)["error"] == "Not authorized (token)!"
    assert isinstance(api.get(path, token=Token.SETUP), list)
    assert api.get("/version", token=Token.SETUP, status=403)["error"] == "Not authorized (token)!"


def test_a_trigger_has_its_name_alone_but_a_webhook_may_share_it(api: Api) -> None:
    hook = {"name": "points bridge", "endpoint": "http://other.example/"}
    assert api.post("/webhooks", hook, token=Token.SETUP)["name"] == "points bridge"
    [first, *_] = api.get("/triggers", token=Token.SETUP)
    again = {key: first[key] for key in ("name", "condition", "perform")}
    answer = api.post("/triggers", again, token=Token.SETUP, status=422)
    assert answer["error"] == "This object already exists."


def test_a_webhook_in_use_cannot_be_deleted(api: Api) -> None:
    [hook] = api.get("/webhooks", token=Token.SETUP)
    path = f"/webhooks/{hook['id']}"
    refused = api.delete(path, token=Token.SETUP, status=422)
    assert "referenced by Trigger: zz-points-bridge" in refused["error"]
    for trigger in api.get("/triggers", token=Token.SETUP):
        api.delete(f"/triggers/{trigger['id']}", token=Token.SETUP)
    assert api.delete(path, token=Token.SETUP) == {}


def test_the_reconcile_poll_finds_what_changed_after_a_moment_page_by_page(
    sandbox: ZammadSandbox, api: Api
) -> None:
    ids = [sandbox.model.customer_mails(CARLA, f"Number {n}", "It is.") for n in range(4)]
    moment = api.get(f"/tickets/{ids[0]}")["updated_at"]
    sandbox.model.agent_closes(ids[1])
    poll = {
        "expand": "true",
        "condition[ticket.updated_at][operator]": "after (absolute)",
        "condition[ticket.updated_at][value]": moment,
        "sort_by": "updated_at",
        "order_by": "asc",
        "limit": "2",
    }
    pages = [api.get(f"/tickets/search?{urlencode(poll | {'page': page})}") for page in (1, 2)]
    assert [[row["id"] for row in page] for page in pages] == [[ids[2], ids[3]], [ids[1]]]
    assert pages[1][0]["state"] == "closed"


@pytest.mark.parametrize(
    ("name", "operator", "value", "fits"),
    [
        ("ticket.title", "contains", "broken", True),
        ("ticket.title", "contains not", "broken", False),
        ("ticket.close_at", "not set", "", True),
        ("ticket.updated_at", "before (absolute)", "2026-11-22T18:00:00Z", False),
        ("ticket.state_id", "is", "1", True),
    ],
)
def test_a_search_takes_the_operators_of_the_conditions(
    sandbox: ZammadSandbox, api: Api, name: str, operator: str, value: str, fits: bool
) -> None:
    ticket_id = sandbox.model.customer_mails(CARLA, "All broken", "It is.")
    condition = {f"condition[{name}][operator]": operator, f"condition[{name}][value]": value}
    found = api.get(f"/tickets/search?{urlencode(condition)}")
    assert found["tickets"] == ([ticket_id] if fits else [])
    assert list(found["assets"].get("Ticket", {})) == [str(row) for row in found["tickets"]]


@pytest.mark.parametrize(("name", "operator"), [("ticket.nosuch", "is"), ("ticket.id", "like")])
def test_a_search_refuses_what_does_not_exist(
    sandbox: ZammadSandbox, api: Api, name: str, operator: str
) -> None:
    sandbox.model.customer_mails(CARLA, "Broken", "It is.")
    query = urlencode({f"condition[{name}][operator]": operator, f"condition[{name}][value]": 1})
    api.get(f"/tickets/search?{query}", status=422)


def test_everybody_sees_the_tickets_that_are_theirs_to_see(
    sandbox: ZammadSandbox, api: Api, as_carla: dict[str, str]
) -> None:
    sandbox.model.add_customer("Cora Colleague", "cora@acme.example", "Acme GmbH")
    sandbox.model.add_customer("Bob Buyer", "bob@beta.example")
    own, shared, foreign = (
        sandbox.model.customer_mails(sender, "Broken", "It is.")
        for sender in (CARLA, "cora@acme.example", "bob@beta.example")
    )
    api.put(f"/tickets/{foreign}", {"group": "Second Level"})
    carlas = api.call("GET", "/tickets", None, as_carla, status=200)
    agents = api.get("/tickets?expand=true", token=Token.AGENT)
    assert [row["id"] for row in carlas] == [row["id"] for row in agents] == [own, shared]
    assert [row["id"] for row in api.get("/tickets?per_page=2&page=2")] == [foreign]
    api.call("GET", f"/tickets/{foreign}", None, as_carla, status=403)
    bob = api.get(f"/tickets/{foreign}")["customer_id"]
    api.call("GET", f"/users/{bob}", None, as_carla, status=403)
    assert api.get(f"/users/{bob}")["preferences"] == {"tickets_closed": 0, "tickets_open": 1}


def test_a_ticket_for_a_guessed_address_makes_the_customer(api: Api) -> None:
    spec = {"title": "For you", "group": "Users", "customer_id": "guess:new@else.example"}
    ticket = api.post("/tickets", spec | {"article": {"body": "x"}}, token=Token.BRIDGE)
    assert api.get(f"/users/{ticket['customer_id']}")["email"] == "new@else.example"
    assert [row["name"] for row in api.get("/organizations")] == ["Zammad Foundation", "Acme GmbH"]


def test_a_recorded_ticket_is_loaded_with_its_ids(clock: Clock) -> None:
    rows = json.loads((RECORDINGS / "4_life.json").read_text("utf-8"))
    [answer] = [row["answer"] for row in rows if row["recording"] == 90]
    box = ZammadSandbox(clock)
    assets = answer["assets"]
    for table in ("Organization", "User"):
        for record in assets[table].values():
            box.load(table, record)
    [ticket] = assets["Ticket"].values()
    assert box.load_ticket(ticket, assets["TicketArticle"].values(), answer["history"]) == 5
    api = Api(box)
    shown = api.get("/tickets/5")
    assert shown.items() <= ticket.items()
    assert shown["number"] == "55005"
    assert api.get("/ticket_history/5")["history"] == answer["history"]
    articles = api.get("/ticket_articles/by_ticket/5")
    assert [row["id"] for row in articles] == ticket["article_ids"]


def test_time_is_the_injected_clocks(sandbox: ZammadSandbox, api: Api, clock: Clock) -> None:
    clock.now = datetime(2027, 3, 1, 12, tzinfo=UTC)
    ticket_id = sandbox.model.agent_logs_phone(CARLA, "Broken", "She called.")
    created = datetime.fromisoformat(api.get(f"/tickets/{ticket_id}")["created_at"])
    assert datetime(2027, 3, 1, 12, tzinfo=UTC) < created <= clock.now

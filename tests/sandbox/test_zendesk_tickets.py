"""The Zendesk sandbox's tickets over the API: updates, audits, comments, pages, exports."""

from datetime import UTC, datetime

import pytest

from bridge.sandbox.zendesk import AGENT, BRIDGE, Client, ZendeskSandbox

from .conftest import CARLA, Clock, Json, ZendeskApi


@pytest.fixture
def ticket_id(zendesk: ZendeskSandbox) -> int:
    return zendesk.model.customer_mails(CARLA, "Broken", "It is.", name="Carla Customer")


def events(zd: ZendeskApi, ticket_id: int) -> list[Json]:
    """The events of a ticket's latest audit."""
    rows: list[Json] = zd.get(f"/tickets/{ticket_id}/audits.json")["audits"][-1]["events"]
    return rows


# --- updates -------------------------------------------------------------------------------


def test_one_put_does_fields_a_comment_and_the_status_and_makes_one_audit(
    zendesk: ZendeskSandbox, zd: ZendeskApi, ticket_id: int
) -> None:
    ids, bot = zd.field_ids(), zendesk.model.access.actor(BRIDGE).id
    values = {"points_state": "points_state_charged", "points_next_expiry": "2027-01-31"}
    answer = zd.update(
        ticket_id,
        custom_fields=[{"id": ids[name], "value": value} for name, value in values.items()],
        comment={"body": "10 points", "public": False},
        status="pending",
        metadata={"points_bridge": "charge:1"},
        no_such_field=42,
    )
    stored = {row["id"]: row["value"] for row in answer["ticket"]["custom_fields"]}
    assert {name: stored[ids[name]] for name in values} == values
    audit = answer["audit"]
    assert (audit["author_id"], audit["via"]["channel"]) == (bot, "api")
    assert audit["metadata"]["custom"] == {"points_bridge": "charge:1"}
    changes = {row["field_name"]: row["value"] for row in audit["events"][1:]}
    assert changes == {
        "status": "pending",
        "custom_status_id": answer["ticket"]["custom_status_id"],
        "tags": ["points_state_charged"],
        str(ids["points_state"]): "points_state_charged",
        str(ids["points_next_expiry"]): "2027-01-31",
    }
    assert audit == zd.get(f"/tickets/{ticket_id}/audits.json")["audits"][-1]


def test_a_change_that_changes_nothing_leaves_no_trace(
    zd: ZendeskApi, clock: Clock, ticket_id: int
) -> None:
    before = zd.ticket(ticket_id)
    clock.advance(minutes=1)
    answer = zd.update(ticket_id, subject="Broken")
    assert (answer["ticket"], answer["audit"]["events"]) == (before, [])
    assert zd.get(f"/tickets/{ticket_id}/audits.json")["count"] == 1


def test_a_safe_update_of_a_ticket_that_has_changed_is_a_conflict(
    zendesk: ZendeskSandbox, zd: ZendeskApi, clock: Clock, ticket_id: int
) -> None:
    """Zendesk: "protects against ticket update collisions"; its stamps have whole seconds."""
    safely = {"safe_update": True, "updated_stamp": zd.ticket(ticket_id)["updated_at"]}
    zd.update(ticket_id, subject="One", **safely)
    clock.advance(seconds=2)
    zendesk.model.agent_notes(ticket_id, "Meanwhile.")
    refused = zd.update(ticket_id, subject="Two", expect=409, **safely)
    assert refused["error"] == "UpdateConflict"
    zd.update(ticket_id, expect=409, safe_update=True)
    now = zd.ticket(ticket_id)["updated_at"]
    assert zd.update(ticket_id, subject="Three", safe_update=True, updated_stamp=now)
    assert zd.update(ticket_id, subject="Four", updated_stamp=safely["updated_stamp"])


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"status": "done"}, "status"),
        ({"priority": "critical"}, "priority"),
        ({"assignee_id": 7}, "assignee"),
        ({"requester_id": 7}, "requester"),
        ({"comment": {"body": " "}}, "base"),
        ({"status": "solved"}, "base"),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_its_place(
    zd: ZendeskApi, ticket_id: int, change: Json, field: str
) -> None:
    answer = zd.update(ticket_id, 422, **change)
    assert answer["error"] == "RecordInvalid"
    assert list(answer["details"]) == [field]
    assert zd.get(f"/tickets/{ticket_id}/audits")["count"] == 1


def test_a_ticket_that_is_nobodys_is_not_solved_unless_the_account_says_so(
    zendesk: ZendeskSandbox, zd: ZendeskApi, ticket_id: int
) -> None:
    """Zendesk: "A ticket's status can't be set to Solved by an end user or agent without an
    assignee. If the setting auto assign tickets upon solve is enabled [...] the system
    automatically makes the agent who solved the ticket the assignee."
    """
    bot = zendesk.model.access.actor(BRIDGE).id
    zd.update(ticket_id, 422, status="solved")
    zendesk.model.desk.auto_assign_on_solve = True
    solved = zd.update(ticket_id, status="solved")["ticket"]
    assert (solved["status"], solved["assignee_id"]) == ("solved", bot)


def test_a_new_ticket_opens_when_it_is_assigned_and_is_never_new_again(
    zendesk: ZendeskSandbox, zd: ZendeskApi, ticket_id: int
) -> None:
    """Zendesk: "When a New ticket is assigned to an agent, the ticket status automatically changes
    to Open." and "After a ticket's status has been changed from New, it can never be set back".
    """
    agent = zendesk.model.access.actor(AGENT).id
    assert zd.update(ticket_id, assignee_id=agent)["ticket"]["status"] == "open"
    zd.update(ticket_id, 422, status="new")


def test_tags_are_replaced_and_take_a_drop_down_with_them(zd: ZendeskApi, ticket_id: int) -> None:
    field = zd.field_ids()["points_state"]

    def state(ticket: Json) -> Json:
        return next(row["value"] for row in ticket["custom_fields"] if row["id"] == field)

    zd.update(ticket_id, tags=["vip", "Hardware"])
    changed = zd.update(ticket_id, custom_fields=[{"id": field, "value": "points_state_charged"}])
    assert changed["ticket"]["tags"] == ["hardware", "points_state_charged", "vip"]
    changed = zd.update(ticket_id, custom_fields=[{"id": field, "value": "points_state_credited"}])
    assert changed["ticket"]["tags"] == ["hardware", "points_state_credited", "vip"]
    replaced = zd.update(ticket_id, tags=["points_state_declined"])["ticket"]
    assert state(replaced) == "points_state_declined"
    emptied = zd.update(ticket_id, tags=["vip"])["ticket"]
    assert (emptied["tags"], state(emptied)) == (["vip"], None)


def test_what_is_closed_takes_tags_subject_and_priority_and_nothing_else(
    zendesk: ZendeskSandbox, zd: ZendeskApi, ticket_id: int
) -> None:
    """Zendesk: "Only the tags, subject, and priority fields can be edited on closed tickets"."""
    zendesk.model.agent_sets(ticket_id, status="closed", assignee_id=_agent(zendesk))
    field = {"id": zd.field_ids()["points_charged"], "value": 10}
    refusals: list[Json] = [
        {"custom_fields": [field]},
        {"comment": {"body": "x"}},
        {"status": "open"},
        {"tags": ["vip"], "organization_id": None},
    ]
    for change in refusals:
        answer = zd.update(ticket_id, 422, **change)
        told = {"description": "Status: closed prevents ticket update"}
        assert answer["details"] == {"status": [told]}
    allowed = zd.update(ticket_id, tags=["vip"], subject="Done", priority="low")["ticket"]
    assert (allowed["tags"], allowed["subject"], allowed["priority"]) == (["vip"], "Done", "low")


def _agent(zendesk: ZendeskSandbox) -> int:
    return zendesk.model.access.actor(AGENT).id


def test_an_agents_text_has_its_placeholders_filled_in_and_a_customers_has_not(
    zendesk: ZendeskSandbox, zd: ZendeskApi
) -> None:
    text = "{{ticket.id}} of {{ticket.organization.name}}{{ticket.nonsense}}"
    ticket_id = zendesk.model.customer_mails(CARLA, "Broken", text)
    zd.update(ticket_id, comment={"body": text})
    bodies = [row["body"] for row in zd.get(f"/tickets/{ticket_id}/comments")["comments"]]
    assert bodies == [text, f"{ticket_id} of Acme GmbH"]


# --- new tickets ---------------------------------------------------------------------------


def create(zd: ZendeskApi, ticket: Json, status: int = 201) -> Json:
    return zd.call("POST", "/tickets.json", {"ticket": ticket}, status=status)


def test_a_ticket_over_the_api_is_its_requesters_and_submitted_by_the_caller(
    zendesk: ZendeskSandbox, zd: ZendeskApi
) -> None:
    requester = {"name": "Carla Customer", "email": CARLA}
    spec = {"subject": "From the shop", "comment": {"body": "Help."}, "requester": requester}
    made = create(zd, spec)
    ticket = zd.ticket(made["ticket"]["id"])
    assert ticket == made["ticket"]
    assert ticket["submitter_id"] == zendesk.model.access.actor(BRIDGE).id
    assert ticket["requester_id"] == zendesk.model.access.actor(CARLA).id
    assert ticket["organization_id"] == zd.get("/organizations")["organizations"][0]["id"]
    names = [row.get("field_name", row["type"]) for row in made["audit"]["events"]]
    assert names[:2] == ["Comment", "subject"]
    assert (ticket["via"]["channel"], ticket["status"]) == ("api", "new")


def test_a_ticket_needs_a_text(zd: ZendeskApi) -> None:
    """Zendesk's description asks for `comment`; `description` is read only."""
    for spec in ({"subject": "Nothing"}, {"description": "The older way"}):
        refused = create(zd, spec, status=422)
        assert refused["details"]["base"][0]["description"] == "Description: cannot be blank"


def test_an_idempotency_key_makes_one_ticket_for_two_hours(zd: ZendeskApi, clock: Clock) -> None:
    """Zendesk: the header `x-idempotency-lookup` is `miss` or `hit`, and keys live for 2 hours."""

    def post(body: str, status: int = 201) -> tuple[Json, str | None]:
        headers = {"Authorization": f"Bearer {zd.token()}", "Idempotency-Key": "order-7"}
        spec = {"ticket": {"subject": "x", "comment": {"body": body}}}
        answer = zd.open("POST", "/tickets", spec, headers=headers, status=status)
        return answer.json, answer.headers.get("x-idempotency-lookup")

    first, lookup = post("Help.")
    again, second_lookup = post("Help.")
    assert (lookup, second_lookup) == ("miss", "hit")
    assert again == first
    post("Another text.", status=400)
    clock.advance(hours=2)
    later, lookup = post("Help.")
    assert (lookup, later["ticket"]["id"] == first["ticket"]["id"]) == ("miss", False)


@pytest.mark.parametrize(("closed", "rel"), [(True, "follow_up"), (False, None)])
def test_a_follow_up_over_the_api_is_one_of_a_closed_ticket_only(
    zendesk: ZendeskSandbox, zd: ZendeskApi, ticket_id: int, closed: bool, rel: str | None
) -> None:
    """Zendesk: "The parameter only works with closed tickets. It has no effect with other
    tickets." and "If you create a follow-up ticket and include tags in the request, those tags
    will replace the parent ticket's tags."
    """
    status = "closed" if closed else "open"
    zendesk.model.agent_sets(ticket_id, tags=["vip"], status=status, assignee_id=_agent(zendesk))
    spec = {"comment": {"body": "Again."}, "via_followup_source_id": ticket_id}
    plain, tagged = create(zd, spec)["ticket"], create(zd, spec | {"tags": ["new"]})["ticket"]
    assert plain["via"]["source"]["rel"] == rel
    assert (plain["tags"], tagged["tags"]) == (["vip"] if closed else [], ["new"])
    ids = [plain["id"], tagged["id"]] if closed else []
    assert zd.ticket(ticket_id)["followup_ids"] == ids


# --- reading -------------------------------------------------------------------------------


def test_a_ticket_comes_with_what_the_request_includes(
    zendesk: ZendeskSandbox, zd: ZendeskApi, clock: Clock, ticket_id: int
) -> None:
    clock.advance(minutes=90)
    zendesk.model.agent_answers(ticket_id, "Try this.", close=True)
    include = "users,organizations,comment_count,metric_sets,groups"
    answer = zd.get(f"/tickets/{ticket_id}.json?include={include}")
    assert [row["email"] for row in answer["users"]] == [CARLA, AGENT]
    [organization] = answer["organizations"]
    assert organization["organization_fields"]["support_country"] == "DE"
    assert [row["name"] for row in answer["groups"]] == ["Support"]
    ticket = answer["ticket"]
    assert (ticket["comment_count"], ticket["metric_set"]["replies"]) == (2, 1)
    assert ticket["metric_set"]["solved_at"] == ticket["updated_at"]
    assert ticket["metric_set"]["reply_time_in_minutes"]["calendar"] == 90
    assert zd.get(f"/tickets/{ticket_id}/metrics")["ticket_metric"] == ticket["metric_set"]
    assert "users" not in zd.get(f"/tickets/{ticket_id}.json")


def test_a_comment_says_who_wrote_it_and_whether_the_customer_sees_it(
    zendesk: ZendeskSandbox, zd: ZendeskApi, ticket_id: int
) -> None:
    zendesk.model.agent_notes(ticket_id, "a < b")
    answer = zd.get(f"/tickets/{ticket_id}/comments.json?include=users")
    opening, note = answer["comments"]
    assert (opening["public"], note["public"]) == (True, False)
    assert (note["body"], "a &lt; b" in note["html_body"]) == ("a < b", True)
    roles = {row["id"]: row["role"] for row in answer["users"]}
    assert [roles[row["author_id"]] for row in (opening, note)] == ["end-user", "agent"]


def test_a_text_is_markdown_and_markup_is_shown_as_it_is(zd: ZendeskApi, ticket_id: int) -> None:
    """Zendesk: "Markdown formatting is supported in body but not in html_body." """
    zd.update(ticket_id, comment={"body": "**a** [b](c)"})
    zd.update(ticket_id, comment={"html_body": "<p>**a**</p><p>[b](c)<br>&amp; d</p>"})
    _, text, markup = zd.get(f"/tickets/{ticket_id}/comments.json")["comments"]
    assert '<strong>a</strong> <a href="c">b</a>' in text["html_body"]
    assert "<p>**a**</p><p>[b](c)<br>&amp; d</p>" in markup["html_body"]
    assert markup["body"] == "**a**\n\n[b](c)\n& d"


def test_audits_come_in_pages_by_a_cursor_that_needs_quoting(
    zendesk: ZendeskSandbox, zd: ZendeskApi, ticket_id: int
) -> None:
    for number in range(4):
        zendesk.model.agent_notes(ticket_id, f"Note {number}")
    path = f"/tickets/{ticket_id}/audits.json?page[size]=2&include=users"
    first = zd.get(path)
    assert (first["meta"]["has_more"], len(first["users"])) == (True, 2)
    assert first["meta"]["after_cursor"].endswith("=")
    second = zd.get(first["links"]["next"].partition("/api/v2")[2])
    third = zd.get(second["links"]["next"].partition("/api/v2")[2])
    assert (third["meta"]["has_more"], third["links"]["next"]) == (False, None)
    ids = [row["id"] for page in (first, second, third) for row in page["audits"]]
    assert ids == [row["id"] for row in zd.get(f"/tickets/{ticket_id}/audits")["audits"]]
    zd.get(f"/tickets/{ticket_id}/audits.json?page[size]=101", status=400)


def test_a_list_comes_in_numbered_pages_too(zendesk: ZendeskSandbox, zd: ZendeskApi) -> None:
    ids = [zendesk.model.customer_mails(CARLA, "Broken", "x") for _ in range(3)]
    pages = [zd.get(f"/tickets.json?per_page=2&page={number}") for number in (1, 2)]
    assert [[row["id"] for row in page["tickets"]] for page in pages] == [ids[:2], ids[2:]]
    assert pages[0]["next_page"].endswith("/api/v2/tickets.json?per_page=2&page=2")
    assert (pages[1]["next_page"], pages[1]["count"]) == (None, 3)
    many = zd.get(f"/tickets/show_many.json?ids={ids[2]},99,{ids[0]}")
    assert [row["id"] for row in many["tickets"]] == [ids[0], ids[2]]


# --- the end of tickets --------------------------------------------------------------------


def test_a_merge_over_the_api_is_a_job_that_closes_its_sources_for_good(
    zendesk: ZendeskSandbox, zd: ZendeskApi, ticket_id: int
) -> None:
    target = zendesk.model.customer_mails(CARLA, "Broken too", "It is.")
    body = {"ids": [ticket_id], "target_comment": "Same thing."}
    job = zd.call("POST", f"/tickets/{target}/merge.json", body)["job_status"]
    assert job["status"] == "queued"
    done = zd.get(f"/job_statuses/{job['id']}.json")["job_status"]
    assert done["status"] == "completed"
    updated = {"action": "update", "status": "Updated", "success": True}
    assert done["results"] == [updated | {"id": ticket_id}]
    source = zd.ticket(ticket_id)
    assert (source["status"], source["tags"]) == ("closed", ["closed_by_merge"])
    assert [row["field_name"] for row in events(zd, ticket_id)] == ["status", "tags"]
    told = zd.get(f"/tickets/{target}/audits")["audits"][-1]
    assert told["via"]["source"]["rel"] == "merge"
    assert told["via"]["source"]["from"]["ticket_id"] == ticket_id
    assert (told["events"][0]["body"], told["events"][0]["public"]) == ("Same thing.", False)
    zd.call("POST", f"/tickets/{target}/merge.json", body, status=422)
    zd.call("POST", f"/tickets/{target}/merge.json", {"ids": [target]}, status=422)
    zd.get("/job_statuses/none", status=404)


def test_a_deleted_ticket_is_not_found_and_can_be_restored(
    zendesk: ZendeskSandbox, zd: ZendeskApi, ticket_id: int
) -> None:
    zendesk.model.agent_answers(ticket_id, "Wait.")
    assert zd.call("DELETE", f"/tickets/{ticket_id}.json", status=204) is None
    zd.get(f"/tickets/{ticket_id}.json", status=404)
    zd.update(ticket_id, subject="x", expect=404)
    assert zd.get("/tickets")["tickets"] == []
    [gone] = zd.get("/deleted_tickets.json")["deleted_tickets"]
    assert (gone["id"], gone["previous_state"]) == (ticket_id, "open")
    assert gone["actor"] == {"id": zendesk.model.access.actor(BRIDGE).id, "name": "Points Bridge"}
    headers = {"Authorization": f"Bearer {zd.token()}"}
    answer = zd.open("PUT", f"/deleted_tickets/{ticket_id}/restore.json", headers=headers)
    assert answer.data == b"", "its description says: an empty response"
    assert zd.ticket(ticket_id)["status"] == "open"
    zd.put(f"/deleted_tickets/{ticket_id}/restore.json", None, status=404)


# --- exports -------------------------------------------------------------------------------


def export(zd: ZendeskApi, query: str, status: int = 200) -> Json:
    return zd.get(f"/incremental/tickets/cursor.json?{query}", status=status)


def test_an_export_tells_of_what_changed_a_minute_ago_and_of_what_was_deleted(
    zendesk: ZendeskSandbox, zd: ZendeskApi, clock: Clock
) -> None:
    """Zendesk: "any items that were created or changed within the minute prior to your request are
    excluded"; deleted tickets are told of with the status `deleted`.
    """
    start = int(clock.now.timestamp())
    ids = [zendesk.model.customer_mails(CARLA, f"Number {n}", "x") for n in range(3)]
    clock.advance(seconds=61)
    first = export(zd, f"start_time={start}&per_page=2")
    assert ([row["id"] for row in first["tickets"]], first["end_of_stream"]) == (ids[:2], False)
    second = export(zd, f"cursor={first['after_cursor']}")
    assert ([row["id"] for row in second["tickets"]], second["end_of_stream"]) == (ids[2:], True)
    zendesk.model.agent_notes(ids[1], "Changed.")
    zendesk.model.agent_deletes(ids[0])
    assert export(zd, f"cursor={second['after_cursor']}")["tickets"] == []
    clock.advance(seconds=61)
    third = export(zd, f"cursor={second['after_cursor']}&include=users")
    told = {row["id"]: row["status"] for row in third["tickets"]}
    assert told == {ids[1]: "new", ids[0]: "deleted"}
    assert [row["email"] for row in third["users"]] == [CARLA]
    last = export(zd, f"cursor={third['after_cursor']}")
    assert (last["tickets"], last["after_cursor"]) == ([], third["after_cursor"])


def test_an_export_refuses_a_time_of_just_now_and_a_cursor_that_is_none(
    zd: ZendeskApi, clock: Clock
) -> None:
    refused = export(zd, f"start_time={int(clock.now.timestamp())}", status=422)
    assert refused["description"].startswith("Too recent start_time")
    export(zd, "cursor=nonsense", status=400)


def test_time_is_the_injected_clocks(zendesk: ZendeskSandbox, zd: ZendeskApi, clock: Clock) -> None:
    clock.now = datetime(2027, 3, 1, 12, tzinfo=UTC)
    made = zendesk.model.agent_logs_phone(CARLA, "Broken", "She called.")
    assert zd.ticket(made)["created_at"] == "2027-03-01T12:00:00Z"
    assert zd.get("/users/me", client=Client.SETUP)["user"]["created_at"] < "2027"

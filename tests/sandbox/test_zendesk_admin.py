"""The Zendesk sandbox's set-up over the API: fields, webhooks, triggers, views, and the search."""

import pytest

from bridge.sandbox.zendesk import BRIDGE, ZendeskSandbox

from .conftest import CARLA, Json, ZendeskApi

HOOK: Json = {
    "name": "under test",
    "endpoint": "http://other.example/",
    "http_method": "POST",
    "request_format": "json",
    "status": "active",
    "subscriptions": ["conditional_ticket_events"],
}


# --- fields --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "stored"),
    [
        ("points_state", "points_state_review", "points_state_review"),
        ("points_charged", 10, "10"),
        ("points_charged", "-3", "-3"),
        ("points_next_expiry", "2027-01-31", "2027-01-31"),
        ("points_response_due", "2026-11-23T12:00:00+00:00", "2026-11-23T12:00:00+00:00"),
    ],
)
def test_a_field_takes_a_value_of_its_kind_and_gives_it_back_and_is_emptied(
    zendesk: ZendeskSandbox, zd: ZendeskApi, name: str, value: Json, stored: str
) -> None:
    ticket_id = zendesk.model.customer_mails(CARLA, "Broken", "It is.")
    field = zd.field_ids()[name]

    def put(value: Json) -> Json:
        ticket = zd.update(ticket_id, custom_fields=[{"id": field, "value": value}])["ticket"]
        return next(row["value"] for row in ticket["custom_fields"] if row["id"] == field)

    assert [put(value), put(None), put("")] == [stored, None, None]


def test_an_integer_may_be_shown_as_a_number_as_well(
    zendesk: ZendeskSandbox, zd: ZendeskApi
) -> None:
    ticket_id = zendesk.model.customer_mails(CARLA, "Broken", "It is.")
    fields = [{"id": zd.field_ids()["points_charged"], "value": "10"}]
    zendesk.model.fields.integers_as_text = False
    shown = zd.update(ticket_id, custom_fields=fields)["ticket"]["custom_fields"]
    assert {"id": fields[0]["id"], "value": 10} in shown


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("points_state", "charged"),
        ("points_charged", "ten"),
        ("points_charged", 1.5),
        ("points_charged", True),
        ("points_next_expiry", "2027-01-31T12:00:00Z"),
        ("points_next_expiry", "soon"),
    ],
)
def test_a_field_refuses_a_value_of_another_kind(
    zendesk: ZendeskSandbox, zd: ZendeskApi, name: str, value: Json
) -> None:
    ticket_id = zendesk.model.customer_mails(CARLA, "Broken", "It is.")
    fields = [{"id": zd.field_ids()[name], "value": value}]
    answer = zd.update(ticket_id, 422, custom_fields=fields)
    assert answer["details"]["base"][0]["error"] == "InvalidValue"


def test_an_update_of_a_drop_down_that_leaves_options_out_wipes_their_values(
    zendesk: ZendeskSandbox, zd: ZendeskApi
) -> None:
    """Zendesk, Ticket fields: to keep the options that there are, list them all."""
    ticket_id = zendesk.model.customer_mails(CARLA, "Broken", "It is.")
    field = zd.field_ids()["points_state"]
    zd.update(ticket_id, custom_fields=[{"id": field, "value": "points_state_charged"}])
    path = f"/ticket_fields/{field}.json"
    options = zd.get(path)["ticket_field"]["custom_field_options"]
    more = [*options, {"name": "lost", "value": "points_state_lost"}]
    spec: Json = {"ticket_field": {"custom_field_options": more, "type": "text"}}
    kept = zd.admin("PUT", path, spec)["ticket_field"]
    assert (kept["type"], kept["custom_field_options"][:-1]) == ("tagger", options)
    assert _value(zd, ticket_id, field) == "points_state_charged"
    spec = {"ticket_field": {"custom_field_options": more[1:]}}
    zd.admin("PUT", path, spec)
    assert _value(zd, ticket_id, field) is None


def _value(zd: ZendeskApi, ticket_id: int, field: int) -> Json:
    fields = zd.ticket(ticket_id)["custom_fields"]
    return next((row["value"] for row in fields if row["id"] == field), None)


def test_a_tag_of_two_fields_is_noticed_only_when_one_of_them_is_edited(zd: ZendeskApi) -> None:
    """Tags must be unique across fields; that is not checked at first, and breaks editing."""
    options = [{"name": "charged", "value": "points_state_charged"}]
    spec: Json = {"title": "Twin", "type": "tagger", "custom_field_options": options}
    made = zd.admin("POST", "/ticket_fields", {"ticket_field": spec}, 201)["ticket_field"]
    zd.admin("PUT", f"/ticket_fields/{made['id']}", {"ticket_field": spec}, 422)
    spec["custom_field_options"] = options * 2
    zd.admin("POST", "/ticket_fields", {"ticket_field": spec}, 422)


@pytest.mark.parametrize(
    "spec", [{"title": "No kind"}, {"type": "text"}, {"title": "x", "type": "nonsense"}]
)
def test_a_field_needs_a_title_and_a_kind(zd: ZendeskApi, spec: Json) -> None:
    zd.admin("POST", "/ticket_fields", {"ticket_field": spec}, 422)


def test_a_new_field_is_empty_in_the_tickets_that_there_are(
    zendesk: ZendeskSandbox, zd: ZendeskApi
) -> None:
    ticket_id = zendesk.model.customer_mails(CARLA, "Broken", "It is.")
    spec = {"ticket_field": {"title": "Product", "type": "text"}}
    made = zd.admin("POST", "/ticket_fields.json", spec, 201)["ticket_field"]
    assert {"id": made["id"], "value": None} in zd.ticket(ticket_id)["custom_fields"]


def test_an_inactive_or_deleted_field_is_ignored_and_zendesks_own_stay(
    zendesk: ZendeskSandbox, zd: ZendeskApi
) -> None:
    ticket_id = zendesk.model.customer_mails(CARLA, "Broken", "It is.")
    rows = {row["title"]: row["id"] for row in zd.get("/ticket_fields")["ticket_fields"]}
    charged, balance = rows["points_charged"], rows["points_balance"]
    zd.admin("PUT", f"/ticket_fields/{charged}", {"ticket_field": {"active": False}})
    zd.admin("DELETE", f"/ticket_fields/{balance}", status=204)
    fields = [{"id": field, "value": 10} for field in (charged, balance, 7)]
    shown = zd.update(ticket_id, custom_fields=fields)["ticket"]["custom_fields"]
    assert not {charged, balance}.intersection(row["id"] for row in shown)
    zd.admin("DELETE", f"/ticket_fields/{rows['Status']}", status=422)


def test_an_organisation_keeps_the_fields_that_an_update_does_not_name(zd: ZendeskApi) -> None:
    [row] = zd.get("/organizations.json")["organizations"]
    path = f"/organizations/{row['id']}.json"
    custom = {"support_timezone": "Europe/Berlin", "nonsense": "x"}
    spec = {"organization": {"organization_fields": custom, "notes": "VIP"}}
    shown = zd.admin("PUT", path, spec)["organization"]
    assert shown["organization_fields"] == {
        "support_timezone": "Europe/Berlin",
        "support_country": "DE",
        "support_subdivision": None,
        "points_balance": None,
        "points_next_expiry": None,
    }
    assert zd.get(path)["organization"]["notes"] == "VIP"


def test_a_field_of_organisations_has_a_key_that_is_taken_once(zd: ZendeskApi) -> None:
    rows = zd.get("/organization_fields.json")["organization_fields"]
    spec = {"organization_field": {"key": rows[0]["key"], "title": "Again", "type": "text"}}
    refused = zd.admin("POST", "/organization_fields", spec, 422)
    assert list(refused["details"]) == ["key"]
    for wrong in (
        {"title": "No key", "type": "text"},
        {"key": "kind", "title": "No kind"},
        {"key": "kind", "title": "Kind", "type": "tagger"},
    ):
        zd.admin("POST", "/organization_fields", {"organization_field": wrong}, 422)
    spec = {"organization_field": {"key": "seats", "title": "Seats", "type": "integer"}}
    assert zd.admin("POST", "/organization_fields", spec, 201)["organization_field"]["active"]
    spec = {"organization": {"name": "Beta AG", "organization_fields": {"seats": "x"}}}
    zd.admin("POST", "/organizations", spec, 422)


def test_an_organisation_shows_a_date_as_the_midnight_that_it_begins_with(zd: ZendeskApi) -> None:
    [row] = zd.get("/organizations.json")["organizations"]
    custom = {"points_next_expiry": "2027-11-22"}
    spec = {"organization": {"organization_fields": custom}}
    shown = zd.admin("PUT", f"/organizations/{row['id']}", spec)["organization"]
    assert shown["organization_fields"]["points_next_expiry"] == "2027-11-22T00:00:00+00:00"


def test_an_agent_changes_the_notes_of_an_organisation_alone(
    zendesk: ZendeskSandbox, zd: ZendeskApi
) -> None:
    """ "Agents with no permissions restrictions can only update "notes" on organizations." """
    zendesk.model.access.actor(BRIDGE).user["role"] = "agent"
    [row] = zd.get("/organizations.json")["organizations"]
    path = f"/organizations/{row['id']}.json"
    token = zd.token(scope="organizations:write read")
    headers = {"Authorization": f"Bearer {token}"}
    for change, status in (({"notes": "VIP"}, 200), ({"organization_fields": {"seats": 1}}, 403)):
        zd.open("PUT", path, {"organization": change}, headers=headers, status=status)


# --- webhooks ------------------------------------------------------------------------------


def test_webhooks_may_share_a_name_and_have_secrets_of_their_own(zd: ZendeskApi) -> None:
    made = [zd.admin("POST", "/webhooks", {"webhook": HOOK}, 201)["webhook"] for _ in range(2)]
    found = zd.admin("GET", "/webhooks?filter[name_contains]=under")["webhooks"]
    assert [row["id"] for row in found] == [made[1]["id"], made[0]["id"]]
    secrets = [
        zd.admin("GET", f"/webhooks/{row['id']}/signing_secret")["signing_secret"] for row in made
    ]
    assert secrets[0]["algorithm"] == "SHA256"
    assert secrets[0]["secret"] != secrets[1]["secret"]
    path = f"/webhooks/{made[0]['id']}/signing_secret"
    rotated = zd.admin("POST", path)["signing_secret"]["secret"]
    assert rotated == zd.admin("GET", path)["signing_secret"]["secret"] != secrets[0]["secret"]


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_webhook_is_changed_without_an_answer_and_never_changes_its_kind(
    zd: ZendeskApi, method: str
) -> None:
    hook = zd.admin("POST", "/webhooks", {"webhook": HOOK}, 201)["webhook"]
    path = f"/webhooks/{hook['id']}"
    assert zd.admin(method, path, {"webhook": {"endpoint": "http://new.example/"}}, 204) is None
    assert zd.admin("GET", path)["webhook"]["endpoint"] == "http://new.example/"
    assert zd.admin("GET", path)["webhook"]["name"] == "under test"
    zd.admin(method, path, {"webhook": {"subscriptions": HOOK["subscriptions"]}}, 204)
    events = {"subscriptions": ["zen:event-type:ticket.merged"]}
    assert "errors" in zd.admin(method, path, {"webhook": events}, 400)
    zd.admin("DELETE", path, status=204)
    for gone in (path, f"{path}/signing_secret", f"{path}/invocations"):
        zd.admin("GET", gone, status=404)


@pytest.mark.parametrize(
    "change",
    [
        {"endpoint": ""},
        {"http_method": "GET"},
        {"subscriptions": []},
        {"subscriptions": ["conditional_ticket_events", "zen:event-type:ticket.merged"]},
    ],
)
def test_a_webhook_needs_an_address_a_method_that_is_spoken_and_one_kind_of_connection(
    zd: ZendeskApi, change: Json
) -> None:
    zd.admin("POST", "/webhooks", {"webhook": HOOK | change}, 400)


# --- triggers and views --------------------------------------------------------------------


def test_a_trigger_is_made_last_and_changed_and_removed(zd: ZendeskApi) -> None:
    made = zd.add_trigger(title="Third")
    assert zd.get("/triggers")["triggers"][-1]["title"] == "Third"
    path = f"/triggers/{made['id']}.json"
    changed = zd.admin("PUT", path, {"trigger": {"title": "First", "position": 0}})["trigger"]
    assert changed["conditions"] == made["conditions"]
    assert zd.get("/triggers")["triggers"][0]["title"] == "First"
    zd.admin("DELETE", path, status=204)
    zd.admin("GET", path, status=404)


@pytest.mark.parametrize(
    "change",
    [
        {"title": ""},
        {"conditions": {"all": [], "any": []}},
        {"conditions": {"all": [{"field": "weather", "operator": "is", "value": "fine"}]}},
        {"conditions": {"all": [{"field": "status", "operator": "like", "value": "open"}]}},
        {"actions": []},
        {"actions": [{"field": "weather", "value": "fine"}]},
        {"actions": [{"field": "notification_webhook", "value": ["none", "{}"]}]},
    ],
)
def test_a_trigger_that_cannot_work_is_refused(zd: ZendeskApi, change: Json) -> None:
    zd.add_trigger(422, **change)


def test_a_trigger_cannot_use_a_webhook_that_is_subscribed_to_events(zd: ZendeskApi) -> None:
    """Zendesk: "A webhook that's subscribed to a Zendesk event can't connect to a trigger"."""
    spec = HOOK | {"subscriptions": ["zen:event-type:ticket.merged"]}
    hook = zd.admin("POST", "/webhooks", {"webhook": spec}, 201)["webhook"]
    action = {"field": "notification_webhook", "value": [hook["id"], "{}"]}
    zd.add_trigger(422, actions=[action])


def test_a_trigger_is_in_a_category(zd: ZendeskApi) -> None:
    spec = {"trigger_category": {"name": "Points"}}
    made = zd.admin("POST", "/trigger_categories", spec)["trigger_category"]
    rows = zd.admin("GET", "/trigger_categories")["trigger_categories"]
    assert [row["name"] for row in rows] == ["Notifications", "Points"]
    row = zd.add_trigger(category_id=made["id"])
    assert row["category_id"] == made["id"]
    assert zd.get("/triggers")["triggers"][0]["category_id"] == rows[0]["id"]
    zd.add_trigger(404, category_id="7")


def test_a_view_shows_the_tickets_that_fit(zendesk: ZendeskSandbox, zd: ZendeskApi) -> None:
    ids = [zendesk.model.customer_mails(CARLA, "Broken", "It is.") for _ in range(4)]
    field = zd.field_ids()["points_state"]
    for ticket_id in ids[1:]:
        zd.update(ticket_id, custom_fields=[{"id": field, "value": "points_state_review"}])
    zendesk.model.agent_solves(ids[2])
    zendesk.model.agent_deletes(ids[3])
    rows = [
        {"field": "status", "operator": "less_than", "value": "solved"},
        {"field": f"custom_fields_{field}", "operator": "is", "value": "points_state_review"},
    ]
    spec = {"view": {"title": "Points: review", "all": rows}}
    view = zd.admin("POST", "/views.json", spec)["view"]
    assert view["conditions"] == {"all": rows, "any": []}
    shown = zd.get(f"/views/{view['id']}/tickets.json")["tickets"]
    assert [row["id"] for row in shown] == [ids[1]]
    zd.admin("PUT", f"/views/{view['id']}.json", {"view": {"any": [], "all": rows[:1]}})
    shown = zd.get(f"/views/{view['id']}/tickets.json")["tickets"]
    assert [row["id"] for row in shown] == ids[:2]


# --- search --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "kinds"),
    [
        ("type:ticket status<solved", ["ticket"]),
        ("type:ticket status:solved tags:vip", ["ticket"]),
        ("type:ticket broken requester:carla@acme.example", ["ticket", "ticket"]),
        ("type:ticket created>2026-11-22", []),
        ("type:ticket created:2026-11-22 updated<2027-01-01", ["ticket", "ticket"]),
        ("type:organization acme", ["organization"]),
        ('carla name:"Carla Customer"', ["user"]),
    ],
)
def test_the_search_finds_what_fits_every_term(
    zendesk: ZendeskSandbox, zd: ZendeskApi, query: str, kinds: list[str]
) -> None:
    one = zendesk.model.customer_mails(CARLA, "Broken", "It is.", name="Carla Customer")
    zendesk.model.customer_mails(CARLA, "Broken too", "It is.")
    gone = zendesk.model.customer_mails(CARLA, "Broken as well", "It is.")
    zendesk.model.agent_deletes(gone)
    zendesk.model.agent_answers(one, "So be it.", close=True)
    zendesk.model.agent_sets(one, tags=["vip"])
    results = zd.get(f"/search.json?query={query}")["results"]
    assert [row["result_type"] for row in results] == kinds


def test_people_are_found_by_a_part_of_the_address(zendesk: ZendeskSandbox, zd: ZendeskApi) -> None:
    zendesk.model.add_customer("Carla Customer", CARLA)
    found = zd.get("/users/search.json?query=acme")["users"]
    assert [row["email"] for row in found] == [CARLA]
    assert len(zd.get("/users.json")["users"]) == 4

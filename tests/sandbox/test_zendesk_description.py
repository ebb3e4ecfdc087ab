"""The Zendesk sandbox against the official description of the API (Support API 2.0.0).

What is quoted here is quoted from there.
"""

import pytest

from bridge.sandbox.zendesk import BRIDGE, ZendeskSandbox

from .conftest import CARLA, Json, ZendeskApi


@pytest.fixture
def ticket_id(zendesk: ZendeskSandbox) -> int:
    return zendesk.model.customer_mails(CARLA, "Broken", "It is.")


# --- types ---------------------------------------------------------------------------------

CONDITION: Json = {"field": "status", "operator": "is", "value": "open"}


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"assignee_id": "7"}, "ticket.assignee_id must be an integer"),
        ({"group_id": True}, "ticket.group_id must be an integer"),
        ({"subject": 7}, "ticket.subject must be a string"),
        ({"safe_update": "true"}, "ticket.safe_update must be a boolean"),
        ({"tags": "vip"}, "ticket.tags must be an array"),
        ({"tags": [7]}, "ticket.tags must be a string"),
        ({"comment": "Hello."}, "ticket.comment must be a hash"),
        ({"comment": {"body": "Hello.", "public": 0}}, "ticket.comment.public must be a boolean"),
        ({"custom_fields": {"7": "x"}}, "ticket.custom_fields must be an array"),
        ({"custom_fields": [{"id": "7"}]}, "ticket.custom_fields.id must be an integer"),
    ],
)
def test_a_ticket_with_a_value_of_another_type_is_refused_with_its_place(
    zd: ZendeskApi, ticket_id: int, change: Json, place: str
) -> None:
    error = zd.update(ticket_id, 400, **change)["error"]
    assert error["title"] == "Invalid attribute"
    assert error["message"].endswith(place)
    assert zd.get(f"/tickets/{ticket_id}/audits")["count"] == 1


def test_null_empties_what_it_is_sent_for(zd: ZendeskApi, ticket_id: int) -> None:
    emptied = zd.update(ticket_id, assignee_id=None, organization_id=None)["ticket"]
    assert (emptied["assignee_id"], emptied["organization_id"]) == (None, None)


@pytest.mark.parametrize(
    ("path", "record"),
    [
        ("/triggers", {"trigger": {"title": 7}}),
        ("/triggers", {"trigger": {"title": "x", "conditions": [CONDITION]}}),
        ("/triggers", {"trigger": {"conditions": {"all": [CONDITION | {"value": True}]}}}),
        ("/triggers", {"trigger": {"active": "true"}}),
        ("/views", {"view": {"title": "x", "all": CONDITION}}),
        ("/ticket_fields", {"ticket_field": {"title": "x", "type": "text", "active": 1}}),
        ("/ticket_fields", {"ticket_field": {"custom_field_options": ["one"]}}),
        ("/organization_fields", {"organization_field": {"key": 7}}),
        ("/organizations", {"organization": {"name": ["Beta"]}}),
        ("/organizations", {"organization": "Beta"}),
        ("/organizations", {"name": "Beta"}),
        ("/trigger_categories", {"trigger_category": {"position": 1}}),
    ],
)
def test_what_is_made_of_other_types_or_lacks_its_envelope_is_refused(
    zd: ZendeskApi, path: str, record: Json
) -> None:
    zd.admin("POST", path, record, 400)


@pytest.mark.parametrize("option", [{"name": "one"}, {"value": "one"}])
def test_an_option_has_a_name_and_a_value(zd: ZendeskApi, option: Json) -> None:
    spec = {"title": "Kind", "type": "tagger", "custom_field_options": [option]}
    zd.admin("POST", "/ticket_fields", {"ticket_field": spec}, 422)


# --- merges and lists ----------------------------------------------------------------------


@pytest.mark.parametrize("ids", [["{id}"], "{id}", None])
def test_a_merge_wants_a_list_of_whole_numbers(
    zendesk: ZendeskSandbox, zd: ZendeskApi, ticket_id: int, ids: Json
) -> None:
    source = zendesk.model.customer_mails(CARLA, "Again", "It is.")
    named = {"{id}": str(source)}
    sent = [named[i] for i in ids] if isinstance(ids, list) else named.get(ids)
    error = zd.call("POST", f"/tickets/{ticket_id}/merge", {"ids": sent}, status=400)["error"]
    assert error["title"] == "Invalid attribute"
    assert zd.ticket(source)["status"] == "new"


def test_ticket_fields_come_by_cursor_or_all_at_once(zd: ZendeskApi) -> None:
    """ "If the results are not paginated every field is returned in the response" """
    whole = zd.get("/ticket_fields?per_page=1")
    assert whole.keys() == {"ticket_fields"}
    assert len(whole["ticket_fields"]) > 1
    assert len(zd.get("/ticket_fields?page[size]=1")["ticket_fields"]) == 1


def test_a_search_comes_in_numbered_pages_alone(zd: ZendeskApi) -> None:
    """ "Offset pagination only" """
    zd.get("/search?query=acme&page[size]=1", status=400)


def test_an_export_is_for_admins(zendesk: ZendeskSandbox, zd: ZendeskApi) -> None:
    zendesk.model.access.actor(BRIDGE).user["role"] = "agent"
    zd.get("/incremental/tickets/cursor?start_time=0", status=403)

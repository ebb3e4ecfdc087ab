"""An agent's browser in the sandbox: what looks edited, and what a save does to others' writes."""

from datetime import date

import pytest

from bridge.sandbox.zammad import Token, ZammadSandbox

from .conftest import CARLA, Api, Json

SECONDS, MINUTES = "2026-11-27T12:00:37.000Z", "2026-11-27T12:00:00.000Z"


@pytest.fixture
def ticket_id(sandbox: ZammadSandbox, api: Api) -> int:
    spec: Json = {"object": "Ticket", "name": "remark", "data_type": "input"}
    spec |= {"data_option": {"type": "text", "maxlength": 250, "default": "", "null": True}}
    api.post("/object_manager_attributes", spec, token=Token.SETUP)
    api.post("/object_manager_attributes_execute_migrations", {}, token=Token.SETUP, status=200)
    return sandbox.model.customer_mails(CARLA, "Broken", "It is.")


@pytest.mark.parametrize(
    ("name", "value", "looks_edited"),
    [
        ("points_response_due", SECONDS, True),
        ("points_response_due", "2026-11-27T12:00:00.250Z", True),
        ("points_response_due", MINUTES, False),
        ("points_response_due", None, False),
        ("points_charged", 0, False),
        ("points_charged", 10, False),
        ("points_charged", None, False),
        ("points_state", "charged", False),
        ("points_state", "", False),
        ("points_state", None, False),
        ("points_next_expiry", "2027-01-31", False),
        ("points_next_expiry", None, False),
        ("remark", "90 points left", False),
        ("remark", "90 points left ", True),
        ("remark", " ", True),
        ("remark", "90 points\nleft", True),
        ("remark", "", False),
        ("remark", None, False),
    ],
)
def test_a_value_that_the_form_shows_otherwise_looks_edited(
    sandbox: ZammadSandbox, api: Api, ticket_id: int, name: str, value: Json, looks_edited: bool
) -> None:
    api.put(f"/tickets/{ticket_id}", {name: value})
    assert sandbox.model.fields_that_look_edited(ticket_id) == [name] * looks_edited


def test_an_option_that_is_gone_looks_edited(
    sandbox: ZammadSandbox, api: Api, ticket_id: int
) -> None:
    sandbox.model.ticket(ticket_id)["points_state"] = "never heard of"
    assert sandbox.model.fields_that_look_edited(ticket_id) == ["points_state"]


def test_a_new_ticket_looks_as_nobody_had_touched_it(
    sandbox: ZammadSandbox, ticket_id: int
) -> None:
    assert sandbox.model.fields_that_look_edited(ticket_id) == []


def test_a_field_that_the_form_does_not_have_cannot_look_edited(
    sandbox: ZammadSandbox, api: Api, ticket_id: int
) -> None:
    api.put(f"/tickets/{ticket_id}", {"points_response_due": SECONDS})
    attributes = api.get("/object_manager_attributes", token=Token.SETUP)
    [row] = [row for row in attributes if row["name"] == "points_response_due"]
    path = f"/object_manager_attributes/{row['id']}"
    api.put(path, {"active": False}, token=Token.SETUP)
    assert sandbox.model.fields_that_look_edited(ticket_id) == []


def test_a_save_undoes_what_was_written_since_the_form_was_loaded(
    sandbox: ZammadSandbox, api: Api, ticket_id: int
) -> None:
    old: Json = {"points_charged": 10, "points_balance": 90, "points_state": "charged"}
    api.put(f"/tickets/{ticket_id}", old | {"points_next_expiry": "2027-01-31"})
    form = sandbox.model.agent_opens_form(ticket_id)
    new = {"points_balance": 80, "points_state": "free_reopen", "points_next_expiry": None}
    api.put(f"/tickets/{ticket_id}", new)
    sandbox.model.agent_saves_form(form, priority_id=3)
    ticket = api.get(f"/tickets/{ticket_id}")
    assert old.items() <= ticket.items()
    assert (ticket["priority_id"], ticket["points_next_expiry"]) == (3, "2027-01-31")
    history = api.get(f"/ticket_history/{ticket_id}")["history"]
    balances = [
        (row["value_from"], row["value_to"], row["created_by_id"])
        for row in history
        if row.get("attribute") == "points_balance"
    ]
    assert balances == [("", "90", 4), ("90", "80", 4), ("80", "90", 5)]


def test_a_form_that_is_opened_again_keeps_the_others_writes(
    sandbox: ZammadSandbox, api: Api, ticket_id: int
) -> None:
    sandbox.model.agent_opens_form(ticket_id)
    api.put(f"/tickets/{ticket_id}", {"points_balance": 80})
    sandbox.model.agent_saves_form(sandbox.model.agent_opens_form(ticket_id), priority_id=3)
    assert api.get(f"/tickets/{ticket_id}")["points_balance"] == 80


def test_a_save_cuts_the_seconds_of_a_time(
    sandbox: ZammadSandbox, api: Api, ticket_id: int
) -> None:
    api.put(f"/tickets/{ticket_id}", {"points_response_due": SECONDS})
    sandbox.model.agent_saves_form(sandbox.model.agent_opens_form(ticket_id), priority_id=3)
    assert api.get(f"/tickets/{ticket_id}")["points_response_due"] == MINUTES


def test_the_form_sends_every_field_of_the_ticket(sandbox: ZammadSandbox, ticket_id: int) -> None:
    values = sandbox.model.agent_opens_form(ticket_id).values
    sent = {"points_state", "points_charged", "points_balance", "points_next_expiry", "remark"}
    sent |= {
        "points_response_due",
        "points_sla_state",
        "points_free_reopen_until",
        "points_summary",
    }
    sent |= {"number", "title", "group_id", "owner_id", "customer_id", "state_id", "priority_id"}
    sent |= {"updated_at", "preferences", "organization_id", "pending_time", "id"}
    assert values.keys() == sent


def test_a_macro_in_the_ticket_writes_as_the_agent_and_one_over_many_as_the_system(
    sandbox: ZammadSandbox, api: Api, ticket_id: int
) -> None:
    note = {"body": "Fixed.", "subject": "Done", "internal": "false"}
    perform = {"ticket.state_id": {"value": "4"}, "article.note": note}
    macro = api.post("/macros", {"name": "Close", "perform": perform}, token=Token.ADMIN)
    other = sandbox.model.customer_mails(CARLA, "Broken too", "It is.")
    body = {"ticket_ids": [other], "macro_id": macro["id"]}
    api.post("/tickets/mass_macro", body, token=Token.AGENT, status=200)
    form = sandbox.model.agent_opens_form(ticket_id)
    sandbox.model.agent_saves_form(form, state_id=4, article={"type": "note", **note})
    shown = [api.get(f"/ticket_articles/by_ticket/{key}")[-1] for key in (ticket_id, other)]
    assert [(row["sender"], row["type"]) for row in shown] == [
        ("Agent", "note"),
        ("System", "note"),
    ]
    assert [row["preferences"].get("perform_origin") for row in shown] == [None, "macro"]
    tickets = [api.get(f"/tickets/{key}") for key in (ticket_id, other)]
    assert {row["state_id"] for row in tickets} == {4}
    assert {row["first_response_at"] for row in tickets} == {None}


def test_a_pending_time_is_cut_to_whole_minutes(
    sandbox: ZammadSandbox, api: Api, ticket_id: int
) -> None:
    later = {"state": "pending close", "pending_time": "2026-11-22T19:00:59Z"}
    assert api.put(f"/tickets/{ticket_id}", later)["pending_time"] == "2026-11-22T19:00:00.000Z"


def test_dates_come_back_as_days(sandbox: ZammadSandbox, ticket_id: int) -> None:
    sandbox.model.agent_sets(ticket_id, points_next_expiry="2027-01-31")
    form = sandbox.model.agent_opens_form(ticket_id)
    assert form.values["points_next_expiry"] == date(2027, 1, 31)

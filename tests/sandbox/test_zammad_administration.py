"""What an admin defines beside triggers, held against recordings of a real Zammad (269, 272)."""

from typing import Any

import pytest

from bridge.sandbox.zammad import Token, ZammadSandbox

from .conftest import Api

WORKFLOW: dict[str, Any] = {
    "name": "points fields read-only",
    "object": "Ticket",
    "condition_saved": {},
    "condition_selected": {"session.role_ids": {"operator": "is not", "value": ["1"]}},
    "perform": {"ticket.points_charged": {"operator": "set_readonly", "set_readonly": True}},
    "preferences": {"screen": ["create_middle", "edit"]},
    "active": True,
    "stop_after_match": False,
    "priority": 100,
    "changeable": True,
}
OVERVIEW = {"name": "Due", "role_ids": [2], "order": {"by": "points_response_due"}}


def test_a_core_workflow_answers_as_it_was_recorded(api: Api) -> None:
    answer = api.post("/core_workflows", WORKFLOW, token=Token.SETUP)
    assert list(answer) == [
        "id",
        "name",
        "object",
        "preferences",
        "condition_saved",
        "condition_selected",
        "perform",
        "active",
        "stop_after_match",
        "changeable",
        "priority",
        "updated_by_id",
        "created_by_id",
        "created_at",
        "updated_at",
    ]
    assert {key: answer[key] for key in WORKFLOW} == WORKFLOW
    assert (answer["id"], answer["created_by_id"]) == (6, 4)


def test_a_read_only_field_is_read_only_in_the_browser_alone(
    sandbox: ZammadSandbox, api: Api
) -> None:
    """Recordings 270 and 271: the writes of an agent and of the bridge went through."""
    api.post("/core_workflows", WORKFLOW, token=Token.SETUP)
    ticket = sandbox.model.customer_mails("carla@acme.example", "Help", "Please.")
    for token, points in ((Token.AGENT, 5), (Token.BRIDGE, 10)):
        stored = api.put(f"/tickets/{ticket}", {"points_charged": points}, token=token)
        assert stored["points_charged"] == points


@pytest.mark.parametrize(
    ("path", "spec"), [("/core_workflows", WORKFLOW), ("/overviews", OVERVIEW)]
)
def test_an_admin_makes_changes_and_removes_them(api: Api, path: str, spec: dict[str, Any]) -> None:
    api.post(path, spec, token=Token.AGENT, status=403)
    made = api.post(path, spec, token=Token.SETUP)
    twin = api.post(path, spec, token=Token.SETUP)
    assert twin["id"] != made["id"]
    changed = api.put(f"{path}/{made['id']}", {"active": False}, token=Token.SETUP)
    assert (changed["active"], changed["name"]) == (False, spec["name"])
    assert api.delete(f"{path}/{twin['id']}", token=Token.SETUP) == {}
    assert [row["id"] for row in api.get(path, token=Token.SETUP)] == [made["id"]]


def test_an_overview_needs_a_role(api: Api) -> None:
    api.post("/overviews", OVERVIEW | {"role_ids": []}, token=Token.SETUP, status=422)


def test_a_user_is_shown_with_groups_and_roles_in_full(api: Api) -> None:
    me = api.get("/users/me?full=true")
    assert me["assets"]["User"][str(me["id"])]["group_ids"] == {"1": ["full"], "2": ["full"]}
    assert me["assets"]["Group"]["1"]["follow_up_possible"] == "yes"
    assert me["assets"]["Role"]["2"]["name"] == "Agent"

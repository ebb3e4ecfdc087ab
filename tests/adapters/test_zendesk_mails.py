"""Triggers of an admin's that mail agents about what the bridge writes: reported, never changed."""

from collections.abc import Iterator
from typing import Any

import pytest

from bridge.adapters.provisioning import Action, Step
from bridge.adapters.zendesk.setup.provisioner import ZendeskSetup
from bridge.sandbox.zendesk import BRIDGE
from tests.adapters.zendesk_account import WANTED, Desk, changes, opened_account, set_up

Row = dict[str, Any]
TO_GROUP: Row = {"field": "notification_group", "value": ["group_id", "News", "{{ticket.id}}"]}
UPDATED: Row = {"field": "update_type", "operator": "is", "value": "Change"}


@pytest.fixture
def desk() -> Iterator[Desk]:
    with opened_account() as desk:
        yield desk


def to_user(who: str) -> Row:
    return {"field": "notification_user", "value": [who, "News", "{{ticket.id}}"]}


def when(field: str, operator: str, value: str = "") -> Row:
    return {"field": field, "operator": operator, "value": value}


def told(desk: Desk, *conditions: Row, action: Row = TO_GROUP, active: bool = True) -> list[Step]:
    """What is said of such a trigger, before and after everything else is set up."""
    every = {"all": list(conditions), "any": []}
    spec = {"title": "Notify", "conditions": every, "actions": [action], "active": active}
    desk.box.model.rules.create("triggers", spec)
    set_up(desk)
    plan = desk.setup().plan(WANTED)
    assert changes(plan) == []
    return [step for step in plan if step.action is Action.REPORT]


def bridge_id(desk: Desk) -> str:
    return str(desk.box.model.store.user(BRIDGE)["id"])


@pytest.mark.parametrize(
    "action",
    [TO_GROUP, to_user("assignee_id"), to_user("all_agents"), to_user("35436")],
    ids=["group", "assignee", "all", "an agent"],
)
def test_are_reported_with_the_condition_that_keeps_them_quiet(desk: Desk, action: Row) -> None:
    (step,) = told(desk, UPDATED, action=action)
    assert (step.kind, step.name, step.required) == ("trigger", "Notify", False)
    assert f"the current user is not {bridge_id(desk)}" in step.remedy


@pytest.mark.parametrize(
    "condition",
    [
        when("comment_is_public", "is", "not_relevant"),
        when("assignee_id", "is_not", "current_user"),
        when("role", "is", "agent"),
        when("role", "is_not", "end_user"),
        when("status", "changed"),
        when("current_via_id", "is", "5"),
    ],
    ids=lambda row: "-".join(row.values()),
)
def test_are_reported_in_spite_of_conditions_that_the_bridge_meets(
    desk: Desk, condition: Row
) -> None:
    assert told(desk, UPDATED, condition)


@pytest.mark.parametrize(
    "condition",
    [
        when("update_type", "is", "Create"),
        when("update_type", "is_not", "Change"),
        when("role", "is", "end_user"),
        when("role", "is_not", "agent"),
        when("current_via_id", "is_not", "5"),
        when("current_via_id", "is", "4"),
        when("assignee_id", "changed"),
        when("priority", "value", "urgent"),
    ],
    ids=lambda row: "-".join(row.values()),
)
def test_that_never_act_on_an_update_of_ours_are_no_matter(desk: Desk, condition: Row) -> None:
    assert told(desk, condition) == []


def test_that_leave_out_the_bridge_s_agent_are_no_matter(desk: Desk) -> None:
    assert told(desk, UPDATED, when("role", "is_not", bridge_id(desk))) == []


def test_that_leave_out_another_agent_are_reported(desk: Desk) -> None:
    assert told(desk, UPDATED, when("role", "is_not", "35436"))


@pytest.mark.parametrize("action", [to_user("requester_id"), to_user("requester_and_ccs")])
def test_that_mail_the_requester_are_no_matter(desk: Desk, action: Row) -> None:
    """By them the bridge's own messages reach people."""
    assert told(desk, UPDATED, action=action) == []


def test_that_are_inactive_are_no_matter(desk: Desk) -> None:
    assert told(desk, UPDATED, active=False) == []


def test_are_a_warning_of_doctor(desk: Desk) -> None:
    told(desk, UPDATED)
    setup: ZendeskSetup = desk.setup()
    found = [one for one in setup.check(WANTED, setup._clock) if "Notify" in one.what]
    assert [(one.severity.value, "current user is not" in one.remedy) for one in found] == [
        ("warning", True)
    ]

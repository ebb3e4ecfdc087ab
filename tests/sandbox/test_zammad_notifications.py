"""The mails that the sandbox sends to agents: one for each thing that happens to a ticket."""

import copy
from collections import Counter

import pytest

from bridge.sandbox.zammad import ADMIN, AGENT, BRIDGE, Token, ZammadSandbox
from bridge.sandbox.zammad.seed import notification_config

from .conftest import CARLA, Api, Clock, Json


def sent(sandbox: ZammadSandbox) -> Counter[str]:
    """How many mails each agent got since the last look."""
    counted = Counter(mail.to for mail in sandbox.model.notifications.mails)
    sandbox.model.notifications.mails.clear()
    return counted


def opened(sandbox: ZammadSandbox) -> int:
    """A ticket whose opening the agents have heard of."""
    ticket_id = sandbox.model.customer_mails(CARLA, "Broken", "It is.")
    assert sent(sandbox) == {ADMIN: 1, BRIDGE: 1, AGENT: 1}
    return ticket_id


def muted(config: Json, *kinds: str) -> Json:
    config = copy.deepcopy(config)
    for kind in kinds:
        config["matrix"][kind]["channel"] = {"email": False, "online": False}
    return config


def test_a_write_of_the_bridge_mails_every_other_agent_of_the_group(
    sandbox: ZammadSandbox, api: Api
) -> None:
    ticket_id = opened(sandbox)
    note = {"type": "note", "internal": True, "body": "10 points", "sender": "System"}
    api.put(f"/tickets/{ticket_id}", {"points_charged": 10, "article": note})
    [first, second] = sandbox.model.notifications.mails
    assert (first.ticket_id, first.subject, first.actor_id) == (
        *(ticket_id, "Updated ticket (Broken)"),
        sandbox.model.access.actor(BRIDGE).id,
    )
    assert {first.to, second.to} == {ADMIN, AGENT}


@pytest.mark.parametrize(
    ("change", "mails"),
    [
        ({"points_balance": 90}, 2),
        ({"state": "open"}, 2),
        ({"points_balance": None}, 0),
        ({"note": "a column that no form shows"}, 0),
        ({"article": {"type": "note", "body": "x", "sender": "System"}}, 0),
        ({"article": {"type": "note", "body": "x", "internal": True}}, 2),
    ],
)
def test_only_what_a_person_can_see_is_told(
    sandbox: ZammadSandbox, api: Api, change: Json, mails: int
) -> None:
    ticket_id = opened(sandbox)
    api.put(f"/tickets/{ticket_id}", change)
    assert sent(sandbox).total() == mails


def test_a_ticket_with_an_owner_is_told_to_the_owner_alone(
    sandbox: ZammadSandbox, api: Api
) -> None:
    ticket_id = opened(sandbox)
    sandbox.model.agent_sets(ticket_id, owner=AGENT)
    assert sent(sandbox) == Counter(), "the owner did it"
    api.put(f"/tickets/{ticket_id}", {"points_balance": 90})
    assert sent(sandbox) == {AGENT: 1}


def test_a_mail_of_an_agent_is_told_to_that_agent_too(sandbox: ZammadSandbox) -> None:
    ticket_id = opened(sandbox)
    sandbox.model.customer_replies_by_mail(ticket_id, "Done.", sender=AGENT)
    assert sent(sandbox) == {ADMIN: 1, BRIDGE: 1, AGENT: 1}


def test_the_schedulers_closure_is_told_to_all(
    sandbox: ZammadSandbox, api: Api, clock: Clock
) -> None:
    ticket_id = opened(sandbox)
    later = {"state": "pending close", "pending_time": "2026-11-22T19:00:00Z"}
    api.put(f"/tickets/{ticket_id}", later)
    assert sent(sandbox) == {ADMIN: 1, AGENT: 1}
    clock.advance(hours=1)
    sandbox.model.scheduler_runs()
    assert sent(sandbox) == {ADMIN: 1, BRIDGE: 1, AGENT: 1}


def test_a_user_switches_the_own_notifications_off(sandbox: ZammadSandbox, api: Api) -> None:
    me = api.get("/users/me")
    config = me["preferences"]["notification_config"]
    assert config == notification_config()
    quiet = {"notification_config": muted(config, *config["matrix"])}
    assert api.put("/users/preferences", quiet) == {"message": "ok"}
    assert api.get("/users/me")["preferences"] == quiet
    sandbox.model.customer_mails(CARLA, "Broken", "It is.")
    assert sent(sandbox) == {ADMIN: 1, AGENT: 1}


def test_one_way_may_stay_on_alone(sandbox: ZammadSandbox, api: Api) -> None:
    config = notification_config()
    config["matrix"]["create"]["channel"]["email"] = False
    api.put("/users/preferences", {"notification_config": config})
    ticket_id = sandbox.model.customer_mails(CARLA, "Broken", "It is.")
    assert sent(sandbox) == {ADMIN: 1, AGENT: 1}
    rows = api.get(f"/ticket_history/{ticket_id}")["history"]
    told = [row["value_to"] for row in rows if row["type"] == "notification"]
    assert f"{BRIDGE}(create:online)" in told


def test_a_user_may_hear_of_some_groups_only(sandbox: ZammadSandbox, api: Api) -> None:
    config = notification_config() | {"group_ids": ["2"]}
    api.put("/users/preferences", {"notification_config": config})
    sandbox.model.customer_mails(CARLA, "Broken", "It is.")
    assert sent(sandbox) == {ADMIN: 1, AGENT: 1}


def test_preferences_set_through_the_user_replace_all_others(
    sandbox: ZammadSandbox, api: Api
) -> None:
    me = api.get("/users/me")["id"]
    quiet = {"notification_config": muted(notification_config(), "create", "update")}
    api.put(f"/users/{me}", {"preferences": quiet}, status=403)
    answer = api.put(f"/users/{me}", {"preferences": quiet}, token=Token.ADMIN)
    assert answer["preferences"] == quiet
    sandbox.model.customer_mails(CARLA, "Broken", "It is.")
    assert sent(sandbox) == {ADMIN: 1, AGENT: 1}


def test_a_new_agent_hears_and_a_new_customer_does_not(sandbox: ZammadSandbox, api: Api) -> None:
    spec: Json = {"firstname": "Anna", "email": "anna@example.com", "roles": ["Agent"]}
    spec["group_ids"] = {"1": ["full"]}
    api.post("/users", spec, token=Token.ADMIN)
    customer = api.post("/users", {"firstname": "Cy", "email": "cy@x.example"}, token=Token.ADMIN)
    assert customer["preferences"] == {}
    sandbox.model.customer_mails(CARLA, "Broken", "It is.")
    assert sent(sandbox) == {ADMIN: 1, BRIDGE: 1, AGENT: 1, "anna@example.com": 1}


def test_the_mails_of_a_whole_life_are_counted(sandbox: ZammadSandbox, api: Api) -> None:
    ticket_id = opened(sandbox)
    api.put(f"/tickets/{ticket_id}", {"points_charged": 10, "points_balance": 90})
    sandbox.model.agent_answers(ticket_id, "Done.", close=True)
    sandbox.model.customer_replies_by_mail(ticket_id, "No.")
    assert sent(sandbox) == {ADMIN: 3, BRIDGE: 2, AGENT: 2}

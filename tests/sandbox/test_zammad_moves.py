"""Tickets that change hands in the sandbox: by their person, their customer, their organisation."""

import pytest

from bridge.sandbox.zammad import AGENT, BRIDGE, Token, ZammadSandbox

from .conftest import CARLA, Api, Clock, Json, Receiver

BOB = "bob@beta.example"


@pytest.fixture
def beta(sandbox: ZammadSandbox) -> int:
    """A second organisation, with a customer."""
    beta_id = sandbox.model.add_organization("Beta Ltd")
    sandbox.model.add_customer("Bob Buyer", BOB, "Beta Ltd")
    return beta_id


def fired(sandbox: ZammadSandbox, receiver: Receiver) -> list[str]:
    """The triggers since the last look."""
    sandbox.webhooks.drain()
    names = [name.removeprefix("zz-points-bridge: ") for name in receiver.triggers]
    receiver.requests.clear()
    return names


def moves(api: Api, ticket_id: int) -> list[tuple[str, str, str, int]]:
    """What the history says of the ticket's customers and organisations, and who did it."""
    return [
        (row["attribute"], row["value_from"], row["value_to"], row["created_by_id"])
        for row in api.get(f"/ticket_history/{ticket_id}")["history"]
        if row.get("attribute") in {"customer", "organization"}
    ]


def all_tickets(api: Api) -> list[Json]:
    """Two pages of them, by id: a hundred is the most that one holds."""
    return [row for page in (1, 2) for row in api.get(f"/tickets?per_page=200&page={page}")]


def mailed(sandbox: ZammadSandbox, receiver: Receiver) -> int:
    ticket_id = sandbox.model.customer_mails(CARLA, "Broken", "It is.")
    assert fired(sandbox, receiver) == ["created"]
    return ticket_id


def test_a_person_who_moves_takes_open_and_closed_tickets_along(
    sandbox: ZammadSandbox, api: Api, receiver: Receiver, beta: int
) -> None:
    tickets = [mailed(sandbox, receiver) for _ in range(2)]
    sandbox.model.agent_closes(tickets[1])
    fired(sandbox, receiver)
    sandbox.model.notifications.mails.clear()
    sandbox.model.admin_moves_person(CARLA, "Beta Ltd")
    assert fired(sandbox, receiver) == ["organization changed"] * 2
    assert sandbox.model.notifications.mails == []
    for ticket_id in tickets:
        ticket = api.get(f"/tickets/{ticket_id}")
        assert (ticket["organization_id"], ticket["updated_by_id"]) == (beta, 1)
        assert moves(api, ticket_id) == [("organization", "Acme GmbH", "Beta Ltd", 1)]


def test_at_most_a_hundred_tickets_follow_a_person(
    sandbox: ZammadSandbox, api: Api, beta: int
) -> None:
    for _ in range(101):
        sandbox.model.agent_logs_phone(CARLA, "Broken", "She called.")
    sandbox.model.admin_moves_person(CARLA, "Beta Ltd")
    assert [row["organization_id"] for row in all_tickets(api)] == [beta] * 100 + [2]


def test_a_renamed_organisation_fires_nothing_and_is_known_by_its_new_name(
    sandbox: ZammadSandbox, api: Api, receiver: Receiver, beta: int
) -> None:
    ticket_id = mailed(sandbox, receiver)
    organization_id = api.get(f"/tickets/{ticket_id}")["organization_id"]
    api.put(f"/organizations/{organization_id}", {"name": "Acme Worldwide"}, token=Token.ADMIN)
    assert fired(sandbox, receiver) == []
    assert api.get(f"/tickets/{ticket_id}?expand=true")["organization"] == "Acme Worldwide"


def test_another_customer_brings_the_own_organisation(
    sandbox: ZammadSandbox, api: Api, receiver: Receiver, beta: int
) -> None:
    ticket_id = mailed(sandbox, receiver)
    sandbox.model.agent_sets(ticket_id, customer=BOB)
    assert fired(sandbox, receiver) == ["customer changed", "organization changed"]
    assert moves(api, ticket_id) == [
        ("organization", "Acme GmbH", "Beta Ltd", 5),
        ("customer", "Carla Customer", "Bob Buyer", 5),
    ]


def test_a_secondary_organisation_may_be_chosen_and_a_foreign_one_becomes_the_primary(
    sandbox: ZammadSandbox, api: Api, receiver: Receiver, beta: int
) -> None:
    ticket_id = mailed(sandbox, receiver)
    path = f"/tickets/{ticket_id}"
    foreign = sandbox.model.add_organization("Gamma")
    assert api.put(path, {"organization_id": beta}, token=Token.AGENT)["organization_id"] == 2
    sandbox.model.admin_moves_person(CARLA, "Acme GmbH", secondary=("Beta Ltd",))
    assert fired(sandbox, receiver) == []
    assert api.put(path, {"organization_id": beta}, token=Token.AGENT)["organization_id"] == beta
    assert fired(sandbox, receiver) == ["organization changed"]
    assert api.put(path, {"organization_id": foreign}, token=Token.AGENT)["organization_id"] == 2
    assert fired(sandbox, receiver) == ["organization changed"]
    article = {"body": "x", "type": "phone", "sender": "Customer"}
    spec = {"title": "New", "group_id": 1, "customer": CARLA, "article": article}
    new = [
        api.post("/tickets", spec | {"organization_id": key}, token=Token.AGENT)["organization_id"]
        for key in (beta, foreign)
    ]
    assert new == [beta, 2]


def test_a_secondary_member_sees_the_tickets_of_the_organisation(
    sandbox: ZammadSandbox, api: Api, as_carla: dict[str, str], beta: int
) -> None:
    theirs = sandbox.model.customer_mails(BOB, "Broken", "It is.")
    api.call("GET", f"/tickets/{theirs}", None, as_carla, status=403)
    sandbox.model.admin_moves_person(CARLA, "Acme GmbH", secondary=("Beta Ltd",))
    api.call("GET", f"/tickets/{theirs}", None, as_carla, status=200)
    shown = api.get(f"/organizations/{beta}")
    carla = sandbox.model.access.actor(CARLA).id
    assert shown["secondary_member_ids"] == [carla]
    assert api.get(f"/users/{carla}?expand=true")["organizations"] == ["Beta Ltd"]


def test_a_ticket_of_the_secondary_organisation_stays_when_the_two_are_swapped(
    sandbox: ZammadSandbox, api: Api, receiver: Receiver, beta: int
) -> None:
    first, second = mailed(sandbox, receiver), mailed(sandbox, receiver)
    sandbox.model.admin_moves_person(CARLA, "Acme GmbH", secondary=("Beta Ltd",))
    sandbox.model.agent_sets(second, organization="Beta Ltd")
    fired(sandbox, receiver)
    sandbox.model.admin_moves_person(CARLA, "Beta Ltd", secondary=("Acme GmbH",))
    assert fired(sandbox, receiver) == ["organization changed"]
    assert [row[3] for row in moves(api, second)] == [5]
    assert [row[3] for row in moves(api, first)] == [1]


@pytest.fixture
def left_behind(sandbox: ZammadSandbox, api: Api, receiver: Receiver, beta: int) -> int:
    """A ticket of Beta Ltd whose customer belongs to Beta no more. Nothing has saved it since."""
    sandbox.model.admin_moves_person(CARLA, "Acme GmbH", secondary=("Beta Ltd",))
    ticket_id = mailed(sandbox, receiver)
    sandbox.model.agent_sets(ticket_id, organization="Beta Ltd")
    sandbox.model.admin_moves_person(CARLA, "Acme GmbH")
    assert fired(sandbox, receiver) == ["organization changed"]
    assert api.get(f"/tickets/{ticket_id}")["organization_id"] == beta
    return ticket_id


BACK = ("organization", "Beta Ltd", "Acme GmbH")


def test_the_next_save_gives_a_ticket_back_to_its_customers_organisation(
    sandbox: ZammadSandbox, api: Api, receiver: Receiver, left_behind: int
) -> None:
    """From Zammad's code: `check_default_organization` runs before each update of a ticket."""
    sandbox.model.agent_sets(left_behind, priority_id=3)
    assert fired(sandbox, receiver) == ["organization changed"]
    assert api.get(f"/tickets/{left_behind}")["organization_id"] == 2
    agent = sandbox.model.access.actor(AGENT).id
    assert moves(api, left_behind)[-1] == (*BACK, agent)


def test_a_write_of_the_bridge_moves_the_ticket_too_and_no_trigger_tells_it(
    sandbox: ZammadSandbox, api: Api, receiver: Receiver, left_behind: int
) -> None:
    answer = api.put(f"/tickets/{left_behind}", {"points_charged": 10})
    assert answer["organization_id"] == 2, "the answer is all that the bridge hears of it"
    assert fired(sandbox, receiver) == []
    bridge = sandbox.model.access.actor(BRIDGE).id
    assert moves(api, left_behind)[-1] == (*BACK, bridge)


@pytest.mark.parametrize("what", ["mail", "note", "scheduler", "form"])
def test_whatever_saves_a_ticket_corrects_its_organisation(
    sandbox: ZammadSandbox, api: Api, clock: Clock, left_behind: int, what: str
) -> None:
    model = sandbox.model
    if what == "mail":
        model.customer_replies_by_mail(left_behind, "And?")
    elif what == "note":
        model.agent_notes(left_behind, "I look into it.")
    elif what == "form":
        model.agent_saves_form(model.agent_opens_form(left_behind), priority_id=3)
    else:
        ticket = model.ticket(left_behind)
        ticket |= {"state_id": 7, "pending_time": clock.now}
        model.scheduler_runs()
    assert api.get(f"/tickets/{left_behind}")["organization_id"] == 2


@pytest.mark.parametrize("token", [Token.BRIDGE, Token.AGENT])
def test_an_article_of_the_system_alone_saves_no_ticket(
    sandbox: ZammadSandbox, api: Api, beta: int, left_behind: int, token: Token
) -> None:
    note = {"ticket_id": left_behind, "body": "10 points", "type": "note", "sender": "System"}
    api.post("/ticket_articles", note, token=token)
    assert api.get(f"/tickets/{left_behind}")["organization_id"] == beta
    api.post("/ticket_articles", note | {"sender": "Agent"}, token=token)
    assert api.get(f"/tickets/{left_behind}")["organization_id"] == 2


def test_a_correction_that_comes_alone_has_the_time_of_the_change_before(
    sandbox: ZammadSandbox, api: Api, left_behind: int
) -> None:
    """From Zammad's code: the time is set before the organisation is looked at."""
    path = f"/tickets/{left_behind}"
    before = api.get(path)
    after = api.put(path, {}, token=Token.AGENT)
    assert (after["organization_id"], after["updated_at"]) == (2, before["updated_at"])
    history = api.get(f"/ticket_history/{left_behind}")["history"]
    row = [row for row in history if row["type"] == "updated"][-1]
    assert (row["attribute"], row["created_at"]) == ("organization", before["updated_at"])


def test_a_person_without_an_organisation_takes_it_off_every_ticket_that_is_saved(
    sandbox: ZammadSandbox, api: Api, receiver: Receiver, beta: int
) -> None:
    for _ in range(101):
        sandbox.model.agent_logs_phone(CARLA, "Broken", "She called.")
    sandbox.model.admin_moves_person(CARLA, None)
    [last] = [row["id"] for row in all_tickets(api) if row["organization_id"]]
    assert api.put(f"/tickets/{last}", {"points_charged": 1})["organization_id"] is None


def test_a_merge_saves_the_source_and_only_touches_the_target(
    sandbox: ZammadSandbox, api: Api, receiver: Receiver, beta: int, left_behind: int
) -> None:
    target = mailed(sandbox, receiver)
    sandbox.model.ticket(target)["organization_id"] = beta
    sandbox.model.agent_merges(left_behind, target)
    shown = [api.get(f"/tickets/{row}")["organization_id"] for row in (left_behind, target)]
    assert shown == [2, beta]


def test_a_customer_can_give_no_ticket_away(
    sandbox: ZammadSandbox, api: Api, as_carla: dict[str, str], receiver: Receiver, beta: int
) -> None:
    ticket_id = mailed(sandbox, receiver)
    bob = sandbox.model.access.actor(BOB).id
    change = {"customer": BOB, "customer_id": bob, "owner_id": 5, "organization_id": beta}
    api.call("PUT", f"/tickets/{ticket_id}", change | {"title": "Mine"}, as_carla, status=200)
    ticket = api.get(f"/tickets/{ticket_id}")
    assert (ticket["title"], ticket["owner_id"], ticket["organization_id"]) == ("Mine", 1, 2)
    assert ticket["customer_id"] == sandbox.model.access.actor(CARLA).id


def test_the_preferences_of_a_ticket_are_kept_key_by_key(
    sandbox: ZammadSandbox, api: Api, receiver: Receiver
) -> None:
    ticket_id = mailed(sandbox, receiver)
    for preferences in ({"one": 1, "two": 2}, {"two": 3}):
        api.put(f"/tickets/{ticket_id}", {"preferences": preferences})
    preferences = api.get(f"/tickets/{ticket_id}")["preferences"]
    assert (preferences["one"], preferences["two"]) == (1, 3)


def test_an_agent_may_move_a_customer_but_not_an_agent(
    sandbox: ZammadSandbox, api: Api, beta: int
) -> None:
    carla, agent = (sandbox.model.access.actor(login).id for login in (CARLA, AGENT))
    change: Json = {"organization": "Beta Ltd"}
    assert api.put(f"/users/{carla}", change, token=Token.AGENT)["organization_id"] == beta
    api.put(f"/users/{agent}", change, token=Token.AGENT, status=403)
    api.put(f"/users/{carla}", {"organization": "No such"}, token=Token.AGENT, status=422)


def test_only_people_and_organisations_that_exist_can_move(sandbox: ZammadSandbox) -> None:
    with pytest.raises(ValueError, match="No such"):
        sandbox.model.admin_moves_person(CARLA, "No such")
    with pytest.raises(ValueError, match="no user"):
        sandbox.model.admin_moves_person("nobody@x.example", None)


def test_an_agents_own_ticket_is_of_no_organisation(
    sandbox: ZammadSandbox, api: Api, receiver: Receiver
) -> None:
    ticket_id = sandbox.model.agent_logs_phone(AGENT, "My own VPN", "It fails.")
    [article] = api.get(f"/ticket_articles/by_ticket/{ticket_id}")
    assert (article["sender"], article["from"]) == ("Customer", "Alan Agent")
    assert article["origin_by"] == article["created_by"] == AGENT
    assert api.get(f"/tickets/{ticket_id}")["organization_id"] is None


def test_what_a_trigger_writes_is_by_the_system_and_no_answer(
    sandbox: ZammadSandbox, api: Api, receiver: Receiver
) -> None:
    note = {"body": "<p>Public</p>", "subject": "Automatic", "internal": "false"}
    spec = {
        "name": "aa note",
        "condition": {"ticket.priority_id": {"operator": "is", "value": ["3"]}},
        "perform": {"article.note": note, "ticket.priority_id": {"value": "2"}},
    }
    api.post("/triggers", spec, token=Token.SETUP)
    ticket_id = mailed(sandbox, receiver)
    answer = api.put(f"/tickets/{ticket_id}", {"priority_id": 3}, token=Token.AGENT)
    assert answer["priority_id"] == 3, "the answer is older than what the triggers do"
    assert api.get(f"/tickets/{ticket_id}")["priority_id"] == 2
    article = api.get(f"/ticket_articles/by_ticket/{ticket_id}")[-1]
    assert (article["sender"], article["created_by"], article["from"]) == ("System", "-", "- ")
    assert article["preferences"] == {"perform_origin": "trigger", "notification": True}
    assert fired(sandbox, receiver) == []

"""What is deleted, renamed or merged away in the sandbox, and what is left of it.

From Zammad's code, as far as no recording is named.
"""

import socket

import pytest

from bridge.sandbox.zammad import AGENT, ApiError, Token, ZammadSandbox

from .conftest import CARLA, Api, Clock, Json, Receiver

DORA, BOB = "dora@acme.example", "bob@beta.example"


@pytest.fixture
def people(sandbox: ZammadSandbox) -> None:
    """A colleague of Carla's, and a customer of another organisation."""
    sandbox.model.add_organization("Beta Ltd")
    sandbox.model.add_customer("Dora Customer", DORA, "Acme GmbH")
    sandbox.model.add_customer("Bob Buyer", BOB, "Beta Ltd")


def fired(sandbox: ZammadSandbox, receiver: Receiver) -> list[str]:
    """The triggers since the last look."""
    sandbox.webhooks.drain()
    names = receiver.triggers
    receiver.requests.clear()
    return names


def opened(sandbox: ZammadSandbox, customer: str = CARLA) -> int:
    ticket_id = sandbox.model.customer_mails(customer, "Broken", "It is.")
    sandbox.webhooks.drain()
    return ticket_id


def history(api: Api, ticket_id: int) -> list[Json]:
    rows: list[Json] = api.get(f"/ticket_history/{ticket_id}")["history"]
    return rows


# --- tickets -------------------------------------------------------------------------------


def test_nothing_is_left_of_a_deleted_ticket(
    sandbox: ZammadSandbox, api: Api, receiver: Receiver
) -> None:
    """Recordings 137 to 139, for the ticket itself."""
    gone, stays = opened(sandbox), opened(sandbox)
    split = sandbox.model.agent_splits(gone, "The other thing", "Broken.")
    [first, *_] = sandbox.model.store.articles(gone)
    fired(sandbox, receiver)
    sandbox.model.admin_deletes(gone)
    assert fired(sandbox, receiver) == []
    for path in (f"/tickets/{gone}", f"/ticket_history/{gone}"):
        api.get(path, status=404)
    api.get(f"/ticket_article_plain/{first['id']}", status=404)
    assert api.get(f"/tickets/{split}?all=true")["links"] == []
    assert [row["id"] for row in api.get("/tickets")] == [stays, split]


def test_a_mail_that_names_a_deleted_ticket_opens_a_new_one(
    sandbox: ZammadSandbox, api: Api
) -> None:
    ticket_id = opened(sandbox)
    number = api.get(f"/tickets/{ticket_id}")["number"]
    [first, *_] = api.get(f"/ticket_articles/by_ticket/{ticket_id}")
    sandbox.model.admin_deletes(ticket_id)
    head = {"In-Reply-To": first["message_id"]}
    again = sandbox.model.customer_mails(CARLA, f"[Ticket#{number}] Broken", "?", headers=head)
    assert again > ticket_id
    assert api.get(f"/tickets/{again}")["number"] != number


def test_a_mail_to_a_ticket_whose_target_was_deleted_opens_a_new_one(
    sandbox: ZammadSandbox, api: Api
) -> None:
    source, target = opened(sandbox), opened(sandbox)
    sandbox.model.agent_merges(source, target)
    sandbox.model.admin_deletes(target)
    assert sandbox.model.customer_replies_by_mail(source, "Hello?") not in {source, target}
    [row] = [row for row in history(api, source) if row["type"] == "merged_into"]
    assert row["id_to"] == target, "the history names what is not there any more"


# --- merges --------------------------------------------------------------------------------


def test_a_merge_moves_the_articles_and_leaves_their_history_behind(
    sandbox: ZammadSandbox, api: Api, receiver: Receiver
) -> None:
    """Recordings 121 to 125."""
    source, target = opened(sandbox), opened(sandbox)
    moved = [row["id"] for row in sandbox.model.store.articles(source)]
    fired(sandbox, receiver)
    sandbox.model.agent_merges(source, target)
    assert fired(sandbox, receiver) == ["merged", "received a merge"]
    articles = api.get(f"/ticket_articles/by_ticket/{target}")
    assert [row["id"] for row in articles][: len(moved)] == moved
    assert all(row["updated_at"] > row["created_at"] for row in articles[: len(moved)])
    [note] = api.get(f"/ticket_articles/by_ticket/{source}")
    assert (note["type"], note["body"], note["internal"]) == ("note", "merged", False)
    written = {row["o_id"] for row in history(api, target) if row["object"] != "Ticket"}
    assert not written & set(moved)


@pytest.mark.parametrize("state", ["closed", "open"])
def test_a_merge_reopens_no_target_but_a_mail_to_the_source_does(
    sandbox: ZammadSandbox, api: Api, state: str
) -> None:
    source, target = opened(sandbox), opened(sandbox)
    sandbox.model.agent_sets(target, state=state)
    sandbox.model.agent_merges(source, target)
    assert api.get(f"/tickets/{target}?expand=true")["state"] == state
    assert sandbox.model.customer_replies_by_mail(source, "Hello?") == target
    assert api.get(f"/tickets/{target}?expand=true")["state"] == "open"


def test_a_mail_follows_a_chain_of_merges_to_its_end(sandbox: ZammadSandbox, api: Api) -> None:
    first, second, third = (opened(sandbox) for _ in range(3))
    sandbox.model.agent_merges(first, second)
    sandbox.model.agent_merges(second, third)
    assert sandbox.model.customer_replies_by_mail(first, "Hello?") == third


def test_a_merged_ticket_can_be_opened_by_an_agent(sandbox: ZammadSandbox, api: Api) -> None:
    source, target = opened(sandbox), opened(sandbox)
    sandbox.model.agent_merges(source, target)
    sandbox.model.agent_reopens(source)
    assert api.get(f"/tickets/{source}?expand=true")["state"] == "open"
    assert sandbox.model.customer_replies_by_mail(source, "Hello?") == source


# --- people --------------------------------------------------------------------------------


@pytest.mark.usefixtures("people")
def test_a_person_who_is_deleted_takes_the_own_tickets_along_and_the_name_off_the_others(
    sandbox: ZammadSandbox, api: Api, receiver: Receiver
) -> None:
    mine, other = opened(sandbox, DORA), opened(sandbox)
    sandbox.model.customer_replies_by_mail(other, "Me too.", sender=DORA)
    dora = sandbox.model.access.actor(DORA).id
    assert dora in {row["created_by_id"] for row in history(api, other)}
    fired(sandbox, receiver)
    sandbox.model.admin_deletes_person(DORA)
    assert fired(sandbox, receiver) == []
    api.get(f"/tickets/{mine}", status=404)
    api.get(f"/users/{dora}", status=404)
    ticket = api.get(f"/tickets/{other}?all=true")
    assert str(dora) not in ticket["assets"]["User"]
    assert dora not in {row["created_by_id"] for row in history(api, other)}
    assert api.get(f"/ticket_articles/by_ticket/{other}")[-1]["created_by"] == "-"


@pytest.mark.usefixtures("people")
def test_a_deleted_agent_owns_nothing_and_has_done_nothing(
    sandbox: ZammadSandbox, api: Api
) -> None:
    ticket_id = opened(sandbox)
    sandbox.model.agent_sets(ticket_id, owner=AGENT, state="closed")
    sandbox.model.admin_deletes_person(AGENT)
    ticket = api.get(f"/tickets/{ticket_id}?expand=true")
    assert (ticket["owner"], ticket["updated_by"], ticket["state"]) == ("-", "-", "closed")
    [row] = [row for row in history(api, ticket_id) if row.get("value_to") == "closed"]
    assert row["created_by_id"] == 1


# --- organisations -------------------------------------------------------------------------


@pytest.mark.usefixtures("people")
def test_the_api_deletes_no_organisation_that_anything_refers_to(
    sandbox: ZammadSandbox, api: Api
) -> None:
    acme = sandbox.model.access.actor(CARLA).user["organization_id"]
    api.delete(f"/organizations/{acme}", token=Token.BRIDGE, status=403)
    answer = api.delete(f"/organizations/{acme}", token=Token.ADMIN, status=422)
    assert answer["error"] == "Can't delete, object has references."
    empty = sandbox.model.add_organization("Empty")
    sandbox.model.admin_moves_person(CARLA, "Acme GmbH", secondary=("Empty",))
    api.delete(f"/organizations/{empty}", token=Token.ADMIN, status=422)
    sandbox.model.admin_moves_person(CARLA, "Acme GmbH")
    assert api.delete(f"/organizations/{empty}", token=Token.ADMIN) == {}
    api.get(f"/organizations/{empty}", status=404)
    api.delete(f"/organizations/{empty}", token=Token.ADMIN, status=404)


@pytest.mark.usefixtures("people")
def test_the_tickets_of_a_deleted_organisation_are_of_none(
    sandbox: ZammadSandbox, api: Api, receiver: Receiver
) -> None:
    tickets = [opened(sandbox), opened(sandbox, DORA)]
    fired(sandbox, receiver)
    sandbox.model.admin_deletes_organization("Acme GmbH")
    assert fired(sandbox, receiver) == ["organization changed"] * 2
    for ticket_id in tickets:
        ticket = api.get(f"/tickets/{ticket_id}")
        assert (ticket["organization_id"], ticket["updated_by_id"]) == (None, 1)
        row = [row for row in history(api, ticket_id) if row.get("attribute") == "organization"][-1]
        assert (row["value_from"], row["value_to"], row["id_to"]) == ("Acme GmbH", "", None)


@pytest.mark.usefixtures("people")
def test_a_ticket_of_a_secondary_organisation_falls_back_to_the_primary_one(
    sandbox: ZammadSandbox, api: Api, receiver: Receiver
) -> None:
    sandbox.model.admin_moves_person(CARLA, "Acme GmbH", secondary=("Beta Ltd",))
    ticket_id = opened(sandbox)
    sandbox.model.agent_sets(ticket_id, organization="Beta Ltd")
    fired(sandbox, receiver)
    sandbox.model.admin_deletes_organization("Beta Ltd")
    carla = sandbox.model.access.actor(CARLA).user
    assert carla["organization_ids"] == []
    ticket = api.get(f"/tickets/{ticket_id}")
    assert ticket["organization_id"] == carla["organization_id"]
    admin = sandbox.model.access.actor("admin@example.com").id
    assert ticket["updated_by_id"] == admin
    assert fired(sandbox, receiver) == ["organization changed"]


@pytest.mark.usefixtures("people")
def test_an_organisation_may_be_deleted_with_everybody_and_everything_in_it(
    sandbox: ZammadSandbox, api: Api, receiver: Receiver
) -> None:
    gone = [opened(sandbox), opened(sandbox, DORA)]
    stays = opened(sandbox, BOB)
    sandbox.model.admin_moves_person(BOB, "Beta Ltd", secondary=("Acme GmbH",))
    given = opened(sandbox, BOB)
    sandbox.model.agent_sets(given, organization="Acme GmbH")
    fired(sandbox, receiver)
    sandbox.model.admin_deletes_organization("Acme GmbH", with_members=True)
    assert fired(sandbox, receiver) == []
    assert [row["id"] for row in api.get("/tickets")] == [stays]
    for ticket_id in (*gone, given):
        api.get(f"/tickets/{ticket_id}", status=404)
    with pytest.raises(ValueError, match="no user"):
        sandbox.model.admin_deletes_person(CARLA)
    with pytest.raises(ValueError, match="no organization"):
        sandbox.model.admin_deletes_organization("Acme GmbH")


@pytest.mark.usefixtures("people")
def test_no_two_organisations_have_one_name_and_a_domain_is_needed_for_its_people(
    sandbox: ZammadSandbox, api: Api
) -> None:
    acme = sandbox.model.access.actor(CARLA).user["organization_id"]
    path = f"/organizations/{acme}"
    taken = api.put(path, {"name": "Beta Ltd"}, token=Token.ADMIN, status=422)
    assert taken["error"] == "This object already exists."
    assert api.put(path, {"name": "Acme GmbH", "note": "x"}, token=Token.ADMIN)["note"] == "x"
    domain = {"name": "New", "domain_assignment": True}
    api.post("/organizations", domain, token=Token.ADMIN, status=422)
    api.put(path, {"domain": ""}, token=Token.ADMIN, status=422)


def test_a_secondary_organisation_needs_a_primary_one(sandbox: ZammadSandbox) -> None:
    with pytest.raises(ApiError, match="only allowed when the primary organization is given"):
        sandbox.model.admin_moves_person(CARLA, None, secondary=("Acme GmbH",))
    assert sandbox.model.access.actor(CARLA).user["organization_id"] is not None


# --- pages ---------------------------------------------------------------------------------


def test_a_search_gives_fifty_tickets_unless_more_are_asked_for(
    sandbox: ZammadSandbox, api: Api, clock: Clock
) -> None:
    for _ in range(101):
        sandbox.model.agent_logs_phone(CARLA, "Broken", "She called.")
    counts = [
        len(api.get(f"/tickets/search?expand=true&query=Broken{more}"))
        for more in ("", "&limit=60", "&per_page=60", "&limit=200", "&limit=50&page=3")
    ]
    assert counts == [50, 60, 60, 101, 1]
    assert [len(api.get(f"/tickets?{more}")) for more in ("", "per_page=200")] == [100, 100]


# --- a host without an address -------------------------------------------------------------


@pytest.mark.parametrize(("checks", "attempts"), [(False, 5), (True, 1)])
def test_a_newer_zammad_drops_what_is_for_a_host_that_does_not_resolve(
    sandbox: ZammadSandbox, receiver: Receiver, checks: bool, attempts: int
) -> None:
    sandbox.model.store.settings["webhook_hosts_must_resolve"] = checks
    receiver.answers = [socket.gaierror(-2, "Name or service not known")] * 5
    opened(sandbox)
    [delivery] = sandbox.webhooks.deliveries
    assert (len(delivery.attempts), delivery.state) == (attempts, "failed")
    receiver.answers = [OSError("refused")]
    opened(sandbox)
    assert sandbox.webhooks.deliveries[-1].state == "delivered", "others are tried again"

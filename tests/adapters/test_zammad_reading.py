"""What the Zammad adapter makes of a ticket, against what a running Zammad answered."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from responses import RequestsMock

from bridge.adapters.zammad.adapter import Zammad, ZammadConfig
from bridge.errors import HelpdeskRefused
from bridge.ticket import Channel, Customer, Requester, Status, TicketUpdate
from tests.adapters.contract import FIELDS, RECEIPT, SECRET, TOKEN
from tests.adapters.zammad_server import (
    ADMIN,
    AGENT,
    API,
    BOT,
    CARLA,
    URL,
    WEBHOOKS,
    Json,
    Server,
    answer,
    webhook,
    zammad,
)


def test_a_portal_ticket_as_recorded(vendor: RequestsMock) -> None:
    Server().serve(vendor)
    ticket = zammad(SECRET).fetch("5")
    assert ticket.number == "55005"
    assert ticket.status is Status.OPEN
    assert ticket.channel is Channel.PORTAL
    assert not ticket.opened_by_agent
    assert ticket.customer == Customer("organization:2", "Acme GmbH")
    assert ticket.requester == Requester("Carla Customer", "carla@acme.example")
    assert ticket.created_at == datetime(2026, 11, 22, 18, 37, 45, 842_000, tzinfo=UTC)
    # Articles 9 and 12 are mails of agent 5; 7 is a trigger's mail, 11 an internal note.
    assert [(str(a.at), a.agent) for a in ticket.answers] == [
        ("2026-11-22 18:38:09.473000+00:00", "5"),
        ("2026-11-22 18:39:18.244000+00:00", "5"),
    ]
    assert ticket.close_hint == datetime(2026, 11, 22, 18, 39, 17, 867_000, tzinfo=UTC)
    assert ticket.marks == frozenset()


def test_an_agents_note_as_recorded(vendor: RequestsMock) -> None:
    """Recording 035: created by the token's own user, as an internal note on Carla's behalf."""
    Server(answer("ticket_all")).serve(vendor)
    ticket = zammad(SECRET).fetch("3")
    assert ticket.channel is Channel.AGENT
    assert ticket.opened_by_agent
    assert ticket.answers == ()
    assert ticket.close_hint is None


def opened_as() -> list[tuple[Any, ...]]:
    """Every combination of type, sender and state, by id and by name, in the recorded bodies."""
    bodies = [json.loads(webhook(path)[0]["body"] or "{}") for path in WEBHOOKS]
    names = ("create_article_type", "create_article_sender", "state")
    keys = [key for name in names for key in (f"{name}_id", name)]
    return sorted({tuple(b["ticket"][key] for key in keys) for b in bodies if b})


@pytest.mark.parametrize(
    ("type_id", "type_name", "sender_id", "sender", "state_id", "state"), opened_as()
)
def test_the_ids_of_types_senders_and_states_mean_what_zammad_calls_them(
    vendor: RequestsMock,
    type_id: int,
    type_name: str,
    sender_id: int,
    sender: str,
    state_id: int,
    state: str,
) -> None:
    server = Server()
    server.row.update(
        create_article_type_id=type_id, create_article_sender_id=sender_id, state_id=state_id
    )
    server.serve(vendor)
    ticket = zammad(SECRET).fetch("5")
    called = {"web": "portal", "note": "agent"}.get(type_name, type_name)
    assert ticket.channel == called
    assert (sender == "Agent") == (ticket.channel is Channel.AGENT)
    assert ticket.status == {"new": "open"}.get(state, state)


MAILED = {"preferences": {"send-auto-response": True, "is-auto-response": False}}


def mailed_by_agent(server: Server) -> None:
    """What the mail import makes of a mail whose From is an agent's address."""
    server.row.update(create_article_type_id=1, create_article_sender_id=1, created_by_id=AGENT)
    server.articles["6"].update(type_id=1, sender_id=1, created_by_id=AGENT, **MAILED)


def mailed_out_by_agent(server: Server) -> None:
    """A ticket that an agent opens with a mail to the customer."""
    mailed_by_agent(server)
    server.articles["6"]["preferences"] = {"email_address_id": 1, "delivery_status": "success"}


def portal_with_mail_preferences(server: Server) -> None:
    """Customers may send preferences with an article, but not the type email."""
    server.articles["6"].update(MAILED)


def set_row(**changes: object) -> Callable[[Server], None]:
    return lambda server: server.row.update(changes)


FORM = {"form": {"remote_ip": "192.0.2.1", "fingerprint_md5": "0"}}


@pytest.mark.parametrize(
    ("change", "channel"),
    [
        (set_row(preferences=FORM), Channel.FORM),
        (set_row(preferences=FORM, create_article_type_id=5), Channel.PHONE),
        (set_row(preferences=FORM, create_article_sender_id=1), Channel.AGENT),
        (set_row(create_article_type_id=3), Channel.CHAT),
        (set_row(create_article_type_id=2), Channel.OTHER),
        (set_row(create_article_type_id=10), Channel.OTHER),
        (set_row(create_article_type_id=99), Channel.OTHER),
        (set_row(create_article_sender_id=3), Channel.OTHER),
        (set_row(create_article_type_id=None, create_article_sender_id=None), Channel.OTHER),
        (set_row(create_article_type_id=1, create_article_sender_id=1), Channel.AGENT),
        (mailed_by_agent, Channel.EMAIL),
        (mailed_out_by_agent, Channel.AGENT),
        (portal_with_mail_preferences, Channel.PORTAL),
    ],
)
def test_the_channel_is_told_by_the_first_articles_type_and_sender(
    vendor: RequestsMock, change: Callable[[Server], None], channel: Channel
) -> None:
    server = Server()
    change(server)
    server.serve(vendor)
    assert zammad(SECRET).fetch("5").channel is channel


@pytest.mark.parametrize(
    ("change", "by_agent"),
    [
        (set_row(created_by_id=CARLA), False),
        (set_row(created_by_id=AGENT, create_article_type_id=5), True),
        (set_row(created_by_id=AGENT, customer_id=AGENT), False),
        (set_row(created_by_id=1), False),
        (mailed_by_agent, False),
        (mailed_out_by_agent, True),
    ],
    ids=["customer", "agent by phone", "agent asks", "system", "forged sender", "agent by mail"],
)
def test_an_agent_opened_it_only_in_the_helpdesk_and_for_somebody_else(
    vendor: RequestsMock, change: Callable[[Server], None], by_agent: bool
) -> None:
    """ "A sender address is easily forged, and a ticket spends points"."""
    server = Server()
    change(server)
    server.serve(vendor)
    assert zammad(SECRET).fetch("5").opened_by_agent is by_agent


@pytest.mark.parametrize("groups", [{}, {"1": ["full"]}])
def test_group_access_by_a_role_makes_an_agent(vendor: RequestsMock, groups: Json) -> None:
    server = Server()
    server.row["created_by_id"] = AGENT
    server.all["assets"]["User"]["5"]["group_ids"] = {}
    server.all["assets"]["Role"]["2"]["group_ids"] = groups
    server.serve(vendor)
    assert zammad(SECRET).fetch("5").opened_by_agent is bool(groups)


ANSWER = {"type_id": 1, "sender_id": 1, "internal": False, "created_by_id": AGENT}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"type_id": 5},
        {"type_id": 11},
        {"type_id": 14},
        {"created_by_id": ADMIN},
        {"preferences": {"delivery_status": "success"}},
        {"preferences": "rubbish"},
        MAILED,
    ],
    ids=lambda changes: json.dumps(changes),
)
def test_a_public_communicating_article_of_an_agent_is_an_answer(
    vendor: RequestsMock, changes: Json
) -> None:
    """Product rule 4.2: "First response = first public answer by a human agent"."""
    server = Server()
    known = len(zammad_answers(server, vendor))
    server.add_article(**{**ANSWER, **changes})
    assert len(zammad_answers(server, vendor)) == known + 1


@pytest.mark.parametrize(
    "changes",
    [
        {"internal": True},
        {"type_id": 10},
        {"sender_id": 2},
        {"sender_id": 3},
        {"created_by_id": BOT},
        {"created_by_id": CARLA},
        {"origin_by_id": CARLA},
        {"preferences": {"perform_origin": "trigger"}},
        {"preferences": {"is-auto-response": True, "send-auto-response": False}},
        {"created_at": "2026-11-22T18:37:45.000Z"},
        {"ticket_id": 9},
    ],
    ids=lambda changes: json.dumps(changes),
)
def test_notes_customers_triggers_and_the_bridge_itself_answer_nothing(
    vendor: RequestsMock, changes: Json
) -> None:
    server = Server()
    known = zammad_answers(server, vendor)
    server.add_article(**{**ANSWER, **changes})
    assert zammad_answers(server, vendor) == known


def zammad_answers(server: Server, vendor: RequestsMock) -> tuple[object, ...]:
    server.serve(vendor)
    return zammad(SECRET).fetch(str(server.id)).answers


def test_the_text_that_an_agent_opens_a_ticket_with_is_no_answer(vendor: RequestsMock) -> None:
    server = Server()
    server.articles["6"].update(ANSWER)
    known = len(zammad_answers(Server(), vendor))
    vendor.reset()
    assert len(zammad_answers(server, vendor)) == known


def test_what_a_merge_brought_along_is_not_the_opening_text(vendor: RequestsMock) -> None:
    """Recording 123: the articles of the older ticket come first in the one it was merged into."""
    server = Server()
    mailed_by_agent(server)
    server.add_article(**{**ANSWER, "created_at": "2026-11-01T08:00:00.000Z"})
    server.serve(vendor)
    assert zammad(SECRET).fetch("5").channel is Channel.EMAIL


def test_somebody_without_an_organisation_is_known_by_the_address(vendor: RequestsMock) -> None:
    """Customer.name: "a display name can be chosen by the sender of a mail"."""
    server = Server()
    server.row["organization_id"] = None
    server.all["assets"]["User"]["6"]["support_timezone"] = "Asia/Tokyo"
    server.serve(vendor)
    customer = zammad(SECRET).fetch("5").customer
    assert customer == Customer("person:6", "carla@acme.example", zone="Asia/Tokyo")


@pytest.mark.parametrize(
    ("person", "requester"),
    [
        ({"email": ""}, Requester("Carla Customer")),
        ({"email": None, "lastname": None}, Requester("Carla")),
        (
            {"firstname": " Carla\r\n", "lastname": "Bcc: x "},
            Requester("Carla Bcc: x", "carla@acme.example"),
        ),
        ({"firstname": "", "lastname": ""}, Requester("carla@acme.example", "carla@acme.example")),
    ],
)
def test_the_requester_is_the_customer_as_zammad_knows_them(
    vendor: RequestsMock, person: Json, requester: Requester
) -> None:
    server = Server()
    server.all["assets"]["User"]["6"].update(person)
    server.serve(vendor)
    assert zammad(SECRET).fetch("5").requester == requester


@pytest.mark.parametrize(
    ("stored", "zone"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        (" Europe/Berlin ", "Europe/Berlin"),
        ("", None),
        (None, None),
        (5, None),
    ],
)
def test_zone_country_and_subdivision_come_from_the_organisations_attributes(
    vendor: RequestsMock, stored: object, zone: str | None
) -> None:
    server = Server()
    organization = server.all["assets"]["Organization"]["2"]
    organization.update(zone=stored, support_country="DE", support_subdivision="BE")
    server.serve(vendor)
    config = ZammadConfig(URL, TOKEN, (SECRET,), zone_field="zone")
    customer = Zammad(config).fetch("5").customer
    assert customer == Customer("organization:2", "Acme GmbH", zone, "DE", "BE")


@pytest.mark.parametrize(
    "stamp", ["10000-01-01T00:00:00.000Z", "-4712-01-01T00:00:00.000Z", [], ""]
)
def test_rubbish_that_a_customer_wrote_into_a_closing_stamp_hides_no_ticket(
    vendor: RequestsMock, stamp: object
) -> None:
    """Recording 191: "close_at and article_count can be overwritten by PUT"."""
    server = Server()
    server.row.update(close_at=stamp, last_close_at=stamp)
    server.serve(vendor)
    assert zammad(SECRET).fetch("5").close_hint is None


@pytest.mark.parametrize("author", [AGENT, CARLA])
def test_a_mark_counts_only_on_the_bridges_own_article(vendor: RequestsMock, author: int) -> None:
    server = Server()
    forged = {"points_bridge": {"mark": RECEIPT.mark}}
    server.add_article(created_by_id=author, preferences=forged)
    server.serve(vendor)
    adapter = zammad(SECRET)
    assert adapter.fetch("5").marks == frozenset()
    adapter.write(TicketUpdate("5", FIELDS, note=RECEIPT, repeat=True))
    assert [sent["article"]["body"] for sent in server.put] == [RECEIPT.text]


@pytest.mark.parametrize("preferences", [{"points_bridge": "x"}, {"points_bridge": {"mark": 5}}])
def test_a_mark_of_another_form_is_none(vendor: RequestsMock, preferences: Json) -> None:
    server = Server()
    server.add_article(created_by_id=BOT, preferences=preferences)
    server.serve(vendor)
    assert zammad(SECRET).fetch("5").marks == frozenset()


def test_a_state_is_classified_by_its_type_and_looked_up_when_it_is_new(
    vendor: RequestsMock,
) -> None:
    server = Server()
    server.serve(vendor)
    adapter = zammad(SECRET)
    assert adapter.fetch("5").status is Status.OPEN
    server.states.append({**server.states[3], "id": 9, "name": "gelöst"})
    server.row["state_id"] = 9
    assert adapter.fetch("5").status is Status.CLOSED


@pytest.mark.parametrize(
    ("type_id", "status"),
    [
        (1, "open"),
        (2, "open"),
        (3, "pending"),
        (4, "pending"),
        (5, "closed"),
        (6, "merged"),
        (7, "removed"),
    ],
)
def test_every_seeded_state_type_has_a_status(
    vendor: RequestsMock, type_id: int, status: str
) -> None:
    server = Server()
    server.row["state_id"] = next(
        state["id"] for state in server.states if state["state_type_id"] == type_id
    )
    server.serve(vendor)
    assert zammad(SECRET).fetch("5").status == status


def drop(kind: str, id_: str) -> Callable[[Server], None]:
    return lambda server: server.all["assets"][kind].pop(id_)


@pytest.mark.parametrize(
    "change",
    [
        drop("User", "6"),
        drop("Organization", "2"),
        drop("Group", "1"),
        drop("Ticket", "5"),
        set_row(id=6),
        set_row(state_id=77),
        set_row(created_at="2026-11-22 18:37"),
        set_row(created_at="canary text of a customer"),
        set_row(customer_id="canary text of a customer"),
        lambda server: server.states[1].update(state_type_id=99),
    ],
)
def test_an_answer_that_lacks_or_garbles_something_is_refused_without_its_text(
    vendor: RequestsMock, change: Callable[[Server], None]
) -> None:
    server = Server()
    change(server)
    for path in ("/tickets/5", "/users/me", "/ticket_states"):
        body = {"/tickets/5": server.all, "/ticket_states": server.states}.get(path)
        vendor.add("GET", API + path, json=body or answer("users_me"))
    with pytest.raises(HelpdeskRefused) as refused:
        zammad(SECRET).fetch("5")
    assert "canary" not in str(refused.value)

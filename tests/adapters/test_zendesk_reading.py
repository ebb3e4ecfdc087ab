"""What the Zendesk adapter makes of tickets and their audits."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from responses import RequestsMock

from bridge.adapters.zendesk.adapter import Zendesk, ZendeskConfig
from bridge.adapters.zendesk.values import FIELD_TYPES
from bridge.errors import HelpdeskRefused, TicketNotFound
from bridge.ticket import Answer, Channel, Customer, Requester, Status, Ticket
from tests.adapters.contract import SECRET, TOKEN
from tests.adapters.zendesk_desk import (
    ADDRESS,
    AGENT,
    API,
    CARLA,
    TICKET,
    URL,
    Desk,
    Json,
    comment,
    payload,
    status_change,
    zendesk,
)

Change = Callable[[Desk], object]


@pytest.fixture
def desk(vendor: RequestsMock) -> Desk:
    desk = Desk()
    desk.serve(vendor)
    return desk


def fetched(adapter: Zendesk | None = None) -> Ticket:
    return (adapter or zendesk()).fetch(TICKET)


def calls(vendor: RequestsMock) -> list[str]:
    return [f"{call.request.method} {call.request.path_url}" for call in vendor.calls]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


# The ticket


def test_a_ticket_that_was_just_opened(desk: Desk) -> None:
    assert fetched() == Ticket(
        id="35436",
        number="35436",
        status=Status.OPEN,
        created_at=datetime(2026, 11, 20, 9, tzinfo=UTC),
        updated_at=datetime(2026, 11, 20, 9, tzinfo=UTC),
        channel=Channel.FORM,
        opened_by_agent=False,
        customer=Customer("organization:509974", "Acme GmbH"),
        requester=Requester("Carla Customer", "carla@acme.example"),
    )


def test_an_opened_ticket_costs_one_read(desk: Desk, vendor: RequestsMock) -> None:
    adapter = zendesk()
    fetched(adapter)
    known = len(vendor.calls)
    fetched(adapter)
    assert calls(vendor)[known:] == [
        "GET /api/v2/tickets/35436.json?include=users%2Corganizations%2Ccomment_count%2Cmetric_sets"
    ]


def test_without_our_fields_reading_costs_no_more(desk: Desk, vendor: RequestsMock) -> None:
    """Where nothing is written, nobody needs to set the fields up."""
    for key in FIELD_TYPES:
        desk.lose(key)
    adapter = zendesk()
    fetched(adapter)
    known = len(vendor.calls)
    fetched(adapter)
    assert len(vendor.calls) == known + 1


def test_a_ticket_with_answers_costs_one_read_more(desk: Desk, vendor: RequestsMock) -> None:
    desk.answered()
    adapter = zendesk()
    fetched(adapter)
    known = len(vendor.calls)
    fetched(adapter)
    assert [call.split("?")[0] for call in calls(vendor)[known:]] == [
        "GET /api/v2/tickets/35436.json",
        "GET /api/v2/tickets/35436/audits.json",
    ]


def test_a_ticket_with_a_life_of_its_own(desk: Desk) -> None:
    desk.answered()
    ticket = fetched()
    assert ticket.status is Status.CLOSED
    assert ticket.answers == (
        Answer(at("2026-11-20T10:12:30Z"), str(AGENT)),
        Answer(at("2026-11-20T12:00:00Z"), str(AGENT)),
    )
    assert ticket.marks == {"receipt:77"}
    assert ticket.close_hint == at("2026-11-22T09:00:00Z")


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("new", "open"),
        ("open", "open"),
        ("pending", "pending"),
        ("hold", "pending"),
        ("solved", "closed"),
        ("closed", "closed"),
        ("deleted", "removed"),
    ],
)
def test_every_status_of_zendesks_has_a_status(desk: Desk, name: str, status: str) -> None:
    desk.ticket["status"] = name
    assert fetched().status == status


@pytest.mark.parametrize(
    ("channel", "expected"),
    [
        ("email", Channel.EMAIL),
        ("mail", Channel.EMAIL),
        (4, Channel.EMAIL),
        ("web", Channel.FORM),
        ("web_form", Channel.FORM),
        ("WEB_FORM", Channel.FORM),
        (0, Channel.FORM),
        ("closed_ticket", Channel.FORM),
        ("helpcenter", Channel.PORTAL),
        ("voice", Channel.PHONE),
        ("phone_call_inbound", Channel.PHONE),
        ("chat", Channel.CHAT),
        ("chat_transcript", Channel.CHAT),
        ("native_messaging", Channel.CHAT),
        ("api", Channel.OTHER),
        ("web_service", Channel.OTHER),
        ("carrier_pigeon", Channel.OTHER),
        (4711, Channel.OTHER),
        (None, Channel.OTHER),
    ],
)
def test_the_channel_is_told_in_either_vocabulary(
    desk: Desk, channel: object, expected: Channel
) -> None:
    desk.ticket["via"] = {"channel": channel, "source": {"from": {}, "to": {}, "rel": None}}
    assert fetched().channel is expected


def test_a_messaging_channel_without_a_known_name_is_a_chat(desk: Desk) -> None:
    desk.ticket.update(via={"channel": "carrier_pigeon"}, from_messaging_channel=True)
    assert fetched().channel is Channel.CHAT


@pytest.mark.parametrize(
    ("channel", "submitter", "role", "by_agent", "expected"),
    [
        ("web", AGENT, "agent", True, Channel.AGENT),
        ("web", AGENT, "admin", True, Channel.AGENT),
        ("voice", AGENT, "agent", True, Channel.PHONE),
        ("api", AGENT, "agent", True, Channel.OTHER),
        ("web", CARLA, "agent", False, Channel.FORM),
        ("web", AGENT, "end-user", False, Channel.FORM),
        ("web", AGENT, None, False, Channel.FORM),
        ("web", -1, "agent", False, Channel.FORM),
        ("web", None, "agent", False, Channel.FORM),
        ("email", AGENT, "agent", False, Channel.EMAIL),
    ],
)
def test_an_agent_opened_it_only_in_the_helpdesk_and_for_somebody_else(
    desk: Desk,
    channel: str,
    submitter: int | None,
    role: str | None,
    by_agent: bool,
    expected: Channel,
) -> None:
    """ "A sender address is easily forged, and a ticket spends points"."""
    desk.ticket.update(via={"channel": channel}, submitter_id=submitter)
    desk.user(AGENT)["role"] = role
    ticket = fetched()
    assert (ticket.opened_by_agent, ticket.channel) == (by_agent, expected)


def test_an_agent_who_asks_opened_it_for_nobody_else(desk: Desk) -> None:
    desk.ticket.update(requester_id=AGENT, submitter_id=AGENT)
    ticket = fetched()
    assert (ticket.opened_by_agent, ticket.channel) == (False, Channel.FORM)


@pytest.mark.parametrize(
    ("source", "parent"),
    [
        ({"rel": "follow_up", "from": {"ticket_id": 35001, "subject": "Fire!"}}, "35001"),
        ({"rel": "follow_up", "from": {}}, None),
        ({"rel": None, "from": {"ticket_id": 35001}}, None),
        ({"rel": "problem", "from": {"ticket_id": 35001}}, None),
        (None, None),
    ],
)
def test_a_follow_up_names_the_ticket_that_it_continues(
    desk: Desk, source: Json | None, parent: str | None
) -> None:
    desk.ticket["via"] = {"channel": "email", "source": source}
    assert fetched().follow_up_of == parent


def test_what_a_follow_up_inherits_is_not_read_as_fact(desk: Desk) -> None:
    """Fields: "A display: written from the ledger, never read as fact"."""
    plain = fetched()
    desk.ticket["tags"] = ["points_state_charged", "closed_by_merge"]
    for field in desk.ticket["custom_fields"]:
        field["value"] = "points_state_charged"
    assert fetched() == plain


# The customer


def own(**fields: str) -> Change:
    return lambda desk: desk.answer["organizations"][0]["organization_fields"].update(fields)


@pytest.mark.parametrize(
    ("change", "customer"),
    [
        (
            own(support_timezone=" Asia/Tokyo ", support_country="JP", support_subdivision="13"),
            Customer("organization:509974", "Acme GmbH", "Asia/Tokyo", "JP", "13"),
        ),
        (own(support_timezone=""), Customer("organization:509974", "Acme GmbH")),
    ],
)
def test_zone_country_and_subdivision_come_from_the_organisations_fields(
    desk: Desk, change: Change, customer: Customer
) -> None:
    change(desk)
    assert fetched().customer == customer


def test_the_names_of_those_fields_can_be_chosen(desk: Desk) -> None:
    desk.answer["organizations"][0]["organization_fields"] = {"tz": "Asia/Tokyo", "land": "JP"}
    config = ZendeskConfig(
        URL, (SECRET,), email=ADDRESS, api_token=TOKEN, zone_field="tz", country_field="land"
    )
    customer = fetched(zendesk(config)).customer
    assert (customer.zone, customer.country) == ("Asia/Tokyo", "JP")


@pytest.mark.parametrize(
    ("person", "customer"),
    [
        ({}, Customer("person:20978392", "carla@acme.example", "Europe/Berlin")),
        (
            {"user_fields": {"support_timezone": "Asia/Tokyo", "support_country": "JP"}},
            Customer("person:20978392", "carla@acme.example", "Asia/Tokyo", "JP"),
        ),
        (
            {"email": None, "iana_time_zone": None, "user_fields": None},
            Customer("person:20978392", "20978392"),
        ),
    ],
)
def test_somebody_without_an_organisation_is_known_by_the_address(
    desk: Desk, person: Json, customer: Customer
) -> None:
    """Customer.name: "a display name can be chosen by the sender of a mail"."""
    desk.ticket["organization_id"] = None
    desk.user(CARLA).update(person)
    assert fetched().customer == customer


# Answers that make no sense


@pytest.mark.parametrize(
    "change",
    [
        lambda desk: desk.ticket.update(id=5),
        lambda desk: desk.ticket.update(status="canary"),
        lambda desk: desk.ticket.update(created_at="canary"),
        lambda desk: desk.ticket.update(created_at="2026-11-20T09:00:00"),
        lambda desk: desk.ticket.update(requester_id="canary"),
        lambda desk: desk.ticket.update(requester_id=77),
        lambda desk: desk.ticket.update(organization_id=77),
        lambda desk: desk.answer.update(users=None),
        lambda desk: desk.add_audit(AGENT, status_change("open", "canary"), comment(AGENT)),
        lambda desk: desk.add_audit(AGENT, comment(AGENT), created_at="canary"),
    ],
)
def test_an_answer_that_lacks_or_garbles_something_is_refused_without_its_text(
    desk: Desk, change: Change
) -> None:
    change(desk)
    with pytest.raises(HelpdeskRefused) as refused:
        fetched()
    assert "canary" not in str(refused.value)


def test_a_404_for_something_else_is_no_missing_ticket(desk: Desk, vendor: RequestsMock) -> None:
    vendor.replace("GET", f"{API}/ticket_fields.json", json=payload("error_404"), status=404)
    with pytest.raises(HelpdeskRefused) as refused:
        fetched()
    assert not isinstance(refused.value, TicketNotFound)


def test_whom_zendesk_takes_for_anonymous_is_not_signed_in(
    desk: Desk, vendor: RequestsMock
) -> None:
    """Without credentials users/me answers 200, "Anonymous user"."""
    vendor.replace("GET", f"{API}/users/me.json", json=payload("users_me_anonymous"))
    desk.answered()
    with pytest.raises(HelpdeskRefused, match=r"user\.id"):
        fetched()

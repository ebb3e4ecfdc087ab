"""The Zammad adapter, against what a running Zammad sent and answered.

payloads/zammad holds the recordings: webhooks byte for byte, API answers without `form_meta`,
notification settings and most headers. Each names the recording that it was taken from.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from requests import PreparedRequest
from responses import RequestsMock

from bridge.adapters.answers import IN_A_LINE
from bridge.adapters.zammad.adapter import Zammad, ZammadConfig
from bridge.errors import (
    HelpdeskRefused,
    HelpdeskUnavailable,
    PayloadNotUnderstood,
    SettingsError,
    TicketNotFound,
    WebhookRejected,
)
from bridge.ticket import (
    AccountFields,
    Actor,
    Change,
    Channel,
    Customer,
    Delivery,
    HttpDelivery,
    Note,
    Requester,
    Status,
    StatusChange,
    TicketUpdate,
)
from tests.adapters.contract import FIELDS, MESSAGE, NOW, RECEIPT, SECRET, TOKEN, AdapterContract

PAYLOADS = Path(__file__).parent / "payloads" / "zammad"
WEBHOOKS = sorted((PAYLOADS / "webhooks").glob("*.json"))
URL = "https://zammad.example/help"
API = URL + "/api/v1"
UUID = "bd77e5a4-525d-4aa2-81da-10019f3ee30c"
BOT, AGENT, CARLA, ADMIN = 4, 5, 6, 3
Json = dict[str, Any]


def recorded(name: str) -> Json:
    payload: Json = json.loads((PAYLOADS / f"{name}.json").read_text(encoding="utf-8"))
    return payload


def answer(name: str) -> Any:
    return recorded(name)["response"]["body"]


def webhook(path: Path) -> tuple[Json, HttpDelivery]:
    payload: Json = json.loads(path.read_text(encoding="utf-8"))
    headers = {name.lower(): value for name, value in payload["headers"]}
    received = datetime.fromisoformat(payload["received_at"])
    return payload, HttpDelivery(headers, payload["body"].encode(), received)


def zammad(*secrets: str, url: str = URL) -> Zammad:
    return Zammad(ZammadConfig(url, TOKEN, secrets))


def delivered(body: bytes, **headers: str) -> HttpDelivery:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpDelivery({"x-zammad-delivery": UUID, **names}, body, NOW)


class Server:
    """Zammad's part: one recorded ticket that remembers what is put into it."""

    def __init__(self, snapshot: Json | None = None) -> None:
        self.all: Json = snapshot or recorded_ticket_5()
        self.id = self.all["ticket_id"]
        self.states: list[Json] = answer("ticket_states")
        self.lost: str | None = None
        self.put: list[Json] = []
        self.row.update(dict.fromkeys(POINTS_ATTRIBUTES))
        self.organization: Json = answer("put_organization")
        self.organization |= {"points_balance": None, "points_next_expiry": None}

    @property
    def row(self) -> Json:
        row: Json = self.all["assets"]["Ticket"][str(self.id)]
        return row

    @property
    def articles(self) -> dict[str, Json]:
        articles: dict[str, Json] = self.all["assets"]["TicketArticle"]
        return articles

    def add_article(self, **changes: object) -> Json:
        base = answer("articles_by_ticket")[0]
        id_ = max(int(key) for key in self.articles) + 1
        article = {**base, "id": id_, "ticket_id": self.id, "preferences": {}, **changes}
        self.articles[str(id_)] = article
        return article

    def serve(self, vendor: RequestsMock) -> None:
        for path, reply in {
            f"/tickets/{self.id}": lambda: self.all,
            f"/ticket_articles/by_ticket/{self.id}": lambda: list(self.articles.values()),
            f"/ticket_history/{self.id}": lambda: answer("history"),
            "/users/me": lambda: answer("users_me"),
            "/ticket_states": lambda: self.states,
        }.items():
            vendor.add_callback("GET", API + path, self._reader(reply))
        vendor.add_callback("PUT", f"{API}/tickets/{self.id}", self._store)
        vendor.add_callback("PUT", f"{API}/organizations/2", self._show)

    def _reader(self, reply: Callable[[], Any]) -> Callable[[PreparedRequest], Any]:
        return lambda _request: (200, {"Content-Type": "application/json"}, json.dumps(reply()))

    def _store(self, request: PreparedRequest) -> tuple[int, dict[str, str], str]:
        sent: Json = json.loads(request.body or b"")
        self.put.append(sent)
        if self.lost:
            self.row.pop(self.lost, None)
        self.row.update({name: value for name, value in sent.items() if name in self.row})
        # As recording 040: an instant comes back in UTC with milliseconds.
        for name in ("points_response_due", "pending_time"):
            if self.row.get(name):
                self.row[name] = self.row[name].replace("Z", ".000Z")
        return 200, {}, json.dumps(self.row)

    def _show(self, request: PreparedRequest) -> tuple[int, dict[str, str], str]:
        sent: Json = json.loads(request.body or b"")
        self.organization.pop(self.lost or "", None)
        known = self.organization.keys()
        self.organization.update((name, value) for name, value in sent.items() if name in known)
        return 200, {}, json.dumps(self.organization)


POINTS_ATTRIBUTES = (
    "points_state",
    "points_charged",
    "points_balance",
    "points_next_expiry",
    "points_response_due",
    "points_sla_state",
    "points_free_reopen_until",
)


def recorded_ticket_5() -> Json:
    """Recording 090 as `?all=true` gives it: the assets of both answers have one shape."""
    assets = deepcopy(answer("history")["assets"])
    return {"ticket_id": 5, "ticket_article_ids": [], "assets": assets}


class TestContract(AdapterContract):
    signature_header = "x-hub-signature"
    ticket_id = "5"
    status_field = "points_state"
    organization = "organization:2"
    balance_field = "points_balance"

    @pytest.fixture(autouse=True)
    def _server(self) -> None:
        self.server = Server()

    def adapter(self, *secrets: str) -> Zammad:
        return zammad(*secrets)

    def signed(self, body: bytes, secret: str = SECRET) -> HttpDelivery:
        digest = hmac.new(secret.encode(), body, hashlib.sha1).hexdigest()
        return delivered(
            body, x_zammad_trigger="10 points: ticket created", x_hub_signature=f"sha1={digest}"
        )

    def about_a_ticket(self) -> tuple[bytes, Delivery]:
        _, recording = webhook(WEBHOOKS[1])
        return recording.body, Delivery(UUID, "5", "10 points: ticket created")

    def about_something_else(self) -> bytes:
        return b'{"user":{"id":6}}'

    def serve(
        self, vendor: RequestsMock, *, marks: tuple[str, ...] = (), lost_field: str | None = None
    ) -> None:
        for mark in marks:
            preferences = {"points_bridge": {"mark": mark}}
            self.server.add_article(type_id=10, created_by_id=BOT, preferences=preferences)
        self.server.lost = lost_field
        self.server.serve(vendor)

    def account_shown(self, vendor: RequestsMock) -> AccountFields:
        row, day = self.server.organization, self.server.organization["points_next_expiry"]
        return AccountFields(row["points_balance"], date.fromisoformat(day) if day else None)

    def serve_no_ticket(self, vendor: RequestsMock) -> None:
        missing = recorded("error_404")["response"]["body"]
        for method, path in (
            ("GET", "/tickets/5"),
            ("GET", "/ticket_history/5"),
            ("PUT", "/tickets/5"),
        ):
            vendor.add(method, API + path, json=missing, status=404)

    def notes_sent(self, vendor: RequestsMock) -> list[str]:
        return [sent["article"]["body"] for sent in self.server.put if "article" in sent]


# Webhooks


@pytest.mark.parametrize("path", WEBHOOKS, ids=lambda path: path.stem[:60])
def test_every_recorded_delivery_is_judged_as_zammad_signed_it(path: Path) -> None:
    payload, delivery = webhook(path)
    adapter = zammad(payload["secret"])
    if not payload["signature_verified"]:
        with pytest.raises(WebhookRejected):
            adapter.verify(delivery)
        return
    adapter.verify(delivery)
    read = adapter.parse(delivery)
    assert read
    assert read.id == delivery.headers["x-zammad-delivery"]
    assert read.ticket_id == str(json.loads(payload["body"])["ticket"]["id"])


def test_all_recorded_deliveries_are_here_and_all_but_two_are_signed() -> None:
    verdicts = [webhook(path)[0]["signature_verified"] for path in WEBHOOKS]
    assert (len(verdicts), verdicts.count(False)) == (72, 2)


def test_a_signature_over_the_same_json_written_anew_is_rejected() -> None:
    payload, delivery = webhook(WEBHOOKS[0])
    again = json.dumps(json.loads(delivery.body)).encode()
    with pytest.raises(WebhookRejected):
        zammad(payload["secret"]).verify(replace(delivery, body=again))


def test_a_retry_has_the_id_of_the_first_attempt() -> None:
    """Recordings 157 to 159: "Same X-Zammad-Delivery on every attempt"."""
    attempts = [webhook(path)[1] for path in WEBHOOKS if path.name[:3] in {"157", "158", "159"}]
    assert len(attempts) == 3
    read = [zammad(SECRET).parse(attempt) for attempt in attempts]
    assert len({delivery.id for delivery in read if delivery}) == 1


def test_the_trigger_name_is_read_as_utf_8() -> None:
    path = next(path for path in WEBHOOKS if path.name.startswith("229"))
    read = zammad(SECRET).parse(webhook(path)[1])
    assert read
    assert read.event == "95 Größe geändert ✓"


@pytest.mark.parametrize(
    ("header", "label"),
    [
        ("", ""),
        ("10 points: ticket created", "10 points: ticket created"),
        ("caf\xe9", "café"),
        ("a\x00b\x1b[31m\u2028c", "a b [31m c"),
        ("snow \u2603", "snow ☃"),
        ("\ud800", ""),
        ("x" * 500, "x" * 80),
    ],
)
def test_the_trigger_name_becomes_a_short_printable_label(header: str, label: str) -> None:
    read = zammad(SECRET).parse(delivered(b'{"ticket":{"id":5}}', x_zammad_trigger=header))
    assert read
    assert read.event == label


@pytest.mark.parametrize(
    "id_", ["", "5", "x" * 36, UUID + "\n", UUID * 9, UUID[:-1] + "é", f"{{{UUID}}}"]
)
def test_a_delivery_id_that_is_no_uuid_is_not_understood(id_: str) -> None:
    with pytest.raises(PayloadNotUnderstood):
        zammad(SECRET).parse(delivered(b'{"ticket":{"id":5}}', x_zammad_delivery=id_))


@pytest.mark.parametrize(
    "ticket",
    [
        "null",
        "[]",
        "5",
        "{}",
        '{"id":null}',
        '{"id":"5"}',
        '{"id":true}',
        '{"id":5.0}',
        '{"id":0}',
        '{"id":-5}',
        '{"id":9223372036854775808}',
        '{"id":[5]}',
        '{"id":1e3}',
    ],
)
def test_a_ticket_without_a_usable_id_is_not_understood(ticket: str) -> None:
    with pytest.raises(PayloadNotUnderstood):
        zammad(SECRET).parse(delivered(f'{{"ticket":{ticket},"article":{{}}}}'.encode()))


@pytest.mark.parametrize(
    "body",
    [
        b'{"ticket":{"id":5},"article":{}}',
        b'{"ticket":{"id":5,"title":"\\ud800"},"article":null}',
        b'{"article":{"body":"' + b"x" * 1_000_000 + b'"},"ticket":{"id":5}}',
    ],
)
def test_only_the_ticket_id_is_read_from_a_body(body: bytes) -> None:
    assert zammad(SECRET).parse(delivered(body)) == Delivery(UUID, "5", "")


# Reading


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


# History


def turns(changes: Iterable[Change]) -> list[StatusChange]:
    return [change for change in changes if isinstance(change, StatusChange)]


def line(change: Change) -> int:
    """The id of the line of Zammad's history that tells it."""
    return change.seq // IN_A_LINE


def test_the_recorded_history_tells_each_change(vendor: RequestsMock) -> None:
    """Recording 090: agent 5 closes and re-opens, closes with a reply, Carla re-opens."""
    Server().serve(vendor)
    changes = turns(zammad(SECRET).history("5"))
    assert [(line(c), c.before.value, c.after.value, c.actor, c.who) for c in changes] == [
        (84, "open", "closed", Actor.AGENT, "5"),
        (90, "closed", "open", Actor.AGENT, "5"),
        (94, "open", "closed", Actor.AGENT, "5"),
        (110, "closed", "open", Actor.CUSTOMER, "6"),
    ]
    assert changes[0].at == datetime(2026, 11, 22, 18, 38, 52, 596_000, tzinfo=UTC)


def test_three_changes_within_a_second_are_all_told(vendor: RequestsMock) -> None:
    """Recordings 219 to 221: the webhooks of these three all showed one and the same state."""
    server = Server()
    vendor.add("GET", f"{API}/ticket_history/5", json=answer("history_long"))
    server.serve(vendor)
    changes = [c for c in turns(zammad(SECRET).history("5")) if line(c) in {369, 371, 374}]
    assert [change.after.value for change in changes] == ["open", "closed", "open"]


def history_row(id_: int, id_from: int | None, id_to: int | None, **changes: object) -> Json:
    row = next(r for r in answer("history")["history"] if r.get("attribute") == "state")
    return {**row, "id": id_, "id_from": id_from, "id_to": id_to, **changes}


def test_only_changes_of_this_tickets_status_are_told_oldest_first(vendor: RequestsMock) -> None:
    rows = [
        history_row(9, 2, 5, created_by_id=AGENT),
        history_row(3, 1, 2),
        history_row(4, 2, 3),
        history_row(5, 3, 7),
        history_row(6, 7, 4),
        history_row(7, 4, 2, o_id=6),
        history_row(8, 4, 2, object="Ticket::Article"),
        history_row(10, 4, 2, attribute="priority"),
    ]
    vendor.add("GET", f"{API}/ticket_history/5", json={"history": rows, "assets": {}})
    vendor.add("GET", f"{API}/ticket_states", json=answer("ticket_states"))
    vendor.add("GET", f"{API}/users/me", json=answer("users_me"))
    changes = turns(zammad(SECRET).history("5"))
    assert [(line(c), c.before, c.after) for c in changes] == [
        (4, Status.OPEN, Status.PENDING),
        (6, Status.PENDING, Status.CLOSED),
        (9, Status.OPEN, Status.MERGED),
    ]
    at = datetime(2026, 11, 22, 18, 38, 11, 646_000, tzinfo=UTC)
    by = (Actor.CUSTOMER, str(AGENT))  # nothing in the assets says that he is an agent
    assert changes[2] == StatusChange(9 * IN_A_LINE, at, *by, Status.OPEN, Status.MERGED)


@pytest.mark.parametrize("states", [(None, 4), (4, None), (99, 4)])
def test_a_change_between_unknown_states_is_refused(
    vendor: RequestsMock, states: tuple[int | None, int | None]
) -> None:
    vendor.add("GET", f"{API}/ticket_history/5", json={"history": [history_row(3, *states)]})
    vendor.add("GET", f"{API}/ticket_states", json=answer("ticket_states"))
    vendor.add("GET", f"{API}/users/me", json=answer("users_me"))
    with pytest.raises(HelpdeskRefused):
        zammad(SECRET).history("5")


# Writing


def written(vendor: RequestsMock, update: TicketUpdate, server: Server | None = None) -> Json:
    server = server or Server()
    server.serve(vendor)
    zammad(SECRET).write(update)
    assert len(server.put) == 1
    return server.put[0]


def test_the_fields_are_sent_as_typed_json(vendor: RequestsMock) -> None:
    assert written(vendor, TicketUpdate("5", FIELDS)) == {
        "points_state": "charged",
        "points_charged": 10,
        "points_balance": 90,
        "points_next_expiry": "2027-11-22",
        "points_response_due": "2026-11-23T13:00:00Z",
        "points_sla_state": "running",
        "points_free_reopen_until": None,
    }


def test_fields_that_say_nothing_are_emptied(vendor: RequestsMock) -> None:
    fields = replace(FIELDS, next_expiry=None, response_due=None, sla=None)
    sent = written(vendor, TicketUpdate("5", fields))
    empty = {name for name, value in sent.items() if value is None}
    assert empty == {
        "points_next_expiry",
        "points_response_due",
        "points_sla_state",
        "points_free_reopen_until",
    }


@pytest.mark.parametrize(
    ("status", "sent"),
    [
        (Status.OPEN, {"state_id": 2}),
        (Status.CLOSED, {"state_id": 4}),
        (Status.PENDING, {"state_id": 3, "pending_time": "2026-11-23T12:00:00Z"}),
    ],
)
def test_a_status_is_sent_as_the_id_of_the_seeded_state(
    vendor: RequestsMock, status: Status, sent: Json
) -> None:
    body = written(vendor, TicketUpdate("5", FIELDS, status, pending_until=NOW))
    assert {name: body.get(name) for name in sent} == sent
    assert ("pending_time" in body) is (status is Status.PENDING)


@pytest.mark.parametrize(
    ("seconds", "sent"),
    [(0, "12:00:00"), (0.5, "12:01:00"), (1, "12:01:00"), (59.9, "12:01:00"), (60, "12:01:00")],
)
def test_a_pending_time_is_never_cut_to_an_earlier_minute(
    vendor: RequestsMock, seconds: float, sent: str
) -> None:
    """Zammad's `resets_pending_time_seconds.rb` stores whole minutes."""
    until = (NOW + timedelta(seconds=seconds)).astimezone(timezone(timedelta(hours=9)))
    body = written(vendor, TicketUpdate("5", FIELDS, Status.PENDING, pending_until=until))
    assert body["pending_time"] == f"2026-11-23T{sent}Z"


def test_a_state_that_an_admin_made_inactive_is_not_written(vendor: RequestsMock) -> None:
    server = Server()
    closed = next(state for state in server.states if state["id"] == 4)
    server.states.insert(0, {**closed, "id": 11, "name": "resolved"})
    server.states.insert(0, {**closed, "id": 12, "name": "done"})
    closed["active"] = False
    assert written(vendor, TicketUpdate("5", FIELDS, Status.CLOSED), server)["state_id"] == 11


@pytest.mark.parametrize("status", [Status.MERGED, Status.REMOVED])
def test_a_status_that_only_the_helpdesk_gives_is_refused(
    vendor: RequestsMock, status: Status
) -> None:
    server = Server()
    server.serve(vendor)
    with pytest.raises(HelpdeskRefused, match=status):
        zammad(SECRET).write(TicketUpdate("5", FIELDS, status))
    assert server.put == []


def test_pending_without_a_time_is_refused_before_zammad_does(vendor: RequestsMock) -> None:
    """Recording 152 answers 422 "Error ID ...: Please contact your administrator."."""
    server = Server()
    server.serve(vendor)
    with pytest.raises(HelpdeskRefused, match="without a time"):
        zammad(SECRET).write(TicketUpdate("5", FIELDS, Status.PENDING))
    assert server.put == []


def test_an_internal_note_is_seen_by_agents_only(vendor: RequestsMock) -> None:
    assert written(vendor, TicketUpdate("5", FIELDS, note=RECEIPT))["article"] == {
        "subject": "Points",
        "body": "10 points were charged.",
        "content_type": "text/plain",
        "type": "note",
        "internal": True,
        "preferences": {"points_bridge": {"mark": "receipt:1"}},
    }


def test_a_public_text_is_mailed_by_the_system(vendor: RequestsMock) -> None:
    """From an agent it "sets first_response_at and kills the SLA clock"."""
    assert written(vendor, TicketUpdate("5", FIELDS, note=MESSAGE))["article"] == {
        "subject": "Points",
        "body": "Please buy points.",
        "content_type": "text/plain",
        "sender": "System",
        "type": "email",
        "to": "carla@acme.example",
        "internal": False,
        "preferences": {"points_bridge": {"mark": "held:1"}},
    }


@pytest.mark.parametrize(
    ("kind", "id_", "change"),
    [("Group", "1", {"email_address_id": None}), ("User", "6", {"email": ""})],
)
def test_a_public_text_that_cannot_be_mailed_is_a_public_note(
    vendor: RequestsMock, kind: str, id_: str, change: Json
) -> None:
    """`type:"email"` in a group without address answers 500."""
    server = Server()
    server.all["assets"][kind][id_].update(change)
    article = written(vendor, TicketUpdate("5", FIELDS, note=MESSAGE), server)["article"]
    assert (article["type"], article["internal"], article["sender"]) == ("note", False, "System")
    assert "to" not in article


@pytest.mark.parametrize("text", ["#{ticket.title}", "##{{x}}", "a #{config.secret} b", "#{#{x}}"])
def test_zammads_placeholders_are_not_passed_on(vendor: RequestsMock, text: str) -> None:
    """ "nor the helpdesk's placeholder syntax"."""
    note = Note("m", f"{text}\r\nBcc: x", text, public=True)
    article = written(vendor, TicketUpdate("5", FIELDS, note=note))["article"]
    assert "#{" not in article["body"] + article["subject"]
    assert not set("\r\n") & set(article["subject"])


def test_a_retried_public_text_asks_again_where_to_send_it(vendor: RequestsMock) -> None:
    server = Server()
    server.serve(vendor)
    adapter = zammad(SECRET)
    adapter.fetch("5")
    adapter.write(TicketUpdate("5", FIELDS, note=MESSAGE))
    server.all["assets"]["Group"]["1"]["email_address_id"] = None
    adapter.write(TicketUpdate("5", FIELDS, note=MESSAGE, repeat=True))
    assert [sent["article"]["type"] for sent in server.put] == ["email", "note"]


def stored(vendor: RequestsMock, **values: object) -> None:
    """Zammad answers with other values than it was sent."""
    server = Server()
    good = {
        "points_state": "charged",
        "points_charged": 10,
        "points_balance": 90,
        "points_next_expiry": "2027-11-22",
        "points_response_due": "2026-11-23T13:00:00.000Z",
        "points_sla_state": "running",
        "points_free_reopen_until": None,
    }
    vendor.add("PUT", f"{API}/tickets/5", json={**server.row, **good, **values})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("points_response_due", "2026-11-23T14:00:00+01:00"),
        ("points_response_due", "2026-11-23T13:00:00.999Z"),
        ("points_free_reopen_until", ""),
    ],
)
def test_the_same_value_in_another_notation_is_stored(
    vendor: RequestsMock, name: str, value: object
) -> None:
    stored(vendor, **{name: value})
    zammad(SECRET).write(TicketUpdate("5", FIELDS))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("points_state", ""),
        ("points_state", None),
        ("points_charged", 0),
        ("points_charged", "10"),
        ("points_charged", 10.0),
        ("points_charged", None),
        ("points_balance", True),
        ("points_next_expiry", "2027-11-23"),
        ("points_next_expiry", None),
        ("points_response_due", None),
        ("points_response_due", "2026-11-23T13:00:08.000Z"),
        ("points_response_due", "2026-11-23T13:00:00"),
        ("points_response_due", "soon"),
        ("points_response_due", 1_795_438_807),
        ("points_sla_state", "met"),
        ("points_free_reopen_until", "2027-02-01"),
        ("points_free_reopen_until", False),
    ],
)
def test_another_stored_value_is_refused_by_name_although_zammad_says_200(
    vendor: RequestsMock, name: str, value: object
) -> None:
    """Recordings 037 and 039: "abc" becomes 0 and a bad date null, both with 200."""
    stored(vendor, **{name: value})
    with pytest.raises(HelpdeskRefused, match=rf"another value than it was sent in {name}:"):
        zammad(SECRET).write(TicketUpdate("5", FIELDS))


def test_a_status_that_zammad_did_not_take_is_refused(vendor: RequestsMock) -> None:
    stored(vendor, state_id=2)
    vendor.add("GET", f"{API}/ticket_states", json=answer("ticket_states"))
    with pytest.raises(HelpdeskRefused, match="state_id"):
        zammad(SECRET).write(TicketUpdate("5", FIELDS, Status.CLOSED))


def test_a_zammad_without_our_attributes_is_refused_with_the_remedy(vendor: RequestsMock) -> None:
    """Recording 041: an unknown attribute is ignored, and the answer is 200."""
    ignored = recorded("put_unknown_attribute")
    assert ignored["response"]["status"] == 200
    vendor.add("PUT", f"{API}/tickets/5", json=ignored["response"]["body"])
    with pytest.raises(HelpdeskRefused, match=r"points_state.*points-bridge setup.*migrations"):
        zammad(SECRET).write(TicketUpdate("5", FIELDS))


@pytest.mark.parametrize(
    ("name", "error", "told"),
    [
        ("error_401_wrong_token", HelpdeskRefused, "access token"),
        ("error_403_no_token", HelpdeskRefused, "ticket.agent"),
        ("error_403_foreign_ticket", HelpdeskRefused, "full access"),
        ("error_404", TicketNotFound, "no such ticket"),
        ("error_404_no_route", HelpdeskRefused, "404"),
        ("error_422_pending_without_time", HelpdeskRefused, "Error ID"),
        ("error_422_closed_for_good", HelpdeskRefused, "Cannot follow-up on a closed ticket"),
        ("put_unknown_option", HelpdeskRefused, "bogus_option"),
        ("put_integer_below_min", HelpdeskRefused, "minimum value of 0"),
        ("error_500", HelpdeskUnavailable, "500"),
    ],
)
def test_a_recorded_error_becomes_one_of_ours_with_a_remedy(
    vendor: RequestsMock, name: str, error: type[Exception], told: str
) -> None:
    response = recorded(name)["response"]
    vendor.add("PUT", f"{API}/tickets/5", json=response["body"], status=response["status"])
    with pytest.raises(error, match=told) as failed:
        zammad(SECRET).write(TicketUpdate("5", FIELDS))
    assert type(failed.value) is error


def test_the_reason_of_a_422_is_trimmed_to_one_line_without_addresses(vendor: RequestsMock) -> None:
    reason = "Invalid email\n'carla@acme.example' " + "x" * 1_000
    vendor.add("PUT", f"{API}/tickets/5", json={"error": reason}, status=422)
    with pytest.raises(HelpdeskRefused) as refused:
        zammad(SECRET).write(TicketUpdate("5", FIELDS))
    told = str(refused.value)
    assert "Invalid email <address>" in told
    assert len(told) < 300


def test_the_token_goes_to_zammad_in_its_own_scheme(vendor: RequestsMock) -> None:
    Server().serve(vendor)
    zammad(SECRET).fetch("5")
    assert {call.request.headers["Authorization"] for call in vendor.calls} == {
        f"Token token={TOKEN}"
    }


def test_the_configuration_does_not_show_its_secrets() -> None:
    shown = repr(ZammadConfig(URL, TOKEN, (SECRET,)))
    assert URL in shown
    assert TOKEN not in shown
    assert SECRET not in shown


@pytest.mark.parametrize("url", ["", "zammad.example", "https://user:pw@zammad.example"])
def test_a_url_that_cannot_be_right_fails_at_start(url: str) -> None:
    with pytest.raises(SettingsError):
        zammad(SECRET, url=url)


def test_what_is_remembered_of_tickets_is_bounded(
    vendor: RequestsMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.adapters.zammad.adapter._REMEMBERED_TICKETS", 2)
    vendor.add("GET", f"{API}/users/me", json=answer("users_me"))
    vendor.add("GET", f"{API}/ticket_states", json=answer("ticket_states"))
    adapter = zammad(SECRET)
    for id_ in (5, 6, 7, 8):
        snapshot = recorded_ticket_5()
        row = {**snapshot["assets"]["Ticket"]["5"], "id": id_}
        snapshot = {**snapshot, "ticket_id": id_}
        snapshot["assets"]["Ticket"] = {str(id_): row}
        vendor.add("GET", f"{API}/tickets/{id_}", json=snapshot)
        adapter.fetch(str(id_))
    assert list(adapter._mail_to) == ["7", "8"]

"""The Zendesk adapter: the contract, with both credentials, and Zendesk's webhooks."""

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from datetime import date, datetime, timedelta
from html import unescape

import pytest
from responses import RequestsMock

from bridge.adapters.zendesk.adapter import Zendesk
from bridge.errors import PayloadNotUnderstood, WebhookRejected
from bridge.ticket import AccountFields, Delivery, HttpDelivery
from tests.adapters.contract import NOW, SECRET, AdapterContract
from tests.adapters.zendesk_desk import (
    ACME,
    AGENT,
    API,
    TICKET,
    Desk,
    field_change,
    payload,
    status_change,
    with_api_token,
    with_oauth,
    zendesk,
)

INVOCATION = "01HAM8R4W6FZ3ZXP1Q7K9J2B5T"
TRIGGERED = b'{"event":"created","ticket_id":"35436"}'


def signed(
    body: bytes, secret: str = SECRET, at: str = f"{NOW:%Y-%m-%dT%H:%M:%SZ}"
) -> HttpDelivery:
    mac = hmac.new(secret.encode(), at.encode() + body, hashlib.sha256)
    return HttpDelivery(
        {
            "x-zendesk-webhook-signature": base64.b64encode(mac.digest()).decode(),
            "x-zendesk-webhook-signature-timestamp": at,
            "x-zendesk-webhook-invocation-id": INVOCATION,
        },
        body,
        NOW,
    )


def event(name: str, **changes: object) -> bytes:
    return json.dumps({**payload(name), **changes}, indent=2).encode()


class TestContractWithAnApiToken(AdapterContract):
    signature_header = "x-zendesk-webhook-signature"
    ticket_id = TICKET
    status_field = "points_state"
    organization = f"organization:{ACME}"
    balance_field = "points_balance"

    @pytest.fixture(autouse=True)
    def _desk(self) -> None:
        self.desk = Desk()
        self.desk.add_audit(
            AGENT, status_change("new", "solved"), field_change("group_id", "7", "8")
        )
        self.desk.add_audit(AGENT, status_change("solved", "open"))

    def adapter(self, *secrets: str) -> Zendesk:
        return zendesk(with_api_token(*secrets))

    def signed(self, body: bytes, secret: str = SECRET) -> HttpDelivery:
        return signed(body, secret)

    def about_a_ticket(self) -> tuple[bytes, Delivery]:
        return TRIGGERED, Delivery(INVOCATION, TICKET, "created")

    def about_something_else(self) -> bytes:
        return event("event_user_created")

    def serve(
        self, vendor: RequestsMock, *, marks: tuple[str, ...] = (), lost_field: str | None = None
    ) -> None:
        for mark in marks:
            self.desk.add_mark(mark)
        if lost_field:
            self.desk.lose(lost_field)
        self.desk.serve(vendor)

    def account_shown(self, vendor: RequestsMock) -> AccountFields:
        fields = self.desk.organization["organization_fields"]
        day = str(fields["points_next_expiry"] or "").removesuffix("T00:00:00+00:00")
        return AccountFields(fields["points_balance"], date.fromisoformat(day) if day else None)

    def serve_no_ticket(self, vendor: RequestsMock) -> None:
        ticket = f"{API}/tickets/{TICKET}"
        for method, url in (
            ("GET", f"{ticket}.json"),
            ("GET", f"{ticket}/audits.json"),
            ("PUT", f"{ticket}.json"),
        ):
            vendor.add(method, url, json=payload("error_404"), status=404)
        self.desk.serve(vendor)

    def notes_sent(self, vendor: RequestsMock) -> list[str]:
        sent = [sent["comment"]["html_body"] for sent in self.desk.put if "comment" in sent]
        return [unescape(text.removeprefix("<p>").removesuffix("</p>")) for text in sent]


class TestContractWithAnOAuthClient(TestContractWithAnApiToken):
    def adapter(self, *secrets: str) -> Zendesk:
        return zendesk(with_oauth(*secrets))


# Webhooks


def adapter(*secrets: str) -> Zendesk:
    return zendesk(with_oauth(*(secrets or (SECRET,))))


def test_the_signature_is_the_one_that_zendesk_makes() -> None:
    """Base64 of HMAC-SHA256 over the timestamp and the body with nothing between, made by Node."""
    at = "2026-11-22T18:00:00Z"
    headers = {
        "x-zendesk-webhook-signature": "aPvq2q95o+NcaxlaJxmN5k3+7HasjwxHPtGmWAt7CN0=",
        "x-zendesk-webhook-signature-timestamp": at,
    }
    body = b'{"ticket_id":"35436","event":"created"}'
    delivery = HttpDelivery(headers, body, datetime.fromisoformat(at))
    adapter("dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ==").verify(delivery)


@pytest.mark.parametrize("seconds", [-300, -1, 0, 300])
def test_a_delivery_that_was_signed_just_now_is_accepted(seconds: int) -> None:
    delivery = signed(TRIGGERED)
    received = NOW + timedelta(seconds=seconds)
    adapter().verify(replace(delivery, received_at=received))


@pytest.mark.parametrize("seconds", [-301, 301, 86_400])
def test_a_delivery_that_was_signed_at_another_time_is_rejected(seconds: int) -> None:
    """So that one that was overheard cannot be sent again later."""
    received = NOW + timedelta(seconds=seconds)
    with pytest.raises(WebhookRejected):
        adapter().verify(replace(signed(TRIGGERED), received_at=received))


@pytest.mark.parametrize(
    "at",
    [
        "",
        "now",
        "1795435200",
        "2026-11-23T12:00:00",
        "2026-11-23 12:00",
        "9999-99-99T99:99:99Z",
        "\u0662026-11-23T12:00:00Z",
    ],
)
def test_a_signed_time_that_is_no_instant_is_rejected(at: str) -> None:
    with pytest.raises(WebhookRejected):
        adapter().verify(signed(TRIGGERED, at=at))


@pytest.mark.parametrize("at", [None, "2026-11-23T12:00:01Z", "\ud800"])
def test_the_time_of_signing_is_signed_too(at: str | None) -> None:
    good = signed(TRIGGERED)
    headers = dict(good.headers)
    del headers["x-zendesk-webhook-signature-timestamp"]
    if at is not None:
        headers["x-zendesk-webhook-signature-timestamp"] = at
    with pytest.raises(WebhookRejected):
        adapter().verify(replace(good, headers=headers))


@pytest.mark.parametrize(
    ("body", "ticket_id", "label"),
    [
        (b'{"event":"created","ticket_id":"35436"}', "35436", "created"),
        (b'{"ticket_id":35436}', "35436", ""),
        (b'{"ticket_id":"035436","event":5}', "35436", ""),
        (b'{"event":"a\\u0000b\\u2028c","ticket_id":"1"}', "1", "a b c"),
        (json.dumps({"event": "x" * 500, "ticket_id": "1"}).encode(), "1", "x" * 80),
        (event("event_merged"), "35436", "ticket.merged"),
        (event("event_soft_deleted"), "35436", "ticket.soft_deleted"),
        (event("event_organization_changed"), "35436", "ticket.organization_changed"),
        (
            event("event_merged", type="zen:event-type:ticket.undeleted"),
            "35436",
            "ticket.undeleted",
        ),
    ],
)
def test_triggers_and_ticket_events_name_the_ticket_to_look_at(
    body: bytes, ticket_id: str, label: str
) -> None:
    assert adapter().parse(signed(body)) == Delivery(INVOCATION, ticket_id, label)


@pytest.mark.parametrize(
    "type_", ["zen:event-type:organization.created", "zen:event-type:ticketing", "", None, 5]
)
def test_an_event_that_is_not_a_tickets_is_ignored(type_: object) -> None:
    assert adapter().parse(signed(event("event_merged", type=type_))) is None


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"event":"created"}',
        b'{"ticket_id":""}',
        b'{"ticket_id":"0"}',
        b'{"ticket_id":"-5"}',
        b'{"ticket_id":"{{ticket.id}}"}',
        b'{"ticket_id":" 5"}',
        b'{"ticket_id":true}',
        b'{"ticket_id":5.0}',
        b'{"ticket_id":[5]}',
        b'{"ticket_id":"9223372036854775808"}',
        b'{"ticket_id":"\\u0665"}',
        event("event_merged", detail=None),
        event("event_merged", detail={"id": ""}),
        event("event_merged", detail={"id": "0"}),
    ],
)
def test_a_body_without_a_usable_ticket_id_is_not_understood(body: bytes) -> None:
    with pytest.raises(PayloadNotUnderstood):
        adapter().parse(signed(body))


def test_a_retry_is_signed_anew_and_has_the_id_of_the_first_attempt() -> None:
    """As recorded: the second attempt came eight minutes later, with the same invocation id."""
    later = NOW + timedelta(minutes=8)
    first = signed(TRIGGERED)
    second = replace(signed(TRIGGERED, at=later.isoformat()), received_at=later)
    assert first.headers != second.headers
    assert adapter().parse(first) == adapter().parse(second)
    adapter().verify(second)


@pytest.mark.parametrize("invocation", [None, "", "x", "x" * 65, "01HAM/../8R4W6FZ", "ü" * 26])
def test_without_a_usable_invocation_id_time_and_body_tell_deliveries_apart(
    invocation: str | None,
) -> None:
    def read(delivery: HttpDelivery) -> str:
        headers = {**delivery.headers, "x-zendesk-webhook-invocation-id": invocation or ""}
        parsed = adapter().parse(replace(delivery, headers=headers))
        assert parsed
        return parsed.id

    same = [read(signed(TRIGGERED)), read(signed(TRIGGERED, "another secret"))]
    others = [
        read(signed(TRIGGERED, at="2026-11-23T12:00:01Z")),
        read(signed(TRIGGERED.replace(b"created", b"updated"))),
    ]
    assert len(set(same)) == 1
    assert len({*same, *others}) == 3
    assert all(len(id_) == 64 for id_ in same)

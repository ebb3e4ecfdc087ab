"""The Zammad adapter, against what a running Zammad sent: the contract, and Zammad's webhooks."""

import hashlib
import hmac
import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from responses import RequestsMock

from bridge.adapters.zammad.adapter import Zammad
from bridge.errors import PayloadNotUnderstood, WebhookRejected
from bridge.ticket import AccountFields, Delivery, HttpDelivery
from tests.adapters.contract import SECRET, AdapterContract
from tests.adapters.zammad_server import (
    API,
    BOT,
    UUID,
    WEBHOOKS,
    Server,
    delivered,
    recorded,
    webhook,
    zammad,
)


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

"""The receiver: 2xx only for what is stored, never a 500, and the raw bytes as they arrived."""

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import cast

import pytest
from flask.testing import FlaskClient
from structlog.testing import capture_logs
from structlog.typing import EventDict
from werkzeug.test import TestResponse

from bridge.bootstrap import Inbound
from bridge.errors import (
    HelpdeskRefused,
    HelpdeskUnavailable,
    LedgerBusy,
    PayloadNotUnderstood,
    Retryable,
    SettingsError,
    UnknownHelpdesk,
    WebhookRejected,
)
from bridge.ticket import HttpDelivery, Received
from webhooks import create_app
from webhooks.receiver import MAX_BODY_BYTES

ARRIVAL = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
HOOK = "/webhooks/support"


@dataclass
class FakeInbound:
    """Remembers what it is handed, then gives `outcome`, or raises it."""

    outcome: Received | Exception = Received.STORED
    wrong: list[str] = field(default_factory=list)
    received: list[tuple[str, HttpDelivery]] = field(default_factory=list)

    def receive(self, helpdesk: str, delivery: HttpDelivery) -> Received:
        self.received.append((helpdesk, delivery))
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    def problems(self) -> list[str]:
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.wrong


@pytest.fixture
def inbound() -> FakeInbound:
    return FakeInbound()


@pytest.fixture
def client(inbound: FakeInbound) -> FlaskClient:
    return create_app(cast("Inbound", inbound), clock=lambda: ARRIVAL).test_client()


@pytest.fixture
def logged() -> Iterator[list[EventDict]]:
    with capture_logs() as captured:
        yield captured


def assert_refused(response: TestResponse, status: int) -> None:
    assert response.status_code == status
    assert response.content_type == "application/json"
    assert set(response.get_json()) == {"error"}


class TestADelivery:
    @pytest.mark.parametrize(
        ("outcome", "status"),
        [(Received.STORED, 202), (Received.DUPLICATE, 200), (Received.IGNORED, 200)],
    )
    def test_is_answered_with_what_became_of_it(
        self, client: FlaskClient, inbound: FakeInbound, outcome: Received, status: int
    ) -> None:
        inbound.outcome = outcome
        response = client.post(HOOK, data=b"{}")
        assert (response.status_code, response.get_json()) == (status, {"status": outcome.value})

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"\x00\xff\xfe not JSON",
            b"[" * 100_000,
            b'{"n": ' + b"9" * 5000 + b"}",
            b'  {"spaces":  "stay"}\r\n',
            b"x" * MAX_BODY_BYTES,
        ],
        ids=["empty", "binary", "deep", "long number", "spaces", "as long as may be"],
    )
    @pytest.mark.parametrize(
        "content_type",
        [
            "application/json; charset=utf-8",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "text/plain; charset=no-such",
            "",
        ],
    )
    def test_is_handed_on_as_raw_bytes_whatever_its_type(
        self, client: FlaskClient, inbound: FakeInbound, body: bytes, content_type: str
    ) -> None:
        stream = io.BytesIO(body)
        response = client.post(HOOK, input_stream=stream, content_type=content_type)
        assert response.status_code == 202
        [(helpdesk, delivery)] = inbound.received
        assert helpdesk == "support"
        assert delivery.body == body
        assert delivery.received_at == ARRIVAL

    def test_has_its_header_names_in_lower_case(
        self, client: FlaskClient, inbound: FakeInbound
    ) -> None:
        client.post(HOOK, headers={"X-Hub-Signature": "sha1=AbC", "X-Zammad-Delivery": "7"})
        headers = inbound.received[0][1].headers
        assert headers["x-hub-signature"] == "sha1=AbC"
        assert headers["x-zammad-delivery"] == "7"
        assert all(name == name.lower() for name in headers)

    def test_has_repeated_headers_joined(self, client: FlaskClient, inbound: FakeInbound) -> None:
        client.post(HOOK, headers=[("X-Hub-Signature", "one"), ("X-Hub-Signature", "two")])
        value = inbound.received[0][1].headers["x-hub-signature"]
        assert [part.strip() for part in value.split(",")] == ["one", "two"]

    def test_may_have_headers_that_are_not_ascii(
        self, client: FlaskClient, inbound: FakeInbound
    ) -> None:
        # PEP 3333: a server hands the bytes of a header on as latin-1.
        odd = "sha1=\xe9\xff\x80"
        response = client.post(HOOK, environ_overrides={"HTTP_X_HUB_SIGNATURE": odd})
        assert response.status_code == 202
        assert inbound.received[0][1].headers["x-hub-signature"] == odd

    def test_may_come_in_chunks_without_a_length(
        self, client: FlaskClient, inbound: FakeInbound
    ) -> None:
        assert post_chunked(client, b"{}").status_code == 202
        assert inbound.received[0][1].body == b"{}"


def post_chunked(client: FlaskClient, body: bytes) -> TestResponse:
    return client.post(
        HOOK,
        input_stream=io.BytesIO(body),
        headers={"Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input_terminated": True},
    )


class TestABodyThatIsTooLong:
    @pytest.mark.parametrize("more", [1, 10 * MAX_BODY_BYTES])
    def test_is_refused(self, client: FlaskClient, inbound: FakeInbound, more: int) -> None:
        response = client.post(HOOK, data=b"x" * (MAX_BODY_BYTES + more))
        assert_refused(response, 413)
        assert inbound.received == []

    def test_is_refused_in_chunks_too(self, client: FlaskClient, inbound: FakeInbound) -> None:
        assert_refused(post_chunked(client, b"x" * (MAX_BODY_BYTES + 1)), 413)
        assert inbound.received == []

    def test_is_not_even_read_when_it_says_so_itself(self, client: FlaskClient) -> None:
        body = io.BytesIO(b"x" * 10)
        response = client.post(
            HOOK, input_stream=body, environ_overrides={"CONTENT_LENGTH": str(2 * MAX_BODY_BYTES)}
        )
        assert_refused(response, 413)
        assert body.tell() == 0


class TestAFailure:
    @pytest.mark.parametrize(
        ("failure", "status"),
        [
            (WebhookRejected("canary"), 401),
            (UnknownHelpdesk("canary"), 404),
            (PayloadNotUnderstood("canary"), 422),
            (LedgerBusy("canary"), 503),
            (HelpdeskUnavailable("canary", retry_after=7), 503),
            (Retryable("canary"), 503),
            (HelpdeskRefused("canary"), 503),
            (SettingsError("canary"), 503),
            (ValueError("canary"), 503),
            (RecursionError("canary"), 503),
            (MemoryError("canary"), 503),
            (OSError(28, "canary"), 503),
        ],
        ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
    )
    def test_is_answered_with_its_status_and_tells_strangers_nothing(
        self,
        client: FlaskClient,
        inbound: FakeInbound,
        logged: list[EventDict],
        failure: Exception,
        status: int,
    ) -> None:
        inbound.outcome = failure
        response = client.post(HOOK, data=b"{}")
        assert_refused(response, status)
        assert "canary" not in response.text
        assert "Traceback" not in response.text
        assert response.headers.get("Retry-After") == ("30" if status == 503 else None)
        assert [line["error"] for line in logged] == [type(failure).__name__]

    def test_of_ours_is_logged_with_its_reason(
        self, client: FlaskClient, inbound: FakeInbound, logged: list[EventDict]
    ) -> None:
        inbound.outcome = WebhookRejected("the delivery is not signed")
        client.post(HOOK, data=b"{}")
        assert logged[0]["reason"] == "the delivery is not signed"
        assert logged[0]["path"] == HOOK

    def test_of_others_is_logged_with_its_place_but_not_its_message(
        self, client: FlaskClient, inbound: FakeInbound, logged: list[EventDict]
    ) -> None:
        inbound.outcome = ValueError("[parameters: ('a customer wrote this',)]")
        client.post(HOOK, data=b"a customer wrote this", headers={"Authorization": "Basic canary"})
        shown = json.dumps(logged)
        assert "in receive" in shown
        assert "a customer wrote this" not in shown
        assert "canary" not in shown


class TestWrongRequests:
    @pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"])
    def test_only_post_delivers(
        self, client: FlaskClient, inbound: FakeInbound, method: str
    ) -> None:
        response = client.open(HOOK, method=method)
        assert response.status_code == 405
        assert response.headers["Allow"] == "POST"
        assert inbound.received == []

    @pytest.mark.parametrize("method", ["POST", "OPTIONS", "PUT"])
    def test_health_is_only_looked_at(self, client: FlaskClient, method: str) -> None:
        response = client.open("/health/live", method=method)
        assert_refused(response, 405)
        assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD"}

    @pytest.mark.parametrize(
        "path",
        [
            "/",
            "/webhooks",
            "/webhooks/",
            "/webhooks//support",
            "/webhooks/support/",
            "/webhooks/a/b",
            "/webhooks/a%2Fb",
            "/webhooks/..%2fhealth%2flive",
            "/webhooks/../health/live",
            "/webhooks/support%2f",
            "/WEBHOOKS/support",
            "/static/x",
            "/health",
            "/health/live/",
        ],
    )
    def test_no_other_path_leads_anywhere(
        self, client: FlaskClient, inbound: FakeInbound, path: str
    ) -> None:
        assert_refused(client.post(path, data=b"{}"), 404)
        assert inbound.received == []

    @pytest.mark.parametrize("name", ["..", "%00", "%0a", "%ff", "a%20b", "x" * 2000, "caf%C3%A9"])
    def test_an_odd_name_is_just_an_unknown_helpdesk(
        self, client: FlaskClient, inbound: FakeInbound, name: str
    ) -> None:
        inbound.outcome = UnknownHelpdesk(name)
        assert_refused(client.post(f"/webhooks/{name}", data=b"{}"), 404)
        assert len(inbound.received) == 1

    @pytest.mark.parametrize("host", ["", "a b", "x:y", "\xff", "evil.example"])
    def test_an_odd_host_does_no_harm(self, client: FlaskClient, host: str) -> None:
        response = client.post(HOOK, data=b"{}", environ_overrides={"HTTP_HOST": host})
        assert response.status_code in {202, 400}


class TestHealth:
    def test_is_live_while_the_process_answers(
        self, client: FlaskClient, inbound: FakeInbound
    ) -> None:
        inbound.wrong = ["no worker runs"]
        response = client.get("/health/live")
        assert (response.status_code, response.get_json()) == (200, {"status": "live"})
        assert client.head("/health/live").status_code == 200

    def test_is_ready_without_problems(self, client: FlaskClient) -> None:
        response = client.get("/health/ready")
        assert (response.status_code, response.get_json()) == (200, {"status": "ready"})

    def test_is_not_ready_with_problems_and_names_them(
        self, client: FlaskClient, inbound: FakeInbound
    ) -> None:
        inbound.wrong = ["no worker runs", "the disk is full"]
        response = client.get("/health/ready")
        assert response.status_code == 503
        assert response.get_json() == {"error": "not ready", "problems": inbound.wrong}

    def test_is_not_ready_when_it_cannot_even_be_asked(
        self, client: FlaskClient, inbound: FakeInbound
    ) -> None:
        inbound.outcome = LedgerBusy("locked")
        assert_refused(client.get("/health/ready"), 503)


@pytest.mark.parametrize("path", [HOOK, "/health/live", "/health/ready", "/none"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_answer_is_kept_or_followed_or_sets_a_cookie(
    client: FlaskClient, path: str, method: str
) -> None:
    response = client.open(path, method=method)
    assert response.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in response.headers
    assert not 300 <= response.status_code < 400

"""The sandbox's triggers and deliveries, and what goes wrong on the wire when a test asks."""

import base64
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import requests

from bridge.sandbox.serve import serve
from bridge.sandbox.zammad import (
    BRIDGE,
    Call,
    Fault,
    Token,
    ZammadSandbox,
)

from .conftest import CARLA, SECRET, Api, Clock, Json, Receiver, declare_in_zammad

RECORDINGS = Path(__file__).with_name("recordings")
AS_BRIDGE = {"Authorization": f"Token token={Token.BRIDGE}"}


# --- the log of deliveries -------------------------------------------------------------------

#: The keys of a line, as recorded (248, 275).
LINE = [
    *("id", "direction", "facility", "method", "url", "status", "ip", "request", "response"),
    *("updated_by_id", "created_by_id", "created_at", "updated_at"),
]
PART = ["content", "content_type", "content_encoding", "source"]


def test_every_attempt_is_logged_the_latest_first(
    sandbox: ZammadSandbox, api: Api, receiver: Receiver
) -> None:
    receiver.answers += [503, TimeoutError()]
    sandbox.model.customer_mails(CARLA, "Broken", "It is.")
    sandbox.webhooks.drain()
    rows = api.get("/http_logs/webhook", token=Token.SETUP)
    assert [row["status"] for row in rows] == ["200", "0", "503"]
    assert [row["id"] for row in rows] == [3, 2, 1]
    assert [row["response"]["code"] for row in rows] == ["200", 0, "503"]
    assert list(rows[0]) == LINE
    assert list(rows[0]["request"]) == PART
    assert list(rows[0]["response"]) == ["code", *PART]
    headers, _, body = rows[0]["request"]["content"].partition("\n\n")
    assert headers.startswith("accept-encoding: gzip;q=1.0,deflate;q=0.6,identity;q=0.3\naccept: ")
    assert f"x-zammad-delivery: {sandbox.webhooks.deliveries[0].id}\n" in headers
    assert list(json.loads(body)) == ["ticket", "article"]
    assert api.get("/http_logs/webhook?limit=1", token=Token.SETUP) == rows[:1]
    api.get("/http_logs/webhook", token=Token.BRIDGE, status=403)


# --- triggers ------------------------------------------------------------------------------


def test_the_bridges_own_writes_fire_nothing_and_an_agents_do(
    sandbox: ZammadSandbox, api: Api, receiver: Receiver
) -> None:
    ticket_id = sandbox.model.customer_mails(CARLA, "Broken", "It is.")
    note = {"type": "note", "internal": True, "body": "10 points"}
    api.put(f"/tickets/{ticket_id}", {"points_state": "charged", "article": note})
    api.put(f"/tickets/{ticket_id}", {"state": "closed"})
    sandbox.webhooks.drain()
    assert receiver.triggers == ["created"]
    sandbox.model.agent_reopens(ticket_id)
    sandbox.model.agent_notes(ticket_id, "Internal.")
    sandbox.model.agent_answers(ticket_id, "Done.", close=True)
    sandbox.model.customer_replies_by_mail(ticket_id, "No.")
    sandbox.webhooks.drain()
    assert receiver.triggers[1:] == [
        *("state changed", "agent article", "state changed"),
        *("customer article", "state changed"),
    ]


def test_without_a_guard_the_bridge_hears_itself(
    sandbox: ZammadSandbox, api: Api, receiver: Receiver
) -> None:
    add_trigger(api, "ticket.points_charged", "has changed")
    ticket_id = sandbox.model.customer_mails(CARLA, "Broken", "It is.")
    api.put(f"/tickets/{ticket_id}", {"points_charged": 10})
    sandbox.webhooks.drain()
    assert receiver.triggers == ["created", "under test"]


def add_trigger(api: Api, name: str, operator: str, value: Json = None) -> None:
    [hook] = api.get("/webhooks", token=Token.SETUP)
    spec = {
        "name": "under test",
        "condition": {
            "ticket.action": {"operator": "is", "value": "update"},
            name: {"operator": operator, "value": value},
        },
        "perform": {"notification.webhook": {"webhook_id": hook["id"]}},
    }
    api.post("/triggers", spec, token=Token.SETUP)


def test_triggers_act_in_the_order_of_their_names_whatever_the_case(
    sandbox: ZammadSandbox, api: Api, receiver: Receiver
) -> None:
    add_trigger(api, "article.internal", "is", "true")
    [first] = [row for row in triggers(sandbox) if row["name"] == "under test"]
    for name in ("Z last", "a first", "B second"):
        api.post("/triggers", first | {"name": name}, token=Token.SETUP)
    sandbox.model.agent_notes(sandbox.model.customer_mails(CARLA, "Broken", "x"), "Internal.")
    sandbox.webhooks.drain()
    assert receiver.triggers == ["created", "a first", "B second", "under test", "Z last"]


def test_a_condition_may_ask_about_the_organisation(
    sandbox: ZammadSandbox, api: Api, receiver: Receiver
) -> None:
    add_trigger(api, "organization.name", "is", "Acme GmbH")
    for sender in (CARLA, "eve@nowhere.example"):
        sandbox.model.agent_notes(sandbox.model.customer_mails(sender, "Broken", "x"), "Internal.")
    sandbox.webhooks.drain()
    assert receiver.triggers.count("under test") == 1


@pytest.mark.parametrize("name", ["article.action", "ticket.nosuch"])
def test_an_attribute_that_does_not_exist_is_accepted_and_never_matches(
    sandbox: ZammadSandbox, api: Api, receiver: Receiver, name: str
) -> None:
    add_trigger(api, name, "is", "create")
    ticket_id = sandbox.model.customer_mails(CARLA, "Broken", "It is.")
    sandbox.model.agent_answers(ticket_id, "Done.", close=True)
    sandbox.webhooks.drain()
    assert "under test" not in receiver.triggers
    assert "state changed" in receiver.triggers


def test_a_guard_alone_fires_on_articles_and_on_a_change_of_hands(
    sandbox: ZammadSandbox, api: Api, receiver: Receiver
) -> None:
    add_trigger(api, "ticket.updated_by_id", "is not", [str(sandbox.model.access.actor(BRIDGE).id)])
    ticket_id = sandbox.model.customer_mails(CARLA, "Broken", "It is.")
    sandbox.model.agent_sets(ticket_id, priority_id=3)
    sandbox.model.agent_sets(ticket_id, priority_id=1)
    sandbox.model.agent_notes(ticket_id, "Internal.")
    sandbox.webhooks.drain()
    assert receiver.triggers.count("under test") == 2


def test_what_another_trigger_changes_fires_none_of_ours(
    sandbox: ZammadSandbox, api: Api, receiver: Receiver
) -> None:
    spec = {
        "name": "close when low",
        "condition": {"ticket.priority_id": {"operator": "has changed"}},
        "perform": {"ticket.state_id": {"value": "4"}},
    }
    api.post("/triggers", spec, token=Token.SETUP)
    ticket_id = sandbox.model.customer_mails(CARLA, "Broken", "It is.")
    sandbox.model.agent_sets(ticket_id, priority="1 low")
    sandbox.webhooks.drain()
    assert api.get(f"/tickets/{ticket_id}?expand=true")["state"] == "closed"
    assert receiver.triggers == ["created"]


# --- deliveries ----------------------------------------------------------------------------


def signed(headers: tuple[tuple[str, str], ...], body: bytes, secret: str = SECRET) -> bool:
    digest = hmac.new(secret.encode(), body, "sha1").hexdigest()
    return dict(headers)["X-Hub-Signature"] == f"sha1={digest}"


def test_the_body_is_the_ticket_at_delivery_not_at_the_event(
    sandbox: ZammadSandbox, receiver: Receiver
) -> None:
    ticket_id = sandbox.model.customer_mails(CARLA, "Broken", "It is.")
    sandbox.model.agent_closes(ticket_id)
    sandbox.model.agent_reopens(ticket_id)
    sandbox.webhooks.drain()
    bodies = [json.loads(request.body) for request in receiver.requests]
    assert receiver.triggers == ["created", "state changed", "state changed"]
    assert [body["ticket"]["state"] for body in bodies] == ["open"] * 3
    assert [bool(body["article"]) for body in bodies] == [True, False, False]


def test_a_stranger_without_a_company_has_an_empty_organization(
    sandbox: ZammadSandbox, receiver: Receiver
) -> None:
    sandbox.model.customer_mails("eve@nowhere.example", "Hello", "Hi.", name="Eve New")
    sandbox.webhooks.drain()
    ticket = json.loads(receiver.requests[0].body)["ticket"]
    assert (ticket["organization"], ticket["customer"]["firstname"]) == ({}, "Eve")


def test_five_attempts_carry_one_id_and_then_the_delivery_is_lost(
    sandbox: ZammadSandbox, receiver: Receiver
) -> None:
    receiver.answers = [500, 401, 302, TimeoutError(), ConnectionRefusedError(), 200]
    sandbox.model.customer_mails(CARLA, "Broken", "It is.")
    assert sandbox.webhooks.drain() == 5
    [delivery] = sandbox.webhooks.deliveries
    assert delivery.state == "failed"
    assert [attempt.status for attempt in delivery.attempts] == [500, 401, 302, None, None]
    assert delivery.attempts[3].error == "TimeoutError"
    ids = {dict(request.headers)["X-Zammad-Delivery"] for request in receiver.requests}
    assert ids == {delivery.id}
    assert sandbox.webhooks.drain() == 0


def test_a_retry_is_rendered_anew_with_the_endpoint_and_secret_of_that_moment(
    sandbox: ZammadSandbox, api: Api, receiver: Receiver
) -> None:
    receiver.answers = [503]
    ticket_id = sandbox.model.customer_mails(CARLA, "Broken", "It is.")
    sandbox.webhooks.drain(attempts=1)
    change = {"endpoint": "http://new.example/", "signature_token": "rotated"}
    [hook] = api.get("/webhooks", token=Token.SETUP)
    api.put(f"/webhooks/{hook['id']}", change, token=Token.SETUP)
    sandbox.model.agent_closes(ticket_id)
    sandbox.webhooks.drain()
    first, retry, _ = receiver.requests
    assert signed(first.headers, first.body)
    assert signed(retry.headers, retry.body, "rotated")
    assert retry.url == "http://new.example/"
    assert json.loads(retry.body)["ticket"]["state"] == "closed"
    assert json.loads(first.body)["ticket"]["state"] == "new"


def test_a_deleted_ticket_and_an_inactive_webhook_are_silence(
    sandbox: ZammadSandbox, api: Api, receiver: Receiver
) -> None:
    sandbox.model.admin_deletes(sandbox.model.customer_mails(CARLA, "Broken", "It is."))
    assert sandbox.webhooks.drain() == 0
    [hook] = api.get("/webhooks", token=Token.SETUP)
    path = f"/webhooks/{hook['id']}"
    api.put(path, {"active": False}, token=Token.SETUP)
    sandbox.model.customer_mails(CARLA, "Broken", "It is.")
    api.put(path, {"active": True}, token=Token.SETUP)
    assert sandbox.webhooks.drain() == 0
    assert [delivery.state for delivery in sandbox.webhooks.deliveries] == ["dropped"]


def test_a_delivery_can_be_rendered_without_sending_and_sent_twice(
    sandbox: ZammadSandbox, receiver: Receiver
) -> None:
    sandbox.model.customer_mails(CARLA, "Broken", "It is.")
    [delivery] = sandbox.webhooks.pending
    raw = sandbox.webhooks.render(delivery)
    assert raw is not None
    assert signed(raw.headers, raw.body)
    assert receiver.requests == []
    sandbox.webhooks.drain()
    sandbox.webhooks.send_again(delivery)
    assert receiver.requests == [raw, raw]
    assert delivery.state == "delivered"


def test_the_background_sender_retries_by_itself(
    sandbox: ZammadSandbox, receiver: Receiver
) -> None:
    sandbox.webhooks.retry_scale = 0
    receiver.answers = [500, 500]
    sandbox.webhooks.start()
    try:
        sandbox.model.customer_mails(CARLA, "Broken", "It is.")
        assert sandbox.webhooks.wait_until_idle(timeout=30)
    finally:
        sandbox.webhooks.stop()
    [delivery] = sandbox.webhooks.deliveries
    assert [attempt.status for attempt in delivery.attempts] == [500, 500, 200]


# --- over the wire -------------------------------------------------------------------------


class Wire(HTTPServer):
    """A receiver that keeps requests as they came and answers a redirect first."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), WireHandler)
        self.requests: list[tuple[str, list[tuple[str, str]], bytes]] = []


class WireHandler(BaseHTTPRequestHandler):
    server: Wire

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append((self.path, self.headers.items(), body))
        self.send_response(200 if len(self.server.requests) > 1 else 302)
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, *_args: object) -> None:
        pass


@contextmanager
def wire() -> Iterator[Wire]:
    server = Wire()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def triggers(box: ZammadSandbox) -> list[Json]:
    rows: list[Json] = Api(box).get("/triggers", token=Token.SETUP)
    return rows


def header_names(recording: int) -> list[str]:
    rows = json.loads((RECORDINGS / "8_headers.json").read_text("utf-8"))
    [headers] = [row["headers"] for row in rows if row["recording"] == recording]
    return [name for name, _ in headers]


def test_over_http_the_headers_keep_zammads_order_and_a_redirect_is_not_followed(
    clock: Clock,
) -> None:
    with wire() as server:
        box = ZammadSandbox(clock)
        declare_in_zammad(box, f"http://127.0.0.1:{server.server_port}/hook?a=b")
        [created] = [row for row in triggers(box) if row["name"].endswith("created")]
        box.model.triggers.update("Trigger", created["id"], {"name": "Größe ✓"}, by=3)
        box.model.customer_mails(CARLA, "Käse <b> 🧀", "It is.")
        assert box.webhooks.drain() == 2
        [delivery] = box.webhooks.deliveries
        assert [attempt.status for attempt in delivery.attempts] == [302, 200]
    assert [path for path, _, _ in server.requests] == ["/hook?a=b"] * 2
    _, headers, body = server.requests[0]
    assert [name for name, _ in headers] == header_names(229)
    assert dict(headers)["X-Zammad-Trigger"].encode("latin-1").decode() == "Größe ✓"
    assert signed(tuple(headers), body)


def test_a_webhook_with_a_password_and_no_secret_is_not_signed(
    sandbox: ZammadSandbox, api: Api
) -> None:
    [hook] = api.get("/webhooks", token=Token.SETUP)
    change = {"signature_token": "", "basic_auth_username": "zam", "basic_auth_password": "pw1"}
    api.put(f"/webhooks/{hook['id']}", change, token=Token.SETUP)
    sandbox.model.customer_mails(CARLA, "Broken", "It is.")
    raw = sandbox.webhooks.render(sandbox.webhooks.pending[0])
    assert raw is not None
    assert [name for name, _ in raw.headers] == header_names(262)
    assert dict(raw.headers)["Authorization"] == f"Basic {base64.b64encode(b'zam:pw1').decode()}"


def test_nobody_listening_is_a_failed_attempt(clock: Clock) -> None:
    with wire() as server:
        endpoint = f"http://127.0.0.1:{server.server_port}/"
    box = ZammadSandbox(clock)
    declare_in_zammad(box, endpoint)
    box.model.customer_mails(CARLA, "Broken", "It is.")
    box.webhooks.drain(attempts=1)
    [delivery] = box.webhooks.pending
    assert delivery.attempts[0].error == "ConnectionRefusedError"


def test_the_running_sandbox_answers_over_http_and_counts_the_calls(
    sandbox: ZammadSandbox, receiver: Receiver
) -> None:
    ticket_id = sandbox.model.customer_mails(CARLA, "Broken", "It is.")
    path = f"/api/v1/tickets/{ticket_id}"
    sandbox.model.faults.add(Fault("GET", "/api/v1/tickets/*", 429, (("Retry-After", "7"),)))
    with sandbox.running() as url:
        assert sandbox.webhooks.wait_until_idle(timeout=30)
        slowed, served = (
            requests.get(f"{url}{path}?all=true", headers=AS_BRIDGE, timeout=30) for _ in range(2)
        )
    assert (slowed.status_code, slowed.headers["Retry-After"]) == (429, "7")
    assert served.json()["ticket_id"] == ticket_id
    assert sandbox.model.calls == [Call("GET", path, "all=true", status) for status in (429, 200)]
    assert receiver.triggers == ["created"]


def test_a_delayed_call_is_answered_by_the_api_itself(sandbox: ZammadSandbox, api: Api) -> None:
    sandbox.model.faults.add(Fault("GET", "/api/v1/users/me", delay=0.001))
    assert api.get("/users/me")["login"] == BRIDGE


@pytest.mark.parametrize("carried_out", [True, False])
def test_a_lost_answer_may_or_may_not_have_been_carried_out(
    sandbox: ZammadSandbox, api: Api, carried_out: bool
) -> None:
    ticket_id = sandbox.model.customer_mails(CARLA, "Broken", "It is.")
    fault = Fault("PUT", "/api/v1/tickets/*", drop=True, carried_out=carried_out)
    sandbox.model.faults.add(fault)
    path, body = f"/api/v1/tickets/{ticket_id}", {"points_charged": 10}
    with serve(sandbox.app) as url, pytest.raises(requests.ConnectionError):
        requests.put(url + path, json=body, headers=AS_BRIDGE, timeout=30)
    assert api.get(f"/tickets/{ticket_id}")["points_charged"] == (10 if carried_out else None)
    assert [call.status for call in sandbox.model.calls] == [None, 200]


def test_a_fault_strikes_as_often_as_it_was_added_and_can_be_cleared(
    sandbox: ZammadSandbox, api: Api
) -> None:
    sandbox.model.faults.add(Fault("*", "/api/v1/ticket_states", 502, body=b"{}"), times=3)
    for _ in range(2):
        api.get("/ticket_states", status=502)
    sandbox.model.faults.clear()
    assert len(api.get("/ticket_states")) == 7

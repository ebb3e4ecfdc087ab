"""Zenpy, tamed: calls on real sockets, and tokens that end."""

import json
import logging
import socket
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import requests
from responses import RequestsMock, matchers
from structlog.testing import capture_logs

from bridge.adapters.http import GuardedSession
from bridge.adapters.zendesk.access import API_TOKENS_END, SCOPE, Grant, OAuthToken
from bridge.adapters.zendesk.adapter import Zendesk, ZendeskConfig
from bridge.adapters.zendesk.http import (
    ZendeskClient,
)
from bridge.errors import BridgeError, HelpdeskRefused, HelpdeskUnavailable, SettingsError
from bridge.ticket import TicketUpdate
from tests.adapters.conftest import LoopbackServer, Serve
from tests.adapters.contract import FIELDS, MESSAGE, SECRET, TOKEN
from tests.adapters.zendesk_desk import (
    ADDRESS,
    API,
    TICKET,
    URL,
    Clock,
    Desk,
    payload,
    with_api_token,
    with_oauth,
    zendesk,
)

UPDATE = TicketUpdate(TICKET, FIELDS, note=MESSAGE)
TICK = 0.01


# On the wire


def reply(body: object, status: str = "200 OK", *headers: str) -> bytes:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(raw)}", "Connection: close", *headers]
    return "\r\n".join([*head, "", ""]).encode() + raw


def drop(_server: LoopbackServer, _connection: socket.socket) -> None:
    """The request arrived; the connection ends without a word."""


def hang(server: LoopbackServer, _connection: socket.socket) -> None:
    server.stopped.wait()


def drip(server: LoopbackServer, connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while not server.stopped.wait(TICK):
        connection.sendall(b" ")


def says(answer: bytes) -> Callable[[LoopbackServer, socket.socket], None]:
    return lambda _server, connection: connection.sendall(answer)


def account(
    serve: Serve, on_put: Callable[[LoopbackServer, socket.socket], None]
) -> LoopbackServer:
    """An account whose reading works, and whose updates arrive and then go wrong."""
    answers = {"ticket_fields": payload("ticket_fields"), "tickets": payload("ticket")}

    def handler(connection: socket.socket) -> None:
        method, path, _ = server.requests[-1].split(b" ", 2)
        if method == b"PUT":
            receive_body(server.requests[-1], connection)
            on_put(server, connection)
        else:
            resource = path.decode().split("/")[3].partition(".")[0]
            connection.sendall(reply(answers[resource]))

    server = serve(handler)
    return server


def receive_body(start: bytes, connection: socket.socket) -> None:
    head, _, body = start.partition(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    while len(body) < length:
        body += connection.recv(65_536)


def sent(server: LoopbackServer, method: bytes) -> int:
    return sum(request.startswith(method) for request in server.requests)


WRONG = {
    "connection dropped": drop,
    "no answer": hang,
    "dripping": drip,
    "429": says(reply({}, "429 Too Many Requests", "Retry-After: 1")),
    "500": says(reply(b"<html>", "500 Internal Server Error")),
    "502": says(reply(b"", "502 Bad Gateway")),
    "503": says(reply(b"", "503 Service Unavailable", "Retry-After: 0")),
    "504": says(reply(b"", "504 Gateway Timeout")),
}


@pytest.mark.parametrize("on_put", WRONG.values(), ids=WRONG)
def test_an_update_is_sent_exactly_once_whatever_happens_to_it(
    serve: Serve, on_put: Callable[[LoopbackServer, socket.socket], None]
) -> None:
    """Zenpy by itself sends it twice when the connection drops, and four times on a 503."""
    server = account(serve, on_put)
    with pytest.raises(HelpdeskUnavailable):
        zendesk(with_api_token(SECRET, url=server.url, deadline=100 * TICK)).write(UPDATE)
    assert sent(server, b"PUT ") == 1


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"])
def test_a_redirect_takes_neither_update_nor_token_elsewhere(serve: Serve, status: str) -> None:
    trap = serve(lambda connection: connection.sendall(reply({})))
    server = account(serve, says(reply(b"", status, f"Location: {trap.url}/api/v2/x.json")))
    with pytest.raises(HelpdeskRefused, match="redirect"):
        zendesk(with_api_token(SECRET, url=server.url)).write(UPDATE)
    assert sent(server, b"PUT ") == 1
    assert trap.requests == []


def test_the_environment_sends_no_call_elsewhere(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Zenpy takes host and scheme from these variables."""
    trap = serve(lambda connection: connection.sendall(reply({})))
    server = account(serve, drop)
    monkeypatch.setenv("ZENPY_FORCE_NETLOC", trap.url.removeprefix("http://"))
    monkeypatch.setenv("ZENPY_FORCE_SCHEME", "http")
    zendesk(with_api_token(SECRET, url=server.url)).fetch(TICKET)
    assert sent(server, b"GET ") == 2
    assert trap.requests == []


def test_a_session_calls_no_other_address() -> None:
    """Should zenpy ever follow a link that an answer names."""
    session = GuardedSession(URL, sign=lambda request: request, deadline=1.0)
    with session, pytest.raises(HelpdeskRefused, match=r"evil\.example"):
        session.get("https://acme.zendesk.com.evil.example/api/v2/users/me.json")


@pytest.mark.parametrize("answer", [b"", b"not HTTP", reply(b"<html>"), reply({}, "500 Oops")])
@pytest.mark.parametrize("config", [with_api_token, with_oauth])
def test_no_error_and_no_log_tells_a_secret(
    serve: Serve,
    answer: bytes,
    config: Callable[..., ZendeskConfig],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Zenpy logs every call with its arguments at level debug."""
    caplog.set_level(logging.DEBUG)
    server = serve(lambda connection: connection.sendall(answer))
    with capture_logs() as logged, pytest.raises(BridgeError) as failed:
        zendesk(config(SECRET, url=server.url)).write(UPDATE)
    told = "".join(traceback.format_exception(failed.value)) + repr(failed.value) + caplog.text
    assert TOKEN not in told + repr(logged)
    assert SECRET not in told + repr(logged)


@pytest.mark.parametrize("config", [with_api_token(SECRET), with_oauth(SECRET)])
def test_a_config_does_not_show_its_secrets(config: ZendeskConfig) -> None:
    assert TOKEN not in repr(config) + str(config)
    assert SECRET not in repr(config) + str(config)


# Credentials


def bearer(token: str) -> Callable[[requests.PreparedRequest], tuple[bool, str]]:
    return matchers.header_matcher({"Authorization": f"Bearer {token}"})


def grants(vendor: RequestsMock, *tokens: str, **changes: object) -> None:
    for token in tokens:
        grant = {**payload("token"), "access_token": token, **changes}
        vendor.add("POST", f"{URL}/oauth/tokens", json=grant)


def asked(vendor: RequestsMock) -> int:
    return sum(call.request.method == "POST" for call in vendor.calls)


def test_a_token_is_asked_for_once_with_the_scope_that_is_needed(vendor: RequestsMock) -> None:
    grants(vendor, "t1")
    vendor.add("GET", f"{API}/users/me.json", json=payload("users_me"), match=[bearer("t1")])
    client = ZendeskClient(with_oauth(SECRET))
    client.me()
    client.me()
    assert asked(vendor) == 1
    request = vendor.calls[0].request
    assert "Authorization" not in request.headers
    assert json.loads(request.body or b"") == {
        "grant_type": "client_credentials",
        "client_id": "points",
        "client_secret": f"{TOKEN}-client",
        "scope": "read tickets:write",
        "expires_in": 7_200,
    }


@pytest.mark.parametrize(
    ("expires_in", "later", "tokens"),
    [(7_200, 7_100, 1), (7_200, 7_150, 2), (300, 299, 2), (None, 7_100, 1), (None, 7_200, 2)],
)
def test_a_token_is_renewed_before_it_ends(
    vendor: RequestsMock, expires_in: int | None, later: float, tokens: int
) -> None:
    grants(vendor, "t1", "t2", expires_in=expires_in)
    vendor.add("GET", f"{API}/users/me.json", json=payload("users_me"))
    clock = Clock()
    client = ZendeskClient(with_oauth(SECRET), clock)
    client.me()
    clock.now += later
    client.me()
    assert asked(vendor) == tokens
    assert vendor.calls[-1].request.headers["Authorization"] == f"Bearer t{tokens}"


def test_a_rejected_token_is_renewed_once_and_the_call_sent_again(vendor: RequestsMock) -> None:
    """401: Zendesk carried nothing out, so that sending again is safe."""
    desk = Desk()
    grants(vendor, "t1", "t2")
    put = f"{API}/tickets/{TICKET}.json"
    vendor.add("PUT", put, json=payload("error_401"), status=401, match=[bearer("t1")])
    desk.serve(vendor)
    zendesk(with_oauth(SECRET)).write(UPDATE)
    assert asked(vendor) == 2
    assert len(desk.put) == 1


def test_a_token_that_stays_rejected_is_refused(vendor: RequestsMock) -> None:
    grants(vendor, "t1", "t2")
    vendor.add("GET", f"{API}/users/me.json", json=payload("error_401"), status=401)
    with pytest.raises(HelpdeskRefused) as refused:
        ZendeskClient(with_oauth(SECRET)).me()
    assert refused.value.status == 401
    assert len(vendor.calls) == 4


def test_an_api_token_that_is_rejected_is_refused_at_once(vendor: RequestsMock) -> None:
    vendor.add("GET", f"{API}/users/me.json", json={"error": "Couldn't authenticate"}, status=401)
    with pytest.raises(HelpdeskRefused):
        ZendeskClient(with_api_token(SECRET)).me()
    assert len(vendor.calls) == 1


def test_threads_share_one_token(vendor: RequestsMock) -> None:
    grants(vendor, "t1", "t2")
    vendor.add("GET", f"{API}/users/me.json", json=payload("users_me"))
    client, together = ZendeskClient(with_oauth(SECRET)), Barrier(4)

    def call() -> object:
        together.wait()
        return client.me()

    with ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(call) for _ in range(4)]
    assert [answer.result() for answer in answers] == [payload("users_me")] * 4
    assert asked(vendor) == 1


def test_a_token_that_another_thread_replaced_is_not_replaced_again() -> None:
    grants = iter([Grant(access_token="t1"), Grant(access_token="t2")])
    token = OAuthToken(lambda: next(grants), Clock())
    first = token.value()
    token.drop(first)
    second = token.value()
    token.drop(first)
    assert (first, second, token.value()) == ("t1", "t2", "t2")


@pytest.mark.parametrize("status", [400, 401, 403, 422])
def test_a_client_that_zendesk_does_not_know_is_refused_with_what_to_check(
    vendor: RequestsMock, status: int
) -> None:
    vendor.add("POST", f"{URL}/oauth/tokens", json={"error": "invalid_client"}, status=status)
    with pytest.raises(HelpdeskRefused, match="client_id") as refused:
        ZendeskClient(with_oauth(SECRET)).me()
    assert refused.value.status == status


@pytest.mark.parametrize(("scope", "missing"), [("read", "tickets:write"), ("", "read tickets:wr")])
def test_a_scope_that_was_not_granted_is_named(
    vendor: RequestsMock, scope: str, missing: str
) -> None:
    """Zendesk leaves out silently what it does not allow, and then forbids every call."""
    grants(vendor, "t1", scope=scope)
    with pytest.raises(HelpdeskRefused, match=f"not grant {missing}"):
        ZendeskClient(with_oauth(SECRET)).me()


@pytest.mark.parametrize("scope", [SCOPE, "tickets:write read", None])
def test_a_scope_that_was_granted_in_another_order_is_enough(
    vendor: RequestsMock, scope: str | None
) -> None:
    grants(vendor, "t1", scope=scope)
    vendor.add("GET", f"{API}/users/me.json", json=payload("users_me"))
    ZendeskClient(with_oauth(SECRET)).me()


def test_an_api_token_is_accepted_with_the_date_of_its_end(vendor: RequestsMock) -> None:
    basic = matchers.header_matcher(
        {"Authorization": requests.auth._basic_auth_str(f"{ADDRESS}/token", TOKEN)}
    )
    vendor.add("GET", f"{API}/users/me.json", json=payload("users_me"), match=[basic])
    with capture_logs() as logged:
        ZendeskClient(with_api_token(SECRET)).me()
    assert [(line["log_level"], line["ends"]) for line in logged] == [("warning", API_TOKENS_END)]


@pytest.mark.parametrize(
    "config",
    [
        ZendeskConfig("acme", (SECRET,)),
        ZendeskConfig("acme", (SECRET,), client_id="points"),
        ZendeskConfig("acme", (SECRET,), email=ADDRESS),
        ZendeskConfig("acme", (SECRET,), client_id="points", client_secret=""),
    ],
)
def test_without_a_credential_nothing_starts(config: ZendeskConfig) -> None:
    with pytest.raises(SettingsError, match="client_id"):
        Zendesk(config)


@pytest.mark.parametrize("url", ["acme", "ACME-2", "https://acme.zendesk.com", "http://[::1]:80"])
def test_a_subdomain_or_an_address_says_where_zendesk_is(url: str) -> None:
    Zendesk(with_oauth(SECRET, url=url))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "acme.zendesk.com",
        "-acme",
        "http://acme.zendesk.com",
        "http://192.0.2.7",
        "https://acme.zendesk.com/api/v2",
        "https://canary@acme.zendesk.com",
        "https://acme.zendesk.com?canary",
    ],
)
def test_another_address_is_a_settings_error_that_does_not_repeat_it(url: str) -> None:
    with pytest.raises(SettingsError) as wrong:
        Zendesk(with_oauth(SECRET, url=url))
    assert "canary" not in str(wrong.value)

"""The shared client against servers that misbehave, on real sockets."""

import gzip
import logging
import socket
import struct
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bridge.adapters.http import Failure, JsonClient, decode_json
from bridge.errors import BridgeError, HelpdeskRefused, HelpdeskUnavailable, SettingsError
from bridge.policy.retries import LONGEST_RETRY_AFTER
from tests.adapters.conftest import LoopbackServer, Serve

TOKEN = "canary-token-5d0c"
QUERY = "canary-query-77a1"
TICK = 0.01


def client(url: str, *, deadline: float = 10.0, max_bytes: int = 10_000) -> JsonClient:
    return JsonClient(
        url, authorization=f"Token token={TOKEN}", deadline=deadline, max_bytes=max_bytes
    )


def reply(body: bytes = b"{}", status: str = "200 OK", *headers: str) -> bytes:
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join([*head, "", ""]).encode() + body


def answering(answer: bytes) -> Callable[[socket.socket], None]:
    return lambda connection: connection.sendall(answer)


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def dripping(serve: Serve, start: bytes) -> LoopbackServer:
    """A server that sends `start`, and then one byte every hundredth of a second, for ever."""

    def drip(connection: socket.socket) -> None:
        connection.sendall(start)
        while not server.stopped.wait(TICK):
            connection.sendall(b"1")

    server = serve(drip)
    return server


@pytest.mark.parametrize("status", ["200 OK", "404 Not Found"])
@pytest.mark.parametrize(
    ("headers", "by"),
    [
        (("Server: nginx/1.27", "Content-Type: text/html; charset=utf-8"), "nginx, text/html"),
        (("Server: " + "x" * 99,), "x" * 40),
        ((), "by something that tells no name"),
    ],
)
def test_what_answers_in_the_helpdesks_place_is_told(
    serve: Serve, status: str, headers: tuple[str, ...], by: str
) -> None:
    server = serve(answering(reply(b"<p>", status, *headers)))
    with pytest.raises(HelpdeskRefused, match=rf"answers {status[:3]}.* \({by}\)"):
        client(server.url).get("/api")


@pytest.mark.parametrize(
    "start",
    [
        b"HTTP/1.1 20",
        b"HTTP/1.1 200 OK\r\nX-Slow: ",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;",
        b"HTTP/1.1 200 OK\r\n\r\n",
    ],
    ids=["status line", "header", "body", "chunk header", "body without length"],
)
@pytest.mark.parametrize("through_a_proxy", [False, True])
def test_a_dripping_answer_is_cut_off_at_the_deadline(
    serve: Serve, start: bytes, through_a_proxy: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = dripping(serve, start)
    url = server.url
    if through_a_proxy:
        monkeypatch.setenv("http_proxy", server.url)
        monkeypatch.setenv("no_proxy", "")
        url = "http://helpdesk.example"
    with pytest.raises(HelpdeskUnavailable):
        client(url, deadline=20 * TICK).get("/tickets/1")


def test_a_server_that_never_answers_is_given_up(serve: Serve) -> None:
    def wait(_connection: socket.socket) -> None:
        server.stopped.wait()

    server = serve(wait)
    with pytest.raises(HelpdeskUnavailable):
        client(server.url, deadline=20 * TICK).get("/tickets/1")


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary Redirect", "304 Same"])
def test_a_redirect_is_refused_and_not_followed(serve: Serve, status: str) -> None:
    """By default requests follows a 302 or 307, and takes custom headers to another host."""
    trap = serve(answering(reply()))
    server = serve(answering(reply(b"", status, f"Location: {trap.url}/stolen")))
    with pytest.raises(HelpdeskRefused, match="redirect"):
        client(server.url).put("/tickets/1", {"points_charged": 10})
    assert len(server.requests) == 1
    assert trap.requests == []


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
        b"not HTTP at all\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
    ],
    ids=["nothing", "half a line", "short body", "no last chunk", "another protocol", "not gzip"],
)
@pytest.mark.parametrize("ending", [None, reset], ids=["closed", "reset"])
def test_a_broken_answer_means_try_later_and_is_not_asked_for_again(
    serve: Serve, answer: bytes, ending: Callable[[socket.socket], None] | None
) -> None:
    def handler(connection: socket.socket) -> None:
        connection.sendall(answer)
        if ending:
            ending(connection)

    server = serve(handler)
    with pytest.raises(HelpdeskUnavailable):
        client(server.url).put("/tickets/1", {"article": {"body": "once"}})
    assert len(server.requests) == 1


def test_a_closed_port_means_try_later() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(HelpdeskUnavailable):
        client(f"http://127.0.0.1:{port}").get("/tickets/1")


@pytest.mark.parametrize(
    "answer",
    [
        reply(b'"' + b"x" * 20_000 + b'"'),
        reply(gzip.compress(b" " * 5_000_000), "200 OK", "Content-Encoding: gzip"),
        b"HTTP/1.1 500 Oops\r\n\r\n" + b"x" * 20_000,
    ],
    ids=["plain", "compressed", "an error page"],
)
def test_an_answer_beyond_the_limit_is_refused(serve: Serve, answer: bytes) -> None:
    with pytest.raises(HelpdeskRefused, match="longer than"):
        client(serve(answering(answer)).url).get("/tickets/1")


def test_an_answer_is_decoded_and_the_request_is_signed(serve: Serve) -> None:
    body = gzip.compress('{"name": "Käse", "ids": [1, 2]}'.encode())
    server = serve(answering(reply(body, "200 OK", "Content-Encoding: gzip")))
    assert client(server.url + "/").get("/api", {"all": "true"}) == {"name": "Käse", "ids": [1, 2]}
    assert server.requests[0].startswith(b"GET /api?all=true HTTP/1.1\r\n")
    assert f"Authorization: Token token={TOKEN}\r\n".encode() in server.requests[0]


def test_a_netrc_file_does_not_overrule_the_token(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    server = serve(answering(reply()))
    client(server.url).get("/api")
    assert f"Authorization: Token token={TOKEN}\r\n".encode() in server.requests[0]


def test_cookies_are_not_kept(serve: Serve) -> None:
    server = serve(answering(reply(b"{}", "200 OK", "Set-Cookie: session=1; Path=/")))
    calls = client(server.url)
    calls.get("/api")
    calls.get("/api")
    assert len(server.requests) == 2
    assert b"Cookie" not in server.requests[1]


def test_a_thread_keeps_its_connection_and_shares_it_with_no_other(serve: Serve) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

    def keep_alive(connection: socket.socket) -> None:
        connection.sendall(answer)
        while connection.recv(65_536):
            connection.sendall(answer)

    def twice(calls: JsonClient) -> None:
        calls.get("/api")
        calls.get("/api")

    server = serve(keep_alive)
    calls = client(server.url)
    for _thread in range(2):
        with ThreadPoolExecutor(1) as pool:
            pool.submit(twice, calls).result()
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        (["Retry-After: 30"], 30.0),
        (["Retry-After:  0"], 0.0),
        (["Retry-After: 99999999999999999999"], LONGEST_RETRY_AFTER.total_seconds()),
        (
            [
                "Retry-After: Sun, 22 Nov 2026 18:45:30 GMT",
                "Date: Sun, 22 Nov 2026 18:44:00 GMT",
            ],
            90.0,
        ),
        (
            [
                "Retry-After: Sun, 22 Nov 2026 18:44:00 GMT",
                "Date: Sun, 22 Nov 2026 18:45:30 GMT",
            ],
            0.0,
        ),
        (
            [
                "Retry-After: Sun, 22 Nov 2099 18:44:00 GMT",
                "Date: Sun, 22 Nov 2026 18:44:00 GMT",
            ],
            LONGEST_RETRY_AFTER.total_seconds(),
        ),
        (["Retry-After: Sun, 22 Nov 2026 18:45:30 GMT"], None),
        (["Retry-After: soon"], None),
        (["Retry-After: -5"], None),
        (["Retry-After: \xb2"], None),
        ([], None),
    ],
)
@pytest.mark.parametrize("status", ["429 Too Many", "503 Down"])
def test_the_wait_that_a_server_asks_for_is_handed_on(
    serve: Serve, status: str, headers: list[str], seconds: float | None
) -> None:
    server = serve(answering(reply(b"busy", status, *headers)))
    with pytest.raises(HelpdeskUnavailable) as unavailable:
        client(server.url).get("/api")
    assert unavailable.value.retry_after == seconds


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 422])
def test_other_errors_are_final_and_tell_their_status(serve: Serve, status: int) -> None:
    server = serve(answering(reply(b'{"error":"no"}', f"{status} No")))
    with pytest.raises(HelpdeskRefused) as refused:
        client(server.url).get("/api")
    assert refused.value.status == status


def test_a_vendor_reads_a_failure_before_the_common_table(serve: Serve) -> None:
    seen: list[Failure] = []

    def explain(failure: Failure) -> BridgeError:
        seen.append(failure)
        return HelpdeskRefused("a vendor's own words")

    server = serve(answering(reply(b'{"error":"no"}', "503 Down", "Retry-After: 5")))
    calls = JsonClient(server.url, authorization=TOKEN, explain=explain)
    with pytest.raises(HelpdeskRefused, match="a vendor's own words"):
        calls.get("/api")
    assert (seen[0].status, seen[0].body, seen[0].retry_after) == (503, {"error": "no"}, 5.0)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "helpdesk.example",
        "ftp://helpdesk.example",
        "https://",
        "https://user:canary@helpdesk.example",
        "https://@helpdesk.example",
        "https://helpdesk.example/?token=canary",
        "https://helpdesk.example/#canary",
        "https://helpdesk.example:port",
        "https://[canary",
    ],
)
def test_an_address_that_cannot_be_right_is_a_settings_error_that_does_not_repeat_it(
    url: str,
) -> None:
    with pytest.raises(SettingsError) as wrong:
        client(url)
    assert "canary" not in str(wrong.value)


@pytest.mark.parametrize("token", ["canary\n", "canary\r\nX-Evil: 1", "canary-ü", "canary\x00"])
def test_a_token_that_no_header_can_carry_is_a_settings_error_that_does_not_repeat_it(
    token: str,
) -> None:
    with pytest.raises(SettingsError) as wrong:
        JsonClient("https://helpdesk.example", authorization=token)
    assert "canary" not in str(wrong.value)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}",
        reply(b"<html>", "200 OK"),
        reply(b"", "302 Found", "Location: http://canary.example/"),
        reply(b"{}", "401 No"),
        reply(b"{}", "500 Oops"),
    ],
)
def test_no_error_and_no_log_tells_the_token_or_the_query(
    serve: Serve, answer: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """A requests error quotes the URL with its query, `?token=` and all."""
    caplog.set_level(logging.INFO)
    server = serve(answering(answer))
    with pytest.raises(BridgeError) as failed:
        client(server.url).get("/api", {"q": QUERY})
    told = "".join(traceback.format_exception(failed.value)) + repr(failed.value) + caplog.text
    assert TOKEN not in told
    assert QUERY not in told
    assert "canary" not in str(failed.value)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"1" * 5_000,
        b"NaN",
        b"[Infinity]",
        b"-Infinity",
        b'{"a": "\xff"}',
        '{"a": 1}'.encode("utf-16"),
        b"\xef\xbb\xbf{}",
        b"\x00",
        b"{} {}",
    ],
)
def test_what_is_not_strict_json_is_a_value_error(raw: bytes) -> None:
    with pytest.raises(ValueError):
        decode_json(raw)

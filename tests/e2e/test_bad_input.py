"""Bad input at the receiver's door: a clear answer, no 500, nothing lost, nothing charged."""

import hashlib
import hmac
import json
import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest
import requests

from bridge.demo.scene import HELPDESK, ZAMMAD, Scene
from bridge.queues import rows
from tests.e2e.conftest import Opens, inhabited
from tests.e2e.desks import ZammadDesk
from tests.e2e.helpers import CARLA, bought, dead, on_hand

UUID = "00000000-0000-4000-8000-00000000000{}"
WEBHOOK_SECRET = "canary-webhook-secret"


@pytest.fixture
def scene(opens: Opens) -> Iterator[Scene]:
    """A Zammad whose webhook has a secret that is known here."""
    secrets = {**ZAMMAD.secrets, "webhook_secret": WEBHOOK_SECRET}
    with opens(replace(ZAMMAD, secrets=secrets)) as scene:
        inhabited(ZammadDesk(scene))
        yield scene


def address(scene: Scene) -> str:
    """Where the helpdesk sends its webhooks."""
    return scene.webhook_url(HELPDESK)


def post(
    scene: Scene, body: bytes, *, signature: str | bytes | None = None, **headers: str | bytes
) -> requests.Response:
    """A delivery; signed as it should be unless a signature is given."""
    digest = hmac.new(WEBHOOK_SECRET.encode(), body, hashlib.sha1).hexdigest()
    sent: dict[str, str | bytes] = {
        "X-Zammad-Delivery": UUID.format(1),
        "X-Zammad-Trigger": "test",
        "X-Hub-Signature": f"sha1={digest}" if signature is None else signature,
    }
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    return requests.post(address(scene), data=body, headers=sent, timeout=30, allow_redirects=False)


def stored_rows(scene: Scene) -> int:
    return sum(sum(states.values()) for states in scene.bridge.db.read(rows.backlog).values())


TICKET = json.dumps({"ticket": {"id": 1}, "article": {}}).encode()


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "sha1=",
        "sha1=" + "0" * 40,
        "sha256=" + "0" * 64,
        "md5=abc",
        hmac.new(b"another secret", TICKET, hashlib.sha1).hexdigest(),
        "sha1=ÄÖÜ€".encode(),
        b"sha1=\xff\xfe",
    ],
    ids=["none", "empty", "zeros", "sha256", "md5", "no prefix", "non-ASCII", "bytes"],
)
def test_a_forged_delivery_is_refused_and_leaves_no_trace(
    scene: Scene, signature: str | bytes
) -> None:
    answer = post(scene, TICKET, signature=signature)
    assert answer.status_code == 401
    assert "signature" in answer.json()["error"]
    assert stored_rows(scene) == 0


def test_a_delivery_for_another_helpdesk_is_refused(scene: Scene) -> None:
    answer = requests.post(
        scene.webhook_url("nowhere"),
        data=TICKET,
        timeout=30,
        allow_redirects=False,
    )
    assert answer.status_code == 404
    assert answer.json()["error"] == "no such helpdesk"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"ticket": ' * 50_000,
        b'{"ticket": {"id": ' + b"9" * 5_000 + b"}}",
        b'{"ticket": {"id": NaN}}',
        b'{"ticket": {"id": "5; DROP TABLE lots"}}',
        b'{"ticket": {"id": true}}',
        b'{"ticket": {"id": -1}}',
        b'{"ticket": {"id": {"$gt": 0}}}',
        b'{"ticket": []}',
        b'{"ticket": {"id": 1e400}}',
    ],
    ids=lambda body: repr(body[:24]),
)
def test_an_authentic_but_unreadable_delivery_is_kept_for_an_admin(
    scene: Scene, body: bytes
) -> None:
    """It was signed by the helpdesk, so it must not be lost; it cannot be handled either."""
    answer = post(scene, body)
    assert answer.status_code == 422
    assert answer.json()["error"]
    (letter,) = dead(scene)
    assert (letter.queue, letter.what) == ("inbox", "unreadable")
    assert post(scene, body).status_code == 422
    assert len(dead(scene)) == 1


def test_a_poisoned_delivery_does_not_stop_the_queue(scene: Scene) -> None:
    bought(scene, "Acme GmbH", 10)
    post(scene, b'{"ticket": {"id": 999999999999}}')
    scene.zammad.model.customer_mails(CARLA, "Help", "Please.")
    scene.settle()
    assert on_hand(scene, "Acme GmbH") == 0


@pytest.mark.parametrize("delivery", ["", "not a uuid", "x" * 5000, "\x7f"])
def test_a_delivery_without_a_usable_id_is_kept_for_an_admin(scene: Scene, delivery: str) -> None:
    assert post(scene, TICKET, X_Zammad_Delivery=delivery).status_code == 422
    assert len(dead(scene)) == 1


def test_a_body_that_is_too_big_is_refused(scene: Scene) -> None:
    assert post(scene, b"x" * (2 << 20)).status_code == 413
    assert stored_rows(scene) == 0


def test_a_body_of_unknown_length_is_read_no_further_than_the_limit(scene: Scene) -> None:
    """It never ends, and is answered all the same."""
    host, port = scene.receiver.split("/")[2].split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(
            b"POST /webhooks/support HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        for _ in range(32):
            connection.sendall(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
        assert b" 413 " in connection.recv(1000).splitlines()[0]
    assert stored_rows(scene) == 0


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_another_method_is_refused_with_the_right_one_named(scene: Scene, method: str) -> None:
    answer = requests.request(method, address(scene), timeout=30, allow_redirects=False)
    assert (answer.status_code, "POST" in answer.headers["Allow"]) == (405, True)


def test_the_same_body_under_new_delivery_ids_charges_once(scene: Scene) -> None:
    """Zammad signs the body alone: whoever captured one can send it again under another id."""
    bought(scene, "Acme GmbH", 100)
    scene.zammad.model.customer_mails(CARLA, "Help", "Please.")
    (delivery,) = scene.zammad.webhooks.pending
    request = scene.zammad.webhooks.render(delivery)
    assert request
    for number in range(9):
        assert post(scene, request.body, X_Zammad_Delivery=UUID.format(number)).ok
    scene.settle()
    assert on_hand(scene, "Acme GmbH") == 90


def test_no_secret_shows_in_what_is_stored_or_answered(scene: Scene) -> None:
    answers = [post(scene, b"{").text, post(scene, TICKET, signature="sha1=00").text]
    scene.settle()
    stored = str(scene.bridge.db.read(rows.listed))
    for secret in (WEBHOOK_SECRET, "sandbox-bridge"):
        assert secret not in stored + "".join(answers)

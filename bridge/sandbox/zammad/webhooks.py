"""The deliveries of webhooks: rendered, signed, sent and retried as Zammad does it.

What a receiver meets, with the recordings that show it: the body is the ticket at the moment of
the attempt (219 to 221); five attempts with one delivery id (192 to 196); endpoint and secret are
read at each attempt (276); a ticket or webhook that is gone by then is silence.
"""

import base64
import contextlib
import hmac
import http.client
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from urllib.parse import urlsplit
from uuid import uuid4

from bridge.sandbox.zammad.conditions import Event
from bridge.sandbox.zammad.records import Record
from bridge.sandbox.zammad.store import Store
from bridge.sandbox.zammad.views import Views

Headers = tuple[tuple[str, str], ...]

RETRY_WAITS = (10.0, 20.0, 30.0, 40.0)
"""Seconds between the five attempts of one delivery."""

_OPEN_TIMEOUT, _READ_TIMEOUT = 4.0, 30.0


@dataclass(frozen=True, slots=True)
class RawRequest:
    """A delivery as it goes over the wire: header names and order as Zammad sends them."""

    url: str
    headers: Headers = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request of a delivery: `status` is the receiver's answer, `error` why there is none."""

    at: datetime
    request: RawRequest
    status: int | None
    error: str | None = None

    @property
    def succeeded(self) -> bool:
        """Whether the receiver took it: any 2xx, and nothing else."""
        return self.status is not None and 200 <= self.status < 300


@dataclass(slots=True, eq=False)
class Delivery:
    """One firing of a trigger. `id` is the same on every attempt; `dropped` was never sent on."""

    trigger: str
    webhook_id: int
    ticket_id: int
    article_id: int | None
    id: str = field(default_factory=lambda: str(uuid4()))
    state: Literal["pending", "delivered", "failed", "dropped"] = "pending"
    attempts: list[Attempt] = field(default_factory=list)


Transport = Callable[[RawRequest], int]
"""Sends one request and returns the status; raises OSError or HTTPException for no answer."""


def post(request: RawRequest) -> int:
    """Send over HTTP, with Zammad's timeouts. A redirect is an answer, not a way to follow."""
    parts = urlsplit(request.url)
    connect = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = connect(parts.hostname or "", parts.port, timeout=_OPEN_TIMEOUT)
    try:
        connection.connect()
        connection.sock.settimeout(_READ_TIMEOUT)
        path = parts.path or "/"
        target = f"{path}?{parts.query}" if parts.query else path
        connection.putrequest("POST", target, skip_host=True, skip_accept_encoding=True)
        for name, value in request.headers:
            connection.putheader(name, value.encode())
        connection.endheaders(request.body)
        with contextlib.closing(connection.getresponse()) as response:
            return response.status
    finally:
        connection.close()


class WebhookSender:
    """Keeps and sends the deliveries. The log `deliveries` keeps them all, oldest first.

    Nothing is sent until `drain` or `attempt` is called, or `start` has begun to send in the
    background, one at a time: as long as a receiver does not answer, all the others wait.

    Args:
        store: the database, read at each attempt.
        views: renders the body.
        transport: carries a request to its receiver.
        retry_scale: multiplies the waits between attempts in the background; 1 is Zammad's pace.
    """

    def __init__(
        self, store: Store, views: Views, transport: Transport = post, *, retry_scale: float = 1.0
    ) -> None:
        self._store = store
        self._views = views
        self.transport = transport
        self.retry_scale = retry_scale
        self.deliveries: list[Delivery] = []
        self._due: dict[str, float] = {}
        self._changed = threading.Condition(store.lock)
        self._thread: threading.Thread | None = None
        self._stopping = False

    def enqueue(self, trigger: Record, webhook_id: int, event: Event) -> None:
        """Take a delivery; an inactive webhook gets none, not even later."""
        webhook = self._store.tables["Webhook"].get(webhook_id)
        if webhook is None or not webhook["active"]:
            return
        article_id = None if event.article is None else int(event.article["id"])
        delivery = Delivery(trigger["name"], webhook_id, event.ticket["id"], article_id)
        with self._changed:
            self.deliveries.append(delivery)
            self._due[delivery.id] = time.monotonic()
            self._changed.notify_all()

    @property
    def pending(self) -> tuple[Delivery, ...]:
        """The deliveries with an attempt still to come, oldest first."""
        with self._store.lock:
            return tuple(item for item in self.deliveries if item.state == "pending")

    def render(self, delivery: Delivery) -> RawRequest | None:
        """The request as it would be sent now; None where nothing would be sent."""
        with self._store.lock:
            webhook = self._store.tables["Webhook"].get(delivery.webhook_id)
            ticket = self._store.tables["Ticket"].get(delivery.ticket_id)
            if webhook is None or not webhook["active"] or ticket is None:
                return None
            article = self._store.tables["TicketArticle"].get(delivery.article_id or 0)
            body = self._views.webhook_body(ticket, article)
            url = str(webhook["endpoint"])
            return RawRequest(url, _headers(delivery, webhook, body), body)

    def attempt(self, delivery: Delivery) -> Attempt | None:
        """Send a pending delivery once, now; after five failures it is lost for good.

        Returns:
            What happened, or None where there was nothing to send any more.
        """
        made = self._send(delivery)
        with self._changed:
            if made is None:
                delivery.state = "dropped"
            elif made.succeeded:
                delivery.state = "delivered"
            elif len(delivery.attempts) > len(RETRY_WAITS):
                delivery.state = "failed"
            else:
                wait = RETRY_WAITS[len(delivery.attempts) - 1] * self.retry_scale
                self._due[delivery.id] = time.monotonic() + wait
            self._changed.notify_all()
        return made

    def send_again(self, delivery: Delivery) -> Attempt | None:
        """Send a delivery once more under its id, whatever became of it: a duplicate."""
        return self._send(delivery)

    def drain(self, *, attempts: int = 1 + len(RETRY_WAITS)) -> int:
        """Send what is pending without waiting, oldest first, until nothing is.

        Deliveries that this sends may cause more; those are sent too. Not for use beside `start`.

        Args:
            attempts: at most this many attempts for each delivery in this call.

        Returns:
            The number of requests sent.
        """
        made: Counter[str] = Counter()
        while batch := [item for item in self.pending if made[item.id] < attempts]:
            for delivery in batch:
                made[delivery.id] += self.attempt(delivery) is not None
        return made.total()

    def wait_until_idle(self, timeout: float) -> bool:
        """Wait until nothing is pending, at most `timeout` seconds. Whether that came about."""
        with self._changed:
            return self._changed.wait_for(lambda: not self.pending, timeout)

    def start(self) -> None:
        """Begin to send in the background."""
        self._stopping = False
        self._thread = threading.Thread(target=self._work, name="sandbox-webhooks", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop sending in the background; what is pending stays pending."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _work(self) -> None:
        while (delivery := self._next_due()) is not None:
            self.attempt(delivery)

    def _next_due(self) -> Delivery | None:
        """Wait for the next delivery whose time has come; None when told to stop."""
        with self._changed:
            while not self._stopping:
                waiting = sorted(self.pending, key=lambda item: self._due[item.id])
                wait = self._due[waiting[0].id] - time.monotonic() if waiting else None
                if wait is not None and wait <= 0:
                    return waiting[0]
                self._changed.wait(wait)
            return None

    def _send(self, delivery: Delivery) -> Attempt | None:
        request = self.render(delivery)
        if request is None:
            return None
        at = self._store.now()
        try:
            made = Attempt(at, request, self.transport(request))
        except (OSError, http.client.HTTPException) as failure:
            made = Attempt(at, request, None, type(failure).__name__)
        with self._store.lock:
            delivery.attempts.append(made)
        return made


def _headers(delivery: Delivery, webhook: Record, body: bytes) -> Headers:
    """The headers in the recorded order; unsigned where the webhook has no secret (262)."""
    headers = [
        ("Accept-Encoding", "gzip;q=1.0,deflate;q=0.6,identity;q=0.3"),
        ("Accept", "*/*"),
        ("User-Agent", "Zammad User Agent"),
        ("Host", urlsplit(webhook["endpoint"]).netloc),
        ("X-Zammad-Trigger", delivery.trigger),
        ("X-Zammad-Delivery", delivery.id),
        ("Content-Type", "application/json"),
    ]
    if webhook["signature_token"]:
        digest = hmac.new(webhook["signature_token"].encode(), body, "sha1").hexdigest()
        headers.append(("X-Hub-Signature", f"sha1={digest}"))
    if webhook["basic_auth_username"] and webhook["basic_auth_password"]:
        pair = f"{webhook['basic_auth_username']}:{webhook['basic_auth_password']}"
        headers.append(("Authorization", f"Basic {base64.b64encode(pair.encode()).decode()}"))
    return (*headers, ("Connection", "close"), ("Content-Length", str(len(body))))

"""The deliveries of webhooks: rendered, signed, sent and retried as Zammad does it.

What a receiver meets, with the recordings that show it: the body is the ticket at the moment of
the attempt (219 to 221); five attempts with one delivery id (192 to 196); endpoint and secret are
read at each attempt (276); a ticket or webhook that is gone by then is silence.
"""

import base64
import hmac
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlsplit

from bridge.sandbox import deliveries
from bridge.sandbox.deliveries import Attempt, Headers, RawRequest, Sender, Transport
from bridge.sandbox.zammad.conditions import Event
from bridge.sandbox.zammad.records import Record
from bridge.sandbox.zammad.store import Store
from bridge.sandbox.zammad.views import Views

RETRY_WAITS = (10.0, 20.0, 30.0, 40.0)
"""Seconds between the five attempts of one delivery."""

post: Transport = partial(deliveries.post, open_timeout=4.0, read_timeout=30.0)
"""Send over HTTP, with Zammad's timeouts."""


@dataclass(slots=True, eq=False)
class Delivery(deliveries.Delivery):
    """One firing of a trigger."""

    webhook_id: int
    article_id: int | None


class WebhookSender(Sender[Delivery]):
    """Zammad's sender.

    Args:
        store: the database, read at each attempt.
        views: renders the body.
        transport: carries a request to its receiver.
        retry_scale: multiplies the waits between attempts in the background; 1 is Zammad's pace.
    """

    def __init__(
        self, store: Store, views: Views, transport: Transport = post, *, retry_scale: float = 1.0
    ) -> None:
        super().__init__(store.lock, store.now, transport, retry_scale=retry_scale)
        self._store = store
        self._views = views
        self._log: list[Record] = []

    def http_log(self, most: int) -> list[Record]:
        """The log of all attempts, the latest first (248, 275)."""
        with self._store.lock:
            return self._log[: -most - 1 : -1]

    def enqueue(self, trigger: Record, webhook_id: int, event: Event) -> None:
        """Take a delivery; an inactive webhook gets none, not even later."""
        webhook = self._store.tables["Webhook"].get(webhook_id)
        if webhook is None or not webhook["active"]:
            return
        article_id = None if event.article is None else int(event.article["id"])
        self._take(Delivery(trigger["name"], event.ticket["id"], webhook_id, article_id))

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

    def _send(self, delivery: Delivery) -> Attempt | None:
        made = super()._send(delivery)
        if made is not None:
            with self._store.lock:
                self._log.append(_logged(len(self._log) + 1, made))
        return made

    def _retry_wait(self, delivery: Delivery) -> float | None:
        """The wait, if there is one: newer Zammads drop what is for a host without an address."""
        made, checks = len(delivery.attempts), self._store.settings["webhook_hosts_must_resolve"]
        if checks and delivery.attempts[-1].error == "gaierror":
            return None
        return RETRY_WAITS[made - 1] if made <= len(RETRY_WAITS) else None


def _logged(row_id: int, made: Attempt) -> Record:
    """A line of the log: of no answer the status is 0. From Zammad's code; recorded are 200s."""
    headers = "".join(f"{name.lower()}: {value}\n" for name, value in made.request.headers)
    code = made.status or 0
    plain = {"content_type": "application/json", "content_encoding": None}
    return {
        "id": row_id,
        "direction": "out",
        "facility": "webhook",
        "method": "POST",
        "url": made.request.url,
        "status": str(code),
        "ip": None,
        "request": {
            "content": f"{headers}\n{made.request.body.decode()}",
            **plain,
            "source": "Zammad User Agent",
        },
        "response": {
            "code": str(code) if code else 0,
            "content": "",
            **(plain if code else dict.fromkeys(plain)),
            "source": None,
        },
        "updated_by_id": None,
        "created_by_id": None,
        "created_at": made.at,
        "updated_at": made.at,
    }


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

"""Webhooks: their administration, and their deliveries, signed and retried as Zendesk does it.

The source is Zendesk's pages "Creating and monitoring webhooks" and "Verifying webhook
authenticity", and a recorded attempt: a retry carries the invocation's id of the first attempt,
and a timestamp and signature of its own.
"""

import base64
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from secrets import token_bytes
from urllib.parse import urlsplit

from bridge.sandbox import deliveries
from bridge.sandbox.deliveries import Attempt, Headers, RawRequest, Sender, Transport
from bridge.sandbox.zendesk.conditions import Event
from bridge.sandbox.zendesk.records import ApiError, Record, dumps, not_found, stamp
from bridge.sandbox.zendesk.store import ACCOUNT_ID, Store

BY_TRIGGERS = "conditional_ticket_events"
"""The subscription of a webhook that triggers use; it cannot be mixed with any other."""

CONFLICT_RETRIES, TIMEOUT_RETRIES = 3, 5
LONGEST_RETRY_AFTER = 60
"""Seconds. A receiver that asks for as much, or more, is not asked again."""

RETRY_WAIT = 60.0
"""Seconds before a retry that no receiver's Retry-After decides. Zendesk does not say how long."""

_KEPT = timedelta(days=7)
_SETTINGS = ("name", "description", "endpoint", "status", "request_format", "http_method")

post: Transport = partial(deliveries.post, open_timeout=12.0, read_timeout=12.0)
"""Send over HTTP, with Zendesk's timeout."""


@dataclass(slots=True, eq=False)
class Delivery(deliveries.Delivery):
    """One invocation of a webhook. Its body is made once, at the event."""

    webhook_id: str
    body: bytes


class Webhooks:
    """The account's webhooks. Names are not unique; the kind of connection never changes."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._secrets: dict[str, str] = {}
        self.rows: dict[str, Record] = {}

    def create(self, spec: Mapping[str, object], by: int) -> Record:
        """Add a webhook.

        Raises:
            ApiError: 400, something is missing, or the subscriptions mix both kinds.
        """
        missing = [name for name in (*_SETTINGS, "subscriptions") if not spec.get(name)]
        missing = [name for name in missing if name != "description"]
        if missing:
            raise _refused(f"{missing[0]} is required")
        _kind(spec["subscriptions"])
        if spec["http_method"] != "POST":
            raise _refused("this stand-in only sends with POST")
        row: Record = {"id": self._store.next_ulid()}
        row |= {name: spec.get(name) for name in _SETTINGS}
        row |= {"subscriptions": spec["subscriptions"], "created_by": str(by)}
        row |= {"created_at": self._store.now()}
        self.rows[row["id"]] = row
        self.rotate(row["id"])
        return row

    def update(self, webhook_id: str, spec: Mapping[str, object], by: int) -> None:
        """Change a webhook, as PUT and PATCH do: what the request does not name stays.

        Raises:
            ApiError: 404, or 400, the kind of connection is another.
        """
        row = self.get(webhook_id)
        if "subscriptions" in spec:
            if _kind(spec["subscriptions"]) != _kind(row["subscriptions"]):
                raise _refused("the connection method of a webhook cannot be changed")
            row["subscriptions"] = spec["subscriptions"]
        row |= {name: spec[name] for name in _SETTINGS if name in spec}
        row |= {"updated_at": self._store.now(), "updated_by": str(by)}

    def delete(self, webhook_id: str) -> None:
        """Remove a webhook.

        Raises:
            ApiError: 404.
        """
        self.get(webhook_id)
        del self.rows[webhook_id]

    def get(self, webhook_id: str) -> Record:
        """The webhook with that id.

        Raises:
            ApiError: 404.
        """
        if webhook_id not in self.rows:
            raise not_found()
        return self.rows[webhook_id]

    def takes_triggers(self, webhook_id: str) -> bool:
        """Whether triggers may be connected to it."""
        row = self.rows.get(webhook_id)
        return row is not None and _kind(row["subscriptions"])

    def secret(self, webhook_id: str) -> str:
        """The signing secret.

        Raises:
            ApiError: 404.
        """
        self.get(webhook_id)
        return self._secrets[webhook_id]

    def rotate(self, webhook_id: str) -> str:
        """Make a new signing secret; the old one is void at once.

        Raises:
            ApiError: 404.
        """
        self.get(webhook_id)
        self._secrets[webhook_id] = base64.b64encode(token_bytes(32)).decode()
        return self._secrets[webhook_id]


class WebhookSender(Sender[Delivery]):
    """Zendesk's sender: best effort, so a delivery may be lost or doubled, here by request.

    Args:
        store: the database.
        webhooks: endpoints and secrets, read at each attempt.
        transport: carries a request to its receiver.
        retry_scale: multiplies the waits between attempts in the background; 1 is Zendesk's pace.
    """

    def __init__(
        self,
        store: Store,
        webhooks: Webhooks,
        transport: Transport = post,
        *,
        retry_scale: float = 1.0,
    ) -> None:
        super().__init__(store.lock, store.now, transport, retry_scale=retry_scale)
        self._store = store
        self._webhooks = webhooks
        self._to_lose = 0
        self._to_double = 0

    def lose_next(self, times: int = 1) -> None:
        """Let the next deliveries never be sent: "may be omitted"."""
        with self._store.lock:
            self._to_lose += times

    def double_next(self, times: int = 1) -> None:
        """Let the next deliveries be made twice, with one invocation id: "may be duplicated"."""
        with self._store.lock:
            self._to_double += times

    def enqueue(self, webhook_id: str, trigger: str, ticket_id: int, body: bytes) -> None:
        """Take a delivery; an inactive webhook gets none, not even later."""
        if self._webhooks.rows.get(webhook_id, {}).get("status") != "active":
            return
        first = Delivery(trigger, ticket_id, webhook_id, body, id=self._store.next_ulid())
        if self._to_lose:
            self._to_lose -= 1
            first.state = "dropped"
        self._take(first)
        if self._to_double and first.state == "pending":
            self._to_double -= 1
            self._take(Delivery(trigger, ticket_id, webhook_id, body, id=first.id))

    def announce(self, event: Event, bodies: Callable[[Event], list[tuple[str, Record]]]) -> None:
        """Tell the webhooks that are subscribed to what happened."""
        listeners = [row for row in self._webhooks.rows.values() if not _kind(row["subscriptions"])]
        for kind, body in bodies(event) if listeners else ():
            for row in listeners:
                if kind in row["subscriptions"]:
                    text = dumps(body, pretty=True).encode()
                    self.enqueue(row["id"], kind, event.ticket["id"], text)

    def render(self, delivery: Delivery) -> RawRequest | None:
        """The request as it would be sent now; None where nothing would be sent."""
        with self._store.lock:
            webhook = self._webhooks.rows.get(delivery.webhook_id)
            if webhook is None or webhook["status"] != "active":
                return None
            secret = self._webhooks.secret(delivery.webhook_id)
            headers = _headers(delivery, webhook["endpoint"], stamp(self._store.now()), secret)
            return RawRequest(webhook["endpoint"], headers, delivery.body)

    def invocations(self, webhook_id: str) -> list[Record]:
        """The deliveries of a webhook in the last seven days, the latest first."""
        since = self._store.now() - _KEPT
        rows = [
            _invocation(item, item.attempts[-1])
            for item in reversed(self.deliveries)
            if item.webhook_id == webhook_id and item.attempts
        ]
        return [row for row in rows if row["latest_completed_at"] >= since]

    def _retry_wait(self, delivery: Delivery) -> float | None:
        return retry_wait(delivery.attempts)


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """The signature: base64 of HMAC-SHA256 over the timestamp and the body, nothing between them.

    The secret is used as the text that it is, although it looks like base64.
    """
    digest = hmac.digest(secret.encode(), timestamp.encode() + body, "sha256")
    return base64.b64encode(digest).decode()


def retry_wait(attempts: list[Attempt]) -> float | None:
    """Seconds until a failed delivery is sent again, None where it is not.

    Zendesk retries a 409 up to three times, a 429 or 503 only where its Retry-After is less than
    60 seconds, and a timeout up to five times. Everything else is lost: a 500, another 4xx, a
    connection that is refused.
    """
    last, retries = attempts[-1], len(attempts) - 1
    if last.error == "TimeoutError":
        return RETRY_WAIT if retries < TIMEOUT_RETRIES else None
    if last.status == 409:
        return RETRY_WAIT if retries < CONFLICT_RETRIES else None
    if last.status in {429, 503} and retries < CONFLICT_RETRIES:
        wait = last.retry_after
        return wait if wait is not None and wait < LONGEST_RETRY_AFTER else None
    return None


def _headers(delivery: Delivery, endpoint: str, timestamp: str, secret: str) -> Headers:
    """The headers in the recorded order."""
    return (
        ("Host", urlsplit(endpoint).netloc),
        ("X-Zendesk-Webhook-Signature-Timestamp", timestamp),
        ("X-Zendesk-Webhook-Signature", sign(secret, timestamp, delivery.body)),
        ("Content-Type", "application/json; charset=utf-8"),
        ("User-Agent", "Zendesk Webhook"),
        ("X-Zendesk-Account-Id", str(ACCOUNT_ID)),
        ("X-Zendesk-Webhook-Id", delivery.webhook_id),
        ("X-Zendesk-Webhook-Invocation-Id", delivery.id),
        ("Content-Length", str(len(delivery.body))),
    )


def _invocation(delivery: Delivery, last: Attempt) -> Record:
    status = {"delivered": "success", "failed": "terminated"}.get(delivery.state, "throttled")
    row: Record = {"id": delivery.id, "status": status, "latest_completed_at": last.at}
    return row if last.status is None else row | {"status_code": last.status}


def _kind(subscriptions: object) -> bool:
    """Whether these subscriptions are those of a webhook for triggers.

    Raises:
        ApiError: 400, they mix both kinds, or are none.
    """
    names = subscriptions if isinstance(subscriptions, list) else []
    by_triggers = {bool(name == BY_TRIGGERS) for name in names}
    if len(by_triggers) != 1:
        raise _refused("subscriptions must be of one kind")
    return by_triggers.pop()


def _refused(detail: str) -> ApiError:
    """The webhook API's own shape of an error."""
    error = {"code": "InvalidWebhook", "title": "Invalid webhook", "detail": detail}
    return ApiError(400, {"errors": [error]})

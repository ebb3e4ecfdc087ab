"""A ready-made Zendesk: model, API and deliveries in one, and the bridge's own set-up in it."""

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Self

from flask import Flask

from bridge.sandbox.deliveries import Clock, Transport
from bridge.sandbox.serve import serve
from bridge.sandbox.zendesk.api import create_app
from bridge.sandbox.zendesk.model import Zendesk
from bridge.sandbox.zendesk.records import Record, dumps
from bridge.sandbox.zendesk.store import BRIDGE
from bridge.sandbox.zendesk.webhooks import BY_TRIGGERS, WebhookSender, post
from bridge.ticket import PointsState, SlaState

TRIGGER_PREFIX = "Points bridge: "

NOT_THE_API = {"field": "current_via_id", "operator": "is_not", "value": "5"}
"""The loop guard: an update that came over the API is no news, the bridge's own among them."""

EVENT_TYPES = tuple(
    f"zen:event-type:ticket.{name}"
    for name in (
        *("merged", "soft_deleted", "undeleted", "permanently_deleted", "marked_as_spam"),
        *("organization_changed", "requester_changed"),
    )
)
"""What triggers do not tell, or not reliably."""


def options(field: str, values: Iterable[PointsState | SlaState]) -> list[Record]:
    """The options of a drop-down: a tag must say whose it is, for it is a tag of the ticket too."""
    return [{"name": value.label, "value": f"{field}_{value}"} for value in values]


TICKET_FIELDS: tuple[Record, ...] = (
    {
        "title": "points_state",
        "type": "tagger",
        "custom_field_options": options("points_state", PointsState),
    },
    {"title": "points_charged", "type": "integer"},
    {"title": "points_balance", "type": "integer"},
    {"title": "points_next_expiry", "type": "date"},
    {"title": "points_response_due", "type": "text"},
    {"title": "points_response_due_date", "type": "date"},
    {
        "title": "points_sla_state",
        "type": "tagger",
        "custom_field_options": options("points_sla_state", SlaState),
    },
    {"title": "points_free_reopen_until", "type": "date"},
)
"""What agents see on a ticket. Zendesk knows no time of day in a field, so one is text."""

ORGANIZATION_FIELDS = {
    "support_timezone": "text",
    "support_country": "text",
    "support_subdivision": "text",
    "points_balance": "integer",
    "points_next_expiry": "date",
}
"""What an organisation's record says about its support hours, and shows of its points, by type."""


class ZendeskSandbox:
    """A Zendesk with an admin, an agent and the bridge's user, and no tickets.

    Args:
        clock: the present, as an aware datetime; move it to let time pass.
        transport: carries webhook requests; by HTTP if not given.
        retry_scale: multiplies the waits between the attempts of a delivery.

    Attributes:
        model: the helpdesk; its methods are what people do.
        webhooks: the deliveries.
        app: the API, as a Flask app.
    """

    def __init__(
        self, clock: Clock, *, transport: Transport = post, retry_scale: float = 1.0
    ) -> None:
        self.model = Zendesk(clock, transport=transport, retry_scale=retry_scale)
        self.webhooks: WebhookSender = self.model.webhooks
        self.app: Flask = create_app(self.model)

    def copy(self, clock: Clock) -> Self:
        """The same helpdesk once more, on another clock, and from then on another one.

        Not while it is served, or sends.
        """
        store = self.model.store
        instead = {id(store.lock): threading.RLock(), id(store.clock): clock}
        twin = object.__new__(type(self))
        twin.model = deepcopy(self.model, instead)
        twin.webhooks = twin.model.webhooks
        twin.app = create_app(twin.model)
        return twin

    @contextmanager
    def running(self, *, port: int = 0) -> Iterator[str]:
        """Serve the API and send deliveries in the background. Yields the base URL."""
        with serve(self.app, port=port) as url:
            self.webhooks.start()
            try:
                yield url
            finally:
                self.webhooks.stop()

    def provision_points(self, endpoint: str) -> str:
        """Set up what the bridge needs: fields, a webhook, and triggers with a loop guard.

        Not repeatable: the second time everything is there twice.

        Args:
            endpoint: where the deliveries go.

        Returns:
            The webhook's signing secret, which Zendesk makes.
        """
        model = self.model
        with model.store.lock:
            for spec in TICKET_FIELDS:
                model.fields.create(spec | {"visible_in_portal": False})
            for key, kind in ORGANIZATION_FIELDS.items():
                model.organization_fields.create({"key": key, "title": key, "type": kind})
            webhook_id = self._add_webhook("points bridge", endpoint, (BY_TRIGGERS,))
            for name, conditions in trigger_conditions().items():
                body = dumps({"event": name, "ticket_id": "{{ticket.id}}"})
                action = {"field": "notification_webhook", "value": [webhook_id, body]}
                trigger = {"title": TRIGGER_PREFIX + name, "actions": [action]}
                model.rules.create("triggers", {**trigger, "conditions": conditions})
            return model.hooks.secret(webhook_id)

    def point_at(self, endpoint: str) -> None:
        """Let every webhook deliver to that address from now on."""
        with self.model.store.lock:
            by = self.model.access.actor(BRIDGE).id
            for webhook_id in self.model.hooks.rows:
                self.model.hooks.update(webhook_id, {"endpoint": endpoint}, by)

    def subscribe_to_events(self, endpoint: str, types: Iterable[str] = EVENT_TYPES) -> str:
        """Add a second webhook, which is told of merges, deletions and moves.

        Zendesk does not let one webhook have both kinds of connection, so this one has a signing
        secret of its own, which is returned.
        """
        with self.model.store.lock:
            webhook_id = self._add_webhook("points bridge events", endpoint, types)
            return self.model.hooks.secret(webhook_id)

    def _add_webhook(self, name: str, endpoint: str, subscriptions: Iterable[str]) -> str:
        spec = {"name": name, "endpoint": endpoint, "status": "active"}
        spec |= {"http_method": "POST", "request_format": "json"}
        by = self.model.access.actor(BRIDGE).id
        row = self.model.hooks.create({**spec, "subscriptions": list(subscriptions)}, by)
        return str(row["id"])


def trigger_conditions() -> dict[str, Record]:
    """The conditions that tell the bridge everything but what comes over the API, by event.

    The guard is not for new tickets: one that the customer's own software opens over the API
    would cost nothing.
    """
    created = {"field": "update_type", "operator": "is", "value": "Create"}
    changed = {"field": "update_type", "operator": "is", "value": "Change"}
    return {
        "created": {"all": [created], "any": []},
        "changed": {"all": [changed, NOT_THE_API], "any": []},
    }

"""A ready-made Zammad: model, API and deliveries in one, and the bridge's own set-up in it."""

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from typing import Self

from flask import Flask

from bridge.sandbox.deliveries import Clock, Transport
from bridge.sandbox.serve import serve
from bridge.sandbox.zammad.api import create_app
from bridge.sandbox.zammad.lifecycle import FIELDS
from bridge.sandbox.zammad.model import ADMIN, BRIDGE, Zammad
from bridge.sandbox.zammad.records import Record, as_moment
from bridge.sandbox.zammad.webhooks import WebhookSender, post
from bridge.ticket import PointsState, SlaState

TRIGGER_PREFIX = "zz-points-bridge: "
"""Zammad runs triggers by name, so ours come last and see what the others did."""

_POINTS = {"min": 0, "max": 1_000_000, "default": None, "null": True}
_DAY = {"future": True, "past": True, "diff": None, "null": True}
_TEXT = {"type": "text", "maxlength": 250, "default": "", "null": True}


def _choice(options: Iterable[PointsState | SlaState]) -> Record:
    labels = {option.value: option.label for option in options}
    return {"default": "", "options": labels, "nulloption": True, "null": True, "maxlength": 255}


TICKET_ATTRIBUTES: tuple[tuple[str, str, Record], ...] = (
    ("points_state", "select", _choice(PointsState)),
    ("points_charged", "integer", _POINTS),
    ("points_balance", "integer", _POINTS),
    ("points_next_expiry", "date", _DAY),
    ("points_response_due", "datetime", _DAY),
    ("points_sla_state", "select", _choice(SlaState)),
    ("points_free_reopen_until", "date", _DAY),
)
"""Name, data type and options of what agents see on a ticket."""

ORGANIZATION_ATTRIBUTES: tuple[tuple[str, str, Record], ...] = (
    ("support_timezone", "input", _TEXT),
    ("support_country", "input", _TEXT),
    ("support_subdivision", "input", _TEXT),
    ("points_balance", "integer", _POINTS),
    ("points_next_expiry", "date", _DAY),
)
"""Name, data type and options of what an organisation's record says about its support hours, and
shows of its points."""


class ZammadSandbox:
    """A Zammad as after its installation, with the recordings' agents and no tickets.

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
        self.model = Zammad(clock, transport=transport, retry_scale=retry_scale)
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

    def provision_points(self, endpoint: str, secret: str) -> None:
        """Set up what the bridge needs: attributes, webhook and triggers, with a loop guard.

        Not repeatable: the second time the attributes exist.

        Args:
            endpoint: where the deliveries go.
            secret: the webhook's signature token.
        """
        model, by = self.model, self.model.access.actor(ADMIN).id
        with model.store.lock:
            for table, rows in (
                ("Ticket", TICKET_ATTRIBUTES),
                ("Organization", ORGANIZATION_ATTRIBUTES),
            ):
                for name, data_type, option in rows:
                    spec: Record = {"object": table, "name": name, "data_type": data_type}
                    model.attributes.create(spec | {"data_option": option}, by)
            model.attributes.migrate()
            hook = {"name": "points bridge", "endpoint": endpoint, "signature_token": secret}
            webhook = model.triggers.create("Webhook", hook, by)
            perform = {"notification.webhook": {"webhook_id": webhook["id"]}}
            for name, condition in trigger_conditions(model.access.actor(BRIDGE).id).items():
                trigger = {"name": TRIGGER_PREFIX + name, "condition": condition}
                model.triggers.create("Trigger", {**trigger, "perform": perform}, by)

    def load_ticket(
        self,
        ticket: Mapping[str, object],
        articles: Iterable[Mapping[str, object]] = (),
        history: Iterable[Mapping[str, object]] = (),
    ) -> int:
        """Install a ticket as some Zammad showed it, with its own ids. Nothing is fired.

        The users and the organisation that it names must be there: see `load`. Names beside ids,
        and attributes that this Zammad does not have, are left out. Returns the ticket's id.
        """
        store = self.model.store
        with store.lock:
            times = {"created_at", "updated_at", "created_by_id", "updated_by_id"}
            fields = dict.fromkeys(FIELDS) | self.model.attributes.defaults("Ticket")
            fields |= {key: ticket[key] for key in ticket if key in times.union(fields)}
            fields |= self.model.attributes.cast("Ticket", fields)
            fields["pending_time"] = as_moment(fields["pending_time"])
            row = store.load("Ticket", fields)
            for article in articles:
                names = ("type", "sender", "created_by", "updated_by", "origin_by", "attachments")
                shown = {key: value for key, value in article.items() if key not in names}
                store.load("TicketArticle", shown)
            store.history[row["id"]] = [
                {**entry, "created_at": as_moment(entry["created_at"])} for entry in history
            ]
            return int(row["id"])

    def load(self, table: str, record: Mapping[str, object]) -> None:
        """Install a record of another table, such as `User`, as an answer's assets show it."""
        derived = {"member_ids", "secondary_member_ids", "user_ids"}
        with self.model.store.lock:
            shown = {key: value for key, value in record.items() if key not in derived}
            self.model.store.load(table, shown)


def trigger_conditions(bridge_id: int) -> dict[str, Record]:
    """The conditions that tell the bridge everything but its own writes, by trigger name."""
    update = _row("ticket.action", "is", "update")
    guard = _row("ticket.updated_by_id", "is not", [str(bridge_id)]) | {"pre_condition": "specific"}
    public = _row("article.internal", "is", "false")
    state = _row("ticket.state_id", "has changed", [])
    customer = _row("ticket.customer_id", "has changed", [])
    organization = _row("ticket.organization_id", "has changed", [])
    return {
        "created": {"ticket.action": {"operator": "is", "value": "create"}},
        "state changed": _all(update, state, guard),
        "customer article": _all(update, _row("article.sender_id", "is", ["2"]), public, guard),
        "agent article": _all(update, _row("article.sender_id", "is", ["1"]), public, guard),
        "customer changed": _all(update, customer, guard),
        "organization changed": _all(update, organization, guard),
        "merged": {"ticket.action": {"operator": "is", "value": "update.merged_into"}},
        "received a merge": {"ticket.action": {"operator": "is", "value": "update.received_merge"}},
    }


def _row(name: str, operator: str, value: object) -> Record:
    return {"name": name, "operator": operator, "value": value}


def _all(*rows: Record) -> Record:
    return {"operator": "AND", "conditions": list(rows)}

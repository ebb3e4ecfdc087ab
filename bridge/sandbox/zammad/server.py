"""A ready-made Zammad: model, API and deliveries in one."""

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
from bridge.sandbox.zammad.model import Zammad
from bridge.sandbox.zammad.records import as_moment
from bridge.sandbox.zammad.webhooks import WebhookSender, post


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

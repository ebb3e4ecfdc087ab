"""A ready-made Zendesk: model, API and deliveries in one."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Self

from flask import Flask

from bridge.sandbox.deliveries import Clock, Transport
from bridge.sandbox.serve import serve
from bridge.sandbox.zendesk.api import create_app
from bridge.sandbox.zendesk.model import Zendesk
from bridge.sandbox.zendesk.webhooks import WebhookSender, post


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

"""What every ready-made stand-in is: a model, its API, and the serving of both."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Generic, Protocol, Self, TypeVar

from flask import Flask

from bridge.sandbox.deliveries import Clock
from bridge.sandbox.serve import serve


class Store(Protocol):
    """A stand-in's records, as far as a copy of it needs to know them."""

    lock: threading.RLock

    @property
    def clock(self) -> Clock:
        """The present, as an aware datetime."""


class Sender(Protocol):
    """What sends a stand-in's deliveries."""

    def start(self) -> None:
        """Send in the background from now on."""

    def stop(self) -> None:
        """Send no more."""


class Model(Protocol):
    """A helpdesk without HTTP."""

    @property
    def store(self) -> Store:
        """The records."""

    @property
    def webhooks(self) -> Sender:
        """The deliveries."""


M = TypeVar("M", bound=Model)


class Sandbox(Generic[M]):
    """A helpdesk with its API.

    Attributes:
        model: the helpdesk; its methods are what people do.
        app: the API, as a Flask app.
    """

    def __init__(self, model: M, api: Callable[[M], Flask]) -> None:
        self.model = model
        self._api = api
        self.app = api(model)

    def copy(self, clock: Clock) -> Self:
        """The same helpdesk once more, on another clock, and from then on another one.

        Not while it is served, or sends.
        """
        store = self.model.store
        instead = {id(store.lock): threading.RLock(), id(store.clock): clock}
        twin = object.__new__(type(self))
        Sandbox.__init__(twin, deepcopy(self.model, instead), self._api)
        return twin

    @contextmanager
    def running(self, *, port: int = 0) -> Iterator[str]:
        """Serve the API and send deliveries in the background. Yields the base URL."""
        with serve(self.app, port=port) as url:
            self.model.webhooks.start()
            try:
                yield url
            finally:
                self.model.webhooks.stop()

"""Stand-ins on both sides of `requests`: a mocked transport, and raw sockets on loopback."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from threading import Event, Thread

import pytest
import responses

pytest.register_assert_rewrite("tests.adapters.contract")

Handler = Callable[[socket.socket], None]


@dataclass
class LoopbackServer:
    """Reads one request from each connection, then lets `handler` do its worst."""

    handler: Handler
    requests: list[bytes] = field(default_factory=list)
    stopped: Event = field(default_factory=Event)

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = Thread(target=self._accept, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def stop(self) -> None:
        self.stopped.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                with suppress(OSError), connection:
                    connection.settimeout(10)
                    self.requests.append(connection.recv(65_536))
                    self.handler(connection)


Serve = Callable[[Handler], LoopbackServer]


@pytest.fixture
def serve() -> Iterator[Serve]:
    with ExitStack() as running:

        def start(handler: Handler) -> LoopbackServer:
            server = LoopbackServer(handler)
            running.callback(server.stop)
            return server

        yield start


@pytest.fixture
def vendor() -> Iterator[responses.RequestsMock]:
    """The vendor's API, mocked below our client: what is not registered cannot be reached."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock

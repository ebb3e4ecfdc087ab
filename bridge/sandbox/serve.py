"""Run a WSGI app on this machine, in the background: for the demo and the end-to-end tests."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from wsgiref.types import WSGIApplication

from werkzeug.serving import WSGIRequestHandler, make_server

_STOP_POLL_SECONDS = 0.02


class _Quiet(WSGIRequestHandler):
    """A handler without a line on stderr for every request."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing: the sandboxes keep their own log of calls."""


@contextmanager
def serve(
    app: WSGIApplication, *, port: int = 0, listening: socket.socket | None = None
) -> Iterator[str]:
    """Serve `app` on the loopback address while the block runs.

    Args:
        app: any WSGI application; each request runs in its own thread.
        port: the TCP port, or 0 for one that is free.
        listening: a socket that listens already, for an app whose address is told to others before
            it is there; `port` does not count then. The caller closes it.

    Yields:
        The base URL, without a trailing slash.

    Raises:
        OSError: the port is taken.
    """
    server = make_server(
        "127.0.0.1",
        port,
        app,
        threaded=True,
        request_handler=_Quiet,
        fd=listening.fileno() if listening else None,
    )
    thread = threading.Thread(
        target=server.serve_forever, args=(_STOP_POLL_SECONDS,), name="sandbox-http", daemon=True
    )
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.socket.getsockname()[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

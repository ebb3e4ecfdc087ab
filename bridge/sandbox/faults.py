"""Faults on demand: the next answers that the API gives in place of its own, and its call log."""

import socket
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Response

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with one call.

    Attributes:
        method: the HTTP method it is for, or `*`.
        path: a shell pattern for the path, such as `/api/v1/tickets/*`; no query string.
        status: the answer's status; None lets the API answer, after `delay`.
        headers: the answer's headers, such as `Retry-After`.
        body: the answer's body.
        delay: seconds to wait before anything else.
        drop: close the connection without an answer.
        carried_out: the API does the work first, and only its answer is lost or replaced.
    """

    method: str
    path: str
    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    delay: float = 0.0
    drop: bool = False
    carried_out: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the API, as the log keeps it; `status` is None where the answer was dropped."""

    method: str
    path: str
    query: str
    status: int | None


@dataclass(slots=True)
class Faults:
    """A queue: the first fault that fits a call is used up by it."""

    _waiting: list[Fault] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __deepcopy__(self, _memo: dict[int, Any]) -> "Faults":
        with self._lock:
            return Faults([*self._waiting])

    def add(self, fault: Fault, *, times: int = 1) -> None:
        """Let the next `times` fitting calls fail."""
        with self._lock:
            self._waiting += [fault] * times

    def take(self, method: str, path: str) -> Fault | None:
        """The fault for this call, if there is one; it is removed."""
        with self._lock:
            for index, fault in enumerate(self._waiting):
                if fault.method in {"*", method} and fnmatchcase(path, fault.path):
                    return self._waiting.pop(index)
        return None

    def clear(self) -> None:
        """Forget the faults that were not used."""
        with self._lock:
            self._waiting.clear()


class Front:
    """What every call passes: the faults, then the app, one call at a time, then the log.

    A dropped connection raises `ConnectionResetError`; a test client, without a connection, sees
    that exception itself.

    Args:
        inner: the app.
        faults: the queue of faults.
        calls: the log that is appended to.
        lock: held while the app works.
    """

    def __init__(
        self, inner: "WSGIApplication", faults: Faults, calls: list[Call], lock: threading.RLock
    ) -> None:
        self._inner = inner
        self._faults = faults
        self._calls = calls
        self._lock = lock

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer one call."""
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        response = self._answer(environ, self._faults.take(method, path))
        status = None if response is None else response.status_code
        self._calls.append(Call(method, path, environ.get("QUERY_STRING", ""), status))
        if response is None:
            _hang_up(environ)
            raise ConnectionResetError
        return response(environ, start_response)

    def _answer(self, environ: "WSGIEnvironment", fault: Fault | None) -> Response | None:
        if fault is None:
            return self._carry_out(environ)
        time.sleep(fault.delay)
        if not fault.drop and fault.status is None:
            return self._carry_out(environ)
        if fault.carried_out:
            self._carry_out(environ)
        return None if fault.drop else Response(fault.body, fault.status, dict(fault.headers))

    def _carry_out(self, environ: "WSGIEnvironment") -> Response:
        with self._lock:
            return Response.from_app(self._inner, environ, buffered=True)


def _hang_up(environ: "WSGIEnvironment") -> None:
    connection = environ.get("werkzeug.socket")
    if isinstance(connection, socket.socket):
        connection.shutdown(socket.SHUT_RDWR)

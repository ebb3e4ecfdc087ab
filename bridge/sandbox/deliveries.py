"""The deliveries of webhooks, whatever the vendor: their record, their queue, the wire.

A vendor's sender says how a delivery is rendered and when it is tried again; the rest is here.
"""

import contextlib
import http.client
import math
import threading
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Literal, Self, TypeVar
from urllib.parse import urlsplit
from uuid import uuid4

Clock = Callable[[], datetime]
"""The present, as an aware datetime; a demo or a test may move it."""

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class RawRequest:
    """A delivery as it goes over the wire: header names and order as the vendor sends them."""

    url: str
    headers: Headers = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """A receiver's answer; `retry_after` in seconds, None where it names none."""

    status: int
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request of a delivery: `status` is the receiver's answer, `error` why there is none."""

    at: datetime
    request: RawRequest
    status: int | None
    error: str | None = None
    retry_after: float | None = None

    @property
    def succeeded(self) -> bool:
        """Whether the receiver took it: any 2xx, and nothing else."""
        return self.status is not None and 200 <= self.status < 300


@dataclass(slots=True, eq=False)
class Delivery:
    """One message about a ticket. `id` is the same on every attempt.

    Attributes:
        trigger: what caused it, by name.
        ticket_id: the ticket that it is about.
        state: `failed` after the last attempt; `dropped` if it was never sent on.
    """

    trigger: str
    ticket_id: int
    id: str = field(default_factory=lambda: str(uuid4()), kw_only=True)
    state: Literal["pending", "delivered", "failed", "dropped"] = field(
        default="pending", kw_only=True
    )
    attempts: list[Attempt] = field(default_factory=list, kw_only=True)


Transport = Callable[[RawRequest], int | Reply]
"""Sends one request and returns the answer; a bare status stands for one without headers.

Raises OSError or HTTPException for no answer.
"""


def post(request: RawRequest, *, open_timeout: float, read_timeout: float) -> Reply:
    """Send over HTTP. A redirect is an answer, not a way to follow. Timeouts in seconds."""
    parts = urlsplit(request.url)
    connect = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = connect(parts.hostname or "", parts.port, timeout=open_timeout)
    try:
        connection.connect()
        connection.sock.settimeout(read_timeout)
        path = parts.path or "/"
        target = f"{path}?{parts.query}" if parts.query else path
        connection.putrequest("POST", target, skip_host=True, skip_accept_encoding=True)
        for name, value in request.headers:
            connection.putheader(name, value.encode())
        connection.endheaders(request.body)
        with contextlib.closing(connection.getresponse()) as response:
            wait = response.headers.get("Retry-After", "")
            return Reply(response.status, float(wait) if wait.isdecimal() else None)
    finally:
        connection.close()


_RUNNING = frozenset({"_changed", "_thread"})

D = TypeVar("D", bound=Delivery)


class Sender(ABC, Generic[D]):
    """Keeps and sends the deliveries. The log `deliveries` keeps them all, oldest first.

    Nothing is sent until `drain` or `attempt` is called, or `start` has begun to send in the
    background, one at a time: as long as a receiver does not answer, all the others wait.

    Args:
        lock: held while the helpdesk's records are read.
        clock: the present.
        transport: carries a request to its receiver.
        retry_scale: multiplies the waits between attempts in the background; 1 is the vendor's
            pace.
    """

    def __init__(
        self, lock: threading.RLock, clock: Clock, transport: Transport, *, retry_scale: float
    ) -> None:
        self._lock = lock
        self._clock = clock
        self.transport = transport
        self.retry_scale = retry_scale
        self.deliveries: list[D] = []
        self._due: dict[D, float] = {}
        self._changed = threading.Condition(lock)
        self._thread: threading.Thread | None = None
        self._stopping = False

    @abstractmethod
    def render(self, delivery: D) -> RawRequest | None:
        """The request as it would be sent now; None where nothing would be sent."""

    @abstractmethod
    def _retry_wait(self, delivery: D) -> float | None:
        """Seconds until the attempt after the one that just failed; None if that was the last."""

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Its records and its queue; a copy does not send in the background until it is told to."""
        twin = object.__new__(type(self))
        memo[id(self)] = twin
        own = vars(self).items()
        vars(twin).update({name: deepcopy(one, memo) for name, one in own if name not in _RUNNING})
        twin._changed = threading.Condition(twin._lock)
        twin._thread = None
        return twin

    @property
    def pending(self) -> tuple[D, ...]:
        """The deliveries with an attempt still to come, oldest first."""
        with self._lock:
            return tuple(item for item in self.deliveries if item.state == "pending")

    def attempt(self, delivery: D) -> Attempt | None:
        """Send a pending delivery once, now; after the last failure it is lost for good.

        Returns:
            What happened, or None where there was nothing to send any more.
        """
        made = self._send(delivery)
        with self._changed:
            if made is None:
                delivery.state = "dropped"
            elif made.succeeded:
                delivery.state = "delivered"
            elif (wait := self._retry_wait(delivery)) is None:
                delivery.state = "failed"
            else:
                self._due[delivery] = time.monotonic() + wait * self.retry_scale
            self._changed.notify_all()
        return made

    def send_again(self, delivery: D) -> Attempt | None:
        """Send a delivery once more under its id, whatever became of it: a duplicate."""
        return self._send(delivery)

    def drain(self, *, attempts: float = math.inf) -> int:
        """Send what is pending without waiting, oldest first, until nothing is.

        Deliveries that this sends may cause more; those are sent too. Not for use beside `start`.

        Args:
            attempts: at most this many attempts for each delivery in this call.

        Returns:
            The number of requests sent.
        """
        made: Counter[D] = Counter()
        while batch := [item for item in self.pending if made[item] < attempts]:
            for delivery in batch:
                made[delivery] += self.attempt(delivery) is not None
        return made.total()

    def wait_until_idle(self, timeout: float) -> bool:
        """Wait until nothing is pending, at most `timeout` seconds. Whether that came about."""
        with self._changed:
            return self._changed.wait_for(lambda: not self.pending, timeout)

    def start(self) -> None:
        """Begin to send in the background."""
        self._stopping = False
        self._thread = threading.Thread(target=self._work, name="sandbox-webhooks", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop sending in the background; what is pending stays pending."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _take(self, delivery: D) -> None:
        """Take a delivery that is due at once."""
        with self._changed:
            self.deliveries.append(delivery)
            self._due[delivery] = time.monotonic()
            self._changed.notify_all()

    def _work(self) -> None:
        while (delivery := self._next_due()) is not None:
            self.attempt(delivery)

    def _next_due(self) -> D | None:
        """Wait for the next delivery whose time has come; None when told to stop."""
        with self._changed:
            while not self._stopping:
                waiting = sorted(self.pending, key=lambda item: self._due[item])
                wait = self._due[waiting[0]] - time.monotonic() if waiting else None
                if wait is not None and wait <= 0:
                    return waiting[0]
                self._changed.wait(wait)
            return None

    def _send(self, delivery: D) -> Attempt | None:
        request = self.render(delivery)
        if request is None:
            return None
        at = self._clock()
        try:
            answer = self.transport(request)
        except (OSError, http.client.HTTPException) as failure:
            made = Attempt(at, request, None, type(failure).__name__)
        else:
            reply = Reply(answer) if isinstance(answer, int) else answer
            made = Attempt(at, request, reply.status, retry_after=reply.retry_after)
        with self._lock:
            delivery.attempts.append(made)
        return made

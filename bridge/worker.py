"""Threads that drain the inbox and the outbox until they are told to stop."""

import threading
from collections.abc import Callable

import structlog

from bridge.errors import Retryable
from bridge.service.core import Bridge
from bridge.service.intake import handle_next
from bridge.service.sending import send_next

log = structlog.get_logger(__name__)

#: How long a worker sleeps when nobody wakes it: retries fall due without a call.
_IDLE_SECONDS = 1.0


class Workers:
    """Some threads per queue. Tickets are worked on in parallel, each ticket by one at a time."""

    def __init__(self, bridge: Bridge, threads: int = 2) -> None:
        self._bridge = bridge
        self._threads = [
            threading.Thread(target=self._run, args=(step,), name=f"{name}-{number}", daemon=True)
            for name, step in (("inbox", handle_next), ("outbox", send_next))
            for number in range(threads)
        ]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self, seconds: float = 30) -> None:
        """Let every worker finish what it has in hand; what it does not finish is leased anew."""
        self._bridge.wake.stop()
        for thread in self._threads:
            thread.join(seconds)

    def problems(self) -> list[str]:
        """Workers that are not running, which they should never be."""
        return [f"worker {t.name} has stopped" for t in self._threads if not t.is_alive()]

    def _run(self, step: Callable[[Bridge], bool]) -> None:
        wake = self._bridge.wake
        while not wake.stopping:
            seen = wake.round()
            if not self._take(step):
                wake.wait(seen, _IDLE_SECONDS)

    def _take(self, step: Callable[[Bridge], bool]) -> bool:
        try:
            return step(self._bridge)
        except Retryable as error:
            log.warning("the database is busy; the work waits", error=str(error))
        except Exception:
            log.exception("a worker met a fault; the work waits for its lease to end")
        return False


def drain(bridge: Bridge, steps: int = 100_000) -> int:
    """Do all the work that is due, in this thread; how many steps it took. For tests and demos."""
    for done in range(steps):
        if not handle_next(bridge) and not send_next(bridge):
            return done
    raise RuntimeError(f"still not idle after {steps} steps")

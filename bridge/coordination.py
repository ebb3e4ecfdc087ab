"""Waking workers up. A hint, never truth: the tables say what is to be done."""

import threading


class Wake:
    """Tells the workers of this process that there may be work; also how they are told to stop."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._rounds = 0
        self.stopping = False

    def call(self) -> None:
        """There may be work. Safe from any thread."""
        with self._changed:
            self._rounds += 1
            self._changed.notify_all()

    def stop(self) -> None:
        """Let everybody who waits return, now and for ever."""
        with self._changed:
            self.stopping = True
            self._changed.notify_all()

    def round(self) -> int:
        """A number to hand to `wait`, taken before looking for work: no call is missed."""
        with self._changed:
            return self._rounds

    def wait(self, seen: int, seconds: float) -> None:
        """Until somebody calls after `round` gave `seen`, or the seconds are over."""
        with self._changed:
            self._changed.wait_for(lambda: self.stopping or self._rounds != seen, seconds)

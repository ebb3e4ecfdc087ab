"""What an admin does with the queues: look, and replay or discard what got stuck."""

from typing import Any

from bridge.queues import rows
from bridge.queues.rows import QueueName, QueueRow
from bridge.service.core import Bridge


def listed(bridge: Bridge, state: str | None = None) -> list[QueueRow]:
    """Rows of both queues: those in one state, or all that are not done."""
    return bridge.db.read(lambda conn: rows.listed(conn, state=state))


def details(bridge: Bridge, queue: QueueName, row_id: int) -> tuple[QueueRow, dict[str, Any]]:
    """One row, and what it carries.

    Raises:
        BadRequest: there is no such row.
    """
    return bridge.db.read(lambda conn: rows.details(conn, queue, row_id))


def replay(bridge: Bridge, queue: QueueName, row_id: int) -> None:
    """Queue a dead letter again. Effects are exactly-once, so repeating it is safe.

    Raises:
        BadRequest: it is not dead, or names no ticket.
    """
    bridge.db.write(lambda conn: rows.replay(conn, queue, row_id, bridge.now()))
    bridge.wake.call()


def replay_all(bridge: Bridge) -> int:
    """Queue every dead letter again that names a ticket; how many."""
    count = bridge.db.write(lambda conn: rows.replay_all(conn, bridge.now()))
    bridge.wake.call()
    return count


def discard(bridge: Bridge, queue: QueueName, row_id: int, reason: str) -> None:
    """Put a dead letter aside for good, with the reason on record.

    Raises:
        BadRequest: it is not dead, or no reason is given.
    """
    bridge.db.write(lambda conn: rows.discard(conn, queue, row_id, reason, bridge.now()))

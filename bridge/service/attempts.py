"""One attempt at queued work: whatever happens to it is stored, and nothing of it is lost."""

import random
from collections.abc import Callable, Sequence

import structlog

from bridge.errors import BridgeError, Retryable
from bridge.queues import rows
from bridge.queues.rows import QueueName
from bridge.service.core import Bridge

log = structlog.get_logger(__name__)


def attempt(bridge: Bridge, queue: QueueName, ids: Sequence[int], work: Callable[[], None]) -> None:
    """Run `work`, which marks its rows as done itself; a failure is postponed, or buried.

    What may succeed later is tried again; what was refused becomes a dead letter; a fault of ours
    is tried again, and neither loses the work nor stops the worker.
    """
    try:
        work()
    except Retryable as error:
        log.warning("postponed", queue=queue, ids=list(ids), error=str(error))
        _postpone(bridge, queue, ids, str(error), error.retry_after)
    except BridgeError as error:
        refusal = str(error)
        log.warning("dead letter", queue=queue, ids=list(ids), error=refusal)
        status = getattr(error, "status", None)
        bridge.db.write(
            lambda conn: rows.bury(conn, queue, ids, error=refusal, now=bridge.now(), status=status)
        )
    except Exception as error:
        log.exception("attempt failed", queue=queue, ids=list(ids))
        _postpone(bridge, queue, ids, f"unexpected {type(error).__name__}; see the log", None)


def _postpone(
    bridge: Bridge, queue: QueueName, ids: Sequence[int], error: str, retry_after: float | None
) -> None:
    jitter = random.random()  # noqa: S311 - it spreads retries, it guards nothing
    bridge.db.write(
        lambda conn: rows.postpone(
            conn,
            queue,
            ids,
            error=error,
            retry_after=retry_after,
            jitter=jitter,
            now=bridge.now(),
        )
    )

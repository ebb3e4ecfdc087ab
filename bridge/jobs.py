"""What is done every so often. APScheduler says when; the steps themselves are idempotent.

Only interval triggers in UTC: cron triggers skip or repeat hours where clocks change. No job per
lot or per ticket: each run looks in the database for what is due by now, so a late run does
everything that the missed ones would have done.
"""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import structlog
from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED, JobEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from bridge.service import showing, watch
from bridge.service.core import Bridge

log = structlog.get_logger(__name__)

#: The jobs by their fixed ids, and how often they run.
JOBS: dict[str, tuple[Callable[[Bridge], int], timedelta]] = {
    "expire-points": (watch.expire_points, timedelta(minutes=1)),
    "watch-clocks": (watch.watch_clocks, timedelta(seconds=20)),
    "watch-holds": (watch.watch_holds, timedelta(minutes=1)),
    "show-accounts": (showing.show_accounts, timedelta(seconds=15)),
}

#: A wall clock that moves this much more or less than real time was set, and did not just drift.
_CLOCK_JUMP_SECONDS = 2.0
_CLOCK_CHECK_SECONDS = 1.0


class Jobs:
    """The scheduler of one process."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._stopping = threading.Event()
        self._guard = threading.Thread(target=self._watch_wall_clock, name="clock", daemon=True)
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(len(JOBS))},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        self._scheduler.add_listener(
            _report, EVENT_JOB_ERROR | EVENT_JOB_MISSED | EVENT_JOB_MAX_INSTANCES
        )
        for job_id, (step, every) in JOBS.items():
            self._scheduler.add_job(
                step,
                IntervalTrigger(seconds=int(every.total_seconds()), timezone=UTC),
                args=(bridge,),
                id=job_id,
                next_run_time=datetime.now(UTC),
            )

    def start(self) -> None:
        """Begin; every job runs once at once, to catch up on what fell due while we were down."""
        self._scheduler.start()
        self._guard.start()

    def stop(self) -> None:
        """Let running jobs finish, and start no other."""
        self._stopping.set()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)

    def problems(self) -> list[str]:
        """Why jobs would not run."""
        return [] if self._scheduler.running else ["the scheduler has stopped"]

    def _watch_wall_clock(self) -> None:
        """Start anew after the wall clock was set: APScheduler would sleep until it catches up."""
        before = _clock_offset()
        while not self._stopping.wait(_CLOCK_CHECK_SECONDS):
            now = _clock_offset()
            if abs(now - before) > _CLOCK_JUMP_SECONDS:
                log.warning("the wall clock was set", seconds=round(now - before, 1))
                self._run_all_now()
            before = now

    def _run_all_now(self) -> None:
        for job in self._scheduler.get_jobs():
            job.modify(next_run_time=datetime.now(UTC))


def run_once(bridge: Bridge) -> None:
    """Every job, now, in this thread. For tests, demos and cron lovers."""
    for step, _every in JOBS.values():
        step(bridge)


def _clock_offset() -> float:
    """By how many seconds the wall clock is ahead of the one that nobody sets."""
    return time.time() - time.monotonic()


def _report(event: JobEvent) -> None:
    error = getattr(event, "exception", None)
    log.error("a job did not run well", job=event.job_id, event_code=event.code, error=repr(error))

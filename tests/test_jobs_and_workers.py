"""The threads of a server: workers that outlive faults, jobs that are never missed."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from apscheduler.triggers.interval import IntervalTrigger

import bridge.jobs
import bridge.worker
from bridge.bootstrap import working
from bridge.coordination import Wake
from bridge.demo.scene import ZAMMAD, Scene, open_scene
from bridge.errors import LedgerBusy
from bridge.jobs import JOBS, Jobs
from bridge.service.core import Bridge
from bridge.worker import Workers

#: The longest that a test waits for a thread before it fails.
PATIENCE = 30


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with open_scene(tmp_path, ZAMMAD) as scene:
        yield scene


def scheduled(jobs: Jobs) -> dict[str, Any]:
    return {job.id: job for job in jobs._scheduler.get_jobs()}


class TestWake:
    def test_a_call_between_looking_and_waiting_is_not_missed(self) -> None:
        wake = Wake()
        seen = wake.round()
        wake.call()
        wake.wait(seen, PATIENCE)
        assert wake.round() == seen + 1

    def test_stop_lets_everybody_go_for_ever(self) -> None:
        wake = Wake()
        waiting = threading.Thread(target=wake.wait, args=(wake.round(), PATIENCE))
        waiting.start()
        wake.stop()
        waiting.join(PATIENCE)
        assert not waiting.is_alive()
        wake.wait(wake.round(), PATIENCE)


class TestWorkers:
    @pytest.mark.parametrize("error", [LedgerBusy("locked"), KeyError("a fault of ours")])
    def test_outlive_a_step_that_fails(
        self, scene: Scene, monkeypatch: pytest.MonkeyPatch, error: Exception
    ) -> None:
        tried, worked = [], threading.Event()

        def step(_bridge: Bridge) -> bool:
            tried.append(1)
            if len(tried) == 1:
                raise error
            worked.set()
            return False

        monkeypatch.setattr(bridge.worker, "handle_next", step)
        workers = Workers(scene.bridge, threads=1)
        workers.start()
        scene.bridge.wake.call()
        assert worked.wait(PATIENCE)
        assert workers.problems() == []
        workers.stop()
        assert len(workers.problems()) == 2

    def test_handle_what_arrives_while_they_sleep(self, scene: Scene) -> None:
        charged = threading.Event()
        scene.zammad.model.add_organization("Acme GmbH")
        scene.zammad.model.add_customer("Carla", "carla@acme.example", "Acme GmbH")
        with working(scene.bridge) as inbound:
            assert inbound.problems() == []
            ticket = scene.zammad.model.customer_mails("carla@acme.example", "Help", "Please.")
            scene.zammad.webhooks.drain()
            for _ in range(PATIENCE * 20):
                if scene.zammad.model.ticket(ticket)["points_state"] == "awaiting_points":
                    charged.set()
                    break
                charged.wait(0.05)
        assert charged.is_set()


class TestJobs:
    def test_are_intervals_in_utc_with_fixed_names_and_miss_nothing(self, scene: Scene) -> None:
        """ "UTC, interval triggers, fixed ids, misfire_grace_time=None" """
        jobs = Jobs(scene.bridge)
        jobs.start()
        found = scheduled(jobs)
        jobs.stop()
        assert set(found) == set(JOBS)
        for job in found.values():
            assert isinstance(job.trigger, IntervalTrigger)
            assert job.trigger.timezone == UTC
            assert (job.misfire_grace_time, job.coalesce, job.max_instances) == (None, True, 1)

    def test_run_at_once_to_catch_up_after_an_outage(
        self, scene: Scene, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ran = {job_id: threading.Event() for job_id in JOBS}
        replace_steps(monkeypatch, lambda job_id: ran[job_id].set())
        jobs = Jobs(scene.bridge)
        jobs.start()
        assert all(event.wait(PATIENCE) for event in ran.values())
        assert jobs.problems() == []
        jobs.stop()
        assert jobs.problems() == ["the scheduler has stopped"]

    def test_that_fail_are_reported_and_run_again(
        self, scene: Scene, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        reported = threading.Event()

        def fail(_job_id: str) -> None:
            raise RuntimeError("no")

        replace_steps(monkeypatch, fail)
        monkeypatch.setattr(bridge.jobs.log, "error", lambda *_args, **_facts: reported.set())
        jobs = Jobs(scene.bridge)
        jobs.start()
        assert reported.wait(PATIENCE)
        assert set(scheduled(jobs)) == set(JOBS)
        jobs.stop()

    def test_run_anew_when_the_wall_clock_is_set(
        self, scene: Scene, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """APScheduler would sleep until the clock has caught up."""
        offsets = iter([0.0, 0.0, -3600.0])
        noticed = threading.Event()
        monkeypatch.setattr(bridge.jobs, "_CLOCK_CHECK_SECONDS", 0.01)
        monkeypatch.setattr(bridge.jobs, "_clock_offset", lambda: next(offsets, -3600.0))
        jobs = Jobs(scene.bridge)
        monkeypatch.setattr(jobs, "_run_all_now", noticed.set)
        jobs.start()
        assert noticed.wait(PATIENCE)
        jobs.stop()


def replace_steps(monkeypatch: pytest.MonkeyPatch, step: Callable[[str], object]) -> None:
    """Jobs of the same names that do something else."""

    def named(job_id: str) -> Callable[[Bridge], int]:
        return lambda _bridge: 0 if step(job_id) is None else 1

    steps = {job_id: (named(job_id), every) for job_id, (_, every) in JOBS.items()}
    monkeypatch.setattr(bridge.jobs, "JOBS", steps)

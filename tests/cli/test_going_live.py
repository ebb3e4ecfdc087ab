"""Since when tickets are metered, and what a date in the past takes in, is said and asked."""

import re
import sqlite3
from datetime import datetime
from pathlib import Path

import pytest

from bridge.demo.scene import HELPDESK, Scene
from bridge.sandbox.zammad import Fault
from bridge.setup import going_live
from tests.cli.conftest import Patient, Run, of
from tests.cli.test_setup import answered, triggers

SETUP = ("setup", HELPDESK)


@pytest.fixture
def old(bare: Scene, settings: Path) -> Scene:
    """A helpdesk with tickets from before the bridge: two are open, one is closed."""
    in_service_since(settings, "")
    model = bare.zammad.model
    model.add_customer("Carla", "carla@acme.example")
    for title in ("One", "Two", "Three"):
        ticket = model.customer_mails("carla@acme.example", title, "Please.")
    model.agent_closes(ticket)
    return bare


def in_service_since(settings: Path, instant: str) -> None:
    """The setting; "" takes it away."""
    text = settings.read_text(encoding="utf-8")
    line = f"in_service_since = {instant}\n" if instant else ""
    changed, count = re.subn(r"in_service_since = .*\n", line, text)
    if not count:
        changed = text.replace("[helpdesks.support]\n", f"[helpdesks.support]\n{line}")
    settings.write_text(changed, encoding="utf-8")


def in_the_past(settings: Path) -> None:
    in_service_since(settings, "2020-01-01T00:00:00Z")


def first_seen(settings: Path) -> list[tuple[str, str]]:
    with sqlite3.connect(settings.with_name("points-bridge.db")) as connection:
        found = connection.execute("SELECT name, first_seen_at FROM helpdesks").fetchall()
    connection.close()
    return found


def test_the_first_setup_puts_a_helpdesk_into_service_and_it_is_kept(
    run: Run, old: Scene, settings: Path
) -> None:
    of(run, "purchase", "Acme GmbH", "10", "--reference", "INV-1", "--new")
    assert first_seen(settings) == []
    planned = of(run, *SETUP, "--dry-run")
    assert planned["in_service"] == {"since": None, "taken_in": 0}
    assert first_seen(settings) == []
    assert "opened from now on are metered" in run(*SETUP, "--yes")[1]
    before = first_seen(settings)
    assert [name for name, _ in before] == [HELPDESK]
    later = of(run, *SETUP, "--yes")["in_service"]
    assert later["taken_in"] == 0
    assert datetime.fromisoformat(later["since"]) == datetime.fromisoformat(before[0][1])
    assert first_seen(settings) == before


@pytest.mark.parametrize(("answers", "code", "made"), [("y\nn\n", 1, 0), ("y\ny\n", 0, 8)])
def test_a_date_in_the_past_is_confirmed_with_the_open_tickets_that_it_takes_in(
    run: Run,
    old: Scene,
    settings: Path,
    monkeypatch: pytest.MonkeyPatch,
    answers: str,
    code: int,
    made: int,
) -> None:
    in_the_past(settings)
    answered(monkeypatch, answers)
    ended, out, _ = run(*SETUP)
    assert (ended, len(triggers(old))) == (code, made)
    said = " ".join(out.split())
    assert "since 2020-01-01 00:00 UTC are metered: that takes in 2 that are open" in said
    assert "Take in those 2 open tickets?" in said


def test_what_the_bridge_knows_is_not_taken_in_again(well: Patient) -> None:
    """Carla's ticket is open, and charged."""
    in_the_past(well.settings)
    assert of(well.run, *SETUP, "--dry-run")["in_service"]["taken_in"] == 0


def test_many_are_counted_no_further_than_needed(
    run: Run, old: Scene, settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(going_live, "MOST", 1)
    in_the_past(settings)
    assert "takes in 1 or more that are open" in " ".join(run(*SETUP, "--dry-run")[1].split())


def test_doctor_says_what_is_taken_in(run: Run, old: Scene, settings: Path) -> None:
    in_the_past(settings)
    _, out, _ = run("doctor")
    assert "warning support: in service" in out
    assert "takes in 2 that are open" in " ".join(out.split())


def test_doctor_says_that_nothing_is_metered_yet(run: Run, old: Scene, settings: Path) -> None:
    said = " ".join(run("doctor")[1].split())
    assert "note support: in service: no ticket is metered yet" in said


def test_doctor_says_why_it_does_not_know(well: Patient) -> None:
    fault = Fault("GET", "/api/v1/tickets/search", status=502)
    well.scene.zammad.model.faults.add(fault, times=99)
    said = " ".join(well.run("doctor")[1].split())
    assert "note support: in service: GET /api/v1/tickets/search" in said

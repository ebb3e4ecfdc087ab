"""Calendars and SLAs of the stand-in: the times of the recordings, and what ends them."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.sandbox.zammad import Token, ZammadSandbox
from bridge.sandbox.zammad.escalation import destination

from .conftest import CARLA, Api, Clock

RECORDED = json.loads(Path(__file__).with_name("recordings").joinpath("9_slas.json").read_text())
CALENDAR, SLA, BY_ATTRIBUTE, WITHOUT = (
    next(row["body"] for row in RECORDED if row["recording"] == number)
    for number in (175, 176, 177, 178)
)
Row = dict[str, Any]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def hours(*days: str, frames: list[list[str]] | None = None) -> Row:
    return {day: {"active": True, "timeframes": frames or [["09:00", "17:00"]]} for day in days}


@pytest.fixture
def calendar(api: Api) -> int:
    return int(api.post("/calendars", CALENDAR, token=Token.SETUP)["id"])


def add_sla(api: Api, calendar: int, spec: Row = SLA, **change: Any) -> Row:
    spec = {**spec, "calendar_id": calendar, **change}
    added: Row = api.post("/slas", spec, token=Token.SETUP)
    return added


def opened(box: ZammadSandbox, sender: str = CARLA) -> Row:
    return box.model.ticket(box.model.customer_mails(sender, "Help", "Please."))


def due(ticket: Row) -> datetime | None:
    assert ticket["first_response_escalation_at"] == ticket["escalation_at"]
    found: datetime | None = ticket["escalation_at"]
    return found


@pytest.mark.parametrize(
    "answer", [row["answer"] for row in RECORDED if row["recording"] in {180, 182, 183, 184, 185}]
)
def test_a_recorded_due_time_is_that_of_the_stand_in(answer: Row) -> None:
    start = datetime.fromisoformat(answer["created_at"])
    found = destination(start, timedelta(minutes=240), CALENDAR)
    assert found == datetime.fromisoformat(answer["first_response_escalation_at"])


@pytest.mark.parametrize(
    ("start", "minutes", "expected"),
    [
        ("2026-11-23 08:30", 240, "2026-11-23 12:30"),
        ("2026-11-23 12:00", 240, "2026-11-24 08:00"),  # used up at the closing
        ("2026-11-23 12:00:01", 240, "2026-11-24 08:00:01"),
        ("2026-11-27 15:00", 240, "2026-11-30 11:00"),
        ("2026-12-24 15:00", 240, "2026-12-28 11:00"),  # a holiday, then the weekend
        ("2026-11-20 15:00", 240, "2026-11-23 11:00"),  # an entry that is not active
    ],
)
def test_open_time_is_counted_as_in_berlin(start: str, minutes: int, expected: str) -> None:
    assert destination(at(start), timedelta(minutes=minutes), CALENDAR) == at(expected)


def test_the_clocks_are_those_of_the_zone() -> None:
    """A Sunday that is open all day has 25 hours where clocks go back (2026-10-25)."""
    calendar = CALENDAR | {"business_hours": hours("sun", frames=[["00:00", "24:00"]])}
    start = at("2026-10-24 22:00")
    assert destination(start, timedelta(hours=24, minutes=30), calendar) == (
        start + timedelta(hours=24, minutes=30)
    )


def test_two_frames_of_a_day_count_together() -> None:
    frames = [["09:00", "12:00"], ["13:00", "17:00"]]
    calendar = CALENDAR | {"business_hours": hours("mon", frames=frames)}
    assert destination(at("2026-11-23 08:00"), timedelta(hours=4), calendar) == (
        at("2026-11-23 13:00")
    )


def test_a_calendar_that_is_never_open_is_refused(api: Api) -> None:
    closed = {"mon": {"active": False, "timeframes": [["09:00", "17:00"]]}}
    for spec in (CALENDAR | {"business_hours": closed}, CALENDAR | {"business_hours": {}}):
        api.post("/calendars", spec, token=Token.SETUP, status=422)
    assert api.get("/calendars", token=Token.SETUP) == []


def test_a_closed_calendar_gives_no_time() -> None:
    assert destination(
        at("2026-11-23 08:00"), timedelta(1), {**CALENDAR, "business_hours": {}}
    ) is (None)


def test_a_first_answer_ends_it_and_a_note_does_not(
    sandbox: ZammadSandbox, api: Api, calendar: int
) -> None:
    add_sla(api, calendar)
    ticket = opened(sandbox)
    assert due(ticket) == at("2026-11-23 12:00")
    sandbox.model.agent_notes(ticket["id"], "Hm.")
    assert due(ticket) is not None
    sandbox.model.agent_answers(ticket["id"], "Try this.")
    assert due(ticket) is None


@pytest.mark.parametrize(
    "change",
    [{"state": "closed"}, {"state": "pending reminder", "pending_time": "2026-12-01T09:00:00Z"}],
)
def test_a_state_that_does_not_escalate_blanks_it_until_it_is_left(
    sandbox: ZammadSandbox, api: Api, calendar: int, change: Row
) -> None:
    add_sla(api, calendar)
    ticket = opened(sandbox)
    sandbox.model.agent_sets(ticket["id"], **change)
    assert due(ticket) is None
    assert ticket["preferences"]["escalation_calculation"]["escalation_disabled"] is True
    sandbox.model.agent_sets(ticket["id"], state="open")
    assert due(ticket) == at("2026-11-23 12:00")


def test_it_counts_from_the_creation(
    sandbox: ZammadSandbox, api: Api, clock: Clock, calendar: int
) -> None:
    ticket = opened(sandbox)
    assert due(ticket) is None
    clock.advance(days=3)
    add_sla(api, calendar)
    sandbox.model.agent_notes(ticket["id"], "Saved again.")
    assert due(ticket) == at("2026-11-23 12:00")


def test_the_first_by_name_that_fits_counts(
    sandbox: ZammadSandbox, api: Api, calendar: int
) -> None:
    add_sla(api, calendar, name="zz")
    winner = add_sla(api, calendar, name="aa", first_response_time=60)
    add_sla(api, calendar, BY_ATTRIBUTE, name="a")  # of an attribute that does not exist
    ticket = opened(sandbox)
    assert due(ticket) == at("2026-11-23 09:00")
    assert ticket["preferences"]["escalation_calculation"]["sla_id"] == winner["id"]


def test_the_last_one_without_a_condition_is_for_the_rest(
    sandbox: ZammadSandbox, api: Api, calendar: int
) -> None:
    add_sla(api, calendar, WITHOUT, name="a", first_response_time=60)
    add_sla(api, calendar, WITHOUT, name="b", first_response_time=120)
    assert due(opened(sandbox, "stranger@nowhere.example")) == at("2026-11-23 10:00")
    add_sla(api, calendar, name="c")
    assert due(opened(sandbox)) == at("2026-11-23 12:00")


def test_a_calendar_that_is_deleted_leaves_its_slas_to_another(api: Api, calendar: int) -> None:
    other = api.post("/calendars", CALENDAR, token=Token.SETUP)["id"]
    sla = add_sla(api, calendar)
    api.delete(f"/calendars/{calendar}", token=Token.SETUP)
    assert [row["calendar_id"] for row in api.get("/slas", token=Token.SETUP)] == [other]
    api.delete(f"/slas/{sla['id']}", token=Token.SETUP)
    assert api.get("/slas", token=Token.SETUP) == []


@pytest.mark.parametrize("path", ["/calendars", "/slas", "/calendars_init"])
def test_an_agent_may_not_look(api: Api, path: str) -> None:
    api.get(path, token=Token.AGENT, status=403)
    api.get(path, token=Token.SETUP)


def test_the_zones_of_a_calendar_are_the_countries_own(api: Api) -> None:
    zones = api.get("/calendars_init", token=Token.SETUP)["timezones"]
    assert zones["Asia/Kolkata"] == 5
    assert zones.keys().isdisjoint({"Asia/Calcutta", "US/Eastern", "UTC"})

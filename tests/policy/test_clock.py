"""When a clock starts, when it is at risk, and how an answer ends it."""

from datetime import UTC, datetime, timedelta

import pytest

from bridge.policy.clock import respond, start_clock
from bridge.policy.hours import HOUR, Calendar
from bridge.policy.terms import Terms
from bridge.policy.zones import load_zone
from bridge.ticket import SlaState

NEW_YORK = "America/New_York"
OFFICE = Calendar(NEW_YORK)
FOUR_HOURS = 4 * HOUR


def at(wall: str) -> datetime:
    """The UTC instant of a wall time in New York."""
    return datetime.fromisoformat(wall).replace(tzinfo=load_zone(NEW_YORK)).astimezone(UTC)


def test_the_promise_runs_from_creation_or_release_and_anew_from_a_reopening() -> None:
    """9. "a late delivery or our own downtime must not shorten the promise's clock"; 12. "Re-open:
    new clock from the re-open instant".
    """
    created, released, reopened = (
        at("2026-03-06 16:00"),
        at("2026-03-09 10:00"),
        at("2026-03-10 18:30"),
    )
    dues = [start_clock(s, 1, OFFICE, Terms()).due_at for s in (created, released, reopened)]
    assert dues == [at("2026-03-09 12:00"), at("2026-03-09 14:00"), at("2026-03-11 13:00")]


@pytest.mark.parametrize(
    ("start", "target", "expected"),
    [
        ("2026-03-02 10:00", FOUR_HOURS, "2026-03-02 13:00"),
        ("2026-03-02 14:00", FOUR_HOURS, "2026-03-02 17:00"),
        ("2026-03-02 16:00", FOUR_HOURS, "2026-03-03 11:00"),
        ("2026-03-02 16:00", HOUR, "2026-03-02 16:00"),
        ("2026-03-02 20:00", 60, "2026-03-02 20:00"),
    ],
)
def test_a_promise_is_at_risk_one_business_hour_before(
    start: str, target: int, expected: str
) -> None:
    """ "At risk: one business hour before." """
    clock = start_clock(at(start), 1, OFFICE, Terms(response_seconds=target))
    assert clock.at_risk_at == at(expected)


def test_an_answer_in_the_boundary_second_is_on_time() -> None:
    """5. "Answering at the boundary second is on time." """
    clock = start_clock(at("2026-03-02 13:00:30"), 1, OFFICE, Terms())
    boundary = at("2026-03-03 09:00:30")
    assert respond(clock, boundary, OFFICE).result is SlaState.MET
    assert respond(clock, boundary + timedelta(seconds=1), OFFICE).result is SlaState.BREACHED

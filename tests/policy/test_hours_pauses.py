"""When the clock starts, stands still and is at risk: points 9 to 12 of the rules."""

from datetime import UTC, datetime

import pytest

from bridge.policy.hours import (
    DAY,
    HOUR,
    Calendar,
    Due,
    Pause,
    add_business_time,
    at_risk_from,
    breached,
    business_elapsed,
    due_after_pauses,
    remaining_seconds,
)
from bridge.policy.zones import load_zone

NEW_YORK = "America/New_York"
OFFICE = Calendar(NEW_YORK)
FOUR_HOURS = 4 * HOUR


def at(wall: str, zone: str = NEW_YORK) -> datetime:
    """The UTC instant of a wall time in a zone; `+` at its end means the second occurrence."""
    local = datetime.fromisoformat(wall.removesuffix("+")).replace(tzinfo=load_zone(zone))
    return local.replace(fold=wall.endswith("+")).astimezone(UTC)


def test_the_promise_runs_from_creation_or_release_and_anew_from_a_reopening() -> None:
    """9. "a late delivery or our own downtime must not shorten the promise's clock"; 12. "Re-open:
    new clock from the re-open instant".
    """
    created, released, reopened = (
        at("2026-03-06 16:00"),
        at("2026-03-09 10:00"),
        at("2026-03-10 18:30"),
    )
    dues = [add_business_time(s, FOUR_HOURS, OFFICE).at for s in (created, released, reopened)]
    assert dues == [at("2026-03-09 12:00"), at("2026-03-09 14:00"), at("2026-03-11 13:00")]


START = at("2026-03-02 10:00")


def test_on_resume_the_remaining_time_is_added_to_the_resume() -> None:
    """10. "remaining = target - sum of elapsed over active spans; ... on resume at = add(resume,
    remaining)".
    """
    pauses = [
        Pause(at("2026-03-02 11:00"), at("2026-03-02 12:00")),
        Pause(at("2026-03-02 13:00"), at("2026-03-04 15:30")),
    ]
    resume = at("2026-03-04 15:30")
    assert remaining_seconds(START, resume, FOUR_HOURS, OFFICE, pauses) == 2 * HOUR
    due = due_after_pauses(START, FOUR_HOURS, OFFICE, pauses)
    assert due == Due(at("2026-03-05 09:30"), at("2026-03-05 09:30"))
    assert not breached(START, at("2026-03-05 09:30"), FOUR_HOURS, OFFICE, pauses)
    assert breached(START, at("2026-03-05 09:30:01"), FOUR_HOURS, OFFICE, pauses)


def test_while_paused_nothing_is_due() -> None:
    """10. "while paused the field is blank" """
    paused = [Pause(at("2026-03-02 11:00"))]
    assert due_after_pauses(START, FOUR_HOURS, OFFICE, paused) is None
    assert at_risk_from(START, FOUR_HOURS, OFFICE, paused) is None
    assert remaining_seconds(START, at("2026-05-01 12:00"), FOUR_HOURS, OFFICE, paused) == 3 * HOUR


def test_a_promise_broken_before_a_pause_stays_due_when_it_was() -> None:
    broken = at("2026-03-03 10:00")
    for pause in (Pause(broken), Pause(broken, at("2026-03-04 09:00"))):
        assert due_after_pauses(START, FOUR_HOURS, OFFICE, [pause]) == Due(
            at("2026-03-02 14:00"), at("2026-03-02 14:00")
        )


def test_a_target_used_up_as_a_pause_begins_is_due_at_the_resume() -> None:
    pause = Pause(at("2026-03-02 14:00"), at("2026-03-02 16:00"))
    due = due_after_pauses(START, FOUR_HOURS, OFFICE, [pause])
    assert due == Due(at=at("2026-03-02 16:00"), by_close=at("2026-03-02 14:00"))


def test_a_pause_outside_hours_costs_nothing() -> None:
    """Adding the paused time to the creation time would move the due date by a night."""
    night = Pause(at("2026-03-02 17:00"), at("2026-03-03 09:00"))
    start = at("2026-03-02 15:00")
    unpaused = add_business_time(start, FOUR_HOURS, OFFICE)
    assert due_after_pauses(start, FOUR_HOURS, OFFICE, [night]) == unpaused


def test_pauses_keep_their_seconds_within_one_minute_and_within_a_repeated_hour() -> None:
    calendar = Calendar(NEW_YORK, dict.fromkeys(range(7), ((0, DAY),)))
    pauses = [
        Pause(at("2026-11-01 01:10:05"), at("2026-11-01 01:10:15")),
        Pause(at("2026-11-01 01:10:20"), at("2026-11-01 01:10:27")),
        Pause(at("2026-11-01 01:10:05+"), at("2026-11-01 01:10:08+")),
    ]
    start, end = at("2026-11-01 00:00"), at("2026-11-01 03:00")
    assert business_elapsed(start, end, calendar, pauses) == FOUR_HOURS - 10 - 7 - 3


def test_a_pause_cannot_end_before_it_begins() -> None:
    backwards = Pause(at("2026-03-02 12:00"), at("2026-03-02 11:00"))
    with pytest.raises(ValueError, match="cannot end at"):
        due_after_pauses(START, FOUR_HOURS, OFFICE, [backwards])


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
    assert at_risk_from(at(start), target, OFFICE) == at(expected)

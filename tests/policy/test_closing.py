"""Product rule 5.6: a closure ends the clock. One test per sentence."""

from datetime import datetime, timedelta

import pytest

from bridge.policy.clock import watched
from bridge.policy.decisions import Kind
from bridge.policy.display import ticket_fields
from bridge.policy.rules import Rule
from bridge.ticket import AccountFields, SlaState, Status
from tests.policy.cases import (
    BERLIN,
    DAY,
    HOUR,
    OPENED,
    TERMS,
    accepted,
    after,
    clock_after,
    closed_at,
    history,
    kinds,
    settle,
    ticket,
)


@pytest.mark.parametrize("end", [Status.CLOSED, Status.MERGED, Status.REMOVED])
def test_a_ticket_that_ends_without_an_answer_has_promised_nothing_more(end: Status) -> None:
    """ "A ticket that is closed without a public answer (by an agent, a merge or its customer) has
    promised nothing more: the clock ends at the closure" """
    changes = history((OPENED + HOUR, end))
    clock = clock_after(settle(ticket(end), changes, accepted()))
    assert (clock.result, clock.ended_at, clock.waiting) == (SlaState.ENDED, OPENED + HOUR, False)
    assert watched(clock, OPENED + 9 * DAY) is None


@pytest.mark.parametrize(
    ("closed", "result"),
    [
        (timedelta(hours=4), SlaState.ENDED),
        (timedelta(hours=4, microseconds=999_999), SlaState.ENDED),
        (timedelta(hours=4, seconds=1), SlaState.BREACHED),
    ],
)
def test_it_is_neither_met_nor_breached_if_that_was_in_time(
    closed: timedelta, result: SlaState
) -> None:
    """ "as neither met nor breached if that was in time" """
    clock = closed_at(OPENED + closed).clock
    assert clock is not None
    assert (clock.result, clock.responded_at) == (result, None)


def test_the_ticket_shows_that_it_ended_and_no_time() -> None:
    """ "due and state blank out as `ended`" (sla-spec, point 11)"""
    fields = ticket_fields(closed_at(OPENED + HOUR), 10, AccountFields(90), BERLIN.zone, TERMS)
    assert (fields.sla, fields.response_due) == (SlaState.ENDED, None)


def test_a_late_closure_goes_on_showing_that_it_was_late() -> None:
    fields = ticket_fields(closed_at(OPENED + DAY), 10, AccountFields(90), BERLIN.zone, TERMS)
    assert (fields.sla, fields.response_due) == (SlaState.BREACHED, None)


def test_a_thank_you_that_reopens_and_is_closed_again_is_no_breach() -> None:
    """ "A thank-you that re-opens a ticket and is closed without an answer is no breach." """
    changes = history(
        (OPENED + 2 * HOUR, Status.CLOSED),
        (OPENED + 3 * HOUR, Status.OPEN),
        (OPENED + 3 * HOUR + timedelta(minutes=5), Status.CLOSED),
    )
    answered = ticket(Status.CLOSED, OPENED + HOUR)
    made = settle(answered, changes, accepted())
    assert kinds(made) == [Kind.RESPONDED, Kind.CLOSED, Kind.REOPENED, Kind.CLOSED]
    assert clock_after(made[:1]).result is SlaState.MET
    assert (clock_after(made).cycle, clock_after(made).result) == (2, SlaState.ENDED)


@pytest.mark.parametrize("hours", [2, 30])
def test_an_answer_after_the_closure_changes_nothing(hours: int) -> None:
    """ "An answer after the closure changes nothing." """
    at: datetime = OPENED + hours * HOUR
    incident = closed_at(OPENED + HOUR)
    assert settle(ticket(Status.CLOSED, at), None, incident) == []


def test_an_answer_with_the_closure_counts() -> None:
    at = OPENED + HOUR
    made = settle(ticket(Status.CLOSED, at), history((at, Status.CLOSED)), accepted())
    assert kinds(made) == [Kind.RESPONDED, Kind.CLOSED]
    assert clock_after(made).result is SlaState.MET
    assert all(finding.rule is not Rule.CLOCK_ENDS for finding in made[1].findings)


def test_the_record_says_that_the_closure_ended_the_clock() -> None:
    (_, closed) = settle(ticket(Status.CLOSED), history((OPENED + HOUR, Status.CLOSED)))
    assert [f.outcome for f in closed.findings if f.rule is Rule.CLOCK_ENDS] == ["ended"]
    assert after([closed]).closed


def test_a_ticket_that_was_made_closed_is_closed_although_no_history_tells() -> None:
    """An agent logs a call that is over."""
    made = settle(ticket(Status.CLOSED), [])
    assert kinds(made) == [Kind.ACCEPTED, Kind.CLOSED]
    assert clock_after(made).result is SlaState.ENDED
    assert settle(ticket(Status.CLOSED), [], after(made)) == []

"""What may still be written when its turn comes. Pure values."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bridge.policy.clock import respond
from bridge.policy.decisions import Incident
from bridge.policy.terms import Terms
from bridge.policy.writeback import (
    MOST_REPAIRS,
    STALE_AFTER,
    is_overtaken,
    is_stale,
    keeps_message,
    keeps_status,
    may_repair,
)
from bridge.ticket import PointsState, Status
from tests.policy.cases import BERLIN, HOUR, OPENED, accepted, ticket

CHARGED = Incident(PointsState.CHARGED, OPENED)


@pytest.mark.parametrize("status", [Status.OPEN, Status.PENDING, Status.CLOSED])
def test_a_status_is_set_while_the_incident_stands_as_it_did(status: Status) -> None:
    assert keeps_status(status, PointsState.CHARGED, CHARGED)
    assert not keeps_status(status, PointsState.AWAITING_POINTS, CHARGED)


@pytest.mark.parametrize("status", [Status.OPEN, Status.PENDING, Status.CLOSED])
def test_what_was_closed_since_is_left_closed(status: Status) -> None:
    kept = keeps_status(status, PointsState.CHARGED, replace(CHARGED, closed=True))
    assert kept == (status is Status.CLOSED)


@pytest.mark.parametrize("closed", [True, False])
def test_the_requester_is_told_what_still_is_so(closed: bool) -> None:
    """Also of a ticket that is closed: a refusal closes it with the same write."""
    incident = replace(CHARGED, closed=closed)
    assert keeps_message(PointsState.CHARGED, incident, same_account=True, closes=True)
    assert not keeps_message(PointsState.AWAITING_POINTS, incident, same_account=True, closes=True)
    declined = replace(incident, state=PointsState.DECLINED)
    assert keeps_message(PointsState.DECLINED, declined, same_account=True)


def test_that_work_begins_is_told_while_an_answer_is_awaited() -> None:
    """Not where somebody has answered, or closed the ticket, since."""
    incident = accepted()
    clock = incident.clock
    assert clock
    assert keeps_message(PointsState.CHARGED, incident, same_account=True)
    answered = replace(incident, clock=respond(clock, OPENED + HOUR, BERLIN))
    for since in (answered, replace(incident, closed=True), replace(incident, clock=None)):
        assert not keeps_message(PointsState.CHARGED, since, same_account=True)


def test_the_requester_is_not_told_of_an_account_that_the_ticket_has_left() -> None:
    assert not keeps_message(PointsState.CHARGED, CHARGED, same_account=False)


@pytest.mark.parametrize("status", [Status.CLOSED, Status.MERGED, Status.REMOVED])
def test_a_closure_that_nobody_has_looked_at_overtakes_a_write(status: Status) -> None:
    assert is_overtaken(ticket(status), CHARGED, Terms(), same_account=True)
    closed = replace(CHARGED, closed=True)
    assert not is_overtaken(ticket(status), closed, Terms(), same_account=True)


def test_a_move_that_nobody_has_looked_at_overtakes_a_write() -> None:
    here = replace(CHARGED, customer_ref="organization:2")
    assert is_overtaken(ticket(of="organization:3"), here, Terms(), same_account=False)
    assert not is_overtaken(ticket(of="organization:3"), here, Terms(), same_account=True)


def test_an_answer_to_a_held_ticket_that_nobody_has_looked_at_overtakes_a_write() -> None:
    answered = ticket(Status.OPEN, OPENED + HOUR)
    held = replace(CHARGED, state=PointsState.AWAITING_POINTS, held_at=OPENED)
    assert is_overtaken(answered, held, Terms(), same_account=True)
    assert not is_overtaken(ticket(), held, Terms(), same_account=True)
    assert not is_overtaken(answered, CHARGED, Terms(), same_account=True)


def test_a_ticket_as_it_was_overtakes_nothing() -> None:
    """Also where its person belongs to another account, and that was noted."""
    here = replace(CHARGED, customer_ref="organization:2")
    assert not is_overtaken(ticket(), here, Terms(), same_account=False)


def test_a_ticket_is_read_again_after_a_minute_or_where_it_was_not_read() -> None:
    assert is_stale(None, OPENED)
    assert not is_stale(OPENED, OPENED + STALE_AFTER)
    assert is_stale(OPENED, OPENED + STALE_AFTER + timedelta(seconds=1))


def test_fields_are_mended_a_few_times() -> None:
    assert may_repair(MOST_REPAIRS - 1)
    assert not may_repair(MOST_REPAIRS)

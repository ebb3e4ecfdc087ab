"""What an incident shows on its ticket, field by field."""

from dataclasses import replace
from datetime import date

import pytest

from bridge.policy.decisions import Incident
from bridge.policy.display import Summary, summary_parts, ticket_fields
from bridge.policy.owed import NOTHING, Owed, Text, together
from bridge.ticket import AccountFields, Fields, PointsState, SlaState, Status
from tests.policy.cases import BERLIN, HOUR, OPENED, TERMS, accepted, closed_at

ACCOUNT = AccountFields(90, date(2027, 11, 22))


def test_a_charged_ticket() -> None:
    assert ticket_fields(accepted(), 10, ACCOUNT, BERLIN.zone, TERMS) == Fields(
        state=PointsState.CHARGED,
        charged=10,
        balance=90,
        next_expiry=date(2027, 11, 22),
        response_due=OPENED + 4 * HOUR,
        sla=SlaState.RUNNING,
        free_reopen_until=None,
        zone="Europe/Berlin",
    )


def test_a_closed_ticket_shows_how_long_it_may_come_back() -> None:
    fields = ticket_fields(closed_at(OPENED), 10, ACCOUNT, BERLIN.zone, TERMS)
    assert fields.free_reopen_until == date(2027, 2, 21)


def test_the_days_are_the_account_s() -> None:
    fields = ticket_fields(closed_at(OPENED), 10, ACCOUNT, "Pacific/Kiritimati", TERMS)
    assert fields.free_reopen_until == date(2027, 2, 21)
    late = closed_at(OPENED + 2 * HOUR)
    assert ticket_fields(late, 10, ACCOUNT, "Pacific/Kiritimati", TERMS).free_reopen_until == (
        date(2027, 2, 22)
    )


def test_a_result_without_a_clock_that_runs_shows_no_time() -> None:
    clock = accepted().clock
    assert clock
    silent = replace(accepted(), clock=replace(clock, result=None))
    fields = ticket_fields(silent, 10, ACCOUNT, BERLIN.zone, TERMS)
    assert (fields.sla, fields.response_due) == (None, None)


@pytest.mark.parametrize("state", [PointsState.AWAITING_POINTS, PointsState.DECLINED])
def test_what_was_never_charged_promises_nothing(state: PointsState) -> None:
    incident = replace(closed_at(OPENED), clock=accepted().clock, state=state)
    assert ticket_fields(incident, 0, ACCOUNT, BERLIN.zone, TERMS) == Fields(
        state=state, charged=0, balance=90, next_expiry=date(2027, 11, 22), zone="Europe/Berlin"
    )


@pytest.mark.parametrize("result", [SlaState.MET, SlaState.BREACHED])
def test_an_answered_ticket_shows_no_time_by_which_to_answer(result: SlaState) -> None:
    """So that what is ordered by that time shows only who waits."""
    fields = ticket_fields(answered(result), 10, ACCOUNT, BERLIN.zone, TERMS)
    assert (fields.sla, fields.response_due) == (result, None)


class TestSummary:
    """One line that says it all, the urgent first."""

    @pytest.mark.parametrize("state", PointsState)
    def test_says_the_state(self, state: PointsState) -> None:
        incident = replace(answered(SlaState.MET), state=state)
        assert summary_parts(incident) == (Summary[state.name],)
        assert Summary[state.name] == f"summary_{state.value}"

    @pytest.mark.parametrize(
        ("result", "urgent"),
        [
            (SlaState.RUNNING, Summary.DUE),
            (SlaState.AT_RISK, Summary.DUE),
            (SlaState.BREACHED, Summary.LATE),
        ],
    )
    def test_begins_with_the_answer_that_is_owed(self, result: SlaState, urgent: Summary) -> None:
        clock = accepted().clock
        assert clock
        waiting = replace(accepted(), clock=replace(clock, result=result))
        assert summary_parts(waiting) == (urgent, Summary.CHARGED)
        held = replace(waiting, state=PointsState.AWAITING_POINTS)
        assert summary_parts(held) == (Summary.AWAITING_POINTS,)


def answered(result: SlaState) -> Incident:
    clock = accepted().clock
    assert clock
    return replace(accepted(), clock=replace(clock, result=result, responded_at=OPENED))


class TestTogether:
    """What several decisions owe is one write."""

    def test_nothing_is_owed_by_nothing(self) -> None:
        assert together([]) == NOTHING
        assert together([NOTHING, Owed(credit="moved", shows=False)]) == NOTHING

    def test_the_last_status_counts(self) -> None:
        first = Owed(status=Status.PENDING, pending_until=OPENED)
        assert together([first, Owed(status=Status.OPEN)]) == Owed(status=Status.OPEN)
        assert together([Owed(status=Status.OPEN), first]) == first

    def test_every_receipt_is_kept(self) -> None:
        texts = (Text.RECEIPT_ACCEPTED, Text.RECEIPT_REOPENED)
        assert together([Owed(texts=(text,)) for text in texts]) == Owed(texts=texts)

    def test_the_last_word_is_for_the_requester_alone(self) -> None:
        texts = (Text.RECEIPT_ACCEPTED, Text.REPLY_HELD)
        assert together([Owed(texts=(text,)) for text in texts]).texts == (Text.REPLY_HELD,)

    def test_a_reply_that_is_not_the_last_word_is_left_out(self) -> None:
        texts = (Text.REPLY_HELD, Text.RECEIPT_RELEASED)
        assert together([Owed(texts=(text,)) for text in texts]).texts == (Text.RECEIPT_RELEASED,)

    def test_points_are_not_added_up(self) -> None:
        assert together([Owed(credit="moved")]) == Owed()

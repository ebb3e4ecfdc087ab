"""Product rule 2.6: a ticket that moves to another account. One test per sentence."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from bridge.policy.decisions import Context, Decision, Incident, Kind
from bridge.policy.incidents import needs_history
from bridge.policy.owed import Charge, Text, together
from bridge.ticket import Actor, Change, CustomerChange, PointsState, SlaState, Status, StatusChange
from tests.policy.cases import (
    HOUR,
    OPENED,
    accepted,
    after,
    at_beta,
    closed_at,
    context,
    history,
    kinds,
    lot,
    moved_by,
    settle,
    ticket,
)

BETA = "organization:3"


def held() -> Incident:
    return after(settle(ticket(), rules=context(lots=[])))


def move(
    incident: Incident, rules: Context, actor: Actor = Actor.AGENT, status: Status = Status.OPEN
) -> list[Decision]:
    return settle(ticket(status, of=BETA), [moved_by(actor)], incident, rules)


def texts(made: Sequence[Decision]) -> tuple[Text, ...]:
    return together([decision.owed for decision in made]).texts


def test_another_record_is_worth_a_look_at_the_history() -> None:
    assert needs_history(ticket(of=BETA), accepted())
    assert not needs_history(ticket(), accepted())
    assert not needs_history(ticket(of=BETA), replace(accepted(), customer_ref=""))


class TestChargedAndOpen:
    def test_the_old_account_is_credited_and_the_new_one_gated(self) -> None:
        """ "charged and open -> one transaction credits the old account and gates the new one" """
        (left,) = move(accepted(), at_beta(OPENED + 2 * HOUR, lot(10)))[:1]
        assert (left.kind, after([left]).state) == (Kind.MOVED, PointsState.CREDITED)
        assert left.owed.credit
        assert after([left]).closed
        assert left.then
        assert (left.then.kind, left.then.owed.charge) == (
            Kind.ACCEPTED,
            Charge(10, OPENED + HOUR),
        )
        assert after([left.then]).number == 2
        assert after([left.then]).customer_ref == BETA

    def test_the_clock_goes_on_if_points_are_on_hand_there(self) -> None:
        """ "the clock going on if points are on hand there" """
        before = accepted().clock
        clock = after(move(accepted(), at_beta(OPENED + 2 * HOUR, lot(10)))).clock
        assert before
        assert clock
        assert (clock.started_at, clock.due_at, clock.result) == (
            before.started_at,
            before.due_at,
            SlaState.RUNNING,
        )

    def test_without_points_there_it_is_held_without_a_clock(self) -> None:
        made = move(accepted(), at_beta())
        assert kinds(made) == [Kind.MOVED, Kind.HELD]
        assert after(made).clock is None
        assert texts(made) == (Text.REPLY_HELD,)

    def test_agents_read_of_the_move_once(self) -> None:
        assert texts(move(accepted(), at_beta(OPENED + 2 * HOUR, lot(10)))) == (Text.RECEIPT_MOVED,)

    def test_another_requester_of_another_organisation_is_a_move_by_who_changed_him(self) -> None:
        """In Zammad the system's own organisation line follows the agent's customer line."""
        by_agent = CustomerChange(49, OPENED + HOUR, Actor.AGENT, "5", "7", "9")
        changes: list[Change] = [by_agent, moved_by(Actor.SYSTEM)]
        made = settle(ticket(of=BETA), changes, accepted(), at_beta(OPENED + 2 * HOUR, lot(10)))
        assert kinds(made) == [Kind.MOVED, Kind.ACCEPTED]

    def test_a_free_reopen_is_a_charge_too(self) -> None:
        free = replace(accepted(), state=PointsState.FREE_REOPEN)
        assert kinds(move(free, at_beta())) == [Kind.MOVED, Kind.HELD]

    def test_it_is_decided_once(self) -> None:
        rules = at_beta(OPENED + 2 * HOUR, lot(10))
        incident = after(move(accepted(), rules))
        mine = rules.elsewhere
        assert mine
        assert settle(ticket(of=BETA), [moved_by(Actor.AGENT)], incident, mine) == []

    def test_it_moves_before_it_is_closed(self) -> None:
        closed = StatusChange(60, OPENED + 2 * HOUR, Actor.AGENT, "5", Status.OPEN, Status.CLOSED)
        changes = [moved_by(Actor.AGENT), closed]
        rules = at_beta(OPENED + 3 * HOUR, lot(10))
        made = settle(ticket(Status.CLOSED, of=BETA), changes, accepted(), rules)
        assert kinds(made) == [Kind.MOVED, Kind.ACCEPTED, Kind.CLOSED]


class TestHeld:
    def test_the_hold_moves_with_the_ticket(self) -> None:
        """ "held -> the hold moves with it" """
        made = move(held(), at_beta())
        assert kinds(made) == [Kind.MOVED]
        assert made[0].elsewhere
        assert after(made) == replace(held(), customer_ref=BETA, seen=50)
        assert texts(made) == (Text.RECEIPT_HOLD_MOVED,)

    def test_only_the_new_accounts_points_can_release_it(self) -> None:
        """ "and only the new account's points can release it" """
        assert kinds(move(held(), at_beta(acme=[lot(100)]))) == [Kind.MOVED]
        made = move(held(), at_beta(OPENED + 2 * HOUR, lot(10)))
        assert kinds(made) == [Kind.MOVED, Kind.RELEASED]
        assert texts(made) == (Text.RECEIPT_RELEASED,)

    def test_it_follows_a_person_who_moves(self) -> None:
        """ "what is held follows the ticket" """
        assert kinds(move(held(), at_beta(), Actor.SYSTEM)) == [Kind.MOVED]

    def test_a_declined_one_just_moves(self) -> None:
        declined = replace(held(), state=PointsState.DECLINED)
        made = move(declined, at_beta())
        assert (kinds(made), made[0].elsewhere, texts(made)) == ([Kind.MOVED], True, ())


class TestAfterClosure:
    def test_it_is_flagged_and_nothing_is_moved(self) -> None:
        """ "after closure -> flagged" """
        made = move(closed_at(OPENED), at_beta(), status=Status.CLOSED)
        assert kinds(made) == [Kind.FLAGGED]
        assert after(made).state is PointsState.REVIEW
        assert not made[0].elsewhere
        assert not made[0].owed.credit
        assert texts(made) == (Text.RECEIPT_MOVED_CLOSED,)

    def test_closed_first_and_moved_then(self) -> None:
        changes: list[Change] = [*history((OPENED, Status.CLOSED)), moved_by(Actor.AGENT)]
        made = settle(ticket(Status.CLOSED, of=BETA), changes, accepted(), at_beta())
        assert kinds(made) == [Kind.CLOSED, Kind.FLAGGED]


class TestAPersonWhoMoves:
    def test_what_was_charged_stays_with_who_paid_and_is_noted(self) -> None:
        """ "what was charged stays with who paid and is noted" """
        made = move(accepted(), at_beta(OPENED + 2 * HOUR, lot(10)), Actor.SYSTEM)
        assert kinds(made) == [Kind.NOTED]
        assert after(made).state is PointsState.CHARGED
        assert not made[0].elsewhere
        assert texts(made) == (Text.RECEIPT_REQUESTER_MOVED,)

    def test_a_save_of_ours_that_showed_it_is_nobody_s_decision(self) -> None:
        """Zammad corrects a ticket's organisation at each save, and names whoever saved."""
        made = move(accepted(), at_beta(OPENED + 2 * HOUR, lot(10)), Actor.US)
        assert kinds(made) == [Kind.NOTED]
        assert kinds(move(held(), at_beta(), Actor.US)) == [Kind.MOVED]
        assert move(closed_at(OPENED), at_beta(), Actor.US, Status.CLOSED) == []

    def test_it_is_noted_once(self) -> None:
        incident = after(move(accepted(), at_beta(), Actor.SYSTEM))
        assert move(incident, at_beta(), Actor.SYSTEM) == []

    def test_closed_ones_are_left_alone(self) -> None:
        """ "closed ones are left alone" """
        assert move(closed_at(OPENED), at_beta(), Actor.SYSTEM, Status.CLOSED) == []

    def test_a_move_that_no_history_tells_of_takes_no_points(self) -> None:
        made = settle(ticket(of=BETA), [], accepted(), at_beta(OPENED + 2 * HOUR, lot(10)))
        assert kinds(made) == [Kind.NOTED]


@pytest.mark.parametrize("actor", [Actor.AGENT, Actor.SYSTEM])
def test_another_record_of_the_same_account_moves_nothing(actor: Actor) -> None:
    made = settle(ticket(of=BETA), [moved_by(actor)], accepted(), context())
    assert made == []


class TestWhatHappensLater:
    def test_a_slip_of_long_before_does_not_move_a_charge(self) -> None:
        """An agent's move there and back, and two days later the person changes organisation."""
        slip = CustomerChange(40, OPENED, Actor.AGENT, "5", "7", "9")
        back = CustomerChange(41, OPENED + HOUR, Actor.AGENT, "5", "9", "7")
        later = moved_by(Actor.SYSTEM, OPENED + 48 * HOUR)
        rules = at_beta(OPENED + 49 * HOUR, lot(10))
        made = settle(ticket(of=BETA), [slip, back, later], accepted(), rules)
        assert kinds(made) == [Kind.NOTED]

    def test_a_late_reopen_is_paid_by_the_account_that_the_ticket_belongs_to_now(self) -> None:
        closed = replace(closed_at(OPENED), customer_ref=BETA)
        at = OPENED + 100 * 24 * HOUR
        reopened = StatusChange(70, at, Actor.CUSTOMER, "7", Status.CLOSED, Status.OPEN)
        made = settle(ticket(of=BETA), [reopened], closed, at_beta(at + HOUR, acme=[lot(100)]))
        assert kinds(made) == [Kind.HELD]
        assert made[0].elsewhere

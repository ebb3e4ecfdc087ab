"""Product rule 2.6: a ticket that moves to another account. One test per sentence."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import pytest

from bridge.policy.decisions import Context, Decision, Incident, Kind, Statuses
from bridge.policy.gate import release
from bridge.policy.incidents import decide, needs_history
from bridge.policy.owed import NOTHING, Charge, Text, together
from bridge.ticket import (
    Actor,
    Change,
    CustomerChange,
    OrganizationChange,
    PointsState,
    SlaState,
    Status,
    StatusChange,
)
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
        assert made[0].leaves
        assert after(made) == replace(held(), customer_ref=BETA, seen=50)
        assert texts(made) == (Text.RECEIPT_HOLD_MOVED,)

    def test_only_the_new_accounts_points_can_release_it(self) -> None:
        """ "and only the new account's points can release it" """
        assert kinds(move(held(), at_beta(acme=[lot(100)]))) == [Kind.MOVED]
        made = move(held(), at_beta(OPENED + 2 * HOUR, lot(10)))
        assert kinds(made) == [Kind.MOVED, Kind.RELEASED]
        assert texts(made) == (Text.REPLY_RELEASED,)

    def test_it_follows_a_person_who_moves(self) -> None:
        """ "what is held follows the ticket" """
        assert kinds(move(held(), at_beta(), Actor.SYSTEM)) == [Kind.MOVED]

    def test_a_declined_one_just_moves(self) -> None:
        declined = replace(held(), state=PointsState.DECLINED)
        made = move(declined, at_beta())
        assert (kinds(made), made[0].leaves, texts(made)) == ([Kind.MOVED], True, ())


class TestAfterClosure:
    def test_it_is_flagged_and_nothing_is_moved(self) -> None:
        """ "after closure -> flagged" """
        made = move(closed_at(OPENED), at_beta(), status=Status.CLOSED)
        assert kinds(made) == [Kind.FLAGGED]
        assert after(made).state is PointsState.REVIEW
        assert not made[0].leaves
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
        assert not made[0].leaves
        assert texts(made) == (Text.RECEIPT_REQUESTER_MOVED,)

    def test_a_save_of_ours_that_showed_it_is_nobody_s_decision(self) -> None:
        """Zammad corrects a ticket's organisation at each save, and names whoever saved."""
        made = move(accepted(), at_beta(OPENED + 2 * HOUR, lot(10)), Actor.US)
        assert kinds(made) == [Kind.NOTED]
        assert kinds(move(held(), at_beta(), Actor.US)) == [Kind.MOVED]
        assert move(closed_at(OPENED), at_beta(), Actor.US, Status.CLOSED) == []

    def test_what_was_held_then_follows_though_it_was_released_since(self) -> None:
        """Points came before we heard of it; what was charged too early goes back."""
        late = after([release(held(), context(OPENED + 2 * HOUR))])
        made = move(late, at_beta(OPENED + 3 * HOUR), Actor.SYSTEM)
        assert kinds(made) == [Kind.MOVED, Kind.HELD]
        assert made[0].owed.credit

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
        assert made[0].leaves


def move_of(
    actor: Actor, seq: int, at: datetime, before: str | None, to: str | None
) -> OrganizationChange:
    return OrganizationChange(seq, at, actor, "5", before, to)


class TestAHistoryThatIsAheadOfItsTicket:
    """A look is two reads, and something may happen between them."""

    RULES = at_beta(OPENED + 3 * HOUR, lot(10))

    def between(self, actor: Actor = Actor.AGENT) -> Incident:
        """What is known after a look during which the ticket moved away from Acme."""
        decision = decide(ticket(), accepted(), [moved_by(actor)], context())
        assert decision.kind is Kind.NOTHING
        assert decision.incident
        return decision.incident

    def test_a_move_between_the_reads_is_still_its_agent_s(self) -> None:
        changes = [moved_by(Actor.AGENT)]
        made = settle(ticket(of=BETA), changes, self.between(), self.RULES)
        assert kinds(made) == [Kind.MOVED, Kind.ACCEPTED]

    def test_and_the_system_s_is_the_system_s(self) -> None:
        changes = [moved_by(Actor.SYSTEM)]
        made = settle(ticket(of=BETA), changes, self.between(Actor.SYSTEM), self.RULES)
        assert kinds(made) == [Kind.NOTED]

    def test_what_came_with_it_in_one_save_or_after_it_is_for_the_next_look_too(self) -> None:
        at, then = OPENED + HOUR, OPENED + 2 * HOUR
        changes: list[Change] = [
            StatusChange(49, at, Actor.AGENT, "5", Status.OPEN, Status.PENDING),
            moved_by(Actor.AGENT, at),
            CustomerChange(51, at, Actor.AGENT, "5", "7", "9"),
            StatusChange(52, then, Actor.AGENT, "5", Status.PENDING, Status.CLOSED),
        ]
        first = decide(ticket(), accepted(), changes, context())
        assert (first.kind, first.incident and first.incident.seen) == (Kind.NOTHING, 0)
        made = settle(ticket(Status.CLOSED, of=BETA), changes, first.incident, self.RULES)
        assert kinds(made) == [Kind.MOVED, Kind.ACCEPTED, Kind.CLOSED]

    def test_what_came_before_it_is_decided_now(self) -> None:
        changes: list[Change] = [*history((OPENED, Status.CLOSED)), moved_by(Actor.AGENT)]
        made = settle(ticket(Status.CLOSED), changes, accepted())
        assert (kinds(made), after(made).seen) == ([Kind.CLOSED], 1)

    def test_there_and_on_again_is_as_far_as_the_ticket_shows(self) -> None:
        on = move_of(Actor.AGENT, 60, OPENED + 2 * HOUR, "3", "4")
        made = settle(ticket(of=BETA), [moved_by(Actor.AGENT), on], accepted(), self.RULES)
        assert (kinds(made), after(made).seen) == ([Kind.MOVED, Kind.ACCEPTED], 50)

    def test_there_and_back_is_nothing(self) -> None:
        back = move_of(Actor.AGENT, 60, OPENED + 2 * HOUR, "3", "2")
        decision = decide(ticket(), accepted(), [moved_by(Actor.AGENT), back], context())
        assert (decision.kind, decision.incident and decision.incident.seen) == (Kind.NOTHING, 60)

    @pytest.mark.parametrize(
        "change",
        [
            CustomerChange(50, OPENED + HOUR, Actor.AGENT, "5", "7", "9"),
            move_of(Actor.AGENT, 50, OPENED + HOUR, None, "3"),
        ],
        ids=["another person", "a person with an organisation"],
    )
    def test_of_people_without_an_organisation_too(self, change: Change) -> None:
        decision = decide(ticket(of="person:7"), accepted(), [change], context())
        assert decision.incident
        assert decision.incident.seen == 0

    @pytest.mark.parametrize(
        ("of", "change"),
        [
            ("person:9", CustomerChange(50, OPENED + HOUR, Actor.AGENT, "5", "7", "9")),
            ("person:9", move_of(Actor.AGENT, 50, OPENED + HOUR, "2", None)),
            ("organization:2", CustomerChange(50, OPENED + HOUR, Actor.AGENT, "5", "7", "9")),
        ],
    )
    def test_what_the_ticket_shows_or_does_not_tell_is_seen(self, of: str, change: Change) -> None:
        decision = decide(ticket(of=of), accepted(), [change], context())
        assert decision.incident
        assert decision.incident.seen == 50

    def test_a_ticket_that_was_written_since_was_read_since(self) -> None:
        """A move that a helpdesk took back without a line is no reason to look away for ever."""
        later = replace(ticket(), updated_at=OPENED + 2 * HOUR)
        decision = decide(later, accepted(), [moved_by(Actor.AGENT)], context())
        assert decision.incident
        assert decision.incident.seen == 50


class TestOneSave:
    """What an agent saves at once has one time, and in Zendesk one number, in any order."""

    @pytest.mark.parametrize("closing", [49, 50, 51])
    def test_a_ticket_that_is_moved_and_closed_at_once_moves_first(self, closing: int) -> None:
        at = OPENED + HOUR
        closed = StatusChange(closing, at, Actor.AGENT, "5", Status.OPEN, Status.CLOSED)
        changes = sorted([closed, moved_by(Actor.AGENT, at)], key=lambda one: one.seq)
        rules = at_beta(OPENED + 3 * HOUR, lot(10))
        made = settle(ticket(Status.CLOSED, of=BETA), changes, accepted(), rules)
        assert kinds(made) == [Kind.MOVED, Kind.ACCEPTED, Kind.CLOSED]

    def test_an_hour_apart_they_are_two(self) -> None:
        closed = StatusChange(49, OPENED, Actor.AGENT, "5", Status.OPEN, Status.CLOSED)
        made = settle(
            ticket(Status.CLOSED, of=BETA), [closed, moved_by(Actor.AGENT)], accepted(), at_beta()
        )
        assert kinds(made) == [Kind.CLOSED, Kind.FLAGGED]


def test_a_reopening_after_a_person_moved_is_not_lost() -> None:
    """A closed ticket is left alone by the move, but not by what came after it."""
    reopened = StatusChange(60, OPENED + 2 * HOUR, Actor.CUSTOMER, "7", Status.CLOSED, Status.OPEN)
    changes: list[Change] = [moved_by(Actor.SYSTEM), reopened]
    made = settle(ticket(of=BETA), changes, closed_at(OPENED), at_beta(OPENED + 3 * HOUR))
    assert kinds(made) == [Kind.REOPENED]


def test_a_move_of_before_that_led_elsewhere_is_not_what_brought_it_here() -> None:
    """An agent had put it right before it was first seen; later its person changed without a line.

    The charge is not moved by somebody who did something else.
    """
    changes = [move_of(Actor.AGENT, 20, OPENED, "9", "2")]
    made = settle(ticket(of=BETA), changes, accepted(), at_beta(OPENED + 2 * HOUR, lot(10)))
    assert kinds(made) == [Kind.NOTED]


class TestAFollowUp:
    """The account of the ticket that it continues has paid for the issue already."""

    def to_who_paid(self, **root: object) -> Context:
        """Beta has paid for the ticket that this one continues."""
        rules = at_beta(OPENED + 2 * HOUR, lot(10))
        assert rules.elsewhere
        before = replace(closed_at(OPENED - 24 * HOUR), **root)  # type: ignore[arg-type]
        return replace(rules, elsewhere=replace(rules.elsewhere, continues=before))

    def test_that_comes_to_who_paid_is_free_and_its_clock_goes_on(self) -> None:
        incident = accepted()
        made = move(incident, self.to_who_paid())
        assert kinds(made) == [Kind.MOVED, Kind.REOPENED]
        assert made[0].owed.credit
        free = after(made)
        assert (free.state, free.number, made[1].owed.charge) == (PointsState.FREE_REOPEN, 2, None)
        assert free.first_closed_at == OPENED - 24 * HOUR
        assert incident.clock
        assert free.clock
        assert free.clock.due_at == incident.clock.due_at
        assert texts(made) == (Text.RECEIPT_MOVED_FREE,)

    def test_that_waits_for_points_waits_no_more(self) -> None:
        rules = self.to_who_paid()
        assert rules.elsewhere
        there = replace(rules.elsewhere, lots=[], statuses=Statuses(held=Status.PENDING))
        made = move(held(), replace(rules, elsewhere=there))
        assert kinds(made) == [Kind.MOVED, Kind.REOPENED]
        free = after(made)
        assert (free.state, free.number) == (PointsState.FREE_REOPEN, 1)
        assert free.clock
        assert free.clock.started_at == OPENED + HOUR
        assert (texts(made), made[1].owed.status) == ((Text.RECEIPT_REOPENED,), Status.OPEN)

    def test_that_was_declined_elsewhere_is_free_when_it_is_reopened(self) -> None:
        declined = replace(held(), state=PointsState.DECLINED, closed=True, customer_ref=BETA)
        at = OPENED + 2 * HOUR
        reopened = StatusChange(70, at, Actor.CUSTOMER, "7", Status.CLOSED, Status.OPEN)
        made = settle(ticket(of=BETA), [reopened], declined, self.to_who_paid())
        assert (kinds(made), after(made).state) == ([Kind.REOPENED], PointsState.FREE_REOPEN)

    @pytest.mark.parametrize(
        "root", [{"state": PointsState.DECLINED}, {"first_closed_at": OPENED - 91 * 24 * HOUR}]
    )
    def test_of_what_was_not_paid_or_too_late_is_paid(self, root: dict[str, object]) -> None:
        rules = self.to_who_paid(**root)
        assert kinds(move(accepted(), rules)) == [Kind.MOVED, Kind.ACCEPTED]
        assert kinds(move(held(), rules)) == [Kind.MOVED, Kind.RELEASED]

    def test_the_last_day_is_that_of_its_opening_and_not_of_the_move(self) -> None:
        rules = self.to_who_paid(first_closed_at=OPENED - 90 * 24 * HOUR)
        changes = [moved_by(Actor.AGENT, OPENED + 48 * HOUR)]
        made = settle(ticket(of=BETA), changes, accepted(), rules)
        assert kinds(made) == [Kind.MOVED, Kind.REOPENED]

    def test_that_was_free_leaves_nothing_to_credit(self) -> None:
        free = replace(accepted(), state=PointsState.FREE_REOPEN)
        made = move(free, replace(at_beta(OPENED + 2 * HOUR, lot(10)), paid=False))
        assert kinds(made) == [Kind.MOVED, Kind.ACCEPTED]
        assert (made[0].owed, made[0].incident and made[0].incident.state) == (
            NOTHING,
            PointsState.FREE_REOPEN,
        )
        assert made[0].incident
        assert made[0].incident.closed
        assert made[1].owed.charge
        assert texts(made) == (Text.RECEIPT_ACCEPTED,)

    def test_that_is_free_is_no_charge_to_be_noted_when_its_person_moves(self) -> None:
        free = replace(accepted(), state=PointsState.FREE_REOPEN)
        assert move(free, replace(at_beta(), paid=False), Actor.SYSTEM) == []

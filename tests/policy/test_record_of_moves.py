"""What `explain` shows of a ticket that moved to another account, to the word."""

from dataclasses import replace

import pytest

from bridge.policy.clock import end_clock
from bridge.policy.decisions import Context, Decision, Incident, Kind
from bridge.policy.gate import release
from bridge.policy.incidents import decide
from bridge.policy.moves import last_move, moved
from bridge.policy.owed import NOTHING, Charge, Owed, Text
from bridge.policy.rules import Finding, Rule
from bridge.ticket import Actor, CustomerChange, OrganizationChange, PointsState, Status
from tests.policy.cases import (
    HOUR,
    OPENED,
    accepted,
    after,
    at_beta,
    closed_at,
    context,
    history,
    lot,
    moved_by,
    settle,
    ticket,
)

BETA = "organization:3"
AT = OPENED + HOUR


def by(actor: str) -> dict[str, str | int]:
    return {"from": "Acme GmbH", "to": "Beta Ltd", "by": actor}


def held() -> Incident:
    return after(settle(ticket(), rules=context(lots=[])))


def move(
    incident: Incident, rules: Context, actor: Actor = Actor.AGENT, status: Status = Status.OPEN
) -> Decision:
    return decide(ticket(status, of=BETA), incident, [moved_by(actor)], rules)


def test_a_charge_that_moves_to_points() -> None:
    incident, rules = accepted(), at_beta(OPENED + 2 * HOUR, lot(10))
    made = move(incident, rules)
    assert incident.clock
    assert replace(made, then=None) == Decision(
        Kind.MOVED,
        AT,
        replace(
            incident,
            state=PointsState.CREDITED,
            closed=True,
            customer_ref=BETA,
            seen=50,
            clock=end_clock(incident.clock, AT),
        ),
        (Finding(Rule.MOVED, "credited to the old account, the new one is gated", by("agent")),),
        Owed(credit="moved to another account", shows=False),
    )
    assert made.then == Decision(
        Kind.ACCEPTED,
        AT,
        Incident(
            PointsState.CHARGED,
            AT,
            number=2,
            customer_ref=BETA,
            clock=incident.clock,
            seen=50,
        ),
        (
            Finding(Rule.PRICE, "costs 10 points", {"price": 10}),
            Finding(
                Rule.VALIDITY,
                "tested at 2026-11-23T10:00:00Z",
                {"now": "2026-11-23T11:00:00Z"},
            ),
            Finding(
                Rule.ON_HAND,
                "on hand at creation: accepted and charged",
                {"on_hand_then": 10, "on_hand_now": 10},
            ),
            Finding(Rule.HOURS, "business hours of Europe/Berlin"),
            Finding(
                Rule.CLOCK, "the clock goes on as it was", {"started_at": "2026-11-23T09:00:00Z"}
            ),
        ),
        Owed(Charge(10, AT), texts=(Text.RECEIPT_MOVED,)),
    )


def test_the_clock_that_goes_on_is_the_first_of_its_incident() -> None:
    clock = accepted().clock
    assert clock
    incident = replace(accepted(), clock=replace(clock, cycle=3))
    made = move(incident, at_beta(OPENED + 2 * HOUR, lot(10)))
    assert made.then
    assert made.then.incident
    assert made.then.incident.clock == replace(clock, cycle=1)


def test_a_charge_that_was_bought_late_leaves_the_time_of_the_move() -> None:
    made = move(accepted(), at_beta(OPENED + 2 * HOUR, lot(10, start=OPENED + 2 * HOUR)))
    assert made.then
    assert (made.then.kind, made.then.at) == (Kind.ACCEPTED, AT)


def test_a_charge_without_a_clock_starts_one_there() -> None:
    incident = replace(accepted(), clock=None)
    made = move(incident, at_beta(OPENED + 2 * HOUR, lot(10)))
    assert after([made]).clock is None
    assert made.then
    assert made.then.incident
    clock = made.then.incident.clock
    assert clock
    assert clock.started_at == AT


def test_a_free_reopening_goes_on_counting_from_its_first_closure() -> None:
    incident = replace(accepted(), state=PointsState.FREE_REOPEN, first_closed_at=OPENED)
    made = move(incident, at_beta(OPENED + 2 * HOUR, lot(10)))
    assert made.then
    assert made.then.incident
    assert made.then.incident.first_closed_at == OPENED


def test_a_hold_that_moves() -> None:
    assert move(held(), at_beta()) == Decision(
        Kind.MOVED,
        AT,
        replace(held(), customer_ref=BETA, seen=50),
        (Finding(Rule.MOVED_HELD, "the hold moves with the ticket", by("agent")),),
        Owed(texts=(Text.RECEIPT_HOLD_MOVED,)),
        leaves=True,
    )


def test_a_hold_that_moves_to_points() -> None:
    rules = at_beta(OPENED + 2 * HOUR, lot(10))
    incident = replace(held(), customer_ref=BETA, seen=50)
    assert rules.elsewhere
    assert move(held(), rules) == Decision(
        Kind.MOVED,
        AT,
        incident,
        (Finding(Rule.MOVED_HELD, "the hold moves with the ticket", by("agent")),),
        NOTHING,
        leaves=True,
        then=release(incident, rules.elsewhere),
    )


def test_what_was_declined_just_moves() -> None:
    declined = replace(held(), state=PointsState.DECLINED)
    assert move(declined, at_beta()) == Decision(
        Kind.MOVED,
        AT,
        replace(declined, customer_ref=BETA, seen=50),
        (Finding(Rule.MOVED_HELD, "nothing was paid: it just moves", by("agent")),),
        NOTHING,
        leaves=True,
    )


@pytest.mark.parametrize(
    "incident",
    [closed_at(OPENED), replace(accepted(), state=PointsState.REVIEW)],
    ids=["closed", "under review"],
)
def test_what_is_not_worked_on_is_flagged(incident: Incident) -> None:
    status = Status.CLOSED if incident.closed else Status.OPEN
    assert move(incident, at_beta(), status=status) == Decision(
        Kind.FLAGGED,
        AT,
        replace(incident, state=PointsState.REVIEW, customer_ref=BETA, seen=50),
        (Finding(Rule.MOVED_CLOSED, "flagged for review, nothing is moved", by("agent")),),
        Owed(texts=(Text.RECEIPT_MOVED_CLOSED,)),
    )


def test_a_person_who_moves() -> None:
    assert move(accepted(), at_beta(), Actor.SYSTEM) == Decision(
        Kind.NOTED,
        AT,
        replace(accepted(), customer_ref=BETA, seen=50),
        (Finding(Rule.REQUESTER_MOVED, "the charge stays with who paid", by("system")),),
        Owed(texts=(Text.RECEIPT_REQUESTER_MOVED,)),
    )


def test_a_person_who_moves_leaves_closed_tickets_alone() -> None:
    incident, rules = closed_at(OPENED), at_beta()
    change = moved_by(Actor.SYSTEM)
    assert moved(change, ticket(Status.CLOSED, of=BETA), incident, rules) == Decision(
        Kind.NOTHING, rules.now, replace(incident, customer_ref=BETA)
    )


def test_another_record_of_the_same_account() -> None:
    incident = accepted()
    assert moved(moved_by(Actor.AGENT), ticket(of=BETA), incident, context()) == Decision(
        Kind.NOTHING, context().now, replace(incident, customer_ref=BETA)
    )


class TestWhoMovedIt:
    """The change that brought the ticket where it is."""

    def test_the_last_one_counts(self) -> None:
        first, second = moved_by(Actor.AGENT, seq=1), moved_by(Actor.AGENT, seq=2)
        assert last_move(ticket(of=BETA), [first, second], context()) is second

    def test_somebody_s_hand_before_what_the_system_made_of_it(self) -> None:
        by_hand = CustomerChange(1, AT, Actor.AGENT, "5", "7", "9")
        changes = [by_hand, moved_by(Actor.SYSTEM, seq=2)]
        assert last_move(ticket(of=BETA), changes, context()) is by_hand

    def test_somebody_s_hand_before_what_a_save_of_ours_made_of_it(self) -> None:
        by_hand = CustomerChange(1, AT, Actor.AGENT, "5", "7", "9")
        changes = [by_hand, moved_by(Actor.US, seq=2)]
        assert last_move(ticket(of=BETA), changes, context()) is by_hand

    def test_the_system_where_nobody_s_hand_was_in_it(self) -> None:
        moves = [moved_by(Actor.SYSTEM, seq=1), moved_by(Actor.SYSTEM, seq=2)]
        assert last_move(ticket(of=BETA), moves, context()) is moves[1]

    def test_an_unknown_cause_is_the_system_s_after_all_that_is_known(self) -> None:
        changes = history((OPENED, Status.CLOSED), (AT, Status.OPEN))
        expected = OrganizationChange(2, context().now, Actor.SYSTEM, "", None, None)
        assert last_move(ticket(of=BETA), changes, context()) == expected
        assert last_move(ticket(of=BETA), [], context()) == replace(expected, seq=0)

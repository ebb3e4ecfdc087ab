"""What becomes of a held ticket that people go on with: one test per sentence."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bridge.policy.decisions import Context, Decision, Incident, Kind, Statuses
from bridge.policy.gate import MOST_PUT_BACK, end_hold
from bridge.policy.incidents import decide, needs_history
from bridge.policy.owed import Owed, Text
from bridge.policy.rules import Finding, Rule
from bridge.ticket import Actor, Change, PointsState, SlaState, Status, StatusChange
from tests.policy.cases import (
    DAY,
    HOUR,
    OPENED,
    accepted,
    after,
    at_beta,
    clock_after,
    context,
    history,
    kinds,
    moved_by,
    settle,
    ticket,
)

NOW = OPENED + 2 * HOUR
WAITS = Statuses(held=Status.PENDING)


def rules(now: datetime = NOW) -> Context:
    """No points, and a helpdesk that sets held tickets to pending."""
    return replace(context(now, []), statuses=WAITS)


def held() -> Incident:
    return after(settle(ticket(), rules=rules(OPENED)))


def turned(*turns: tuple[datetime, Actor, Status]) -> tuple[StatusChange, ...]:
    """Who set the ticket to what, after it was set to pending by us."""
    lines = [(OPENED, Actor.US, Status.PENDING), *turns]
    before = [Status.OPEN, *(after for *_, after in lines)]
    return tuple(
        StatusChange(n, at, actor, "5", before[n - 1], after)
        for n, (at, actor, after) in enumerate(lines, start=1)
    )


def opened(actor: Actor = Actor.CUSTOMER, times: int = 1) -> tuple[StatusChange, ...]:
    """The ticket was opened so often, and put back by us every time but the last."""
    hour = timedelta(minutes=10)
    lines = []
    for n in range(1, times + 1):
        at = OPENED + n * hour
        lines += [(at, actor, Status.OPEN), (at + HOUR / 60, Actor.US, Status.PENDING)]
    return turned(*lines[:-1])


class TestTheCustomerWrites:
    def settled(
        self, changes: Sequence[Change], status: Status = Status.OPEN, given: Context | None = None
    ) -> list[Decision]:
        incident = replace(held(), seen=len(changes) - 1)
        return settle(ticket(status), changes, incident, given or rules())

    @pytest.mark.parametrize("actor", [Actor.CUSTOMER, Actor.SYSTEM])
    def test_the_ticket_is_put_back_until_its_hold_ends_and_nobody_is_told(
        self, actor: Actor
    ) -> None:
        (made,) = self.settled(opened(actor))
        at = OPENED + timedelta(minutes=10)
        assert made == Decision(
            Kind.PUT_BACK,
            at,
            replace(held(), seen=2),
            (Finding(Rule.HELD_AGAIN, "held again", {"by": actor.value, "time": 1}),),
            Owed(status=Status.PENDING, pending_until=OPENED + 14 * DAY),
        )

    @pytest.mark.parametrize("actor", [Actor.AGENT, Actor.US])
    def test_but_not_where_somebody_opened_it_by_hand(self, actor: Actor) -> None:
        assert self.settled(opened(actor)) == []

    def test_nor_where_an_agent_opened_it_after_the_customer(self) -> None:
        changes = (
            *opened(),
            *turned(
                (OPENED + HOUR, Actor.AGENT, Status.PENDING),
                (OPENED + HOUR, Actor.AGENT, Status.OPEN),
            )[1:],
        )
        numbered = [replace(one, seq=n) for n, one in enumerate(changes, start=1)]
        assert settle(ticket(), numbered, replace(held(), seen=1), rules()) == []

    def test_at_most_three_times_a_day(self) -> None:
        """Two programs must not fight."""
        assert kinds(self.settled(opened(times=MOST_PUT_BACK))) == [Kind.PUT_BACK]
        assert self.settled(opened(times=MOST_PUT_BACK + 1)) == []

    def test_and_again_a_day_later(self) -> None:
        changes = opened(times=MOST_PUT_BACK + 1)
        last = changes[-1]
        late = replace(last, at=last.at + DAY)
        made = self.settled((*changes[:-1], late), given=rules(late.at))
        assert kinds(made) == [Kind.PUT_BACK]

    @pytest.mark.parametrize("status", [Status.PENDING, Status.CLOSED])
    def test_only_a_ticket_that_is_open_now(self, status: Status) -> None:
        assert Kind.PUT_BACK not in kinds(self.settled(opened(), status))

    def test_once_for_each_time_that_it_was_opened(self) -> None:
        changes = opened()
        assert settle(ticket(), changes, replace(held(), seen=2), rules()) == []

    def test_not_where_held_tickets_are_left_as_they_are(self) -> None:
        assert self.settled(opened(), given=context(NOW, [])) == []

    def test_nor_one_that_is_held_no_more(self) -> None:
        assert settle(ticket(), opened(), replace(accepted(), seen=1), rules()) == []

    def test_nor_one_that_never_waited_there(self) -> None:
        assert settle(ticket(), [], held(), rules()) == []

    def test_the_history_says_who_opened_it(self) -> None:
        assert needs_history(ticket(), held(), Status.PENDING)
        assert not needs_history(ticket(Status.PENDING), held(), Status.PENDING)
        assert not needs_history(ticket(), held())
        assert not needs_history(ticket(), accepted(), Status.PENDING)


class TestAnAgentAnswers:
    at = OPENED + HOUR

    def answered(self) -> Decision:
        (made,) = settle(ticket(Status.OPEN, self.at), None, held(), rules())
        return made

    def closed(self) -> Decision:
        changes = history((self.at, Status.CLOSED))
        made = settle(ticket(Status.CLOSED, self.at), changes, held(), rules())
        assert kinds(made) == [Kind.FLAGGED, Kind.CLOSED]
        return made[-1]

    def test_it_is_work_without_points_and_for_review(self) -> None:
        inputs: dict[str, str | int] = {"agent": "agent 5", "answered_at": "2026-11-23T10:00:00Z"}
        assert self.answered() == Decision(
            Kind.FLAGGED,
            self.at,
            replace(held(), state=PointsState.REVIEW),
            (Finding(Rule.ANSWERED_UNPAID, "flagged for review, nothing is charged", inputs),),
            Owed(texts=(Text.RECEIPT_ANSWERED_UNPAID,)),
        )

    def test_what_was_answered_before_the_hold_was_decided_is_too(self) -> None:
        made = settle(ticket(Status.OPEN, OPENED), rules=rules())
        assert kinds(made) == [Kind.HELD, Kind.FLAGGED]

    def test_an_answer_before_the_incident_is_none_to_it(self) -> None:
        second = replace(held(), opened_at=self.at + HOUR, number=2)
        assert settle(ticket(Status.OPEN, self.at), None, second, rules()) == []

    def test_it_is_said_once(self) -> None:
        incident = after([self.answered()])
        assert settle(ticket(Status.OPEN, self.at), None, incident, rules()) == []

    def test_a_message_that_opens_it_then_is_left_to_the_agents(self) -> None:
        incident = after([self.answered()])
        assert settle(ticket(Status.OPEN, self.at), opened(), incident, rules()) == []

    @pytest.mark.parametrize("status", [Status.CLOSED, Status.MERGED])
    def test_closed_after_the_answer_it_stays_for_review(self, status: Status) -> None:
        incident = after([self.answered()])
        changes = history((self.at + HOUR, status))
        (made,) = settle(ticket(status, self.at), changes, incident, rules())
        assert made == Decision(
            Kind.CLOSED,
            self.at + HOUR,
            replace(incident, closed=True, seen=1),
            (
                Finding(
                    Rule.ANSWERED_UNPAID,
                    "closed: still for review",
                    {"at": "2026-11-23T11:00:00Z"},
                ),
            ),
        )

    @pytest.mark.parametrize("millis", [0, 386, 5000])
    def test_an_answer_that_closes_it_is_an_answer_first(self, millis: int) -> None:
        """A Zammad notes the closure first: recording 090, lines 94 and 97."""
        answer = self.at + timedelta(milliseconds=millis)
        changes = history((self.at, Status.CLOSED))
        made = settle(ticket(Status.CLOSED, answer), changes, held(), rules())
        assert kinds(made) == [Kind.FLAGGED, Kind.CLOSED]
        charged = settle(ticket(Status.CLOSED, answer), changes, accepted(), context(NOW))
        assert kinds(charged) == [Kind.RESPONDED, Kind.CLOSED]
        assert clock_after(charged).result is SlaState.MET

    def test_an_answer_after_the_closure_is_none(self) -> None:
        late = self.at + timedelta(seconds=5, milliseconds=1)
        changes = history((self.at, Status.CLOSED))
        made = settle(ticket(Status.CLOSED, late), changes, held(), rules())
        assert kinds(made) == [Kind.DECLINED]

    def test_a_thank_you_that_reopens_it_is_no_new_hold_and_nobody_is_told(self) -> None:
        incident = after([self.closed()])
        changes = history((self.at, Status.CLOSED), (NOW, Status.OPEN))
        (made,) = settle(ticket(Status.OPEN, self.at), changes, incident, rules())
        assert made == Decision(
            Kind.REOPENED,
            NOW,
            replace(incident, closed=False, seen=2),
            (
                Finding(
                    Rule.ANSWERED_UNPAID,
                    "re-opened: no new hold, still for review",
                    {"at": "2026-11-23T11:00:00Z"},
                ),
            ),
        )

    def test_a_follow_up_ticket_is_decided_like_a_new_one(self) -> None:
        """Nothing was paid, so nothing of it is free."""
        before = after([self.closed()])
        made = settle(ticket(), rules=replace(rules(), continues=before))
        assert kinds(made) == [Kind.HELD]

    def test_it_moves_without_a_word(self) -> None:
        incident = after([self.answered()])
        moved = ticket(Status.OPEN, self.at, of="organization:3")
        made = decide(moved, incident, [moved_by(Actor.AGENT)], at_beta())
        assert (made.kind, made.leaves, made.owed.shows) == (Kind.MOVED, True, False)
        assert after([made]).state is PointsState.REVIEW

    def test_one_that_was_declined_before_anybody_heard_of_the_answer_is_for_review(self) -> None:
        declined = after([end_hold(held(), rules(OPENED + 14 * DAY))])
        made = settle(ticket(Status.OPEN, self.at), None, declined, rules(OPENED + 14 * DAY))
        assert kinds(made) == [Kind.FLAGGED]

    @pytest.mark.parametrize("closed", [True, False])
    def test_an_answer_after_it_was_declined_is_not(self, closed: bool) -> None:
        declined = after([end_hold(held(), rules(OPENED + 14 * DAY))])
        at = OPENED + (13 if closed else 14) * DAY
        incident = replace(declined, closed=closed)
        status = Status.CLOSED if closed else Status.OPEN
        assert settle(ticket(status, at), None, incident, rules(OPENED + 15 * DAY)) == []

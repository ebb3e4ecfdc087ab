"""What `explain` shows of a decision: every rule, its outcome and its inputs, to the word."""

from dataclasses import replace

import pytest

from bridge.policy.clock import end_clock, respond
from bridge.policy.decisions import Context, Decision, Incident, Kind, Statuses, was_held
from bridge.policy.gate import end_hold, release
from bridge.policy.incidents import decide
from bridge.policy.owed import NOTHING, Charge, Owed, Text
from bridge.policy.rules import Finding, Rule
from bridge.policy.terms import Terms
from bridge.ticket import PointsState, Status
from tests.policy.cases import (
    BERLIN,
    DAY,
    HOUR,
    OPENED,
    accepted,
    after,
    closed_at,
    context,
    history,
    lot,
    settle,
    ticket,
)

NOW = OPENED + HOUR
NEWER = Finding(
    Rule.IN_SERVICE,
    "the ticket is newer: an incident",
    {"created": "2026-11-23T09:00:00Z", "in_service_since": "2026-10-24T09:00:00Z"},
)
GATED = (
    Finding(Rule.PRICE, "costs 10 points", {"price": 10}),
    Finding(Rule.VALIDITY, "tested at 2026-11-23T09:00:00Z", {"now": "2026-11-23T10:00:00Z"}),
)


def clock_starts(start: str, due: str) -> tuple[Finding, ...]:
    inputs: dict[str, str | int] = {
        "zone": "Europe/Berlin",
        "started_at": start,
        "target_s": 4 * 3600,
    }
    return (
        Finding(Rule.CLOCK, f"the clock starts at {start}"),
        Finding(Rule.HOURS, "business hours of Europe/Berlin"),
        Finding(Rule.PROMISE, f"first response due {due}", inputs),
    )


def on_hand(outcome: str, then: int, now: int) -> Finding:
    return Finding(Rule.ON_HAND, outcome, {"on_hand_then": then, "on_hand_now": now})


def held(rules: Context | None = None) -> Incident:
    return after(settle(ticket(), rules=rules or context(lots=[])))


def waiting(rules: Context) -> Context:
    """The same where held tickets are set to pending."""
    return replace(rules, statuses=Statuses(held=Status.PENDING))


class TestOpening:
    def test_with_points_at_creation(self) -> None:
        (made,) = settle(ticket(), rules=context(lots=[lot(10)]))
        assert made == Decision(
            Kind.ACCEPTED,
            OPENED,
            replace(
                Incident(PointsState.CHARGED, OPENED, customer_ref="organization:2"),
                clock=accepted().clock,
            ),
            (
                NEWER,
                *GATED,
                on_hand("on hand at creation: accepted and charged", 10, 10),
                *clock_starts("2026-11-23T09:00:00Z", "2026-11-23T13:00:00Z"),
            ),
            Owed(Charge(10, OPENED), texts=(Text.RECEIPT_ACCEPTED,)),
        )

    def test_with_points_only_since(self) -> None:
        (made,) = settle(ticket(), rules=context(lots=[lot(12, start=NOW)]))
        assert (made.kind, made.at) == (Kind.ACCEPTED, NOW)
        assert made.findings == (
            NEWER,
            *GATED,
            on_hand("on hand only since: accepted and charged from now", 0, 12),
            *clock_starts("2026-11-23T10:00:00Z", "2026-11-23T14:00:00Z"),
        )
        assert made.owed == Owed(Charge(10, NOW), texts=(Text.RECEIPT_ACCEPTED,))

    def test_without_points(self) -> None:
        (made,) = settle(ticket(), rules=context(lots=[lot(9)]))
        assert made == Decision(
            Kind.HELD,
            NOW,
            Incident(
                PointsState.AWAITING_POINTS,
                OPENED,
                customer_ref="organization:2",
                held_at=NOW,
            ),
            (
                NEWER,
                *GATED,
                on_hand("too few points: held", 9, 9),
                Finding(Rule.HELD, "no charge, no clock"),
            ),
            Owed(texts=(Text.REPLY_HELD,)),
        )

    def test_without_points_where_held_tickets_are_set_to_wait(self) -> None:
        (made,) = settle(ticket(), rules=waiting(context(lots=[])))
        assert made.owed == Owed(
            texts=(Text.REPLY_HELD,), status=Status.PENDING, pending_until=NOW + 14 * DAY
        )

    def test_of_a_ticket_that_is_none_any_more(self) -> None:
        assert decide(ticket(Status.MERGED), None, (), context()) == Decision(
            Kind.NOTHING,
            NOW,
            None,
            (Finding(Rule.STILL_A_TICKET, "no incident", {"status": "merged"}),),
        )

    def test_of_a_ticket_older_than_the_bridge(self) -> None:
        old = replace(ticket(), created_at=OPENED - 31 * DAY)
        inputs: dict[str, str | int] = {
            "created": "2026-10-23T09:00:00Z",
            "in_service_since": "2026-10-24T09:00:00Z",
        }
        assert decide(old, None, None, context()) == Decision(
            Kind.NOTHING,
            NOW,
            None,
            (Finding(Rule.IN_SERVICE, "no incident: the ticket is older", inputs),),
        )

    def test_at_the_very_instant_at_which_the_bridge_began_counts(self) -> None:
        first = replace(ticket(), created_at=context().in_service_since)
        assert decide(first, None, None, context()).kind is Kind.ACCEPTED


class TestHolding:
    def test_released(self) -> None:
        now = OPENED + DAY
        made = release(held(), context(now, [lot(10)]))
        assert (made.kind, made.at) == (Kind.RELEASED, now)
        assert made.findings == (
            Finding(Rule.RELEASE, "points are on hand now: released and charged"),
            *clock_starts("2026-11-24T09:00:00Z", "2026-11-24T13:00:00Z"),
        )
        assert made.owed == Owed(Charge(10, now), texts=(Text.REPLY_RELEASED,))

    def test_released_where_only_agents_are_told(self) -> None:
        made = release(held(), replace(context(), announces_release=False))
        assert made.owed.texts == (Text.RECEIPT_RELEASED,)

    def test_released_where_held_tickets_were_set_to_wait(self) -> None:
        made = release(held(), waiting(context()))
        assert made.owed.status is Status.OPEN

    def test_released_after_it_was_closed(self) -> None:
        made = release(replace(held(), closed=True), waiting(context()))
        assert made.owed.status is None

    def test_released_behind_older_ones_that_are_looked_at_first(self) -> None:
        incident = held()
        assert release(incident, context(lots=[lot(29)]), 2).kind is Kind.NOTHING
        assert release(incident, context(lots=[lot(30)]), 2).owed.charge == Charge(10, NOW)

    def test_not_released(self) -> None:
        incident = held()
        assert release(incident, context(lots=[lot(9)])) == Decision(Kind.NOTHING, NOW, incident)

    def test_over(self) -> None:
        incident = held()
        assert end_hold(incident, context(OPENED + 14 * DAY)) == Decision(
            Kind.DECLINED,
            OPENED + 14 * DAY,
            replace(incident, state=PointsState.DECLINED),
            (Finding(Rule.HOLD_ENDS, "declined", {"days": 14}),),
            Owed(texts=(Text.REPLY_DECLINED,), status=Status.CLOSED),
        )

    def test_over_after_it_was_closed(self) -> None:
        made = end_hold(replace(held(), closed=True), context())
        assert made.owed.status is None

    def test_closed_before_points_came_and_heard_of_after(self) -> None:
        """The webhook was late or lost: the charge of the release goes back."""
        at = OPENED + HOUR
        incident = after([release(held(), context(OPENED + 2 * HOUR))])
        (made,) = settle(ticket(Status.CLOSED), history((at, Status.CLOSED)), incident)
        clock = incident.clock
        assert clock
        assert made == Decision(
            Kind.DECLINED,
            at,
            replace(
                incident,
                state=PointsState.DECLINED,
                closed=True,
                seen=1,
                clock=replace(clock, result=None, ended_at=at),
            ),
            (Finding(Rule.HOLD_CLOSED, "declined, the charge goes back", {"status": "closed"}),),
            Owed(credit="closed while it waited for points", texts=(Text.RECEIPT_DECLINED,)),
        )

    @pytest.mark.parametrize("hours", [2, 3])
    def test_closed_once_points_came(self, hours: int) -> None:
        incident = after([release(held(), context(OPENED + 2 * HOUR))])
        closed = history((OPENED + hours * HOUR, Status.CLOSED))
        (made,) = settle(ticket(Status.CLOSED), closed, incident)
        assert (made.kind, made.owed.credit) == (Kind.CLOSED, "")

    def test_an_answer_since_the_release_is_worth_its_charge(self) -> None:
        incident = after([release(held(), context(OPENED + 2 * HOUR))])
        answered = after(settle(ticket(Status.OPEN, OPENED + 3 * HOUR), incident=incident))
        assert not was_held(answered, OPENED)
        assert was_held(incident, OPENED)

    @pytest.mark.parametrize("incident", [held(), accepted()])
    def test_only_what_was_released_was_held(self, incident: Incident) -> None:
        assert not was_held(incident, OPENED - DAY)

    def test_closed_before_points_came(self) -> None:
        incident = held()
        closed = history((OPENED + 2 * HOUR, Status.CLOSED))
        (made,) = settle(ticket(Status.CLOSED), closed, incident)
        assert made == Decision(
            Kind.DECLINED,
            OPENED + 2 * HOUR,
            replace(incident, state=PointsState.DECLINED, closed=True, seen=1),
            (Finding(Rule.HOLD_CLOSED, "declined", {"status": "closed"}),),
            Owed(texts=(Text.RECEIPT_DECLINED,)),
        )

    def test_the_echo_of_our_own_closing(self) -> None:
        declined = after([end_hold(held(), context())])
        closed = history((OPENED + 2 * HOUR, Status.CLOSED))
        (made,) = settle(ticket(Status.CLOSED), closed, declined)
        assert made == Decision(
            Kind.CLOSED,
            OPENED + 2 * HOUR,
            replace(declined, closed=True, seen=1),
            (Finding(Rule.NEVER_CHARGED, "closed", {"at": "2026-11-23T11:00:00Z"}),),
            NOTHING,
        )

    def test_reopened_after_it_was_declined(self) -> None:
        declined = replace(held(), state=PointsState.DECLINED, closed=True, seen=4)
        (reopened,) = history((OPENED + 2 * HOUR, Status.OPEN))
        change = replace(reopened, seq=5, before=Status.CLOSED)
        (made,) = settle(ticket(), [change], declined, context(OPENED + 3 * HOUR))
        assert made.kind is Kind.ACCEPTED
        assert made.findings[0] == Finding(
            Rule.NEVER_CHARGED, "gated again", {"reopened_at": "2026-11-23T11:00:00Z"}
        )
        incident = after([made])
        assert (incident.number, incident.opened_at) == (2, OPENED + 2 * HOUR)
        assert (incident.customer_ref, incident.seen) == ("organization:2", 5)
        assert made.owed.texts == (Text.RECEIPT_ACCEPTED,)


class TestWorkingOn:
    def test_answered(self) -> None:
        incident = accepted()
        assert incident.clock
        (made,) = settle(ticket(Status.OPEN, OPENED + HOUR), None, incident)
        assert made == Decision(
            Kind.RESPONDED,
            OPENED + HOUR,
            replace(incident, clock=respond(incident.clock, OPENED + HOUR, BERLIN)),
            (
                Finding(
                    Rule.FIRST_RESPONSE,
                    "met",
                    {"agent": "agent 5", "elapsed_s": 3600, "target_s": 4 * 3600},
                ),
            ),
            Owed(),
        )

    def test_closed(self) -> None:
        incident, at = accepted(), OPENED + 2 * HOUR
        assert incident.clock
        (made,) = settle(ticket(Status.CLOSED), history((at, Status.CLOSED)), incident)
        assert made == Decision(
            Kind.CLOSED,
            at,
            replace(
                incident,
                closed=True,
                first_closed_at=at,
                seen=1,
                clock=end_clock(incident.clock, at),
            ),
            (
                Finding(
                    Rule.CLOSURE,
                    "free re-open until 2027-02-21",
                    {"first_closed_at": "2026-11-23T11:00:00Z"},
                ),
                Finding(Rule.CLOCK_ENDS, "ended", {"due_at": "2026-11-23T13:00:00Z"}),
            ),
            Owed(),
        )

    def test_merged(self) -> None:
        incident, at = accepted(), OPENED + 5 * HOUR
        assert incident.clock
        (made,) = settle(ticket(Status.MERGED), history((at, Status.MERGED)), incident)
        assert made == Decision(
            Kind.MERGED,
            at,
            replace(incident, closed=True, seen=1, clock=end_clock(incident.clock, at)),
            (
                Finding(
                    Rule.MERGED, "the clock stops, the charge stays", {"at": "2026-11-23T14:00:00Z"}
                ),
                Finding(Rule.CLOCK_ENDS, "breached", {"due_at": "2026-11-23T13:00:00Z"}),
            ),
            Owed(),
        )


class TestComingBack:
    at = OPENED + 2 * DAY

    def reopened(self, rules: Context | None = None, days: int = 2) -> Decision:
        at = OPENED + days * DAY
        changes = history((OPENED, Status.CLOSED), (at, Status.OPEN))
        (made,) = settle(ticket(), changes, closed_at(OPENED), rules or context(at + HOUR))
        return made

    def test_for_free(self) -> None:
        made = self.reopened()
        assert (made.kind, made.at) == (Kind.REOPENED, self.at)
        assert made.findings == (
            Finding(
                Rule.REOPEN,
                "re-opened for free, with a new clock",
                {"reopened_at": "2026-11-25T09:00:00Z", "free_until": "2027-02-21"},
            ),
            *clock_starts("2026-11-25T09:00:00Z", "2026-11-25T13:00:00Z"),
        )
        assert made.owed == Owed(texts=(Text.RECEIPT_REOPENED,))
        incident = after([made])
        assert (incident.closed, incident.first_closed_at) == (False, OPENED)

    def test_too_late(self) -> None:
        made = self.reopened(days=91)
        inputs: dict[str, str | int] = {
            "reopened_at": "2027-02-22T09:00:00Z",
            "free_until": "2027-02-21",
        }
        assert made.findings[0] == Finding(Rule.REOPEN_LATE, "gated as a new incident", inputs)
        assert made.kind is Kind.ACCEPTED
        assert made.owed.texts == (Text.RECEIPT_REOPENED_LATE,)
        assert after([made]).number == 2

    def test_too_late_where_that_is_refused(self) -> None:
        rules = context(OPENED + 92 * DAY, terms=Terms(late_reopen="refuse"))
        made = self.reopened(rules, days=91)
        inputs: dict[str, str | int] = {
            "reopened_at": "2027-02-22T09:00:00Z",
            "free_until": "2027-02-21",
        }
        assert made == Decision(
            Kind.REFUSED,
            OPENED + 91 * DAY,
            replace(closed_at(OPENED), seen=2),
            (Finding(Rule.REOPEN_LATE, "refused: closed again", inputs),),
            Owed(texts=(Text.REPLY_REFUSED,), status=Status.CLOSED),
        )

    @pytest.mark.parametrize("state", [PointsState.REVIEW, PointsState.CREDITED])
    def test_for_free_keeps_a_state_that_somebody_must_look_at(self, state: PointsState) -> None:
        incident = replace(closed_at(OPENED), state=state)
        changes = history((OPENED, Status.CLOSED), (self.at, Status.OPEN))
        (made,) = settle(ticket(), changes, incident, context(self.at + HOUR))
        assert after([made]).state is state


class TestFollowUps:
    """A helpdesk that closes tickets for good opens another one instead."""

    def follow_up(self, before: Incident, days: int = 2, terms: Terms | None = None) -> Decision:
        rules = replace(context(OPENED + days * DAY, terms=terms or Terms()), continues=before)
        (made,) = settle(replace(ticket(), created_at=OPENED + days * DAY), rules=rules)
        return made

    def test_for_free(self) -> None:
        made = self.follow_up(closed_at(OPENED))
        incident = after([made])
        assert [one.rule for one in made.findings[:2]] == [Rule.IN_SERVICE, Rule.REOPEN]
        assert (made.kind, incident.state) == (Kind.REOPENED, PointsState.FREE_REOPEN)
        assert (incident.number, incident.opened_at) == (1, OPENED + 2 * DAY)
        assert (incident.first_closed_at, incident.customer_ref) == (OPENED, "organization:2")

    def test_of_what_was_never_charged(self) -> None:
        made = self.follow_up(replace(held(), state=PointsState.DECLINED))
        assert (made.kind, made.findings[1].rule) == (Kind.ACCEPTED, Rule.PRICE)
        assert after([made]).first_closed_at is None

    def test_too_late(self) -> None:
        made = self.follow_up(closed_at(OPENED), days=91)
        assert [one.rule for one in made.findings[:3]] == [
            Rule.IN_SERVICE,
            Rule.REOPEN_LATE,
            Rule.PRICE,
        ]
        assert made.owed.texts == (Text.RECEIPT_REOPENED_LATE,)
        assert after([made]).first_closed_at is None

    def test_too_late_where_that_is_refused(self) -> None:
        made = self.follow_up(closed_at(OPENED), 91, Terms(late_reopen="refuse"))
        assert [one.rule for one in made.findings] == [Rule.IN_SERVICE, Rule.REOPEN_LATE]
        assert after([made]) == Incident(
            PointsState.DECLINED,
            OPENED + 91 * DAY,
            customer_ref="organization:2",
            closed=True,
        )

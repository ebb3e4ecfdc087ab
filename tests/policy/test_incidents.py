"""What happened to a ticket and what the terms say of it: one test per sentence of the rules."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bridge.policy.clock import watched
from bridge.policy.decisions import Decision, Incident, Kind, free_reopen_until
from bridge.policy.gate import end_hold, hold_is_over, release, reminder_due
from bridge.policy.incidents import decide, needs_history
from bridge.policy.owed import Charge
from bridge.policy.rules import Rule
from bridge.policy.terms import Terms
from bridge.ticket import (
    Actor,
    PointsState,
    SlaState,
    Status,
    StatusChange,
)
from tests.policy.cases import (
    DAY,
    HOUR,
    OPENED,
    TERMS,
    accepted,
    after,
    clock_after,
    closed_at,
    context,
    history,
    kinds,
    lot,
    settle,
    ticket,
)


class TestOpening:
    def test_a_ticket_with_points_on_hand_is_accepted_and_charged(self) -> None:
        """ "All support incidents are charged at a rate of 10 points per incident." """
        (decision,) = settle(ticket(), rules=context(lots=[lot(10)]))
        assert decision.kind is Kind.ACCEPTED
        assert decision.owed.charge
        assert after([decision]).state is PointsState.CHARGED

    def test_points_must_be_on_hand(self) -> None:
        """ "must be pre-purchased and on hand before a support ticket can be opened" """
        (decision,) = settle(ticket(), rules=context(lots=[lot(9)]))
        assert decision.kind is Kind.HELD
        assert not decision.owed.charge

    def test_a_ticket_without_points_is_held_and_has_no_clock(self) -> None:
        """ "a ticket without points is held, not worked, and has no clock" """
        incident = after(settle(ticket(), rules=context(lots=[])))
        assert incident.state is PointsState.AWAITING_POINTS
        assert incident.held_at == OPENED + HOUR
        assert incident.clock is None

    def test_points_that_expired_after_the_ticket_came_still_count(self) -> None:
        """ "tests validity at the ticket's own creation time ... so that our downtime costs nobody
        points" """
        expired_since = lot(10, start=OPENED - 365 * DAY + HOUR)
        (decision,) = settle(ticket(), rules=context(OPENED + 5 * HOUR, [expired_since]))
        assert decision.kind is Kind.ACCEPTED
        assert decision.owed.charge == Charge(10, OPENED)

    def test_but_not_longer_than_72_hours_back(self) -> None:
        """ "(at most 72 h back)" """
        expired_since = lot(10, start=OPENED - 365 * DAY + HOUR)
        (decision,) = settle(ticket(), rules=context(OPENED + 80 * HOUR, [expired_since]))
        assert decision.kind is Kind.HELD

    def test_points_bought_after_the_ticket_came_start_the_clock_late(self) -> None:
        """ "The clock starts at the ticket's creation when the points were on hand then" """
        now = OPENED + 3 * HOUR
        (decision,) = settle(ticket(), rules=context(now, [lot(10, start=OPENED + HOUR)]))
        clock = after([decision]).clock
        assert decision.kind is Kind.ACCEPTED
        assert clock is not None
        assert clock.started_at == now

    def test_the_clock_starts_at_the_tickets_creation_however_late_we_are(self) -> None:
        """ "a late delivery or our own downtime must not shorten the promise's clock" """
        clock = clock_after(settle(ticket(), rules=context(OPENED + 2 * DAY)))
        assert clock.started_at == OPENED
        assert clock.due_at == OPENED + 4 * HOUR

    def test_a_ticket_older_than_the_bridge_is_left_alone(self) -> None:
        old = replace(ticket(), created_at=OPENED - 31 * DAY)
        decision = decide(old, None, None, context())
        assert decision.kind is Kind.NOTHING
        assert decision.findings[0].rule is Rule.IN_SERVICE

    @pytest.mark.parametrize("status", [Status.MERGED, Status.REMOVED])
    def test_a_ticket_that_was_merged_before_it_was_seen_opens_no_incident(
        self, status: Status
    ) -> None:
        assert decide(ticket(status), None, (), context()).incident is None

    def test_a_ticket_that_was_closed_before_it_was_seen_is_charged_and_closed(self) -> None:
        made = settle(ticket(Status.CLOSED), history((OPENED + HOUR, Status.CLOSED)))
        assert kinds(made) == [Kind.ACCEPTED, Kind.CLOSED]

    def test_every_rule_is_named_with_what_went_in(self) -> None:
        """ "explains any ticket: every rule in order with its outcome" """
        (decision,) = settle(ticket())
        assert [finding.rule for finding in decision.findings] == [
            Rule.IN_SERVICE,
            Rule.PRICE,
            Rule.VALIDITY,
            Rule.ON_HAND,
            Rule.CLOCK,
            Rule.HOURS,
            Rule.PROMISE,
        ]
        assert decision.findings[3].inputs == {"on_hand_then": 100, "on_hand_now": 100}


class TestHolding:
    def held(self) -> Incident:
        return after(settle(ticket(), rules=context(lots=[])))

    def test_a_purchase_releases_a_held_incident(self) -> None:
        """ "every purchase or credit releases held incidents of that account" """
        now = OPENED + DAY
        decision = release(self.held(), context(now, [lot(10)]))
        incident = after([decision])
        assert decision.kind is Kind.RELEASED
        assert decision.owed.charge == Charge(10, now)
        assert incident.state is PointsState.CHARGED

    def test_the_clock_of_a_held_incident_starts_at_its_release(self) -> None:
        """ "at the release when it was held" """
        clock = clock_after([release(self.held(), context(OPENED + DAY))])
        assert clock.started_at == OPENED + DAY

    def test_too_small_a_purchase_releases_nothing(self) -> None:
        """ "up to the balance" """
        assert release(self.held(), context(lots=[lot(9)])).kind is Kind.NOTHING

    @pytest.mark.parametrize(
        ("days", "sent", "due"),
        [
            (0.9, 0, None),
            (1, 0, 1),
            (1.5, 1, None),
            (7, 1, 7),
            (8, 7, None),
            (13, 7, 13),
            (13.9, 13, None),
            (13, 0, 13),
        ],
    )
    def test_reminders_go_out_on_days_1_7_and_13(
        self, days: float, sent: int, due: int | None
    ) -> None:
        """ "Reminders to the requester on days 1, 7, 13" """
        assert reminder_due(OPENED, sent, OPENED + days * DAY, TERMS) == due

    def test_a_held_incident_is_declined_on_day_14_without_a_charge(self) -> None:
        """ "declined on day 14 without a charge" """
        assert not hold_is_over(OPENED, OPENED + 14 * DAY - HOUR, TERMS)
        assert hold_is_over(OPENED, OPENED + 14 * DAY, TERMS)
        decision = end_hold(self.held(), context())
        assert after([decision]).state is PointsState.DECLINED
        assert not decision.owed.charge

    @pytest.mark.parametrize("status", [Status.CLOSED, Status.MERGED])
    def test_a_held_ticket_that_is_closed_is_declined(self, status: Status) -> None:
        (decision,) = settle(ticket(status), history((OPENED + DAY, status)), self.held())
        assert decision.kind is Kind.DECLINED
        assert after([decision]).state is PointsState.DECLINED

    def test_an_answer_to_a_held_ticket_stops_no_clock(self) -> None:
        """ "until then no clock" """
        made = settle(ticket(Status.OPEN, OPENED + HOUR), None, self.held())
        assert after(made).clock is None

    def test_a_declined_ticket_that_is_reopened_is_gated_again(self) -> None:
        declined = after([end_hold(self.held(), context())])
        changes = history((OPENED + 14 * DAY, Status.CLOSED), (OPENED + 15 * DAY, Status.OPEN))
        made = settle(ticket(), changes, declined, context(OPENED + 15 * DAY))
        assert kinds(made) == [Kind.CLOSED, Kind.ACCEPTED]
        assert after(made).number == 2


class TestAnswering:
    def test_the_first_public_answer_stops_the_clock(self) -> None:
        """ "First response = first public answer by a human agent after acceptance" """
        answers = (OPENED + HOUR, OPENED + 2 * HOUR)
        (decision,) = settle(ticket(Status.OPEN, *answers), None, accepted())
        clock = clock_after([decision])
        assert (clock.responded_at, clock.elapsed, clock.result) == (
            OPENED + HOUR,
            3600,
            SlaState.MET,
        )

    def test_an_answer_on_the_boundary_second_is_on_time(self) -> None:
        """ "Answering at the boundary second is on time" """
        (decision,) = settle(ticket(Status.OPEN, OPENED + 4 * HOUR), None, accepted())
        clock = clock_after([decision])
        assert (clock.result, clock.elapsed) == (SlaState.MET, 4 * 3600)

    def test_an_answer_a_second_later_is_a_breach_with_the_seconds_taken(self) -> None:
        """ "Then `met` or `breached`, with the business seconds taken" """
        late = OPENED + 4 * HOUR + timedelta(seconds=1)
        (decision,) = settle(ticket(Status.OPEN, late), None, accepted())
        clock = clock_after([decision])
        assert (clock.result, clock.elapsed) == (SlaState.BREACHED, 4 * 3600 + 1)

    def test_an_answer_before_acceptance_does_not_count(self) -> None:
        released = after(
            [release(after(settle(ticket(), rules=context(lots=[]))), context(OPENED + DAY))]
        )
        assert settle(ticket(Status.OPEN, OPENED + HOUR), None, released) == []

    @pytest.mark.parametrize(
        ("minutes", "shown"),
        [(179, None), (180, SlaState.AT_RISK), (240, SlaState.AT_RISK), (241, SlaState.BREACHED)],
    )
    def test_a_clock_is_at_risk_one_business_hour_before(
        self, minutes: int, shown: SlaState | None
    ) -> None:
        """ "At risk: one business hour before." """
        clock = accepted().clock
        assert clock is not None
        assert watched(clock, OPENED + timedelta(minutes=minutes)) is shown

    def test_an_answered_clock_is_watched_no_longer(self) -> None:
        clock = clock_after(settle(ticket(Status.OPEN, OPENED + HOUR), None, accepted()))
        assert watched(clock, OPENED + 9 * DAY) is None


class TestClosingAndReopening:
    def test_the_anchor_is_the_first_closure_and_never_moves(self) -> None:
        """ "The anchor is the FIRST closure and never moves." """
        changes = history(
            (OPENED + DAY, Status.CLOSED),
            (OPENED + 2 * DAY, Status.OPEN),
            (OPENED + 3 * DAY, Status.CLOSED),
        )
        made = settle(ticket(Status.CLOSED), changes, accepted(), context(OPENED + 4 * DAY))
        assert kinds(made) == [Kind.CLOSED, Kind.REOPENED, Kind.CLOSED]
        assert after(made).first_closed_at == OPENED + DAY

    @pytest.mark.parametrize(("days", "free"), [(1, True), (90, True), (91, False)])
    def test_a_reopen_is_free_for_90_days(self, days: int, free: bool) -> None:
        """ "re-opened up to 90 days following original closure", "90 days inclusive" """
        changes = history((OPENED, Status.CLOSED), (OPENED + days * DAY, Status.OPEN))
        (decision,) = settle(
            ticket(), changes, closed_at(OPENED), context(OPENED + days * DAY, [lot(100)])
        )
        assert (decision.kind is Kind.REOPENED) is free
        assert (decision.owed.charge is None) is free

    def test_the_90th_day_is_a_day_in_the_accounts_zone(self) -> None:
        """ "90 days inclusive, in the account's zone" """
        closed = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)  # the 23rd in Berlin
        until = free_reopen_until(closed, "Europe/Berlin", TERMS)
        assert until == datetime(2026, 11, 23, tzinfo=UTC).date() + 90 * DAY

    def test_a_free_reopen_is_marked_and_has_a_new_clock(self) -> None:
        """ "free, marked `free_reopen`, a new first-response clock" """
        changes = history((OPENED, Status.CLOSED), (OPENED + DAY, Status.OPEN))
        incident = after(settle(ticket(), changes, closed_at(OPENED), context(OPENED + DAY)))
        assert incident.state is PointsState.FREE_REOPEN
        assert incident.clock is not None
        assert (incident.clock.started_at, incident.clock.cycle) == (OPENED + DAY, 2)

    def test_a_late_reopen_is_gated_like_a_new_ticket(self) -> None:
        """ "Outside: a new incident is needed: gated like a new ticket" """
        late = OPENED + 91 * DAY
        changes = history((OPENED, Status.CLOSED), (late, Status.OPEN))
        made = settle(ticket(), changes, closed_at(OPENED), context(late, []))
        assert kinds(made) == [Kind.HELD]
        assert (after(made).number, after(made).first_closed_at) == (2, None)

    def test_or_refused_as_configured(self) -> None:
        """ "or closed again with a reply, per configuration" """
        late = OPENED + 91 * DAY
        rules = context(late, terms=Terms(late_reopen="refuse"))
        reopened = history((OPENED, Status.CLOSED), (late, Status.OPEN))
        made = settle(ticket(), reopened, closed_at(OPENED), rules)
        assert kinds(made) == [Kind.REFUSED]
        echo = history((OPENED, Status.CLOSED), (late, Status.OPEN), (late, Status.CLOSED))
        assert settle(ticket(Status.CLOSED), echo, after(made), rules) == []

    def test_a_merge_is_not_a_closure_and_stops_the_clock(self) -> None:
        """ "A merge is not a closure." """
        changes = history((OPENED + HOUR, Status.MERGED))
        incident = after(settle(ticket(Status.MERGED), changes, accepted()))
        assert incident.first_closed_at is None
        assert incident.clock is not None
        assert not incident.clock.waiting

    def test_an_answer_that_closes_is_first_an_answer(self) -> None:
        changes = history((OPENED + HOUR, Status.CLOSED))
        made = settle(ticket(Status.CLOSED, OPENED + HOUR), changes, accepted())
        assert kinds(made) == [Kind.RESPONDED, Kind.CLOSED]

    def test_an_answer_after_a_reopen_stops_the_new_clock(self) -> None:
        """ "Re-open: new clock from the re-open instant" """
        changes = history((OPENED + HOUR, Status.CLOSED), (OPENED + DAY, Status.OPEN))
        answers = (OPENED + HOUR, OPENED + DAY + HOUR)
        made = settle(ticket(Status.OPEN, *answers), changes, accepted(), context(OPENED + 2 * DAY))
        assert kinds(made) == [Kind.RESPONDED, Kind.CLOSED, Kind.REOPENED, Kind.RESPONDED]


class TestFollowUps:
    """ "Follow-ups are traced to their root: a follow-up inside the root's window is a free
    re-open." """

    def follow_up(self, days: int, before: Incident, terms: Terms = TERMS) -> list[Decision]:
        at = OPENED + days * DAY
        rules = replace(context(at, [lot(100)], terms), continues=before)
        return settle(replace(ticket(), created_at=at, follow_up_of="4"), None, None, rules)

    def test_inside_the_window_is_free_with_a_new_clock(self) -> None:
        (decision,) = self.follow_up(60, closed_at(OPENED))
        assert (decision.kind, decision.owed.charge) == (Kind.REOPENED, None)
        assert after([decision]).state is PointsState.FREE_REOPEN
        assert clock_after([decision]).started_at == OPENED + 60 * DAY

    def test_a_follow_up_of_a_follow_up_counts_from_the_root(self) -> None:
        first = after(self.follow_up(60, closed_at(OPENED)))
        assert first.first_closed_at == OPENED
        assert kinds(self.follow_up(91, first)) == [Kind.ACCEPTED]

    def test_outside_is_gated_or_refused_as_configured(self) -> None:
        root = closed_at(OPENED)
        assert kinds(self.follow_up(91, root)) == [Kind.ACCEPTED]
        refused = self.follow_up(91, root, Terms(late_reopen="refuse"))
        assert kinds(refused) == [Kind.REFUSED]
        assert after(refused).state is PointsState.DECLINED

    def test_of_a_declined_ticket_is_gated(self) -> None:
        declined = Incident(PointsState.DECLINED, OPENED, closed=True)
        assert kinds(self.follow_up(5, declined)) == [Kind.ACCEPTED]


class TestNothing:
    LIFE = history(
        (OPENED + HOUR, Status.CLOSED),
        (OPENED + DAY, Status.PENDING),
        (OPENED + DAY + HOUR, Status.OPEN),
        (OPENED + 2 * DAY, Status.CLOSED),
    )

    def test_a_repetition_is_nothing(self) -> None:
        """ "a repeated, late or re-ordered webhook charges nothing" """
        now = context(OPENED + 3 * DAY)
        once = after(settle(ticket(Status.CLOSED), self.LIFE, None, now))
        assert settle(ticket(Status.CLOSED), self.LIFE, once, now) == []

    @pytest.mark.parametrize("steps", range(1, len(LIFE) + 1))
    def test_a_life_ends_the_same_however_often_it_is_looked_at(self, steps: int) -> None:
        now = context(OPENED + 3 * DAY)
        at_once = after(settle(ticket(Status.CLOSED), self.LIFE, None, now))
        incident: Incident | None = None
        for known in range(0, len(self.LIFE) + 1, steps):
            made = settle(ticket(), self.LIFE[:known], incident, now)
            incident = after(made) if made else incident
        made = settle(ticket(Status.CLOSED), self.LIFE, incident, now)
        assert (after(made) if made else incident) == at_once

    def test_the_history_is_newer_than_a_ticket_that_was_closed_when_it_was_read(self) -> None:
        changes = history((OPENED + HOUR, Status.CLOSED), (OPENED + DAY, Status.OPEN))
        made = settle(ticket(Status.CLOSED), changes, None, context(OPENED + 3 * DAY))
        assert kinds(made) == [Kind.ACCEPTED, Kind.CLOSED, Kind.REOPENED]

    def test_a_new_tickets_history_is_not_worth_a_call(self) -> None:
        assert not needs_history(ticket(), None)
        assert not needs_history(ticket(), accepted())

    @pytest.mark.parametrize("status", [Status.CLOSED, Status.MERGED, Status.REMOVED])
    def test_a_ticket_that_ended_is_worth_it(self, status: Status) -> None:
        assert needs_history(ticket(status), None)
        assert needs_history(ticket(status), accepted())

    def test_a_closed_ticket_is_worth_it_once(self) -> None:
        hint = OPENED + HOUR
        seen = replace(ticket(Status.CLOSED), close_hint=hint)
        changes = history((hint, Status.CLOSED))
        decision = decide(seen, after(settle(seen, changes)), changes, context())
        assert decision.incident is not None
        assert decision.incident.close_hint == hint
        assert not needs_history(seen, decision.incident)
        assert needs_history(replace(seen, close_hint=hint + HOUR), decision.incident)


def test_what_a_write_of_ours_opens_is_no_reopen() -> None:
    """It was late, and an agent had closed the ticket meanwhile."""
    closed = closed_at(OPENED + HOUR)
    ours = StatusChange(2, OPENED + 2 * HOUR, Actor.US, "9", Status.CLOSED, Status.PENDING)
    changes = (*history((OPENED + HOUR, Status.CLOSED)), ours)
    assert settle(ticket(Status.PENDING), changes, closed) == []

"""The first-response clock: when it starts, when it is due, how it ended. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bridge.policy.hours import Calendar, add_business_time, business_elapsed
from bridge.policy.rules import Finding, Rule, stamp
from bridge.policy.terms import Terms
from bridge.ticket import SlaState


@dataclass(frozen=True, slots=True)
class Clock:
    """One promise of a first response. Instants are UTC, spans whole business seconds.

    `due_at` is what the helpdesk shows and `by_close` what people are told; they differ only when
    the target is used up exactly at a closing. `cycle` counts the clocks of one incident: a free
    re-open starts the next one and the earlier result stays on record. `ended_at` is when the
    ticket was closed without an answer.
    """

    cycle: int
    started_at: datetime
    target: int
    at_risk_at: datetime
    due_at: datetime
    by_close: datetime
    result: SlaState | None = SlaState.RUNNING
    responded_at: datetime | None = None
    elapsed: int | None = None
    ended_at: datetime | None = None

    @property
    def waiting(self) -> bool:
        """Whether an answer is still owed (late or not)."""
        return self.responded_at is None and self.ended_at is None


def start_clock(at: datetime, cycle: int, calendar: Calendar, terms: Terms) -> Clock:
    """The clock of an incident that is accepted, released or re-opened at that instant."""
    due = add_business_time(at, terms.response_seconds, calendar)
    warning = max(terms.response_seconds - terms.at_risk_seconds, 0)
    return Clock(
        cycle=cycle,
        started_at=at,
        target=terms.response_seconds,
        at_risk_at=add_business_time(at, warning, calendar).by_close,
        due_at=due.at,
        by_close=due.by_close,
    )


def respond(clock: Clock, at: datetime, calendar: Calendar) -> Clock:
    """The clock, stopped by a first answer: met on the boundary second, breached after it."""
    elapsed = business_elapsed(clock.started_at, at, calendar)
    result = SlaState.MET if elapsed <= clock.target else SlaState.BREACHED
    return replace(clock, result=result, responded_at=at, elapsed=elapsed)


def end_clock(clock: Clock, at: datetime) -> Clock:
    """The clock of a ticket that is closed at that instant: it has promised nothing more.

    Without an answer it was neither met nor breached if that was in time (product rule 5.6).
    """
    if not clock.waiting:
        return clock
    late = at.replace(microsecond=0) > clock.due_at
    return replace(clock, result=SlaState.BREACHED if late else SlaState.ENDED, ended_at=at)


def watched(clock: Clock, now: datetime) -> SlaState | None:
    """What an unanswered clock shows at that instant: a change to write, or None for no change."""
    if not clock.waiting:
        return None
    now = now.replace(microsecond=0)  # whole seconds, as the answer will be judged
    if now > clock.due_at:
        state = SlaState.BREACHED
    elif now >= clock.at_risk_at:
        state = SlaState.AT_RISK
    else:
        state = SlaState.RUNNING
    return state if state is not clock.result else None


def clock_findings(clock: Clock, calendar: Calendar) -> tuple[Finding, ...]:
    """How a due time came about, for `explain`."""
    inputs: dict[str, Any] = {
        "zone": calendar.zone,
        "started_at": stamp(clock.started_at),
        "target_s": clock.target,
    }
    return (
        Finding(Rule.CLOCK, f"the clock starts at {stamp(clock.started_at)}"),
        Finding(Rule.HOURS, f"business hours of {calendar.zone}"),
        Finding(Rule.PROMISE, f"first response due {stamp(clock.due_at)}", inputs),
    )

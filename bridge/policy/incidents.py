"""What happened to a ticket, and what the terms say of it. Pure: state in, one decision out.

Adapters report a ticket's state, never events: webhooks come late, twice, out of order or never.
`decide` compares that state (and, where needed, the helpdesk's own history) with the incident as it
is stored, and names the next thing that happened. The caller applies it and asks again until the
answer is NOTHING. Repeats, re-orderings and the echo of our own writes are therefore NOTHING.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from bridge.policy.clock import Clock, clock_findings, respond, start_clock
from bridge.policy.hours import Calendar
from bridge.policy.points import Lot, on_hand, validity_instant
from bridge.policy.rules import Finding, Rule, stamp
from bridge.policy.terms import Terms
from bridge.policy.zones import local_date
from bridge.ticket import Answer, PointsState, StateChange, Status, Ticket

Findings = tuple[Finding, ...]

_ENDED = frozenset({Status.MERGED, Status.REMOVED})
_DONE = _ENDED | {Status.CLOSED}
_NEVER_CHARGED = frozenset({PointsState.AWAITING_POINTS, PointsState.DECLINED})


class Kind(StrEnum):
    """What a decision says."""

    NOTHING = "nothing"
    ACCEPTED = "accepted"
    HELD = "held"
    RELEASED = "released"
    DECLINED = "declined"
    RESPONDED = "responded"
    CLOSED = "closed"
    MERGED = "merged"
    REOPENED = "reopened"
    REFUSED = "refused"

    @property
    def charges(self) -> bool:
        """Whether the decision takes points."""
        return self in (Kind.ACCEPTED, Kind.RELEASED)


@dataclass(frozen=True, slots=True)
class Incident:
    """One issue, one ticket: an incident as it is stored. Instants are UTC.

    `number` counts the incidents on one ticket (a late re-open makes a second one). `closed` means
    nobody works on it: closed, merged or removed. `seen` is the last `StateChange.seq` that was
    taken into account, `close_hint` the helpdesk's closing stamp at that time.
    """

    state: PointsState
    opened_at: datetime
    number: int = 1
    held_at: datetime | None = None
    clock: Clock | None = None
    closed: bool = False
    first_closed_at: datetime | None = None
    seen: int = 0
    close_hint: datetime | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What happened, when it takes effect, which rules said so, and the incident as it then stands.

    A decision whose kind `charges` takes `Terms.price` points that were on hand at `valid_at`.
    `incident` is None where there is none to keep.
    """

    kind: Kind
    at: datetime
    incident: Incident | None
    findings: tuple[Finding, ...] = ()
    valid_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Context:
    """What a decision rests on besides the ticket: terms, the account's points and calendar, now.

    `in_service_since` is when the bridge took up this helpdesk; older tickets are left alone.
    `continues` is the incident that a follow-up ticket takes up again, where the helpdesk closes
    tickets for good; None for any other ticket.
    """

    terms: Terms
    lots: Sequence[Lot]
    calendar: Calendar
    now: datetime
    in_service_since: datetime
    continues: Incident | None = None


def needs_history(ticket: Ticket, incident: Incident | None) -> bool:
    """Whether the ticket may have been closed or re-opened since it was last seen.

    Only then is the helpdesk's history worth a call; a plain new ticket never needs it.
    """
    done = ticket.status in _DONE
    if incident is None:
        return done or ticket.close_hint is not None
    return done != incident.closed or ticket.close_hint != incident.close_hint


def decide(
    ticket: Ticket,
    incident: Incident | None,
    history: Sequence[StateChange] | None,
    context: Context,
) -> Decision:
    """The next thing that happened to this ticket.

    Args:
        ticket: its state as the helpdesk tells it.
        incident: the newest incident on it, as stored; None when there is none.
        history: its state transitions, oldest first; None where `needs_history` said no.
        context: terms, the account's points and calendar, now.
    """
    if incident is None:
        return _first_sight(ticket, context)
    unseen = [change for change in history or () if change.seq > incident.seen]
    change = next((change for change in unseen if _matters(change, incident)), None)
    answer = _first_answer(ticket, incident)
    if answer and (change is None or answer.at <= change.at):
        return _responded(answer, incident, context.calendar)
    if change:
        return _changed(change, replace(incident, seen=change.seq), context)
    if history is not None:
        incident = _caught_up(incident, ticket, history)
    return Decision(Kind.NOTHING, context.now, incident)


def release(incident: Incident, context: Context) -> Decision:
    """A held incident of an account that got points: charged, its clock starts now; or nothing."""
    if on_hand(context.lots, context.now) < context.terms.price:
        return Decision(Kind.NOTHING, context.now, incident)
    finding = Finding(Rule.RELEASE, "points are on hand now: released and charged")
    return _accept(Kind.RELEASED, incident, context.now, context, (finding,))


def end_hold(incident: Incident, context: Context) -> Decision:
    """A held incident whose time is over: declined, without a charge."""
    finding = Finding(Rule.HOLD_ENDS, "declined", {"days": context.terms.hold_days})
    declined = replace(incident, state=PointsState.DECLINED)
    return Decision(Kind.DECLINED, context.now, declined, (finding,))


def reminder_due(held_at: datetime, reminded_day: int, now: datetime, terms: Terms) -> int | None:
    """The day (1, 7, 13) whose reminder is due and not yet sent; None when there is none.

    A day is 24 hours since the hold. After an outage only the latest one is sent, not all that
    were missed.
    """
    days = (now - held_at) // timedelta(days=1)
    due = [day for day in terms.hold_reminder_days if reminded_day < day <= days]
    return max(due, default=None)


def hold_is_over(held_at: datetime, now: datetime, terms: Terms) -> bool:
    """Whether a held ticket is to be declined."""
    return now - held_at >= timedelta(days=terms.hold_days)


def free_reopen_until(first_closed_at: datetime, zone: str, terms: Terms) -> date:
    """The last local day on which a re-open is free: the 90th after the first closure."""
    return local_date(first_closed_at, zone) + timedelta(days=terms.reopen_days)


def _first_sight(ticket: Ticket, context: Context) -> Decision:
    if ticket.status in _ENDED:
        finding = Finding(Rule.STILL_A_TICKET, "no incident", {"status": ticket.status.value})
        return Decision(Kind.NOTHING, context.now, None, (finding,))
    inputs = _times(created=ticket.created_at, in_service_since=context.in_service_since)
    if ticket.created_at < context.in_service_since:
        finding = Finding(Rule.IN_SERVICE, "no incident: the ticket is older", inputs)
        return Decision(Kind.NOTHING, context.now, None, (finding,))
    finding = Finding(Rule.IN_SERVICE, "the ticket is newer: an incident", inputs)
    blank = Incident(PointsState.AWAITING_POINTS, opened_at=ticket.created_at)
    before = context.continues
    if before is None or before.state in _NEVER_CHARGED:
        return _gate(blank, context, (finding,))
    free = replace(blank, state=PointsState.CHARGED, first_closed_at=before.first_closed_at)
    return _taken_up(ticket.created_at, free, blank, context, (finding,))


def _gate(incident: Incident, context: Context, findings: Findings) -> Decision:
    """Accept or hold an incident that was opened at `incident.opened_at`."""
    terms, now = context.terms, context.now
    valid_at = validity_instant(incident.opened_at, now, terms.look_back)
    then, today = on_hand(context.lots, valid_at), on_hand(context.lots, now)
    findings = (
        *findings,
        Finding(Rule.PRICE, f"costs {terms.price} points", {"price": terms.price}),
        Finding(Rule.VALIDITY, f"tested at {stamp(valid_at)}", _times(now=now)),
    )
    inputs: dict[str, str | int] = {"on_hand_then": then, "on_hand_now": today}
    if then >= terms.price:
        found = Finding(Rule.ON_HAND, "on hand at creation: accepted and charged", inputs)
        start = min(incident.opened_at, now)
        accepted = _accept(Kind.ACCEPTED, incident, start, context, (*findings, found))
        return replace(accepted, valid_at=valid_at)
    if today >= terms.price:
        found = Finding(Rule.ON_HAND, "on hand only since: accepted and charged from now", inputs)
        return _accept(Kind.ACCEPTED, incident, now, context, (*findings, found))
    held = replace(incident, state=PointsState.AWAITING_POINTS, held_at=now)
    found = Finding(Rule.ON_HAND, "too few points: held", inputs)
    waits = Finding(Rule.HELD, "no charge, no clock")
    return Decision(Kind.HELD, now, held, (*findings, found, waits))


def _accept(
    kind: Kind, incident: Incident, start: datetime, context: Context, findings: Findings
) -> Decision:
    clock = start_clock(start, _cycle_after(incident), context.calendar, context.terms)
    charged = replace(incident, state=PointsState.CHARGED, clock=clock)
    found = (*findings, *clock_findings(clock, context.calendar))
    return Decision(kind, start, charged, found, valid_at=context.now)


def _cycle_after(incident: Incident) -> int:
    return incident.clock.cycle + 1 if incident.clock else 1


def _first_answer(ticket: Ticket, incident: Incident) -> Answer | None:
    clock = incident.clock
    if clock is None or not clock.waiting:
        return None
    return next((answer for answer in ticket.answers if answer.at >= clock.started_at), None)


def _responded(answer: Answer, incident: Incident, calendar: Calendar) -> Decision:
    clock = respond(incident.clock, answer.at, calendar) if incident.clock else None
    inputs: dict[str, str | int] = {"agent": answer.agent}
    if clock:
        inputs |= {"elapsed_s": clock.elapsed or 0, "target_s": clock.target}
    outcome = clock.result.value if clock and clock.result else "no clock"
    finding = Finding(Rule.FIRST_RESPONSE, outcome, inputs)
    return Decision(Kind.RESPONDED, answer.at, replace(incident, clock=clock), (finding,))


def _matters(change: StateChange, incident: Incident) -> bool:
    """Not open to pending and back, nor the echo of our own closing."""
    return (change.after in _DONE) != incident.closed


def _caught_up(incident: Incident, ticket: Ticket, history: Sequence[StateChange]) -> Incident:
    seen = max([incident.seen, *(change.seq for change in history)])
    return replace(incident, seen=seen, close_hint=ticket.close_hint)


def _changed(change: StateChange, incident: Incident, context: Context) -> Decision:
    if change.after not in _DONE:
        return _reopened(change.at, replace(incident, closed=False), context)
    done = replace(incident, closed=True)
    if incident.state is PointsState.AWAITING_POINTS:
        declined = replace(done, state=PointsState.DECLINED)
        finding = Finding(Rule.HOLD_CLOSED, "declined", {"status": change.after.value})
        return Decision(Kind.DECLINED, change.at, declined, (finding,))
    if change.after in _ENDED:
        finding = Finding(Rule.MERGED, "the clock stops, the charge stays", _times(at=change.at))
        return Decision(Kind.MERGED, change.at, replace(done, clock=_voided(done)), (finding,))
    if incident.state in _NEVER_CHARGED:
        finding = Finding(Rule.NEVER_CHARGED, "closed", _times(at=change.at))
        return Decision(Kind.CLOSED, change.at, done, (finding,))
    first = incident.first_closed_at or change.at
    until = free_reopen_until(first, context.calendar.zone, context.terms)
    finding = Finding(Rule.CLOSURE, f"free re-open until {until}", _times(first_closed_at=first))
    return Decision(Kind.CLOSED, change.at, replace(done, first_closed_at=first), (finding,))


def _voided(incident: Incident) -> Clock | None:
    clock = incident.clock
    return replace(clock, result=None) if clock and clock.waiting else clock


def _reopened(at: datetime, incident: Incident, context: Context) -> Decision:
    if incident.state is PointsState.DECLINED:
        finding = Finding(Rule.NEVER_CHARGED, "gated again", _times(reopened_at=at))
        return _gate(_next_incident(at, incident), context, (finding,))
    return _taken_up(at, incident, _next_incident(at, incident), context, ())


def _taken_up(
    at: datetime, incident: Incident, instead: Incident, context: Context, findings: Findings
) -> Decision:
    """A charged issue that comes back: free within the window, else `instead` is gated, or no."""
    zone, terms = context.calendar.zone, context.terms
    until = free_reopen_until(incident.first_closed_at or at, zone, terms)
    inputs = {**_times(reopened_at=at), "free_until": until.isoformat()}
    if local_date(at, zone) <= until:
        finding = Finding(Rule.REOPEN, "re-opened for free, with a new clock", inputs)
        return _reopened_free(at, incident, context, (*findings, finding))
    if terms.late_reopen == "refuse":
        finding = Finding(Rule.REOPEN_LATE, "refused: closed again", inputs)
        own = instead.number > incident.number
        refused = incident if own else replace(instead, state=PointsState.DECLINED)
        return Decision(Kind.REFUSED, at, replace(refused, closed=True), (*findings, finding))
    finding = Finding(Rule.REOPEN_LATE, "gated as a new incident", inputs)
    return _gate(instead, context, (*findings, finding))


def _reopened_free(
    at: datetime, incident: Incident, context: Context, findings: Findings
) -> Decision:
    clock = start_clock(at, _cycle_after(incident), context.calendar, context.terms)
    charged = incident.state is PointsState.CHARGED
    state = PointsState.FREE_REOPEN if charged else incident.state
    reopened = replace(incident, state=state, clock=clock)
    found = (*findings, *clock_findings(clock, context.calendar))
    return Decision(Kind.REOPENED, at, reopened, found)


def _next_incident(at: datetime, incident: Incident) -> Incident:
    """The incident after this one on the same ticket: what came before it is seen."""
    return Incident(
        PointsState.AWAITING_POINTS,
        opened_at=at,
        number=incident.number + 1,
        seen=incident.seen,
        close_hint=incident.close_hint,
    )


def _times(**instants: datetime) -> dict[str, str | int]:
    return {name: stamp(at) for name, at in instants.items()}

"""The gate: points on hand or not, what holds a ticket, and what lets it go. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bridge.policy.clock import clock_findings, start_clock
from bridge.policy.decisions import Context, Decision, Findings, Incident, Kind, times
from bridge.policy.owed import Charge, Owed, Text
from bridge.policy.points import on_hand, validity_instant
from bridge.policy.rules import Finding, Rule, stamp
from bridge.policy.terms import Terms
from bridge.ticket import Actor, Answer, Change, PointsState, Status, StatusChange, Ticket

#: A held ticket that messages open is put back so often in `PUT_BACK_SPAN`: two programs that
#: answer each other must not make us write for ever.
MOST_PUT_BACK = 3
PUT_BACK_SPAN = timedelta(days=1)
#: Who opens a held ticket by hand wants it open.
_BY_HAND = frozenset({Actor.AGENT, Actor.US})


def gate(
    incident: Incident,
    context: Context,
    findings: Findings,
    receipt: Text = Text.RECEIPT_ACCEPTED,
) -> Decision:
    """Accept or hold an incident that was opened at `incident.opened_at`."""
    terms, now = context.terms, context.now
    valid_at = validity_instant(incident.opened_at, now, terms.look_back)
    then, today = on_hand(context.lots, valid_at), on_hand(context.lots, now)
    findings = (
        *findings,
        Finding(Rule.PRICE, f"costs {terms.price} points", {"price": terms.price}),
        Finding(Rule.VALIDITY, f"tested at {stamp(valid_at)}", times(now=now)),
    )
    inputs: dict[str, str | int] = {"on_hand_then": then, "on_hand_now": today}
    if then >= terms.price:
        found = Finding(Rule.ON_HAND, "on hand at creation: accepted and charged", inputs)
        start = min(incident.opened_at, now)
        owed = Owed(Charge(terms.price, valid_at), texts=(receipt,))
        return _accept(Kind.ACCEPTED, incident, start, context, (*findings, found), owed)
    if today >= terms.price:
        found = Finding(Rule.ON_HAND, "on hand only since: accepted and charged from now", inputs)
        owed = Owed(Charge(terms.price, now), texts=(receipt,))
        return _accept(Kind.ACCEPTED, incident, now, context, (*findings, found), owed)
    found = Finding(Rule.ON_HAND, "too few points: held", inputs)
    return _hold(incident, context, (*findings, found))


def release(incident: Incident, context: Context, older: int = 0) -> Decision:
    """A held incident of an account that got points: charged, its clock starts now; or nothing.

    The points of as many `older` ones are left to them: they wait too, and are looked at first.
    """
    price, now = context.terms.price, context.now
    if on_hand(context.lots, now) < price * (older + 1):
        return Decision(Kind.NOTHING, now, incident)
    finding = Finding(Rule.RELEASE, "points are on hand now: released and charged")
    back = status_after_hold(incident, context)
    text = Text.REPLY_RELEASED if context.announces_release else Text.RECEIPT_RELEASED
    owed = Owed(Charge(price, now), texts=(text,), status=back)
    return _accept(Kind.RELEASED, incident, now, context, (finding,), owed)


def status_after_hold(incident: Incident, context: Context) -> Status | None:
    """What a ticket is set to that is held no more; None where holding left its status alone."""
    return Status.OPEN if context.statuses.held and not incident.closed else None


def end_hold(incident: Incident, context: Context) -> Decision:
    """A held incident whose time is over: declined, without a charge."""
    finding = Finding(Rule.HOLD_ENDS, "declined", {"days": context.terms.hold_days})
    declined = replace(incident, state=PointsState.DECLINED)
    status = None if incident.closed else context.statuses.declined
    owed = Owed(texts=(Text.REPLY_DECLINED,), status=status)
    return Decision(Kind.DECLINED, context.now, declined, (finding,), owed)


def unpaid_answer(ticket: Ticket, incident: Incident, terms: Terms) -> Answer | None:
    """The first public answer that an agent gave while the incident waited for points.

    Also where it has been declined since, and nobody had heard of the answer.
    """
    waits = incident.state is PointsState.AWAITING_POINTS
    declined = incident.state is PointsState.DECLINED and not incident.closed
    if incident.held_at is None or not (waits or declined):
        return None
    over = incident.held_at + timedelta(days=terms.hold_days)
    given = (one for one in ticket.answers if one.at >= incident.opened_at)
    return next((one for one in given if waits or one.at < over), None)


def answered_unpaid(answer: Answer, incident: Incident) -> Decision:
    """Work without points: agents look at it, and nothing more happens to it by itself."""
    inputs = {"agent": answer.agent, **times(answered_at=answer.at)}
    finding = Finding(Rule.ANSWERED_UNPAID, "flagged for review, nothing is charged", inputs)
    flagged = replace(incident, state=PointsState.REVIEW)
    owed = Owed(texts=(Text.RECEIPT_ANSWERED_UNPAID,))
    return Decision(Kind.FLAGGED, answer.at, flagged, (finding,), owed)


def put_back(
    ticket: Ticket, incident: Incident, history: Sequence[Change], context: Context
) -> Decision | None:
    """A held ticket that a message opened, held again; None where it is to stay as it is."""
    wanted, held_at = context.statuses.held, incident.held_at
    waits = incident.state is PointsState.AWAITING_POINTS and ticket.status is Status.OPEN
    turns = [one for one in history if isinstance(one, StatusChange)]
    opened = [one for one in turns if (one.before, one.after) == (Status.PENDING, Status.OPEN)]
    if wanted is None or held_at is None or not waits or not opened:
        return None
    last, since = opened[-1], context.now - PUT_BACK_SPAN
    recent = [one for one in opened if one.actor not in _BY_HAND and one.at > since]
    if last.seq <= incident.seen or last not in recent or len(recent) > MOST_PUT_BACK:
        return None
    finding = Finding(Rule.HELD_AGAIN, "held again", {"by": last.actor.value, "time": len(recent)})
    until = held_at + timedelta(days=context.terms.hold_days)
    owed = Owed(status=wanted, pending_until=until)
    seen = replace(incident, seen=last.seq)
    return Decision(Kind.PUT_BACK, last.at, seen, (finding,), owed)


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


def cycle_after(incident: Incident) -> int:
    """The number of the incident's next clock."""
    return incident.clock.cycle + 1 if incident.clock else 1


def _hold(incident: Incident, context: Context, findings: Findings) -> Decision:
    now, wanted = context.now, context.statuses.held
    held = replace(incident, state=PointsState.AWAITING_POINTS, held_at=now)
    until = now + timedelta(days=context.terms.hold_days) if wanted else None
    owed = Owed(texts=(Text.REPLY_HELD,), status=wanted, pending_until=until)
    waits = Finding(Rule.HELD, "no charge, no clock")
    return Decision(Kind.HELD, now, held, (*findings, waits), owed)


def _accept(
    kind: Kind,
    incident: Incident,
    start: datetime,
    context: Context,
    findings: Findings,
    owed: Owed,
) -> Decision:
    clock = start_clock(start, cycle_after(incident), context.calendar, context.terms)
    charged = replace(incident, state=PointsState.CHARGED, clock=clock)
    found = (*findings, *clock_findings(clock, context.calendar))
    return Decision(kind, start, charged, found, owed)

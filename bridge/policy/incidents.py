"""What happened to a ticket, and what the terms say of it. Pure: state in, one decision out.

Adapters report a ticket's state, never events: webhooks come late, twice, out of order or never.
`decide` compares that state (and, where needed, the helpdesk's own history) with the incident as it
is stored, and names the next thing that happened. The caller applies it and asks again until the
answer is NOTHING. Repeats, re-orderings and the echo of our own writes are therefore NOTHING.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from bridge.policy.clock import end_clock, respond
from bridge.policy.decisions import (
    AT_ONCE,
    DONE,
    ENDED,
    NEVER_CHARGED,
    Context,
    Decision,
    Findings,
    Incident,
    Kind,
    free_reopen_until,
    is_unpaid_work,
    next_incident,
    times,
    was_held,
)
from bridge.policy.gate import answered_unpaid, gate, put_back, unpaid_answer
from bridge.policy.hours import Calendar
from bridge.policy.moves import as_read, has_moved, last_move, moved
from bridge.policy.owed import Owed, Text
from bridge.policy.reopening import gated_anew, paid_already, taken_up
from bridge.policy.rules import Finding, Rule
from bridge.ticket import (
    Actor,
    Answer,
    Change,
    PointsState,
    SlaState,
    Status,
    StatusChange,
    Ticket,
)


def needs_history(
    ticket: Ticket, incident: Incident | None, held_status: Status | None = None
) -> bool:
    """Whether the ticket may have been closed, re-opened or moved since it was last seen.

    So may a held one have been that is not in its `held_status`. Only then is the helpdesk's
    history worth a call; a plain new ticket never needs it.
    """
    done = ticket.status in DONE
    if incident is None:
        return done or ticket.close_hint is not None
    turned = done != incident.closed or ticket.close_hint != incident.close_hint
    held = incident.state is PointsState.AWAITING_POINTS and held_status is not None
    opened = held and ticket.status is Status.OPEN
    return turned or opened or has_moved(ticket, incident)


def decide(
    ticket: Ticket,
    incident: Incident | None,
    history: Sequence[Change] | None,
    context: Context,
) -> Decision:
    """The next thing that happened to this ticket.

    Args:
        ticket: its state as the helpdesk tells it.
        incident: the newest incident on it, as stored; None when there is none.
        history: what was done to it, oldest first; None where `needs_history` said no.
        context: terms, the account's points and calendar, now.
    """
    if incident is None:
        return _first_sight(ticket, context)
    if history is not None:
        history = as_read(ticket, history)
    unseen = [change for change in history or () if change.seq > incident.seen]
    if history is not None and not incident.closed:
        unseen += _as_made(ticket, history)
    change = _next_change(ticket, incident, unseen, context)
    answered = _answered(ticket, incident, change, context)
    if answered:
        return answered
    if isinstance(change, StatusChange):
        return _changed(change, replace(incident, seen=change.seq), context)
    if change:
        decision = moved(change, ticket, replace(incident, seen=change.seq), context)
        if decision.kind is not Kind.NOTHING:
            return decision
        return decide(ticket, decision.incident, history, context)
    held_again = put_back(ticket, incident, history or (), context)
    return held_again or Decision(Kind.NOTHING, context.now, _caught_up(incident, ticket, history))


def _as_made(ticket: Ticket, history: Sequence[Change]) -> list[Change]:
    """The status that a ticket was made with and still has: no history tells of it."""
    if any(isinstance(change, StatusChange) for change in history):
        return []
    last = max((change.seq for change in history), default=0)
    at = ticket.close_hint or ticket.created_at
    return [StatusChange(last, at, Actor.SYSTEM, "", Status.OPEN, ticket.status)]


def _next_change(
    ticket: Ticket, incident: Incident, unseen: Sequence[Change], context: Context
) -> Change | None:
    """The first change that matters: of the status, or the one that brought the ticket away."""
    turns = (one for one in unseen if isinstance(one, StatusChange) and _matters(one, incident))
    turn = next(turns, None)
    if context.elsewhere is None or not has_moved(ticket, incident):
        return turn
    move = last_move(ticket, unseen, context)
    if turn is None or move.seq < turn.seq:
        return move
    # Lines of one save stand in any order: who moves a ticket and closes it moved it open.
    return replace(move, seq=turn.seq - 1) if move.at == turn.at else turn


def _first_sight(ticket: Ticket, context: Context) -> Decision:
    if ticket.status in ENDED:
        finding = Finding(Rule.STILL_A_TICKET, "no incident", {"status": ticket.status.value})
        return Decision(Kind.NOTHING, context.now, None, (finding,))
    inputs = times(created=ticket.created_at, in_service_since=context.in_service_since)
    if ticket.created_at < context.in_service_since:
        finding = Finding(Rule.IN_SERVICE, "no incident: the ticket is older", inputs)
        return Decision(Kind.NOTHING, context.now, None, (finding,))
    finding = Finding(Rule.IN_SERVICE, "the ticket is newer: an incident", inputs)
    blank = Incident(
        PointsState.AWAITING_POINTS,
        opened_at=ticket.created_at,
        customer_ref=ticket.customer.ref,
    )
    paid = paid_already(blank, context)
    if paid is None:
        return gate(blank, context, (finding,))
    return taken_up(ticket.created_at, paid, blank, context, (finding,))


def _answered(
    ticket: Ticket, incident: Incident, change: Change | None, context: Context
) -> Decision | None:
    """An answer that came before the next change, or in one save with it, and matters."""
    unpaid = unpaid_answer(ticket, incident, context.terms)
    answer = unpaid or _first_answer(ticket, incident)
    # A helpdesk may note the closure before the answer that came with it.
    if answer is None or (change and answer.at > change.at + AT_ONCE):
        return None
    if unpaid:
        return answered_unpaid(unpaid, incident)
    return _responded(answer, incident, context.calendar)


def _first_answer(ticket: Ticket, incident: Incident) -> Answer | None:
    clock = incident.clock
    if clock is None or not clock.waiting:
        return None
    return next((answer for answer in ticket.answers if answer.at >= clock.started_at), None)


def _responded(answer: Answer, incident: Incident, calendar: Calendar) -> Decision:
    assert incident.clock  # noqa: S101 - nobody looks for an answer where none is waited for
    clock = respond(incident.clock, answer.at, calendar)
    inputs: dict[str, str | int] = {
        "agent": answer.agent,
        "elapsed_s": clock.elapsed or 0,
        "target_s": clock.target,
    }
    finding = Finding(Rule.FIRST_RESPONSE, str(clock.result), inputs)
    return Decision(Kind.RESPONDED, answer.at, replace(incident, clock=clock), (finding,), Owed())


def _matters(change: StatusChange, incident: Incident) -> bool:
    """Not open to pending and back, nor the echo of our own closing.

    A write of ours that opens what was closed meanwhile is nobody's wish that work goes on.
    """
    opened_by_us = change.actor is Actor.US and change.after not in DONE
    return (change.after in DONE) != incident.closed and not opened_by_us


def _caught_up(incident: Incident, ticket: Ticket, history: Sequence[Change] | None) -> Incident:
    if history is None:
        return replace(incident, customer_ref=incident.customer_ref or ticket.customer.ref)
    seen = max([incident.seen, *(change.seq for change in history)])
    return replace(
        incident, seen=seen, close_hint=ticket.close_hint, customer_ref=ticket.customer.ref
    )


def _changed(change: StatusChange, incident: Incident, context: Context) -> Decision:
    if is_unpaid_work(incident):
        return _left_to_agents(change, incident)
    if change.after not in DONE:
        return _reopened(change.at, replace(incident, closed=False), context)
    if incident.state is PointsState.AWAITING_POINTS:
        return _closed_while_held(change, incident, "declined", Owed())
    if incident.state is PointsState.CHARGED and was_held(incident, change.at):
        # Points came before we heard of the closure.
        credit = Owed(credit="closed while it waited for points")
        return _closed_while_held(change, incident, "declined, the charge goes back", credit)
    if incident.state in NEVER_CHARGED:
        # Mostly the echo of our own closing: it shows the same afterwards.
        finding = Finding(Rule.NEVER_CHARGED, "closed", times(at=change.at))
        done = replace(incident, closed=True)
        return Decision(Kind.CLOSED, change.at, done, (finding,))
    return _finished(change, incident, context)


def _left_to_agents(change: StatusChange, incident: Incident) -> Decision:
    """Work without points is closed, merged or opened again: nothing new, and nobody is told."""
    closed = change.after in DONE
    outcome = "closed: still for review" if closed else "re-opened: no new hold, still for review"
    finding = Finding(Rule.ANSWERED_UNPAID, outcome, times(at=change.at))
    kind = Kind.CLOSED if closed else Kind.REOPENED
    return Decision(kind, change.at, replace(incident, closed=closed), (finding,))


def _closed_while_held(
    change: StatusChange, incident: Incident, outcome: str, owed: Owed
) -> Decision:
    clock = incident.clock and replace(incident.clock, result=None, ended_at=change.at)
    declined = replace(incident, closed=True, state=PointsState.DECLINED, clock=clock)
    finding = Finding(Rule.HOLD_CLOSED, outcome, {"status": change.after.value})
    owed = replace(owed, texts=(Text.RECEIPT_DECLINED,))
    return Decision(Kind.DECLINED, change.at, declined, (finding,), owed)


def _finished(change: StatusChange, incident: Incident, context: Context) -> Decision:
    """A charged ticket on which nobody works any more: nothing more is promised."""
    at, ended = change.at, _clock_ends(incident, change.at)
    done = replace(incident, closed=True, clock=incident.clock and end_clock(incident.clock, at))
    if change.after in ENDED:
        finding = Finding(Rule.MERGED, "the clock stops, the charge stays", times(at=at))
        return Decision(Kind.MERGED, at, done, (finding, *ended), Owed())
    first = incident.first_closed_at or at
    until = free_reopen_until(first, context.calendar.zone, context.terms)
    finding = Finding(Rule.CLOSURE, f"free re-open until {until}", times(first_closed_at=first))
    closed = replace(done, first_closed_at=first)
    return Decision(Kind.CLOSED, at, closed, (finding, *ended), Owed())


def _clock_ends(incident: Incident, at: datetime) -> Findings:
    clock = incident.clock
    if clock is None or not clock.waiting:
        return ()
    result = end_clock(clock, at).result or SlaState.ENDED
    return (Finding(Rule.CLOCK_ENDS, result.value, times(due_at=clock.due_at)),)


def _reopened(at: datetime, incident: Incident, context: Context) -> Decision:
    if incident.state is PointsState.DECLINED:
        finding = Finding(Rule.NEVER_CHARGED, "gated again", times(reopened_at=at))
        return gated_anew(next_incident(at, incident), context, (finding,))
    return taken_up(at, incident, next_incident(at, incident), context, ())

"""A ticket that belongs to another account than the one that paid or waits for it. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import takewhile

from bridge.policy.clock import Clock, end_clock
from bridge.policy.decisions import (
    NEVER_CHARGED,
    Context,
    Decision,
    Incident,
    Kind,
    next_incident,
    times,
)
from bridge.policy.gate import gate, release
from bridge.policy.owed import Owed, Text
from bridge.policy.rules import Finding, Rule
from bridge.ticket import (
    Actor,
    Change,
    CustomerChange,
    OrganizationChange,
    PointsState,
    Ticket,
)

_AT_ONCE = timedelta(seconds=5)
_PAID = frozenset({PointsState.CHARGED, PointsState.FREE_REOPEN})
#: What these do is nobody's decision: a helpdesk corrects a ticket's organisation at each save,
#: and names whoever saved, us too.
_NOBODY = frozenset({Actor.SYSTEM, Actor.US})


def has_moved(ticket: Ticket, incident: Incident) -> bool:
    """Whether the ticket names another customer record than the incident came from."""
    return bool(incident.customer_ref) and ticket.customer.ref != incident.customer_ref


def as_read(ticket: Ticket, history: Sequence[Change]) -> Sequence[Change]:
    """The history up to where the ticket was read.

    A look is two reads, the ticket first. A move that happens between them is in the history and
    not yet on the ticket: it, what was saved with it and what came after is for the next look,
    which sees both.
    """
    moves = [one for one in history if isinstance(one, CustomerChange | OrganizationChange)]
    recent = [one for one in moves if one.at >= ticket.updated_at - _AT_ONCE]
    ahead = list(takewhile(lambda one: not _leads_to(ticket, one), reversed(recent)))
    if all(_leads_to(ticket, one) is None for one in ahead):
        return history
    first = ahead[-1]
    return [one for one in history if one.seq < first.seq and one.at < first.at]


def last_move(ticket: Ticket, unseen: Sequence[Change], context: Context) -> Change:
    """The change that brought the ticket where it is.

    Where the history does not tell it, it followed from something else, as when a person changes
    organisation.
    """
    moves = [one for one in unseen if isinstance(one, CustomerChange | OrganizationChange)]
    told = (_leads_to(ticket, one) for one in reversed(moves))
    led_here = next((leads for leads in told if leads is not None), True)
    if moves and led_here:
        # The organisation follows its customer at once: who changed the one changed the other.
        # What somebody did by hand long before has nothing to do with it.
        together = [one for one in moves if moves[-1].at - one.at <= _AT_ONCE]
        by_hand = [one for one in together if one.actor not in _NOBODY]
        return (by_hand or together)[-1]
    last = max((one.seq for one in unseen), default=0)
    return OrganizationChange(last, context.now, Actor.SYSTEM, "", None, None)


def _leads_to(ticket: Ticket, change: CustomerChange | OrganizationChange) -> bool | None:
    """Whether the ticket is where the change brought it; None where its record does not tell."""
    kind, _, record = ticket.customer.ref.partition(":")
    if isinstance(change, OrganizationChange):
        return change.after == (record if kind == "organization" else None)
    return change.after == record if kind == "person" else None


def moved(change: Change, ticket: Ticket, incident: Incident, context: Context) -> Decision:
    """What a move does, by what is at stake: a hold, a charge that is worked on, or a closed one.

    `context.elsewhere` is the account that the ticket belongs to now.
    """
    there = context.elsewhere
    incident = replace(incident, customer_ref=ticket.customer.ref)
    if there is None:
        return Decision(Kind.NOTHING, context.now, incident)
    inputs: dict[str, str | int] = {
        "from": context.account,
        "to": there.account,
        "by": change.actor.value,
    }
    if incident.state in NEVER_CHARGED:
        return _unpaid(change, incident, there, inputs)
    if change.actor in _NOBODY:
        return _requester_moved(change, incident, context, inputs)
    if incident.closed or incident.state not in _PAID:
        finding = Finding(Rule.MOVED_CLOSED, "flagged for review, nothing is moved", inputs)
        flagged = replace(incident, state=PointsState.REVIEW)
        owed = Owed(texts=(Text.RECEIPT_MOVED_CLOSED,))
        return Decision(Kind.FLAGGED, change.at, flagged, (finding,), owed)
    return _paid(change, incident, there, inputs)


def _unpaid(
    change: Change, incident: Incident, there: Context, inputs: dict[str, str | int]
) -> Decision:
    """The hold moves with the ticket, and only the new account's points can release it."""
    held = incident.state is PointsState.AWAITING_POINTS
    outcome = "the hold moves with the ticket" if held else "nothing was paid: it just moves"
    finding = Finding(Rule.MOVED_HELD, outcome, inputs)
    if not held:
        return Decision(Kind.MOVED, change.at, incident, (finding,), elsewhere=True)
    released = release(incident, there)
    if released.kind is Kind.NOTHING:
        owed = Owed(texts=(Text.RECEIPT_HOLD_MOVED,))
        return Decision(Kind.MOVED, change.at, incident, (finding,), owed, elsewhere=True)
    return Decision(Kind.MOVED, change.at, incident, (finding,), elsewhere=True, then=released)


def _requester_moved(
    change: Change, incident: Incident, context: Context, inputs: dict[str, str | int]
) -> Decision:
    if incident.closed:
        return Decision(Kind.NOTHING, context.now, incident)
    finding = Finding(Rule.REQUESTER_MOVED, "the charge stays with who paid", inputs)
    owed = Owed(texts=(Text.RECEIPT_REQUESTER_MOVED,))
    return Decision(Kind.NOTED, change.at, incident, (finding,), owed)


def _paid(
    change: Change, incident: Incident, there: Context, inputs: dict[str, str | int]
) -> Decision:
    """One transaction credits the old account and gates the new one; the clock goes on."""
    finding = Finding(Rule.MOVED, "credited to the old account, the new one is gated", inputs)
    clock = incident.clock
    left = replace(
        incident,
        state=PointsState.CREDITED,
        closed=True,
        clock=end_clock(clock, change.at) if clock else None,
    )
    opened = replace(next_incident(change.at, incident), first_closed_at=incident.first_closed_at)
    gated = gate(opened, there, (), Text.RECEIPT_MOVED)
    if gated.kind is Kind.ACCEPTED and clock and gated.incident:
        gated = _clock_goes_on(gated, clock, change.at)
    owed = Owed(credit="moved to another account", shows=False)
    return Decision(Kind.MOVED, change.at, left, (finding,), owed, then=gated)


def _clock_goes_on(gated: Decision, clock: Clock, at: datetime) -> Decision:
    """The promise was made for the issue, so its clock goes on under the account that pays now."""
    assert gated.incident  # noqa: S101 - an accepted decision has one
    goes_on = replace(clock, cycle=1)
    found = Finding(Rule.CLOCK, "the clock goes on as it was", times(started_at=clock.started_at))
    kept = tuple(one for one in gated.findings if one.rule not in (Rule.CLOCK, Rule.PROMISE))
    return replace(
        gated, at=at, incident=replace(gated.incident, clock=goes_on), findings=(*kept, found)
    )

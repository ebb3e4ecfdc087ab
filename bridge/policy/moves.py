"""A ticket that belongs to another account than the one that paid or waits for it. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import takewhile

from bridge.policy.clock import Clock, end_clock
from bridge.policy.decisions import (
    AT_ONCE,
    Context,
    Decision,
    Incident,
    Kind,
    next_incident,
    times,
    was_held,
    was_never_paid,
)
from bridge.policy.gate import gate, release, status_after_hold
from bridge.policy.owed import NOTHING, Owed, Text
from bridge.policy.reopening import continued
from bridge.policy.rules import Finding, Rule
from bridge.ticket import (
    Actor,
    Change,
    CustomerChange,
    OrganizationChange,
    PointsState,
    Ticket,
)

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
    recent = [one for one in moves if one.at >= ticket.updated_at - AT_ONCE]
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
        together = [one for one in moves if moves[-1].at - one.at <= AT_ONCE]
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
    if was_never_paid(incident):
        return _unpaid(change, ticket, incident, there, inputs)
    if change.actor in _NOBODY and not was_held(incident, change.at):
        return _requester_moved(change, incident, context, inputs)
    if incident.closed or incident.state not in _PAID:
        finding = Finding(Rule.MOVED_CLOSED, "flagged for review, nothing is moved", inputs)
        flagged = replace(incident, state=PointsState.REVIEW)
        owed = Owed(texts=(Text.RECEIPT_MOVED_CLOSED,))
        return Decision(Kind.FLAGGED, change.at, flagged, (finding,), owed)
    left = _left(change, incident, context, inputs)
    return replace(left, then=_taken_over(change, ticket, incident, context, there))


def _unpaid(
    change: Change,
    ticket: Ticket,
    incident: Incident,
    there: Context,
    inputs: dict[str, str | int],
) -> Decision:
    """The hold moves with the ticket, and only the new account's points can release it."""
    held = incident.state is PointsState.AWAITING_POINTS
    outcome = "the hold moves with the ticket" if held else "nothing was paid: it just moves"
    finding = Finding(Rule.MOVED_HELD, outcome, inputs)
    then = _ends_hold(change, ticket, incident, there) if held else None
    owed = Owed(texts=(Text.RECEIPT_HOLD_MOVED,)) if held and then is None else NOTHING
    return Decision(Kind.MOVED, change.at, incident, (finding,), owed, leaves=True, then=then)


def _ends_hold(
    change: Change, ticket: Ticket, incident: Incident, there: Context
) -> Decision | None:
    """The hold ends where the account has paid for the issue already, or has points on hand."""
    free = continued(change.at, ticket.created_at, incident, there)
    if free:
        owed = replace(free.owed, status=status_after_hold(incident, there))
        return replace(free, owed=owed)
    released = release(incident, there)
    return None if released.kind is Kind.NOTHING else released


def _requester_moved(
    change: Change, incident: Incident, context: Context, inputs: dict[str, str | int]
) -> Decision:
    if incident.closed or not context.paid:
        return Decision(Kind.NOTHING, context.now, incident)
    finding = Finding(Rule.REQUESTER_MOVED, "the charge stays with who paid", inputs)
    owed = Owed(texts=(Text.RECEIPT_REQUESTER_MOVED,))
    return Decision(Kind.NOTED, change.at, incident, (finding,), owed)


def _left(
    change: Change, incident: Incident, context: Context, inputs: dict[str, str | int]
) -> Decision:
    """The account that the ticket leaves gets back what it paid for this incident, if anything."""
    clock = incident.clock and end_clock(incident.clock, change.at)
    left = replace(incident, closed=True, clock=clock)
    if not context.paid:
        finding = Finding(Rule.MOVED, "free there, the new account is gated", inputs)
        return Decision(Kind.MOVED, change.at, left, (finding,))
    finding = Finding(Rule.MOVED, "credited to the old account, the new one is gated", inputs)
    credited = replace(left, state=PointsState.CREDITED)
    owed = Owed(credit="moved to another account", shows=False)
    return Decision(Kind.MOVED, change.at, credited, (finding,), owed)


def _taken_over(
    change: Change, ticket: Ticket, incident: Incident, context: Context, there: Context
) -> Decision:
    """The new account's incident, gated unless it has paid for the issue; the clock goes on."""
    opened = replace(next_incident(change.at, incident), first_closed_at=incident.first_closed_at)
    decision = continued(change.at, ticket.created_at, opened, there)
    if decision:
        decision = replace(decision, owed=Owed(texts=(Text.RECEIPT_MOVED_FREE,)))
    else:
        receipt = Text.RECEIPT_MOVED if context.paid else Text.RECEIPT_ACCEPTED
        decision = gate(opened, there, (), receipt)
    if decision.kind is not Kind.HELD and incident.clock:
        return _clock_goes_on(decision, incident.clock, change.at)
    return decision


def _clock_goes_on(gated: Decision, clock: Clock, at: datetime) -> Decision:
    """The promise was made for the issue, so its clock goes on under the account that pays now."""
    assert gated.incident  # noqa: S101 - an accepted decision has one
    goes_on = replace(clock, cycle=1)
    found = Finding(Rule.CLOCK, "the clock goes on as it was", times(started_at=clock.started_at))
    kept = tuple(one for one in gated.findings if one.rule not in (Rule.CLOCK, Rule.PROMISE))
    return replace(
        gated, at=at, incident=replace(gated.incident, clock=goes_on), findings=(*kept, found)
    )

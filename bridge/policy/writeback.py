"""What may still be written when its turn comes, and how often fields are mended. Pure."""

from datetime import datetime, timedelta

from bridge.policy.decisions import DONE, Incident
from bridge.policy.gate import unpaid_answer
from bridge.policy.moves import has_moved
from bridge.policy.terms import Terms
from bridge.ticket import PointsState, Status, Ticket

#: Values that browsers put back are mended this often in `REPAIR_SPAN`, per ticket (rule 6.6).
MOST_REPAIRS = 3
REPAIR_SPAN = timedelta(hours=1)
#: What was read so long ago is read again before anybody is told anything; helpdesks tell of what
#: happens within seconds, if they do.
STALE_AFTER = timedelta(minutes=1)


def may_repair(repairs: int) -> bool:
    """Whether fields are mended once more: two forms must not make us write for ever.

    `repairs` of that ticket were owed within `REPAIR_SPAN`.
    """
    return repairs < MOST_REPAIRS


def keeps_status(status: Status, owed_in: PointsState, incident: Incident) -> bool:
    """Whether a status is still to be set that was owed when the incident was `owed_in`.

    A ticket that was closed since stays closed.
    """
    return incident.state is owed_in and (status is Status.CLOSED or not incident.closed)


def keeps_message(
    owed_in: PointsState, incident: Incident, *, same_account: bool, closes: bool = False
) -> bool:
    """Whether the requester is still to be told what was owed when the incident was `owed_in`.

    Not where the ticket has left the account since: the message names it, and its points. Nor that
    work begins, where somebody has answered or closed the ticket since: of a charged incident
    nothing else is told but a refusal, which `closes` it.
    """
    begins = owed_in is PointsState.CHARGED and not closes
    waits = incident.clock is not None and incident.clock.waiting and not incident.closed
    return incident.state is owed_in and same_account and (waits or not begins)


def is_stale(seen_at: datetime | None, now: datetime) -> bool:
    """Whether a ticket that was read at `seen_at` (UTC; None: not at all) is read once more."""
    return seen_at is None or now - seen_at > STALE_AFTER


def is_overtaken(ticket: Ticket, incident: Incident, terms: Terms, *, same_account: bool) -> bool:
    """Whether the ticket was closed, moved, or answered unpaid, since the incident was decided on.

    Nothing was heard of that yet: it is to be looked at before its status is set or anybody is
    told anything. `same_account`: the record that the ticket names is the incident's account's.
    """
    closed = ticket.status in DONE and not incident.closed
    answered = unpaid_answer(ticket, incident, terms) is not None
    return closed or answered or (has_moved(ticket, incident) and not same_account)

"""What an incident shows on its ticket. Pure."""

from enum import StrEnum

from bridge.policy.clock import Clock
from bridge.policy.decisions import NEVER_CHARGED, Incident, free_reopen_until
from bridge.policy.terms import Terms
from bridge.ticket import AccountFields, Fields, SlaState


class Summary(StrEnum):
    """The parts of the line that says it all, by the names of their templates.

    There is one for each `PointsState`, of the same name.
    """

    DUE = "summary_due"
    LATE = "summary_late"
    CHARGED = "summary_charged"
    AWAITING_POINTS = "summary_awaiting_points"
    FREE_REOPEN = "summary_free_reopen"
    CREDITED = "summary_credited"
    DECLINED = "summary_declined"
    REVIEW = "summary_review"


def ticket_fields(
    incident: Incident, charged: int, account: AccountFields, zone: str, terms: Terms
) -> Fields:
    """The fields of a ticket, but for its summary: `charged` in points, `zone` the account's.

    A clock that has ended, with an answer or without, shows its state, and no time (sla-spec, point
    11): so what shows a time waits for an answer.
    """
    paid = incident.state not in NEVER_CHARGED
    clock = incident.clock if paid else None
    awaited = awaited_clock(incident)
    free = incident.first_closed_at if paid else None
    return Fields(
        state=incident.state,
        charged=charged,
        balance=account.balance,
        next_expiry=account.next_expiry,
        response_due=awaited.due_at if awaited else None,
        sla=clock.result if clock else None,
        free_reopen_until=free_reopen_until(free, zone, terms) if free else None,
        zone=zone,
    )


def awaited_clock(incident: Incident) -> Clock | None:
    """The clock of an answer that is still owed, late or not."""
    clock = incident.clock
    if incident.state in NEVER_CHARGED or clock is None or clock.result is None:
        return None
    return clock if clock.waiting else None


def summary_parts(incident: Incident) -> tuple[Summary, ...]:
    """What the summary is made of, the most urgent first: forms cut off the end of a line."""
    state, clock = Summary[incident.state.name], awaited_clock(incident)
    if clock is None:
        return (state,)
    return (Summary.LATE if clock.result is SlaState.BREACHED else Summary.DUE, state)

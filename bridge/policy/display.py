"""What an incident shows on its ticket. Pure."""

from bridge.policy.decisions import NEVER_CHARGED, Incident, free_reopen_until
from bridge.policy.terms import Terms
from bridge.ticket import AccountFields, Fields, SlaState


def ticket_fields(
    incident: Incident, charged: int, account: AccountFields, zone: str, terms: Terms
) -> Fields:
    """The fields of a ticket: `charged` in points, `zone` the account's.

    A clock that has ended without an answer shows its state, and no time (sla-spec, point 11).
    """
    paid = incident.state not in NEVER_CHARGED
    clock = incident.clock if paid else None
    promised = clock is not None and clock.result not in (None, SlaState.ENDED)
    free = incident.first_closed_at if paid else None
    return Fields(
        state=incident.state,
        charged=charged,
        balance=account.balance,
        next_expiry=account.next_expiry,
        response_due=clock.due_at if clock and promised else None,
        sla=clock.result if clock else None,
        free_reopen_until=free_reopen_until(free, zone, terms) if free else None,
    )

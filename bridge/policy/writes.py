"""What may still be written when its turn comes, and how often fields are mended. Pure."""

from datetime import timedelta

from bridge.policy.decisions import Incident
from bridge.ticket import PointsState, Status

#: Values that browsers put back are mended this often in `REPAIR_SPAN`, per ticket (rule 6.6).
MOST_REPAIRS = 3
REPAIR_SPAN = timedelta(hours=1)


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


def keeps_message(owed_in: PointsState, incident: Incident, *, same_account: bool) -> bool:
    """Whether the requester is still to be told what was owed when the incident was `owed_in`.

    Not where the ticket has left the account since: the message names it, and its points.
    """
    return incident.state is owed_in and same_account

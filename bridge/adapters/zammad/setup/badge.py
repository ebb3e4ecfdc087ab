"""Whether Zammad's escalation badge says what the bridge has promised.

Zammad counts from a ticket's creation, and computes anew when the ticket is saved. So the two can
differ without a fault; which of the reasons it is shows in the ticket.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from pydantic import AwareDatetime, BaseModel

from bridge.adapters.provisioning import Problem, Promise, Severity
from bridge.adapters.resources import permission_lacking
from bridge.adapters.zammad.setup.admin import ZammadAdmin
from bridge.adapters.zammad.setup.layout import NATIVE_PREFIX
from bridge.adapters.zammad.ticket import checked
from bridge.errors import HelpdeskRefused

_TOLERANCE = timedelta(minutes=1)
_OUT_OF_SIGHT = frozenset({403, 404})

_GO_BY_THE_FIELD = "go by the field points_response_due there: Zammad's own time cannot be moved"
_NARROW = "narrow that SLA's condition, if this ticket is not meant by it"
_ELSEWHERE = (
    "Zammad counts in other hours or holidays, or leaves out a time in which the ticket was pending"
)


class _Ticket(BaseModel):
    created_at: AwareDatetime
    first_response_escalation_at: AwareDatetime | None = None
    preferences: Mapping[str, Any] | None = None

    @property
    def sla_id(self) -> object:
        """The SLA that Zammad counts by."""
        inputs = (self.preferences or {}).get("escalation_calculation")
        return inputs.get("sla_id") if isinstance(inputs, dict) else None


def mismatches(
    helpdesk: str, agent: ZammadAdmin, admin: ZammadAdmin, promises: Iterable[Promise]
) -> list[Problem]:
    """Where Zammad shows another time than the bridge has promised. One call for each promise.

    Zammad shows none on a ticket that is answered, pending or closed: nothing is said of those, nor
    of a ticket that is gone or that the bridge no longer sees.

    Args:
        helpdesk: its name in the settings.
        agent: calls as the bridge itself.
        admin: calls that may list SLAs; if they may not, no SLA is named.
        promises: those to compare.

    Raises:
        HelpdeskRefused: an answer makes no sense.
        HelpdeskUnavailable: try again later.
    """
    found = [(one, _ticket(agent, one)) for one in promises]
    differing = [(one, ticket) for one, ticket in found if ticket and _differs(one, ticket)]
    names = _sla_names(admin) if differing else {}
    return [_mismatch(helpdesk, *one, names.get(one[1].sla_id)) for one in differing]


def _ticket(agent: ZammadAdmin, promise: Promise) -> _Ticket | None:
    try:
        return checked(_Ticket, agent.get(f"tickets/{promise.ticket_id}"))
    except HelpdeskRefused as error:
        if error.status in _OUT_OF_SIGHT:
            return None
        raise


def _sla_names(admin: ZammadAdmin) -> Mapping[object, str]:
    try:
        return {row["id"]: str(row.get("name")) for row in admin.rows("slas")}
    except HelpdeskRefused as error:
        if permission_lacking(error):
            return {}
        raise


def _differs(promise: Promise, ticket: _Ticket) -> bool:
    theirs = ticket.first_response_escalation_at
    return theirs is not None and abs(theirs - promise.due_at) > _TOLERANCE


def _mismatch(helpdesk: str, promise: Promise, ticket: _Ticket, sla: str | None) -> Problem:
    anew = (
        f"run `points-bridge setup {helpdesk}`; if the account has a zone or country of its own,"
        " write it into its organisation; then save the ticket once more"
    )
    if promise.started_at - ticket.created_at > _TOLERANCE:
        since = f"{promise.started_at:%Y-%m-%d %H:%M}Z"
        cause = (
            f"Zammad counts from its creation, the bridge from its release or re-opening {since}"
        )
        remedy = _GO_BY_THE_FIELD
    elif sla is not None and not sla.startswith(NATIVE_PREFIX):
        cause, remedy = f"the SLA {sla} counts in place of ours", _NARROW
    else:
        cause, remedy = _ELSEWHERE, anew
    what = (
        f"ticket {promise.number}: due {ticket.first_response_escalation_at:%Y-%m-%d %H:%M}Z by"
        f" Zammad's SLA, {promise.due_at:%Y-%m-%d %H:%M}Z by the bridge: {cause}"
    )
    return Problem(Severity.WARNING, "first response", what, remedy)

"""An issue that comes back: free where the account has paid for it, else a new incident. Pure."""

from dataclasses import replace
from datetime import datetime

from bridge.policy.clock import clock_findings, start_clock
from bridge.policy.decisions import (
    Context,
    Decision,
    Findings,
    Incident,
    Kind,
    free_reopen_until,
    times,
    was_never_paid,
)
from bridge.policy.gate import cycle_after, gate
from bridge.policy.owed import Owed, Text
from bridge.policy.rules import Finding, Rule
from bridge.policy.zones import local_date
from bridge.ticket import PointsState, Status


def taken_up(
    at: datetime, incident: Incident, instead: Incident, context: Context, findings: Findings
) -> Decision:
    """A charged issue that comes back: free within the window, else `instead` is gated, or no."""
    free, inputs = _within_window(at, incident, context)
    if free:
        finding = Finding(Rule.REOPEN, "re-opened for free, with a new clock", inputs)
        return reopened_free(at, incident, context, (*findings, finding))
    if context.terms.late_reopen == "refuse":
        finding = Finding(Rule.REOPEN_LATE, "refused: closed again", inputs)
        own = instead.number > incident.number
        refused = incident if own else replace(instead, state=PointsState.DECLINED)
        owed = Owed(texts=(Text.REPLY_REFUSED,), status=Status.CLOSED)
        return Decision(Kind.REFUSED, at, replace(refused, closed=True), (*findings, finding), owed)
    finding = Finding(Rule.REOPEN_LATE, "gated as a new incident", inputs)
    return gated_anew(instead, context, (*findings, finding), Text.RECEIPT_REOPENED_LATE)


def gated_anew(
    incident: Incident,
    context: Context,
    findings: Findings,
    receipt: Text = Text.RECEIPT_ACCEPTED,
) -> Decision:
    """A new incident is paid by the account that the ticket belongs to now, whoever paid before."""
    there, at = context.elsewhere, incident.opened_at
    decision = continued(at, at, incident, there or context, findings)
    if decision is None:
        decision = gate(incident, there or context, findings, receipt)
    return replace(decision, leaves=there is not None)


def continued(
    at: datetime, asked_at: datetime, incident: Incident, context: Context, findings: Findings = ()
) -> Decision | None:
    """The incident taken up for free where it continues one that this account has paid for.

    None where it is to be paid: it continues nothing, nothing that was paid, or was asked for
    (`asked_at`) outside the window. The clock starts at `at`.
    """
    paid = paid_already(incident, context)
    if paid is None:
        return None
    free, inputs = _within_window(asked_at, paid, context)
    if not free:
        return None
    finding = Finding(Rule.REOPEN, "the account has paid for it already: free", inputs)
    return reopened_free(at, paid, context, (*findings, finding))


def paid_already(incident: Incident, context: Context) -> Incident | None:
    """The incident as charged with the one that it continues; None where that was never paid."""
    before = context.continues
    if before is None or was_never_paid(before):
        return None
    return replace(incident, state=PointsState.CHARGED, first_closed_at=before.first_closed_at)


def _within_window(
    at: datetime, incident: Incident, context: Context
) -> tuple[bool, dict[str, str | int]]:
    """Whether a re-open is free at that instant, and what says so."""
    zone = context.calendar.zone
    until = free_reopen_until(incident.first_closed_at or at, zone, context.terms)
    inputs = {**times(reopened_at=at), "free_until": until.isoformat()}
    return local_date(at, zone) <= until, inputs


def reopened_free(
    at: datetime, incident: Incident, context: Context, findings: Findings
) -> Decision:
    """Work goes on without a charge, with a clock that starts at `at`."""
    clock = start_clock(at, cycle_after(incident), context.calendar, context.terms)
    charged = incident.state is PointsState.CHARGED
    state = PointsState.FREE_REOPEN if charged else incident.state
    reopened = replace(incident, state=state, clock=clock)
    found = (*findings, *clock_findings(clock, context.calendar))
    owed = Owed(texts=(Text.RECEIPT_REOPENED,))
    return Decision(Kind.REOPENED, at, reopened, found, owed)

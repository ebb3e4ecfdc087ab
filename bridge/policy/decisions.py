"""The values of a decision: what there was, what it rests on, what it says. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

from bridge.policy.clock import Clock
from bridge.policy.hours import Calendar
from bridge.policy.owed import NOTHING, Owed
from bridge.policy.points import Lot
from bridge.policy.rules import Finding, stamp
from bridge.policy.terms import Terms
from bridge.policy.zones import local_date
from bridge.ticket import PointsState, Status

Findings = tuple[Finding, ...]

ENDED = frozenset({Status.MERGED, Status.REMOVED})
#: Nobody works on it.
DONE = ENDED | {Status.CLOSED}
NEVER_CHARGED = frozenset({PointsState.AWAITING_POINTS, PointsState.DECLINED})
#: What one save does, a helpdesk notes within so much time, and in any order.
AT_ONCE = timedelta(seconds=5)


class Kind(StrEnum):
    """What a decision says."""

    NOTHING = "nothing"
    ACCEPTED = "accepted"
    HELD = "held"
    RELEASED = "released"
    PUT_BACK = "put_back"
    DECLINED = "declined"
    RESPONDED = "responded"
    CLOSED = "closed"
    MERGED = "merged"
    REOPENED = "reopened"
    REFUSED = "refused"
    MOVED = "moved"
    NOTED = "noted"
    FLAGGED = "flagged"


@dataclass(frozen=True, slots=True)
class Incident:
    """One issue, one ticket: an incident as it is stored. Instants are UTC.

    `number` counts the incidents on one ticket (a late re-open makes a second one, and so does a
    move to another account). `customer_ref` is the helpdesk's customer record that it came from, ""
    where nobody knows. `closed` means nobody works on it: closed, merged or removed. `seen` is the
    last `Change.seq` that was taken into account, `close_hint` the helpdesk's closing stamp then.
    """

    state: PointsState
    opened_at: datetime
    number: int = 1
    customer_ref: str = ""
    held_at: datetime | None = None
    clock: Clock | None = None
    closed: bool = False
    first_closed_at: datetime | None = None
    seen: int = 0
    close_hint: datetime | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What happened, when it takes effect, which rules said so, and the incident as it then stands.

    `owed` is everything that follows from it. `incident` is None where there is none to keep.
    `leaves`: the incident belongs to the account of `Context.elsewhere` from now on. `then` is
    the decision that is made with it, in the same transaction, about the issue's next incident.
    """

    kind: Kind
    at: datetime
    incident: Incident | None
    findings: Findings = ()
    owed: Owed = NOTHING
    leaves: bool = False
    then: "Decision | None" = None


@dataclass(frozen=True, slots=True)
class Statuses:
    """What a helpdesk's tickets are set to; None leaves a ticket as it is."""

    held: Status | None = None
    declined: Status | None = Status.CLOSED


@dataclass(frozen=True, slots=True)
class Context:
    """What a decision rests on besides the ticket: terms, the account's points and calendar, now.

    `in_service_since` is when the bridge took up this helpdesk; older tickets are left alone.
    `continues` is the incident that a follow-up ticket takes up again, where the helpdesk closes
    tickets for good; None for any other ticket. `elsewhere` is the same for the account that the
    ticket belongs to now, where that is another one than the incident's. `paid`: the stored
    incident has a charge of its own; a follow-up that is free has none. `announces_release`: the
    requester of a held ticket is told that work begins.
    """

    terms: Terms
    lots: Sequence[Lot]
    calendar: Calendar
    now: datetime
    in_service_since: datetime
    continues: Incident | None = None
    statuses: Statuses = field(default_factory=Statuses)
    account: str = ""
    elsewhere: "Context | None" = None
    paid: bool = True
    announces_release: bool = True


def free_reopen_until(first_closed_at: datetime, zone: str, terms: Terms) -> date:
    """The last local day on which a re-open is free: the 90th after the first closure."""
    return local_date(first_closed_at, zone) + timedelta(days=terms.reopen_days)


def next_incident(at: datetime, incident: Incident) -> Incident:
    """The incident after this one on the same ticket: what came before it is seen."""
    return Incident(
        PointsState.AWAITING_POINTS,
        opened_at=at,
        number=incident.number + 1,
        customer_ref=incident.customer_ref,
        seen=incident.seen,
        close_hint=incident.close_hint,
    )


def is_unpaid_work(incident: Incident) -> bool:
    """Whether an agent answered it while it waited for points: none were taken, no clock ran."""
    return incident.state is PointsState.REVIEW and incident.clock is None


def was_never_paid(incident: Incident) -> bool:
    """Whether nothing was ever charged for the incident, so that nothing of it is free."""
    return incident.state in NEVER_CHARGED or is_unpaid_work(incident)


def was_held(incident: Incident, at: datetime) -> bool:
    """Whether an incident that was released, and not answered since, waited for points then."""
    clock = incident.clock
    if incident.held_at is None or clock is None:
        return False
    return clock.waiting and at < clock.started_at


def times(**instants: datetime) -> dict[str, str | int]:
    """Instants as inputs of a finding."""
    return {name: stamp(at) for name, at in instants.items()}

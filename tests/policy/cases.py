"""Tickets, accounts and changes for the tests of the policy, and how a ticket is settled."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bridge.policy.calendars import build_calendar
from bridge.policy.clock import Clock
from bridge.policy.decisions import Context, Decision, Incident, Kind
from bridge.policy.incidents import decide
from bridge.policy.points import Lot
from bridge.policy.terms import Terms
from bridge.ticket import (
    Actor,
    Answer,
    Change,
    Channel,
    Customer,
    OrganizationChange,
    Requester,
    Status,
    StatusChange,
    Ticket,
)

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
TERMS = Terms()
#: A Monday, 10:00 in Berlin.
OPENED = datetime(2026, 11, 23, 9, tzinfo=UTC)
BERLIN = build_calendar("Europe/Berlin", "DE")


def lot(remaining: int = 10, *, start: datetime = OPENED - DAY, days: int = 365) -> Lot:
    return Lot(1, remaining, start.date(), start, start + days * DAY)


def context(
    now: datetime = OPENED + HOUR, lots: Sequence[Lot] = (lot(100),), terms: Terms = TERMS
) -> Context:
    return Context(terms, lots, BERLIN, now, in_service_since=OPENED - 30 * DAY)


def ticket(status: Status = Status.OPEN, *answered: datetime, of: str = "organization:2") -> Ticket:
    return Ticket(
        id="5",
        number="55005",
        status=status,
        created_at=OPENED,
        updated_at=OPENED,
        channel=Channel.EMAIL,
        opened_by_agent=False,
        customer=Customer(of, "Acme GmbH" if of == "organization:2" else "Beta Ltd"),
        requester=Requester("Carla Customer", "carla@acme.example"),
        answers=tuple(Answer(at, "agent 5") for at in answered),
    )


def history(*changes: tuple[datetime, Status]) -> tuple[StatusChange, ...]:
    """State changes at those instants, from open."""
    before = [Status.OPEN, *(status for _, status in changes)]
    return tuple(
        StatusChange(n, at, Actor.AGENT, "5", before[n - 1], after)
        for n, (at, after) in enumerate(changes, start=1)
    )


def moved_by(actor: Actor, at: datetime = OPENED + HOUR, seq: int = 50) -> OrganizationChange:
    """The ticket came from Acme's record to Beta's."""
    return OrganizationChange(seq, at, actor, "5", "2", "3")


def at_beta(now: datetime = OPENED + 2 * HOUR, *lots: Lot, acme: Sequence[Lot] = ()) -> Context:
    """What Acme has, and besides it what Beta has, whose ticket it is now."""
    here = replace(context(now, acme), account="Acme GmbH")
    return replace(here, elsewhere=replace(context(now, lots), account="Beta Ltd"))


def settle(
    seen: Ticket,
    changes: Sequence[Change] | None = None,
    incident: Incident | None = None,
    rules: Context | None = None,
) -> list[Decision]:
    """Everything that `decide` says, one after the other, until there is nothing left."""
    decisions: list[Decision] = []
    while True:
        decision = decide(seen, incident, changes, rules or context())
        if decision.kind is Kind.NOTHING:
            return decisions
        decisions += [decision, *([decision.then] if decision.then else [])]
        incident = decisions[-1].incident


def after(decisions: Sequence[Decision]) -> Incident:
    incident = decisions[-1].incident
    assert incident
    return incident


def clock_after(decisions: Sequence[Decision]) -> Clock:
    clock = after(decisions).clock
    assert clock
    return clock


def kinds(decisions: Sequence[Decision]) -> list[Kind]:
    return [decision.kind for decision in decisions]


def accepted() -> Incident:
    return after(settle(ticket()))


def closed_at(at: datetime) -> Incident:
    return after(settle(ticket(Status.CLOSED), history((at, Status.CLOSED))))

"""Incidents as they are stored: their clocks, and the record of every decision about them."""

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, func, insert, select, update

from bridge.database.schema import clocks, decisions, incidents
from bridge.policy.clock import Clock
from bridge.policy.decisions import Decision, Incident
from bridge.ticket import PointsState, SlaState

_VOID = "void"


@dataclass(frozen=True, slots=True)
class Stored:
    """An incident, and whose it is. `id` is 0 until it is stored."""

    id: int
    helpdesk: str
    ticket_id: str
    ticket_number: str
    account_id: int
    incident: Incident


@dataclass(frozen=True, slots=True)
class PastDecision:
    """A decision as it was recorded; `findings` are plain values."""

    id: int
    number: int
    kind: str
    at: datetime
    decided_at: datetime
    delivery: str | None
    findings: list[dict[str, Any]]


def newest(conn: Connection, helpdesk: str, ticket_id: str) -> Stored | None:
    """The last incident on a ticket, or None."""
    query = (
        _incidents()
        .where(incidents.c.helpdesk == helpdesk, incidents.c.ticket_id == ticket_id)
        .order_by(incidents.c.number.desc())
        .limit(1)
    )
    row = conn.execute(query).one_or_none()
    return _stored(row) if row else None


def waiting_in(conn: Connection, helpdesk: str) -> int:
    """How many incidents of a helpdesk wait for points."""
    held = incidents.c.state == PointsState.AWAITING_POINTS
    query = select(func.count()).where(incidents.c.helpdesk == helpdesk, held)
    return conn.scalars(query).one()


def numbered(conn: Connection, helpdesk: str, number: str) -> list[str]:
    """The ids of the tickets that people know by a number; a helpdesk gives it once."""
    query = select(incidents.c.ticket_id).where(
        incidents.c.helpdesk == helpdesk, incidents.c.ticket_number == number
    )
    return list(conn.scalars(query.distinct()))


def known(conn: Connection, helpdesk: str, ticket_ids: Collection[str]) -> set[str]:
    """Those of some tickets on which there is an incident."""
    query = select(incidents.c.ticket_id).where(
        incidents.c.helpdesk == helpdesk, incidents.c.ticket_id.in_(ticket_ids)
    )
    return set(conn.scalars(query))


def by_id(conn: Connection, incident_id: int) -> Stored:
    """One incident."""
    return _stored(conn.execute(_incidents().where(incidents.c.id == incident_id)).one())


def held(conn: Connection, account_id: int | None = None) -> list[Stored]:
    """Incidents that wait for points, oldest ticket first: of one account, or of all."""
    query = _incidents().where(incidents.c.state == PointsState.AWAITING_POINTS.value)
    if account_id is not None:
        query = query.where(incidents.c.account_id == account_id)
    rows = conn.execute(query.order_by(incidents.c.opened_at, incidents.c.id))
    return [_stored(row) for row in rows]


def waiting(conn: Connection, now: datetime) -> list[Stored]:
    """Incidents whose unanswered clock has reached its warning, so that its result may change."""
    query = _incidents().where(
        clocks.c.result.in_([SlaState.RUNNING.value, SlaState.AT_RISK.value]),
        clocks.c.responded_at.is_(None),
        clocks.c.ended_at.is_(None),
        clocks.c.at_risk_at <= now,
    )
    return [_stored(row) for row in conn.execute(query.order_by(clocks.c.due_at))]


def promised(conn: Connection, helpdesk: str, limit: int) -> list[Stored]:
    """Incidents of a helpdesk whose first-response clock runs, the newest `limit`, newest first."""
    query = _incidents().where(
        incidents.c.helpdesk == helpdesk,
        incidents.c.closed == 0,
        clocks.c.result.in_([SlaState.RUNNING.value, SlaState.AT_RISK.value]),
        clocks.c.responded_at.is_(None),
        clocks.c.ended_at.is_(None),
    )
    rows = conn.execute(query.order_by(incidents.c.id.desc()).limit(limit))
    return [_stored(row) for row in rows]


def reminded_day(conn: Connection, incident_id: int) -> int:
    """The day of the last reminder that was written for a held incident; 0 for none."""
    query = select(incidents.c.reminded_day).where(incidents.c.id == incident_id)
    return int(conn.execute(query).scalar_one())


def set_reminded(conn: Connection, incident_id: int, day: int) -> None:
    """Note that the reminder of that day is on its way."""
    conn.execute(update(incidents).where(incidents.c.id == incident_id).values(reminded_day=day))


def add(conn: Connection, stored: Stored) -> Stored:
    """A new incident; `stored.id` is ignored and given anew."""
    row = {
        "helpdesk": stored.helpdesk,
        "ticket_id": stored.ticket_id,
        "number": stored.incident.number,
        "ticket_number": stored.ticket_number,
        "account_id": stored.account_id,
        "opened_at": stored.incident.opened_at,
    }
    result = conn.execute(
        insert(incidents).values(**row, **_columns(stored.incident)).returning(incidents.c.id)
    )
    return replace(stored, id=int(result.scalar_one()))


def save(conn: Connection, stored: Stored, clock_inputs: dict[str, Any] | None = None) -> None:
    """Keep an incident as it now stands; a clock that is new is stored with its inputs."""
    values = {"account_id": stored.account_id, **_columns(stored.incident)}
    conn.execute(update(incidents).where(incidents.c.id == stored.id).values(**values))
    if stored.incident.clock:
        _save_clock(conn, stored.id, stored.incident.clock, clock_inputs or {})


def record(
    conn: Connection, incident_id: int, decision: Decision, now: datetime, delivery: str | None
) -> int:
    """Append a decision to the record, with the rules it followed. Returns its id."""
    row = {
        "incident_id": incident_id,
        "kind": decision.kind.value,
        "at": decision.at,
        "decided_at": now,
        "delivery": delivery,
        "findings": [
            asdict(finding) | {"rule": finding.rule.value} for finding in decision.findings
        ],
    }
    result = conn.execute(insert(decisions).values(**row).returning(decisions.c.id))
    return int(result.scalar_one())


def on_ticket(conn: Connection, helpdesk: str, ticket_id: str) -> list[Stored]:
    """Every incident on a ticket, first to last."""
    query = _incidents().where(incidents.c.helpdesk == helpdesk, incidents.c.ticket_id == ticket_id)
    return [_stored(row) for row in conn.execute(query.order_by(incidents.c.number))]


def past_decisions(conn: Connection, incident_ids: Iterable[int]) -> list[PastDecision]:
    """The decisions about some incidents, in the order in which they were made."""
    query = (
        select(decisions, incidents.c.number)
        .join(incidents, incidents.c.id == decisions.c.incident_id)
        .where(decisions.c.incident_id.in_(list(incident_ids)))
        .order_by(decisions.c.id)
    )
    return [
        PastDecision(r.id, r.number, r.kind, r.at, r.decided_at, r.delivery, r.findings)
        for r in conn.execute(query)
    ]


def past_clocks(conn: Connection, incident_id: int) -> list[Row[Any]]:
    """Every clock of an incident, first to last, with the inputs of its due time."""
    query = select(clocks).where(clocks.c.incident_id == incident_id).order_by(clocks.c.cycle)
    return list(conn.execute(query))


def _save_clock(conn: Connection, incident_id: int, clock: Clock, inputs: dict[str, Any]) -> None:
    outcome = {
        "result": clock.result.value if clock.result else _VOID,
        "responded_at": clock.responded_at,
        "elapsed_s": clock.elapsed,
        "ended_at": clock.ended_at,
    }
    mine = and_(clocks.c.incident_id == incident_id, clocks.c.cycle == clock.cycle)
    if conn.execute(update(clocks).where(mine).values(**outcome)).rowcount:
        return
    _retire_clocks(conn, incident_id, clock.started_at)
    conn.execute(
        insert(clocks).values(
            incident_id=incident_id,
            cycle=clock.cycle,
            started_at=clock.started_at,
            target_s=clock.target,
            at_risk_at=clock.at_risk_at,
            due_at=clock.due_at,
            by_close=clock.by_close,
            inputs=inputs,
            **outcome,
        )
    )


def _retire_clocks(conn: Connection, incident_id: int, at: datetime) -> None:
    """A clock that nobody answered ends when the next one starts: late, or without a result."""
    unanswered = and_(
        clocks.c.incident_id == incident_id,
        clocks.c.result.in_([SlaState.RUNNING.value, SlaState.AT_RISK.value]),
    )
    late = and_(unanswered, clocks.c.due_at < at)
    conn.execute(update(clocks).where(late).values(result=SlaState.BREACHED.value))
    conn.execute(update(clocks).where(unanswered).values(result=_VOID))


def _incidents() -> Select[Any]:
    """Incidents with their latest clock."""
    later = clocks.alias("later")
    newer = (
        select(later.c.id)
        .where(later.c.incident_id == clocks.c.incident_id, later.c.cycle > clocks.c.cycle)
        .exists()
    )
    latest = and_(clocks.c.incident_id == incidents.c.id, ~newer)
    columns = [column for column in clocks.c if column.name not in ("id", "incident_id", "inputs")]
    return select(incidents, *columns).select_from(incidents).join(clocks, latest, isouter=True)


def _columns(incident: Incident) -> dict[str, Any]:
    return {
        "state": incident.state.value,
        "customer_ref": incident.customer_ref or None,
        "held_at": incident.held_at,
        "closed": int(incident.closed),
        "first_closed_at": incident.first_closed_at,
        "seen": incident.seen,
        "close_hint": incident.close_hint,
    }


def _stored(row: Row[Any]) -> Stored:
    incident = Incident(
        state=PointsState(row.state),
        opened_at=row.opened_at,
        number=row.number,
        customer_ref=row.customer_ref or "",
        held_at=row.held_at,
        clock=_clock(row) if row.cycle is not None else None,
        closed=bool(row.closed),
        first_closed_at=row.first_closed_at,
        seen=row.seen,
        close_hint=row.close_hint,
    )
    return Stored(
        row.id,
        row.helpdesk,
        row.ticket_id,
        row.ticket_number,
        row.account_id,
        incident,
    )


def _clock(row: Row[Any]) -> Clock:
    return Clock(
        cycle=row.cycle,
        started_at=row.started_at,
        target=row.target_s,
        at_risk_at=row.at_risk_at,
        due_at=row.due_at,
        by_close=row.by_close,
        result=None if row.result == _VOID else SlaState(row.result),
        responded_at=row.responded_at,
        elapsed=row.elapsed_s,
        ended_at=row.ended_at,
    )

"""The outbox: what helpdesks are owed. Each row has a kind, and a payload of that kind's type.

A row's key makes it exactly-once: owing it again changes nothing. Each row is about one ticket;
those about the same one are carried out one at a time and in order.
"""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import Connection, Row, and_, func, or_, select

from bridge.database.schema import outbox
from bridge.database.upsert import insert
from bridge.queues.rows import DEAD, QUEUED, claim
from bridge.ticket import Note, Status


@dataclass(frozen=True, slots=True)
class TicketWrite:
    """A ticket's fields, and what goes with them in the same call.

    `state` and `account_id` are the incident's when this was owed: what has become wrong since does
    not go out. `account_id` None: it was owed before that was noted. `seen_at` (UTC) is when the
    ticket was read that this was decided on; None: it was decided without a look.
    """

    kind: ClassVar[str] = "ticket"

    incident_id: int
    state: str
    status: Status | None = None
    pending_until: datetime | None = None
    note: Note | None = None
    account_id: int | None = None
    seen_at: datetime | None = None

    @property
    def silent(self) -> bool:
        """Whether it shows fields and nothing else."""
        return self.status is None and self.note is None

    def as_json(self) -> dict[str, Any]:
        """The payload as it is stored; what is not there is left out."""
        until, seen_at = self.pending_until, self.seen_at
        values = {
            "state": self.state,
            "status": self.status and self.status.value,
            "pending_until": until and until.isoformat(),
            "note": asdict(self.note) if self.note else None,
            "account": self.account_id,
            "seen_at": seen_at and seen_at.isoformat(),
        }
        return {name: value for name, value in values.items() if value is not None}

    @classmethod
    def from_row(cls, row: Row[Any]) -> "TicketWrite":
        """The payload as it was stored."""
        stored = row.payload
        status, until, note = (stored.get(name) for name in ("status", "pending_until", "note"))
        seen_at = stored.get("seen_at")
        return cls(
            incident_id=row.incident_id,
            state=stored["state"],
            status=Status(status) if status else None,
            pending_until=datetime.fromisoformat(until) if until else None,
            note=Note(**note) if note else None,
            account_id=stored.get("account"),
            seen_at=datetime.fromisoformat(seen_at) if seen_at else None,
        )


@dataclass(frozen=True, slots=True)
class FieldRepair:
    """A ticket's fields alone: somebody, or somebody's browser, put other values into them."""

    kind: ClassVar[str] = "repair"
    silent: ClassVar[bool] = True

    incident_id: int

    def as_json(self) -> dict[str, Any]:
        """Nothing but its incident, which has a column of its own."""
        return {}

    @classmethod
    def from_row(cls, row: Row[Any]) -> "FieldRepair":
        """The payload as it was stored."""
        return cls(row.incident_id)


Payload = TicketWrite | FieldRepair
_KINDS: dict[str, type[TicketWrite] | type[FieldRepair]] = {
    kind.kind: kind for kind in (TicketWrite, FieldRepair)
}


@dataclass(frozen=True, slots=True)
class Leased:
    """A row that is to be carried out. `attempts` counts this one."""

    id: int
    helpdesk: str
    ticket_id: str
    payload: Payload
    attempts: int


def owe(
    conn: Connection,
    *,
    helpdesk: str,
    ticket_id: str,
    key: str,
    payload: Payload,
    now: datetime,
) -> None:
    """Owe a helpdesk something. Repeating it with the same key changes nothing."""
    row = {
        "helpdesk": helpdesk,
        "ticket_id": ticket_id,
        "incident_id": payload.incident_id,
        "kind": payload.kind,
        "dedupe_key": key,
        "payload": payload.as_json(),
        "created_at": now,
        "state": QUEUED,
        "next_at": now,
    }
    conn.execute(
        insert(conn, outbox).values(**row).on_conflict_do_nothing(index_elements=["dedupe_key"])
    )


def claim_next(conn: Connection, now: datetime) -> Leased | None:
    """Lease the next row that is due: the oldest one of its ticket. None: there is none."""
    rows = claim(conn, "outbox", now, whole_ticket=False)
    if not rows:
        return None
    row = rows[0]
    return Leased(row.id, row.helpdesk, row.ticket_id, _payload(row), row.attempts)


def behind(conn: Connection, leased: Leased) -> dict[int, Payload]:
    """What else is owed to the same ticket and waits for its turn, by its id."""
    mine = and_(outbox.c.helpdesk == leased.helpdesk, outbox.c.ticket_id == leased.ticket_id)
    later = and_(mine, outbox.c.state == QUEUED, outbox.c.id > leased.id)
    found = conn.execute(select(outbox).where(later).order_by(outbox.c.id)).all()
    return {row.id: _payload(row) for row in found}


def _payload(row: Row[Any]) -> Payload:
    return _KINDS[row.kind].from_row(row)


def is_unwritten(conn: Connection, helpdesk: str, ticket_id: str, seen_at: datetime) -> bool:
    """Whether a write may not have been there when the ticket was read at `seen_at` (UTC).

    It is queued, was written since, or is a dead letter, which is an admin's to replay.
    """
    waiting = or_(outbox.c.state.in_([QUEUED, DEAD]), outbox.c.finished_at > seen_at)
    mine = and_(outbox.c.helpdesk == helpdesk, outbox.c.ticket_id == ticket_id)
    return conn.scalar(select(outbox.c.id).where(mine, waiting).limit(1)) is not None


def repairs_since(conn: Connection, helpdesk: str, ticket_id: str, since: datetime) -> int:
    """How often that ticket's fields were repaired since then."""
    mine = select(func.count()).where(
        outbox.c.helpdesk == helpdesk,
        outbox.c.ticket_id == ticket_id,
        outbox.c.kind == FieldRepair.kind,
        outbox.c.created_at >= since,
    )
    return int(conn.execute(mine).scalar_one())

"""The tables. SQL is the truth: what must never happen is refused here, not merely avoided.

Points are integers. Instants are UTC. `guards.py` holds the triggers that make `INSERT INTO
entries` the only way to move a point.
"""

import json
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Dialect,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)

_FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"


class Instant(TypeDecorator[datetime]):
    """An aware UTC instant: `timestamptz`, or in SQLite text of fixed width that sorts by time."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """Native where the database knows zones."""
        sqlite = dialect.name == "sqlite"
        return dialect.type_descriptor(Text() if sqlite else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Refuse naive values: they would be stored as if they were UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive instant {value!r}: give it a zone")
        value = value.astimezone(UTC)
        return value.strftime(_FORMAT) if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Always aware UTC."""
        if value is None:
            return None
        if dialect.name == "sqlite":
            return datetime.strptime(value, _FORMAT).replace(tzinfo=UTC)
        stored: datetime = value
        return stored.astimezone(UTC)


class Day(TypeDecorator[date]):
    """A calendar date: ISO 8601 text in SQLite, whose STRICT tables know no DATE."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """Native where STRICT does not forbid it."""
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else Date())

    def process_bind_param(self, value: date | None, dialect: Dialect) -> Any:
        """As ISO 8601 where it is text."""
        return value.isoformat() if value and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> date | None:
        """A `date`."""
        return date.fromisoformat(value) if value and dialect.name == "sqlite" else value


class Json(TypeDecorator[Any]):
    """A JSON document, kept as the text that was written and never queried into. None is NULL."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, _dialect: Dialect) -> str | None:
        """Compact, keys in order; nothing is NULL."""
        return None if value is None else json.dumps(value, sort_keys=True, separators=(",", ":"))

    def process_result_value(self, value: Any, _dialect: Dialect) -> Any:
        """What was written."""
        return None if value is None else json.loads(value)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_ID = BigInteger().with_variant(Integer, "sqlite")


def _table(name: str, *parts: Any) -> Table:
    # STRICT: without it SQLite would store the text 'ten' in a column of points.
    return Table(name, metadata, *parts, sqlite_strict=True, sqlite_autoincrement=False)


def _text(name: str, *parts: Any, **options: Any) -> Column[Any]:
    return Column(name, Text, *parts, **options)


def _partial(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    clause = text(where)
    return Index(name, *columns, unique=unique, sqlite_where=clause, postgresql_where=clause)


helpdesks = _table(
    "helpdesks",
    _text("name", primary_key=True),
    Column("first_seen_at", Instant, nullable=False),
)

accounts = _table(
    "accounts",
    Column("id", _ID, primary_key=True),
    _text("ref", nullable=False, unique=True),
    _text("name", nullable=False),
    _text("zone"),
    _text("country"),
    _text("subdivision"),
    Column("balance", Integer, nullable=False, server_default=text("0")),
    Column("created_at", Instant, nullable=False),
    Column("hours", Json),
    CheckConstraint("balance >= 0", name="balance"),
)

#: Every name by which a person may mean an account: its ref, its name, its records' names, and the
#: names that it and they had before.
names = _table(
    "names",
    _text("key", primary_key=True),
    Column("account_id", _ID, ForeignKey("accounts.id"), primary_key=True),
    _text("name", nullable=False),
)

links = _table(
    "links",
    _text("helpdesk", primary_key=True),
    _text("customer_ref", primary_key=True),
    Column("account_id", _ID, ForeignKey("accounts.id"), nullable=False, index=True),
    _text("zone"),
    _text("country"),
    _text("subdivision"),
    _text("name"),
)

displays = _table(
    "displays",
    _text("helpdesk", primary_key=True),
    _text("customer_ref", primary_key=True),
    Column("account_id", _ID, ForeignKey("accounts.id"), nullable=False),
    Column("tx_id", _ID, nullable=False),
    Column("stale_at", Instant, nullable=False),
    Column("next_at", Instant, nullable=False),
    _text("problem"),
)

lots = _table(
    "lots",
    Column("id", _ID, primary_key=True),
    Column("account_id", _ID, ForeignKey("accounts.id"), nullable=False),
    _text("kind", nullable=False),
    Column("points", Integer, nullable=False),
    Column("remaining", Integer, nullable=False, server_default=text("0")),
    Column("purchased_on", Day, nullable=False),
    Column("usable_from", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    _text("source", nullable=False),
    _text("reference", nullable=False),
    Column("parent_id", _ID, ForeignKey("lots.id")),
    CheckConstraint("kind IN ('purchase', 'credit')", name="kind"),
    CheckConstraint("points > 0", name="points"),
    CheckConstraint("remaining BETWEEN 0 AND points", name="remaining"),
    CheckConstraint("usable_from < expires_at", name="validity"),
    CheckConstraint("(kind = 'credit') = (parent_id IS NOT NULL)", name="parent"),
    UniqueConstraint("source", "reference"),
    _partial("ix_lots_live", "account_id", "expires_at", where="remaining > 0"),
    _partial("ix_lots_later", "account_id", "usable_from", where="remaining > 0"),
    _partial("ix_lots_due", "expires_at", where="remaining > 0"),
)

#: Purchases by what people take for one reference (`bridge.ledger.names.key`): booked once.
purchases = _table(
    "purchases",
    _text("source", primary_key=True),
    _text("key", primary_key=True),
    Column("lot_id", _ID, ForeignKey("lots.id"), nullable=False),
)

incidents = _table(
    "incidents",
    Column("id", _ID, primary_key=True),
    _text("helpdesk", nullable=False),
    _text("ticket_id", nullable=False),
    Column("number", Integer, nullable=False),
    _text("ticket_number", nullable=False),
    Column("account_id", _ID, ForeignKey("accounts.id"), nullable=False),
    _text("customer_ref"),
    _text("state", nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("held_at", Instant),
    Column("reminded_day", Integer, nullable=False, server_default=text("0")),
    Column("closed", Integer, nullable=False, server_default=text("0")),
    Column("first_closed_at", Instant),
    Column("seen", _ID, nullable=False, server_default=text("0")),
    Column("close_hint", Instant),
    UniqueConstraint("helpdesk", "ticket_id", "number"),
    CheckConstraint(
        "state IN ('charged', 'awaiting_points', 'free_reopen', 'credited', 'declined', 'review')",
        name="state",
    ),
    CheckConstraint("closed IN (0, 1)", name="closed"),
    CheckConstraint("(state = 'awaiting_points') <= (held_at IS NOT NULL)", name="held"),
    _partial("ix_incidents_held", "account_id", "held_at", where="state = 'awaiting_points'"),
)

clocks = _table(
    "clocks",
    Column("id", _ID, primary_key=True),
    Column("incident_id", _ID, ForeignKey("incidents.id"), nullable=False),
    Column("cycle", Integer, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("target_s", Integer, nullable=False),
    Column("at_risk_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("by_close", Instant, nullable=False),
    _text("result", nullable=False),
    Column("responded_at", Instant),
    Column("elapsed_s", Integer),
    Column("ended_at", Instant),
    Column("inputs", Json, nullable=False),
    UniqueConstraint("incident_id", "cycle"),
    CheckConstraint(
        "result IN ('running', 'at_risk', 'met', 'breached', 'ended', 'void')", name="result"
    ),
    CheckConstraint("ended_at IS NULL OR responded_at IS NULL", name="ended"),
    CheckConstraint("(responded_at IS NULL) = (elapsed_s IS NULL)", name="response"),
    _partial("ix_clocks_running", "due_at", where="result IN ('running', 'at_risk')"),
)

txs = _table(
    "txs",
    Column("id", _ID, primary_key=True),
    _text("kind", nullable=False),
    _text("dedupe_key", nullable=False, unique=True),
    Column("account_id", _ID, ForeignKey("accounts.id"), nullable=False, index=True),
    Column("incident_id", _ID, ForeignKey("incidents.id"), index=True),
    Column("reverses_id", _ID, ForeignKey("txs.id"), index=True),
    Column("points", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    Column("valid_at", Instant, nullable=False),
    _text("actor", nullable=False),
    _text("reason", nullable=False),
    UniqueConstraint("id", "kind"),
    CheckConstraint(
        "kind IN ('purchase', 'charge', 'credit', 'refund', 'expiry', 'adjustment')", name="kind"
    ),
    CheckConstraint("points > 0", name="points"),
    CheckConstraint("valid_at <= at", name="valid_at"),
    CheckConstraint("kind <> 'charge' OR incident_id IS NOT NULL", name="incident"),
    CheckConstraint("kind <> 'credit' OR reverses_id IS NOT NULL", name="reverses"),
    _partial("uq_txs_charge", "incident_id", where="kind = 'charge'", unique=True),
)

entries = _table(
    "entries",
    Column("id", _ID, primary_key=True),
    Column("tx_id", _ID, nullable=False),
    _text("kind", nullable=False),
    Column("lot_id", _ID, ForeignKey("lots.id"), nullable=False),
    Column("delta", Integer, nullable=False),
    UniqueConstraint("tx_id", "lot_id"),
    # With the delta in it the guards add up a lot without touching the table.
    Index(None, "lot_id", "delta"),
    ForeignKeyConstraint(["tx_id", "kind"], ["txs.id", "txs.kind"]),
    CheckConstraint(
        "CASE WHEN kind IN ('purchase', 'credit') THEN delta > 0"
        " WHEN kind = 'adjustment' THEN delta <> 0 ELSE delta < 0 END",
        name="delta",
    ),
    _partial("uq_entries_purchase", "lot_id", where="kind = 'purchase'", unique=True),
)

decisions = _table(
    "decisions",
    Column("id", _ID, primary_key=True),
    Column("incident_id", _ID, ForeignKey("incidents.id"), nullable=False, index=True),
    _text("kind", nullable=False),
    Column("at", Instant, nullable=False),
    Column("decided_at", Instant, nullable=False),
    _text("delivery"),
    Column("findings", Json, nullable=False),
)

inbox = _table(
    "inbox",
    Column("id", _ID, primary_key=True),
    _text("helpdesk", nullable=False),
    _text("delivery_id", nullable=False),
    _text("ticket_id"),
    _text("event", nullable=False),
    Column("headers", Json, nullable=False),
    Column("body", LargeBinary),
    _text("body_sha256", nullable=False),
    Column("received_at", Instant, nullable=False),
    _text("state", nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("next_at", Instant, nullable=False),
    Column("leased_until", Instant),
    Column("finished_at", Instant),
    _text("outcome"),
    Column("denied", Integer),
    UniqueConstraint("helpdesk", "delivery_id"),
    CheckConstraint("state IN ('queued', 'done', 'dead', 'discarded')", name="state"),
    _partial("ix_inbox_queued", "next_at", where="state = 'queued'"),
    Index("ix_inbox_ticket", "helpdesk", "ticket_id"),
)

outbox = _table(
    "outbox",
    Column("id", _ID, primary_key=True),
    _text("helpdesk", nullable=False),
    _text("ticket_id"),
    Column("incident_id", _ID, ForeignKey("incidents.id")),
    _text("kind", nullable=False),
    _text("dedupe_key", nullable=False, unique=True),
    Column("payload", Json, nullable=False),
    Column("created_at", Instant, nullable=False),
    _text("state", nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("next_at", Instant, nullable=False),
    Column("leased_until", Instant),
    Column("finished_at", Instant),
    _text("outcome"),
    Column("denied", Integer),
    CheckConstraint("state IN ('queued', 'done', 'dead', 'discarded')", name="state"),
    _partial("ix_outbox_queued", "next_at", where="state = 'queued'"),
    Index("ix_outbox_ticket", "helpdesk", "ticket_id"),
)

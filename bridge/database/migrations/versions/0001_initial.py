"""The ledger, incidents, inbox and outbox.

Frozen: it says what the tables were when this revision was released, whatever the code says today.
The guards are not part of it: `bridge.database.guards` is put in force after every migration.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_INSTANT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")
_DAY = sa.Date().with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    """Create every table."""
    _accounts()
    _lots()
    _incidents()
    _clocks()
    _txs()
    _entries()
    _decisions()
    _inbox()
    _outbox()


def _table(name: str, *parts: sa.schema.SchemaItem) -> None:
    op.create_table(name, *parts, sqlite_strict=True)


def _id() -> sa.Column[int]:
    return sa.Column("id", _ID, nullable=False)


def _key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=op.f(f"pk_{table}"))


def _check(name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(name))


def _unique(table: str, *columns: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint(*columns, name=op.f(f"uq_{table}_{'_'.join(columns)}"))


def _reference(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [other], name=op.f(f"fk_{table}_{column}"))


def _index(name: str, table: str, *columns: str, where: str = "", unique: bool = False) -> None:
    condition = sa.text(where) if where else None
    partial: dict[str, Any] = {"sqlite_where": condition, "postgresql_where": condition}
    op.create_index(op.f(name), table, list(columns), unique=unique, **partial)


def _accounts() -> None:
    _table(
        "helpdesks",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("first_seen_at", _INSTANT, nullable=False),
        _key("helpdesks", "name"),
    )
    _table(
        "accounts",
        _id(),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text()),
        sa.Column("country", sa.Text()),
        sa.Column("subdivision", sa.Text()),
        sa.Column("balance", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        _key("accounts", "id"),
        _check("ck_accounts_balance", "balance >= 0"),
        _unique("accounts", "ref"),
    )
    _table(
        "links",
        sa.Column("helpdesk", sa.Text(), nullable=False),
        sa.Column("customer_ref", sa.Text(), nullable=False),
        sa.Column("account_id", _ID, nullable=False),
        sa.Column("zone", sa.Text()),
        sa.Column("country", sa.Text()),
        sa.Column("subdivision", sa.Text()),
        _key("links", "helpdesk", "customer_ref"),
        _reference("links", "account_id", "accounts.id"),
    )
    _index("ix_links_account_id", "links", "account_id")


def _lots() -> None:
    _table(
        "lots",
        _id(),
        sa.Column("account_id", _ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("remaining", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("purchased_on", _DAY, nullable=False),
        sa.Column("usable_from", _INSTANT, nullable=False),
        sa.Column("expires_at", _INSTANT, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("parent_id", _ID),
        _key("lots", "id"),
        _check("ck_lots_kind", "kind IN ('purchase', 'credit')"),
        _check("ck_lots_points", "points > 0"),
        _check("ck_lots_remaining", "remaining BETWEEN 0 AND points"),
        _check("ck_lots_validity", "usable_from < expires_at"),
        _check("ck_lots_parent", "(kind = 'credit') = (parent_id IS NOT NULL)"),
        _unique("lots", "source", "reference"),
        _reference("lots", "account_id", "accounts.id"),
        _reference("lots", "parent_id", "lots.id"),
    )
    left = "remaining > 0"
    _index("ix_lots_live", "lots", "account_id", "expires_at", where=left)
    _index("ix_lots_later", "lots", "account_id", "usable_from", where=left)
    _index("ix_lots_due", "lots", "expires_at", where=left)


def _incidents() -> None:
    _table(
        "incidents",
        _id(),
        sa.Column("helpdesk", sa.Text(), nullable=False),
        sa.Column("ticket_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("ticket_number", sa.Text(), nullable=False),
        sa.Column("account_id", _ID, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("opened_at", _INSTANT, nullable=False),
        sa.Column("held_at", _INSTANT),
        sa.Column("reminded_day", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("closed", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("first_closed_at", _INSTANT),
        sa.Column("seen", _ID, server_default=sa.text("0"), nullable=False),
        sa.Column("close_hint", _INSTANT),
        _key("incidents", "id"),
        _unique("incidents", "helpdesk", "ticket_id", "number"),
        _check(
            "ck_incidents_state",
            "state IN"
            " ('charged', 'awaiting_points', 'free_reopen', 'credited', 'declined', 'review')",
        ),
        _check("ck_incidents_closed", "closed IN (0, 1)"),
        _check("ck_incidents_held", "(state = 'awaiting_points') <= (held_at IS NOT NULL)"),
        _reference("incidents", "account_id", "accounts.id"),
    )
    waiting = "state = 'awaiting_points'"
    _index("ix_incidents_held", "incidents", "account_id", "held_at", where=waiting)


def _clocks() -> None:
    _table(
        "clocks",
        _id(),
        sa.Column("incident_id", _ID, nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("started_at", _INSTANT, nullable=False),
        sa.Column("target_s", sa.Integer(), nullable=False),
        sa.Column("at_risk_at", _INSTANT, nullable=False),
        sa.Column("due_at", _INSTANT, nullable=False),
        sa.Column("by_close", _INSTANT, nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("responded_at", _INSTANT),
        sa.Column("elapsed_s", sa.Integer()),
        sa.Column("inputs", sa.Text(), nullable=False),
        _key("clocks", "id"),
        _unique("clocks", "incident_id", "cycle"),
        _check("ck_clocks_result", "result IN ('running', 'at_risk', 'met', 'breached', 'void')"),
        _check("ck_clocks_response", "(responded_at IS NULL) = (elapsed_s IS NULL)"),
        _reference("clocks", "incident_id", "incidents.id"),
    )
    _index("ix_clocks_running", "clocks", "due_at", where="result IN ('running', 'at_risk')")


def _txs() -> None:
    _table(
        "txs",
        _id(),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("dedupe_key", sa.Text(), nullable=False),
        sa.Column("account_id", _ID, nullable=False),
        sa.Column("incident_id", _ID),
        sa.Column("reverses_id", _ID),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("valid_at", _INSTANT, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        _key("txs", "id"),
        _unique("txs", "id", "kind"),
        _check(
            "ck_txs_kind",
            "kind IN ('purchase', 'charge', 'credit', 'refund', 'expiry', 'adjustment')",
        ),
        _check("ck_txs_points", "points > 0"),
        _check("ck_txs_valid_at", "valid_at <= at"),
        _check("ck_txs_incident", "kind <> 'charge' OR incident_id IS NOT NULL"),
        _check("ck_txs_reverses", "kind <> 'credit' OR reverses_id IS NOT NULL"),
        _unique("txs", "dedupe_key"),
        _reference("txs", "account_id", "accounts.id"),
        _reference("txs", "incident_id", "incidents.id"),
        _reference("txs", "reverses_id", "txs.id"),
    )
    _index("ix_txs_account_id", "txs", "account_id")
    _index("ix_txs_incident_id", "txs", "incident_id")
    _index("ix_txs_reverses_id", "txs", "reverses_id")
    _index("uq_txs_charge", "txs", "incident_id", where="kind = 'charge'", unique=True)


def _entries() -> None:
    _table(
        "entries",
        _id(),
        sa.Column("tx_id", _ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("lot_id", _ID, nullable=False),
        sa.Column("delta", sa.Integer(), nullable=False),
        _key("entries", "id"),
        _unique("entries", "tx_id", "lot_id"),
        sa.ForeignKeyConstraint(
            ["tx_id", "kind"], ["txs.id", "txs.kind"], name=op.f("fk_entries_tx_id_kind")
        ),
        _check(
            "ck_entries_delta",
            "CASE WHEN kind IN ('purchase', 'credit') THEN delta > 0"
            " WHEN kind = 'adjustment' THEN delta <> 0 ELSE delta < 0 END",
        ),
        _reference("entries", "lot_id", "lots.id"),
    )
    _index("ix_entries_lot_id_delta", "entries", "lot_id", "delta")
    _index("uq_entries_purchase", "entries", "lot_id", where="kind = 'purchase'", unique=True)


def _decisions() -> None:
    _table(
        "decisions",
        _id(),
        sa.Column("incident_id", _ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("decided_at", _INSTANT, nullable=False),
        sa.Column("delivery", sa.Text()),
        sa.Column("findings", sa.Text(), nullable=False),
        _key("decisions", "id"),
        _reference("decisions", "incident_id", "incidents.id"),
    )
    _index("ix_decisions_incident_id", "decisions", "incident_id")


def _inbox() -> None:
    _table(
        "inbox",
        _id(),
        sa.Column("helpdesk", sa.Text(), nullable=False),
        sa.Column("delivery_id", sa.Text(), nullable=False),
        sa.Column("ticket_id", sa.Text()),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("headers", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary()),
        sa.Column("body_sha256", sa.Text(), nullable=False),
        sa.Column("received_at", _INSTANT, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("next_at", _INSTANT, nullable=False),
        sa.Column("leased_until", _INSTANT),
        sa.Column("finished_at", _INSTANT),
        sa.Column("outcome", sa.Text()),
        _key("inbox", "id"),
        _unique("inbox", "helpdesk", "delivery_id"),
        _check("ck_inbox_state", "state IN ('queued', 'done', 'dead', 'discarded')"),
    )
    _index("ix_inbox_queued", "inbox", "next_at", where="state = 'queued'")
    _index("ix_inbox_ticket", "inbox", "helpdesk", "ticket_id")


def _outbox() -> None:
    _table(
        "outbox",
        _id(),
        sa.Column("helpdesk", sa.Text(), nullable=False),
        sa.Column("ticket_id", sa.Text(), nullable=False),
        sa.Column("incident_id", _ID, nullable=False),
        sa.Column("dedupe_key", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("next_at", _INSTANT, nullable=False),
        sa.Column("leased_until", _INSTANT),
        sa.Column("finished_at", _INSTANT),
        sa.Column("outcome", sa.Text()),
        _key("outbox", "id"),
        _check("ck_outbox_state", "state IN ('queued', 'done', 'dead', 'discarded')"),
        _reference("outbox", "incident_id", "incidents.id"),
        _unique("outbox", "dedupe_key"),
    )
    _index("ix_outbox_queued", "outbox", "next_at", where="state = 'queued'")
    _index("ix_outbox_ticket", "outbox", "helpdesk", "ticket_id")

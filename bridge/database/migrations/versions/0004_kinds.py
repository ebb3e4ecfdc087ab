"""Clocks that end with the ticket, and an outbox that holds kinds.

SQLite changes no constraint of a table, so both are made anew and filled from the old ones. Frozen:
see 0001.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_INSTANT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")
_KEPT = {
    "clocks": "id, incident_id, cycle, started_at, target_s, at_risk_at, due_at, by_close, result,"
    " responded_at, elapsed_s, inputs",
    "outbox": "id, helpdesk, ticket_id, incident_id, dedupe_key, payload, created_at, state,"
    " attempts, next_at, leased_until, finished_at, outcome",
}
_INDEXES = {
    "clocks": ("ix_clocks_running",),
    "outbox": ("ix_outbox_queued", "ix_outbox_ticket"),
}


def upgrade() -> None:
    """Set the old tables aside, make the new ones, carry everything over."""
    for table, indexes in _INDEXES.items():
        for index in indexes:
            op.drop_index(index, table)
        op.rename_table(table, f"old_{table}")
    _create_clocks()
    _create_outbox()
    clocks, outbox = _KEPT["clocks"], _KEPT["outbox"]
    op.execute(f"INSERT INTO clocks ({clocks}) SELECT {clocks} FROM old_clocks")  # noqa: S608
    op.execute(
        f"INSERT INTO outbox (kind, {outbox}) SELECT 'ticket', {outbox} FROM old_outbox"  # noqa: S608
    )
    for table in _INDEXES:
        op.drop_table(f"old_{table}")
    _create_indexes()


def _create_clocks() -> None:
    op.create_table(
        "clocks",
        sa.Column("id", _ID, nullable=False),
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
        sa.Column("ended_at", _INSTANT),
        sa.Column("inputs", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clocks")),
        sa.UniqueConstraint("incident_id", "cycle", name=op.f("uq_clocks_incident_id_cycle")),
        sa.CheckConstraint(
            "result IN ('running', 'at_risk', 'met', 'breached', 'ended', 'void')",
            name=op.f("ck_clocks_result"),
        ),
        sa.CheckConstraint(
            "ended_at IS NULL OR responded_at IS NULL", name=op.f("ck_clocks_ended")
        ),
        sa.CheckConstraint(
            "(responded_at IS NULL) = (elapsed_s IS NULL)", name=op.f("ck_clocks_response")
        ),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.id"], name=op.f("fk_clocks_incident_id")
        ),
        sqlite_strict=True,
    )


def _create_outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", _ID, nullable=False),
        sa.Column("helpdesk", sa.Text(), nullable=False),
        sa.Column("ticket_id", sa.Text()),
        sa.Column("incident_id", _ID),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("dedupe_key", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("next_at", _INSTANT, nullable=False),
        sa.Column("leased_until", _INSTANT),
        sa.Column("finished_at", _INSTANT),
        sa.Column("outcome", sa.Text()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("dedupe_key", name=op.f("uq_outbox_dedupe_key")),
        sa.CheckConstraint(
            "state IN ('queued', 'done', 'dead', 'discarded')", name=op.f("ck_outbox_state")
        ),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.id"], name=op.f("fk_outbox_incident_id")
        ),
        sqlite_strict=True,
    )


def _create_indexes() -> None:
    open_results = sa.text("result IN ('running', 'at_risk')")
    queued = sa.text("state = 'queued'")
    op.create_index(
        "ix_clocks_running",
        "clocks",
        ["due_at"],
        sqlite_where=open_results,
        postgresql_where=open_results,
    )
    op.create_index(
        "ix_outbox_queued", "outbox", ["next_at"], sqlite_where=queued, postgresql_where=queued
    )
    op.create_index("ix_outbox_ticket", "outbox", ["helpdesk", "ticket_id"])

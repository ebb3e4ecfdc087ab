"""What customer records in helpdesks show of their accounts.

Frozen: see 0001.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_INSTANT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "displays",
        sa.Column("helpdesk", sa.Text(), nullable=False),
        sa.Column("customer_ref", sa.Text(), nullable=False),
        sa.Column("account_id", _ID, nullable=False),
        sa.Column("tx_id", _ID, nullable=False),
        sa.Column("stale_at", _INSTANT, nullable=False),
        sa.Column("next_at", _INSTANT, nullable=False),
        sa.Column("problem", sa.Text()),
        sa.PrimaryKeyConstraint("helpdesk", "customer_ref", name=op.f("pk_displays")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_displays_account_id")
        ),
        sqlite_strict=True,
    )

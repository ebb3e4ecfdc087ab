"""Which customer record an incident came from; an account's old names and its own hours.

Of an incident of before it is known where its account has one record in that helpdesk. Frozen: see
0001.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_INSTANT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    """Add the columns and the table, and fill what can be known."""
    op.add_column("incidents", sa.Column("customer_ref", sa.Text()))
    op.execute(
        """
        UPDATE incidents SET customer_ref = (
            SELECT min(links.customer_ref) FROM links
            WHERE links.account_id = incidents.account_id AND links.helpdesk = incidents.helpdesk
            HAVING count(*) = 1
        )
        """
    )
    op.add_column("accounts", sa.Column("hours", sa.Text()))
    op.create_table(
        "aliases",
        sa.Column("account_id", _ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("until", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "name", name=op.f("pk_aliases")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_aliases_account_id")
        ),
        sqlite_strict=True,
    )

"""Which customer record an incident came from, every name of an account, and its own hours.

Frozen: see 0001.
"""

import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

#: The one record that an account has in a helpdesk; with several, nobody can tell any more.
_RECORDS_OF_INCIDENTS = """
UPDATE incidents SET customer_ref = (
    SELECT CASE WHEN count(*) = 1 THEN min(links.customer_ref) END FROM links
    WHERE links.account_id = incidents.account_id AND links.helpdesk = incidents.helpdesk
)
"""
_NAMES_OF_RECORDS = """
UPDATE links SET name = (SELECT accounts.name FROM accounts WHERE accounts.id = links.account_id)
WHERE (SELECT count(*) FROM links AS other WHERE other.account_id = links.account_id) = 1
"""


def upgrade() -> None:
    """Add what accounts need, and fill it from what is known."""
    op.add_column("accounts", sa.Column("hours", sa.Text()))
    op.add_column("links", sa.Column("name", sa.Text()))
    op.add_column("incidents", sa.Column("customer_ref", sa.Text()))
    op.create_table(
        "names",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("account_id", _ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", "account_id", name=op.f("pk_names")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_names_account_id")),
        sqlite_strict=True,
    )
    op.execute(_RECORDS_OF_INCIDENTS)
    op.execute(_NAMES_OF_RECORDS)
    _keep_names()


def _keep_names() -> None:
    conn = op.get_bind()
    known = conn.execute(sa.text("SELECT id, ref, name FROM accounts ORDER BY id")).all()
    # The later of two spellings is kept: the name, not the ref.
    kept = {(_key(name), row.id): name for row in known for name in (row.ref, row.name)}
    add = sa.text("INSERT INTO names (key, account_id, name) VALUES (:key, :account_id, :name)")
    for (key, account_id), name in kept.items():
        conn.execute(add, {"key": key, "account_id": account_id, "name": name})


def _key(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())

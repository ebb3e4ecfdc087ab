"""Purchases by what people take for one reference, and names without what nobody sees.

Two references of before that are one for people stay two purchases; of such, the first is found by
a spelling that is neither's. Frozen: see 0001.
"""

import unicodedata
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the table, and fill it from what is known; spell the keys of names anew."""
    op.create_table(
        "purchases",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("lot_id", _ID, nullable=False),
        sa.PrimaryKeyConstraint("source", "key", name=op.f("pk_purchases")),
        sa.ForeignKeyConstraint(["lot_id"], ["lots.id"], name=op.f("fk_purchases_lot_id")),
        sqlite_strict=True,
    )
    conn = op.get_bind()
    known = conn.execute(
        sa.text("SELECT id, source, reference FROM lots WHERE kind = 'purchase' ORDER BY id DESC")
    )
    first = {(row.source, _key(row.reference)): row.id for row in known}
    _insert(
        "INSERT INTO purchases (source, key, lot_id) VALUES (:source, :key, :lot_id)",
        [{"source": source, "key": key, "lot_id": id_} for (source, key), id_ in first.items()],
    )
    names = conn.execute(sa.text("SELECT key, account_id, name FROM names ORDER BY key")).all()
    spelt = {(_key(row.name), row.account_id): row.name for row in names}
    op.execute("DELETE FROM names")
    _insert(
        "INSERT INTO names (key, account_id, name) VALUES (:key, :account_id, :name)",
        [{"key": key, "account_id": id_, "name": name} for (key, id_), name in spelt.items()],
    )


def _insert(statement: str, rows: list[dict[str, Any]]) -> None:
    if rows:
        op.get_bind().execute(sa.text(statement), rows)


def _key(text: str) -> str:
    unseen = {"Cc", "Cf"}
    seen = "".join(one for one in text if one in "\t\n" or unicodedata.category(one) not in unseen)
    return " ".join(unicodedata.normalize("NFKC", seen).casefold().split())

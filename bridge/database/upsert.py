"""`INSERT … ON CONFLICT`, which every database that we know has, each in a dialect of its own."""

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert(conn: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """An insertion that can say what happens on a conflict.

    The guarded tables of the ledger refuse a row that is in the way before any such clause is
    asked, in SQLite: look there first. What the clause is for is another writer meanwhile.
    """
    if conn.dialect.name == "sqlite":
        return sqlite.insert(table)
    return postgresql.insert(table)

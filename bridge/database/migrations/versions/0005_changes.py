"""Every change of a ticket has a number of its own: what was seen of a line is seen whole.

A line of a helpdesk's history was one number, and stands for a thousand now. Frozen: see 0001.
"""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Raise what was seen to the last number of its line; 0 is nothing seen."""
    op.execute("UPDATE incidents SET seen = seen * 1000 + 999 WHERE seen > 0")

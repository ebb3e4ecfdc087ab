"""Whether a helpdesk took the bridge's credentials for wrong stands beside what failed, not in it.

What failed before is not told again: it is believed for minutes. Frozen: see 0001.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the status of such an answer to both queues."""
    for queue in ("inbox", "outbox"):
        op.add_column(queue, sa.Column("denied", sa.Integer()))

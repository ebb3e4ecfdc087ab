"""What Alembic runs: the migrations, then the guards, on the connection that `migrate` hands in."""

from alembic import context

from bridge.database import guards
from bridge.database.schema import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
guards.install(connection)

"""What Alembic runs: the steps, over the connection and in the transaction of ``postgres_schema.migrate``."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
with context.begin_transaction():
    context.run_migrations()

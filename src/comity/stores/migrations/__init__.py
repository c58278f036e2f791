"""The steps of a store in PostgreSQL, as Alembic takes them."""

"""Decisions, statements and the outbox."""

from comity.stores.postgres_schema import take

revision = "2"
down_revision = "1"


def upgrade() -> None:
    """Take step 2."""
    take(2)

"""The ledger, and what lets a rating go on."""

from comity.stores.postgres_schema import take

revision = "1"
down_revision = None


def upgrade() -> None:
    """Take step 1."""
    take(1)

"""What a live process goes on from."""

from comity.stores.postgres_schema import take

revision = "3"
down_revision = "2"


def upgrade() -> None:
    """Take step 3."""
    take(3)

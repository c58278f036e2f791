"""Due process, access and the record."""

from comity.stores.postgres_schema import take

revision = "4"
down_revision = "3"


def upgrade() -> None:
    """Take step 4."""
    take(4)

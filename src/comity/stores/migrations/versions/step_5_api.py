"""What the API keeps: answers, webhooks and deliveries."""

from comity.stores.postgres_schema import take

revision = "5"
down_revision = "4"


def upgrade() -> None:
    """Take step 5."""
    take(5)

"""Events for the customer's own system, and by which way a resend left."""

import sqlalchemy as sa
from alembic import op

from store import moments

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables to this release."""
    op.create_table(
        "events",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("at", moments.Moment(), nullable=False),
        sa.Column("recipient", sa.LargeBinary(length=16), nullable=False),
        sa.Column("message_key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
    )
    op.create_index("ix_events_recipient", "events", ["recipient"], unique=False)
    op.add_column("retries", sa.Column("via", sa.String(length=12), server_default="", nullable=False))

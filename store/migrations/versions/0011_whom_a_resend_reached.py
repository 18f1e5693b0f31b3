"""Whom a resend went to, and sends found by their message id."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables to this release."""
    op.add_column("retries", sa.Column("reached", sa.LargeBinary(length=16), nullable=True))
    op.create_index("ix_retries_reached", "retries", ["reached"], unique=False)
    op.create_index("ix_sends_message", "sends", ["message_id"], unique=False)

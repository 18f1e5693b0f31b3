"""Sends of which a delivery has to be reported within seconds."""

import sqlalchemy as sa
from alembic import op

from store import moments

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables to this release."""
    op.create_table(
        "silences",
        sa.Column("key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("recipient", sa.LargeBinary(length=16), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("rule", sa.String(length=64), nullable=False),
        sa.Column("instead", sa.String(length=32), nullable=False),
        sa.Column("sent_at", moments.Moment(), nullable=False),
        sa.Column("due_at", moments.Moment(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.PrimaryKeyConstraint("key"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_silences_due", "silences", ["state", "due_at"], unique=False)
    op.create_index("ix_silences_channel", "silences", ["account", "channel", "due_at"], unique=False)

"""Pauses that a surge of failures starts, and that open in steps."""

import sqlalchemy as sa
from alembic import op

from store import moments

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables to this release."""
    op.create_table(
        "pause_deltas",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("scope", sa.String(length=16), nullable=False),
        sa.Column("value", sa.String(length=255), nullable=False),
        sa.Column("minute", moments.Moment(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "pause_passes",
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("scope", sa.String(length=16), nullable=False),
        sa.Column("value", sa.String(length=255), nullable=False),
        sa.Column("retry_id", sa.BigInteger(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("left_at", moments.Moment(), nullable=False),
        sa.Column("fared", sa.String(length=8), nullable=False),
        sa.PrimaryKeyConstraint("account", "scope", "value", "retry_id"),
    )
    op.create_index("ix_pause_passes_retry", "pause_passes", ["retry_id"], unique=False)
    op.create_table(
        "pause_windows",
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("scope", sa.String(length=16), nullable=False),
        sa.Column("value", sa.String(length=255), nullable=False),
        sa.Column("minute", moments.Moment(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("account", "scope", "value", "minute"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_pause_windows_minute", "pause_windows", ["minute"], unique=False)
    op.add_column("pauses", sa.Column("gone", sa.Integer(), server_default="0", nullable=False))
    op.add_column("pauses", sa.Column("held", sa.Integer(), server_default="0", nullable=False))
    op.add_column("pauses", sa.Column("delay_ms", sa.BigInteger(), server_default="0", nullable=False))

"""What is known of Infobip's lists, and how far the sync with them is."""

import sqlalchemy as sa
from alembic import op

from store import moments

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables to this release."""
    op.create_table(
        "listed",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("list", sa.String(length=12), nullable=False),
        sa.Column("address", sa.LargeBinary(length=16), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("scope", sa.String(length=255), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("op", sa.String(length=6), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("wanted", sa.Integer(), nullable=False),
        sa.Column("suppression_id", sa.BigInteger(), nullable=False),
        sa.Column("until", moments.Moment(), nullable=True),
        sa.Column("due_at", moments.Moment(), nullable=False),
        sa.Column("batch", sa.BigInteger(), nullable=False),
        sa.Column("answered", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("looks", sa.Integer(), nullable=False),
        sa.Column("first_sent_at", moments.Moment(), nullable=True),
        sa.Column("sent_at", moments.Moment(), nullable=True),
        sa.Column("created_there", moments.Moment(), nullable=True),
        sa.Column("account_key", sa.String(length=64), nullable=False),
        sa.Column("seen_scan", sa.Integer(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("changed_at", moments.Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("account", "list", "address", "channel", "scope", "source"),
    )
    op.create_index("ix_listed_due", "listed", ["account", "list", "state", "due_at"], unique=False)
    op.create_index("ix_listed_address", "listed", ["address"], unique=False)
    op.create_index("ix_listed_batch", "listed", ["batch"], unique=False)
    ends = sa.text("until IS NOT NULL")
    op.create_index(
        "ix_listed_until",
        "listed",
        ["account", "until"],
        unique=False,
        sqlite_where=ends,
        postgresql_where=ends,
    )
    op.create_table(
        "sync_runs",
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=False),
        sa.Column("lease_until", moments.Moment(), nullable=False),
        sa.Column("asked", sa.Text(), nullable=False),
        sa.Column("signature", sa.String(length=400), nullable=False),
        sa.Column("walk_after", sa.BigInteger(), nullable=False),
        sa.Column("trail_after", sa.BigInteger(), nullable=False),
        sa.Column("walked_at", moments.Moment(), nullable=True),
        sa.Column("scan", sa.Integer(), nullable=False),
        sa.Column("page", sa.Integer(), nullable=False),
        sa.Column("scan_started_at", moments.Moment(), nullable=True),
        sa.Column("scan_since", moments.Moment(), nullable=True),
        sa.Column("pulled_at", moments.Moment(), nullable=True),
        sa.Column("pulled", sa.Integer(), nullable=False),
        sa.Column("doubts_allowed", sa.Integer(), nullable=False),
        sa.Column("most", sa.Integer(), nullable=False),
        sa.Column("troubles", sa.Text(), nullable=False),
        sa.Column("changed_at", moments.Moment(), nullable=False),
        sa.PrimaryKeyConstraint("account"),
    )

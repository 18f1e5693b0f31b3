"""The register of sends, resends that leave, pauses, and keys of applications."""

import sqlalchemy as sa
from alembic import op

from store import moments

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables to this release."""
    op.create_table(
        "aliases",
        sa.Column("key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("message_key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("made_at", moments.Moment(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_aliases_made", "aliases", ["made_at"], unique=False)
    op.create_table(
        "api_keys",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("scopes", sa.String(length=255), nullable=False),
        sa.Column("made_at", moments.Moment(), nullable=False),
        sa.Column("used_at", moments.Moment(), nullable=True),
        sa.Column("revoked_at", moments.Moment(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("hash"),
    )
    op.create_table(
        "contents",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("keep_until", moments.Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_contents_until", "contents", ["keep_until"], unique=False)
    op.create_table(
        "pauses",
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("scope", sa.String(length=16), nullable=False),
        sa.Column("value", sa.String(length=255), nullable=False),
        sa.Column("since", moments.Moment(), nullable=False),
        sa.Column("until", moments.Moment(), nullable=True),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("who", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("account", "scope", "value"),
    )
    op.create_table(
        "sends",
        sa.Column("key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("message_id", sa.String(length=255), nullable=False),
        sa.Column("recipient", sa.LargeBinary(length=16), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("sender", sa.String(length=255), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("campaign", sa.String(length=255), nullable=False),
        sa.Column("application", sa.String(length=255), nullable=False),
        sa.Column("entity", sa.String(length=255), nullable=False),
        sa.Column("endpoint", sa.String(length=32), nullable=False),
        sa.Column("path", sa.String(length=255), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("origin", sa.String(length=8), nullable=False),
        sa.Column("sent_at", moments.Moment(), nullable=False),
        sa.Column("not_after", moments.Moment(), nullable=True),
        sa.Column("failover", sa.Text(), nullable=False),
        sa.Column("repeats", sa.Boolean(), nullable=False),
        sa.Column("obstacle", sa.Text(), nullable=False),
        sa.Column("credential", sa.LargeBinary(length=32), nullable=False),
        sa.Column("report_url", sa.LargeBinary(), nullable=False),
        sa.Column("flagged", sa.Boolean(), nullable=False),
        sa.Column("content", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_sends_content", "sends", ["content"], unique=False)
    op.create_index("ix_sends_recipient", "sends", ["recipient", "sent_at"], unique=False)
    op.create_index("ix_sends_sent", "sends", ["account", "sent_at"], unique=False)
    op.add_column("retries", sa.Column("new_id", sa.String(length=255), server_default="", nullable=False))
    op.add_column("retries", sa.Column("owner", sa.String(length=64), server_default="", nullable=False))
    op.add_column("retries", sa.Column("lease_until", moments.Moment(), server_default="0", nullable=False))
    op.add_column("retries", sa.Column("tries", sa.Integer(), server_default="0", nullable=False))
    op.add_column("retries", sa.Column("posts", sa.Integer(), server_default="0", nullable=False))
    op.add_column("retries", sa.Column("sent_at", moments.Moment(), nullable=True))
    op.add_column("retries", sa.Column("looks", sa.Integer(), server_default="0", nullable=False))
    op.add_column("retries", sa.Column("first_look_at", moments.Moment(), nullable=True))
    op.add_column("retries", sa.Column("cost_micros", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("retries", sa.Column("currency", sa.String(length=8), server_default="", nullable=False))
    op.create_index("ix_retries_sent", "retries", ["account", "sent_at"], unique=False)

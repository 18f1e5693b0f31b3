"""The life of incidents, silences, and the traffic by which the unusual is noticed."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from store import moments

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables to this release."""
    op.create_table(
        "incident_events",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("incident_id", sa.BigInteger(), nullable=False),
        sa.Column("at", moments.Moment(), nullable=False),
        sa.Column("change", sa.String(length=12), nullable=False),
        sa.Column("severity", sa.String(length=8), nullable=False),
        sa.Column("who", sa.String(length=128), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("spread", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_incident_events_of", "incident_events", ["incident_id"], unique=False)
    waiting = sa.text("spread IN (0, 2)")
    op.create_index(
        "ix_incident_events_waiting",
        "incident_events",
        ["id"],
        unique=False,
        sqlite_where=waiting,
        postgresql_where=waiting,
    )
    op.create_table(
        "incident_silences",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("cause", sa.String(length=32), nullable=False),
        sa.Column("rule", sa.String(length=64), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("since", moments.Moment(), nullable=False),
        sa.Column("until", moments.Moment(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("who", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "traffic",
        *_traffic(),
        sa.PrimaryKeyConstraint("account", "channel", "network", "hour"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_traffic_hour", "traffic", ["hour"], unique=False)
    op.create_table(
        "traffic_deltas",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        *_traffic(),
        sa.PrimaryKeyConstraint("id"),
    )
    for table, columns in (("incidents", _incidents()), ("incident_deltas", _deltas())):
        for column in columns:
            op.add_column(table, column)


def _traffic() -> list[sa.Column[Any]]:
    return [
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("network", sa.String(length=16), nullable=False),
        sa.Column("hour", moments.Moment(), nullable=False),
        sa.Column("reports", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
    ]


def _incidents() -> list[sa.Column[Any]]:
    return [
        sa.Column("cause", sa.String(length=32), server_default="", nullable=False),
        sa.Column("purposes", sa.Text(), server_default="[]", nullable=False),
        sa.Column("facts", sa.Text(), server_default="{}", nullable=False),
        sa.Column("told", sa.String(length=12), server_default="", nullable=False),
        sa.Column("quiet_until", moments.Moment(), nullable=True),
        sa.Column("resolved_at", moments.Moment(), nullable=True),
        sa.Column("ended_by", sa.String(length=128), server_default="", nullable=False),
    ]


def _deltas() -> list[sa.Column[Any]]:
    return [
        sa.Column("quiet_ms", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("cause", sa.String(length=32), server_default="", nullable=False),
        sa.Column("purpose", sa.String(length=16), server_default="", nullable=False),
        sa.Column("facts", sa.Text(), server_default="{}", nullable=False),
    ]

"""Failures of people by cause and place, incidents by the place that they are about, and suppressions by their end."""

import json

import sqlalchemy as sa
from alembic import op

from store import moments

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_NEW = "failure_days_by_cause"


def upgrade() -> None:
    """Bring the tables to this release."""
    _rebuild_failures()
    op.add_column("incidents", sa.Column("place", sa.String(length=300), server_default="", nullable=False))
    op.create_index("ix_incidents_place", "incidents", ["account", "place"], unique=False)
    _place_incidents()
    op.create_table(
        "trail_cuts",
        sa.Column("suppression_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("head", sa.LargeBinary(length=32), nullable=False),
        sa.Column("until", moments.Moment(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("suppression_id"),
    )
    ends = sa.text("until IS NOT NULL")
    op.create_index(
        "ix_suppressions_until",
        "suppressions",
        ["until", "id"],
        unique=False,
        sqlite_where=ends,
        postgresql_where=ends,
    )


def _rebuild_failures() -> None:
    """Make the table anew, since the cause belongs to its key: what was kept so far has none."""
    op.create_table(
        _NEW,
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("address", sa.LargeBinary(length=16), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("day", moments.Moment(), nullable=False),
        sa.Column("cause", sa.String(length=32), server_default="", nullable=False),
        sa.Column("first_at", moments.Moment(), nullable=False),
        sa.Column("last_at", moments.Moment(), nullable=False),
        sa.Column("place", sa.String(length=300), server_default="", nullable=False),
        sa.Column("reached_at", moments.Moment(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("account", "address", "channel", "day", "cause"),
        sqlite_with_rowid=False,
    )
    columns = "account, address, channel, day"
    op.execute(
        f"INSERT INTO {_NEW} ({columns}, first_at, last_at) SELECT {columns}, day, day FROM failure_days"  # noqa: S608
    )
    op.drop_table("failure_days")
    op.rename_table(_NEW, "failure_days")
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"ALTER INDEX {_NEW}_pkey RENAME TO failure_days_pkey")
    op.create_index("ix_failure_days_day", "failure_days", ["day"], unique=False)


def _place_incidents() -> None:
    """Say of the incidents so far which network, domain or country they are about."""
    connection = op.get_bind()
    rows = connection.execute(sa.text("SELECT id, facts FROM incidents WHERE facts <> '{}'")).all()
    mine = sa.text("UPDATE incidents SET place = :place WHERE id = :id")
    for number, text in rows:
        facts = json.loads(text)
        name = next((one for one in ("network", "domain", "country") if facts.get(one)), "")
        if name and not {"sender", "campaign"} & facts.keys():
            connection.execute(mine, {"place": f"{name}={facts[name]}"[:300], "id": number})

"""The guard against mass suppression, protections, lifts by two people, and a chained audit trail."""

from hashlib import blake2b
from typing import Any

import sqlalchemy as sa
from alembic import op

from store import moments

revision = "0007"
down_revision = "0005"
branch_labels = None
depends_on = None

_AT_ONCE = 1_000


def upgrade() -> None:
    """Bring the tables to this release."""
    op.create_table(
        "guard_counts",
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("dimension", sa.String(length=8), nullable=False),
        sa.Column("value", sa.String(length=255), nullable=False),
        sa.Column("bucket", moments.Moment(), nullable=False),
        sa.Column("finals", sa.Integer(), nullable=False),
        sa.Column("candidates", sa.Integer(), nullable=False),
        sa.Column("firm", sa.Integer(), nullable=False),
        sa.Column("counted_at", moments.Moment(), nullable=False),
        sa.PrimaryKeyConstraint("account", "dimension", "value", "bucket"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_guard_counts_counted", "guard_counts", ["counted_at"], unique=False)
    op.create_table(
        "guard_deltas",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("dimension", sa.String(length=8), nullable=False),
        sa.Column("value", sa.String(length=255), nullable=False),
        sa.Column("bucket", moments.Moment(), nullable=False),
        sa.Column("finals", sa.Integer(), nullable=False),
        sa.Column("candidates", sa.Integer(), nullable=False),
        sa.Column("firm", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_guard_deltas_scope", "guard_deltas", ["account", "dimension", "value", "bucket"], unique=False)
    op.create_table(
        "guard_holds",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("dimension", sa.String(length=8), nullable=False),
        sa.Column("value", sa.String(length=255), nullable=False),
        sa.Column("since", moments.Moment(), nullable=False),
        sa.Column("opened_at", moments.Moment(), nullable=False),
        sa.Column("candidates", sa.Integer(), nullable=False),
        sa.Column("finals", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("is_open", sa.BigInteger(), nullable=False),
        sa.Column("swept", sa.Integer(), nullable=False),
        sa.Column("told_at", moments.Moment(), nullable=True),
        sa.Column("told", sa.Integer(), server_default="0", nullable=False),
        sa.Column("decided_at", moments.Moment(), nullable=True),
        sa.Column("who", sa.String(length=128), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("account", "dimension", "value", "is_open"),
    )
    op.create_table(
        "lift_requests",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("suppression_id", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", moments.Moment(), nullable=False),
        sa.Column("who", sa.String(length=128), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("is_open", sa.BigInteger(), nullable=False),
        sa.Column("decided_at", moments.Moment(), nullable=True),
        sa.Column("decided_by", sa.String(length=128), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("suppression_id", "is_open"),
    )
    op.create_table(
        "protections",
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("address", sa.LargeBinary(length=16), nullable=False),
        sa.Column("since", moments.Moment(), nullable=False),
        sa.Column("until", moments.Moment(), nullable=True),
        sa.Column("who", sa.String(length=128), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("account", "address"),
        sqlite_with_rowid=False,
    )
    empty = sa.Column("hash", sa.LargeBinary(length=32), server_default="", nullable=False)
    op.add_column("suppression_audit", empty)
    op.add_column("suppressions", sa.Column("held_by", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("suppressions", sa.Column("confirmed_at", moments.Moment(), nullable=True))
    op.add_column("suppressions", sa.Column("audit_head", sa.LargeBinary(length=32), server_default="", nullable=False))
    op.create_index("ix_suppressions_rule", "suppressions", ["rule", "since"], unique=False)
    op.create_index(
        "ix_suppressions_held",
        "suppressions",
        ["held_by"],
        unique=False,
        sqlite_where=sa.text("state = 'held'"),
        postgresql_where=sa.text("state = 'held'"),
    )
    _chain(op.get_bind())


_TRAIL = sa.table(
    "suppression_audit",
    *(sa.column(name) for name in ("id", "suppression_id", "at", "who", "change", "detail")),
    sa.column("hash", sa.LargeBinary()),
)
_ENTRIES = sa.table("suppressions", sa.column("id"), sa.column("audit_head", sa.LargeBinary()))


def _chain(connection: sa.Connection) -> None:
    """Chain the trails that stand already."""
    after = -1
    while True:
        query = sa.select(_ENTRIES.c.id).where(_ENTRIES.c.id > after).order_by(_ENTRIES.c.id).limit(_AT_ONCE)
        numbers = list(connection.scalars(query))
        if not numbers:
            return
        after = numbers[-1]
        trail = sa.select(_TRAIL).where(_TRAIL.c.suppression_id.in_(numbers)).order_by(_TRAIL.c.id)
        heads: dict[int, bytes] = dict.fromkeys(numbers, b"")
        links = []
        for row in connection.execute(trail):
            heads[row.suppression_id] = _link(heads[row.suppression_id], row)
            links.append({"of": row.id, "link": heads[row.suppression_id]})
        if links:
            chained = sa.update(_TRAIL).where(_TRAIL.c.id == sa.bindparam("of"))
            connection.execute(chained.values(hash=sa.bindparam("link")), links)
        ends = sa.update(_ENTRIES).where(_ENTRIES.c.id == sa.bindparam("of"))
        connection.execute(
            ends.values(audit_head=sa.bindparam("head")), [{"of": of, "head": head} for of, head in heads.items()]
        )


def _link(previous: bytes, row: Any) -> bytes:
    # As in `store.trail`; written out, since a migration must go on meaning the same.
    parts = (previous.hex(), str(row.id), str(row.suppression_id), str(row.at), row.who, row.change, row.detail)
    text = "".join([f"{len(part)}:{part}" for part in parts])
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=32, person=b"dlr-trail").digest()

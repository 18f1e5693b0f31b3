"""When the failures of an incident came at a rate that opens it, and what is to be taken off a list by an index."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables to this release."""
    op.drop_index("ix_listed_due", table_name="listed")
    op.create_index("ix_listed_due", "listed", ["account", "list", "state", "op", "due_at"], unique=False)
    op.add_column("incidents", sa.Column("spells", sa.Text(), server_default="[]", nullable=False))
    connection = op.get_bind()
    # Those from before excuse what they excused so far: all from their first report to their end, or to the last one.
    rows = connection.execute(
        sa.text(
            "SELECT id, first_at, last_at, resolved_at FROM incidents WHERE place <> '' "
            "AND (resolved_at IS NOT NULL OR state IN ('open', 'acknowledged'))"
        )
    ).all()
    mine = sa.text("UPDATE incidents SET spells = :spells WHERE id = :id")
    for number, first, last, resolved in rows:
        spells = [[first, last if resolved is None else resolved, 0]]
        connection.execute(mine, {"spells": json.dumps(spells), "id": number})

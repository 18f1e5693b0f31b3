"""What is received in a file of its own on SQLite, and which callbacks the relay has still to take up."""

import sqlalchemy as sa
from alembic import op

from store.migrations import received

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables to this release."""
    if op.get_bind().dialect.name == "sqlite":
        received.drop(op.get_bind())
        return
    op.add_column("inbox", sa.Column("relaying", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("inbox", sa.Column("packed", sa.LargeBinary(), nullable=True))
    op.create_index("ix_inbox_relaying", "inbox", ["id"], unique=False, postgresql_where=sa.text("relaying = 1"))

"""The fingerprint of the report that makes a message known lies beside it, not in a tree of its own."""

import time

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables to this release. What is known already stays where it is looked for, too."""
    op.add_column("messages", sa.Column("fingerprint", sa.LargeBinary(32), nullable=True))
    # Nobody knows whose messages were removed since those reports came that are to be recognised.
    marks = sa.text("INSERT INTO meta (name, value) SELECT :name, :value WHERE EXISTS (SELECT 1 FROM report_keys)")
    op.get_bind().execute(marks, {"name": "messages_removed_at", "value": str(int(time.time() * 1000))})

"""The fingerprint of the report that makes a message known lies beside it, not in a tree of its own."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables to this release. What is known already stays where it is looked for, too."""
    op.add_column("messages", sa.Column("fingerprint", sa.LargeBinary(32), nullable=True))

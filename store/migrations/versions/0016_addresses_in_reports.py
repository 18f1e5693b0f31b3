"""The address of somebody of whom nothing but reports is kept lies sealed in these, not in a tree of its own."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables to this release. Addresses that are kept already stay where they are, and are found there."""
    op.add_column("reports", sa.Column("sealed", sa.LargeBinary(), nullable=True))
    op.add_column("reports", sa.Column("hint", sa.String(256), nullable=True))

"""Fewer pages for each report: large rows in the order in which they come, and one index in the order of hashes less.

Among other hashes a row of SQLite's dirties a page of its own, as often as it changes; beside those that came with it,
few. The reports on a message are found by the recipient that they share with it, but for a few.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_ORDERED = {"messages": "changed_at", "addresses": "seen_at", "sends": "sent_at"}
_WITHOUT = "WITHOUT ROWID"


def upgrade() -> None:
    """Bring the tables to this release."""
    if op.get_bind().dialect.name == "sqlite":
        for table, order in _ORDERED.items():
            _rebuild(op.get_bind(), table, order)
    op.add_column("reports", sa.Column("apart", sa.Boolean(), server_default=sa.false(), nullable=False))
    marks = sa.text(
        "UPDATE reports SET apart = true WHERE message_key <> :nobody AND NOT EXISTS (SELECT 1 FROM messages "
        "WHERE messages.key = reports.message_key AND messages.recipient = reports.recipient)"
    )
    op.get_bind().execute(marks, {"nobody": b""})
    op.drop_index("ix_reports_message", table_name="reports")
    op.create_index(
        "ix_reports_apart",
        "reports",
        ["message_key"],
        unique=False,
        sqlite_where=sa.text("apart = 1"),
        postgresql_where=sa.text("apart"),
    )


def _rebuild(connection: sa.Connection, table: str, order: str) -> None:
    """Make a table anew from its own definition, with row ids, and its indexes after the rows."""
    query = sa.text("SELECT type, sql FROM sqlite_master WHERE tbl_name = :table AND sql IS NOT NULL")
    definitions = connection.execute(query, {"table": table}).all()
    [made] = [row.sql for row in definitions if row.type == "table"]
    begins, ends = f"CREATE TABLE {table} ", made.rstrip()
    if not made.startswith(begins) or not ends.endswith(_WITHOUT):
        raise ValueError(f"the table {table} is not as this service made it: {made}")
    connection.exec_driver_sql(f"CREATE TABLE {table}_anew {ends[len(begins) : -len(_WITHOUT)]}")
    connection.exec_driver_sql(f"INSERT INTO {table}_anew SELECT * FROM {table} ORDER BY {order}")  # noqa: S608
    op.drop_table(table)
    op.rename_table(f"{table}_anew", table)
    for row in definitions:
        if row.type == "index":
            connection.exec_driver_sql(row.sql)

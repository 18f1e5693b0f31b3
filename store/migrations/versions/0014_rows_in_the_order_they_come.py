"""On SQLite, large rows in the order in which they come, found by an index, instead of in the order of their hashes.

Among other hashes a row dirties a page of its own, as often as it changes; beside those that came with it, few.
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

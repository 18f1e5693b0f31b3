"""Which statements read a table of SQLite from end to end."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, event

from store.database import Database

# The partial index holds just the callbacks that wait, and is read in its order; one row of any kind is enough to
# know that the register is in use.
_FINE = ("ix_inbox_waiting", "ix_sends_sent", "ix_sends_content", "ix_aliases_made")


def scans(database: Database, work: Callable[[], object]) -> list[tuple[str, str]]:
    """Do some work; return each of its statements that reads a table from end to end, with what SQLite says of it."""
    statements: dict[str, Any] = {}

    def note(connection: Connection, cursor: object, sql: str, values: Any, context: object, many: bool) -> None:
        statements[sql] = values[0] if many and values else values

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        work()
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
    found = []
    with database.reading() as connection:
        for sql, values in statements.items():
            if sql.split()[0] in ("SELECT", "UPDATE", "DELETE"):
                plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values).all()
                found += [(sql, row.detail) for row in plan if row.detail.startswith("SCAN")]
    return [scan for scan in found if not scan[1].endswith(_FINE)]

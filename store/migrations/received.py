"""SQLite: the file of what is received, as revision 0012 makes it, and the move of older rows into it.

A commit in both files may reach the disk in the main one alone. So rows are copied and committed first, and only then
dropped where they were.
"""

from typing import Final

from sqlalchemy import Connection, text

from store.errors import Unavailable
from store.sqlite import has_received

_TABLES: Final = (
    """
    CREATE TABLE IF NOT EXISTS received.inbox (
        id BIGINT NOT NULL PRIMARY KEY,
        account VARCHAR(64) NOT NULL,
        channel VARCHAR(32) NOT NULL,
        received_at BIGINT NOT NULL,
        content_type VARCHAR(255) NOT NULL,
        headers BLOB NOT NULL,
        body BLOB NOT NULL,
        body_hash BLOB NOT NULL,
        trusted BOOLEAN NOT NULL,
        items INTEGER NOT NULL,
        state VARCHAR(12) NOT NULL,
        waiting INTEGER NOT NULL,
        owner VARCHAR(64) NOT NULL,
        lease_until BIGINT NOT NULL,
        attempts INTEGER NOT NULL,
        alone_attempts INTEGER NOT NULL,
        relaying INTEGER NOT NULL DEFAULT 0,
        packed BLOB
    )
    """,
    "CREATE INDEX IF NOT EXISTS received.ix_inbox_waiting ON inbox (id) WHERE waiting = 1",
    "CREATE INDEX IF NOT EXISTS received.ix_inbox_relaying ON inbox (id) WHERE relaying = 1",
    "CREATE INDEX IF NOT EXISTS received.ix_inbox_body ON inbox (body_hash)",
    """
    CREATE TABLE IF NOT EXISTS received.quarantine (
        id BIGINT NOT NULL PRIMARY KEY,
        account VARCHAR(64) NOT NULL,
        callback_id BIGINT NOT NULL,
        item_index INTEGER NOT NULL,
        channel VARCHAR(32) NOT NULL,
        reason TEXT NOT NULL,
        kept_at BIGINT NOT NULL,
        state VARCHAR(12) NOT NULL,
        UNIQUE (callback_id, item_index)
    )
    """,
    "CREATE INDEX IF NOT EXISTS received.ix_quarantine_state ON quarantine (state, id)",
)
_MOVED: Final = ("inbox", "quarantine")


SINCE: Final = "0012"
"""The revision from which on these tables lie in their own file."""


def make(connection: Connection) -> None:
    """Make the tables, where they are not there yet."""
    for statement in _TABLES:
        connection.execute(text(statement))


def copy(connection: Connection) -> None:
    """Copy what the main file still holds of them. To be committed before `drop`."""
    make(connection)
    for table in _MOVED:
        if names := _columns(connection, table):
            connection.execute(
                text(f"INSERT OR IGNORE INTO received.{table} ({names}) SELECT {names} FROM main.{table}")  # noqa: S608
            )


def is_copied(connection: Connection) -> bool:
    """Whether nothing is left in the main file alone."""
    return not any(_left(connection, table) for table in _MOVED if _columns(connection, table))


def drop(connection: Connection) -> None:
    """Drop them in the main file. Raises `Unavailable` where that would lose something."""
    make(connection)
    if not is_copied(connection):
        raise Unavailable("the older release took callbacks during the migration: end its processes, then repeat it")
    for table in _MOVED:
        connection.execute(text(f"DROP TABLE main.{table}"))


def waiting_for_main(connection: Connection) -> int:
    """Return how many callbacks there are, in a file whose main one has no tables."""
    return int(connection.scalar(text("SELECT count(*) FROM received.inbox")) or 0) if has_received(connection) else 0


def _columns(connection: Connection, table: str) -> str:
    rows = connection.execute(text(f"PRAGMA main.table_info({table})")).all()
    return ", ".join(row.name for row in rows)


def _left(connection: Connection, table: str) -> bool:
    query = f"SELECT 1 FROM main.{table} WHERE id NOT IN (SELECT id FROM received.{table}) LIMIT 1"  # noqa: S608
    return connection.execute(text(query)).first() is not None

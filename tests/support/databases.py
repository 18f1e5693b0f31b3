"""PostgreSQL databases with this release's tables, made once and used again: making one takes a good part of a second.

Each test gets a name of its own, so that what an earlier one left running finds nothing to write into any more.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import Connection

from store.database import open_database
from store.migrate import migrate_database

# Of another schema: what a test changes in the tables themselves is not mended by emptying them.
_SHAPE = """
SELECT string_agg(c.oid::text || c.relname || c.relnatts || c.relhasindex || c.relhastriggers, ',' ORDER BY c.oid)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname NOT LIKE 'pg\\_%'
AND n.nspname <> 'information_schema'
"""
_REVISION = "SELECT string_agg(version_num, ',') FROM alembic_version"
_CUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
# One request and not one for each table: hundreds of tests wait for it.
_EMPTY = """
DO $$ DECLARE name text; gone bigint; total bigint := 0; BEGIN
FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
EXECUTE format('DELETE FROM %I', name); GET DIAGNOSTICS gone = ROW_COUNT; total := total + gone;
END LOOP; PERFORM set_config('dlr.emptied', total::text, false); END $$
"""


def migrated(url: str) -> str:
    """Give the database of `url` this release's tables, as `dlr migrate` does, and return the URL."""
    database = open_database(url, synchronous="NORMAL")
    migrate_database(database)
    database.close()
    return url


class Databases:
    """The databases of one PostgreSQL server."""

    def __init__(self, url: str) -> None:
        self._server = url.rpartition("/")[0]
        self._admin = _connected(url)
        self._free: list[str] = []
        self._shapes: dict[str, tuple[Any, ...]] = {}

    def close(self) -> None:
        """Let go of the server."""
        self._admin.close()

    def empty(self) -> str:
        """Return the URL of a database without tables."""
        name = _new_name()
        self._do(f"CREATE DATABASE {name}")
        return self._url(name)

    @contextmanager
    def with_tables(self) -> Iterator[str]:
        """Lend a database with this release's tables and nothing in them."""
        name = self._free.pop() if self._free else self._made()
        try:
            yield self._url(name)
        finally:
            self._take_back(name)

    def _made(self) -> str:
        url = migrated(self.empty())
        name = url.rpartition("/")[2]
        with _connected(url) as connection:
            assert _emptied(connection) == 0, "a migration writes rows: emptied databases would lack them"
            self._shapes[name] = _shape(connection)
        return name

    def _take_back(self, old: str) -> None:
        shape, name = self._shapes.pop(old), _new_name()
        self._do(_CUT.format(name=old))
        self._do(f"ALTER DATABASE {old} RENAME TO {name}")
        with _connected(self._url(name)) as connection:
            if _shape(connection) != shape:
                return  # a test about other tables: this one is not used again
            _emptied(connection)
        self._shapes[name] = shape
        self._free.append(name)

    def _do(self, statement: str) -> None:
        self._admin.execute(statement.encode())

    def _url(self, name: str) -> str:
        return f"{self._server}/{name}"


def _new_name() -> str:
    return f"t{uuid.uuid4().hex[:12]}"


def _connected(url: str) -> Connection[Any]:
    # The driver alone: SQLAlchemy asks a server a number of things before its first statement.
    return psycopg.connect(url.replace("+psycopg", ""), autocommit=True)


def _shape(connection: Connection[Any]) -> tuple[Any, ...]:
    row = connection.execute(f"SELECT ({_SHAPE}), ({_REVISION})".encode()).fetchone()
    assert row is not None
    return tuple(row)


def _emptied(connection: Connection[Any]) -> int:
    """Delete all rows; return how many there were."""
    connection.execute(_EMPTY.encode())
    row = connection.execute("SELECT current_setting('dlr.emptied')").fetchone()
    assert row is not None
    return int(row[0])

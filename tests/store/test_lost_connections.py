"""Connections that the server ended meanwhile, and work that is written as a whole."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from store.database import Database, open_database
from store.schema import meta
from store.writes import insert_rows, select_in


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    made = open_database(database_url, pool=3)
    yield made
    made.close()


def end_connections(url: str) -> None:
    """End all connections of others, as a server that restarts does."""
    other = open_database(url)
    if not other.is_sqlite:
        with other.transaction() as connection:
            connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            )
    other.close()


def test_work_is_repeated_on_another_connection_where_the_server_has_ended_all_that_were_open(
    database: Database, database_url: str
) -> None:
    database.repeat(lambda connection: insert_rows(connection, meta, [{"name": "a", "value": "1"}]))
    several = [database.engine.connect() for _ in range(3)]
    for connection in several:
        connection.close()
    end_connections(database_url)
    found = database.repeat(lambda connection: select_in(connection, meta, "name", ["a"]), tries=2)
    assert [row.value for row in found] == ["1"]


def test_work_that_fails_in_its_midst_is_written_as_a_whole_or_not_at_all(database: Database) -> None:
    def work(connection: Connection) -> None:
        for name in ("b", "a", "a"):
            insert_rows(connection, meta, [{"name": name, "value": "1"}])

    with pytest.raises(IntegrityError):
        database.repeat(work, tries=2)
    with database.reading() as connection:
        assert not select_in(connection, meta, "name", ["a", "b"])

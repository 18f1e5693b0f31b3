"""What keeps writers out of each other's way."""

import shutil
import sqlite3
import threading
import time
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from store.database import Database, open_database
from store.errors import Unavailable
from store.vault import Vault
from tests.support.desk import desk, report
from tests.support.plans import scans


def _durability(connection: Connection) -> str:
    sqlite = connection.dialect.name == "sqlite"
    found = str(connection.execute(text("PRAGMA synchronous" if sqlite else "SHOW synchronous_commit")).scalar())
    return {"2": "on", "1": "off"}.get(found, found)


def test_only_a_commit_that_need_not_last_does_without_the_disk(
    database_url: str, request: pytest.FixtureRequest
) -> None:
    database = open_database(database_url)
    request.addfinalizer(database.close)
    seen = [
        database.repeat(_durability),
        database.repeat(_durability, lasting=False),
        database.repeat(_durability, lasting=True),
    ]
    with database.transaction() as connection:
        seen.append(_durability(connection))

    assert seen == ["on", "off", "on", "on"]


def test_what_need_not_last_is_committed_all_the_same(database: Database) -> None:
    database.repeat(lambda c: c.execute(text("INSERT INTO meta VALUES ('a', 'b')")), lasting=False)

    with database.reading() as connection:
        assert connection.execute(text("SELECT value FROM meta WHERE name = 'a'")).scalar() == "b"


class TestTheWritersLockOfSqlite:
    def test_whoever_waits_gets_it_in_the_pause_between_two_transactions(
        self, tmp_path: Path, request: pytest.FixtureRequest
    ) -> None:
        database = open_database(f"sqlite:///{tmp_path / 'busy.sqlite'}", lock_wait=timedelta(seconds=20))
        request.addfinalizer(database.close)
        with database.transaction() as connection:
            connection.execute(text("CREATE TABLE t (n INTEGER)"))
        stop = threading.Event()
        turns = 0

        def busy() -> None:
            nonlocal turns
            other = sqlite3.connect(tmp_path / "busy.sqlite", isolation_level=None, check_same_thread=False)
            while not stop.is_set():
                other.execute("BEGIN IMMEDIATE")
                time.sleep(0.03)
                other.execute("COMMIT")
                turns += 1
                time.sleep(0.006)
            other.close()

        worker = threading.Thread(target=busy)
        worker.start()
        try:
            waited = []
            for _ in range(10):
                before = turns
                with database.transaction() as connection:
                    connection.execute(text("INSERT INTO t VALUES (1)"))
                waited.append(turns - before)
        finally:
            stop.set()
            worker.join()

        # Turns, not seconds: SQLite's own waiting misses several of the other's pauses in a row.
        assert sorted(waited)[len(waited) // 2] <= 2

    def test_whoever_waits_too_long_is_told_so(self, tmp_path: Path, request: pytest.FixtureRequest) -> None:
        database = open_database(f"sqlite:///{tmp_path / 'held.sqlite'}", lock_wait=timedelta(milliseconds=100))
        request.addfinalizer(database.close)
        other = sqlite3.connect(tmp_path / "held.sqlite", isolation_level=None)
        request.addfinalizer(other.close)
        other.execute("BEGIN IMMEDIATE")

        with pytest.raises(Unavailable), database.transaction():
            pass


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_no_statement_of_a_drain_reads_a_table_from_end_to_end(database: Database, vault: Vault) -> None:
    # PostgreSQL reads small tables from end to end whatever their keys.
    worker = desk(database, vault)

    def drain() -> None:
        worker.handle(report("m-1", status=9, error=27), report("m-2", status=9, error=1))
        worker.handle(report("m-1"), report("m-2"), report("m-3", status=9, error=13))

    assert scans(database, drain) == []


def test_the_write_ahead_log_is_copied_into_the_database_aside(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'log.sqlite'}")
    request.addfinalizer(database.close)
    with database.transaction() as connection:
        connection.execute(text("CREATE TABLE t (n INTEGER)"))
    without_log = tmp_path / "copy.sqlite"
    shutil.copy(tmp_path / "log.sqlite", without_log)
    assert "t" not in _tables(without_log)

    database.tidy()

    shutil.copy(tmp_path / "log.sqlite", without_log)
    assert "t" in _tables(without_log)


def _tables(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as connection:
        return {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}

"""SQLite's two files: what is received waits for nothing that is decided, and moves there from older releases whole."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import func, insert, select, text

from store import inbox, migrate
from store.database import Database, open_database
from store.errors import HalfThere, Unavailable
from store.inbox import Arrival
from store.migrations import received
from store.revision import require_migrated, revision_of
from store.schema import inbox as table
from store.schema import meta, quarantine
from store.sqlite import RECEIVED, WHOLE, received_file
from store.vault import Vault

NOW = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def arrival(body: bytes = b"{}") -> Arrival:
    return Arrival("main", "sms", "application/json", body, NOW, True, faults=[(0, "no id")])


def keep(database: Database, vault: Vault) -> int:
    with database.transaction(RECEIVED) as connection:
        return inbox.keep(connection, vault, arrival())


def test_a_callback_is_kept_while_a_worker_writes(database: Database, database_url: str, vault: Vault) -> None:
    endpoint = open_database(database_url, lock_wait=timedelta(milliseconds=200))
    with database.transaction() as connection:
        connection.execute(insert(meta).values(name="deciding", value="1"))
        number = keep(endpoint, vault)
        with endpoint.reading() as reader:
            assert reader.scalars(select(table.c.id)).all() == [number]
        with pytest.raises(Unavailable), endpoint.transaction():
            pass
    endpoint.close()


def test_a_worker_writes_while_a_callback_is_kept(database: Database, database_url: str, vault: Vault) -> None:
    worker = open_database(database_url, lock_wait=timedelta(milliseconds=200))
    with database.transaction(RECEIVED) as connection:
        inbox.keep(connection, vault, arrival())
        with worker.transaction() as other:
            other.execute(insert(meta).values(name="deciding", value="1"))
        with pytest.raises(Unavailable), worker.transaction(RECEIVED):
            pass
    worker.close()


def test_who_writes_both_waits_for_the_second_file_and_then_holds_it(
    database: Database, database_url: str, vault: Vault
) -> None:
    number = keep(database, vault)
    other = open_database(database_url, lock_wait=timedelta(milliseconds=50))
    holding = other.transaction(RECEIVED)
    holding.__enter__()
    release = threading.Timer(0.3, holding.__exit__, (None, None, None))
    release.start()
    with database.transaction() as connection:
        connection.execute(insert(meta).values(name="deciding", value="1"))
        connection.execute(table.update().where(table.c.id == number).values(channel="email"))
        release.join()
        with pytest.raises(Unavailable):
            keep(other, vault)
    other.close()
    with database.reading() as connection:
        assert connection.scalar(select(table.c.channel)) == "email"


def test_the_files_lie_side_by_side(database_url: str, tmp_path: Path) -> None:
    assert received_file("/var/lib/dlr/dlr.sqlite") == "/var/lib/dlr/dlr.received.sqlite"
    assert received_file("/srv/reports") == "/srv/reports.received"
    with pytest.raises(ValueError, match=r"write sqlite:////the/path"):
        open_database("sqlite:///file:/srv/reports.sqlite?uri=true")


class TestAnOlderRelease:
    """What an older release received lies in the main file."""

    @pytest.fixture
    def older(self, database_url: str) -> Database:
        database = open_database(database_url, synchronous="NORMAL")
        with database.transaction(WHOLE) as connection:
            config = Config()
            config.set_main_option("script_location", str(migrate._FOLDER))
            config.attributes["connection"] = connection
            command.upgrade(config, "0008")
        return database

    @staticmethod
    def receive(database: Database, number: int) -> None:
        with database.transaction(WHOLE) as connection:
            connection.execute(
                text(
                    "INSERT INTO main.inbox VALUES (:id, 'main', 'sms', 1, 'application/json', x'00', x'01', x'02', 1,"
                    " 1, 'new', 1, '', 0, 0, 0)"
                ),
                {"id": number},
            )
            connection.execute(
                text("INSERT INTO main.quarantine VALUES (:id, 'main', :id, 0, 'sms', 'no id', 1, 'open')"),
                {"id": number},
            )

    @staticmethod
    def there(database: Database) -> tuple[int, int]:
        with database.reading() as connection:
            counts = [connection.scalar(select(func.count()).select_from(one)) for one in (table, quarantine)]
            assert connection.scalar(text("SELECT count(*) FROM main.sqlite_master WHERE name = 'inbox'")) == 0
        return counts[0] or 0, counts[1] or 0

    def test_has_its_callbacks_moved(self, older: Database) -> None:
        for number in range(1, 41):
            self.receive(older, number)
        migrate.migrate_database(older)
        assert self.there(older) == (40, 40)
        with older.reading() as connection:
            assert connection.scalar(select(func.max(table.c.relaying))) == 0
        older.close()

    def test_has_its_callbacks_moved_after_a_crash_in_between(self, older: Database) -> None:
        self.receive(older, 1)
        with older.transaction(WHOLE) as connection:
            received.copy(connection)
        self.receive(older, 2)
        migrate.migrate_database(older)
        assert self.there(older) == (2, 2)
        older.close()

    def test_loses_nothing_that_its_endpoint_takes_meanwhile(self, older: Database) -> None:
        with older.transaction(WHOLE) as connection:
            received.copy(connection)
        self.receive(older, 1)
        with pytest.raises(Unavailable, match="older release"), older.transaction(WHOLE) as connection:
            received.drop(connection)
        migrate.migrate_database(older)
        assert self.there(older) == (1, 1)
        older.close()


class TestOneOfTheFilesAlone:
    def test_without_what_was_received_nothing_starts_before_somebody_says_so(
        self, database: Database, database_url: str, vault: Vault, tmp_path: Path
    ) -> None:
        keep(database, vault)
        database.close()
        for file in tmp_path.glob("dlr.received.sqlite*"):
            file.unlink()
        alone = open_database(database_url, synchronous="NORMAL")
        with pytest.raises(HalfThere, match=r"dlr\.received\.sqlite is missing.*--without-received"):
            require_migrated(alone)
        for _ in range(2):
            with pytest.raises(HalfThere, match="--without-received"):
                migrate.migrate_database(alone)
        migrate.migrate_database(alone, without_received=True)
        require_migrated(alone)
        assert inbox.claim(alone, vault, "a", NOW).callbacks == []
        alone.close()

    def test_without_the_main_file_no_new_one_is_made_beside_its_callbacks(
        self, database: Database, database_url: str, vault: Vault, tmp_path: Path
    ) -> None:
        keep(database, vault)
        database.close()
        for name in ("dlr.sqlite", "dlr.sqlite-wal", "dlr.sqlite-shm"):
            (tmp_path / name).unlink(missing_ok=True)
        alone = open_database(database_url, synchronous="NORMAL")
        for _ in range(2):
            with pytest.raises(HalfThere, match=r"dlr\.received\.sqlite beside it holds 1 of its callbacks"):
                migrate.migrate_database(alone)
        with alone.reading() as connection:
            assert revision_of(connection) is None
        alone.close()

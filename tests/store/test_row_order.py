"""On SQLite, rows that come together lie together, and an older release's are brought into that order."""

import os
import socket
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, select, text

from store import inbox, migrate
from store.database import Database, open_database
from store.schema import addresses, messages, sends
from store.vault import Vault
from tests.suppress.test_migration import at_revision

PAGE = 4096


def a_message(number: int) -> dict[str, object]:
    at = datetime.fromtimestamp(1_790_000_000 + number, UTC)
    return {
        "key": os.urandom(16),
        "account": "main",
        "message_id": f"m-{number}",
        "recipient": os.urandom(16),
        "channel": "sms",
        "state": "pending",
        "legs": '{"": ["pending", 1790000000000]}',
        "resends": 0,
        "purpose": "undeclared",
        "sender": "Shop",
        "mcc_mnc": "23410",
        "first_at": at,
        "changed_at": at,
    }


def pages_written(folder: Path) -> int:
    """Return how many pages the write-ahead log holds, repeated ones included."""
    return (folder / "dlr.sqlite-wal").stat().st_size // (PAGE + 24)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_messages_that_change_together_dirty_few_pages(database: Database, tmp_path: Path) -> None:
    rows = [a_message(number) for number in range(5_000)]
    with database.transaction() as connection:
        connection.execute(insert(messages), rows)
    with closing(sqlite3.connect(tmp_path / "dlr.sqlite")) as beside:
        beside.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with database.transaction() as connection:
        newest = [row["key"] for row in rows[-200:]]
        connection.execute(messages.update().where(messages.c.key.in_(newest)).values(state="delivered"))

    # Some fifteen to twenty of them have a page together.
    assert pages_written(tmp_path) < 40


def test_what_an_older_release_kept_is_all_there_and_is_found(database_url: str) -> None:
    opened = at_revision(database_url, "0013")
    kept = [a_message(number) for number in range(50)]
    sealed = {"hash": os.urandom(16), "sealed": b"s", "tail": "23", "domain": "", "seen_at": datetime.now(UTC)}
    with opened.transaction() as connection:
        connection.execute(insert(messages), kept)
        connection.execute(insert(addresses), [sealed])
    migrate.migrate_database(opened)
    opened.close()

    again = open_database(database_url, synchronous="NORMAL")
    with again.reading() as connection:
        assert {row.key: row.message_id for row in connection.execute(select(messages))} == {
            row["key"]: row["message_id"] for row in kept
        }
        assert [row.tail for row in connection.execute(select(addresses))] == ["23"]
        assert connection.execute(select(sends)).all() == []
        if again.is_sqlite:
            plan = "EXPLAIN QUERY PLAN SELECT * FROM messages WHERE "
            for column, index in (("message_id", "ix_messages_id"), ("changed_at", "ix_messages_changed")):
                [step] = connection.execute(text(f"{plan} {column} = 1")).all()
                assert index in step.detail
            named = text("SELECT name FROM sqlite_master WHERE sql LIKE '%WITHOUT ROWID'")
            assert not {"messages", "addresses", "sends"} & set(connection.scalars(named))
    again.close()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_key_is_still_there_only_once(database: Database) -> None:
    with database.transaction() as connection:
        connection.execute(insert(messages), [a_message(1)])
    with database.reading() as connection:
        [step] = connection.execute(text("EXPLAIN QUERY PLAN SELECT * FROM messages WHERE key = x'00'")).all()
    assert "sqlite_autoindex_messages_1" in step.detail


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_neither_claim_nor_end_writes_a_callbacks_body_anew(database: Database, vault: Vault, tmp_path: Path) -> None:
    body = os.urandom(16 * PAGE)
    arrival = inbox.Arrival("main", "sms", "application/json", body, datetime.now(UTC), trusted=True)
    with database.transaction() as connection:
        numbers = [inbox.keep(connection, vault, arrival) for _ in range(20)]
    log = tmp_path / "dlr.received.sqlite-wal"
    before = log.stat().st_size
    owner = f"{socket.gethostname()[:24]}:{os.getpid()}:1:abcdef"
    assert len(inbox.claim(database, vault, owner, datetime.now(UTC)).callbacks) == 20
    assert inbox.finish(database, owner, numbers)
    # Of 17 pages each has two that change, the one with its header and the one with its end, and that twice.
    assert (log.stat().st_size - before) / (PAGE + 24) < 20 * 2 * 3


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_only_what_comes_back_to_the_same_pages_keeps_many_of_them(database: Database) -> None:
    def kept(connection: Connection) -> int:
        return -int(connection.execute(text("PRAGMA main.cache_size")).scalar_one())

    before = database.repeat(kept)
    with database.reading() as other:
        slices = database.repeat(kept, by_keys=True)
        aside = kept(other)
    assert before == aside < slices

"""SQLite: two files with a writer each, and how a transaction takes its turn.

SQLite has one writer a file. What is received lies in a file of its own, so that a callback never waits for the
transaction in which a worker decides, or for a purge. Whoever writes both takes the main file first, so that nobody
waits in a circle. A commit in both is one in each, the main file's first: after a crash between the two, what was
received is simply still to be done.
"""

import random
import sqlite3
import time
from pathlib import PurePath
from typing import Any, Final

from sqlalchemy import Connection, Engine, event, inspect

MAIN: Final = "main"
RECEIVED: Final = "received"
WHOLE: Final = "whole"

# Seconds. A look costs some 20 us, a worker's pause between two transactions is some milliseconds long.
_LOOK_AGAIN: Final = 0.001
_READERS_WAIT_MS: Final = 250
# For the other file, whose writers are quick.
_WRITERS_WAIT_MS: Final = 5_000
# The write-ahead log is copied into the database by `Database.tidy`, out of everybody's way. Only where that could
# not keep up for 200 MiB does a commit do it.
_WAL_PAGES: Final = 50_000
# A statement that changes nothing takes the lock of its own file; `BEGIN IMMEDIATE` would take those of both.
_TAKE: Final = {
    MAIN: ("BEGIN", "UPDATE main.meta SET value = value WHERE 0"),
    RECEIVED: ("BEGIN", "UPDATE received.inbox SET items = items WHERE 0"),
    WHOLE: ("BEGIN IMMEDIATE",),
}
_FILES: Final = (MAIN, RECEIVED)
_CACHE_KIB: Final = 16_000
# Slices of reports come back to nearly all pages of their indexes: what is not kept is read anew for each slice. Only
# what is needed is taken (bench/README.md).
_WIDE_KIB: Final = 64_000


def received_file(path: str | None) -> str:
    """Return the path of the file of what is received, beside the main one at `path`.

    Raises `ValueError` where `path` is no plain path.
    """
    if not path or path == ":memory:":
        return ":memory:"
    if path.startswith("file:"):
        raise ValueError("DLR_DATABASE_URL names an SQLite URI (file:...): write sqlite:////the/path instead")
    main = PurePath(path)
    return str(main.with_name(f"{main.stem}.received{main.suffix}"))


def prepare(engine: Engine, synchronous: str, lock_wait: float) -> None:
    """Let each connection of `engine` have both files, and each transaction the lock that it asks for.

    `lock_wait` is in seconds. Raises `ValueError` where `synchronous` is nothing that SQLite knows.
    """
    if synchronous.upper() not in ("FULL", "NORMAL", "EXTRA"):
        raise ValueError(f"DLR_SQLITE_SYNCHRONOUS is {synchronous!r}: write FULL or NORMAL")
    received = received_file(engine.url.database)

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute(f"ATTACH ? AS {RECEIVED}", (received,))
        for file in _FILES:
            cursor.execute(f"PRAGMA {file}.journal_mode=WAL")
            cursor.execute(f"PRAGMA {file}.synchronous={synchronous.upper()}")
        for pragma in (
            "foreign_keys=ON",
            "temp_store=MEMORY",
            f"main.cache_size=-{_CACHE_KIB}",
            f"wal_autocheckpoint={_WAL_PAGES}",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    # The driver's own BEGIN is deferred: two readers that then write would deadlock with "database is locked".
    # Taking the writer's lock at once makes every transaction wait its turn instead.
    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        if options.get("dlr_read_only", False):
            connection.exec_driver_sql(f"PRAGMA busy_timeout={_READERS_WAIT_MS}")
            connection.exec_driver_sql("BEGIN")
            return
        if options.get("dlr_by_keys", False) and not connection.info.get("wide", False):
            connection.exec_driver_sql(f"PRAGMA main.cache_size=-{_WIDE_KIB}")
            connection.info["wide"] = True
        wanted = synchronous if options.get("dlr_lasting", True) else "NORMAL"
        if connection.info.get("synchronous", synchronous) != wanted:
            driver = connection.connection.driver_connection
            assert driver is not None
            for file in _FILES:
                driver.execute(f"PRAGMA {file}.synchronous={wanted}")
            connection.info["synchronous"] = wanted
        _take_lock(connection, options.get("dlr_lock", MAIN), time.monotonic() + lock_wait)


def file_names(connection: Connection) -> tuple[str, str]:
    """Return what the two files are called: the main one, and that of what is received."""
    main = connection.engine.url.database
    return PurePath(main or "").name, PurePath(received_file(main)).name


def has_received(connection: Connection) -> bool:
    """Whether the file of what is received has its tables. Always true on PostgreSQL, where there is one database."""
    return connection.dialect.name != "sqlite" or inspect(connection).has_table("inbox", schema=RECEIVED)


def touch_received(connection: Connection) -> None:
    """Change the file of what is received where nobody looks, so that the commit proves that it can be written."""
    connection.exec_driver_sql(f"PRAGMA {RECEIVED}.user_version = {int(time.time()) & 0x7FFFFFFF}")


def _take_lock(connection: Connection, lock: str, until: float) -> None:
    """Begin as the one writer. Raises `OperationalError` once `until` has passed.

    SQLite's own waiting looks after ever longer pauses, up to a tenth of a second, and so misses the moments between
    a busy worker's transactions: whoever has a short one to make would wait for several of them.
    """
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.execute("PRAGMA busy_timeout=0")
    while time.monotonic() < until:
        try:
            for statement in _TAKE[lock]:
                driver.execute(statement)
        except sqlite3.OperationalError as error:
            if driver.in_transaction:
                driver.execute("ROLLBACK")
            if "no such table" in str(error):
                lock = WHOLE
                continue
            if "locked" not in str(error):
                break
            time.sleep(random.uniform(0.5, 1.5) * _LOOK_AGAIN)  # noqa: S311 - no secret depends on it
        else:
            driver.execute(f"PRAGMA busy_timeout={_WRITERS_WAIT_MS}")
            return
    # Once more through SQLAlchemy, whose error everybody here knows.
    connection.exec_driver_sql("BEGIN IMMEDIATE")

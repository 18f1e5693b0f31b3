"""Open the database, and run transactions that behave alike on SQLite and PostgreSQL."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, DisconnectionError, IntegrityError, OperationalError, SQLAlchemyError

from store.errors import Unavailable

T = TypeVar("T")

_DEFAULT_WAIT: Final = timedelta(seconds=10)
_LONGEST_STATEMENT: Final = timedelta(seconds=60)
# PostgreSQL's serialization failure, deadlock and lock timeout: the transaction is gone and may be repeated.
_REPEATABLE: Final = frozenset({"40001", "40P01", "55P03"})


class Database:
    """One process's access to the database. Open it after a fork: connections must not be shared by processes."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.is_sqlite = engine.dialect.name == "sqlite"

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Open a writing transaction; commit at the end, roll back on any exception.

        Raises `Unavailable` where the database cannot be reached, stays locked, or cannot write.
        """
        try:
            with self.engine.begin() as connection:
                yield connection
        except (OperationalError, DisconnectionError) as error:
            raise Unavailable(_short(error)) from error

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a connection to read from, without taking the writer's lock. Raises `Unavailable` as above."""
        try:
            with self.engine.connect() as connection:
                yield connection.execution_options(dlr_read_only=True)
        except (OperationalError, DisconnectionError) as error:
            raise Unavailable(_short(error)) from error

    def repeat(self, work: Callable[[Connection], T], tries: int = 6) -> T:
        """Run `work` in a transaction, and again when another writer got in its way (deadlock, busy, same id)."""
        for attempt in range(1, tries + 1):
            try:
                with self.engine.begin() as connection:
                    return work(connection)
            except DBAPIError as error:
                if attempt == tries or not is_repeatable(error):
                    if isinstance(error, OperationalError):
                        raise Unavailable(_short(error)) from error
                    raise
                # Two writers that met once would meet again without a random wait.
                time.sleep(random.uniform(0, 0.02 * 2**attempt))  # noqa: S311 - no secret depends on it
        raise AssertionError("unreachable")

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def is_repeatable(error: DBAPIError) -> bool:
    """Whether the same transaction may succeed when it is simply run again."""
    if isinstance(error, IntegrityError):
        return True
    state = getattr(error.orig, "sqlstate", None)
    return state in _REPEATABLE or "locked" in str(error.orig) or "busy" in str(error.orig)


def open_database(
    url: str,
    *,
    synchronous: str = "FULL",
    lock_wait: timedelta = _DEFAULT_WAIT,
    statement_timeout: timedelta = _LONGEST_STATEMENT,
    pool: int = 16,
) -> Database:
    """Open the database at an SQLAlchemy URL. Nothing is contacted before the first use.

    `synchronous` is SQLite's: FULL means that a committed callback survives a power cut. `lock_wait` bounds the wait
    for another writer on either database, `statement_timeout` a statement on PostgreSQL.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        connect: dict[str, Any] = {
            "timeout": lock_wait.total_seconds(),
            "isolation_level": None,
            "check_same_thread": False,
        }
        engine = create_engine(parsed, connect_args=connect, pool_size=pool, max_overflow=0, hide_parameters=True)
        _prepare_sqlite(engine, synchronous)
    else:
        lock, statement = (round(span.total_seconds() * 1000) for span in (lock_wait, statement_timeout))
        connect = {
            "connect_timeout": 3,
            # A server that vanished without closing its connections must not hold a thread for a quarter of an hour.
            "tcp_user_timeout": statement + 5_000,
            "options": f"-c lock_timeout={lock} -c statement_timeout={statement}",
        }
        engine = create_engine(
            parsed, connect_args=connect, pool_size=pool, max_overflow=0, pool_pre_ping=True, hide_parameters=True
        )
    return Database(engine)


def _prepare_sqlite(engine: Engine, synchronous: str) -> None:
    if synchronous.upper() not in ("FULL", "NORMAL", "EXTRA"):
        raise ValueError(f"DLR_SQLITE_SYNCHRONOUS is {synchronous!r}: write FULL or NORMAL")

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, record: Any) -> None:
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            f"synchronous={synchronous.upper()}",
            "foreign_keys=ON",
            "temp_store=MEMORY",
            "cache_size=-16000",
            "wal_autocheckpoint=4000",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    # The driver's own BEGIN is deferred: two readers that then write would deadlock with "database is locked".
    # Taking the writer's lock at once makes every transaction wait its turn instead.
    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        reading = connection.get_execution_options().get("dlr_read_only", False)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _short(error: SQLAlchemyError) -> str:
    """Return the driver's own message: SQLAlchemy's would show the statement and its parameters, addresses included."""
    cause = getattr(error, "orig", None) or error
    return str(cause).strip().splitlines()[0] if str(cause).strip() else type(cause).__name__

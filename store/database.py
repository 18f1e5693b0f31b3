"""Open the database, and run transactions that behave alike on SQLite and PostgreSQL."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, inspect
from sqlalchemy.engine import make_url
from sqlalchemy.exc import (
    DBAPIError,
    DisconnectionError,
    IntegrityError,
    InvalidatePoolError,
    OperationalError,
    SQLAlchemyError,
)

from store import sqlite
from store.errors import Unavailable

T = TypeVar("T")

_DEFAULT_WAIT: Final = timedelta(seconds=10)
_LONGEST_STATEMENT: Final = timedelta(seconds=60)
# Seconds of rest after which a connection is asked whether it is still there.
_TRUSTED: Final = 1.0
# A statement's plan is kept as long as its connection. One made while a table was all but empty would read it from end
# to end, for each of many values, until somebody analyses it (bench/README.md). So it is planned anew, whoever else had
# it planned, and by an index. A small table without one is read as ever, but counted as so dear then that the server
# would compile the plan.
_BY_KEYS: Final = {"enable_seqscan": "off", "jit": "off", "plan_cache_mode": "force_custom_plan"}
# PostgreSQL's serialization failure, deadlock and lock timeout: the transaction is gone and may be repeated.
_REPEATABLE: Final = frozenset({"40001", "40P01", "55P03"})


class Database:
    """One process's access to the database. Open it after a fork: connections must not be shared by processes."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.is_sqlite = engine.dialect.name == "sqlite"

    @contextmanager
    def transaction(self, lock: str = sqlite.MAIN) -> Iterator[Connection]:
        """Open a writing transaction; commit at the end, roll back on any exception.

        `lock` says for which of SQLite's files to wait first (`store.sqlite`); on PostgreSQL it means nothing.
        Raises `Unavailable` where the database cannot be reached, stays locked, or cannot write.
        """
        try:
            with self.engine.connect() as connection:
                connection.execution_options(dlr_lock=lock)
                with connection.begin():
                    yield connection
        except (OperationalError, DisconnectionError) as error:
            raise Unavailable(_short(error)) from error

    @contextmanager
    def reading(self, *, by_keys: bool = False) -> Iterator[Connection]:
        """Open a connection to read from, without taking the writer's lock. Raises `Unavailable` as above.

        `by_keys` is as in `repeat`.
        """
        try:
            with self.engine.connect() as connection:
                yield connection.execution_options(dlr_read_only=True, dlr_by_keys=by_keys)
        except (OperationalError, DisconnectionError) as error:
            raise Unavailable(_short(error)) from error

    def repeat(
        self,
        work: Callable[[Connection], T],
        tries: int = 6,
        *,
        lasting: bool = True,
        by_keys: bool = False,
        lock: str = sqlite.MAIN,
    ) -> T:
        """Run `work` in a transaction, and again when another writer got in its way (deadlock, busy, same id).

        `lock` is as in `transaction`. Without `lasting` the commit does not wait for the disk: a power cut may undo
        the newest such transactions (of one SQLite file), each as a whole and none without all later ones. That is
        for work whose own input comes back with it; any lasting commit later on makes the earlier ones last as well.
        `by_keys` says that all of the work's rows are to be found by an index.
        """
        for attempt in range(1, tries + 1):
            done = False
            try:
                with self.engine.connect() as connection:
                    connection.execution_options(dlr_lasting=lasting, dlr_by_keys=by_keys, dlr_lock=lock)
                    with connection.begin():
                        result = work(connection)
                        done = True
                    return result
            except DBAPIError as error:
                # A connection that ended before its commit was sent has changed nothing.
                lost = error.connection_invalidated and not done
                if attempt == tries or not (lost or is_repeatable(error)):
                    if isinstance(error, OperationalError):
                        raise Unavailable(_short(error)) from error
                    raise
                # Two writers that met once would meet again without a random wait.
                time.sleep(random.uniform(0, 0.02 * 2**attempt))  # noqa: S311 - no secret depends on it
        raise AssertionError("unreachable")

    def carry(self, **options: Any) -> None:
        """Let every connection carry these from now on; `store.events` looks there for who wants to hear of events."""
        self.engine.update_execution_options(**options)

    def tables(self) -> set[str]:
        """Return the names of all tables there are. Raises `Unavailable`."""
        with self.reading() as connection:
            look = inspect(connection)
            found = set(look.get_table_names())
            return found | set(look.get_table_names(schema=sqlite.RECEIVED)) if self.is_sqlite else found

    def tidy(self) -> None:
        """Copy SQLite's write-ahead log into the database, as far as that works without waiting for anybody."""
        if self.is_sqlite:
            with self.reading() as connection:
                driver = connection.connection.driver_connection
                assert driver is not None
                connection.rollback()
                driver.execute("PRAGMA wal_checkpoint(PASSIVE)")

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
        sqlite.prepare(engine, synchronous, lock_wait.total_seconds())
    else:
        lock, statement = (round(span.total_seconds() * 1000) for span in (lock_wait, statement_timeout))
        connect = {
            "connect_timeout": 3,
            # A server that vanished without closing its connections must not hold a thread for a quarter of an hour.
            "tcp_user_timeout": statement + 5_000,
            "options": f"-c lock_timeout={lock} -c statement_timeout={statement}",
        }
        engine = create_engine(parsed, connect_args=connect, pool_size=pool, max_overflow=0, hide_parameters=True)
        _prepare_postgresql(engine)
    return Database(engine)


def _prepare_postgresql(engine: Engine) -> None:
    # The server may have ended a connection meanwhile. To ask takes as long as a statement, so what was in use a moment
    # ago is trusted: `repeat` takes another connection where that was wrong, and then all that rested are asked.
    lost_at = float("-inf")

    @event.listens_for(engine, "invalidate")
    def _lost(driver: Any, record: Any, error: Any) -> None:
        nonlocal lost_at
        lost_at = time.monotonic()

    @event.listens_for(engine, "checkin")
    def _rests(driver: Any, record: Any) -> None:
        record.info["rests_since"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _leaves(driver: Any, record: Any, _: Any) -> None:
        since = record.info.get("rests_since", float("inf"))
        if since < max(lost_at, time.monotonic() - _TRUSTED):
            try:
                engine.dialect.do_ping(driver)
            except engine.dialect.loaded_dbapi.Error:
                raise InvalidatePoolError from None

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        wanted = {} if options.get("dlr_lasting", True) else {"synchronous_commit": "off"}
        if options.get("dlr_by_keys", False):
            wanted |= _BY_KEYS
        if wanted:
            calls = ",".join(f"set_config('{name}', '{value}', true)" for name, value in wanted.items())
            connection.exec_driver_sql(f"SELECT {calls}")


def _short(error: SQLAlchemyError) -> str:
    """Return the driver's own message: SQLAlchemy's would show the statement and its parameters, addresses included."""
    cause = getattr(error, "orig", None) or error
    return str(cause).strip().splitlines()[0] if str(cause).strip() else type(cause).__name__

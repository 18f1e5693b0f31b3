"""Plain SQL, handed to the database's driver itself, within the transaction of an SQLAlchemy connection.

SQLAlchemy describes the result of each such statement anew, which takes a hundred microseconds: ten times what SQLite
needs to find a row (bench/README.md).
"""

from collections import namedtuple
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NoReturn

from sqlalchemy import Connection, CursorResult
from sqlalchemy.exc import DBAPIError


def command(connection: Connection, sql: str) -> None:
    """Execute a statement that returns nothing. Raises what SQLAlchemy would raise."""
    _execute(connection, sql, ())


def write(connection: Connection, sql: str, rows: Sequence[Sequence[Any]]) -> int:
    """Execute a statement for each of the rows; return how many rows it wrote."""
    return int(_execute(connection, sql, rows[0] if len(rows) == 1 else list(rows)).rowcount)


def returned(connection: Connection, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """Return all rows of a statement."""
    return list(map(tuple, _all_of(connection, sql, _execute(connection, sql, parameters))))


def fetch(connection: Connection, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
    """Return all rows of a query, as named tuples."""
    cursor = _execute(connection, sql, parameters)
    make = _row_of(_columns(cursor))
    return [make(row) for row in _all_of(connection, sql, cursor)]


@cache
def _row_of(names: tuple[str, ...]) -> Callable[[Any], Any]:
    made: Any = namedtuple("Row", names)  # type: ignore[misc]  # the names are the columns'
    make: Callable[[Any], Any] = made._make
    return make


def _execute(connection: Connection, sql: str, parameters: Any) -> Any:
    """Return the driver's cursor. `parameters` are those of one execution, or a list of them for many."""
    if connection.dispatch.before_cursor_execute or connection.dispatch.after_cursor_execute:
        return connection.exec_driver_sql(sql, parameters)  # for whoever listens to all statements
    if not connection.in_transaction():
        connection.begin()
    try:
        cursor = connection.connection.cursor()
        (cursor.executemany if isinstance(parameters, list) else cursor.execute)(sql, parameters)
    except connection.dialect.loaded_dbapi.Error as error:
        _fail(connection, sql, error)
    return cursor


def _columns(cursor: Any) -> tuple[str, ...]:
    if isinstance(cursor, CursorResult):
        return tuple(cursor.keys())
    return tuple([column[0] for column in cursor.description])


def _all_of(connection: Connection, sql: str, cursor: Any) -> Any:
    try:
        return cursor.fetchall()
    except connection.dialect.loaded_dbapi.Error as error:
        _fail(connection, sql, error)


def _fail(connection: Connection, sql: str, error: Exception) -> NoReturn:
    """Raise the error as SQLAlchemy wraps it, and give up a connection that has ended."""
    dialect, base = connection.dialect, connection.dialect.loaded_dbapi.Error
    driver: Any = connection.connection.dbapi_connection
    ended = dialect.is_disconnect(error, driver, None)  # type: ignore[arg-type]  # it is the driver's own error
    if ended:
        connection.invalidate(error)
    raise DBAPIError.instance(
        sql, None, error, base, hide_parameters=True, connection_invalidated=ended, dialect=dialect
    ) from error

"""Multi-row statements that read the same for both databases.

They are handed to the driver as plain SQL: SQLAlchemy's own parameter processing costs more for 500 rows than either
database needs to store them (measured in bench/README.md). Names come from the tables of `store.schema` only, values
are always bound.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from itertools import chain
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import Connection, Select, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql.dml import Insert as PostgresInsert
from sqlalchemy.dialects.sqlite.dml import Insert as SqliteInsert

from store.arrays import array_of, literal
from store.driver import command, fetch, returned, write
from store.moments import Moment, to_ms
from store.parts import in_parts

Values = Mapping[str, Any]
Line = tuple[Any, ...]
# SQLite takes no more values in one statement than 32,766.
_MOST_BOUND: Final = 30_000
# Rows that one statement writes on SQLite, where there are so many.
_TOGETHER: Final = 500
# Values that one SELECT looks up there, a power of two.
_ASKED: Final = 512


def insert_for(connection: Connection, table: Table) -> "PostgresInsert | SqliteInsert":
    """Return the database's own insert, which knows ON CONFLICT."""
    return sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)


def locked(connection: Connection, query: Select[Any], *of: Table) -> Select[Any]:
    """Let nobody else change what a query reads, or the rows of `of`, until the end of the transaction.

    What others change meanwhile is waited for and looked at anew. SQLite has only one writer anyway.
    """
    return query if connection.dialect.name == "sqlite" else query.with_for_update(of=of or None)


def insert_rows(connection: Connection, table: Table, rows: Sequence[Values]) -> None:
    """Insert all rows."""
    _insert(connection, table, rows)


def insert_new(connection: Connection, table: Table, rows: Sequence[Values]) -> None:
    """Insert the rows whose keys are not there yet."""
    _insert(connection, table, rows, " ON CONFLICT DO NOTHING")


def insert_lines(
    connection: Connection, table: Table, names: tuple[str, ...], lines: Sequence[Line], *, if_new: bool = False
) -> None:
    """Insert rows that are lines already: values in the order of `names`, times in milliseconds.

    For what is written for every report: a line is made in a fifth of the time of a mapping, and is a third as large.
    `if_new` leaves out those whose keys are there.
    """
    _write_lines(connection, table, names, lines, " ON CONFLICT DO NOTHING" if if_new else "")


def insert_returning(
    connection: Connection, table: Table, rows: Sequence[Values], columns: Sequence[str]
) -> list[tuple[Any, ...]]:
    """Insert the rows whose keys are not there yet, and return `columns` of those that were inserted."""
    if not rows:
        return []
    names = tuple(rows[0])
    tail = f" ON CONFLICT DO NOTHING RETURNING {','.join(columns)}"
    if connection.dialect.name == "sqlite":
        if _all_were_new(connection, table, rows):
            return _lines(table, tuple(columns), rows)
        # executemany cannot return rows, one statement with all values can.
        found: list[tuple[Any, ...]] = []
        for part in in_parts(_lines(table, names, rows), _MOST_BOUND // len(names)):
            sql = _insert_of(table.name, names, len(part)) + tail
            found += returned(connection, sql, tuple(chain.from_iterable(part)))
        return found
    arrays = tuple(map(literal, _columns(table, names, rows)))
    return returned(connection, _unnest(table, names) + tail, arrays)


def _all_were_new(connection: Connection, table: Table, rows: Sequence[Values]) -> bool:
    """Insert the rows if none of their keys is there, as nearly always, and else nothing: half the work of asking."""
    command(connection, "SAVEPOINT all_new")
    if _insert(connection, table, rows, " ON CONFLICT DO NOTHING") == len(rows):
        command(connection, "RELEASE all_new")
        return True
    command(connection, "ROLLBACK TO all_new")
    command(connection, "RELEASE all_new")
    return False


def upsert(
    connection: Connection, table: Table, rows: Sequence[Values], key: Sequence[str], change: Sequence[str]
) -> None:
    """Insert the rows; where one with the same `key` is there, set its columns `change` to the new values."""
    _insert(connection, table, rows, _newer(key, change))


def upsert_lines(
    connection: Connection,
    table: Table,
    names: tuple[str, ...],
    lines: Sequence[Line],
    key: Sequence[str],
    change: Sequence[str],
) -> None:
    """Do as `upsert` with rows that are lines already, as those of `insert_lines`."""
    _write_lines(connection, table, names, lines, _newer(key, change))


def _newer(key: Sequence[str], change: Sequence[str]) -> str:
    newer = ",".join(f"{name}=excluded.{name}" for name in change)
    return f" ON CONFLICT ({','.join(key)}) DO UPDATE SET {newer}"


def widen(
    connection: Connection, table: Table, rows: Sequence[Values], key: Sequence[str], *, least: str, most: Sequence[str]
) -> None:
    """Insert the rows, each of another `key`; where one is there, let it keep the lesser `least` and greater `most`."""
    low, high = ("min", "max") if connection.dialect.name == "sqlite" else ("LEAST", "GREATEST")
    kept = [(least, low), *((name, high) for name in most)]
    wider = ",".join(f"{name}={of}({table.name}.{name},excluded.{name})" for name, of in kept)
    _insert(connection, table, rows, f" ON CONFLICT ({','.join(key)}) DO UPDATE SET {wider}")


def select_in(
    connection: Connection,
    table: Table,
    column: str,
    values: Iterable[Any],
    *,
    accounts: Iterable[str] = (),
    lock: bool = False,
    columns: Sequence[str] = (),
) -> Sequence[Any]:
    """Return the rows of `table` whose `column` is one of `values`, in the order of that column.

    `accounts` are those that the values belong to: a table whose key begins with the account is not searched without
    them, but read from end to end. `lock` keeps others from changing the rows until the end of the transaction;
    SQLite has only one writer anyway. Times come as milliseconds. Without `columns` all are read.
    """
    # What is sorted already, is sorted again at once.
    wanted = list(dict.fromkeys(sorted(values)))
    if not wanted:
        return []
    wished = ",".join(columns) or "*"
    owners = sorted(set(accounts))
    if connection.dialect.name == "sqlite":
        return [
            row
            for start in range(0, len(wanted), _ASKED)
            for row in _some_in(connection, table, column, wanted[start : start + _ASKED], owners, wished)
        ]
    conditions = [("account", owners)] if owners else []
    conditions.append((column, wanted))
    tail = " FOR UPDATE" if lock else ""
    where = " AND ".join(f"{name} = ANY(%s::{array_of(table.c[name])})" for name, _ in conditions)
    sql = f"SELECT {wished} FROM {table.name} WHERE {where} ORDER BY {column}{tail}"  # noqa: S608
    return fetch(connection, sql, tuple(literal(found) for _, found in conditions))


def _some_in(
    connection: Connection, table: Table, column: str, wanted: list[Any], owners: Sequence[str], wished: str
) -> list[Any]:
    """Do as `select_in` on SQLite for some values.

    They are filled up to a power of two by the last one: of few texts the driver keeps what it has prepared, and
    preparing a value's place takes longer than looking it up.
    """
    places = 1 << (len(wanted) - 1).bit_length()
    theirs = f"account IN ({','.join('?' * len(owners))}) AND " if owners else ""
    marks = ",".join("?" * places)
    sql = f"SELECT {wished} FROM {table.name} WHERE {theirs}{column} IN ({marks}) ORDER BY {column}"  # noqa: S608
    return fetch(connection, sql, (*owners, *wanted, *wanted[-1:] * (places - len(wanted))))


def _insert(connection: Connection, table: Table, rows: Sequence[Values], tail: str = "") -> int:
    """Return how many rows the statement wrote."""
    if not rows:
        return 0
    names = tuple(rows[0])
    return _write_lines(connection, table, names, _lines(table, names, rows), tail)


def _write_lines(connection: Connection, table: Table, names: tuple[str, ...], lines: Sequence[Line], tail: str) -> int:
    """Return how many rows the statement wrote."""
    if not lines:
        return 0
    if connection.dialect.name == "sqlite":
        return _write_in_parts(connection, table.name, names, lines, tail)
    arrays = tuple(map(literal, zip(*lines, strict=True)))
    return write(connection, _unnest(table, names) + tail, [arrays])


def _write_in_parts(
    connection: Connection, table: str, names: tuple[str, ...], lines: Sequence[Line], tail: str
) -> int:
    """Write many rows by few statements, whose texts are the same each time, the rest one by one.

    SQLite's driver keeps what it has prepared by the text, and preparing a row's place costs as much as writing it.
    """
    together = min(_TOGETHER, _MOST_BOUND // len(names))
    whole = len(lines) - len(lines) % together
    wrote = 0
    for start in range(0, whole, together):
        values = tuple(chain.from_iterable(lines[start : start + together]))
        wrote += write(connection, _insert_of(table, names, together) + tail, [values])
    if whole < len(lines):
        wrote += write(connection, _insert_of(table, names, 1) + tail, lines[whole:])
    return wrote


def _insert_of(table: str, names: tuple[str, ...], rows: int) -> str:
    marks = f"({','.join('?' * len(names))})"
    return f"INSERT INTO {table} ({','.join(names)}) VALUES {','.join([marks] * rows)}"  # noqa: S608


def _lines(table: Table, names: tuple[str, ...], rows: Sequence[Values]) -> list[Line]:
    """Return the rows' values row by row, in the form that the drivers take."""
    lines: list[Line] = list(map(_values_of(names), rows))
    moments = [place for place, name in enumerate(names) if isinstance(table.c[name].type, Moment)]
    # What is written for every report brings its times as milliseconds: then a row is its values.
    if any(datetime in set(map(type, map(itemgetter(place), lines))) for place in moments):
        return list(zip(*_columns(table, names, rows), strict=True))
    return lines


@cache
def _values_of(names: tuple[str, ...]) -> Callable[[Values], tuple[Any, ...]]:
    """Return what takes the values of these names out of a row."""
    if len(names) == 1:
        return lambda row: (row[names[0]],)
    return itemgetter(*names)


def _columns(table: Table, names: Sequence[str], rows: Sequence[Values]) -> list[list[Any]]:
    """Return the rows' values column by column, in the form that the drivers take."""
    columns = []
    for name in names:
        values = [row[name] for row in rows]
        if isinstance(table.c[name].type, Moment):
            values = _in_ms(values)
        columns.append(values)
    return columns


def _in_ms(values: Sequence[Any]) -> list[Any]:
    """Return times as milliseconds. Rows that are written together mostly share the very same `now`."""
    found = []
    last = last_ms = None
    for value in values:
        if value is not last:
            last, last_ms = value, to_ms(value) if isinstance(value, datetime) else value
        found.append(last_ms)
    return found


@cache
def _unnest(table: Table, names: tuple[str, ...]) -> str:
    """Return an insert that takes each column as one array: one statement, however many rows."""
    arrays = ",".join(f"%s::{array_of(table.c[name])}" for name in names)
    return f"INSERT INTO {table.name} ({','.join(names)}) SELECT * FROM unnest({arrays})"  # noqa: S608

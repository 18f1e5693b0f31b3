"""How many messages of each scope ended, and how many of them failed for a reason that passes."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, delete, func, select

from store.ids import new_ids
from store.pauses import Scope
from store.schema import pause_deltas, pause_windows
from store.writes import insert_for, insert_rows

_FOLDED_AT_ONCE: Final = 5_000
_INSERTED_AT_ONCE: Final = 500


class Ended(NamedTuple):
    """Messages of one scope that ended in the same minute; `failed` of them for a reason that tells of the scope."""

    account: str
    scope: Scope
    minute: datetime
    total: int
    failed: int


class Count(NamedTuple):
    """Messages of one scope that ended within a window."""

    account: str
    scope: Scope
    total: int
    failed: int


def note(connection: Connection, ended: Sequence[Ended]) -> None:
    """Append counts. That locks nothing that others need; they are folded later."""
    rows = [
        {
            "id": number,
            "account": one.account,
            "scope": one.scope.kind,
            "value": one.scope.value[:255],
            "minute": one.minute,
            "total": one.total,
            "failed": one.failed,
        }
        for number, one in zip(new_ids(len(ended)), ended, strict=True)
    ]
    insert_rows(connection, pause_deltas, rows)


def fold(connection: Connection, since: datetime) -> list[Count]:
    """Add the appended counts to those of their minutes; return the scopes in which something failed, from `since`.

    Whatever ended before `since` is counted nowhere: a late callback tells nothing about now.
    """
    query = select(pause_deltas).order_by(pause_deltas.c.id).limit(_FOLDED_AT_ONCE)
    if connection.dialect.name != "sqlite":
        query = query.with_for_update(skip_locked=True)
    deltas = connection.execute(query).all()
    if not deltas:
        return []
    sums: defaultdict[tuple[Any, ...], list[int]] = defaultdict(lambda: [0, 0])
    for delta in deltas:
        if delta.minute >= since:
            counts = sums[delta.account, delta.scope, delta.value, delta.minute]
            counts[0] += delta.total
            counts[1] += delta.failed
    _add(connection, sums)
    connection.execute(delete(pause_deltas).where(pause_deltas.c.id.in_([delta.id for delta in deltas])))
    failing = sorted({key[:3] for key, counts in sums.items() if counts[1]})
    return [_count(connection, key, since) for key in failing]


def _add(connection: Connection, sums: "dict[tuple[Any, ...], list[int]]") -> None:
    names = ("account", "scope", "value", "minute")
    rows = [
        dict(zip(names, key, strict=True)) | {"total": total, "failed": failed}
        for key, (total, failed) in sorted(sums.items())
    ]
    for start in range(0, len(rows), _INSERTED_AT_ONCE):
        insert = insert_for(connection, pause_windows).values(rows[start : start + _INSERTED_AT_ONCE])
        added = {
            "total": pause_windows.c.total + insert.excluded.total,
            "failed": pause_windows.c.failed + insert.excluded.failed,
        }
        connection.execute(insert.on_conflict_do_update(index_elements=list(names), set_=added))


def _count(connection: Connection, key: tuple[Any, ...], since: datetime) -> Count:
    account, kind, value = key
    columns = pause_windows.c
    mine = (columns.account == account) & (columns.scope == kind) & (columns.value == value)
    sums = select(func.sum(columns.total), func.sum(columns.failed)).where(mine, columns.minute >= since)
    total, failed = connection.execute(sums).one()
    return Count(account, Scope(kind, value), int(total), int(failed))


def forget(connection: Connection, before: datetime) -> int:
    """Delete what was counted before then; return how many minutes that were."""
    return connection.execute(delete(pause_windows).where(pause_windows.c.minute < before)).rowcount

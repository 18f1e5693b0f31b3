"""The end of a trail's keeping: what happened up to a lift is deleted some years after it, and the chain stays whole.

What is cut off is always a trail's beginning, up to the last lift that is old enough. Before it goes, a row is appended
that tells of it and names the head which the chain had there; the same head is kept as a checkpoint, from which the
chain is verified from then on. Whoever noted a head elsewhere can still compare it: the row's hash covers it.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, delete, select

from store import trail
from store.database import Database
from store.ids import first_id_of
from store.moments import to_ms
from store.schema import lift_requests, suppression_audit, suppressions, trail_cuts
from store.trail import CUT, Change
from store.writes import upsert

WHO: Final = "retention"
# Changes that end an entry: what was before one is told no more, once that is long enough ago.
ENDS: Final = ("lifted", "dropped", "undone")
_AT_ONCE: Final = 200


def cut(database: Database, before: datetime, now: datetime) -> int:
    """Cut every trail that has a lift from before then, in small transactions; return how many rows are deleted.

    A trail that is not whole is left as it is: what broke it must not be lost.
    """
    deleted, after = 0, 0
    while True:
        with database.reading() as connection:
            numbers = list(connection.scalars(_ended(before, after)))
        if not numbers:
            return deleted
        after = numbers[-1]
        deleted += database.repeat(lambda connection, some=numbers: _cut_all(connection, some, before, now))  # type: ignore[misc]


def _ended(before: datetime, after: int) -> Any:
    # Ids begin with the time of writing, so this reads the trails of that time and no later ones.
    return (
        select(suppression_audit.c.suppression_id)
        .distinct()
        .where(
            suppression_audit.c.id < first_id_of(to_ms(before)),
            suppression_audit.c.suppression_id > after,
            suppression_audit.c.change.in_(ENDS),
        )
        .order_by(suppression_audit.c.suppression_id)
        .limit(_AT_ONCE)
    )


def _cut_all(connection: Connection, numbers: Sequence[int], before: datetime, now: datetime) -> int:
    query = select(suppressions.c.id).where(suppressions.c.id.in_(numbers)).order_by(suppressions.c.id)
    if connection.dialect.name != "sqlite":
        query = query.with_for_update()
    return sum(_cut(connection, number, before, now) for number in list(connection.scalars(query)))


def _cut(connection: Connection, number: int, before: datetime, now: datetime) -> int:
    verdict = trail.verify(connection, number)
    if verdict.problem:
        return 0
    rows = trail.in_order(connection, number)
    ends = [place for place, row in enumerate(rows) if row.change in ENDS and row.at < before]
    if not ends:
        return 0
    # Whatever else was cut since changed nothing: an entry that is over then loses its evidence as well.
    is_over = all(row.change == CUT for row in rows[ends[-1] + 1 :])
    gone = _shorten(connection, number, rows[: ends[-1] + 1], verdict.cut, now, {"evidence": "{}"} if is_over else {})
    old = (lift_requests.c.suppression_id == number) & (lift_requests.c.decided_at < before)
    connection.execute(delete(lift_requests).where(old))
    return gone


def cut_mentions(
    connection: Connection, numbers: Sequence[int], mentions: Callable[[str], bool], now: datetime, who: str
) -> int:
    """Cut trails up to the last change whose words mention somebody; return how many rows are deleted.

    A trail that is not whole is left as it is, as above.
    """
    deleted = 0
    for number in numbers:
        verdict = trail.verify(connection, number)
        rows = [] if verdict.problem else trail.in_order(connection, number)
        found = [place for place, row in enumerate(rows) if mentions(row.who) or mentions(row.detail)]
        if found:
            deleted += _shorten(connection, number, rows[: found[-1] + 1], verdict.cut, now, {}, who)
    return deleted


def _shorten(
    connection: Connection,
    number: int,
    rows: Sequence[Any],
    cut_before: int,
    now: datetime,
    values: Mapping[str, Any],
    who: str = WHO,
) -> int:
    last, count = rows[-1], len(rows)
    kept = {"suppression_id": number, "head": bytes(last.hash), "until": last.at, "rows": cut_before + count}
    upsert(connection, trail_cuts, [kept], ["suppression_id"], ["head", "until", "rows"])
    detail = f"{kept['rows']} changes until {last.at:%Y-%m-%d} are deleted; the chain had the head {kept['head'].hex()}"
    trail.change(connection, [Change(number, CUT, detail, values)], now, who)
    connection.execute(delete(suppression_audit).where(suppression_audit.c.id.in_([row.id for row in rows])))
    return count

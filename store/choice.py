"""Which of the callbacks that wait a worker takes next."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, func, select, text

from store.schema import inbox

LEASE: Final = timedelta(seconds=30)
# The clocks of hosts differ by less than this.
_FURTHEST: Final = LEASE + timedelta(minutes=10)
# What is claimed at once: enough for a large transaction, whether callbacks bring one report each or thousands.
MOST_CALLBACKS: Final = 500
# On PostgreSQL several workers share a burst. SQLite has one, and the more reports come into one transaction, the fewer
# pages are written for each of them (bench/README.md).
MOST_REPORTS: Final = {"sqlite": 6_000, "postgresql": 2_000}
MOST_BYTES: Final = 16 * 1024 * 1024
# Written out, not bound, so that the databases see that the partial index serves it.
WAITING: Final = text("waiting = 1")
_FRESH: Final = inbox.c.attempts == 0
_LOST: Final = inbox.c.attempts > 0


class Chosen(NamedTuple):
    """The callbacks to take, whether more wait, and whether it is one that was claimed before and lost."""

    ids: list[int]
    more: bool
    again: bool


def choose(connection: Connection, now: datetime, most: int, *, fresh_first: bool) -> Chosen:
    """Choose up to `most`, oldest first; on PostgreSQL their rows are locked.

    One that lost an attempt goes alone, so that it can take no neighbour with it; with `fresh_first` only where there
    is no other.
    """
    size = (inbox.c["items"].label("reports"), func.length(inbox.c.body).label("size"))
    waiting = select(inbox.c.id, inbox.c.attempts, *size).where(WAITING, _free(now)).order_by(inbox.c.id)
    rows = connection.execute(waiting.limit(most)).all()
    lost, fresh = _apart(rows)
    if not fresh and fresh_first and len(rows) == most:
        # Whatever killed workers held may stand before all that came since.
        fresh = connection.execute(waiting.where(_FRESH).limit(most)).all()
    first_is_lost = bool(lost) and (not fresh or (lost[0].id < fresh[0].id and not fresh_first))
    ids = [lost[0].id] if first_is_lost else _as_many_as_fit(connection, fresh)
    if ids and connection.dialect.name != "sqlite":
        ids, first_is_lost = _locked(connection, waiting, rows[-1].id, len(ids), lost_first=first_is_lost)
    return Chosen(ids, bool(ids) and (len(rows) > len(ids) or len(rows) == most), first_is_lost)


def _locked(
    connection: Connection, waiting: Select[Any], last: int, most: int, *, lost_first: bool
) -> tuple[list[int], bool]:
    """Lock them, and no more than will be taken: what is locked, no other worker sees.

    Where another worker takes all of one kind at this moment, those of the other have their turn. Returns the ids, and
    whether it is one that was lost.
    """
    for is_lost in (lost_first, not lost_first):
        kind = waiting.where(_LOST, inbox.c.id <= last).limit(1) if is_lost else waiting.where(_FRESH).limit(most)
        ids = _as_many_as_fit(connection, connection.execute(kind.with_for_update(skip_locked=True)).all())
        if ids:
            return ids, is_lost
    return [], lost_first


def _free(now: datetime) -> ColumnElement[bool]:
    """Whether nobody's lease covers it. One that ends far ahead is of a clock that was set back since."""
    return (inbox.c.lease_until <= now) | (inbox.c.lease_until > now + _FURTHEST)


def _apart(rows: Sequence[Any]) -> tuple[Sequence[Any], Sequence[Any]]:
    return [row for row in rows if row.attempts], [row for row in rows if not row.attempts]


def _as_many_as_fit(connection: Connection, rows: Sequence[Any]) -> list[int]:
    """Return the ids of the first of them, one at least if there is any."""
    most = MOST_REPORTS[connection.dialect.name]
    chosen: list[int] = []
    reports = size = 0
    for row in rows:
        reports += max(row.reports, 1)
        size += row.size
        if chosen and (reports > most or size > MOST_BYTES):
            break
        chosen.append(row.id)
    return chosen

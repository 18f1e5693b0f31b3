"""Suppressions that end by their time: nobody writes anything then, so somebody has to look, and tell of it once.

What is over as it is written is told by whoever writes it (`store.told`). The others are read once each, by their end,
but for what was being written during the last look: that is looked for again.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, select

from config.events import ENDED
from store import events, told
from store.database import Database
from store.moments import from_ms, to_ms
from store.schema import meta, suppressions
from store.writes import upsert

MARK: Final = "ended_told"
EVERY: Final = timedelta(seconds=15)
# No transaction takes longer: what ended before the last look and was written earlier than this was seen by it.
_LONGEST_WRITE: Final = timedelta(minutes=5)
_AT_ONCE: Final = 500


def tell(database: Database, now: datetime) -> int:
    """Tell of the suppressions whose end came since the last look; return how many were news.

    Where nobody wants to hear of it, only the time of the look is kept: what ended before somebody did is history.
    """
    with database.reading() as connection:
        last = _last(connection)
        wanted = events.wanted(connection, ENDED)
    if last is not None and now - last < EVERY:
        return 0
    seen = last or now - _LONGEST_WRITE
    count, place = 0, (to_ms(seen - _LONGEST_WRITE), 0)
    while wanted:
        # Broken off at any moment, the next look begins at the same place and tells nothing twice.
        more, after = database.repeat(lambda connection, place=place: _page(connection, place, seen, now))  # type: ignore[misc]
        count += more
        if after is None:
            break
        place = after
    database.repeat(
        lambda connection: upsert(connection, meta, [{"name": MARK, "value": str(to_ms(now))}], ["name"], ["value"])
    )
    return count


def _last(connection: Connection) -> datetime | None:
    value = connection.execute(select(meta.c.value).where(meta.c.name == MARK)).scalar()
    return None if value is None else from_ms(int(value))


def _page(
    connection: Connection, place: tuple[int, int], seen: datetime, now: datetime
) -> tuple[int, tuple[int, int] | None]:
    """Tell of up to 500 that ended after `place`, an end and an id; return how many were news, and where to go on.

    The last look saw what had ended by `seen`, as far as it was written by then.
    """
    end, number = place
    later = (suppressions.c.until > end) | ((suppressions.c.until == end) & (suppressions.c.id > number))
    unseen = (suppressions.c.until > seen) | (suppressions.c.changed_at >= seen - _LONGEST_WRITE)
    query = select(suppressions).where(suppressions.c.until >= end, suppressions.c.until <= now, later, unseen)
    rows = connection.execute(query.order_by(suppressions.c.until, suppressions.c.id).limit(_AT_ONCE)).all()
    told_now = told.suppressions_ended(connection, [row for row in rows if row.state in told.ENDING], now)
    return told_now, _place(rows[-1]) if len(rows) == _AT_ONCE else None


def _place(row: Any) -> tuple[int, int]:
    return to_ms(row.until), row.id

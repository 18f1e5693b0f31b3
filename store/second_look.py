"""Suppressions whose failures met a later delivery at another worker: neither of the two saw what the other wrote.

Whoever has a failure looks for later deliveries, and whoever has a delivery for what it disproves. On PostgreSQL both
may do so before either commits. So somebody looks again at what was suppressed of late, once all of them are done.
SQLite has one writer at a time.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, select

from store import arrivals, by_hand, disproof
from store.disproof import REPORTED, Disproof
from store.ids import first_id_of
from store.moments import from_ms, to_ms
from store.schema import meta, suppression_audit, suppressions
from store.suppressions import LIFTED_BY_DELIVERY, STANDING, lift
from store.writes import select_in

MARK: Final = "looked_again"
# So long after a commit, a slice that had begun before it may commit.
_LONGEST_SLICE: Final = timedelta(minutes=1)
# The mark is kept at least so often: whoever looks reads all of the trail that was written since.
_MARKED: Final = timedelta(minutes=5)
_FIRST_TIME: Final = timedelta(hours=1)
_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Page:
    """Some of what was suppressed of late: the ids that something disproves, and where to go on (0: nowhere)."""

    disproved: tuple[int, ...] = ()
    after: int = 0
    seen: int = 0


def begin(connection: Connection, now: datetime) -> int:
    """Return the id of the trail after which to look."""
    value = connection.execute(select(meta.c.value).where(meta.c.name == MARK)).scalar()
    return int(value) if value is not None else first_id_of(to_ms(now - _FIRST_TIME))


def page(connection: Connection, after: int) -> Page:
    """Look at up to 500 changes of the trail after this id, and change nothing."""
    query = (
        select(suppression_audit.c.id, suppression_audit.c.suppression_id)
        .join(suppressions, suppressions.c.id == suppression_audit.c.suppression_id)
        .where(
            suppression_audit.c.id > after,
            suppressions.c.cause.in_(LIFTED_BY_DELIVERY),
            suppressions.c.state.in_(STANDING),
            suppressions.c.origin == REPORTED,
        )
        .order_by(suppression_audit.c.id)
        .limit(_AT_ONCE)
    )
    rows = connection.execute(query).all()
    found, dropped = _found(connection, [row.suppression_id for row in rows])
    disproved = sorted({number for number, _ in found.lifts} | set(dropped))
    return Page(tuple(disproved), rows[-1].id if len(rows) == _AT_ONCE else 0, len(rows))


def settle(connection: Connection, numbers: Sequence[int], now: datetime) -> int:
    """Lift or drop those of these entries that something disproves still; return how many."""
    found, dropped = _found(connection, numbers, lock=True)
    lift(connection, found.lifts, now, "report", "delivered since")
    return len(found.lifts) + disproof.drop(connection, dropped, now)


def mark(connection: Connection, begun: int, now: datetime, *, seen: bool) -> None:
    """Keep from where to look next: what is older than the longest slice needs no further look."""
    done = first_id_of(to_ms(now - _LONGEST_SLICE))
    if done > begun and (seen or done - begun > first_id_of(int(_MARKED.total_seconds() * 1000))):
        by_hand.note(connection, MARK, str(done))


def _found(connection: Connection, numbers: Iterable[int], *, lock: bool = False) -> tuple[Disproof, dict[int, str]]:
    """Return what of these entries an arrival disproves, and what rests on too few failures (with the reasons)."""
    # Between the two looks somebody may have lifted one, or taken it over.
    rows = [row for row in select_in(connection, suppressions, "id", numbers, lock=lock) if row.origin == REPORTED]
    if not rows:
        return Disproof(), {}
    since = min(min([from_ms(row.event_at), *disproof.failed_at(row)]) for row in rows)
    last = arrivals.last_arrivals(connection, {row.address for row in rows}, since)
    arrived = {place: (moment,) for place, moment in last.items()}
    found = disproof.weigh(rows, arrived)
    return found, disproof.too_few(connection, found.doubtful, arrived)

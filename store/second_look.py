"""Suppressions whose failures met a later delivery at another worker: neither of the two saw what the other wrote.

Whoever has a failure looks for later deliveries, and whoever has a delivery for what it disproves. On PostgreSQL both
may do so before either commits. So somebody looks again at what was suppressed of late, once all of them are done.
SQLite has one writer at a time.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, select

from store import arrivals, by_hand, failures
from store.ids import first_id_of
from store.moments import from_ms, to_ms
from store.schema import meta, suppression_audit, suppressions
from store.suppressions import DECIDED, DROPPED, LIFTED_BY_DELIVERY, STANDING, lift
from store.trail import Change, change

MARK: Final = "looked_again"
# So long after a commit, a slice that had begun before it may commit.
_LONGEST_SLICE: Final = timedelta(minutes=1)
# The mark is kept at least so often: whoever looks reads all of the trail that was written since.
_MARKED: Final = timedelta(minutes=5)
_FIRST_TIME: Final = timedelta(hours=1)
_ORIGIN: Final = "report"
_AT_ONCE: Final = 500
_DISPROVED: Final = "something arrived after failures that were counted"


@dataclass(frozen=True, slots=True)
class Page:
    """Some of what was suppressed of late: the ids that something disproves, and where to go on (0: nowhere)."""

    disproved: tuple[int, ...] = ()
    after: int = 0
    seen: int = 0


@dataclass(frozen=True, slots=True)
class _Found:
    lifts: list[tuple[int, datetime]]
    drops: list[int]


def begin(connection: Connection, now: datetime) -> int:
    """Return the id of the trail after which to look."""
    value = connection.execute(select(meta.c.value).where(meta.c.name == MARK)).scalar()
    return int(value) if value is not None else first_id_of(to_ms(now - _FIRST_TIME))


def page(connection: Connection, after: int) -> Page:
    """Look at up to 500 changes of the trail after this id, and change nothing."""
    query = (
        select(suppression_audit.c.id.label("trail"), suppressions)
        .join(suppressions, suppressions.c.id == suppression_audit.c.suppression_id)
        .where(suppression_audit.c.id > after, *_ours())
        .order_by(suppression_audit.c.id)
        .limit(_AT_ONCE)
    )
    rows = connection.execute(query).all()
    found = _found(connection, {row.id: row for row in rows}.values())
    disproved = sorted({number for number, _ in found.lifts} | set(found.drops))
    return Page(tuple(disproved), rows[-1].trail if len(rows) == _AT_ONCE else 0, len(rows))


def settle(connection: Connection, numbers: Sequence[int], now: datetime) -> int:
    """Lift or drop those of these entries that something disproves still; return how many."""
    query = select(suppressions).where(suppressions.c.id.in_(numbers), *_ours()).order_by(suppressions.c.id)
    rows = connection.execute(query.with_for_update()).all()
    found = _found(connection, rows)
    lift(connection, found.lifts, now, "report", "delivered since")
    values = {"state": DROPPED, "changed_at": now, "held_by": 0}
    change(connection, [Change(number, "dropped", _DISPROVED, values) for number in found.drops], now, "policy")
    return len(found.lifts) + len(found.drops)


def mark(connection: Connection, begun: int, now: datetime, *, seen: bool) -> None:
    """Keep from where to look next: what is older than the longest slice needs no further look."""
    done = first_id_of(to_ms(now - _LONGEST_SLICE))
    if done > begun and (seen or done - begun > first_id_of(int(_MARKED.total_seconds() * 1000))):
        by_hand.note(connection, MARK, str(done))


def _ours() -> tuple[Any, ...]:
    causes, states = suppressions.c.cause.in_(LIFTED_BY_DELIVERY), suppressions.c.state.in_(STANDING)
    return causes, states, suppressions.c.origin == _ORIGIN


def _found(connection: Connection, rows: Iterable[Any]) -> _Found:
    """Return what of these entries a delivery disproves, and what rests on failures that it wiped out."""
    rows = list(rows)
    counted = {row.id: _counted(row) for row in rows}
    since = min((min([row.event_at, *counted[row.id]]) for row in rows), default=None)
    if since is None:
        return _Found([], [])
    people = {bytes(row.address) for row in rows}
    arrived = arrivals.last_arrivals(connection, people, since)
    lifts, left = [], []
    for row in rows:
        moments = [at for (channel, address), at in arrived.items() if _reaches(row, channel, address)]
        later = [at for at in moments if at > row.event_at]
        if later:
            lifts.append((row.id, max(later)))
        elif moments and counted[row.id] and row.held_by != DECIDED:
            left.append(row)
    return _Found(lifts, _too_few(connection, left, counted, arrived))


def _reaches(row: Any, channel: str, address: bytes) -> bool:
    return address == row.address and row.channel in ("", channel)


def _counted(row: Any) -> list[datetime]:
    text = json.loads(row.evidence).get("counted", "")
    return [datetime.fromisoformat(moment) for moment in text.split(", ")] if text else []


def _too_few(
    connection: Connection,
    rows: Sequence[Any],
    counted: Mapping[int, Sequence[datetime]],
    arrived: Mapping[tuple[str, bytes], datetime],
) -> list[int]:
    """Return those of which too few failures are left. Which channel a failure was on, its day tells."""
    days = failures.of(connection, [(row.account, bytes(row.address)) for row in rows]) if rows else {}
    found = []
    for row in rows:
        address = bytes(row.address)
        wiped = {
            moment
            for day in days.get(address, ())
            for moment in (day.first_at, day.last_at)
            if (at := arrived.get((day.channel, address))) is not None and at > moment
        }
        left = sum(from_ms(to_ms(moment)) not in wiped for moment in counted[row.id])
        if left < int(json.loads(row.evidence).get("needed", 1)):
            found.append(row.id)
    return found

"""Incidents: failures that need a person, one for each cause and scope, however many reports tell of it."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, delete, select, update

from store.ids import new_id, new_ids
from store.moments import to_ms
from store.schema import incident_deltas, incidents
from store.told import incidents_opened, incidents_resolved
from store.writes import insert_rows

WATCHING: Final = "watching"
OPEN: Final = "open"
ACKNOWLEDGED: Final = "acknowledged"
RESOLVED: Final = "resolved"
# The rule under which workers tell that callbacks wait for a key which they lack.
KEY_MISSING: Final = "key-missing"
_EXAMPLES: Final = 5
_FOLDED_AT_ONCE: Final = 5_000


@dataclass(frozen=True, slots=True)
class Sighting:
    """Something that happened `count` times and belongs to the incident `key` of `account`.

    The incident opens once `threshold` sightings fall within `within`. `example` is masked.
    """

    account: str
    key: str
    rule: str
    severity: str
    title: str
    next_step: str
    at: datetime
    threshold: int = 1
    within: timedelta = timedelta(hours=1)
    repeat: timedelta = timedelta(hours=24)
    count: int = 1
    example: str = ""


@dataclass(frozen=True, slots=True)
class Opened:
    """An incident that a person should hear of now: it opened, or it still goes on after `repeat`."""

    id: int
    account: str
    severity: str
    title: str
    next_step: str
    count: int
    first_at: datetime
    reminder: bool


def together(sightings: Iterable[Sighting]) -> list[Sighting]:
    """Return one sighting for each incident and minute, with the counts added up: a rate needs its minutes."""
    found: dict[tuple[str, str, int], Sighting] = {}
    for sighting in sightings:
        key = (sighting.account, sighting.key, to_ms(sighting.at) // 60_000)
        known = found.get(key)
        found[key] = sighting if known is None else replace(known, count=known.count + sighting.count)
    return list(found.values())


def note(connection: Connection, sightings: Iterable[Sighting]) -> None:
    """Append sightings. They cost one row each, lock nothing that others need, and are folded later."""
    merged = sorted(together(sightings), key=lambda sighting: (sighting.account, sighting.key))
    rows = [_delta(number, seen) for number, seen in zip(new_ids(len(merged)), merged, strict=True)]
    insert_rows(connection, incident_deltas, rows)


def _delta(number: int, seen: Sighting) -> dict[str, Any]:
    return {
        "id": number,
        "account": seen.account,
        "key": seen.key[:400],
        "rule": seen.rule,
        "severity": seen.severity,
        "title": seen.title,
        "next_step": seen.next_step,
        "threshold": seen.threshold,
        "within_ms": seen.within // timedelta(milliseconds=1),
        "repeat_ms": seen.repeat // timedelta(milliseconds=1),
        "count": seen.count,
        "first_at": seen.at,
        "last_at": seen.at,
        "example": seen.example,
    }


def fold(connection: Connection, now: datetime) -> list[Opened]:
    """Add the appended sightings to their incidents, open those that reached their threshold, and say which did."""
    query = select(incident_deltas).order_by(incident_deltas.c.id).limit(_FOLDED_AT_ONCE)
    if connection.dialect.name != "sqlite":
        query = query.with_for_update(skip_locked=True)
    deltas = connection.execute(query).all()
    groups: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for delta in deltas:
        groups[delta.account, delta.key].append(delta)
    opened = [told for key in sorted(groups) if (told := _fold_one(connection, groups[key], now)) is not None]
    connection.execute(delete(incident_deltas).where(incident_deltas.c.id.in_([delta.id for delta in deltas])))
    incidents_opened(connection, [one.id for one in opened if not one.reminder], now)
    return opened


def _fold_one(connection: Connection, deltas: Sequence[Any], now: datetime) -> Opened | None:
    last = deltas[-1]
    query = select(incidents).where(
        incidents.c.account == last.account, incidents.c.key == last.key, incidents.c.is_open == 1
    )
    if connection.dialect.name != "sqlite":
        query = query.with_for_update()
    standing = connection.execute(query).first()
    recent = _recent(standing, deltas)
    examples = json.loads(standing.examples) if standing else []
    examples = list(dict.fromkeys([*examples, *(delta.example for delta in deltas if delta.example)]))[:_EXAMPLES]
    reached = sum(recent.values()) >= last.threshold
    state = standing.state if standing else WATCHING
    opens = state == WATCHING and reached
    first_at = standing.first_at if standing else min(delta.first_at for delta in deltas)
    count = (standing.count if standing else 0) + sum(delta.count for delta in deltas)
    told_at = standing.told_at if standing else None
    reminder = state == OPEN and told_at is not None and now - told_at >= timedelta(milliseconds=last.repeat_ms)
    values = {
        "severity": last.severity,
        "title": last.title,
        "next_step": last.next_step,
        "state": OPEN if opens else state,
        "last_at": max([delta.last_at for delta in deltas] + ([standing.last_at] if standing else [])),
        "heard_at": now,
        "count": count,
        "recent": json.dumps(recent),
        "examples": json.dumps(examples, ensure_ascii=False),
        "told_at": now if opens or reminder else told_at,
    }
    if standing:
        number = standing.id
        connection.execute(update(incidents).where(incidents.c.id == number).values(**values))
    else:
        number = new_id()
        fixed = {"id": number, "account": last.account, "key": last.key, "rule": last.rule, "is_open": 1}
        connection.execute(incidents.insert().values(**fixed, first_at=first_at, **values))
    if not (opens or reminder):
        return None
    return Opened(number, last.account, last.severity, last.title, last.next_step, count, first_at, reminder)


def _recent(standing: Any, deltas: Sequence[Any]) -> dict[str, int]:
    """Return counts by minute inside the threshold's window."""
    window = max(delta.within_ms for delta in deltas)
    minutes: dict[str, int] = json.loads(standing.recent) if standing else {}
    for delta in deltas:
        minute = str(to_ms(delta.last_at) // 60_000)
        minutes[minute] = minutes.get(minute, 0) + delta.count
    # Events, not their arrival, make a rate: a backlog of last night's failures is one burst of last night.
    oldest = max(map(int, minutes)) - window // 60_000
    return {minute: count for minute, count in minutes.items() if int(minute) >= oldest}


def resolve_quiet(connection: Connection, now: datetime, quiet: timedelta = timedelta(hours=24)) -> int:
    """Resolve incidents of which nothing was heard for `quiet`; return how many were open."""
    silent = select(incidents.c.id, incidents.c.state).where(
        incidents.c.is_open == 1, incidents.c.heard_at < now - quiet
    )
    rows = connection.execute(silent).all()
    for row in rows:
        ended = update(incidents).where(incidents.c.id == row.id)
        connection.execute(ended.values(state=RESOLVED, is_open=row.id))
    incidents_resolved(connection, [row.id for row in rows if row.state != WATCHING], now)
    return sum(row.state != WATCHING for row in rows)


def end(connection: Connection, account: str, key: str) -> bool:
    """Resolve an incident that is known to be over, with what of it was not folded yet. Whether it was going on."""
    key = key[:400]
    connection.execute(
        delete(incident_deltas).where(incident_deltas.c.account == account, incident_deltas.c.key == key)
    )
    mine = update(incidents).where(incidents.c.account == account, incidents.c.key == key, incidents.c.is_open == 1)
    return connection.execute(mine.values(state=RESOLVED, is_open=incidents.c.id)).rowcount > 0

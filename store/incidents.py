"""Incidents: failures that need a person, one for each cause and scope, however many reports tell of it.

Sightings are folded into them. One opens at its threshold, reminds by interval while it goes on, and is resolved when
nothing was heard of it for a while, or by hand. One that ended by itself and comes back soon is the same one, and
nobody is paged again at once.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, cast

from sqlalchemy import Connection, delete, or_, select, update

from config.alert_routes import gravity
from store import incident_events, spells
from store.ids import new_id
from store.incident_events import GRAVER, OPENED, REMINDED, REOPENED, UPDATED
from store.moments import from_ms, to_ms
from store.outages import place_of_incident
from store.schema import incident_deltas, incidents
from store.sightings import Sighting, note, together
from store.told import incidents_opened, incidents_resolved
from store.writes import locked

__all__ = ["Opened", "Sighting", "fold", "note", "resolve_quiet", "together"]

WATCHING: Final = "watching"
OPEN: Final = "open"
ACKNOWLEDGED: Final = "acknowledged"
RESOLVED: Final = "resolved"
# The rule under which workers tell that callbacks wait for a key which they lack.
KEY_MISSING: Final = "key-missing"
QUIET: Final = timedelta(hours=24)
FLAP: Final = timedelta(hours=1)
_EXAMPLES: Final = 5
_PURPOSES: Final = 6
_FOLDED_AT_ONCE: Final = 5_000
_MINUTE: Final = 60_000
MINUTES_KEPT: Final = 1_500
"""A day and an hour, where it goes on in each of them."""
# Changes of which people hear; the rest is history.
_TOLD: Final = frozenset({OPENED, REOPENED, REMINDED, GRAVER})


@dataclass(frozen=True, slots=True)
class Opened:
    """What a person should hear of an incident now: that it opened, still goes on, got graver, or is over."""

    id: int
    account: str
    severity: str
    title: str
    next_step: str
    count: int
    first_at: datetime
    change: str = OPENED

    @property
    def reminder(self) -> bool:
        """Whether it was told before and still goes on."""
        return self.change == REMINDED


def fold(connection: Connection, now: datetime, flap: timedelta = FLAP) -> list[Opened]:
    """Add the appended sightings to their incidents, and return what a person should hear of.

    An incident that ended by itself less than `flap` ago goes on, without a page until `flap` is over.
    """
    query = select(incident_deltas).order_by(incident_deltas.c.id).limit(_FOLDED_AT_ONCE)
    if connection.dialect.name != "sqlite":
        query = query.with_for_update(skip_locked=True)
    deltas = connection.execute(query).all()
    groups: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for delta in deltas:
        groups[delta.account, delta.key].append(delta)
    told = [one for key in sorted(groups) if (one := _fold_one(connection, groups[key], now, flap)) is not None]
    connection.execute(delete(incident_deltas).where(incident_deltas.c.id.in_([delta.id for delta in deltas])))
    incidents_opened(connection, [one.id for one in told if one.change in (OPENED, REOPENED)], now)
    return told


def _fold_one(connection: Connection, deltas: Sequence[Any], now: datetime, flap: timedelta) -> Opened | None:
    standing = _standing(connection, deltas[-1], now, flap)
    news = {to_ms(delta.last_at) // _MINUTE for delta in deltas}
    counts = _minutes(standing, deltas)
    surges = spells.surges(counts, news, spells.rates_of(deltas))
    values = _added(standing, deltas, now)
    values["recent"] = json.dumps(_kept(counts, deltas))
    values["first_at"] = _first_at(standing, deltas, counts, surges)
    change = _change(standing, values, deltas[-1], now, reached=bool(surges))
    is_told = change in _TOLD and not _flaps(standing, change, now, flap)
    if change in (OPENED, REOPENED, GRAVER):
        values["state"] = OPEN
    if values["state"] != WATCHING:
        values["spells"] = _spells(standing, deltas, surges, now)
    if is_told:
        values |= {"told_at": now, "told": change}
    number = _write(connection, standing, deltas, values)
    if change and not (change == REOPENED and standing.state == OPEN and not is_told):
        severity = values["severity"]
        silent = not is_told and change != UPDATED
        incident_events.append(connection, number, change, now, severity=severity, silent=silent)
    if not is_told:
        return None
    text = (values["severity"], values["title"], values["next_step"])
    return Opened(number, deltas[-1].account, *text, values["count"], values["first_at"], change)


def _standing(connection: Connection, last: Any, now: datetime, flap: timedelta) -> Any:
    """Return the incident that goes on, else the one that has just ended by itself, else nothing."""
    mine = select(incidents).where(incidents.c.account == last.account, incidents.c.key == last.key)
    if (found := connection.execute(locked(connection, mine.where(incidents.c.is_open == 1))).first()) is not None:
        return found
    ended = mine.where(incidents.c.resolved_at > now - flap, incidents.c.ended_by == "")
    return connection.execute(locked(connection, ended.order_by(incidents.c.resolved_at.desc()).limit(1))).first()


def _added(standing: Any, deltas: Sequence[Any], now: datetime) -> dict[str, Any]:
    """Return the incident's values with the sightings added."""
    last = deltas[-1]
    goes_on = standing is not None and standing.is_open == 1
    severities = [delta.severity for delta in deltas]
    if goes_on and standing.state != WATCHING:
        severities.append(standing.severity)
    examples = _more(standing.examples if standing else "[]", (delta.example for delta in deltas), _EXAMPLES)
    purposes = _more(standing.purposes if standing else "[]", (delta.purpose for delta in deltas), _PURPOSES)
    values = {
        "severity": max(severities, key=gravity),
        "title": last.title,
        "next_step": last.next_step,
        "cause": last.cause,
        # Alertmanager tells alerts apart by them, so they stay as they were.
        "facts": standing.facts if standing else last.facts,
        "purposes": purposes,
        "state": standing.state if goes_on else WATCHING,
        "is_open": 1,
        "resolved_at": None if goes_on or standing is None else standing.resolved_at,
        "last_at": max([delta.last_at for delta in deltas] + ([standing.last_at] if standing else [])),
        "heard_at": now,
        "quiet_until": now + timedelta(milliseconds=last.quiet_ms) if last.quiet_ms else None,
        "count": (standing.count if standing else 0) + sum(delta.count for delta in deltas),
        "examples": examples,
    }
    return values if standing is not None else values | {"told_at": None}


def _first_at(
    standing: Any, deltas: Sequence[Any], counts: Mapping[int, int], surges: Sequence[spells.Surge]
) -> datetime:
    """Return when an incident began: with its first surge, and until there is one, with what may become one yet."""
    is_old = standing is not None and (
        standing.state != WATCHING or standing.told_at is not None or standing.resolved_at is not None
    )
    if is_old and not surges:
        return cast(datetime, standing.first_at)
    last = max(counts)
    oldest = last - max(delta.within_ms for delta in deltas) // _MINUTE
    first, last = surges[0][:2] if surges else (min(minute for minute in counts if minute >= oldest), last)
    seen = [(to_ms(delta.last_at) // _MINUTE, delta.first_at) for delta in deltas]
    begins = [begin for minute, begin in seen if first <= minute <= last]
    if is_old or (standing is not None and to_ms(standing.first_at) // _MINUTE == first):
        begins.append(standing.first_at)
    if all(minute != first for minute, _ in [*seen, *((to_ms(begin) // _MINUTE, begin) for begin in begins)]):
        begins.append(from_ms(first * _MINUTE))  # what was folded before is known by the minute
    return cast(datetime, min(begins))


def _spells(standing: Any, deltas: Sequence[Any], surges: Sequence[spells.Surge], now: datetime) -> str:
    """Return the spells of an incident that is open, with what these sightings add to them."""
    known = spells.decode(standing.spells) if standing else []
    if place_of_incident(json.loads(standing.facts if standing else deltas[-1].facts)):
        known = spells.add(known, surges, spells.begins_of(deltas), now_ms=to_ms(now))
    return spells.encode(known)


def _more(known: str, new: Any, most: int) -> str:
    return json.dumps(list(dict.fromkeys([*json.loads(known), *filter(None, new)]))[:most], ensure_ascii=False)


def _change(standing: Any, values: Mapping[str, Any], last: Any, now: datetime, *, reached: bool) -> str:
    """Return what the sightings do to the incident, or nothing."""
    state = values["state"]
    if state == WATCHING:
        before = standing is not None and standing.told_at is not None
        return (REOPENED if before else OPENED) if reached else ""
    if gravity(values["severity"]) > gravity(standing.severity):
        return GRAVER
    if state == OPEN:
        if standing.told == incident_events.RESOLVED:
            return REOPENED
        if standing.told_at is not None and now - standing.told_at >= timedelta(milliseconds=last.repeat_ms):
            return REMINDED
    return UPDATED if values["purposes"] != standing.purposes else ""


def _flaps(standing: Any, change: str, now: datetime, flap: timedelta) -> bool:
    """Whether it is back too soon after people heard that it was over."""
    return change == REOPENED and standing.told_at is not None and now - standing.told_at < flap


def _write(connection: Connection, standing: Any, deltas: Sequence[Any], values: dict[str, Any]) -> int:
    if standing is not None:
        connection.execute(update(incidents).where(incidents.c.id == standing.id).values(**values))
        return int(standing.id)
    number, last = new_id(), deltas[-1]
    fixed = {"id": number, "account": last.account, "key": last.key, "rule": last.rule}
    fixed["place"] = place_of_incident(json.loads(last.facts))
    connection.execute(incidents.insert().values(**fixed, **values))
    return number


def _minutes(standing: Any, deltas: Iterable[Any]) -> dict[int, int]:
    """Return counts by minute: those kept of an incident that goes on, with the new ones.

    Events, not their arrival, make a rate: a backlog of last night's failures is one burst of last night.
    """
    goes_on = standing is not None and standing.is_open == 1
    found = minutes_of(standing) if goes_on else {}
    for delta in deltas:
        minute = to_ms(delta.last_at) // _MINUTE
        found[minute] = found.get(minute, 0) + delta.count
    return found


def minutes_of(incident: Any) -> dict[int, int]:
    """Return what is kept of when an incident's sightings were."""
    return {int(minute): count for minute, count in json.loads(incident.recent).items()}


def _kept(counts: Mapping[int, int], deltas: Iterable[Any]) -> dict[int, int]:
    """Return the latest minutes, by their number: how far back they reach, what is told late may still add to.

    More than a threshold's number of them would have reached it.
    """
    most = max(MINUTES_KEPT, *(delta.threshold for delta in deltas))
    return {minute: counts[minute] for minute in sorted(counts)[-most:]}


def resolve_quiet(connection: Connection, now: datetime, quiet: timedelta = QUIET) -> int:
    """Resolve incidents of which nothing was heard for `quiet`, or for a time of their own; return how many were open.

    One that was told hears its end told too.
    """
    own = incidents.c.quiet_until
    silent = or_(own.is_(None) & (incidents.c.heard_at < now - quiet), own < now)
    going_on = incidents.c.state.in_((WATCHING, OPEN, ACKNOWLEDGED))
    query = select(incidents).where(going_on, incidents.c.is_open == 1, silent).order_by(incidents.c.id)
    # Locked as they are read: somebody may be hearing of one of them, or ending it, in this moment.
    rows = connection.execute(locked(connection, query)).all()
    for row in rows:
        end(connection, row, now)
    return sum(row.state != WATCHING for row in rows)


def end(connection: Connection, row: Any, now: datetime, who: str = "", detail: str = "") -> None:
    """Resolve one incident that goes on: by itself, or by the hand of `who`."""
    values: dict[str, Any] = {"state": RESOLVED, "is_open": row.id}
    if row.state != WATCHING:
        untold = row.told == incident_events.RESOLVED
        values |= {"resolved_at": now, "ended_by": who[:128], "told": incident_events.RESOLVED}
        if not untold:
            values["told_at"] = now
        incident_events.append(
            connection,
            row.id,
            incident_events.RESOLVED,
            now,
            severity=row.severity,
            who=who,
            detail=detail,
            silent=untold,
        )
    connection.execute(update(incidents).where(incidents.c.id == row.id).values(**values))
    if row.state != WATCHING:
        incidents_resolved(connection, [row.id], now)


def end_known(connection: Connection, account: str, key: str, now: datetime, who: str = "", detail: str = "") -> bool:
    """Resolve an incident that is known to be over, with what of it was not folded yet. Whether it was going on.

    `who` ended it by hand, and `detail` says how; nothing: it ended by itself.
    """
    key = key[:400]
    unfolded = (incident_deltas.c.account == account) & (incident_deltas.c.key == key)
    connection.execute(delete(incident_deltas).where(unfolded))
    mine = select(incidents).where(incidents.c.account == account, incidents.c.key == key, incidents.c.is_open == 1)
    row = connection.execute(locked(connection, mine)).first()
    if row is not None:
        end(connection, row, now, who, detail)
    return row is not None

"""Notices: which routes hear of what happened to an incident. Each is a row of the outbox, about one event.

The event's id is the notice's stable key: a route gets each at most once, but for a crash between the sending and its
record, after which it may come again under the same key.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, or_, select, text, update

from config.alert_routes import Route
from store import incident_silences
from store.ids import new_id
from store.incident_events import ACKNOWLEDGED, REMINDED, RESOLVED, SILENCED, SPREAD, UPDATED
from store.incident_silences import Silence
from store.incidents import OPEN
from store.incidents import RESOLVED as OVER
from store.moments import from_ms
from store.schema import incident_events, incidents, outbox
from store.writes import insert_new

KIND: Final = "notify"
KEEPER: Final = 0
"""Subject of the row by which a route that forgets is told again and again what goes on."""
FACT_ROUTE: Final = "route"
"""An incident with this fact is about a route, and is not told to that one."""
_KEPT: Final = timedelta(days=3)
_FOR_EVER: Final = from_ms(253_402_300_000_000)
_AT_ONCE: Final = 200
_SPREADABLE: Final = text("spread IN (0, 2)")


@dataclass(frozen=True, slots=True)
class Spread:
    """What became of the events that waited."""

    events: int
    notices: int


def spread(connection: Connection, routes: Iterable[Route], now: datetime) -> Spread:
    """Write the notices of events that nobody has looked at yet, and of those whose silence is over."""
    query = select(incident_events).where(_SPREADABLE).order_by(incident_events.c.id).limit(_AT_ONCE)
    if connection.dialect.name != "sqlite":
        query = query.with_for_update(skip_locked=True)
    events = connection.execute(query).all()
    if not events:
        return Spread(0, 0)
    about = select(incidents).where(incidents.c.id.in_({event.incident_id for event in events}))
    known = {row.id: row for row in connection.execute(about)}
    quiet, all_routes = incident_silences.lasting(connection, now), list(routes)
    notices = done = 0
    for event in events:
        incident = known.get(event.incident_id)
        state = _judged(event, incident, quiet)
        if state == SPREAD and incident is not None:
            rows = _rows(connection, event, incident, all_routes, now)
            insert_new(connection, outbox, rows)
            notices += len(rows)
        if state != event.spread:
            mine = update(incident_events).where(incident_events.c.id == event.id)
            connection.execute(mine.values(spread=state))
            done += state == SPREAD
    return Spread(done, notices)


def _judged(event: Any, incident: Any, quiet: Sequence[Silence]) -> int:
    """Return whether an event may be told now, and if not, whether it may be later."""
    if incident is None or event.change == RESOLVED:
        return SPREAD
    if event.spread == SILENCED and incident.state != OPEN:
        return SPREAD  # over, or somebody works on it: see `_wants`
    return SPREAD if incident_silences.keeping(quiet, incident) is None else SILENCED


def _rows(
    connection: Connection, event: Any, incident: Any, routes: Sequence[Route], now: datetime
) -> list[dict[str, Any]]:
    told = _told(connection, incident.id)
    late = event.spread == SILENCED and incident.state != OPEN
    return [
        _row(incident.account, route.name, event.id, route.due(now), now + _KEPT)
        for route in routes
        if not late and _wants(route, event, incident, route.name in told)
    ]


def _told(connection: Connection, incident: int) -> set[str]:
    """Return the routes that have heard, or will hear, of an incident."""
    events = select(incident_events.c.id).where(incident_events.c.incident_id == incident)
    rows = select(outbox.c.target).where(outbox.c.kind == KIND, outbox.c.subject.in_(events))
    return set(connection.execute(rows).scalars())


def _wants(route: Route, event: Any, incident: Any, told: bool) -> bool:
    match event.change:
        case x if x == RESOLVED:
            return told and route.resolved
        case x if x == ACKNOWLEDGED:
            return False
        case x if x == UPDATED and told:
            return False
        case x if x == REMINDED and not route.reminders:
            return False
        case _:
            return matches(route, incident)


def matches(route: Route, incident: Any) -> bool:
    """Whether a route hears of this incident."""
    if json.loads(incident.facts).get(FACT_ROUTE) == route.name:
        return False
    purposes = json.loads(incident.purposes)
    return route.wants(incident.severity, incident.cause, incident.rule, incident.account, purposes)


def _row(account: str, target: str, subject: int, due_at: datetime, give_up_at: datetime) -> dict[str, Any]:
    return {
        "id": new_id(),
        "account": account,
        "kind": KIND,
        "target": target,
        "subject": subject,
        "payload": None,
        "state": "due",
        "due_at": due_at,
        "give_up_at": max(give_up_at, due_at + _KEPT) if subject else give_up_at,
        "attempts": 0,
        "owner": "",
        "lease_until": 0,
        "last_error": "",
    }


def keep_telling(connection: Connection, routes: Iterable[Route], now: datetime) -> None:
    """See to it that each Alertmanager has its row, by which it is told again before it forgets."""
    for route in routes:
        if not route.alertmanager:
            continue
        insert_new(connection, outbox, [_row("", route.name, KEEPER, now, _FOR_EVER)])
        mine = (outbox.c.kind == KIND, outbox.c.target == route.name, outbox.c.subject == KEEPER)
        ended = or_(outbox.c.state == "done", outbox.c.state == "given_up")
        again = update(outbox).where(*mine, ended).values(state="due", due_at=now, attempts=0, give_up_at=_FOR_EVER)
        connection.execute(again)


@dataclass(frozen=True, slots=True)
class Notice:
    """One event with its incident, as they are now."""

    event: Any
    incident: Any


def notice(connection: Connection, event_id: int) -> Notice | None:
    """Return what a row of the outbox is about, or nothing where it is kept no longer."""
    event = connection.execute(select(incident_events).where(incident_events.c.id == event_id)).first()
    if event is None:
        return None
    incident = connection.execute(select(incidents).where(incidents.c.id == event.incident_id)).first()
    return None if incident is None else Notice(event, incident)


def was_told(connection: Connection, incident: int, route: str) -> bool:
    """Whether a route has really been told of an incident; what was skipped has its reason written down."""
    events = select(incident_events.c.id).where(incident_events.c.incident_id == incident)
    mine = select(outbox.c.id).where(outbox.c.kind == KIND, outbox.c.target == route, outbox.c.subject.in_(events))
    sent = mine.where(outbox.c.state == "done", outbox.c.last_error == "")
    return connection.execute(sent.limit(1)).first() is not None


def going_on(connection: Connection, since: datetime) -> list[Any]:
    """Return the incidents that people have heard of and that go on, or ended after `since`."""
    told = incidents.c.told != ""
    fresh = or_(
        incidents.c.state.in_((OPEN, "acknowledged")), (incidents.c.state == OVER) & (incidents.c.resolved_at > since)
    )
    return list(connection.execute(select(incidents).where(told, fresh).order_by(incidents.c.id).limit(1_000)).all())


def concerns(connection: Connection, route: Route, incident: Any) -> bool:
    """Whether a route is told of an incident now: it matches, and no silence keeps it back."""
    if not matches(route, incident):
        return False
    return incident_silences.keeping(incident_silences.lasting(connection, datetime.now(UTC)), incident) is None


def history(connection: Connection, incident: int) -> list[dict[str, Any]]:
    """Return the notices of an incident: route, change, state, when, and what went wrong last."""
    joined = outbox.join(incident_events, incident_events.c.id == outbox.c.subject)
    columns = (
        outbox.c.target.label("route"),
        incident_events.c.change,
        outbox.c.state,
        outbox.c.due_at.label("at"),
        outbox.c.attempts,
        outbox.c.last_error,
    )
    query = select(*columns).select_from(joined).where(outbox.c.kind == KIND)
    query = query.where(incident_events.c.incident_id == incident).order_by(outbox.c.id)
    return [dict(row) for row in connection.execute(query).mappings()]

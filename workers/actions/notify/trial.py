"""Send a message over one route at once, to see whether it works."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from config.alert_routes import Route
from store.ids import new_id
from store.incident_events import OPENED
from store.incident_events import RESOLVED as ENDED
from store.incidents import OPEN, RESOLVED
from store.notices import Notice
from workers.actions.notify.alertmanager import body_of, post, target_of
from workers.actions.notify.apprise_road import CannotUse, NotTaken, keeps_open, send
from workers.actions.notify.message import message_of
from workers.actions.post import NoAnswer, Poster, Road, make_tls

_TITLE: Final = "A test of this alert route: nothing is wrong"
_NEXT: Final = "Nothing: whoever reads this is told of incidents over this route."


@dataclass(frozen=True, slots=True)
class _Incident:
    id: int
    first_at: datetime
    last_at: datetime
    account: str = "main"
    rule: str = "test"
    cause: str = ""
    severity: str = "info"
    title: str = _TITLE
    next_step: str = _NEXT
    state: str = OPEN
    resolved_at: datetime | None = None
    count: int = 1
    facts: str = "{}"
    examples: str = "[]"


@dataclass(frozen=True, slots=True)
class _Event:
    id: int
    at: datetime
    severity: str = "info"
    who: str = ""
    detail: str = ""
    change: str = OPENED


def try_route(route: Route) -> str:
    """Send a test message; return what is wrong, or nothing."""
    now = datetime.now(UTC)
    incident = _Incident(new_id(), now, now)
    try:
        if route.alertmanager:
            return _try_alertmanager(route, incident, now)
        (url,) = route.url.values()
        send(url, message_of(Notice(_Event(new_id(), now), incident)))
        if keeps_open(url):
            ended = _Event(new_id(), now, change=ENDED)
            send(url, message_of(Notice(ended, incident)))
    except (CannotUse, NotTaken, NoAnswer, ValueError, OSError) as error:
        return str(error)
    return ""


def _try_alertmanager(route: Route, incident: _Incident, now: datetime) -> str:
    target = target_of(route)
    way = Poster(target, Road(private=True), make_tls() if target.secure else None)
    ended = _Incident(incident.id, incident.first_at, now, state=RESOLVED, resolved_at=now)
    try:
        for one in (incident, ended):
            answer = post(way, route, body_of([one], route, now))
            if not 200 <= answer.status < 300:
                return f"it answered {answer.status}"
    finally:
        way.close()
    return ""

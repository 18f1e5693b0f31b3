"""Alertmanager's own API: alerts with labels that stay the same, posted again before it forgets them."""

import json
from base64 import b64encode
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from codes import CAUSES
from config.alert_routes import Route
from config.relays import RelayTarget
from store.incidents import RESOLVED
from workers.actions.notify.message import incident_key, meaning_of
from workers.actions.post import Answer, Poster

PATH: Final = "/api/v2/alerts"


def target_of(route: Route) -> RelayTarget:
    """Return where the route's alerts are posted."""
    return RelayTarget.of(route.alertmanager + PATH)


def alert_of(incident: Any, route: Route, now: datetime) -> dict[str, Any]:
    """Return an incident as Alertmanager's API has it.

    The labels never change while the incident lasts, since they are what Alertmanager tells alerts apart by: nothing
    that counts or moves is among them. `endsAt` says until when it holds if it is not posted again.
    """
    facts = {f"dlr_{name}": str(value) for name, value in json.loads(incident.facts).items() if name.isidentifier()}
    labels = {
        "alertname": incident.rule,
        "service": "dlr",
        "incident": incident_key(incident),
        "account": incident.account,
        "cause": incident.cause,
        **facts,
    }
    over = incident.state == RESOLVED and incident.resolved_at is not None
    ends = incident.resolved_at if over else now + route.resolve_timeout
    told = {
        "summary": incident.title,
        "description": meaning_of(incident.cause) if incident.cause in CAUSES else "",
        "next_step": incident.next_step,
        "severity": incident.severity,
        "count": str(incident.count),
        "state": incident.state,
        "last_seen": _iso(incident.last_at),
        "command": f"dlr incidents show {incident.id}",
    }
    # Severity is a label, as everybody's routing tree expects: when it rises, a graver alert takes the other's place.
    return {
        "labels": {name: value for name, value in {**labels, "severity": incident.severity}.items() if value},
        "annotations": {name: value for name, value in told.items() if value},
        "startsAt": _iso(incident.first_at),
        "endsAt": _iso(ends),
    }


def body_of(incidents: Iterable[Any], route: Route, now: datetime) -> bytes:
    """Return the body of one request."""
    return json.dumps([alert_of(incident, route, now) for incident in incidents], ensure_ascii=False).encode()


def post(way: Poster, route: Route, body: bytes) -> Answer:
    """Post alerts once. Raises `workers.actions.post.NoAnswer`."""
    return way.post([("Content-Type", "application/json"), *_authorization(route)], body)


def _authorization(route: Route) -> list[tuple[str, str]]:
    if tokens := route.token.values():
        return [("Authorization", f"Bearer {tokens[0]}")]
    if passwords := route.password.values():
        return [("Authorization", f"Basic {b64encode(f'{route.user}:{passwords[0]}'.encode()).decode()}")]
    return []


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")

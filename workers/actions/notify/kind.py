"""Rows of the outbox that tell people of incidents."""

import ssl
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cached_property

from sqlalchemy import Connection

from config.alert_routes import Route, Routes
from store import notices
from store.database import Database
from store.incident_events import RESOLVED
from store.incidents import RESOLVED as OVER
from store.incidents import Sighting
from store.notices import Notice
from store.outbox import Delivery
from workers.actions.kinds import Lane
from workers.actions.notify.apprise_road import CannotUse, NotTaken, send
from workers.actions.notify.keeper import AlertmanagerLane
from workers.actions.notify.message import message_of
from workers.actions.notify.patience import failed
from workers.actions.notify.trouble import lost, trouble
from workers.actions.post import Road, make_tls
from workers.actions.results import Outcome, Result

_NO_ROUTE = "DLR_ALERT_ROUTES has no route of that name any more"


class AppriseLane:
    """The way to one service that apprise knows."""

    def __init__(self, database: Database, route: Route) -> None:
        self._database = database
        self._route = route

    def close(self) -> None:
        """Nothing stays open between two messages."""

    def send(self, delivery: Delivery, now: datetime) -> Result:
        """Tell the route once."""
        with self._database.reading() as connection:
            notice = notices.notice(connection, delivery.subject)
            skipped = "" if notice is None else skip(connection, notice, self._route)
        if notice is None:
            return Result(Outcome.DONE, "skipped: the incident is kept no longer")
        if skipped:
            return Result(Outcome.DONE, skipped)
        try:
            (url,) = self._route.url.values()
            send(url, message_of(notice))
        except (CannotUse, ValueError) as error:
            return failed(Outcome.REFUSED, f"its URL cannot be used: {error}", delivery.attempts, now)
        except NotTaken as error:
            return failed(Outcome.DOWN, str(error), delivery.attempts, now)
        return Result(Outcome.DONE)


def skip(connection: Connection, notice: Notice, route: Route) -> str:
    """Return why a notice need not be sent any more, or nothing."""
    event, incident = notice.event, notice.incident
    if event.change == RESOLVED:
        told = notices.was_told(connection, incident.id, route.name)
        return "" if told else "skipped: this route was never told of the incident"
    if route.hours is not None and incident.state == OVER and route.due(event.at) > event.at:
        return "skipped: it was over before the route's hours began"
    return ""


class NotifyKind:
    """Notices of incidents."""

    def __init__(self, routes: Callable[[], Routes], road: Road, database: Database) -> None:
        self._routes = routes
        self._road = road
        self._database = database

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return make_tls()

    def lane(self, target: str) -> Lane | None:
        """Return a way to a route that is configured."""
        route = self._routes().by_name.get(target)
        if route is None:
            return None
        if route.alertmanager:
            return AlertmanagerLane(self._database, route, self._road, lambda: self._tls)
        return AppriseLane(self._database, route)

    def strand(self, connection: Connection, deliveries: Sequence[Delivery], now: datetime) -> str:
        """Give up what waits for a route that was taken away: that was the operator's wish."""
        return _NO_ROUTE

    def sighting(self, delivery: Delivery, result: Result, now: datetime) -> Sighting | None:
        """Return the dead route that a failed attempt is a sign of."""
        return trouble(delivery.target, result, now)

    def lost(self, account: str, target: str, reason: str, now: datetime, count: int = 1) -> Sighting:
        """Return that notices were given up."""
        return lost(target, reason, now, count)

"""The way to one Alertmanager: each notice as it comes, and all that goes on before it is forgotten there."""

import ssl
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from config.alert_routes import Route
from config.relays import RelayTarget
from store import notices
from store.database import Database
from store.notices import KEEPER
from store.outbox import Delivery
from workers.actions.notify.alertmanager import body_of, post, target_of
from workers.actions.notify.patience import failed
from workers.actions.post import Answer, NoAnswer, Poster, Road
from workers.actions.results import Outcome, Result, retry_after

_FOR_NOW: Final = frozenset({408, 425, 429})
# What ended is posted for as long, in case Alertmanager was away when it ended.
_ENDED: Final = timedelta(minutes=15)


class AlertmanagerLane:
    """Posts to one Alertmanager."""

    def __init__(self, database: Database, route: Route, road: Road, tls: Callable[[], ssl.SSLContext]) -> None:
        self._database = database
        self._route = route
        target: RelayTarget = target_of(route)
        self._poster = Poster(target, road, tls() if target.secure else None)

    def close(self) -> None:
        """End the connection."""
        self._poster.close()

    def send(self, delivery: Delivery, now: datetime) -> Result:
        """Post the incident of a notice, or all that goes on."""
        again = now + self._route.resolve_timeout / 3 if delivery.subject == KEEPER else None
        found = self._about(delivery, now)
        if not found:
            return Result(Outcome.DONE, "" if again else "skipped: the incident is kept no longer", again=again)
        try:
            answer = post(self._poster, self._route, body_of(found, self._route, now))
        except NoAnswer as error:
            return failed(Outcome.DOWN, str(error), _attempts(delivery), now)
        return self._judge(answer, delivery, now, again)

    def _about(self, delivery: Delivery, now: datetime) -> list[Any]:
        with self._database.reading() as connection:
            if delivery.subject != KEEPER:
                notice = notices.notice(connection, delivery.subject)
                return [] if notice is None else [notice.incident]
            going_on = notices.going_on(connection, now - _ENDED)
            return [one for one in going_on if notices.concerns(connection, self._route, one)]

    @staticmethod
    def _judge(answer: Answer, delivery: Delivery, now: datetime, again: datetime | None) -> Result:
        if 200 <= answer.status < 300:
            return Result(Outcome.DONE, again=again)
        wait = retry_after(answer.retry_after, now)
        down = answer.status in _FOR_NOW or answer.status >= 500
        outcome = Outcome.DOWN if down else Outcome.REFUSED
        return failed(outcome, f"it answered {answer.status}", _attempts(delivery), now, wait)


def _attempts(delivery: Delivery) -> int:
    # The row that tells again and again must come before everything is forgotten there.
    return delivery.attempts if delivery.subject != KEEPER else min(delivery.attempts, 3)

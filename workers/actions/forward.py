"""Forwarded events: the policy may name a route, and no route can be configured yet."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from store.incidents import Sighting, note
from store.outbox import Delivery
from workers.actions.kinds import Lane
from workers.actions.results import Result

_REASON = "no forward route of that name"


class ForwardKind:
    """Events for routes that nobody has configured: given up at once, and said once for each route."""

    def lane(self, target: str) -> Lane | None:
        """Return nothing: there is no route."""
        return None

    def strand(self, connection: Connection, deliveries: Sequence[Delivery], now: datetime) -> str:
        """Tell a person that the policy names a route that there is not."""
        note(connection, [self.lost(one.account, one.target, _REASON, now) for one in deliveries])
        return _REASON

    def sighting(self, delivery: Delivery, result: Result, now: datetime) -> Sighting | None:
        """Return nothing: nothing is ever attempted."""
        return None

    def lost(self, account: str, target: str, reason: str, now: datetime, count: int = 1) -> Sighting:
        """Return the incident of one route."""
        return Sighting(
            account=account,
            key=f"forward-no-route|{target}",
            rule="forward-no-route",
            severity="warning",
            title=f"Events for the forward route {target!r} were given up: {reason}",
            next_step=f"Take `forward` to {target!r} out of your policy, or correct the route's name.",
            at=now,
            count=count,
        )

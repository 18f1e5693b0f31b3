"""How an alert route fares: what waits for it, what failed last, and whether it is tried at all."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from cli.moments import iso, shown
from config.alert_routes import Route, Routes
from store.notices import KEEPER, KIND
from store.outbox import Circuit, circuit_of
from store.schema import outbox


@dataclass(frozen=True, slots=True)
class RouteState:
    """One route as it is now."""

    route: Route
    circuit: Circuit
    waiting: int
    error: str
    last_at: datetime | None
    now: datetime

    @property
    def dead(self) -> bool:
        """Whether it has failed and not worked since."""
        return bool(self.circuit.failures or self.error)

    @property
    def told(self) -> str:
        """The state in words."""
        if not self.dead:
            return "works" if self.last_at else "not used yet"
        again = f", tried again {shown(self.circuit.until)}" if self.circuit.until > self.now else ""
        return f"fails: {self.error or 'see the log'}{again}"

    @property
    def last(self) -> str:
        """When it took something last."""
        return shown(self.last_at)

    def plain(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            "route": self.route.name,
            "works": not self.dead,
            "error": self.error,
            "failures": self.circuit.failures,
            "waiting": self.waiting,
            "told_last": iso(self.last_at),
        }


def states(connection: Connection, routes: Routes, now: datetime) -> list[RouteState]:
    """Return the state of every route that is configured."""
    return [_state(connection, route, now) for route in routes]


def _state(connection: Connection, route: Route, now: datetime) -> RouteState:
    mine = (outbox.c.kind == KIND, outbox.c.target == route.name)
    is_open = outbox.c.state.in_(("due", "claimed"))
    waits = select(func.count()).select_from(outbox).where(*mine, is_open, outbox.c.subject != KEEPER)
    failed = select(outbox.c.last_error).where(*mine, is_open, outbox.c.last_error != "").order_by(outbox.c.due_at)
    done = select(func.max(outbox.c.due_at)).where(*mine, outbox.c.state == "done", outbox.c.last_error == "")
    return RouteState(
        route=route,
        circuit=circuit_of(connection, KIND, route.name),
        waiting=int(connection.execute(waits).scalar_one()),
        error=connection.execute(failed.limit(1)).scalar() or "",
        last_at=connection.execute(done).scalar(),
        now=now,
    )

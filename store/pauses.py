"""Scopes in which nothing is resent for a while, and the switch that stops all resends."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import Connection, delete, or_, select, tuple_

from store.schema import pauses
from store.writes import insert_for

ALL: Final = "all"
ACCOUNT: Final = "account"


class Scope(NamedTuple):
    """What is paused: a kind (`network`, `sender`, `domain`, `brand`, `account`, `all`) and which one."""

    kind: str
    value: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.value}".rstrip()


@dataclass(frozen=True, slots=True)
class Pause:
    """One pause. `until` None: until somebody lifts it. `step` says how far it has been opened again."""

    account: str
    scope: Scope
    since: datetime
    until: datetime | None
    step: int
    why: str
    who: str


def pause(
    connection: Connection, account: str, scope: Scope, now: datetime, until: datetime | None, why: str, who: str
) -> None:
    """Pause a scope; one that is paused already is prolonged, never shortened."""
    standing = find(connection, account, [scope])
    if standing:
        old = standing[0].until
        until = None if old is None or until is None else max(old, until)
        since = standing[0].since
    else:
        since = now
    row = {"account": account, "scope": scope.kind, "value": scope.value[:255], "since": since}
    row |= {"until": until, "step": 0, "why": why, "who": who}
    changed = {name: row[name] for name in ("until", "step", "why", "who")}
    insert = insert_for(connection, pauses).values(**row)
    connection.execute(insert.on_conflict_do_update(index_elements=["account", "scope", "value"], set_=changed))


def lift(connection: Connection, account: str, scope: Scope) -> bool:
    """End a pause. Whether there was one."""
    mine = (pauses.c.account == account) & (pauses.c.scope == scope.kind) & (pauses.c.value == scope.value[:255])
    return connection.execute(delete(pauses).where(mine)).rowcount > 0


def find(connection: Connection, account: str, scopes: Iterable[Scope]) -> list[Pause]:
    """Return the pauses of these scopes, over or not."""
    wanted = [(account, scope.kind, scope.value[:255]) for scope in scopes]
    query = select(pauses).where(tuple_(pauses.c.account, pauses.c.scope, pauses.c.value).in_(wanted))
    return [_pause(row) for row in connection.execute(query)]


def everywhere(connection: Connection) -> Sequence[Pause]:
    """Return all pauses, the oldest first."""
    return [_pause(row) for row in connection.execute(select(pauses).order_by(pauses.c.since))]


def step(connection: Connection, found: Pause, now: datetime, until: datetime, number: int) -> bool:
    """Open a pause that is over a little wider. Whether nobody else has done so meanwhile."""
    mine = (pauses.c.account == found.account) & (pauses.c.scope == found.scope.kind)
    mine &= (pauses.c.value == found.scope.value[:255]) & (pauses.c.step == found.step)
    mine &= or_(pauses.c.until.is_(None), pauses.c.until <= now)
    return connection.execute(pauses.update().where(mine).values(step=number, until=until)).rowcount == 1


def _pause(row: tuple[object, ...]) -> Pause:
    found = row._mapping  # type: ignore[attr-defined]
    scope = Scope(found["scope"], found["value"])
    return Pause(found["account"], scope, found["since"], found["until"], found["step"], found["why"], found["who"])

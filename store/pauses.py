"""Scopes in which nothing is resent for a while, and the switch that stops all resends."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, delete, select, tuple_

from policy.opening import CLOSED, Close, Enter, Stage
from store.schema import pause_passes, pause_windows, pauses
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
    gone: int = 0
    held: int = 0
    delay: timedelta = timedelta()

    @property
    def stage(self) -> Stage:
        """Where it stands, for `policy.opening`."""
        return Stage(self.until, self.step, self.gone, self.held, self.delay)


def pause(
    connection: Connection,
    account: str,
    scope: Scope,
    now: datetime,
    until: datetime | None,
    why: str,
    who: str,
    delay: timedelta = timedelta(),
) -> None:
    """Pause a scope; one that is paused already is prolonged, never shortened, and closed again.

    What a person paused until they lift it stays as they left it. `delay` is by how much a failing probe prolonged it
    already, so to say: the next one takes twice that.
    """
    for old in find(connection, account, [scope]):
        if old.until is None and until is not None:
            return
        if old.until is not None and until is not None and old.until > until:
            until = old.until
    values: dict[str, Any] = {"until": until, "step": CLOSED, "gone": 0, "held": 0, "why": why, "who": who}
    row = {"account": account, "scope": scope.kind, "value": scope.value[:255], "since": now}
    insert = insert_for(connection, pauses).values(**row, **values, delay_ms=_ms(delay))
    connection.execute(insert.on_conflict_do_update(index_elements=["account", "scope", "value"], set_=values))
    _forget_passes(connection, account, scope)


def lift(connection: Connection, account: str, scope: Scope) -> bool:
    """End a pause. Whether there was one."""
    found = connection.execute(delete(pauses).where(_mine(account, scope))).rowcount > 0
    _clear(connection, account, scope)
    return found


def over(connection: Connection, found: Pause) -> bool:
    """End a pause that has been opened wide. Whether it still stood as it was found."""
    if connection.execute(delete(pauses).where(_as_found(found))).rowcount != 1:
        return False
    _clear(connection, found.account, found.scope)
    return True


def forgotten(connection: Connection, before: datetime) -> list[Pause]:
    """End the pauses that were over before then and that nobody has come to since; return them."""
    old = [_pause(row) for row in connection.execute(select(pauses).where(pauses.c.until < before))]
    return [one for one in sorted(old, key=lambda one: (one.account, one.scope)) if over(connection, one)]


def find(connection: Connection, account: str, scopes: Iterable[Scope]) -> list[Pause]:
    """Return the pauses of these scopes, over or not."""
    return _find(connection, [(account, scope) for scope in scopes])


def find_all(connection: Connection, account: str, scopes: Iterable[Scope]) -> list[Pause]:
    """Return the pauses of these scopes, and the switch that stops the resends of every account; over or not."""
    return _find(connection, [("", Scope(ALL)), *((account, scope) for scope in scopes)])


def _find(connection: Connection, wanted: Sequence[tuple[str, Scope]]) -> list[Pause]:
    keys = [(account, scope.kind, scope.value[:255]) for account, scope in wanted]
    query = select(pauses).where(tuple_(pauses.c.account, pauses.c.scope, pauses.c.value).in_(keys))
    return [_pause(row) for row in connection.execute(query)]


def everywhere(connection: Connection) -> Sequence[Pause]:
    """Return all pauses, the oldest first."""
    return [_pause(row) for row in connection.execute(select(pauses).order_by(pauses.c.since))]


def enter(connection: Connection, found: Pause, to: Enter) -> bool:
    """Let one message out, as `to` says. Whether the pause still stood as it was found: else another was quicker."""
    values = {"step": to.step, "until": to.until, "gone": to.gone, "held": 0 if to.gone == 1 else pauses.c.held}
    return connection.execute(pauses.update().where(_as_found(found)).values(**values)).rowcount == 1


def close(connection: Connection, found: Pause, to: Close) -> Pause | None:
    """Close a pause again whose probe fared badly; return it as it is now, or nothing where another was quicker."""
    values = {"step": CLOSED, "until": to.until, "gone": 0, "held": 0, "delay_ms": _ms(to.delay)}
    if connection.execute(pauses.update().where(_as_found(found)).values(**values)).rowcount != 1:
        return None
    _forget_passes(connection, found.account, found.scope)
    return replace(found, until=to.until, step=CLOSED, gone=0, held=0, delay=to.delay)


def held_back(connection: Connection, found: Pause) -> None:
    """Count a message that was held back: it says how long the line is."""
    connection.execute(pauses.update().where(_as_found(found, gone=False)).values(held=pauses.c.held + 1))


def _mine(account: str, scope: Scope) -> ColumnElement[bool]:
    return (pauses.c.account == account) & (pauses.c.scope == scope.kind) & (pauses.c.value == scope.value[:255])


def _as_found(found: Pause, *, gone: bool = True) -> ColumnElement[bool]:
    mine = _mine(found.account, found.scope) & (pauses.c.step == found.step)
    mine &= pauses.c.until.is_(None) if found.until is None else pauses.c.until == found.until
    return mine & (pauses.c.gone == found.gone) if gone else mine


def _clear(connection: Connection, account: str, scope: Scope) -> None:
    """Forget what led to a pause: the failures of before must not start the next one."""
    _forget_passes(connection, account, scope)
    counted = pause_windows.c
    mine = (counted.account == account) & (counted.scope == scope.kind) & (counted.value == scope.value[:255])
    connection.execute(delete(pause_windows).where(mine))


def _forget_passes(connection: Connection, account: str, scope: Scope) -> None:
    passed = pause_passes.c
    mine = (passed.account == account) & (passed.scope == scope.kind) & (passed.value == scope.value[:255])
    connection.execute(delete(pause_passes).where(mine))


def _ms(span: timedelta) -> int:
    return span // timedelta(milliseconds=1)


def _pause(row: Any) -> Pause:
    scope = Scope(row.scope, row.value)
    delay = timedelta(milliseconds=row.delay_ms)
    return Pause(row.account, scope, row.since, row.until, row.step, row.why, row.who, row.gone, row.held, delay)

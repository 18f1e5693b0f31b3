"""What left through a pause that opens again, and how it fared."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, delete, select, update

from policy.opening import PATIENCE, Fared
from store.pauses import Pause
from store.schema import pause_passes as passes
from store.schema import pauses, retries
from store.writes import insert_for

GOOD: Final = "good"
BAD: Final = "bad"
OTHER: Final = "other"
_UNHEARD: Final = ""


class Heard(NamedTuple):
    """What a report tells of a resend: it arrived, or it failed, which tells of trouble in scopes of these kinds."""

    account: str
    message_key: bytes
    attempt: int
    arrived: bool
    trouble: frozenset[str]


def add(connection: Connection, found: Pause, retry_id: int, step: int, now: datetime) -> None:
    """Note that a resend leaves through a pause, in this step."""
    row = {"account": found.account, "scope": found.scope.kind, "value": found.scope.value[:255], "retry_id": retry_id}
    values: dict[str, Any] = {"step": step, "left_at": now, "fared": _UNHEARD}
    insert = insert_for(connection, passes).values(**row, **values)
    connection.execute(insert.on_conflict_do_update(index_elements=list(row), set_=values))


def came_back(connection: Connection, retry_id: int) -> None:
    """Note that a resend did not leave after all: another may take its place."""
    gone = delete(passes).where(passes.c.retry_id == retry_id).returning(passes)
    for row in sorted(connection.execute(gone).all()):
        mine = (pauses.c.account == row.account) & (pauses.c.scope == row.scope) & (pauses.c.value == row.value)
        mine &= (pauses.c.step == row.step) & (pauses.c.gone > 0)
        connection.execute(update(pauses).where(mine).values(gone=pauses.c.gone - 1))


def refused(connection: Connection, retry_id: int) -> None:
    """Note that Infobip refused a resend: that tells nothing of the scope."""
    _set(connection, passes.c.retry_id == retry_id, OTHER)


def hear(connection: Connection, heard: Iterable[Heard]) -> None:
    """Note what reports tell of resends."""
    for one in sorted(set(heard), key=lambda one: (one.account, one.message_key, one.attempt, one.arrived)):
        mine = (retries.c.account == one.account) & (retries.c.message_key == one.message_key)
        of_it = passes.c.retry_id.in_(select(retries.c.id).where(mine, retries.c.attempt == one.attempt))
        if one.arrived:
            _set(connection, of_it, GOOD)
        else:
            _set(connection, of_it & passes.c.scope.in_(sorted(one.trouble)), BAD)
            _set(connection, of_it, OTHER)


def _set(connection: Connection, mine: ColumnElement[bool], fared: str) -> None:
    # That it arrived is true whatever was said before; a failure only where nothing was.
    before = (_UNHEARD,) if fared != GOOD else (_UNHEARD, BAD, OTHER)
    connection.execute(update(passes).where(mine, passes.c.fared.in_(before)).values(fared=fared))


def how_fared(connection: Connection, found: Pause, steps: Collection[int], now: datetime) -> Mapping[int, Fared]:
    """Return how fared what left through a pause in these steps."""
    mine = (passes.c.account == found.account) & (passes.c.scope == found.scope.kind)
    mine &= (passes.c.value == found.scope.value[:255]) & passes.c.step.in_(steps)
    counts: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for row in connection.execute(select(passes.c.step, passes.c.left_at, passes.c.fared).where(mine)):
        silence = "lost" if row.left_at + PATIENCE <= now else "silent"
        counts[row.step][row.fared or silence] += 1
    return {step: Fared(**counts[step]) for step in steps}

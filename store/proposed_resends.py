"""Resends that wait for a person's consent, since the mode of retries is `propose`: what they are, and the answer."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, case, func, literal, select, update

from store import steering, told, views
from store.moments import Moment
from store.resending import BY_HAND, PLANNED
from store.schema import retries
from store.steering import PROPOSED
from store.views import Found, Wanted

_AT_ONCE: Final = 500
_PROPOSED: Final[ColumnElement[bool]] = retries.c.state == PROPOSED


def found(connection: Connection, limit: int) -> list[Found]:
    """Return the proposed resends as `views.find_retries` does: those first whose time comes first."""
    return views.find_retries(connection, Wanted(state=(PROPOSED,), limit=limit))


def counts(connection: Connection) -> list[tuple[str, int]]:
    """Return (rule, how many) of what is proposed, the most first."""
    query = select(retries.c.rule, func.count()).where(_PROPOSED).group_by(retries.c.rule)
    return sorted(((row[0], row[1]) for row in connection.execute(query)), key=lambda row: -row[1])


def among(connection: Connection, numbers: Sequence[int]) -> list[int]:
    """Return those of these ids that are of proposed resends."""
    return list(connection.scalars(select(retries.c.id).where(retries.c.id.in_(numbers), _PROPOSED)))


def proposed_by(connection: Connection, rule: str, last: int, limit: int = _AT_ONCE) -> list[int]:
    """Return some ids up to `last` of what a rule proposed, or of all that is proposed where `rule` is empty.

    Whichever come first: to find the lowest, all that are left would be read for each part that is answered.
    """
    query = select(retries.c.id).where(_PROPOSED, retries.c.id <= last)
    if rule:
        query = query.where(retries.c.rule == rule)
    return sorted(connection.scalars(query.limit(limit)))


def answer(connection: Connection, numbers: Sequence[int], now: datetime, who: str, *, accept: bool) -> list[int]:
    """Accept or drop proposed resends; return the ids of those that were proposed.

    An accepted one leaves when it was to, at once where that is over; everything is asked once more as it does. What a
    dropped one would have said is erased.
    """
    wanted = among(connection, numbers)
    if not accept:
        done = sorted(steering.cancel(connection, wanted, now, f"dropped by {who}"))
        told.resends_changed(connection, done, now)
        return done
    due_at = case((retries.c.due_at > now, retries.c.due_at), else_=literal(now, Moment()))
    values: dict[str, Any] = {"state": PLANNED, "mode": BY_HAND, "due_at": due_at, "note": f"accepted by {who}"}
    mine = update(retries).where(retries.c.id.in_(wanted), _PROPOSED)
    return list(connection.scalars(mine.values(**values, changed_at=now).returning(retries.c.id)))

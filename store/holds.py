"""What waits for a person: groups that the guard holds, and single proposals. A person releases, accepts or drops."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, exists, func, select, update

from store import incidents, views
from store.guard import OPEN, RELEASED
from store.guard_fold import incident_key
from store.schema import guard_holds, suppressions
from store.suppressions import ACTIVE, DECIDED, DROPPED, HELD, PROPOSED
from store.trail import Change, change
from store.writes import locked

_AT_ONCE: Final = 500
Found = dict[str, Any]


def groups(connection: Connection, *, everything: bool = False) -> list[Found]:
    """Return the groups, the newest first, each with how many entries it holds now (`held`) and of which causes."""
    query = select(guard_holds).order_by(guard_holds.c.id.desc())
    if not everything:
        query = query.where(guard_holds.c.is_open == 1)
    found = [dict(row) for row in connection.execute(query).mappings()]
    counts = counts_by_cause(connection, [row["id"] for row in found])
    for row in found:
        row["causes"] = counts.get(row["id"], {})
        row["held"] = sum(row["causes"].values())
    return found


def counts_by_cause(connection: Connection, numbers: Sequence[int]) -> dict[int, dict[str, int]]:
    """Return how many entries each group holds, by cause."""
    query = (
        select(suppressions.c.held_by, suppressions.c.cause, func.count())
        .where(suppressions.c.state == HELD, suppressions.c.held_by.in_(numbers))
        .group_by(suppressions.c.held_by, suppressions.c.cause)
    )
    found: dict[int, dict[str, int]] = {}
    for number, cause, count in connection.execute(query):
        found.setdefault(number, {})[cause] = count
    return found


def decide(connection: Connection, number: int, now: datetime, who: str, *, release: bool) -> bool:
    """Close a group, so that nothing joins it any more; whether it was open. Its incident ends, and its end is told."""
    mine = update(guard_holds).where(guard_holds.c.id == number, guard_holds.c.is_open == 1)
    state = RELEASED if release else DROPPED
    closed = mine.values(state=state, is_open=number, decided_at=now, who=who[:128])
    if connection.execute(closed).rowcount == 0:
        return False
    hold = connection.execute(select(guard_holds).where(guard_holds.c.id == number)).one()
    said = f"The group {number} was {state}."
    incidents.end_known(connection, hold.account, incident_key(hold.dimension, hold.value), now, who, said)
    return True


def settle(connection: Connection, number: int, now: datetime, who: str) -> int:
    """Give the next 500 entries of a decided group the state that was decided; return how many, 0 at the end."""
    hold = connection.execute(select(guard_holds).where(guard_holds.c.id == number)).one()
    if hold.state == OPEN:
        return 0
    theirs = (suppressions.c.state == HELD) & (suppressions.c.held_by == number)
    # Whichever come first: to find the lowest ids, all that are left would be read each time.
    some = select(suppressions.c.id).where(theirs).limit(_AT_ONCE)
    while found := connection.scalars(some).all():
        # Locked as they are read: a delivery may be lifting one of them in this moment.
        query = select(suppressions.c.id).where(suppressions.c.id.in_(found), theirs).order_by(suppressions.c.id)
        if numbers := list(connection.scalars(locked(connection, query))):
            _set(connection, numbers, now, who, release=hold.state == RELEASED, detail=f"group {number}")
            return len(numbers)
    return 0


def unsettled(connection: Connection, since: datetime, until: datetime) -> list[Any]:
    """Return the groups decided within a time in which somebody is held still: who wrote them had seen it open."""
    held = exists().where(suppressions.c.state == HELD, suppressions.c.held_by == guard_holds.c.id)
    query = select(guard_holds).where(guard_holds.c.decided_at.between(since, until), held)
    return list(connection.execute(query).all())


def proposals(connection: Connection, limit: int) -> list[Found]:
    """Return what is proposed one by one, the oldest first. Held entries are not among them."""
    query = select(suppressions).where(suppressions.c.state == PROPOSED).order_by(suppressions.c.id).limit(limit)
    return views.read_rows(connection, query)


def proposal_counts(connection: Connection) -> list[tuple[str, str, int]]:
    """Return (rule, cause, how many) of what is proposed, the most first."""
    query = select(suppressions.c.rule, suppressions.c.cause, func.count()).where(suppressions.c.state == PROPOSED)
    rows = connection.execute(query.group_by(suppressions.c.rule, suppressions.c.cause)).all()
    return sorted(((row[0], row[1], row[2]) for row in rows), key=lambda row: -row[2])


def proposed_by(connection: Connection, rule: str, last: int, limit: int = _AT_ONCE) -> list[int]:
    """Return some ids up to `last` of what a rule proposed, or of all that is proposed where `rule` is empty.

    Whichever come first: to find the lowest, all that are left would be read for each part that is answered.
    """
    query = select(suppressions.c.id).where(suppressions.c.state == PROPOSED, suppressions.c.id <= last)
    if rule:
        query = query.where(suppressions.c.rule == rule)
    return sorted(connection.scalars(query.limit(limit)))


def is_proposed(connection: Connection, number: int) -> bool:
    """Whether this entry waits for a person's consent."""
    mine = (suppressions.c.id == number) & (suppressions.c.state == PROPOSED)
    return connection.execute(select(suppressions.c.id).where(mine)).first() is not None


def answer(connection: Connection, numbers: Sequence[int], now: datetime, who: str, *, accept: bool) -> list[int]:
    """Accept or drop proposals; return the ids of those that were proposed."""
    query = select(suppressions.c.id).where(suppressions.c.id.in_(numbers), suppressions.c.state == PROPOSED)
    found = list(connection.scalars(locked(connection, query.order_by(suppressions.c.id))))
    _set(connection, found, now, who, release=accept, detail="proposal")
    return found


def _set(
    connection: Connection, numbers: Sequence[int], now: datetime, who: str, *, release: bool, detail: str
) -> None:
    word = "accepted" if release else "dropped"
    values: dict[str, Any] = {"state": ACTIVE if release else DROPPED, "changed_at": now, "held_by": DECIDED}
    if not release:
        # What failed before somebody said no is answered by it.
        values["event_at"] = now
    change(connection, [Change(number, word, detail, values) for number in numbers], now, who)

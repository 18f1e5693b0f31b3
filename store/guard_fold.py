"""What one task does for the guard: fold its counts, and tell of what is held (`store.guard_sweep` holds it)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, delete, func, select, update

from policy.rules import Limits
from store import incidents
from store.guard import Counts, Scope
from store.guard_sweep import exceeding
from store.incidents import Sighting
from store.moments import from_ms, to_ms
from store.schema import guard_counts, guard_deltas, guard_holds, meta, suppressions
from store.suppressions import HELD
from store.writes import insert_for, locked, upsert

RULE: Final = "suppressions-held"
SURGE_RULE: Final = "opt-out-surge"
_AT_ONCE: Final = 5_000
_COUNTS_KEPT: Final = timedelta(hours=26)
# An incident of which nothing is heard for a day resolves by itself; this one must not while people are held.
_HEARD_AGAIN: Final = timedelta(hours=12)
_REMINDED: Final = timedelta(hours=24)
_JUDGED: Final = "guard_judged"


@dataclass(slots=True)
class Folded:
    """What one fold met: in which scopes there were candidates, and in which of their buckets."""

    candidates: dict[Scope, set[int]] = field(default_factory=dict)
    counted: bool = False
    """Whether anything was counted."""


def fold(connection: Connection, limits: Limits, now: datetime) -> Folded:
    """Add what was appended to the counts, tell of surges of what is never held, and forget what no window reaches.

    What an earlier fold counted and nobody has judged since, for it was broken off, is returned as well.
    """
    query = select(guard_deltas).order_by(guard_deltas.c.id).limit(_AT_ONCE)
    if connection.dialect.name != "sqlite":
        query = query.with_for_update(skip_locked=True)
    deltas = connection.execute(query).all()
    folded = Folded(_unjudged(connection, now), bool(deltas))
    added: dict[tuple[Scope, int], Counts] = {}
    for row in deltas:
        one = added.setdefault(((row.account, row.dimension, row.value), to_ms(row.bucket)), Counts())
        one.finals += row.finals
        one.candidates += row.candidates
        one.firm += row.firm
    _add(connection, added, now)
    if deltas:
        connection.execute(delete(guard_deltas).where(guard_deltas.c.id.in_([row.id for row in deltas])))
    connection.execute(delete(guard_counts).where(guard_counts.c.counted_at < now - _COUNTS_KEPT))
    for (scope, bucket), counts in added.items():
        if counts.candidates:
            folded.candidates.setdefault(scope, set()).add(bucket)
    _tell_of_surges(connection, added, limits)
    return folded


def _unjudged(connection: Connection, now: datetime) -> dict[Scope, set[int]]:
    """Return the buckets with candidates that were counted after the last fold of which the end was noted."""
    judged = connection.execute(select(meta.c.value).where(meta.c.name == _JUDGED)).scalar()
    found: dict[Scope, set[int]] = {}
    if judged is None:
        _note_judged(connection, now - timedelta(seconds=1))
        return found
    left = (guard_counts.c.counted_at > from_ms(int(judged))) & (guard_counts.c.candidates > 0)
    for row in connection.execute(select(guard_counts).where(left)):
        found.setdefault((row.account, row.dimension, row.value), set()).add(to_ms(row.bucket))
    return found


def _note_judged(connection: Connection, at: datetime) -> None:
    upsert(connection, meta, [{"name": _JUDGED, "value": str(to_ms(at))}], ["name"], ["value"])


def _tell_of_surges(connection: Connection, added: Mapping[tuple[Scope, int], Counts], limits: Limits) -> None:
    """Tell of surges of what is never held, in the transaction that counts it: each is told of once."""
    firm: dict[Scope, dict[int, int]] = {}
    for (scope, bucket), counts in added.items():
        if counts.firm:
            firm.setdefault(scope, {})[bucket] = counts.firm
    wanted = {scope: set(buckets) for scope, buckets in firm.items()}
    latest = {scope: last for scope, last, _, _ in exceeding(connection, wanted, limits, "firm")}
    seen = [_of_surge(scope, from_ms(last), sum(firm[scope].values()), limits) for scope, last in latest.items()]
    incidents.note(connection, seen)


def _add(connection: Connection, added: Mapping[tuple[Scope, int], Counts], now: datetime) -> None:
    rows = [
        {
            "account": account,
            "dimension": dimension,
            "value": value,
            "bucket": bucket,
            "finals": counts.finals,
            "candidates": counts.candidates,
            "firm": counts.firm,
            "counted_at": now,
        }
        for ((account, dimension, value), bucket), counts in sorted(added.items(), key=lambda item: item[0])
    ]
    if rows:
        insert = insert_for(connection, guard_counts)
        new, old = insert.excluded, guard_counts.c
        more = {name: old[name] + new[name] for name in ("finals", "candidates", "firm")}
        more["counted_at"] = new.counted_at
        connection.execute(insert.on_conflict_do_update(index_elements=list(guard_counts.primary_key), set_=more), rows)


def tell(connection: Connection, folded: Folded, now: datetime) -> None:
    """Tell of groups that are new or grew, remind of those that go on, and note that what was counted is judged."""
    sightings = []
    query = select(guard_holds).where(guard_holds.c.is_open == 1).order_by(guard_holds.c.id)
    for hold in connection.execute(locked(connection, query)).all():
        is_due = hold.told_at is None or hold.told_at <= now - _HEARD_AGAIN
        if not is_due and (hold.account, hold.dimension, hold.value) not in folded.candidates:
            continue
        mine = (suppressions.c.state == HELD) & (suppressions.c.held_by == hold.id)
        held = connection.execute(select(func.count()).select_from(suppressions).where(mine)).scalar_one()
        if is_due or held > hold.told:
            sightings.append(_of_hold(hold, max(0, held - hold.told), now))
            told = update(guard_holds).where(guard_holds.c.id == hold.id)
            connection.execute(told.values(told_at=now, told=max(held, hold.told)))
    incidents.note(connection, sightings)
    if folded.counted or folded.candidates:
        _note_judged(connection, now)


def incident_key(dimension: str, value: str) -> str:
    """Return the key of the incident that tells of a group."""
    return f"{RULE}|{dimension}={value}"


def _of_hold(row: Any, more: int, now: datetime) -> Sighting:
    return Sighting(
        account=row.account,
        key=incident_key(row.dimension, row.value),
        rule=RULE,
        severity="critical",
        title=f"So many failures at once that nobody is suppressed over them before a person agrees "
        f"({row.dimension} {row.value})",
        next_step=f"Find out whether the {row.dimension} had an outage. Then `dlr suppress held release {row.id}` "
        f"suppresses these people, and `dlr suppress held drop {row.id}` forgets about it; until then they are "
        "not blocked.",
        at=now,
        threshold=0,
        repeat=_REMINDED,
        count=more,
    )


def _of_surge(scope: Scope, at: datetime, count: int, limits: Limits) -> Sighting:
    account, dimension, value = scope
    return Sighting(
        account=account,
        key=f"{SURGE_RULE}|{dimension}={value}",
        rule=SURGE_RULE,
        severity="critical",
        title="Unusually many opt-outs, complaints, do-not-disturb or deactivations "
        f"({f'{dimension} {value}' if value else 'no sender named'})",
        next_step="They are all in force, as they must be. Look at what was sent to whom, and pause the campaign; "
        "`dlr suppress list --all` shows them.",
        at=at,
        within=limits.guard_window,
        count=count,
    )

"""What one task does for the guard: fold its counts, hold what was written before a surge showed, and tell of it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Select, and_, delete, func, select, update

from codes.causes import FIRM
from policy.rules import Limits
from store import guard, incidents
from store.guard import Counts, Scope, exceeds, open_hold, scopes, span
from store.incidents import Sighting
from store.moments import from_ms, to_ms
from store.schema import addresses, guard_counts, guard_deltas, guard_holds, suppressions
from store.suppressions import ACTIVE, HELD, PROPOSED
from store.trail import Change, change
from store.writes import insert_for, locked

WHO: Final = "guard"
RULE: Final = "suppressions-held"
SURGE_RULE: Final = "opt-out-surge"
_AT_ONCE: Final = 5_000
_SWEPT_AT_ONCE: Final = 500
_COUNTS_KEPT: Final = timedelta(hours=26)
# An incident of which nothing is heard for a day resolves by itself; this one must not while people are held.
_HEARD_AGAIN: Final = timedelta(hours=12)
_REMINDED: Final = timedelta(hours=24)
_ORIGIN: Final = "report"


@dataclass(slots=True)
class Folded:
    """What one fold met: in which scopes there were candidates or firm entries, and their latest bucket."""

    candidates: dict[Scope, int] = field(default_factory=dict)
    firm: dict[Scope, int] = field(default_factory=dict)
    firm_added: dict[Scope, int] = field(default_factory=dict)
    full: bool = False
    """Whether more may wait."""


def fold(connection: Connection, now: datetime) -> Folded:
    """Add what was appended to the counts, and forget counts that no window reaches any more."""
    query = select(guard_deltas).order_by(guard_deltas.c.id).limit(_AT_ONCE)
    if connection.dialect.name != "sqlite":
        query = query.with_for_update(skip_locked=True)
    deltas = connection.execute(query).all()
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
    folded = Folded(full=len(deltas) == _AT_ONCE)
    for (scope, bucket), counts in added.items():
        for wanted, found in ((counts.candidates, folded.candidates), (counts.firm, folded.firm)):
            if wanted:
                found[scope] = max(bucket, found.get(scope, 0))
        folded.firm_added[scope] = folded.firm_added.get(scope, 0) + counts.firm
    return folded


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


@dataclass(frozen=True, slots=True)
class ToSweep:
    """A group whose earlier entries have to be held too: those from the event time `since` on."""

    id: int
    since: datetime


def open_holds(connection: Connection, folded: Folded, dimension: str, limits: Limits, now: datetime) -> list[ToSweep]:
    """Open a group for each scope of one dimension in which many slices together saw a surge.

    Returns the groups of this dimension that have to be swept: new ones, and those whose surge goes on.
    """
    surging: dict[Scope, datetime] = {}
    for scope, bucket in sorted(folded.candidates.items()):
        if scope[1] == dimension and not _just_released(connection, scope, limits, now):
            counts = _window(connection, scope, bucket, limits)
            first = from_ms(bucket - span(limits))
            if exceeds(counts.finals, counts.candidates, limits) and _has_anybody(connection, scope, first):
                surging[scope] = first
                open_hold(connection, scope, first, counts.finals, counts.candidates, now)
    query = select(guard_holds).where(guard_holds.c.is_open == 1, guard_holds.c.dimension == dimension)
    found = []
    for row in connection.execute(query.order_by(guard_holds.c.id)).all():
        since = row.since if not row.swept else surging.get((row.account, row.dimension, row.value))
        if since is not None:
            found.append(ToSweep(row.id, since))
    return found


def _just_released(connection: Connection, scope: Scope, limits: Limits, now: datetime) -> bool:
    decided = and_(guard_holds.c.state == guard.RELEASED, guard_holds.c.decided_at > now - limits.guard_window)
    query = select(guard_holds.c.id).where(_is(scope), decided)
    return connection.execute(query.limit(1)).first() is not None


def _has_anybody(connection: Connection, scope: Scope, since: datetime) -> bool:
    """Whether a group of this scope holds, or would hold, anybody: all may have been decided on already."""
    if connection.execute(select(guard_holds.c.id).where(_is(scope), guard_holds.c.is_open == 1)).first() is not None:
        return True
    rows: Sequence[Any] = ()
    while not any(scope[1:] in _scopes_of(row) for row in rows):
        after = rows[-1].id if rows else 0
        rows = connection.execute(_to_hold(scope[0], since, after)).all()
        if not rows:
            return False
    return True


def _to_hold(account: str, since: datetime, after: int) -> Select[Any]:
    """Return the query for what the rules did since then, 500 entries at a time."""
    return (
        select(suppressions, addresses.c.domain)
        .outerjoin(addresses, addresses.c.hash == suppressions.c.address)
        .where(
            suppressions.c.state.in_((ACTIVE, PROPOSED)),
            suppressions.c.since >= since,
            suppressions.c.account == account,
            suppressions.c.origin == _ORIGIN,
            suppressions.c.cause.not_in(sorted(FIRM)),
            suppressions.c.held_by == 0,
            suppressions.c.id > after,
        )
        .order_by(suppressions.c.id)
        .limit(_SWEPT_AT_ONCE)
    )


def _is(scope: Scope) -> Any:
    account, dimension, value = scope
    return and_(guard_holds.c.account == account, guard_holds.c.dimension == dimension, guard_holds.c.value == value)


def _window(connection: Connection, scope: Scope, last: int, limits: Limits) -> Counts:
    account, dimension, value = scope
    query = select(guard_counts).where(
        guard_counts.c.account == account,
        guard_counts.c.dimension == dimension,
        guard_counts.c.value == value,
        guard_counts.c.bucket.between(last - span(limits), last),
    )
    rows = connection.execute(query).all()
    return Counts(sum(row.finals for row in rows), sum(row.candidates for row in rows), sum(row.firm for row in rows))


def sweep(connection: Connection, group: ToSweep, after: int, now: datetime) -> int:
    """Hold what the rules did in the window of a group before the surge showed; 500 entries at a time.

    Returns the id to go on after, 0 at the end. What a person accepted is left as it is, and so is all once a person
    has decided on the group.
    """
    hold = connection.execute(locked(connection, select(guard_holds).where(guard_holds.c.id == group.id))).one()
    if hold.is_open != 1:
        return 0
    # Locked as they are read: somebody may be accepting, lifting or dropping one of them in this moment.
    query = locked(connection, _to_hold(hold.account, group.since, after), suppressions)
    rows = connection.execute(query).all()
    mine = [(row, scopes) for row in rows if (hold.dimension, hold.value) in (scopes := _scopes_of(row))]
    values = {"state": HELD, "held_by": hold.id, "changed_at": now}
    change(connection, [Change(row.id, "held", row.rule, values) for row, _ in mine], now, WHO)
    _take_from_wider(connection, hold, mine)
    if len(rows) == _SWEPT_AT_ONCE:
        return int(rows[-1].id)
    connection.execute(update(guard_holds).where(guard_holds.c.id == group.id).values(swept=1))
    return 0


def _scopes_of(row: Any) -> list[tuple[str, str]]:
    facts = json.loads(row.evidence)
    return scopes(row.domain or "", facts.get("mcc_mnc", ""), facts.get("sender", ""))


def _take_from_wider(connection: Connection, hold: Any, mine: Sequence[tuple[Any, list[tuple[str, str]]]]) -> None:
    """Let whom a group holds count for no wider scope any more."""
    fewer: dict[tuple[Scope, int], int] = {}
    for row, found in mine:
        at_ms = to_ms(row.since)
        for dimension, value in found[found.index((hold.dimension, hold.value)) + 1 :]:
            key = ((row.account, dimension, value), at_ms - at_ms % guard.BUCKET_MS)
            fewer[key] = fewer.get(key, 0) + 1
    for ((account, dimension, value), bucket), count in sorted(fewer.items()):
        statement = update(guard_counts).where(
            guard_counts.c.account == account,
            guard_counts.c.dimension == dimension,
            guard_counts.c.value == value,
            guard_counts.c.bucket == bucket,
            guard_counts.c.candidates >= count,
        )
        connection.execute(statement.values(candidates=guard_counts.c.candidates - count))


def tell(connection: Connection, folded: Folded, limits: Limits, now: datetime) -> None:
    """Tell of groups that are new or grew, remind of those that go on, and tell of surges of what is never held."""
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
    for scope, bucket in sorted(folded.firm.items()):
        counts = _window(connection, scope, bucket, limits)
        if exceeds(counts.finals, counts.firm, limits):
            sightings.append(_of_surge(scope, from_ms(bucket), folded.firm_added[scope], limits))
    incidents.note(connection, sightings)


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

"""Whom the guard holds after the fact: what the rules did in the window of a surge before it showed.

Who belongs to a surge is in no index, so all that was suppressed of late is read, once for each dimension and outside
of any transaction that others wait for. What is found is held some at a time, each looked at once more.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, and_, delete, or_, select, update

from codes.causes import FIRM
from policy.rules import Limits
from store.guard import BUCKET_MS, OPEN, RELEASED, Scope, exceeds, open_hold, scopes, span
from store.moments import from_ms, to_ms
from store.parts import in_parts
from store.schema import addresses, guard_counts, guard_holds, suppressions
from store.suppressions import ACTIVE, HELD, PROPOSED
from store.trail import Change, change
from store.writes import locked

WHO: Final = "guard"
"""By whom the trail says that these entries were held."""
CLOSED: Final = -1
AT_ONCE: Final = 500
_ORIGIN: Final = "report"
Window = tuple[int, int]
"""From the first moment of its first bucket to the last of its last, in milliseconds."""


@dataclass(slots=True)
class Surge:
    """A scope of which the guard holds what failed in `windows`, and its open group, 0 where it has none yet."""

    scope: Scope
    hold: int
    windows: list[Window]
    finals: int = 0
    candidates: int = 0

    def takes(self, since: datetime) -> bool:
        """Whether what failed at that moment is part of it."""
        return any(first <= to_ms(since) <= last for first, last in self.windows)


def surges(
    connection: Connection, candidates: Mapping[Scope, set[int]], dimension: str, limits: Limits, now: datetime
) -> list[Surge]:
    """Return the surges of one dimension: those that `candidates` by bucket show, and groups nobody has swept yet."""
    query = select(guard_holds).where(
        guard_holds.c.dimension == dimension,
        or_(
            guard_holds.c.is_open == 1,
            and_(guard_holds.c.state == RELEASED, guard_holds.c.decided_at > now - limits.guard_window),
        ),
    )
    found: dict[Scope, Surge] = {}
    released = set()
    for row in connection.execute(query.order_by(guard_holds.c.id)):
        scope = (row.account, row.dimension, row.value)
        if row.state == OPEN:
            first = to_ms(row.since)
            windows = [] if row.swept else [_window(first, first + span(limits))]
            found[scope] = Surge(scope, row.id, windows)
        else:
            released.add(scope)
    # A person has just said that these failures are real.
    wanted = {scope: set(buckets) for scope, buckets in candidates.items() if scope[1] == dimension}
    for scope in released:
        wanted.pop(scope, None)
    for scope, last, finals, count in exceeding(connection, wanted, limits):
        one = found.setdefault(scope, Surge(scope, 0, []))
        if not one.windows:
            one.finals, one.candidates = finals, count
        one.windows.append(_window(last - span(limits), last))
    return [one for _, one in sorted(found.items()) if one.windows]


def _window(first: int, last: int) -> Window:
    return first, last + BUCKET_MS - 1


def exceeding(
    connection: Connection, wanted: Mapping[Scope, set[int]], limits: Limits, what: str = "candidates"
) -> Iterator[tuple[Scope, int, int, int]]:
    """Yield (scope, last bucket, finals, number) of each window with one of these buckets in which `what` surges."""
    reach = span(limits)
    for scope, counts in sorted(_counts(connection, wanted, reach, what).items()):
        for last in sorted(counts):
            within = range(last - reach, last + 1)
            if counts[last][1] and any(bucket in within for bucket in wanted[scope]):
                mine = [one for bucket, one in counts.items() if bucket in within]
                finals, number = sum(one[0] for one in mine), sum(one[1] for one in mine)
                if exceeds(finals, number, limits):
                    yield scope, last, finals, number


def _counts(
    connection: Connection, wanted: Mapping[Scope, set[int]], reach: int, what: str
) -> dict[Scope, dict[int, tuple[int, int]]]:
    """Return (finals, number) by bucket of these scopes, as far as windows with these buckets reach."""
    found: dict[Scope, dict[int, tuple[int, int]]] = {}
    columns = guard_counts.c
    for account, dimension in sorted({scope[:2] for scope in wanted}):
        mine = sorted(value for scope in wanted if scope[:2] == (account, dimension) for value in scope[2:])
        for values in in_parts(mine, AT_ONCE):
            buckets = {bucket for value in values for bucket in wanted[account, dimension, value]}
            query = select(columns.value, columns.bucket, columns.finals, columns[what]).where(
                columns.account == account,
                columns.dimension == dimension,
                columns.value.in_(values),
                columns.bucket.between(from_ms(min(buckets) - reach), from_ms(max(buckets) + reach)),
            )
            for value, bucket, finals, number in connection.execute(query):
                found.setdefault((account, dimension, value), {})[to_ms(bucket)] = (finals, number)
    return found


def people(connection: Connection, found: Sequence[Surge]) -> Iterator[tuple[Surge, list[int]]]:
    """Yield whom the rules suppressed in these surges of one dimension, up to 500 ids of one surge at a time."""
    by_scope = {one.scope: one for one in found}
    windows = [window for one in found for window in one.windows]
    low, high = min(first for first, _ in windows), max(last for _, last in windows)
    columns = (suppressions.c.id, suppressions.c.account, suppressions.c.since, suppressions.c.evidence)
    query = select(*columns, addresses.c.domain).select_from(_WITH_DOMAIN)
    # Asked for in the statement, the account would lead it by an index that every entry of the account is in.
    query = query.where(*_to_hold(), suppressions.c.since.between(from_ms(low), from_ms(high)))
    numbers: dict[Scope, list[int]] = {}
    with connection.execution_options(yield_per=AT_ONCE).execute(query) as rows:
        for row in rows:
            one = next((by_scope[scope] for scope in _of(row) if scope in by_scope), None)
            if one is None or one.hold == CLOSED or not one.takes(row.since):
                continue
            mine = numbers.setdefault(one.scope, [])
            mine.append(row.id)
            if len(mine) == AT_ONCE:
                yield one, numbers.pop(one.scope)
    for scope, mine in sorted(numbers.items()):
        yield by_scope[scope], mine


_WITH_DOMAIN: Final = suppressions.outerjoin(addresses, addresses.c.hash == suppressions.c.address)


def _to_hold() -> Iterable[Any]:
    """Return the conditions on what the rules did by themselves, and what nobody holds or has decided on."""
    return (
        suppressions.c.state.in_((ACTIVE, PROPOSED)),
        suppressions.c.origin == _ORIGIN,
        suppressions.c.cause.not_in(sorted(FIRM)),
        suppressions.c.held_by == 0,
    )


def _of(row: Any) -> list[Scope]:
    """Return the scopes that an entry counts in, the narrowest first."""
    facts = json.loads(row.evidence)
    found = scopes(row.domain or "", facts.get("mcc_mnc", ""), facts.get("sender", ""))
    return [(row.account, dimension, value) for dimension, value in found]


def hold(connection: Connection, surge: Surge, numbers: Sequence[int], now: datetime) -> int:
    """Hold those of these entries that are to be held still; the first of them opens the surge's group.

    Returns the group, 0 where there is none yet, and `CLOSED` once a person has decided on it. What a person accepted
    is left as it is.
    """
    query = select(suppressions, addresses.c.domain).select_from(_WITH_DOMAIN)
    query = query.where(suppressions.c.id.in_(numbers), *_to_hold()).order_by(suppressions.c.id)
    number, is_new = surge.hold, False
    if number:
        group = connection.execute(locked(connection, select(guard_holds).where(guard_holds.c.id == number))).one()
        if group.is_open != 1:
            return CLOSED
    elif connection.execute(query.limit(1)).first() is None:
        return 0  # all were decided on meanwhile: a group without people would call somebody for nothing
    else:
        since = from_ms(surge.windows[0][0])
        number = open_hold(connection, surge.scope, since, surge.finals, surge.candidates, now)
        is_new = True
    # Locked as they are read: somebody may be accepting, lifting or dropping one of them in this moment.
    rows = connection.execute(locked(connection, query, suppressions)).all()
    mine = [(row, found) for row in rows if surge.scope in (found := _of(row)) and surge.takes(row.since)]
    if is_new and not mine:
        connection.execute(delete(guard_holds).where(guard_holds.c.id == number, guard_holds.c.opened_at == now))
        return 0
    values = {"state": HELD, "held_by": number, "changed_at": now}
    change(connection, [Change(row.id, "held", row.rule, values) for row, _ in mine], now, WHO)
    _take_from_wider(connection, surge.scope, mine)
    return number


def _take_from_wider(connection: Connection, scope: Scope, mine: Iterable[tuple[Any, list[Scope]]]) -> None:
    """Let whom a group holds count for no wider scope any more."""
    fewer: dict[tuple[Scope, int], int] = {}
    for row, found in mine:
        at_ms = to_ms(row.since)
        for wider in found[found.index(scope) + 1 :]:
            key = (wider, at_ms - at_ms % BUCKET_MS)
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


def swept(connection: Connection, found: Iterable[Surge]) -> None:
    """Note that all of these surges is held."""
    groups = sorted(one.hold for one in found if one.hold > 0)
    connection.execute(update(guard_holds).where(guard_holds.c.id.in_(groups)).values(swept=1))

"""The guard against mass suppression: an outage must not look like thousands of dead addresses (promise 11).

People whom failures would newly suppress are counted for each mail domain, network, sender and country beside all
final reports of that scope. Where they pass a number and a share within the window, they are held for a person. The
counts are appended by whoever processes reports and folded by one task (`store.guard_fold`), so that a storm locks no
row that others need, and only slices with such people in them read any count. A person counts for the narrowest
scope that holds them and for no wider one: one outage makes one group.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, and_, select

from policy.rules import Limits
from store.ids import new_id, new_ids
from store.moments import from_ms, to_ms
from store.parts import in_parts
from store.schema import guard_deltas, guard_holds
from store.suppressions import HELD, STANDING, Entry, Key
from store.writes import insert_new, insert_rows

DIMENSIONS: Final = ("domain", "network", "sender", "country")
"""What is counted, the narrowest first."""
BUCKET_MS: Final = 300_000
OPEN: Final = "open"
RELEASED: Final = "released"
Scope = tuple[str, str, str]
"""Account, dimension and value."""


def scopes(domain: str, mcc_mnc: str, sender: str) -> list[tuple[str, str]]:
    """Return the (dimension, value) that somebody with these is counted in, the narrowest first."""
    values = (domain, mcc_mnc, sender, mcc_mnc[:3])
    return [(dimension, value[:255]) for dimension, value in zip(DIMENSIONS, values, strict=True) if value]


@dataclass(slots=True)
class Counts:
    """Of one scope in one bucket."""

    finals: int = 0
    candidates: int = 0
    firm: int = 0


@dataclass(slots=True)
class Tally:
    """What one slice of reports adds."""

    counts: dict[Scope, dict[int, Counts]] = field(default_factory=dict)

    def of(self, scope: Scope, bucket: int) -> Counts:
        """Return the counts of a scope, to be added to."""
        buckets = self.counts.get(scope)
        if buckets is None:
            buckets = self.counts[scope] = {}
        found = buckets.get(bucket)
        if found is None:
            found = buckets[bucket] = Counts()
        return found

    def final(self, account: str, scopes: Iterable[tuple[str, str]], bucket: int, reports: int) -> None:
        """Count so many reports that say delivered or failed."""
        for dimension, value in scopes:
            self.of((account, dimension, value), bucket).finals += reports

    def write(self, connection: Connection) -> None:
        """Append what was counted."""
        told = [(scope, bucket, one) for scope, buckets in self.counts.items() for bucket, one in buckets.items()]
        rows = [
            {
                "id": number,
                "account": account,
                "dimension": dimension,
                "value": value,
                "bucket": bucket,
                "finals": counts.finals,
                "candidates": counts.candidates,
                "firm": counts.firm,
            }
            for number, ((account, dimension, value), bucket, counts) in zip(new_ids(len(told)), told, strict=True)
        ]
        insert_rows(connection, guard_deltas, rows)


@dataclass(slots=True)
class _Window:
    """What is known of the scopes that a slice has candidates in: counts by bucket, and groups of held entries."""

    counts: dict[Scope, dict[int, Counts]]
    holds: Mapping[Scope, int]
    released: frozenset[Scope]


def guarded(
    connection: Connection,
    entries: Sequence[Entry],
    known: Mapping[Key, Any],
    tally: Tally,
    limits: Limits,
    now: datetime,
) -> list[Entry]:
    """Return the entries as they may be written: those of a surge are held. Counts them all in `tally`.

    Entries that stand already are no news, and count for nothing; but neither do they become more during a surge.
    """
    inferred = [entry for entry in entries if not entry.is_firm]
    for entry in entries:
        if entry.is_firm and entry.key not in known:
            _count(tally, entry, entry.scopes).firm += 1
    if not inferred:
        return list(entries)
    people: dict[tuple[str, bytes], Entry] = {}
    for entry in inferred:
        if not _stands(known.get(entry.key), to_ms(now)):
            people.setdefault((entry.account, entry.address), entry)
    window = _read(connection, inferred, limits, now)
    held: dict[tuple[str, bytes], int] = {}
    for dimension in DIMENSIONS:
        _judge(connection, dimension, people, held, window, tally, limits, now)
    joined = {(entry.account, entry.address) for entry in inferred} - people.keys()
    return [_held(entry, held, joined, window, limits) for entry in entries]


def _count(tally: Tally, entry: Entry, scopes: Iterable[tuple[str, str]]) -> Counts:
    """Return the counts of the scope in which what is firm is told of: the sender's, where one is named."""
    named = dict(scopes)
    dimension = next((one for one in ("sender", *DIMENSIONS) if one in named), "sender")
    return tally.of((entry.account, dimension, named.get(dimension, "")), _bucket(entry))


def _stands(row: Any, now_ms: int) -> bool:
    return row is not None and row.state in STANDING and (row.state == HELD or not row.until or row.until > now_ms)


def _bucket(entry: Entry) -> int:
    at_ms = to_ms(entry.since)
    return at_ms - at_ms % BUCKET_MS


def _read(connection: Connection, entries: Sequence[Entry], limits: Limits, now: datetime) -> _Window:
    """Read the counts, folded and not, and the groups of all scopes of these entries, by key.

    What nobody has folded yet counts as well: a fast campaign's deliveries would be missing beside its failures.
    """
    scopes = {(entry.account, *scope) for entry in entries for scope in entry.scopes}
    buckets = [_bucket(entry) for entry in entries]
    low, high, fresh = min(buckets) - span(limits), max(buckets), to_ms(now - limits.guard_window)
    counts: dict[Scope, dict[int, Counts]] = {}
    holds, released = {}, set()
    for part in in_parts(sorted(scopes), _AT_ONCE):
        wanted = set(part)
        among, values = _among(connection, part)
        both = " UNION ALL ".join(_COUNTED.format(table=table, among=among) for table in _COUNTS)
        for account, dimension, value, bucket, finals, candidates in _rows(connection, both, (*values, low, high) * 2):
            # Each of the three is one of those asked for, but not all three together need be.
            if (scope := (account, dimension, value)) in wanted:
                one = counts.setdefault(scope, {}).setdefault(bucket, Counts())
                one.finals += finals
                one.candidates += candidates
        for number, account, dimension, value, state in _rows(connection, _HELD.format(among=among), (*values, fresh)):
            scope = (account, dimension, value)
            if scope in wanted and state == OPEN:
                holds[scope] = number
            elif scope in wanted and state == RELEASED:
                released.add(scope)
    return _Window(counts, holds, frozenset(released))


# SQLite takes no more values in one statement than 32,766, and each scope brings up to three, twice.
_AT_ONCE: Final = 4_000
_COUNTS: Final = ("guard_counts", "guard_deltas")
# Plain SQL, since it is asked for every slice in which somebody would be suppressed (see `store.writes`).
_COUNTED: Final = (
    "SELECT account, dimension, value, bucket, SUM(finals), SUM(candidates) FROM {table} WHERE {among}"
    " AND bucket >= ? AND bucket <= ? GROUP BY account, dimension, value, bucket"
)
_HELD: Final = (
    "SELECT id, account, dimension, value, state FROM guard_holds WHERE {among} AND (is_open = 1 OR decided_at > ?)"
)


def _among(connection: Connection, scopes: Iterable[Scope]) -> tuple[str, tuple[Any, ...]]:
    lists = [sorted({scope[place] for scope in scopes}) for place in range(3)]
    names = ("account", "dimension", "value")
    if connection.dialect.name == "sqlite":
        marks = (f"{name} IN ({','.join('?' * len(one))})" for name, one in zip(names, lists, strict=True))
        return " AND ".join(marks), tuple(value for one in lists for value in one)
    return " AND ".join(f"{name} = ANY(?)" for name in names), tuple(lists)


def _rows(connection: Connection, sql: str, values: tuple[Any, ...]) -> Iterable[Any]:
    if connection.dialect.name != "sqlite":
        sql = sql.replace("?", "%s")
    return connection.exec_driver_sql(sql, values)


def span(limits: Limits) -> int:
    """Return the window's length in whole buckets, as milliseconds, without the last bucket."""
    return max(BUCKET_MS, limits.guard_window // timedelta(milliseconds=1)) - BUCKET_MS


def exceeds(finals: int, candidates: int, limits: Limits) -> bool:
    """Whether so many of so many are a surge."""
    return candidates > limits.guard_count and candidates > limits.guard_share * finals


def _judge(
    connection: Connection,
    dimension: str,
    people: Mapping[tuple[str, bytes], Entry],
    held: dict[tuple[str, bytes], int],
    window: _Window,
    tally: Tally,
    limits: Limits,
    now: datetime,
) -> None:
    """Count those of `people` that nothing holds yet in the scopes of one dimension; add to `held` whom these hold."""
    groups: dict[Scope, list[Entry]] = {}
    for person, entry in people.items():
        value = dict(entry.scopes).get(dimension)
        if value and person not in held:
            groups.setdefault((entry.account, dimension, value), []).append(entry)
    for scope, group in sorted(groups.items()):
        for entry in group:
            tally.of(scope, _bucket(entry)).candidates += 1
        if scope in window.released:
            # A person has just said that these failures are real; then they are so for wider scopes, too.
            held |= {(entry.account, entry.address): 0 for entry in group}
            continue
        for last in sorted({_bucket(entry) for entry in group}):
            finals, candidates = _sum(scope, last, window, tally, limits)
            if not exceeds(finals, candidates, limits):
                continue
            first = last - span(limits)
            hold = window.holds.get(scope) or open_hold(connection, scope, from_ms(first), finals, candidates, now)
            held |= {(entry.account, entry.address): hold for entry in group if first <= _bucket(entry) <= last}


def _sum(scope: Scope, last: int, window: _Window, tally: Tally, limits: Limits) -> tuple[int, int]:
    """Return (finals, candidates) of the window that ends with the bucket `last`: folded, and this slice's own."""
    first = last - span(limits)
    known = (window.counts.get(scope, {}), tally.counts.get(scope, {}))
    found = [one for buckets in known for bucket, one in buckets.items() if first <= bucket <= last]
    return sum(one.finals for one in found), sum(one.candidates for one in found)


def open_hold(
    connection: Connection, scope: Scope, since: datetime, finals: int, candidates: int, now: datetime
) -> int:
    """Return the id of the scope's open group; it is made where there is none."""
    account, dimension, value = scope
    row = {
        "id": new_id(),
        "account": account,
        "dimension": dimension,
        "value": value,
        "since": since,
        "opened_at": now,
        "candidates": candidates,
        "finals": finals,
        "state": OPEN,
        "is_open": 1,
        "swept": 0,
    }
    insert_new(connection, guard_holds, [row])
    of_scope = and_(
        guard_holds.c.account == account, guard_holds.c.dimension == dimension, guard_holds.c.value == value
    )
    return int(connection.execute(select(guard_holds.c.id).where(of_scope, guard_holds.c.is_open == 1)).scalar_one())


def _held(
    entry: Entry,
    held: Mapping[tuple[str, bytes], int],
    joined: set[tuple[str, bytes]],
    window: _Window,
    limits: Limits,
) -> Entry:
    if entry.is_firm:
        return entry
    hold = held.get((entry.account, entry.address), 0)
    if not hold and (entry.account, entry.address) in joined:
        hold = next((found for scope in entry.scopes if (found := window.holds.get((entry.account, *scope)))), 0)
        hold = hold if hold and _surges(entry, window, limits) else 0
    return replace(entry, state=HELD, held_by=hold) if hold else entry


def _surges(entry: Entry, window: _Window, limits: Limits) -> bool:
    """Whether one of the entry's scopes is in a surge: what stands is then not prolonged by it."""
    last = _bucket(entry)
    sums = (_sum((entry.account, *scope), last, window, Tally(), limits) for scope in entry.scopes)
    return any(exceeds(finals, candidates, limits) for finals, candidates in sums)

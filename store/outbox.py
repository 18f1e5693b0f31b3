"""What is to be sent: claimed line by line, and recorded by whoever holds the lease.

A line is all that one kind has for one target. Lines are claimed apart from each other, so that however much waits
for a dead target, nobody has to look past it. A line whose target fails has a circuit: until it closes again, nothing
but a probe is sent. Circuits are kept in `meta`, for all workers to see.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Connection, Select, bindparam, delete, func, select, text, update

from store.database import Database
from store.moments import EPOCH, from_ms, to_ms
from store.schema import meta, outbox
from store.writes import upsert

LEASE: Final = timedelta(seconds=120)
_EXPIRED_AT_ONCE: Final = 1_000
# A pause by hand is a circuit that opens by itself in no time that matters, told by its number of failures.
_BY_HAND: Final = 1_000_000
_LONG: Final = timedelta(days=3_650)
# Written out, not bound, so that the databases see that the partial index serves it.
_OPEN: Final = text("state IN ('due', 'claimed')")


@dataclass(frozen=True, slots=True)
class Circuit:
    """How a line's target has fared: failures since its last success, and when it may be tried again."""

    failures: int = 0
    until: datetime = EPOCH
    failed_at: datetime = EPOCH


@dataclass(frozen=True, slots=True)
class Line:
    """What is due for one target: `due` rows, counted no further than asked for."""

    kind: str
    target: str
    due: int
    expired: bool
    """Whether the time of its oldest row is over."""
    circuit: Circuit


@dataclass(frozen=True, slots=True)
class Delivery:
    """One row that this worker has claimed. `due_at` is the time it was due at, `error` why it failed last."""

    id: int
    account: str
    kind: str
    target: str
    subject: int
    due_at: datetime
    give_up_at: datetime
    attempts: int
    lease_until: datetime
    error: str


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a claimed row: done, given_up, or due again at `due_at`."""

    delivery: Delivery
    state: str
    due_at: datetime
    error: str = ""
    counted: bool = True
    """Whether it was an attempt. A row given back untouched was none."""


def lines(connection: Connection, kinds: Iterable[str], now: datetime, most: int) -> list[Line]:
    """Return the lines of `kinds` that have something due, with at most `most` rows counted in each.

    It steps from line to line, so it costs by the number of targets and not of rows.
    """
    found: list[Line] = []
    heads = select(outbox.c.target, outbox.c.give_up_at).where(_OPEN)
    heads = heads.order_by(outbox.c.target, outbox.c.due_at).limit(1)
    for kind in kinds:
        target = ""
        # A range over kinds as well would make SQLite read all rows instead of the index.
        while row := connection.execute(heads.where(outbox.c.kind == kind, outbox.c.target > target)).first():
            target = row.target
            counted = _due(kind, target, now, most).subquery()
            due = connection.execute(select(func.count()).select_from(counted)).scalar_one()
            if due:
                circuit = circuit_of(connection, kind, target)
                found.append(Line(kind, target, due, row.give_up_at <= now, circuit))
    return found


def _due(kind: str, target: str, now: datetime, most: int) -> Select[Any]:
    """Select the oldest due rows of a line. A claimed row is due when its lease is over."""
    line = select(outbox.c.id).where(_OPEN, outbox.c.kind == kind, outbox.c.target == target, outbox.c.due_at <= now)
    return line.order_by(outbox.c.due_at).limit(most)


def claim(database: Database, line: Line, owner: str, now: datetime, most: int) -> list[Delivery]:
    """Take up to `most` due rows of `line` for `owner`, oldest first, and commit that before any is sent."""
    return database.repeat(lambda connection: _claim(connection, line, owner, now, most))


def _claim(connection: Connection, line: Line, owner: str, now: datetime, most: int) -> list[Delivery]:
    # The lease's end is the new time at which the row is due, so what it was before has to be read first.
    due = _due(line.kind, line.target, now, most).add_columns(outbox.c.due_at)
    if connection.dialect.name != "sqlite":
        due = due.with_for_update(skip_locked=True)
    before = {row.id: row.due_at for row in connection.execute(due).all()}
    if not before:
        return []
    until = now + LEASE
    chosen = update(outbox).where(outbox.c.id.in_(before))
    taken = chosen.values(
        state="claimed", owner=owner, lease_until=until, due_at=until, attempts=outbox.c.attempts + 1
    ).returning(*(column for column in outbox.c if column.name != "payload"))
    found = [_delivery(row, before[row.id]) for row in connection.execute(taken).all()]
    return sorted(found, key=lambda delivery: (delivery.due_at, delivery.id))


def _delivery(row: Any, due_at: datetime) -> Delivery:
    return Delivery(
        id=row.id,
        account=row.account,
        kind=row.kind,
        target=row.target,
        subject=row.subject,
        due_at=due_at,
        give_up_at=row.give_up_at,
        attempts=row.attempts,
        lease_until=row.lease_until,
        error=row.last_error,
    )


def settle(connection: Connection, owner: str, settled: Sequence[Settled]) -> int:
    """Record what became of claimed rows; return how many were still this claim's.

    The attempt is compared besides the owner: after a lost lease the same worker may have claimed the row anew.
    """
    mine = (outbox.c.id == bindparam("of")) & (outbox.c.owner == owner) & (outbox.c.attempts == bindparam("claimed"))
    statement = update(outbox).where(mine).values(owner="", lease_until=EPOCH)
    ordered = sorted(settled, key=lambda one: one.delivery.id)
    waiting = [_values(one) for one in ordered if one.state == "due"]
    # What is over needs its own copy of a body no longer.
    over = [{**_values(one), "payload": None} for one in ordered if one.state != "due"]
    return sum(int(connection.execute(statement, rows).rowcount) for rows in (waiting, over) if rows)


def _values(one: Settled) -> dict[str, Any]:
    return {
        "of": one.delivery.id,
        "claimed": one.delivery.attempts,
        "state": one.state,
        "due_at": one.due_at,
        "attempts": one.delivery.attempts - (not one.counted),
        "last_error": one.error[:500],
    }


def expire(connection: Connection, line: Line, now: datetime, error: str) -> dict[str, int]:
    """Give up the oldest rows of `line` whose time is over; return how many, by account."""
    # Only the oldest are looked at: where a million wait, the rest would be read at each pass.
    oldest = _due(line.kind, line.target, now, _EXPIRED_AT_ONCE).subquery()
    over = update(outbox).where(outbox.c.id.in_(select(oldest.c.id)), _OPEN, outbox.c.give_up_at <= now)
    # A row that somebody has claimed again just now is not due any more.
    ended = over.where(outbox.c.due_at <= now).values(
        state="given_up", owner="", lease_until=EPOCH, due_at=now, payload=None, last_error=error
    )
    counts: dict[str, int] = {}
    for account in connection.execute(ended.returning(outbox.c.account)).scalars():
        counts[account] = counts.get(account, 0) + 1
    return counts


def subjects_needed(kind: str) -> Select[Any]:
    """Select the subjects that open rows of `kind` still need, for what must not be deleted yet."""
    return select(outbox.c.subject).where(_OPEN, outbox.c.kind == kind)


def circuit_of(connection: Connection, kind: str, target: str) -> Circuit:
    """Return the circuit of a line; one that never failed has none written down."""
    value = connection.execute(select(meta.c.value).where(meta.c.name == _circuit(kind, target))).scalar()
    if value is None:
        return Circuit()
    kept = json.loads(value)
    return Circuit(kept["failures"], from_ms(kept["until"]), from_ms(kept["failed_at"]))


def note_circuit(connection: Connection, kind: str, target: str, circuit: Circuit) -> None:
    """Write a line's circuit down, or forget it where the target works again."""
    name = _circuit(kind, target)
    if not circuit.failures:
        connection.execute(delete(meta).where(meta.c.name == name))
        return
    kept = {"failures": circuit.failures, "until": to_ms(circuit.until), "failed_at": to_ms(circuit.failed_at)}
    upsert(connection, meta, [{"name": name, "value": json.dumps(kept)}], ["name"], ["value"])


def pause(connection: Connection, kind: str, target: str, now: datetime) -> None:
    """Send nothing more to a target until `resume`; what is for it waits, and is given up in its time."""
    note_circuit(connection, kind, target, Circuit(_BY_HAND, now + _LONG, now))


def is_paused(circuit: Circuit) -> bool:
    """Whether a person paused the target."""
    return circuit.failures >= _BY_HAND


def resume(connection: Connection, kind: str, target: str, now: datetime) -> int:
    """Let a target be tried at once, whatever it was paused for; return how many rows wait for it."""
    note_circuit(connection, kind, target, Circuit())
    mine = (outbox.c.kind == kind) & (outbox.c.target == target) & (outbox.c.state == "due")
    connection.execute(update(outbox).where(mine, outbox.c.due_at > now).values(due_at=now))
    return int(connection.scalar(select(func.count()).select_from(outbox).where(mine)) or 0)


def _circuit(kind: str, target: str) -> str:
    # Names in `meta` are short, targets are not.
    return f"circuit:{kind}:{sha256(target.encode()).hexdigest()[:24]}"

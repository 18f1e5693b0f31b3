"""Sends that are watched: where no delivery is reported within seconds, another channel is started."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Integer, Select, func, select, update

from store.ids import first_id_of
from store.moments import to_ms
from store.schema import reports, silences
from store.writes import insert_new

WAITING: Final = "waiting"
HEARD: Final = "heard"
FIRED: Final = "fired"
HELD: Final = "held"
DROPPED: Final = "dropped"
# Rows are needed as long as they count among the others of their channel.
KEPT_FOR: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """One watched send: `instead` is the channel that is started at `due_at` if nothing has arrived by `channel`."""

    key: bytes
    account: str
    recipient: bytes
    channel: str
    rule: str
    instead: str
    sent_at: datetime
    due_at: datetime
    state: str = WAITING


def watch(connection: Connection, rows: Sequence[Watch]) -> None:
    """Write sends to be watched. One that is watched, or was a moment ago, stays as it is: it is once per message."""
    insert_new(connection, silences, [asdict(row) for row in sorted(rows, key=lambda row: row.key)])


def is_due(connection: Connection, now: datetime) -> bool:
    """Whether there is anything to look at."""
    return connection.execute(_due(now, 1)).first() is not None


def due(connection: Connection, now: datetime, most: int) -> list[Watch]:
    """Return the sends whose time is over, the longest first, each for this transaction alone."""
    query = _due(now, most)
    if connection.dialect.name != "sqlite":
        query = query.with_for_update(skip_locked=True)
    return [Watch(**row._mapping) for row in connection.execute(query)]


def _due(now: datetime, most: int) -> Select[Any]:
    over = select(silences).where(silences.c.state == WAITING, silences.c.due_at <= now)
    return over.order_by(silences.c.due_at, silences.c.key).limit(most)


def settle(connection: Connection, keys: Collection[bytes], state: str) -> None:
    """Say what became of watched sends."""
    if keys:
        connection.execute(update(silences).where(silences.c.key.in_(sorted(keys))).values(state=state))


def others(connection: Connection, account: str, channel: str, since: datetime, now: datetime) -> tuple[int, int]:
    """Return how many of a channel's sends whose time was over since then were silent, and how many there were.

    Those that still wait are in neither number.
    """
    mine = (silences.c.account == account) & (silences.c.channel == channel) & (silences.c.state != WAITING)
    silent = func.coalesce(func.sum(silences.c.state.in_((FIRED, HELD, DROPPED)).cast(Integer)), 0)
    query = select(silent, func.count()).where(mine, silences.c.due_at > since, silences.c.due_at <= now)
    row = connection.execute(query).one()
    return int(row[0]), int(row[1])


def last_callback(connection: Connection, account: str, channel: str, since: datetime) -> datetime | None:
    """Return when the last callback of a channel came that was processed since then, or nothing."""
    mine = (reports.c.account == account) & (reports.c.channel == channel)
    # Ids begin with the time of processing, so this reads the end of the table and no more.
    late = select(reports.c.received_at).where(reports.c.id >= first_id_of(to_ms(since)), mine)
    return connection.scalar(late.order_by(reports.c.id.desc()).limit(1))

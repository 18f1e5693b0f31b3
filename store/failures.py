"""Days on which somebody could not be reached: one point a day, wiped out by a delivery."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, and_

from store.moments import from_ms
from store.schema import failure_days
from store.writes import insert_new, select_in

_KEY: Final = ("account", "address", "channel", "day")
Person = tuple[str, bytes]
"""An account and the hash of an address."""


def of(connection: Connection, people: Sequence[Person]) -> dict[tuple[bytes, str], tuple[datetime, ...]]:
    """Return the days of soft failure since the last delivery, the earliest first, by (address, channel)."""
    found: dict[tuple[bytes, str], tuple[datetime, ...]] = {}
    addresses, accounts = [address for _, address in people], {account for account, _ in people}
    rows = select_in(connection, failure_days, "address", addresses, accounts=accounts)
    for row in sorted(rows, key=lambda row: row.day):
        found[row.address, row.channel] = (*found.get((row.address, row.channel), ()), from_ms(row.day))
    return found


def note(connection: Connection, failed: Iterable[tuple[str, bytes, str, datetime]]) -> None:
    """Add one point a day for each (account, address, channel, event time)."""
    days = {
        (account, address, channel, at.replace(hour=0, minute=0, second=0, microsecond=0))
        for account, address, channel, at in failed
    }
    insert_new(connection, failure_days, [dict(zip(_KEY, day, strict=True)) for day in sorted(days)])


def forget(
    connection: Connection,
    accounts: Iterable[str],
    delivered: Mapping[tuple[str, bytes], datetime],
    addresses: Sequence[bytes],
) -> None:
    """Wipe out what is older than a delivery. `delivered`: (channel, address) -> event time."""
    for row in select_in(connection, failure_days, "address", addresses, accounts=accounts):
        moment = delivered.get((row.channel, row.address))
        if moment is not None and from_ms(row.day) <= moment:
            key = and_(*(failure_days.c[name] == getattr(row, name) for name in _KEY))
            connection.execute(failure_days.delete().where(key))

"""Days on which somebody could not be reached, by cause: what scores and tiers count. A delivery wipes them out."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import Connection, and_, update

from store.moments import from_ms, to_ms
from store.schema import failure_days
from store.writes import select_in, widen

_KEY: Final = ("account", "address", "channel", "day", "cause")
_DAY_MS: Final = 86_400_000
Person = tuple[str, bytes]
"""An account and the hash of an address."""


class Failure(NamedTuple):
    """Somebody could not be reached, for a cause that says something about them."""

    account: str
    address: bytes
    channel: str
    at: datetime
    cause: str
    place: str = ""
    """Where, as `store.outages` names it."""
    reached_at: datetime | None = None
    """When something arrived after it."""


class FailureDay(NamedTuple):
    """The failures of one person, channel, cause and day. `reached_at`: when something arrived after one of them."""

    account: str
    channel: str
    cause: str
    place: str
    first_at: datetime
    last_at: datetime
    reached_at: datetime


def of(connection: Connection, people: Sequence[Person]) -> dict[bytes, tuple[FailureDay, ...]]:
    """Return the days of failure of each address, the earliest first, those included that a delivery wiped out."""
    found: dict[bytes, tuple[FailureDay, ...]] = {}
    addresses, accounts = [address for _, address in people], {account for account, _ in people}
    rows = select_in(connection, failure_days, "address", addresses, accounts=accounts)
    for row in sorted(rows, key=lambda row: row.first_at):
        times = from_ms(row.first_at), from_ms(row.last_at), from_ms(row.reached_at)
        day = FailureDay(row.account, row.channel, row.cause, row.place, *times)
        found[row.address] = (*found.get(row.address, ()), day)
    return found


def not_wiped_out(day: FailureDay, until: datetime, arrived: Iterable[datetime]) -> list[datetime]:
    """Return the moments of a day that failed up to `until` and after which nothing had arrived by then."""
    reached = [moment for moment in arrived if moment <= until]
    return [at for at in (day.first_at, day.last_at) if at <= until and not any(at <= one for one in reached)]


def note(connection: Connection, failed: Iterable[Failure]) -> None:
    """Keep failures: one row for each person, channel, day and cause."""
    days: dict[tuple[str, bytes, str, int, str], dict[str, object]] = {}
    for one in failed:
        moment = to_ms(one.at)
        key = (one.account, one.address, one.channel, moment - moment % _DAY_MS, one.cause)
        known = days.setdefault(key, dict(zip(_KEY, key, strict=True)))
        known["first_at"] = min(moment, known.get("first_at", moment))  # type: ignore[call-overload]
        known["last_at"] = max(moment, known.get("last_at", moment))  # type: ignore[call-overload]
        known.setdefault("place", one.place)
        reached_at = to_ms(one.reached_at) if one.reached_at else 0
        known["reached_at"] = max(reached_at, known.get("reached_at", 0))  # type: ignore[call-overload]
    rows = [days[key] for key in sorted(days)]
    widen(connection, failure_days, rows, _KEY, least="first_at", most=("last_at", "reached_at"))


def forget(
    connection: Connection,
    accounts: Iterable[str],
    addresses: Sequence[bytes],
    deliveries: Mapping[tuple[str, bytes], Sequence[datetime]],
) -> None:
    """Wipe out what is older than a delivery to `addresses`.

    `deliveries`: (channel, address) -> event times, in any order.

    The delivery that wiped a day out first is what it keeps: what happened after that one is decided anew without it.
    """
    for row in select_in(connection, failure_days, "address", addresses, accounts=accounts):
        reached_at = row.reached_at
        for moment in sorted(map(to_ms, deliveries.get((row.channel, row.address), ()))):
            if reached_at < row.last_at and row.first_at <= moment:
                reached_at = moment
        if reached_at != row.reached_at:
            key = and_(*(failure_days.c[name] == getattr(row, name) for name in _KEY))
            connection.execute(update(failure_days).where(key).values(reached_at=from_ms(reached_at)))

"""How much is reported on each channel and network, hour by hour: what is usual, and by it what is not.

Every slice of reports appends a row for each channel and network; they are folded into the hours by one.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, delete, func, select

from store.ids import new_ids
from store.schema import traffic, traffic_deltas
from store.writes import insert_for, insert_rows

HOUR: Final = timedelta(hours=1)
HOUR_MS: Final = 3_600_000
_FOLDED_AT_ONCE: Final = 5_000
Key = tuple[str, str, str, int, bool]
Counts = Counter[Key]
"""Final delivery reports by account, channel, network, the hour in which they came (ms), and whether they failed."""


@dataclass(frozen=True, slots=True)
class Line:
    """What was reported of one channel and network: in the hours looked at, and in all those before them."""

    account: str
    channel: str
    network: str
    reports: int
    failed: int
    past_reports: int
    past_failed: int
    since: datetime
    """The first hour of which anything is known."""


def note(connection: Connection, counts: Counts) -> None:
    """Append counts. They cost one row for each channel and network, and lock nothing that others need."""
    together: dict[tuple[str, str, str, int], list[int]] = {}
    for (account, channel, network, hour, failed), number in counts.items():
        found = together.setdefault((account, channel, network, hour), [0, 0])
        found[0] += number
        found[1] += number if failed else 0
    rows = [
        {
            "id": number,
            "account": account,
            "channel": channel,
            "network": network,
            "hour": hour,
            "reports": found[0],
            "failed": found[1],
        }
        for number, ((account, channel, network, hour), found) in zip(
            new_ids(len(together)), sorted(together.items()), strict=True
        )
    ]
    insert_rows(connection, traffic_deltas, rows)


def fold(connection: Connection) -> int:
    """Add what was appended to its hours; return how many rows that were."""
    query = select(traffic_deltas).order_by(traffic_deltas.c.id).limit(_FOLDED_AT_ONCE)
    if connection.dialect.name != "sqlite":
        query = query.with_for_update(skip_locked=True)
    deltas = connection.execute(query).all()
    sums: dict[tuple[str, str, str, datetime], list[int]] = {}
    for row in deltas:
        found = sums.setdefault((row.account, row.channel, row.network, row.hour), [0, 0])
        found[0] += row.reports
        found[1] += row.failed
    for (account, channel, network, hour), (reports, failed) in sorted(sums.items()):
        new = insert_for(connection, traffic).values(
            account=account, channel=channel, network=network, hour=hour, reports=reports, failed=failed
        )
        more = {"reports": traffic.c.reports + new.excluded.reports, "failed": traffic.c.failed + new.excluded.failed}
        keys = ["account", "channel", "network", "hour"]
        connection.execute(new.on_conflict_do_update(index_elements=keys, set_=more))
    connection.execute(delete(traffic_deltas).where(traffic_deltas.c.id.in_([row.id for row in deltas])))
    return len(deltas)


def lines(connection: Connection, since: datetime) -> list[Line]:
    """Return each channel and network that had reports in the hours from that of `since` on, with its past."""
    begin = hour_of(since)
    key = (traffic.c.account, traffic.c.channel, traffic.c.network)
    now = select(*key, func.sum(traffic.c.reports), func.sum(traffic.c.failed))
    recent = connection.execute(now.where(traffic.c.hour >= begin).group_by(*key)).all()
    if not recent:
        return []
    past_of = select(*key, func.sum(traffic.c.reports), func.sum(traffic.c.failed), func.min(traffic.c.hour))
    past = connection.execute(past_of.where(traffic.c.hour < begin).group_by(*key)).all()
    known = {tuple(row[:3]): row for row in past}
    nothing = (0, 0, begin)
    return [_line(row, known[tuple(row[:3])][3:] if tuple(row[:3]) in known else nothing) for row in recent]


def _line(row: Any, past: Sequence[Any]) -> Line:
    return Line(row[0], row[1], row[2], int(row[3]), int(row[4]), int(past[0]), int(past[1]), past[2])


def usual(connection: Connection, now: datetime, days: int) -> dict[tuple[str, str], list[int]]:
    """Return how many reports each (account, channel) had at this hour of the last `days` days, the latest first."""
    hours = [hour_of(now) - timedelta(days=day) for day in range(1, days + 1)]
    found: dict[tuple[str, str], list[int]] = {}
    for place, hour in enumerate(hours):
        for key, number in in_hours(connection, hour, hour + HOUR).items():
            found.setdefault(key, [0] * days)[place] = number
    return found


def in_hours(connection: Connection, begin: datetime, end: datetime) -> dict[tuple[str, str], int]:
    """Return how many reports each (account, channel) had in the hours that begin from `begin` until before `end`."""
    query = select(traffic.c.account, traffic.c.channel, func.sum(traffic.c.reports))
    query = query.where(traffic.c.hour >= begin, traffic.c.hour < end).group_by(traffic.c.account, traffic.c.channel)
    return {(row[0], row[1]): int(row[2]) for row in connection.execute(query)}


def hour_of(moment: datetime) -> datetime:
    """Return when the hour of a moment began."""
    return moment.replace(minute=0, second=0, microsecond=0)

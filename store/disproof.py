"""What arrivals disprove of what was suppressed, by the time of the events, however late we are told of them.

One that came after the last failure lifts the entry. One that came between failures takes those before it from the
count that a suppression rests on: where too few are left, it is dropped, as if it had never been.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Connection

from store import failures, outages
from store.failures import FailureDay
from store.moments import from_ms
from store.outages import Outages
from store.schema import suppressions
from store.suppressions import DECIDED, DROPPED, LIFTED_BY_DELIVERY, STANDING, lift
from store.trail import Change, change
from store.writes import select_in

Arrived = Mapping[tuple[str, bytes], Sequence[datetime]]
"""Whenever something arrived, by event time, at (channel, address)."""
REPORTED: Final = "report"
"""The origin of what reports led to."""


@dataclass(frozen=True, slots=True)
class Disproof:
    """Entries to be lifted, each with the event time as of which, and those whose failures must be counted again."""

    lifts: Sequence[tuple[int, datetime]] = ()
    doubtful: Sequence[Any] = ()


def lift_after(
    connection: Connection, addresses: Sequence[bytes], arrived: Arrived, now: datetime
) -> tuple[Sequence[Any], set[bytes]]:
    """Lift what these arrivals at `addresses` disprove.

    Return the entries that they leave in doubt, and who of the people has any entry. Those in doubt are locked as
    well, for whoever counts them again does so once failures are written.
    """
    rows = select_in(connection, suppressions, "address", addresses)
    found = weigh(rows, arrived)
    if found.doubtful:
        numbers = [*(number for number, _ in found.lifts), *(row.id for row in found.doubtful)]
        select_in(connection, suppressions, "id", numbers, lock=True, columns=("id",))
    lift(connection, found.lifts, now, "report", "delivered since")
    return found.doubtful, {row.address for row in rows}


def weigh(rows: Iterable[Any], arrived: Arrived) -> Disproof:
    """Sort entries by what arrivals say of them. `rows` are as `store.writes.select_in` returns them."""
    rows = [row for row in rows if row.state in STANDING and row.cause in LIFTED_BY_DELIVERY]
    # Nearly everything arrives at somebody of whom there is no entry.
    wanted = {row.address for row in rows}
    people: dict[bytes, list[tuple[str, Sequence[datetime]]]] = defaultdict(list)
    for (channel, address), moments in arrived.items() if wanted else ():
        if address in wanted:
            people[address].append((channel, moments))
    lifts, doubtful = [], []
    for row in rows:
        reached = [at for channel, times in people.get(row.address, ()) if row.channel in ("", channel) for at in times]
        told = from_ms(row.event_at)
        last = max(reached, default=told)
        if last > told:
            lifts.append((row.id, last))
        elif row.origin == REPORTED and row.held_by != DECIDED and reached and _is_among(last, row):
            doubtful.append(row)
    return Disproof(lifts, doubtful)


def too_few(connection: Connection, rows: Sequence[Any], arrived: Arrived) -> dict[int, str]:
    """Return those entries of which too few failures are left, each with the reason."""
    if not rows:
        return {}
    days = failures.of(connection, [(row.account, row.address) for row in rows])
    known = outages.read(connection, {(day.account, day.place) for found in days.values() for day in found})
    told = {}
    for row in rows:
        evidence = msgspec.json.decode(row.evidence)
        needed = int(evidence.get("needed", 1))
        left = len(_left(row, days.get(row.address, ()), known, arrived, by_tier="tier" in evidence))
        if left < needed:
            told[row.id] = f"something arrived between, so {left} of the {needed} failures that it takes are left"
    return told


def drop(connection: Connection, told: Mapping[int, str], now: datetime) -> int:
    """Drop these entries, each for its reason; return how many. They count for no later pause."""
    values = {"state": DROPPED, "changed_at": now, "held_by": 0}
    change(connection, [Change(number, "dropped", why, values) for number, why in told.items()], now, "policy")
    return len(told)


def _is_among(at: datetime, row: Any) -> bool:
    counted = failed_at(row)
    return bool(counted) and at >= min(counted)


def failed_at(row: Any) -> list[datetime]:
    """Return when the failures happened that the entry was counted from; none where it was not."""
    text = msgspec.json.decode(row.evidence).get("counted", "")
    return [datetime.fromisoformat(moment) for moment in text.split(", ")] if text else []


def _left(row: Any, known: Sequence[FailureDay], excused: Outages, arrived: Arrived, *, by_tier: bool) -> set[int]:
    """Return the days of failure that still count for an entry.

    A score counts what failed since as well. What a tier counts is told by the decision alone, for failures within a
    pause are none of its times.
    """
    counted = {moment.toordinal() for moment in failed_at(row)}
    until = from_ms(row.event_at)
    fails: dict[int, bool] = {}
    for day in known:
        if row.channel in ("", day.channel):
            reached = (*arrived.get((day.channel, row.address), ()), day.reached_at)
            moments = failures.not_wiped_out(day, until, reached)
            number = day.first_at.toordinal()
            counts = any(not excused.excuse(day.account, day.place, day.channel, moment) for moment in moments)
            fails[number] = counts or fails.get(number, False)
    # Of a day of which nothing is known any more, nothing is known to have wiped it out.
    left = {day for day in counted if fails.get(day, True)}
    return left if by_tier else left | {day for day, counts in fails.items() if counts and day > max(counted)}

"""When something last reached a person, and when a person last opted in: either may be told before what it undoes."""

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, Connection, and_, func, not_, or_, select

from codes.events import EVENTS, event_meaning
from store.moments import from_ms, to_ms
from store.schema import reports
from store.suppressions import Entry

# Infobip's clock may run ahead of ours by this much, and so may an event's time ahead of its receipt.
_AHEAD: Final = timedelta(minutes=10)
LIFTABLE: Final = frozenset(cause for meaning in EVENTS.values() for cause in meaning.lifts)
_OF_A_MESSAGE: Final = ("delivery", "seen", "click")


# The facts are compact JSON.
_UNTRUSTED: Final = '"untrusted":true'
_LAST: Final = (
    "SELECT recipient, channel, max(event_at) FROM reports WHERE recipient {among} AND received_at >= {mark}"
    " AND event_at > {mark} AND (event IN ('seen', 'click') OR event = 'delivery' AND outcome = 'delivered')"
    " AND facts NOT LIKE {mark} GROUP BY recipient, channel"
)


@dataclass(frozen=True, slots=True)
class OptIn:
    """What a person asked for again: the causes it lifts, its scope, and when it happened."""

    account: str
    address: bytes
    lifts: frozenset[str]
    sender: str
    channel: str
    at: datetime
    kind: str


def arrived() -> ColumnElement[bool]:
    """Return the condition on `reports` that somebody who is trusted said that the message arrived."""
    told = or_(
        and_(reports.c.event == "delivery", reports.c.outcome == "delivered"), reports.c.event.in_(("seen", "click"))
    )
    return and_(told, vouched_for())


def vouched_for() -> ColumnElement[bool]:
    """Return the condition on `reports` that the callback was authenticated."""
    return not_(reports.c.facts.contains(_UNTRUSTED, autoescape=True))


def last_arrivals(
    connection: Connection, addresses: Collection[bytes], since: datetime
) -> dict[tuple[str, bytes], datetime]:
    """Return when, by event time, something last arrived at (channel, address), as far as that was after `since`."""
    wanted = sorted(addresses)
    if not wanted:
        return {}
    # Plain SQL, since it is asked for every slice with a failure in it (see `store.writes`).
    values: tuple[bytes | str, ...] = tuple(wanted)
    among, mark = f"IN ({','.join('?' * len(wanted))})", "?"
    if connection.dialect.name != "sqlite":
        values = ("{" + ",".join(f'"\\\\x{address.hex()}"' for address in wanted) + "}",)
        among, mark = "= ANY(%s::bytea[])", "%s"
    times = to_ms(since - _AHEAD), to_ms(since)
    rows = connection.exec_driver_sql(_LAST.format(among=among, mark=mark), (*values, *times, f"%{_UNTRUSTED}%"))
    return {(channel, bytes(recipient)): from_ms(at) for recipient, channel, at in rows}


def hold(connection: Connection, addresses: Collection[bytes]) -> None:
    """Let no other worker write what these persons want until the end of the transaction.

    Of an opt-out and an opt-in that two workers have at the same moment, neither would find the other's row, and there
    is no row yet that could be locked. SQLite has one writer anyway.
    """
    if connection.dialect.name != "sqlite":
        for address in sorted(addresses):
            number = int.from_bytes(address[:8], "big", signed=True)
            connection.execute(select(func.pg_advisory_xact_lock(number)))


def opted_in_since(connection: Connection, entries: Sequence[Entry]) -> Iterator[OptIn]:
    """Yield the opt-ins of the persons of these entries that happened after the oldest of them."""
    undone = [entry for entry in entries if entry.cause in LIFTABLE]
    if not undone:
        return
    since = min(entry.since for entry in undone)
    query = select(reports).where(
        reports.c.recipient.in_(sorted({entry.address for entry in undone})),
        reports.c.received_at >= since - _AHEAD,
        reports.c.event_at > since,
        reports.c.event.not_in(_OF_A_MESSAGE),
        vouched_for(),
    )
    for row in connection.execute(query.order_by(reports.c.event_at)):
        facts = json.loads(row.facts)
        meaning = event_meaning(row.kind, facts.get("word", ""))
        if meaning is not None and meaning.lifts:
            sender = facts.get("sender", "")
            yield OptIn(row.account, row.recipient, meaning.lifts, sender, row.channel, row.event_at, row.kind)

"""When something last reached a person, and when a person last opted in: either may be told before what it undoes."""

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, Connection, and_, func, not_, or_, select

from codes.events import EVENTS, event_meaning
from store.schema import reports
from store.suppressions import Entry

# Infobip's clock may run ahead of ours by this much, and so may an event's time ahead of its receipt.
_AHEAD: Final = timedelta(minutes=10)
_LIFTABLE: Final = frozenset(cause for meaning in EVENTS.values() for cause in meaning.lifts)
_OF_A_MESSAGE: Final = ("delivery", "seen", "click")


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
    # The facts are compact JSON.
    return not_(reports.c.facts.contains('"untrusted":true', autoescape=True))


def last_arrivals(
    connection: Connection, addresses: Collection[bytes], since: datetime
) -> dict[tuple[str, bytes], datetime]:
    """Return when, by event time, something last arrived at (channel, address), as far as that was after `since`."""
    if not addresses:
        return {}
    query = (
        select(reports.c.recipient, reports.c.channel, func.max(reports.c.event_at))
        .where(
            reports.c.recipient.in_(sorted(addresses)),
            reports.c.received_at >= since - _AHEAD,
            reports.c.event_at > since,
            arrived(),
        )
        .group_by(reports.c.recipient, reports.c.channel)
    )
    return {(channel, recipient): at for recipient, channel, at in connection.execute(query)}


def opted_in_since(connection: Connection, entries: Sequence[Entry]) -> Iterator[OptIn]:
    """Yield the opt-ins of the persons of these entries that happened after the oldest of them."""
    undone = [entry for entry in entries if entry.cause in _LIFTABLE]
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

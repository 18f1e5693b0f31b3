"""Events for the customer's own endpoints: written in the transaction of what they tell, and only where one is wanted.

Which endpoints there are is carried by the connection (`Database.carry`), so that whatever changes a suppression, a
resend or an incident tells of it, whichever process and command it is in.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any, Final

from sqlalchemy import Connection, delete, func, select

from config.events import MATCHED
from config.forwarding import NO_ENDPOINTS, Endpoint, Endpoints
from store import people
from store.database import Database
from store.ids import first_id_of, new_id, new_ids
from store.moments import EPOCH, to_ms
from store.schema import events, outbox
from store.vault import Vault
from store.writes import insert_new, insert_returning

KIND: Final = "forward"
_OPTION: Final = "dlr_endpoints"
# For an endpoint that a rule names and nobody configured: the row is what tells a person of it.
_PATIENCE: Final = timedelta(days=1)
_AT_ONCE: Final = 500
_OVER: Final = ("done", "given_up")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened. `data` is JSON and holds no address."""

    kind: str
    """One of `config.events`."""
    account: str
    at: datetime
    about: Sequence[bytes | str | int]
    """What makes it this one: the same is never told twice."""
    data: Mapping[str, Any]
    channel: str = ""
    recipient: bytes = b""
    """Hash of whom it is about."""
    message_key: bytes = b""
    to: str = ""
    """The one endpoint that gets it, where a rule names it; else all that want it."""

    @property
    def key(self) -> bytes:
        """The hash of what it is about."""
        digest = blake2b(digest_size=16)
        for part in (self.kind, self.account, self.to, *self.about):
            text = part if isinstance(part, bytes) else str(part).encode("utf-8", "surrogatepass")
            digest.update(len(text).to_bytes(4) + text)
        return digest.digest()


@dataclass(frozen=True, slots=True)
class Kept:
    """An event as it is kept, with what tells whom it is about."""

    id: int
    account: str
    kind: str
    channel: str
    at: datetime
    data: Mapping[str, Any]
    tail: str = ""
    domain: str = ""
    sealed: bytes | None = field(default=None, repr=False)


def told_to(database: Database, endpoints: Callable[[], Endpoints]) -> None:
    """Let everything that is written through `database` be told to these endpoints."""
    database.carry(**{_OPTION: endpoints})


def endpoints_of(connection: Connection) -> Endpoints:
    """Return the endpoints in force."""
    source = connection.get_execution_options().get(_OPTION)
    return source() if source is not None else NO_ENDPOINTS


def wanted(connection: Connection, *kinds: str) -> bool:
    """Whether any endpoint takes events of any of these kinds."""
    return not endpoints_of(connection).wanted.isdisjoint(kinds)


def note(connection: Connection, found: Iterable[Event], now: datetime) -> int:
    """Keep the events that somebody wants, with a row of the outbox for each who does; return how many are new."""
    endpoints = endpoints_of(connection)
    takers: dict[bytes, tuple[Event, Mapping[str, timedelta]]] = {}
    for event in found:
        if names := _takers(endpoints, event):
            takers.setdefault(event.key, (event, names))
    # In one order for all writers: where two tell of the same, the second waits for the first.
    ordered = sorted(takers.items())
    count = 0
    for start in range(0, len(ordered), _AT_ONCE):
        count += _write(connection, ordered[start : start + _AT_ONCE], now)
    return count


def _takers(endpoints: Endpoints, event: Event) -> Mapping[str, timedelta]:
    if event.to:
        named = endpoints.by_name.get(event.to)
        return {event.to: named.give_up_after if named else _PATIENCE}
    takers = endpoints.takers(event.kind, event.account, event.channel)
    return {one.name: one.give_up_after for one in takers}


def _write(
    connection: Connection, some: Sequence[tuple[bytes, tuple[Event, Mapping[str, timedelta]]]], now: datetime
) -> int:
    numbers = new_ids(len(some))
    rows = [_row(number, key, event) for number, (key, (event, _)) in zip(numbers, some, strict=True)]
    new = {number for (number,) in insert_returning(connection, events, rows, ("id",))}
    queued = [
        _outgoing(event.account, name, number, now, patience)
        for number, (_, (event, names)) in zip(numbers, some, strict=True)
        if number in new
        for name, patience in names.items()
    ]
    insert_new(connection, outbox, queued)
    return len(new)


def _row(number: int, key: bytes, event: Event) -> dict[str, Any]:
    return {
        "id": number,
        "key": key,
        "account": event.account,
        "kind": event.kind,
        "channel": event.channel,
        "at": event.at,
        "recipient": event.recipient,
        "message_key": event.message_key,
        "data": json.dumps(event.data, ensure_ascii=False, default=str),
    }


def _outgoing(account: str, target: str, event_id: int, now: datetime, patience: timedelta) -> dict[str, Any]:
    return {
        "id": new_id(),
        "account": account,
        "kind": KIND,
        "target": target,
        "subject": event_id,
        "payload": None,
        "state": "due",
        "due_at": now,
        "give_up_at": now + patience,
        "attempts": 0,
        "owner": "",
        "lease_until": EPOCH,
        "last_error": "",
    }


def open_event(database: Database, number: int) -> Kept | None:
    """Return an event that is to leave, or nothing where it is kept no longer."""
    with database.reading() as connection:
        row = connection.execute(select(events).where(events.c.id == number)).first()
        whom = people.known(connection, [row.recipient]).get(row.recipient, {}) if row else {}
    return _kept(row, whom) if row else None


def _kept(row: Any, whom: Mapping[str, Any]) -> Kept:
    data = json.loads(row.data)
    person = whom.get("tail", ""), whom.get("domain", ""), whom.get("sealed")
    return Kept(row.id, row.account, row.kind, row.channel, row.at, data, *person)


def address_of(vault: Vault, kept: Kept) -> str:
    """Return whom an event is about, in clear; empty where nobody is or they were forgotten."""
    return vault.open(kept.sealed).decode("utf-8", "surrogatepass") if kept.sealed else ""


@dataclass(frozen=True, slots=True)
class Range:
    """Which events are to be sent once more. Empty `kinds` or texts mean all."""

    since: datetime
    until: datetime
    kinds: frozenset[str] = frozenset()
    account: str = ""
    channel: str = ""
    message_id: str = ""


def in_range(connection: Connection, asked: Range, endpoint: Endpoint) -> Iterator[list[int]]:
    """Yield the ids of the events that `endpoint` gets and that are asked for, some at a time, oldest first."""
    last = first_id_of(to_ms(max(asked.since, EPOCH))) - 1
    end = first_id_of(to_ms(asked.until))
    columns = (events.c.id, events.c.kind, events.c.account, events.c.channel, events.c.data)
    while True:
        query = select(*columns).where(events.c.id > last, events.c.id < end).order_by(events.c.id).limit(_AT_ONCE)
        rows = connection.execute(query).all()
        if not rows:
            return
        last = rows[-1].id
        yield [row.id for row in rows if _is_asked(row, asked) and _is_for(row, endpoint)]


def _is_asked(row: Any, asked: Range) -> bool:
    if asked.kinds and row.kind not in asked.kinds:
        return False
    if asked.account not in ("", row.account) or asked.channel not in ("", row.channel):
        return False
    return not asked.message_id or json.loads(row.data).get("messageId") == asked.message_id


def _is_for(row: Any, endpoint: Endpoint) -> bool:
    if row.kind == MATCHED:
        return endpoint.serves(row.account) and json.loads(row.data).get("endpoint") == endpoint.name
    return endpoint.takes(row.kind, row.account, row.channel)


def send_again(connection: Connection, endpoint: Endpoint, numbers: Sequence[int], now: datetime) -> int:
    """Queue events anew, whatever became of them; those that still wait are left alone. Returns how many are queued."""
    mine = (outbox.c.kind == KIND) & (outbox.c.target == endpoint.name) & outbox.c.subject.in_(numbers)
    connection.execute(delete(outbox).where(mine, outbox.c.state.in_(_OVER)))
    waiting = set(connection.scalars(select(outbox.c.subject).where(mine)))
    accounts = dict(connection.execute(select(events.c.id, events.c.account).where(events.c.id.in_(numbers))).all())
    again = [number for number in numbers if number not in waiting and number in accounts]
    rows = [_outgoing(accounts[number], endpoint.name, number, now, endpoint.give_up_after) for number in again]
    insert_new(connection, outbox, rows)
    return len(rows)


def waiting_of(connection: Connection, name: str) -> tuple[int, datetime | None]:
    """Return how many events wait for an endpoint, and since when the oldest of them."""
    mine = (outbox.c.kind == KIND) & (outbox.c.target == name) & outbox.c.state.in_(("due", "claimed"))
    row = connection.execute(select(func.count(), func.min(outbox.c.id)).where(mine)).one()
    oldest = EPOCH + timedelta(milliseconds=row[1] >> 22) if row[1] else None
    return row[0], oldest

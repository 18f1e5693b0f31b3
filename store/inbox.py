"""Callbacks as they came: kept before they are answered, claimed by one worker at a time."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, case, func, select, update

from store import choice
from store.choice import LEASE, MOST_CALLBACKS, WAITING
from store.database import Database
from store.errors import KeyMismatch, UnknownKey
from store.ids import new_id, new_ids
from store.raw import Raw, pack
from store.schema import inbox, quarantine
from store.sqlite import RECEIVED
from store.vault import Vault
from store.writes import insert_rows

# SQLite changes a row in place as long as its size stays what it was, and else writes its body anew: twice for each
# callback. So a name of nobody is as long as one of a worker, a lease of nobody's takes as many bytes as one that runs,
# and what the state of a callback that is done is longer by (`done` for `new`), its owner's name is shorter by.
_WIDE: Final = 64
_NOBODY: Final = "-" * _WIDE
_NOBODY_ANY_MORE: Final = _NOBODY[:-1]
_LONG_AGO: Final = datetime(2000, 1, 1, tzinfo=UTC)
# Attempts lost while claimed alone after which a callback is taken for poison.
MOST_ALONE: Final = 3
UNREADABLE: Final = "unreadable"
FOREIGN: Final = "foreign"


@dataclass(frozen=True, slots=True)
class Arrival:
    """One callback about to be kept. `faults` are (index, reason) of items that cannot be understood.

    `undecoded` says that reading it failed in an unforeseen way: it is kept all the same, and the worker
    quarantines it.
    """

    account: str
    channel: str
    content_type: str
    body: bytes
    received_at: datetime
    trusted: bool
    headers: Mapping[str, str] = field(default_factory=dict)
    items: int = 0
    faults: Sequence[tuple[int, str]] = ()
    undecoded: bool = False
    sent: tuple[Mapping[str, str], bytes] | None = None
    """Headers and body exactly as they came, where `body` is the unpacked form of them."""
    relayed: bool = False
    """Whether it is to be passed on; `store.relays.take_up` sees to it."""


@dataclass(frozen=True, slots=True)
class Callback:
    """One callback that this worker has claimed."""

    id: int
    account: str
    channel: str
    content_type: str
    body: bytes
    received_at: datetime
    trusted: bool
    state: str
    alone_attempts: int


def keep(connection: Connection, vault: Vault, arrival: Arrival) -> int:
    """Write the callback and its bad items; return its id. It counts as kept once the transaction is committed."""
    number = new_id()
    row = {
        "id": number,
        "account": arrival.account,
        "channel": arrival.channel,
        "received_at": arrival.received_at,
        "content_type": arrival.content_type[:255],
        "headers": vault.seal(json.dumps(dict(arrival.headers)).encode()),
        "body": vault.seal(arrival.body),
        "body_hash": body_hash(arrival.body),
        "trusted": arrival.trusted,
        "items": arrival.items,
        "state": "undecoded" if arrival.undecoded else "new",
        "waiting": 1,
        "owner": _NOBODY,
        "lease_until": _LONG_AGO,
        "attempts": 0,
        "alone_attempts": 0,
        "relaying": int(arrival.relayed),
        "packed": pack(vault, Raw(*arrival.sent)) if arrival.relayed and arrival.sent else None,
    }
    connection.execute(inbox.insert(), row)
    insert_rows(connection, quarantine, _bad_items(number, arrival))
    return number


def _bad_items(callback_id: int, arrival: Arrival) -> list[dict[str, Any]]:
    numbers = new_ids(len(arrival.faults))
    return [
        {
            "id": number,
            "account": arrival.account,
            "callback_id": callback_id,
            "item_index": index,
            "channel": arrival.channel,
            "reason": reason,
            "kept_at": arrival.received_at,
            "state": "open",
        }
        for number, (index, reason) in zip(numbers, arrival.faults, strict=True)
    ]


def keep_refused(connection: Connection, vault: Vault, arrival: Arrival, reason: str) -> bool:
    """Keep a body that was refused with 400 or 415 as one quarantined whole; once per body. Whether it was new."""
    known = select(inbox.c.id).where(inbox.c.body_hash == body_hash(arrival.body), inbox.c.state == "quarantined")
    if connection.execute(known.limit(1)).first() is not None:
        return False
    number = keep(connection, vault, arrival)
    connection.execute(update(inbox).where(inbox.c.id == number).values(state="quarantined", waiting=0))
    quarantine_whole(connection, number, arrival.account, arrival.channel, arrival.received_at, reason)
    return True


def quarantine_whole(
    connection: Connection, callback_id: int, account: str, channel: str, at: datetime, reason: str
) -> None:
    """Put a whole callback into quarantine."""
    row = {"id": new_id(), "account": account, "callback_id": callback_id, "item_index": -1, "channel": channel}
    insert_rows(connection, quarantine, [{**row, "reason": reason, "kept_at": at, "state": "open"}])


def body_hash(body: bytes) -> bytes:
    """Return 16 bytes that stand for a body."""
    return blake2b(body, digest_size=16).digest()


class Claim(NamedTuple):
    """What a worker has claimed, whether more was waiting than it took, and whether it is one that was lost before."""

    callbacks: list[Callback]
    more: bool
    again: bool = False


def claim(
    database: Database,
    vault: Vault,
    owner: str,
    now: datetime,
    most: int = MOST_CALLBACKS,
    *,
    fresh_first: bool = False,
) -> Claim:
    """Take up to `most` callbacks for `owner`, oldest first, and commit that before any of them is worked on.

    Together they hold about `choice.MOST_REPORTS` reports at most. What another owner's lease still covers is left
    alone. A callback that lost an attempt is claimed by itself; with `fresh_first` only where there is no other.
    """

    def work(connection: Connection) -> Claim:
        return _claim(connection, vault, owner, now, most, fresh_first=fresh_first)

    return database.repeat(work, lasting=False, lock=RECEIVED)


def _claim(
    connection: Connection, vault: Vault, owner: str, now: datetime, most: int, *, fresh_first: bool = False
) -> Claim:
    chosen = choice.choose(connection, now, most, fresh_first=fresh_first)
    if not chosen.ids:
        return Claim([], more=False)
    alone = len(chosen.ids) == 1
    claimed = (
        update(inbox)
        .where(inbox.c.id.in_(chosen.ids))
        .values(
            owner=_wide(owner),
            lease_until=now + LEASE,
            attempts=inbox.c.attempts + 1,
            alone_attempts=inbox.c.alone_attempts + (1 if alone else 0),
        )
        .returning(inbox)
    )
    found = connection.execute(claimed).all()
    callbacks = [as_callback(row, vault) for row in sorted(found, key=lambda row: row.id)]
    return Claim(callbacks, chosen.more, chosen.again)


def as_callback(row: Any, vault: Vault) -> Callback:
    """Return a row of the inbox opened.

    One that was altered has the state `unreadable` and no body, one whose key is not at hand the state `foreign`.

    It must not raise: whoever claims many would lose the sound ones with it, again and again.
    """
    try:
        body, state = vault.open(row.body), row.state
    except UnknownKey:
        body, state = b"", FOREIGN
    except KeyMismatch:
        body, state = b"", UNREADABLE
    return Callback(
        id=row.id,
        account=row.account,
        channel=row.channel,
        content_type=row.content_type,
        body=body,
        received_at=row.received_at,
        trusted=row.trusted,
        state=state,
        alone_attempts=row.alone_attempts,
    )


def _wide(owner: str) -> str:
    return owner[:_WIDE].ljust(_WIDE)


def _held_by(owner: str, ids: Sequence[int]) -> tuple[ColumnElement[bool], ...]:
    return inbox.c.id.in_(ids), inbox.c.owner == _wide(owner)


def renew(database: Database, owner: str, ids: Sequence[int], now: datetime) -> bool:
    """Prolong the lease between two slices. Whether all are still this owner's."""
    mine = update(inbox).where(*_held_by(owner, ids)).values(lease_until=now + LEASE)
    renewed = database.repeat(lambda connection: connection.execute(mine).rowcount, lasting=False, lock=RECEIVED)
    return renewed == len(ids)


def still_mine(connection: Connection, owner: str, ids: Sequence[int]) -> bool:
    """Whether all callbacks are still this owner's.

    On PostgreSQL nobody takes them over before the transaction ends. On SQLite they lie in the other file, and
    whoever does so meanwhile waits for this transaction before it decides, and then knows their reports.
    """
    mine = select(inbox.c.id).where(*_held_by(owner, ids))
    if connection.dialect.name != "sqlite":
        mine = mine.with_for_update(key_share=True)
    return len(connection.execute(mine).all()) == len(ids)


def finish(database: Database, owner: str, ids: Sequence[int]) -> bool:
    """Mark callbacks done, once what they led to is committed. Whether all were still this owner's.

    A crash or a power cut before that lets them be processed again, and their reports are then known already.
    """
    over = {"state": "done", "waiting": 0, "owner": _NOBODY_ANY_MORE}
    mine = update(inbox).where(*_held_by(owner, ids)).values(**over)
    done = database.repeat(lambda connection: connection.execute(mine).rowcount, lasting=False, lock=RECEIVED)
    return done == len(ids)


def give_back(database: Database, owner: str, ids: Sequence[int], until: datetime = _LONG_AGO) -> None:
    """Return callbacks to the queue without counting the attempt: it was not their fault.

    Nobody claims them before `until`.
    """
    one_less = {
        column.name: case((column > 0, column - 1), else_=0) for column in (inbox.c.attempts, inbox.c.alone_attempts)
    }
    mine = update(inbox).where(*_held_by(owner, ids))
    given = mine.values(owner=_NOBODY, lease_until=until, **one_less)
    database.repeat(lambda connection: connection.execute(given), lock=RECEIVED)


def let_go(database: Database, owner: str, ids: Sequence[int]) -> None:
    """Return callbacks to the queue at once, the attempt counted: each is tried by itself from now on."""
    mine = update(inbox).where(*_held_by(owner, ids)).values(owner=_NOBODY, lease_until=_LONG_AGO)
    database.repeat(lambda connection: connection.execute(mine), lasting=False, lock=RECEIVED)


def backlog(connection: Connection, now: datetime) -> tuple[int, timedelta]:
    """Return how many callbacks wait and how long the oldest has waited."""
    row = connection.execute(select(func.count(), func.min(inbox.c.received_at)).where(WAITING)).one()
    return row[0], (now - row[1]) if row[1] else timedelta()


def quarantine_claimed(connection: Connection, owner: str, callback: Callback, at: datetime, reason: str) -> None:
    """Move a claimed callback as a whole into quarantine, out of the queue."""
    mine = update(inbox).where(*_held_by(owner, [callback.id]))
    if connection.execute(mine.values(state="quarantined", waiting=0, owner=_NOBODY_ANY_MORE)).rowcount:
        known = update(quarantine).where(quarantine.c.callback_id == callback.id, quarantine.c.item_index == -1)
        # One that was there before, and was replayed after a fix that did not help, is open again.
        if not connection.execute(known.values(state="open", reason=reason, kept_at=at)).rowcount:
            quarantine_whole(connection, callback.id, callback.account, callback.channel, at, reason)

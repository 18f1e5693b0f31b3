"""Callbacks that are passed on: one row of the outbox for each callback and target."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from sqlalchemy import Connection, select, text, update

from config.relays import Relays, RelayTarget
from store.database import Database
from store.ids import new_ids
from store.moments import EPOCH
from store.outbox import Delivery
from store.raw import Raw, unpack
from store.schema import inbox, outbox
from store.sqlite import RECEIVED
from store.vault import Vault
from store.writes import insert_new

KIND: Final = "relay"
RELAY_FOR: Final = timedelta(hours=42)
_PORTION: Final = 200
_PORTIONS: Final = 10
# Written out, not bound, so that the databases see that the partial index serves it.
_RELAYING: Final = text("relaying = 1")
_KEPT: Final = (
    select(inbox.c.id, inbox.c.account, inbox.c.channel, inbox.c.received_at, inbox.c.packed)
    .where(_RELAYING)
    .order_by(inbox.c.id)
    .limit(_PORTION)
)


@dataclass(frozen=True, slots=True)
class Plain:
    """A callback as the inbox holds it: its body is unpacked."""

    account: str
    channel: str
    content_type: str
    trusted: bool
    body: bytes


def take_up(database: Database, relays: Relays) -> int:
    """Queue callbacks that came in since for their targets; return for how many of them none is configured.

    A callback is kept before anybody looks for its targets, so that its answer waits for nothing else. Each is queued
    once, whoever is killed in between, and however many take them up at a time. One call takes up a part of many, so
    that what is queued is sent meanwhile.
    """
    without = 0
    for _ in range(_PORTIONS):
        with database.reading() as connection:
            found = connection.execute(_KEPT).all()
        if not found:
            break
        rows = [row for callback in found for row in _rows_of(relays, callback)]
        without += len(found) - len({row["subject"] for row in rows})
        database.repeat(partial(insert_new, table=outbox, rows=rows))
        # Where a power cut undoes this, the rows are there already.
        database.repeat(partial(_taken, [callback.id for callback in found]), lasting=False, lock=RECEIVED)
    return without


def _taken(ids: Sequence[int], connection: Connection) -> None:
    connection.execute(update(inbox).where(inbox.c.id.in_(ids)).values(relaying=0, packed=None))


def _rows_of(relays: Relays, callback: Any) -> list[dict[str, Any]]:
    targets, at = relays.of(callback.account, callback.channel), callback.received_at
    return _rows(targets, callback.account, callback.id, at, at + RELAY_FOR, callback.packed)


def queue_relays(
    connection: Connection,
    targets: Iterable[RelayTarget],
    account: str,
    channel: str,
    callback_id: int,
    now: datetime,
    payload: bytes,
) -> int:
    """Write a row for each target of a callback that we made ourselves; return how many there are.

    `targets` is `Relays.of(account, channel)`, `payload` what `pack` returns.
    """
    rows = _rows(targets, account, callback_id, now, now + RELAY_FOR, payload)
    insert_new(connection, outbox, rows)
    return len(rows)


def _rows(
    targets: Iterable[RelayTarget],
    account: str,
    callback_id: int,
    now: datetime,
    give_up_at: datetime,
    payload: bytes | None,
) -> list[dict[str, Any]]:
    wanted = list(targets)
    return [
        {
            "id": number,
            "account": account,
            "kind": KIND,
            "target": target.key,
            "subject": callback_id,
            "payload": payload,
            "state": "due",
            "due_at": now,
            "give_up_at": give_up_at,
            "attempts": 0,
            "owner": "",
            "lease_until": EPOCH,
            "last_error": "",
        }
        for number, target in zip(new_ids(len(wanted)), wanted, strict=True)
    ]


def open_raw(database: Database, vault: Vault, delivery: Delivery) -> Raw | None:
    """Return what is to be passed on, or nothing where the callback is kept no longer."""
    own = select(outbox.c.payload).where(outbox.c.id == delivery.id)
    kept = select(inbox.c.headers, inbox.c.body).where(inbox.c.id == delivery.subject)
    with database.reading() as connection:
        payload = connection.execute(own).scalar()
        row = connection.execute(kept).first() if payload is None else None
    if payload is not None:
        return unpack(vault, payload)
    return Raw(json.loads(vault.open(row.headers)), vault.open(row.body)) if row else None


def open_plain(connection: Connection, vault: Vault, callback_id: int) -> Plain | None:
    """Return a callback that can be read, or nothing where it is kept no longer."""
    row = connection.execute(select(inbox).where(inbox.c.id == callback_id)).first()
    if row is None:
        return None
    return Plain(row.account, row.channel, row.content_type, row.trusted, vault.open(row.body))


def hand_over(connection: Connection, relays: Relays, deliveries: Sequence[Delivery], now: datetime) -> int:
    """Queue what waited for a target that is configured no longer at those that are; return how many rows that gave.

    So a corrected URL takes over what waited for the wrong one. A target that had the callback in its own queue all
    along does not get it again: that row is there.
    """
    query = (
        select(outbox.c.id, outbox.c.payload, inbox.c.channel)
        .join(inbox, inbox.c.id == outbox.c.subject)
        .where(outbox.c.id.in_([delivery.id for delivery in deliveries]))
    )
    known = {row.id: row for row in connection.execute(query).all()}
    rows: list[dict[str, Any]] = []
    for delivery in deliveries:
        if row := known.get(delivery.id):
            targets = relays.of(delivery.account, row.channel)
            rows += _rows(targets, delivery.account, delivery.subject, now, delivery.give_up_at, row.payload)
    insert_new(connection, outbox, rows)
    return len(rows)

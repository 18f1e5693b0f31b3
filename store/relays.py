"""Callbacks that are passed on: one row of the outbox for each callback and target."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, select

from config.relays import Relays, RelayTarget
from store.database import Database
from store.ids import new_ids
from store.moments import EPOCH
from store.outbox import Delivery
from store.schema import inbox, outbox
from store.vault import Vault
from store.writes import insert_new

KIND: Final = "relay"
RELAY_FOR: Final = timedelta(hours=42)


@dataclass(frozen=True, slots=True)
class Raw:
    """A callback as it came."""

    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Plain:
    """A callback as the inbox holds it: its body is unpacked."""

    account: str
    channel: str
    content_type: str
    trusted: bool
    body: bytes


def queue_relays(
    connection: Connection,
    targets: Iterable[RelayTarget],
    account: str,
    channel: str,
    callback_id: int,
    now: datetime,
    payload: bytes | None = None,
) -> int:
    """Write a row for each target into the transaction that keeps the callback; return how many there are.

    `targets` is `Relays.of(account, channel)`. `payload` is what `pack` returns, and is needed only where the inbox
    does not hold the body byte for byte.
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


def pack(vault: Vault, raw: Raw) -> bytes:
    """Return a callback sealed for a row of its own."""
    head = json.dumps(dict(raw.headers)).encode()
    return vault.seal(len(head).to_bytes(4) + head + raw.body)


def open_raw(database: Database, vault: Vault, delivery: Delivery) -> Raw | None:
    """Return what is to be passed on, or nothing where the callback is kept no longer."""
    own = select(outbox.c.payload).where(outbox.c.id == delivery.id)
    kept = select(inbox.c.headers, inbox.c.body).where(inbox.c.id == delivery.subject)
    with database.reading() as connection:
        payload = connection.execute(own).scalar()
        row = connection.execute(kept).first() if payload is None else None
    if payload is not None:
        return _unpack(vault.open(payload))
    return Raw(json.loads(vault.open(row.headers)), vault.open(row.body)) if row else None


def open_plain(connection: Connection, vault: Vault, callback_id: int) -> Plain | None:
    """Return a callback that can be read, or nothing where it is kept no longer."""
    row = connection.execute(select(inbox).where(inbox.c.id == callback_id)).first()
    if row is None:
        return None
    return Plain(row.account, row.channel, row.content_type, row.trusted, vault.open(row.body))


def _unpack(content: bytes) -> Raw:
    end = 4 + int.from_bytes(content[:4])
    return Raw(json.loads(content[4:end]), content[end:])


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

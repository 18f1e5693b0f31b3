"""Delivery reports for the URL that an application named with its message: rows of the outbox that carry all they need.

The URL may hold a secret, and the report names a person, so both are sealed.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, select

from config.relays import RelayTarget
from store.database import Database
from store.ids import new_id
from store.moments import to_ms
from store.outbox import Delivery
from store.relays import RELAY_FOR
from store.schema import outbox
from store.vault import Vault
from store.writes import insert_new

KIND: Final = "report"


@dataclass(frozen=True, slots=True)
class Parcel:
    """One POST that is ready to be made."""

    url: str = field(repr=False)
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


def row_of(
    vault: Vault, account: str, target: RelayTarget, subject: int, parcel: Parcel, now: datetime
) -> dict[str, Any]:
    """Return the row of the outbox. `subject` is the report's id: a report goes to a target once."""
    head = json.dumps({"url": parcel.url, "headers": dict(parcel.headers)}).encode()
    return {
        "id": new_id(),
        "account": account,
        "kind": KIND,
        "target": target.key,
        "subject": subject,
        "payload": vault.seal(len(head).to_bytes(4) + head + parcel.body),
        "state": "due",
        "due_at": to_ms(now),
        "give_up_at": to_ms(now + RELAY_FOR),
        "attempts": 0,
        "owner": "",
        "lease_until": 0,
        "last_error": "",
    }


def queue(connection: Connection, rows: list[dict[str, Any]]) -> None:
    """Write rows into the transaction that keeps what they are about."""
    insert_new(connection, outbox, rows)


def open_parcel(database: Database, vault: Vault, delivery: Delivery) -> Parcel | None:
    """Return what is to be posted, or nothing where it is kept no longer."""
    with database.reading() as connection:
        sealed = connection.execute(select(outbox.c.payload).where(outbox.c.id == delivery.id)).scalar()
    if sealed is None:
        return None
    content = vault.open(sealed)
    end = 4 + int.from_bytes(content[:4])
    head = json.loads(content[4:end])
    return Parcel(head["url"], head["headers"], content[end:])

"""The bodies of callbacks that are kept, read and replaced where somebody is to be forgotten."""

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, and_, delete, select, update

from store.database import Database
from store.inbox import body_hash
from store.schema import inbox, outbox, quarantine
from store.vault import Vault

_AT_ONCE: Final = 200


@dataclass(frozen=True, slots=True)
class Body:
    """One stored callback, opened."""

    id: int
    channel: str
    content_type: str
    body: bytes
    waiting: bool


def bodies(database: Database, vault: Vault) -> Iterator[Body]:
    """Yield every callback that is kept, a few at a time so that nobody waits.

    All of them: no report leads to a repeated callback, or to what one person's item says of another.
    """
    after = 0
    columns = (inbox.c.id, inbox.c.channel, inbox.c.content_type, inbox.c.body, inbox.c.waiting, inbox.c.relaying)
    while True:
        query = select(*columns).where(inbox.c.id > after).order_by(inbox.c.id).limit(_AT_ONCE)
        with database.reading() as connection:
            rows = connection.execute(query).all()
        for row in rows:
            yield Body(row.id, row.channel, row.content_type, vault.open(row.body), bool(row.waiting or row.relaying))
        if not rows:
            return
        after = rows[-1].id


def rewrite(connection: Connection, vault: Vault, new: Body, dropped: Collection[int]) -> bool:
    """Replace a stored callback that no worker has to look at any more; whether that was so.

    The headers go with the body that they described: its length, its signature. `dropped` are the places of the items
    that are gone; -1 stands for the whole.
    """
    mine = update(inbox).where(inbox.c.id == new.id, inbox.c.waiting == 0, inbox.c.relaying == 0)
    values: dict[str, Any] = {
        "channel": new.channel,
        "content_type": new.content_type,
        "headers": vault.seal(json.dumps({"Content-Type": new.content_type}).encode()),
        "body": vault.seal(new.body),
        "body_hash": body_hash(new.body),
    }
    if connection.execute(mine.values(**values)).rowcount == 0:
        return False
    # A relay that still waits may hold the body as it came, packed; from now on it takes the rewritten one.
    packed = and_(outbox.c.kind == "relay", outbox.c.subject == new.id)
    connection.execute(update(outbox).where(packed).values(payload=None))
    of_it = and_(quarantine.c.callback_id == new.id, quarantine.c.item_index.in_(sorted(dropped)))
    connection.execute(delete(quarantine).where(of_it))
    return True

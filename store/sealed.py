"""With which keys the callbacks that wait are sealed."""

from typing import Final

from sqlalchemy import Connection, func, select

from store.schema import inbox
from store.vault import Vault

# A look at the oldest is enough to tell, and must not read a whole backlog of bodies.
_LOOKED_AT: Final = 1_000
_KEY_ID: Final = 4


def waiting_for_a_key(connection: Connection, vault: Vault) -> int:
    """Return how many of the oldest waiting callbacks no key of `vault` opens."""
    oldest = select(inbox.c.id).where(inbox.c.waiting == 1).order_by(inbox.c.id).limit(_LOOKED_AT)
    key_id = func.substr(inbox.c.body, 1, _KEY_ID)
    query = select(key_id, func.count()).where(inbox.c.id.in_(oldest)).group_by(key_id)
    return sum(count for found, count in connection.execute(query) if not vault.has_key_of(bytes(found)))

"""What the register of sends says of a message, for people to look at: read-only."""

from typing import Final

from sqlalchemy import Connection, select

from store.schema import sends
from store.views import Found, read_rows

# Without content, and without what is sealed or inner.
_SHOWN: Final = [
    sends.c[name]
    for name in (
        "key",
        "account",
        "message_id",
        "recipient",
        "channel",
        "sender",
        "purpose",
        "campaign",
        "state",
        "origin",
        "sent_at",
        "not_after",
        "obstacle",
        "flagged",
    )
]


def send_of(connection: Connection, key: bytes) -> Found | None:
    """Return what the register says of the message of this key, or nothing."""
    return next(iter(read_rows(connection, select(*_SHOWN).where(sends.c.key == key))), None)


def sends_named(connection: Connection, message_id: str) -> list[Found]:
    """Return every send of this id, the earliest first."""
    query = select(*_SHOWN).where(sends.c.message_id == message_id[:255])
    return read_rows(connection, query.order_by(sends.c.account, sends.c.sent_at, sends.c.key))

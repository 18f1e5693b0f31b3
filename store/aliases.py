"""Message ids that resends were given: what is reported on them counts for the message that was sent first."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, select

from store.schema import aliases, messages, sends
from store.writes import insert_new, select_in


class Original(NamedTuple):
    """The message that a resend repeats, and which attempt of it this is (the original is attempt 0)."""

    message_key: bytes
    attempt: int


def add(connection: Connection, key: bytes, account: str, original: Original, at: datetime) -> None:
    """Say that reports with `key` are about an attempt of another message."""
    row = {"key": key, "account": account, **original._asdict(), "made_at": at}
    insert_new(connection, aliases, [row])


def is_taken(connection: Connection, key: bytes) -> bool:
    """Whether a message of this key is known by a report, a send or a resend, so that no other may have its id."""
    return any(select_in(connection, table, "key", [key]) for table in (aliases, sends, messages))


def in_use(connection: Connection) -> bool:
    """Whether there is any, so that nobody need look for one."""
    return connection.execute(select(aliases.c.key).limit(1)).first() is not None


def find(connection: Connection, keys: Iterable[bytes]) -> dict[bytes, Original]:
    """Return the originals of the keys that are resends' own."""
    return {row.key: Original(row.message_key, row.attempt) for row in select_in(connection, aliases, "key", keys)}

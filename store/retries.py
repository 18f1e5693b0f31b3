"""Planned resends."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Update, select, update

from store import told
from store.schema import retries
from store.writes import insert_new

# A resend in one of these states has not left; whatever ends its message's need cancels it.
OPEN: Final = ("observed", "proposed", "waiting", "planned", "claimed")
_LEFT: Final = ("sending", "accepted", "unknown")
FROM_INCIDENT: Final = "from-incident"
"""The rule of resends that a person planned of what was refused before it left."""


@dataclass(frozen=True, slots=True)
class Attempts:
    """What there is of a message's resends: the number of the furthest, and whether one has left."""

    furthest: int = 0
    under_way: bool = False


def plan(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Write planned resends. The attempt's unique key makes a second plan for the same failure impossible."""
    ordered = sorted(rows, key=lambda row: (row["account"], row["message_key"], row["attempt"]))
    insert_new(connection, retries, ordered)


def cancel(
    connection: Connection, accounts: Iterable[str], message_keys: Iterable[bytes], at: datetime, note: str
) -> int:
    """Cancel what has not left of these messages' resends; `accounts` are those that the messages belong to."""
    keys = sorted(set(message_keys))
    if not keys:
        return 0
    # The account is what the table's key begins with: without it, every resend ever planned would be looked at.
    theirs = retries.c.account.in_(sorted(set(accounts))) & retries.c.message_key.in_(keys)
    open_ones = update(retries).where(theirs, retries.c.state.in_(OPEN))
    return _cancelled(connection, open_ones.values(state="cancelled", note=note, changed_at=at), at)


def cancel_for(
    connection: Connection, accounts: Iterable[str], addresses: Iterable[bytes], at: datetime, note: str
) -> int:
    """Cancel every resend to these recipients that has not left; the hash of an address is of one account."""
    theirs = retries.c.recipient.in_(sorted(addresses)) & retries.c.account.in_(sorted(accounts))
    open_ones = update(retries).where(theirs, retries.c.state.in_(OPEN))
    return _cancelled(connection, open_ones.values(state="cancelled", note=note, changed_at=at), at)


def _cancelled(connection: Connection, change: Update, at: datetime) -> int:
    ended = list(connection.scalars(change.returning(retries.c.id)))
    told.resends_changed(connection, ended, at)
    return len(ended)


def content_came(connection: Connection, accounts: Iterable[str], message_keys: Iterable[bytes], at: datetime) -> int:
    """Plan the resends of these messages that waited for their content alone."""
    keys = sorted(set(message_keys))
    if not keys:
        return 0
    theirs = retries.c.account.in_(sorted(set(accounts))) & retries.c.message_key.in_(keys)
    waiting = update(retries).where(theirs, retries.c.state == "waiting", retries.c.due_at.is_not(None))
    return connection.execute(waiting.values(state="planned", note="", changed_at=at)).rowcount


def attempts_of(
    connection: Connection, accounts: Iterable[str], message_keys: Iterable[bytes]
) -> dict[bytes, Attempts]:
    """Return what resends there are of these messages, whatever became of them; those without any are left out."""
    keys = sorted(set(message_keys))
    found: dict[bytes, Attempts] = {}
    theirs = retries.c.account.in_(sorted(set(accounts))) & retries.c.message_key.in_(keys)
    query = select(retries.c.message_key, retries.c.attempt, retries.c.state).where(theirs)
    for row in connection.execute(query) if keys else ():
        before = found.get(row.message_key, Attempts())
        furthest = max(before.furthest, row.attempt)
        found[row.message_key] = replace(before, furthest=furthest, under_way=before.under_way or row.state in _LEFT)
    return found

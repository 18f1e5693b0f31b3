"""What messages said is erased as soon as nobody can need it any more."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from sqlalchemy import Connection, select

from store import sends
from store.parts import in_parts
from store.resending import CANCELLED, EXPIRED
from store.retries import OPEN
from store.schema import retries, silences
from store.silences import WAITING

_UNDER_WAY: Final = (*OPEN, "sending", "unknown")
_OVER: Final = (CANCELLED, EXPIRED)


def given_up(connection: Connection, accounts: Iterable[str], last: Mapping[bytes, int]) -> None:
    """Erase what these messages said, where `last`, the attempt that has ended, was the last one.

    It stays where a later attempt left, where one is under way, and where another channel may still be started.
    `accounts` are those that the messages belong to.
    """
    # The account is what the table's key begins with: without it, every resend ever planned would be looked at.
    of_them = retries.c.account.in_(sorted(set(accounts)))
    for keys in in_parts(sorted(last)):
        needed = set(connection.scalars(select(silences.c.key).where(silences.c.key.in_(keys), _waiting())))
        attempts = select(retries.c.message_key, retries.c.attempt, retries.c.state)
        attempts = attempts.where(of_them, retries.c.message_key.in_(keys), retries.c.state.not_in(_OVER))
        for key, attempt, state in connection.execute(attempts):
            if state in _UNDER_WAY or attempt > last[key]:
                needed.add(key)
        sends.erase_of(connection, set(keys) - needed)


def _waiting() -> Any:
    return silences.c.state == WAITING

"""What messages said is erased as soon as nobody can need it any more."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, func, select

from store import sends
from store.resending import CANCELLED, EXPIRED
from store.retries import OPEN
from store.schema import retries, silences
from store.silences import WAITING

_UNDER_WAY: Final = (*OPEN, "sending", "unknown")
_AT_ONCE: Final = 500


def given_up(connection: Connection, last: Mapping[bytes, int]) -> None:
    """Erase what these messages said, where `last`, the attempt that has ended, was the last one.

    It stays where a later attempt left, where one is under way, and where another channel may still be started.
    """
    for keys in _parts(sorted(last)):
        needed = set(connection.scalars(select(silences.c.key).where(silences.c.key.in_(keys), _waiting())))
        mine = retries.c.message_key.in_(keys)
        under_way = mine & retries.c.state.in_(_UNDER_WAY)
        needed |= set(connection.scalars(select(retries.c.message_key).where(under_way)))
        alive = mine & retries.c.state.not_in((CANCELLED, EXPIRED))
        furthest = select(retries.c.message_key, func.max(retries.c.attempt)).where(alive)
        for key, attempt in connection.execute(furthest.group_by(retries.c.message_key)):
            if attempt > last[key]:
                needed.add(key)
        sends.erase_of(connection, set(keys) - needed)


def _waiting() -> Any:
    return silences.c.state == WAITING


def _parts(keys: Sequence[bytes]) -> Iterable[Sequence[bytes]]:
    return (keys[start : start + _AT_ONCE] for start in range(0, len(keys), _AT_ONCE))

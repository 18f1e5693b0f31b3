"""Keys with which applications call `/api` and `/proxy`: shown once when they are made, kept as hashes."""

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Connection, func, select, update

from store.ids import new_id
from store.schema import api_keys
from store.writes import insert_rows

PROXY: Final = "proxy"
SENDS_WRITE: Final = "sends:write"
SUPPRESSIONS_READ: Final = "suppressions:read"
SUPPRESSIONS_WRITE: Final = "suppressions:write"
INCIDENTS_WRITE: Final = "incidents:write"
SCOPES: Final = (PROXY, SENDS_WRITE, SUPPRESSIONS_READ, SUPPRESSIONS_WRITE, INCIDENTS_WRITE)
"""All there are."""
_BEGINNING: Final = "dlr_"
_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One application's key; of the key itself only the hash is known. `used_at` is told to the day."""

    id: int
    account: str
    name: str
    scopes: frozenset[str]
    made_at: datetime
    used_at: datetime | None = None
    revoked_at: datetime | None = None


def hash_of(key: str) -> bytes:
    """Return what is kept of a key. It is random and long, so nobody finds it from its hash."""
    return sha256(key.encode("utf-8", "surrogateescape")).digest()


def make(connection: Connection, account: str, name: str, scopes: Collection[str], at: datetime) -> str:
    """Write a new key and return it; nobody can show it again. Raises `ValueError` for a scope that there is not."""
    if unknown := set(scopes) - set(SCOPES):
        raise ValueError(f"there is no scope {', '.join(sorted(unknown))}")
    key = _BEGINNING + secrets.token_urlsafe(_BYTES)
    row = {
        "id": new_id(),
        "account": account,
        "name": name[:64],
        "hash": hash_of(key),
        "scopes": " ".join(scope for scope in SCOPES if scope in scopes),
        "made_at": at,
    }
    insert_rows(connection, api_keys, [row])
    return key


def make_first(connection: Connection, account: str, at: datetime) -> str:
    """Return a key with every scope where there has never been any, else nothing."""
    if connection.scalar(select(func.count()).select_from(api_keys)):
        return ""
    return make(connection, account, "first", SCOPES, at)


def live(connection: Connection) -> dict[bytes, ApiKey]:
    """Return the keys that are not revoked, by their hash."""
    query = select(api_keys).where(api_keys.c.revoked_at.is_(None))
    return {bytes(row.hash): _key(row) for row in connection.execute(query)}


def every(connection: Connection) -> list[ApiKey]:
    """Return all keys, revoked ones included, the oldest first."""
    return [_key(row) for row in connection.execute(select(api_keys).order_by(api_keys.c.id))]


def revoke(connection: Connection, number: int, at: datetime) -> bool:
    """End a key. Whether it was live."""
    mine = update(api_keys).where(api_keys.c.id == number, api_keys.c.revoked_at.is_(None))
    return connection.execute(mine.values(revoked_at=at)).rowcount == 1


def used(connection: Connection, numbers: Collection[int], at: datetime) -> None:
    """Note that keys were used on the day of `at`."""
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    older = api_keys.c.used_at.is_(None) | (api_keys.c.used_at < midnight)
    connection.execute(update(api_keys).where(api_keys.c.id.in_(sorted(numbers)), older).values(used_at=midnight))


def _key(row: Any) -> ApiKey:
    scopes = frozenset(row.scopes.split())
    return ApiKey(row.id, row.account, row.name, scopes, row.made_at, row.used_at, row.revoked_at)

"""Whose key a request to `/api` or `/proxy` brings.

The keys that are live are held in memory: a wrong one is refused without asking the database, and a right one is known
while the database is away.
"""

import threading
import time
from datetime import UTC, date, datetime
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from config.logs import log
from store import api_keys
from store.api_keys import ApiKey, hash_of
from store.database import Database
from store.errors import StoreError

_log = log(__name__)
# Seconds after which a revoked key is refused everywhere, and after which an unknown one is looked for anew.
_FRESH: Final = 5.0
_LOOK_AGAIN: Final = 1.0


class KeyRing:
    """One per process; safe to share between threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._keys: dict[bytes, ApiKey] = {}
        self._read_at = float("-inf")
        self._reading = threading.Lock()
        self._noted: dict[int, date] = {}

    def find(self, key: str) -> ApiKey | None:
        """Return the live key, or nothing."""
        digest = hash_of(key)
        self._refresh(_FRESH)
        if digest not in self._keys:
            self._refresh(_LOOK_AGAIN)
        found = self._keys.get(digest)
        if found is not None:
            self._note_use(found)
        return found

    def _refresh(self, older_than: float) -> None:
        # While one thread asks, which takes seconds where the database hangs, the others go on with what is known.
        if time.monotonic() - self._read_at < older_than or not self._reading.acquire(blocking=not self._keys):
            return
        try:
            if time.monotonic() - self._read_at >= older_than:
                with self._database.reading() as connection:
                    self._keys = api_keys.live(connection)
        except (StoreError, SQLAlchemyError) as error:
            _log.warning("the keys of applications could not be read again", reason=type(error).__name__)
        finally:
            self._read_at = time.monotonic()
            self._reading.release()

    def _note_use(self, key: ApiKey) -> None:
        now = datetime.now(UTC)
        if self._noted.get(key.id) == now.date():
            return
        self._noted[key.id] = now.date()
        try:
            with self._database.transaction() as connection:
                api_keys.used(connection, [key.id], now)
        except (StoreError, SQLAlchemyError):
            self._noted.pop(key.id, None)

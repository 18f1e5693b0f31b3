"""The hold on one account's sync, kept by a thread beside the work: requests to Infobip may take long."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection

from config.logs import log
from store import sync_runs
from store.database import Database
from store.errors import Unavailable
from store.sync_runs import Run

_LOG: Final = log(__name__)
_EVERY: Final = sync_runs.LEASE.total_seconds() / 3


class Hold:
    """Says whether the account is still ours."""

    def __init__(self, database: Database, account: str, owner: str) -> None:
        self._database = database
        self._account = account
        self._owner = owner
        self.lost = threading.Event()

    def keep(self, done: threading.Event) -> None:
        """Renew until it is done, or lost."""
        while not done.wait(_EVERY):
            try:
                kept = self._database.repeat(self._renew, lasting=False)
            except Unavailable as error:
                _LOG.warning("sync_hold_not_renewed", problem=str(error), next_step="another worker may go on")
                continue
            if not kept:
                self.lost.set()
                return

    def _renew(self, connection: Connection) -> bool:
        return sync_runs.renew(connection, self._account, self._owner, datetime.now(UTC))


@contextmanager
def held(database: Database, account: str, owner: str) -> Iterator[tuple[Run, Hold] | None]:
    """Take hold of an account, or nothing where another worker has it; let go at the end."""
    run = database.repeat(lambda connection: sync_runs.take(connection, account, owner, datetime.now(UTC)))
    if run is None:
        yield None
        return
    hold, done = Hold(database, account, owner), threading.Event()
    keeper = threading.Thread(target=hold.keep, args=(done,), name="sync-hold", daemon=True)
    keeper.start()
    try:
        yield run, hold
    finally:
        done.set()
        keeper.join()
        database.repeat(lambda connection: sync_runs.release(connection, account, owner))

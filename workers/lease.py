"""The hold on claimed callbacks, prolonged while they are worked on."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

from config.logs import log
from store import inbox
from store.choice import LEASE
from store.database import Database
from store.errors import Unavailable

_LOG: Final = log(__name__)
# A body of this size is read in a second or so; the largest that are let in take longer than a lease lasts.
LARGE: Final = 2 * 1024 * 1024
_THIRD: Final = LEASE.total_seconds() / 3


class Lease:
    """What was lost in spite of it is found out by the slice's own check."""

    def __init__(self, database: Database, owner: str, callbacks: Sequence[int], every: float = _THIRD) -> None:
        self._database = database
        self._owner = owner
        self._callbacks = callbacks
        self._every = every
        self._renewed = time.monotonic()

    def renew_in_time(self) -> None:
        """Prolong it once a third of it is over."""
        if time.monotonic() - self._renewed >= self._every:
            self._renew()

    @contextmanager
    def kept_while_reading(self, size: int) -> Iterator[None]:
        """Prolong it beside the reading of a body of `size` bytes, where that may take long."""
        if size < LARGE:
            yield
            return
        done = threading.Event()
        keeper = threading.Thread(target=self._keep, args=(done,), name="lease", daemon=True)
        keeper.start()
        try:
            yield
        finally:
            done.set()
            keeper.join()

    def _keep(self, done: threading.Event) -> None:
        while not done.wait(self._every):
            try:
                self._renew()
            except Unavailable as error:
                _LOG.warning("lease_not_renewed", problem=str(error), next_step="the next slice looks again")

    def _renew(self) -> None:
        inbox.renew(self._database, self._owner, self._callbacks, datetime.now(UTC))
        self._renewed = time.monotonic()

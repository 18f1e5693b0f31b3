"""Commits what several requests bring at the same time in one transaction.

A commit waits for the disk, and SQLite has one writer a file: each request on its own would wait for all others. So
the first one writes for all that came meanwhile, and each still answers only once its own callback is committed.
"""

import threading
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from store.database import Database
from store.errors import Unavailable
from store.inbox import Arrival, keep
from store.sqlite import RECEIVED
from store.vault import Vault

_MOST: Final = 64
_MOST_BYTES: Final = 8 * 1024 * 1024


class _Job:
    __slots__ = ("arrival", "error", "number", "since")

    def __init__(self, arrival: Arrival) -> None:
        self.arrival = arrival
        self.number = 0
        self.error: Exception | None = None
        self.since = time.monotonic()


class GroupCommit:
    """One per process. `patience` bounds the wait for one's turn."""

    def __init__(self, database: Database, vault: Vault, patience: timedelta) -> None:
        self._database = database
        self._vault = vault
        self._patience = patience.total_seconds()
        self._writing = threading.Lock()
        self._lock = threading.Lock()
        self._waiting: list[_Job] = []

    def keep(self, arrival: Arrival) -> int:
        """Commit a callback with its bad items; return its id. Raises what the database raises."""
        job = _Job(arrival)
        with self._lock:
            self._waiting.append(job)
        # Whoever writes now may take the whole patience, and it may be our turn only then.
        if not self._writing.acquire(timeout=self._patience + 1):
            with self._lock:
                if job in self._waiting:
                    self._waiting.remove(job)
            raise Unavailable("another callback has been waiting for the database for too long")
        batch: list[_Job] = []
        try:
            while not job.number and job.error is None:
                batch = self._take()
                self._write(batch)
        except BaseException:
            # Who writes for others may be ended midway; they would wait for an answer that nobody gives them.
            left = [one for one in batch if not one.number and one.error is None]
            self._fail(left, Unavailable("the one that wrote for several callbacks was ended"))
            raise
        finally:
            self._writing.release()
        if job.error is not None:
            raise job.error
        return job.number

    def _take(self) -> list[_Job]:
        with self._lock:
            count = size = 0
            for job in self._waiting[:_MOST]:
                size += len(job.arrival.body)
                if count and size > _MOST_BYTES:
                    break
                count += 1
            batch, self._waiting = self._waiting[:count], self._waiting[count:]
        return batch

    def _write(self, batch: Sequence[_Job]) -> None:
        try:
            with self._database.transaction(RECEIVED) as connection:
                numbers = [keep(connection, self._vault, job.arrival) for job in batch]
        except Unavailable as error:
            self._fail([*batch, *self._overdue()], error)
        except Exception as error:
            if len(batch) == 1:
                self._fail(batch, error)
            for job in batch if len(batch) > 1 else ():
                self._write([job])  # one of them is at fault, and its neighbours must not suffer
        else:
            for job, number in zip(batch, numbers, strict=True):
                job.number = number

    def _overdue(self) -> list[_Job]:
        """Take out those that have been waiting for the same database for half as long."""
        limit = time.monotonic() - self._patience / 2
        with self._lock:
            late = [job for job in self._waiting if job.since < limit]
            self._waiting = [job for job in self._waiting if job.since >= limit]
        return late

    @staticmethod
    def _fail(batch: Sequence[_Job], error: Exception) -> None:
        for job in batch:
            job.error = error

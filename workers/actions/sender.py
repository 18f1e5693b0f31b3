"""Share the threads among the lines, so that none waits for another."""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from sqlalchemy import Connection

from store import incidents, outbox
from store.database import Database
from store.outbox import Line
from workers.actions.kinds import Kind
from workers.actions.line import BATCH, OVER, LineWork
from workers.actions.results import TRIPS

_THREADS: Final = 16
# Of one line at a time: a target gets callbacks side by side, as it did from Infobip, and has some left for others.
_LANES: Final = 4
_LOOK_AGAIN: Final = 0.25


@dataclass(slots=True)
class Sender:
    """Sends what is due, for one worker. `kinds` it does not know are left to a release that does.

    `take_up` puts into the outbox what has come elsewhere since; it is called before each look at what is due.
    """

    database: Database
    owner: str
    kinds: Mapping[str, Kind]
    clock: Callable[[], datetime]
    take_up: Callable[[], None]

    def run(self, seconds: float) -> int:
        """Send for at most about `seconds`, or until nothing is due; return how many rows are done or given up.

        What is under way then is waited for, which `post.Patience` bounds. Raises `store.errors.Unavailable`.
        """
        end = time.monotonic() + seconds
        ready = self._ready()
        if not ready:
            return 0
        running: dict[Future[int], tuple[str, str]] = {}
        over = 0
        with ThreadPoolExecutor(_THREADS, "outbox") as pool:
            while running or ready:
                for line in self._next(ready, Counter(running.values())):
                    work = LineWork(
                        self.database,
                        self.owner,
                        self.kinds[line.kind],
                        line,
                        self.clock,
                        lambda: time.monotonic() >= end,
                    )
                    running[pool.submit(work.run)] = (line.kind, line.target)
                finished = wait(running, _LOOK_AGAIN, FIRST_COMPLETED).done
                for future in finished:
                    del running[future]
                    over += future.result()
                ready = self._ready() if time.monotonic() < end else []
        return over

    def _ready(self) -> list[Line]:
        """Return the lines that may be worked on now, after giving up what is over."""
        now = self.clock()
        self.take_up()
        with self.database.reading() as connection:
            found = outbox.lines(connection, self.kinds, now, BATCH * _LANES)
        for line in found:
            if line.expired:
                self.database.repeat(partial(self._expire, line=line, now=now))
        return [line for line in found if line.circuit.until <= now]

    def _expire(self, connection: Connection, line: Line, now: datetime) -> None:
        counts = outbox.expire(connection, line, now, OVER)
        kind = self.kinds[line.kind]
        incidents.note(
            connection, [kind.lost(account, line.target, OVER, now, count) for account, count in sorted(counts.items())]
        )

    @staticmethod
    def _next(ready: list[Line], running: "Counter[tuple[str, str]]") -> list[Line]:
        """Return the lines to start a batch of: first one for each that has none, then what fits."""
        free = _THREADS - running.total()
        share = max(1, min(_LANES, _THREADS // max(1, len(ready))))
        started: list[Line] = []
        for turn in range(share):
            for line in ready:
                # As many lanes as there are batches; one where the target has failed.
                wanted = 1 if line.circuit.failures >= TRIPS else min(share, -(-line.due // BATCH))
                if running[line.kind, line.target] <= turn < wanted and len(started) < free:
                    started.append(line)
        return started

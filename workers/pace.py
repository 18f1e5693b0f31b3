"""How many reports one transaction takes, found from how long the last ones took."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

# SQLite has one writer a file: whoever registers a send or resends waits for the transaction under way (a callback that
# arrives does not, `store.sqlite`). The shorter, the more often the same pages are written (bench/README.md).
# PostgreSQL locks rows, and nobody but another worker waits for them.
EXCLUSIVE: Final = timedelta(milliseconds=100)
SHARED: Final = timedelta(milliseconds=200)
LEAST: Final = 100
MOST: Final = 1000


class Pace:
    """Aims at a transaction's duration by the number of its reports, `LEAST` to `MOST`."""

    def __init__(self, aim: timedelta, clock: Callable[[], float] = time.monotonic) -> None:
        self._aim = aim.total_seconds()
        self._clock = clock
        self.size = MOST // 2

    @contextmanager
    def measured(self, reports: int) -> Iterator[None]:
        """Time the transaction of so many reports, and draw the conclusion for the next."""
        started = self._clock()
        yield
        took = self._clock() - started
        # A small one is mostly fixed cost, and one that was repeated an exception: the size moves half of the way.
        if reports >= LEAST:
            wanted = reports * self._aim / max(took, 0.001)
            self.size = round(min(max((self.size + wanted) / 2, LEAST), MOST))

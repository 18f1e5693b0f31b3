"""How many reports one transaction takes, found from how long the last ones took, and when the next one begins."""

import math
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


# Nobody looks at a decision within this time, and in a steady trickle of callbacks it makes several transactions one.
PAUSE: Final = timedelta(milliseconds=200)


class Rest:
    """Keeps one drain from following another too soon. The first one after a quiet time begins at once."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._until = -math.inf

    def taken(self) -> None:
        """Wait for what is left of the rest."""
        left = self._until - self._clock()
        if left > 0:
            self._sleep(left)

    def after(self, reports: int) -> None:
        """Say that a drain of so many reports has ended. After a large one there is no time to lose."""
        if 0 < reports < MOST // 2:
            self._until = self._clock() + PAUSE.total_seconds()

"""How many reports one transaction takes, found from how long the last ones took, and when the next claim is made."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

# SQLite has one writer a file: whoever registers a send or resends waits for the transaction under way (a callback that
# arrives does not, `store.sqlite`). The shorter, the more often the same pages are written (bench/README.md).
EXCLUSIVE: Final = timedelta(milliseconds=100)
# Where nobody registers sends, nothing waits for it but a command, a notification, or who writes the list by the API.
ALONE: Final = timedelta(milliseconds=600)
# PostgreSQL locks rows, and nobody but another worker waits for them.
SHARED: Final = timedelta(milliseconds=200)
LEAST: Final = 100
MOST: Final = 6000
_AT_FIRST: Final = 500
# A claim of fewer reports that leaves none behind is one of a trickle.
_TRICKLE: Final = 1000
# On a busy machine everything takes long, and small transactions would only make it busier.
_LEAST_A_SECOND: Final = 1000


class Pace:
    """Aims at a transaction's duration by the number of its reports, `LEAST` to `MOST`."""

    def __init__(self, aim: timedelta, clock: Callable[[], float] = time.monotonic) -> None:
        self._aim = aim.total_seconds()
        self._clock = clock
        self.size = _AT_FIRST

    def aim(self, aim: timedelta) -> None:
        """Let transactions take so long from the next one on."""
        seconds = aim.total_seconds()
        if seconds != self._aim:
            self._aim, before = seconds, self._aim
            self._resize(self.size * seconds / before)

    @contextmanager
    def measured(self, reports: int) -> Iterator[None]:
        """Time the transaction of so many reports, and draw the conclusion for the next."""
        started = self._clock()
        yield
        took = self._clock() - started
        # A small one is mostly fixed cost, and one that was repeated an exception: the size moves half of the way.
        if reports >= LEAST:
            wanted = reports * self._aim / max(took, 0.001)
            self._resize((self.size + wanted) / 2)

    def _resize(self, reports: float) -> None:
        least = max(LEAST, self._aim * _LEAST_A_SECOND)
        self.size = round(min(max(reports, least), MOST))


# Nobody looks at a decision within this time, and in a steady trickle of callbacks it makes several transactions one.
PAUSE: Final = timedelta(milliseconds=100)


class Rest:
    """Keeps one claim from following another too soon. The first one after a quiet time begins at once."""

    def __init__(
        self,
        pause: timedelta = PAUSE,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._pause = pause.total_seconds()
        self._clock = clock
        self._sleep = sleep
        self._until = -math.inf

    def taken(self) -> None:
        """Wait for what is left of the rest."""
        left = self._until - self._clock()
        if left > 0:
            self._sleep(left)

    def after(self, reports: int, *, more: bool) -> bool:
        """Say that so many reports of one claim are done, and whether it left some. Whether there is a rest now: while
        there is a backlog, there is no time to lose."""
        rests = self._pause > 0 and 0 < reports < _TRICKLE and not more
        if rests:
            self._until = self._clock() + self._pause
        return rests

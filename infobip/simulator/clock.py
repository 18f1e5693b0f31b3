"""Simulated time, which can be sped up and advanced, and what is to happen in it.

Only waiting is simulated. Dates on the wire are those of the real clock at the moment when something happens, so that
a receiver never finds a report in the future.
"""

import heapq
import itertools
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime

log = logging.getLogger(__name__)

Action = Callable[[], None]


class Clock:
    """Seconds since the start, `speed` times as fast as the wall's. Safe to share between threads."""

    def __init__(self, speed: float = 1.0) -> None:
        _check_speed(speed)
        self._lock = threading.Lock()
        self._speed = speed
        self._base = 0.0
        self._since = time.monotonic()
        self.changed: Action = lambda: None
        """Called after the speed or the time was changed by hand."""

    @property
    def speed(self) -> float:
        """How many simulated seconds pass in one real second."""
        return self._speed

    def now(self) -> float:
        """Return the simulated seconds since the start."""
        with self._lock:
            return self._base + (time.monotonic() - self._since) * self._speed

    def set_speed(self, speed: float) -> None:
        """Go on at another speed, greater than 0; raises `ValueError`."""
        _check_speed(speed)
        with self._lock:
            present = time.monotonic()
            self._base += (present - self._since) * self._speed
            self._since, self._speed = present, speed
        self.changed()

    def advance(self, seconds: float) -> None:
        """Jump ahead; raises `ValueError` for a jump back."""
        if seconds < 0:
            raise ValueError("time goes forwards only: advance by 0 or more")
        with self._lock:
            self._base += seconds
        self.changed()


def _check_speed(speed: float) -> None:
    if not 0 < speed <= 1_000_000:
        raise ValueError("the speed is a number above 0 and up to 1000000")


def stamp() -> datetime:
    """Return the real present, to the millisecond, as Infobip writes it."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


class Schedule:
    """Runs actions when their simulated time has come, in order, on one thread.

    After all that is due at a moment has run, `settled` is called: what came together can then leave together.
    """

    def __init__(self, clock: Clock, settled: Action) -> None:
        self._clock = clock
        self._settled = settled
        self._heap: list[tuple[float, int, str, Action]] = []
        self._numbers = itertools.count()
        self._waiting: Counter[str] = Counter()
        self._wake = threading.Condition()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="simulator-schedule", daemon=True)
        clock.changed = self._ring

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the action that runs now; what is still to come never happens."""
        with self._wake:
            self._stopped = True
            self._wake.notify()
        if self._thread.is_alive():
            self._thread.join(10)

    def at(self, due: float, kind: str, action: Action) -> None:
        """Let `action` run at the simulated second `due`. `kind` is for `waiting`."""
        with self._wake:
            heapq.heappush(self._heap, (due, next(self._numbers), kind, action))
            self._waiting[kind] += 1
            if self._heap[0][0] >= due:
                self._wake.notify()

    def waiting(self, kind: str) -> int:
        """Return how many actions of a kind are still to come, the running ones included."""
        with self._wake:
            return self._waiting[kind]

    def clear(self) -> None:
        """Forget all that is still to come."""
        with self._wake:
            for _, _, kind, _ in self._heap:
                self._waiting[kind] -= 1
            self._heap.clear()

    def _ring(self) -> None:
        with self._wake:
            self._wake.notify()

    def _run(self) -> None:
        while (due := self._await_due()) is not None:
            for _, action in due:
                try:
                    action()
                except Exception:
                    log.exception("something that was to happen in the simulation failed")
            self._settled()
            with self._wake:
                for kind, _ in due:
                    self._waiting[kind] -= 1

    def _await_due(self) -> list[tuple[str, Action]] | None:
        with self._wake:
            while not self._stopped:
                now = self._clock.now()
                found = []
                while self._heap and self._heap[0][0] <= now:
                    _, _, kind, action = heapq.heappop(self._heap)
                    found.append((kind, action))
                if found:
                    return found
                ahead = (self._heap[0][0] - now) / self._clock.speed if self._heap else None
                self._wake.wait(None if ahead is None else min(ahead, 3600.0))
            return None

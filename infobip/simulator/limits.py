"""Infobip's documented rate limits (OUTBOUND facts 2), on the simulated clock."""

import threading
from collections import defaultdict, deque
from collections.abc import Mapping
from typing import Final

from infobip.simulator.clock import Clock
from infobip.simulator.errors import too_many

# What is limited -> requests, and the seconds in which so many may come.
RATES: Final[Mapping[str, tuple[int, float]]] = {
    "logs": (120, 60.0),
    "email reports": (120, 60.0),
    "old email reports": (60, 60.0),
    "old email logs": (60, 60.0),
    "suppressions": (100, 1.0),
    "blocklist GET": (1, 1.0),
    "blocklist POST": (1, 1.0),
    "blocklist DELETE": (1, 1.0),
    "push registrations": (50, 1.0),
    "push reports": (2500, 1.0),
    "validate": (10, 1.0),
}


class Limits:
    """Counts requests by what they are about. Safe to share between threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._times: dict[str, deque[float]] = defaultdict(deque)
        self.enforced = True

    def check(self, name: str, rate: tuple[int, float] | None) -> None:
        """Count a request; raises `Refusal` (429) where it is one too many. A refused one does not count."""
        if rate is None or not self.enforced:
            return
        most, window = rate
        now = self._clock.now()
        with self._lock:
            times = self._times[name]
            while times and times[0] <= now - window:
                times.popleft()
            if len(times) >= most:
                raise too_many()
            times.append(now)

    def clear(self) -> None:
        """Begin anew."""
        with self._lock:
            self._times.clear()

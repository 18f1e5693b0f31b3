"""What the endpoint itself has to tell a person, and how it keeps a storm of it from becoming a storm of writes."""

import threading
import time
from collections import deque
from datetime import timedelta
from typing import Final, Protocol

from config.logs import log

_log = log(__name__)
_MINUTE: Final = 60.0


class Incidents(Protocol):
    """Where incidents are written. The store has the real one."""

    def note(
        self,
        kind: str,
        account: str,
        title: str,
        next_step: str,
        threshold: int = 1,
        within: timedelta = timedelta(minutes=10),
    ) -> None:
        """Count one occurrence; the incident opens once there are `threshold` of them `within` a time."""


class LogIncidents:
    """Writes incidents into the log only."""

    def note(
        self,
        kind: str,
        account: str,
        title: str,
        next_step: str,
        threshold: int = 1,
        within: timedelta = timedelta(minutes=10),
    ) -> None:
        """Log one occurrence."""
        _log.warning("incident", kind=kind, account=account, title=title, next_step=next_step)


class Throttle:
    """Lets each key through once in a while."""

    def __init__(self, seconds: float = _MINUTE) -> None:
        self._seconds = seconds
        self._last: dict[str, float] = {}
        self._lock = threading.Lock()

    def allows(self, key: str) -> bool:
        """Whether `key` may pass now; if so, it may not again for a while."""
        now = time.monotonic()
        with self._lock:
            if now - self._last.get(key, -self._seconds) < self._seconds:
                return False
            self._last[key] = now
            return True


class Reporter:
    """Passes incidents on at most once a minute each, and never lets one harm the answer that it is about."""

    def __init__(self, incidents: Incidents, throttle: Throttle | None = None) -> None:
        self._incidents = incidents
        self._throttle = throttle or Throttle()

    def note(self, kind: str, account: str, title: str, next_step: str) -> None:
        """Report what just happened."""
        if not self._throttle.allows(f"{kind} {account}"):
            return
        try:
            self._incidents.note(kind, account, title, next_step)
        except Exception as error:  # the callback's fate is settled: a failing report must not change its answer
            _log.error("an incident could not be written", kind=kind, title=title, exc_info=error)


class Tally:
    """Counts what happens in a sliding window, in this process."""

    def __init__(self, threshold: int = 5, within: timedelta = timedelta(minutes=10)) -> None:
        self._window = within.total_seconds()
        self._times: deque[float] = deque(maxlen=threshold)
        self._lock = threading.Lock()

    def reached(self) -> bool:
        """Count one; whether that makes the threshold."""
        now = time.monotonic()
        with self._lock:
            self._times.append(now)
            return len(self._times) == self._times.maxlen and now - self._times[0] <= self._window

"""What the endpoint itself has to tell a person, and how it keeps a storm of it from becoming a storm of writes."""

import threading
import time
from collections import deque
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol

from config.logs import log

_log = log(__name__)
_MINUTE: Final = 60.0
_Key = tuple[str, str]
"""What it is, and whose."""


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
        count: int = 1,
    ) -> None:
        """Count occurrences; the incident opens once there are `threshold` of them `within` a time."""


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
        count: int = 1,
    ) -> None:
        """Log what happened."""
        _log.warning("incident", kind=kind, account=account, title=title, next_step=next_step, count=count)


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


@dataclass(frozen=True, slots=True)
class _Untold:
    title: str
    next_step: str
    count: int


class Reporter:
    """Passes incidents on at most once a minute each, and never lets one harm the answer that it is about.

    What happens within that minute is counted, and told when it is over.
    """

    def __init__(self, incidents: Incidents, seconds: float = _MINUTE) -> None:
        self._incidents = incidents
        self._seconds = seconds
        self._untold: dict[_Key, _Untold] = {}
        self._rests: dict[_Key, threading.Timer] = {}
        self._lock = threading.Lock()

    def note(self, kind: str, account: str, title: str, next_step: str, count: int = 1) -> None:
        """Report what just happened, `count` times."""
        key = (kind, account)
        with self._lock:
            known = self._untold.get(key)
            self._untold[key] = _Untold(title, next_step, count + (known.count if known else 0))
            if key in self._rests:
                return
            self._rest(key)
        self._tell(key)

    def close(self) -> None:
        """Tell what waits, and nothing more by itself."""
        with self._lock:
            for timer in self._rests.values():
                timer.cancel()
            self._rests.clear()
            waiting = list(self._untold)
        for key in waiting:
            self._tell(key)

    def _rest(self, key: _Key) -> None:
        timer = threading.Timer(self._seconds, self._rested, (key,))
        timer.daemon = True
        try:
            timer.start()
        except RuntimeError:  # no thread can be had: what follows is told at once
            return
        self._rests[key] = timer

    def _rested(self, key: _Key) -> None:
        with self._lock:
            self._rests.pop(key, None)
            if key not in self._untold:
                return
            self._rest(key)
        self._tell(key)

    def _tell(self, key: _Key) -> None:
        kind, account = key
        with self._lock:
            one = self._untold.pop(key, None)
        if one is None:
            return
        try:
            self._incidents.note(kind, account, one.title, one.next_step, count=one.count)
        except Exception as error:  # the callback's fate is settled: a failing report must not change its answer
            _log.error("an incident could not be written", kind=kind, title=one.title, exc_info=error)
            with self._lock:
                newer = self._untold.get(key, one)
                more = newer.count if newer is not one else 0
                self._untold[key] = _Untold(newer.title, newer.next_step, one.count + more)


class Tally:
    """Counts what happens in a sliding window, in this process."""

    def __init__(self, threshold: int = 5, within: timedelta = timedelta(minutes=10)) -> None:
        self._window = within.total_seconds()
        self._threshold = threshold
        self._times: deque[float] = deque(maxlen=threshold)
        self._new = 0
        self._lock = threading.Lock()

    def untold(self) -> int:
        """Count one; return how many of those that make the threshold were not returned yet, 0 while nothing does."""
        now = time.monotonic()
        with self._lock:
            self._times.append(now)
            self._new = min(self._new + 1, self._threshold)
            if len(self._times) < self._threshold or now - self._times[0] > self._window:
                return 0
            new, self._new = self._new, 0
            return new

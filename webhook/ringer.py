"""Rings the workers' doorbell after commits, from a thread of its own: no answer ever waits for the broker.

The first commit rings at once; commits of the next 20 ms share one ring at their end. A key in Redis says that a ring
is waiting already: whoever drains the inbox deletes it before it looks, so a commit after that look rings again. Any
ring may be lost; the sweep finds the callback within seconds.
"""

import threading
import time
from typing import Final, Protocol

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from config.names import BELL, KEY_PREFIX

WINDOW: Final = 0.02
_EXPIRES: Final = 1
_TIMEOUT: Final = 0.3
_REST: Final = 2.0


class Rings(Protocol):
    """What sends the ring: `config.broker.Doorbell`."""

    def ring(self) -> bool:
        """Send it; whether it left."""


class Bell:
    """The key that stands for a ring that waits. Each call takes at most 0.6 s, however Redis behaves."""

    def __init__(self, url: str, timeout: float = _TIMEOUT) -> None:
        self._redis: redis.Redis = redis.Redis.from_url(
            redis_url(url),
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
            retry=Retry(NoBackoff(), 0),
            client_name="dlr-web",
        )

    def claim(self) -> bool:
        """Whether no ring waits, so that one has to be sent. Raises `redis.RedisError`."""
        return bool(self._redis.set(KEY_PREFIX + BELL, "1", nx=True, ex=_EXPIRES))

    def answers(self) -> bool:
        """Whether Redis answers."""
        try:
            return bool(self._redis.ping())
        except (redis.RedisError, OSError):
            return False

    def close(self) -> None:
        """Close the connection."""
        self._redis.close()


class Ringer:
    """One per process. The thread starts with the first commit, so it may be made before a fork."""

    def __init__(self, doorbell: Rings, bell: Bell | None = None, window: float = WINDOW) -> None:
        self.bell = bell
        self._doorbell = doorbell
        self._window = window
        self._pending = threading.Event()
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._rest_until = 0.0

    def committed(self) -> None:
        """Say that something was committed. Returns at once."""
        if self._thread is None:
            self._start()
        self._pending.set()

    def close(self) -> None:
        """Send what is still to be rung, and stop."""
        self._closing.set()
        self._pending.set()
        if self._thread is not None:
            self._thread.join(timeout=1.5)
        if self.bell is not None:
            self.bell.close()

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="ringer", daemon=True)
                thread.start()
                self._thread = thread

    def _run(self) -> None:
        while True:
            self._pending.wait()
            stopping = self._closing.is_set()
            self._pending.clear()
            self._ring()
            if stopping:
                return
            self._closing.wait(self._window)

    def _ring(self) -> None:
        if time.monotonic() < self._rest_until:
            return
        try:
            sent = (self.bell is not None and not self.bell.claim()) or self._doorbell.ring()
        except (redis.RedisError, OSError):
            sent = False
        if not sent:
            self._rest_until = time.monotonic() + _REST


def redis_url(celery_url: str) -> str:
    """Return the client library's form of a URL as Celery writes it: they differ for sockets."""
    if not celery_url.startswith("redis+socket://"):
        return celery_url
    path, _, query = celery_url.removeprefix("redis+socket://").partition("?")
    return f"unix://{path}" + (f"?{query.replace('virtual_host=', 'db=')}" if query else "")

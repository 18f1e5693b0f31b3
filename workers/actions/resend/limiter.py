"""How fast requests may go to each of Infobip's endpoints, for all workers together."""

import threading
import time
from collections.abc import Callable
from typing import Any, Final

from limits import RateLimitItemPerSecond
from limits.storage import storage_from_string
from limits.strategies import MovingWindowRateLimiter

from config.logs import log
from infobip.outbound import Rate

_LOG = log(__name__)
# Where Infobip states no limit, it is ours: a wave of resends must not look like an attack.
UNSTATED: Final = Rate(50)
# Without Redis nobody knows what the other workers send: each sends this seldom, and half as often as the limit of an
# endpoint allows where that is less.
_ALONE_SECONDS: Final = 1.0
_ALONE_SHARE: Final = 0.5
_NEVER: Final = float("-inf")
_TIMEOUT: Final = 1.0


class Limiter:
    """Lets requests through at an endpoint's rate; slower, never faster, while Redis is away."""

    def __init__(
        self,
        redis_url: str,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._storage: Any = None
        self._url = _storage_url(redis_url)
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._last_alone = 0.0
        self._last_of: dict[tuple[str, str], float] = {}

    def pass_one(self, account: str, name: str, rate: Rate | None, patience: float) -> bool:
        """Wait for a turn, at most `patience` seconds. Whether it came."""
        wanted = rate or UNSTATED
        # Of fixed windows, two halves side by side may hold twice the rate.
        item = RateLimitItemPerSecond(wanted.requests, wanted.seconds, namespace="dlr-rate")
        end = self._clock() + patience
        while True:
            if self._hit(item, account, name):
                return True
            rest = end - self._clock()
            if rest <= 0:
                return False
            self._sleep(min(0.05, rest))

    def _hit(self, item: RateLimitItemPerSecond, account: str, name: str) -> bool:
        try:
            return MovingWindowRateLimiter(self._opened()).hit(item, account, name)
        except Exception as error:  # whatever Redis, or the network before it, comes up with
            _LOG.warning(
                "rate_limit_unshared", problem=type(error).__name__, next_step="resends go slowly until Redis is back"
            )
            return self._alone((account, name), item.get_expiry() / item.amount / _ALONE_SHARE)

    def _opened(self) -> Any:
        with self._lock:
            if self._storage is None:
                options: dict[str, Any] = {"socket_timeout": _TIMEOUT, "socket_connect_timeout": _TIMEOUT}
                self._storage = storage_from_string(self._url, **options)
            return self._storage

    def _alone(self, of: tuple[str, str], seldom: float) -> bool:
        with self._lock:
            now = self._clock()
            if now - self._last_alone < _ALONE_SECONDS or now - self._last_of.get(of, _NEVER) < seldom:
                return False
            self._last_alone = self._last_of[of] = now
            return True


def _storage_url(broker: str) -> str:
    """Return Celery's way of naming a Redis as `limits` writes it: options are Celery's own."""
    return broker.partition("?")[0].replace("redis+socket://", "redis+unix://", 1)

"""Posting reports: in batches, and again on Infobip's schedule until somebody answers 2xx (INBOUND facts 5.3, 5.4)."""

import logging
import queue
import threading
from collections import Counter, defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, Final

import urllib3

from infobip.simulator.bodies import body_of
from infobip.simulator.clock import Clock, Schedule, stamp
from infobip.simulator.signing import headers_of
from infobip.simulator.targets import Reach, Target

log = logging.getLogger(__name__)

RETRIES: Final = 20
SCHEDULE: Final = tuple(accumulate(60.0 + 60.0 * number * number for number in range(RETRIES)))
"""Seconds after the first attempt at which a callback is repeated; the last is 41.5 hours."""
RETRY_KIND: Final = "retry"
_WORKERS: Final = 4
_CONNECT_MOST: Final = 10.0

# What has become of a callback.
SENDING: Final = "sending"
ACCEPTED: Final = "accepted"
WAITING: Final = "waiting"
LOST: Final = "lost"
WITHHELD: Final = "withheld"


@dataclass
class Callback:
    """One request to a receiver. `attempts` holds (real time, simulated second, status or what went wrong)."""

    number: int
    target: Target
    items: Sequence[Mapping[str, Any]]
    body: bytes
    headers: Mapping[str, str]
    state: str = SENDING
    attempts: list[tuple[str, float, int | str]] = field(default_factory=list)
    first: float | None = None

    def shown(self, *, with_body: bool) -> dict[str, Any]:
        """Return the callback for JSON."""
        found = {
            "number": self.number,
            "url": self.target.url,
            "channel": self.target.channel,
            "contentType": self.target.content_type,
            "messageIds": [item.get("messageId", "") for item in self.items],
            "state": self.state,
            "attempts": [{"at": at, "simulated": round(now, 3), "answer": answer} for at, now, answer in self.attempts],
        }
        return found | ({"body": self.body.decode("utf-8", "replace")} if with_body else {})


class Poster:
    """Posts what is put into it. Items for equal targets that come together leave together."""

    def __init__(self, clock: Clock, reach: Reach, hmac_header: str) -> None:
        self._clock = clock
        self._reach = reach
        self.hmac_header = hmac_header
        self._schedule: Schedule | None = None
        self._lock = threading.Lock()
        self._queues: dict[Target, deque[Mapping[str, Any]]] = defaultdict(deque)
        self._ready: queue.SimpleQueue[Target | Callback | None] = queue.SimpleQueue()
        self._busy = 0
        self.callbacks: list[Callback] = []
        self.counts: Counter[str] = Counter()
        self._pool = urllib3.PoolManager(maxsize=_WORKERS, retries=False)
        self._threads = [
            threading.Thread(target=self._work, name=f"simulator-post-{number}", daemon=True)
            for number in range(_WORKERS)
        ]

    def start(self, schedule: Schedule) -> None:
        """Begin; retries are put on `schedule`."""
        self._schedule = schedule
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End; a request that is on its way has its time-out to finish."""
        for _ in self._threads:
            self._ready.put(None)
        for thread in self._threads:
            if thread.is_alive():
                thread.join(_CONNECT_MOST * 2)
        self._pool.clear()

    def put(self, target: Target, item: Mapping[str, Any]) -> None:
        """Take one report; it leaves at the next `flush`."""
        with self._lock:
            self._queues[target].append(item)

    def flush(self) -> None:
        """Let all that was put leave."""
        with self._lock:
            waiting = [(target, -(-len(items) // target.bucket)) for target, items in self._queues.items() if items]
            self._busy += sum(requests for _, requests in waiting)
        for target, requests in waiting:
            for _ in range(requests):
                self._ready.put(target)

    @property
    def idle(self) -> bool:
        """Whether nothing is on its way; callbacks that wait for their repetition don't count."""
        with self._lock:
            return self._busy == 0 and not any(self._queues.values())

    def clear(self) -> None:
        """Forget all callbacks, also those to be repeated."""
        with self._lock:
            self._queues.clear()
            self.callbacks.clear()
            self.counts.clear()

    def shown(self, state: str = "", message_id: str = "", *, with_body: bool = False) -> list[dict[str, Any]]:
        """Return the callbacks, in order, of a state or about a message where that is asked."""
        with self._lock:
            found = list(self.callbacks)
        return [
            callback.shown(with_body=with_body)
            for callback in found
            if (not state or callback.state == state)
            and (not message_id or any(item.get("messageId") == message_id for item in callback.items))
        ]

    def _work(self) -> None:
        while (work := self._ready.get()) is not None:
            try:
                callback = work if isinstance(work, Callback) else self._collect(work)
                if callback is not None:
                    self._attempt(callback)
            except Exception:
                log.exception("a callback of the simulator failed in our own code")
            finally:
                with self._lock:
                    self._busy -= 1

    def _collect(self, target: Target) -> Callback | None:
        with self._lock:
            waiting = self._queues.get(target)
            if not waiting:
                return None
            items = [waiting.popleft() for _ in range(min(len(waiting), target.bucket))]
            if not waiting:
                del self._queues[target]
            body = body_of(target.look, target.content_type, [dict(item) for item in items])
            headers = {
                "Content-Type": target.content_type,
                **target.headers,
                **headers_of(target.security, body, self.hmac_header),
            }
            callback = Callback(len(self.callbacks) + 1, target, items, body, headers)
            self.callbacks.append(callback)
            self.counts["posted"] += 1
            self.counts["reports"] += len(items)
        return callback

    def _attempt(self, callback: Callback) -> None:
        if not self._reach.allows(callback.target.url):
            callback.state = WITHHELD
            self.counts[WITHHELD] += 1
            return
        now = self._clock.now()
        callback.first = now if callback.first is None else callback.first
        answer = self._post(callback)
        callback.attempts.append((stamp().isoformat(), now, answer))
        if isinstance(answer, int) and 200 <= answer < 300:
            callback.state = ACCEPTED
            self.counts[ACCEPTED] += 1
            return
        self.counts["failed attempts"] += 1
        self._repeat_later(callback)

    def _post(self, callback: Callback) -> int | str:
        timeout = urllib3.Timeout(connect=min(callback.target.timeout, _CONNECT_MOST), read=callback.target.timeout)
        try:
            answer = self._pool.request(
                "POST",
                callback.target.url,
                body=callback.body,
                headers=dict(callback.headers),
                timeout=timeout,
                redirect=False,
            )
        except (urllib3.exceptions.HTTPError, ValueError, OSError) as error:
            return type(error).__name__
        return answer.status

    def _repeat_later(self, callback: Callback) -> None:
        done = len(callback.attempts) - 1
        if done >= RETRIES:
            callback.state = LOST
            self.counts[LOST] += 1
            return
        callback.state = WAITING
        assert self._schedule is not None
        assert callback.first is not None

        def again() -> None:
            with self._lock:
                self._busy += 1
            self._ready.put(callback)

        self._schedule.at(callback.first + SCHEDULE[done], RETRY_KIND, again)

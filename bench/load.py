"""The generator, a process of its own: `python -m bench.load '{"port": ..., "path": ...}'` prints its findings as JSON.

Without a rate every connection posts again as soon as it has its answer. With one, callbacks are due at fixed times and
their latency counts from there, so that a stall is charged to all that it delays.
"""

import json
import selectors
import socket
import sys
import time
from collections import Counter, deque
from dataclasses import asdict, dataclass, field
from typing import Final

from bench.bodies import Bodies, make_bodies

_END: Final = b"\r\n\r\n"
_PATIENCE: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to post: callbacks of `size` reports for `seconds`, at most `most`, at `rate` a second or flat out (0)."""

    port: int
    path: str
    size: int
    seconds: float
    run: int
    rate: float = 0.0
    connections: int = 8
    most: int = 1_000_000


@dataclass(slots=True)
class Found:
    """What came of it. Times are of the machine's monotonic clock, which all its processes share."""

    callbacks: int = 0
    first_at: float = 0.0
    last_at: float = 0.0
    statuses: dict[str, int] = field(default_factory=dict)
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    worst_ms: float = 0.0

    @property
    def seconds(self) -> float:
        """From the first byte sent to the last answer."""
        return max(self.last_at - self.first_at, 1e-9)


class _Connection:
    """One kept-alive connection with at most one request under way."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._head = (
            f"POST {order.path} HTTP/1.1\r\nHost: 127.0.0.1:{order.port}\r\n"
            "Content-Type: application/json\r\nContent-Length: "
        ).encode("ascii")
        self._buffer = b""
        self._request = b""
        self.due = 0.0
        self.socket = self._open()

    def _open(self) -> socket.socket:
        opened = socket.create_connection(("127.0.0.1", self._order.port), timeout=_PATIENCE)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return opened

    def post(self, body: bytes, due: float) -> None:
        """Send one callback, whose latency counts from `due`."""
        self.due = due
        self._request = b"%b%d\r\n\r\n%b" % (self._head, len(body), body)
        self.socket.sendall(self._request)

    def reopen(self) -> None:
        """Connect again where the server has ended an idle connection, and post again what it had not read."""
        self.socket.close()
        self._buffer = b""
        self.socket = self._open()
        if self._request:
            self.socket.sendall(self._request)

    def answer(self) -> int:
        """Return the status, or 0 while the answer is not whole. Raises `ConnectionError` where the server hung up."""
        content = self.socket.recv(65536)
        if not content:
            raise ConnectionError("the server closed the connection")
        self._buffer += content
        head, found, rest = self._buffer.partition(_END)
        if not found or len(rest) < _length(head):
            return 0
        self._buffer = self._request = b""
        return int(head[9:12])


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


class Generator:
    """Posts what an order says over a few connections, in one thread."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._bodies: Bodies = make_bodies(order.size, order.run)
        self._latencies: list[float] = []
        self._statuses: Counter[str] = Counter()
        self._posted = 0

    def run(self) -> Found:
        """Post, wait for the last answer, and sum up."""
        idle = deque(_Connection(self._order) for _ in range(self._order.connections))
        busy = 0
        start = time.monotonic()
        end = start + self._order.seconds
        with selectors.DefaultSelector() as selector:
            for connection in idle:
                selector.register(connection.socket, selectors.EVENT_READ, connection)
            while busy or self._due(start, end) is not None:
                busy += self._post_due(idle, start, end)
                due = self._due(start, end)
                # With every connection busy only an answer lets anything happen.
                wait = None if due is None or not idle else max(due - time.monotonic(), 0.0)
                events = selector.select(_PATIENCE if wait is None else wait)
                if wait is None and not events:
                    raise TimeoutError(f"no answer within {_PATIENCE:.0f} s")
                for key, _ in events:
                    if self._take(key.data, selector):
                        idle.append(key.data)
                        busy -= 1
        return self._summary(start, time.monotonic())

    def _due(self, start: float, end: float) -> float | None:
        """Return when the next callback is due, or None where there is none any more."""
        if self._posted >= self._order.most:
            return None
        if not self._order.rate:
            now = time.monotonic()
            return now if now < end else None
        due = start + self._posted / self._order.rate
        return due if due < end else None

    def _post_due(self, idle: "deque[_Connection]", start: float, end: float) -> int:
        posted = 0
        while idle:
            due = self._due(start, end)
            if due is None or due > time.monotonic():
                break
            body = self._bodies.body(self._posted)
            self._posted += 1
            # Flat out, making the body is not the server's time.
            idle.popleft().post(body, due if self._order.rate else time.monotonic())
            posted += 1
        return posted

    def _take(self, connection: _Connection, selector: selectors.BaseSelector) -> bool:
        try:
            status = connection.answer()
        except ConnectionError:
            selector.unregister(connection.socket)
            connection.reopen()
            selector.register(connection.socket, selectors.EVENT_READ, connection)
            return False
        if status:
            self._latencies.append(time.monotonic() - connection.due)
            self._statuses[str(status)] += 1
        return bool(status)

    def _summary(self, start: float, end: float) -> Found:
        ordered = sorted(self._latencies)
        return Found(
            callbacks=len(ordered),
            first_at=start,
            last_at=end,
            statuses=dict(self._statuses),
            p50_ms=_percentile(ordered, 0.50) * 1000,
            p99_ms=_percentile(ordered, 0.99) * 1000,
            worst_ms=_percentile(ordered, 1.0) * 1000,
        )


def _percentile(ordered: list[float], share: float) -> float:
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else 0.0


def main() -> None:
    """Read the order from the first argument, carry it out, print what was found."""
    found = Generator(Order(**json.loads(sys.argv[1]))).run()
    print(json.dumps(asdict(found)))


if __name__ == "__main__":
    main()

"""One connection to Infobip's side, kept alive from request to request, with a deadline over all that is done on it."""

import re
import select
import socket
import ssl
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from urllib.parse import quote, urlsplit

from infobip.outbound.answer_http import Answers, Read, Source

_PIECE: Final = 16_384
_PLAIN: Final = re.compile(r"[!-~]+")
_AS_WRITTEN: Final = "!#$%&'()*+,/:;=?@[]~"
_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_ENDS_A_LINE: Final = re.compile(r"[\r\n\0]")


@dataclass(slots=True)
class Watch:
    """One exchange under way: until when, how long one operation may take, and whether any byte may have left."""

    end: float
    longest: float
    left: bool = False

    def allow(self) -> float:
        """Return the seconds that one operation may take. Raises `TimeoutError` where none are left."""
        rest = self.end - time.monotonic()
        if rest <= 0:
            raise TimeoutError
        return min(self.longest, rest)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a connection leads: `host` as it is looked up, `named` as the Host header writes it."""

    secure: bool
    host: str
    port: int
    named: str


@lru_cache(maxsize=256)
def origin_of(url: str) -> Origin:
    """Return where `scheme://host[:port]` leads. Raises `ValueError`."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("no URL of http or https")
    secure = parts.scheme == "https"
    return Origin(secure, parts.hostname, parts.port or (443 if secure else 80), parts.netloc.rpartition("@")[2])


def head_of(method: str, origin: Origin, target: str, headers: Iterable[tuple[str, str]], size: int | None) -> bytes:
    """Return a request's first line and headers; `size` is its body's. Raises `ValueError` for what cannot be one."""
    if not _PLAIN.fullmatch(target):
        target = quote(target, safe=_AS_WRITTEN)
    lines = [f"{method} {target} HTTP/1.1", f"Host: {origin.named}", "Accept-Encoding: identity"]
    for name, value in headers:
        if not _NAME.fullmatch(name):
            raise ValueError("a header has a name that is none")
        lines.append(f"{name}: {value}")
    if size is not None:
        lines.append(f"Content-Length: {size}")
    if not _NAME.fullmatch(method) or any(map(_ENDS_A_LINE.search, lines)):
        raise ValueError("a header has a line break in it")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


class _Wire(Source):
    """What comes in, with as long to wait for it as the exchange has left."""

    def __init__(self, sock: Any) -> None:
        super().__init__()
        self._sock = sock
        self.watch: Watch | None = None

    def readinto(self, buffer: Any) -> int | None:
        if self.rests or self.watch is None:
            return None
        self._sock.settimeout(self.watch.allow())
        return int(self._sock.recv_into(buffer))


class Connection:
    """For one thread at a time."""

    def __init__(self, origin: Origin, tls: ssl.SSLContext | None, longest: float, watch: Watch) -> None:
        """Connect. Raises `OSError`, in which nothing of a request has left."""
        self.origin = origin
        self.used_at = 0.0
        sock: Any = socket.create_connection((origin.host, origin.port), min(longest, watch.allow()))
        try:
            # What is written leaves at once, however small it is.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if tls is not None:
                sock.settimeout(min(longest, watch.allow()))
                sock = tls.wrap_socket(sock, server_hostname=origin.host)
        except BaseException:
            sock.close()
            raise
        self._sock = sock
        self._wire = _Wire(sock)
        self._answers = Answers(self._wire)
        self._readable = select.poll()
        self._readable.register(sock, select.POLLIN)

    def is_fresh(self, idle: float) -> bool:
        """Whether it may be used again: not idle for longer than that, nothing said by the other side, nor ended."""
        return time.monotonic() - self.used_at < idle and not self._readable.poll(0)

    def exchange(self, method: str, request: bytes, largest: int, watch: Watch) -> Read:
        """Send a whole request, head and body, and read the answer.

        Raises `OSError`, `NoHttp`, `TooLarge` and `http.client.HTTPException`; `watch.left` tells whether something may
        have left then.
        """
        self._wire.watch = watch
        # In one piece where it is small: a head that leaves alone makes the other side wait for the rest.
        view = memoryview(request)
        for start in range(0, len(view), _PIECE):
            self._sock.settimeout(watch.allow())
            watch.left = True
            self._sock.sendall(view[start : start + _PIECE])
        self.used_at = time.monotonic()
        return self._answers.read(method, largest)

    def close(self) -> None:
        """End it."""
        self._sock.close()

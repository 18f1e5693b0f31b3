"""HTTP with one promise: afterwards it is known whether any byte of the request may have left.

The first byte handed to a socket is noted, and no operation outlasts the deadline of the whole exchange, however slowly
an answer drips. Nothing is repeated once a byte has left (measured: a retrying client sent up to four messages), and no
redirect is followed. Nothing of the environment counts, no cookie is kept, and requests leave as they are given: that
is why below it is the standard library's reader and no more: a larger one took several times as long (bench/README.md).
"""

import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import Final

from infobip.outbound.answer_http import NoHttp, Read, TooLarge
from infobip.outbound.connection import Connection, Origin, Watch, head_of, origin_of
from infobip.outbound.reasons import next_step_of, reason_of
from infobip.outbound.results import Exchange, Exchanged, NotSent, Unknown

_POOL: Final = 32
_OF_THE_WIRE: Final = frozenset({"connection", "content-length", "keep-alive", "transfer-encoding"})
_WITHOUT_BODY: Final = ("GET", "HEAD")


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds: to connect, between two pieces of an answer, and for the whole exchange.

    A connection that was idle for longer than `idle` is not used again. The other side may end it at any time, and of a
    request on a connection that is just being ended nobody knows what became.
    """

    connect: float = 3.0
    answer: float = 10.0
    total: float = 25.0
    idle: float = 10.0


class Transport:
    """One per process, made after the fork; for any number of threads and accounts."""

    def __init__(
        self,
        patience: Patience | None = None,
        largest_answer: int = 4_194_304,
        ca: str | None = None,
        *,
        adds: bool = True,
    ) -> None:
        """Set up; `ca` is a file of authorities to be trusted instead of the usual ones.

        Without `adds` requests leave without headers of our own, such as an Accept that the caller did not ask for.
        """
        self._patience = patience or Patience()
        self._largest = largest_answer
        self._ca = ca
        self._own = (("User-Agent", "dlr"), ("Accept", "application/json")) if adds else ()
        self._idle: dict[Origin, list[Connection]] = {}
        self._tls: ssl.SSLContext | None = None
        self._lock = threading.Lock()

    def close(self) -> None:
        """End all connections that are not in use."""
        with self._lock:
            found = [one for idle in self._idle.values() for one in idle]
            self._idle.clear()
        for one in found:
            one.close()

    def exchange(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None) -> Exchange:
        """Send one request and return what came of it. Connecting is tried twice, anything else once.

        Headers of the connection are left out of what is returned, and the body is unpacked.
        """
        end = time.monotonic() + self._patience.total
        for last in (False, True):
            watch = Watch(end, self._patience.answer)
            try:
                return _exchanged(self._once(method, url, headers, body, watch))
            except TooLarge:
                return Unknown("the answer is larger than any that Infobip documents")
            except (NoHttp, HTTPException, OSError, ValueError) as error:
                if watch.left:
                    return Unknown(reason_of(error))
                again = isinstance(error, OSError) and not isinstance(error, ssl.SSLError)
                if last or not again or time.monotonic() >= end:
                    return NotSent(reason_of(error), next_step_of(error))
        raise AssertionError("the second try always returns")

    def _once(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, watch: Watch) -> Read:
        scheme, _, rest = url.partition("://")
        netloc, slash, path = rest.partition("/")
        origin = origin_of(f"{scheme}://{netloc}")
        size = len(body) if body is not None else None if method in _WITHOUT_BODY else 0
        request = head_of(method, origin, slash + path or "/", self._headers(headers), size) + (body or b"")
        connection = self._kept(origin) or self._connect(origin, watch)
        try:
            read = connection.exchange(method, request, self._largest, watch)
        except BaseException:
            connection.close()
            raise
        self._keep(connection, read.lasts)
        return read

    def _headers(self, given: Mapping[str, str]) -> list[tuple[str, str]]:
        named = {name.lower() for name in given} if self._own else set()
        own = [(name, value) for name, value in self._own if name.lower() not in named]
        return own + [(name, value) for name, value in given.items() if name.lower() != "accept-encoding"]

    def _kept(self, origin: Origin) -> Connection | None:
        """Return the connection that was used last, if one is still good."""
        while True:
            with self._lock:
                idle = self._idle.get(origin)
                connection = idle.pop() if idle else None
            if connection is None or connection.is_fresh(self._patience.idle):
                return connection
            connection.close()

    def _keep(self, connection: Connection, lasts: bool) -> None:
        with self._lock:
            idle = self._idle.setdefault(connection.origin, [])
            if lasts and len(idle) < _POOL:
                idle.append(connection)
                return
        connection.close()

    def _connect(self, origin: Origin, watch: Watch) -> Connection:
        return Connection(origin, self._trust() if origin.secure else None, self._patience.connect, watch)

    def _trust(self) -> ssl.SSLContext:
        with self._lock:
            if self._tls is None:
                self._tls = ssl.create_default_context(cafile=self._ca or _usual_authorities())
                self._tls.set_alpn_protocols(["http/1.1"])
            return self._tls


def _usual_authorities() -> str:
    # Imported here: whoever calls nobody by TLS need not load it.
    from requests.utils import DEFAULT_CA_BUNDLE_PATH

    return DEFAULT_CA_BUNDLE_PATH


def _exchanged(read: Read) -> Exchanged:
    kept = [(name, value) for name, value in read.headers if name.lower() not in _OF_THE_WIRE]
    return Exchanged(read.status, tuple(kept), read.body)

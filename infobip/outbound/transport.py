"""HTTP with one promise: afterwards it is known whether any byte of the request may have left.

`requests` does the work; below it, the socket is watched. The first byte handed to it is noted, and no operation
outlasts the deadline of the whole exchange, however slowly an answer drips. Nothing is repeated once a byte has left
(measured in DEPENDENCIES f: a retrying client sent up to four messages), and no redirect is followed.
"""

import io
import time
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from http.client import HTTPException
from http.cookiejar import DefaultCookiePolicy
from socket import SocketIO
from typing import Any, Final

import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, Retry
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from infobip.outbound.reasons import next_step_of, reason_of
from infobip.outbound.results import Exchange, Exchanged, NotSent, Unknown

_PIECE: Final = 16_384
_POOL: Final = 32
_OF_THE_WIRE: Final = frozenset({"connection", "content-encoding", "content-length", "keep-alive", "transfer-encoding"})


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


@dataclass(slots=True)
class _Watch:
    """One exchange under way."""

    end: float
    longest: float
    idle: float
    left: bool = False

    def allow(self) -> float:
        """Return the seconds that one operation may take."""
        rest = self.end - time.monotonic()
        if rest <= 0:
            raise TimeoutError
        return min(self.longest, rest)


_WATCH: ContextVar[_Watch] = ContextVar("_WATCH")


class _Socket:
    """A socket of which no operation outlasts the exchange, and which notes that something left."""

    def __init__(self, sock: Any) -> None:
        self._sock = sock

    def sendall(self, data: Any) -> None:
        watch = _WATCH.get()
        view = memoryview(data).cast("B")
        for start in range(0, len(view), _PIECE):
            self._sock.settimeout(watch.allow())
            watch.left = True
            self._sock.sendall(view[start : start + _PIECE])

    def makefile(self, mode: str, *_: Any, **__: Any) -> io.BufferedReader:
        # The raw file keeps the socket open for the rest of an answer after which the connection is not used again.
        return io.BufferedReader(_Reader(self._sock, self._sock.makefile(mode, buffering=0)))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


class _Reader(io.RawIOBase):
    def __init__(self, sock: Any, file: SocketIO) -> None:
        self._sock = sock
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(_WATCH.get().allow())
        return self._file.readinto(buffer)

    def close(self) -> None:
        self._file.close()
        super().close()


class _Watched(HTTPConnection):
    _used_at = 0.0

    def connect(self) -> None:
        super().connect()
        self.sock: Any = _Socket(self.sock)
        self._used_at = time.monotonic()

    @property
    def is_connected(self) -> bool:
        return time.monotonic() - self._used_at < _WATCH.get().idle and super().is_connected

    def getresponse(self) -> Any:
        self._used_at = time.monotonic()
        return super().getresponse()


class _WatchedTls(_Watched, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Watched


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedTls


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}


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
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy, no .netrc: a credential goes nowhere that nobody configured
        own = {"User-Agent": "dlr", "Accept": "application/json"} if adds else {}
        self._session.headers = CaseInsensitiveDict(own)
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        if ca:
            self._session.verify = ca
        adapter = _Adapter(max_retries=Retry(0, read=False, redirect=False), pool_connections=_POOL, pool_maxsize=_POOL)
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, adapter)

    def close(self) -> None:
        """End all connections."""
        self._session.close()

    def exchange(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None) -> Exchange:
        """Send one request and return what came of it. Connecting is tried twice, anything else once.

        Headers of the connection are left out of what is returned, and the body is unpacked.
        """
        end = time.monotonic() + self._patience.total
        for last in (False, True):
            watch = _Watch(end, self._patience.answer, self._patience.idle)
            token = _WATCH.set(watch)
            try:
                return self._once(method, url, headers, body)
            except TooLarge:
                return Unknown("the answer is larger than any that Infobip documents")
            except (requests.RequestException, HTTPError, HTTPException, OSError, ValueError) as error:
                if watch.left:
                    return Unknown(reason_of(error))
                again = isinstance(error, requests.ConnectionError) and not isinstance(
                    error, requests.exceptions.SSLError
                )
                if last or not again or time.monotonic() >= end:
                    return NotSent(reason_of(error), next_step_of(error))
            finally:
                _WATCH.reset(token)
        raise AssertionError("the second try always returns")

    def _once(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Exchanged:
        watch = _WATCH.get()
        request = requests.Request(method, url, headers={**headers, "Accept-Encoding": "identity"}, data=body)
        prepared = self._session.prepare_request(request)
        connect = min(self._patience.connect, watch.allow())
        with self._session.send(
            prepared,
            stream=True,
            allow_redirects=False,
            timeout=(connect, self._patience.answer),
            verify=self._session.verify,
        ) as response:
            content = bytearray()
            for piece in response.raw.stream(_PIECE, decode_content=True):
                content += piece
                if len(content) > self._largest:
                    raise TooLarge
            kept = [(name, value) for name, value in response.raw.headers.items() if name.lower() not in _OF_THE_WIRE]
            return Exchanged(response.status_code, tuple(kept), bytes(content))


class TooLarge(Exception):
    """The answer does not end where any answer of Infobip's would."""

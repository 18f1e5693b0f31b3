"""Post bytes to one target, exactly as they are.

The standard library's client and not requests: it adds no header of its own, follows nothing, reads no environment,
and takes its connection from us, which is what binds a request to the address that was checked.
"""

import io
import ssl
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from http.client import BadStatusLine, HTTPConnection, HTTPException
from socket import gaierror, socket
from typing import Any, Final

from config.relays import RelayTarget
from workers.actions.addresses import Resolver, SlowLookUp, connect, resolve


@dataclass(frozen=True, slots=True)
class Patience:
    """How many seconds a target has: for its name to be looked up, to accept a connection, to take each piece and then
    to answer, and for all of it.

    However an answer is dripped out, a post ends with `total`: well within a lease, and before a worker must end.
    """

    connect: float = 3.0
    answer: float = 10.0
    total: float = 25.0
    look_up: float = 3.0


_PIECE: Final = 16_384
_MOST_READ: Final = 65_536


class NoAnswer(Exception):
    """The target gave no answer that can be read. The text says why; whether the callback arrived is not known."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What matters of an answer. `body` is that of a 2xx, as far as it came within a second and is not large."""

    status: int
    retry_after: str
    body: bytes = b""


class _Timed:
    """A socket of which no operation outlasts the post. It is what `http.client` needs of one."""

    def __init__(self, sock: socket, end: float, longest: float) -> None:
        self._sock = sock
        self._longest = longest
        self._readers = 0
        self._closing = False
        self.end = end

    def _allow(self) -> None:
        left = self.end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(min(self._longest, left))

    def sendall(self, data: Any) -> None:
        self._allow()
        self._sock.sendall(data)

    def recv_into(self, buffer: Any) -> int:
        self._allow()
        return self._sock.recv_into(buffer)

    def makefile(self, mode: str) -> io.BufferedReader:
        self._readers += 1
        return io.BufferedReader(_Reader(self))

    def reader_closed(self) -> None:
        self._readers -= 1
        if self._closing and not self._readers:
            self._sock.close()

    def close(self) -> None:
        # Where the answer says that it is the last, `http.client` closes the connection before it reads it.
        self._closing = True
        if not self._readers:
            self._sock.close()


class _Reader(io.RawIOBase):
    def __init__(self, sock: _Timed) -> None:
        self._timed = sock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._timed.recv_into(buffer)

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._timed.reader_closed()


@dataclass(frozen=True, slots=True)
class Road:
    """How targets are reached: by whose word on addresses, into private networks or not, and with how much patience."""

    resolver: Resolver = resolve
    private: bool = False
    patience: Patience = field(default_factory=Patience)


class _Connection(HTTPConnection):
    def __init__(self, target: RelayTarget, road: Road, tls: ssl.SSLContext | None) -> None:
        super().__init__(target.host, target.port)
        self._target = target
        self._road = road
        self._tls = tls
        self.end = 0.0

    def connect(self) -> None:
        road, host = self._road, self._target.host
        longest = road.patience.connect
        sock = connect(
            host,
            self._target.port,
            resolver=road.resolver,
            private=road.private,
            timeout=longest,
            end=self.end,
            look_up=road.patience.look_up,
        )
        if self._tls is not None:
            try:
                sock.settimeout(max(0.001, min(longest, self.end - time.monotonic())))
                sock = self._tls.wrap_socket(sock, server_hostname=host.rstrip("."))
            except BaseException:
                sock.close()
                raise
        self.sock: Any = _Timed(sock, self.end, road.patience.answer)


class Poster:
    """Posts to one target, over one connection as long as that lasts. For one thread."""

    def __init__(self, target: RelayTarget, road: Road, tls: ssl.SSLContext | None) -> None:
        self._target = target
        self._patience = road.patience
        self._connection = _Connection(target, road, tls)

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def post(self, headers: Iterable[tuple[str, str]], body: bytes) -> Answer:
        """Send one request and return the answer. Raises `NoAnswer`, and `PrivateAddress` before anything is sent."""
        kept = list(headers)
        used = self._connection.sock is not None
        try:
            try:
                return self._post(kept, body)
            except (ConnectionError, BadStatusLine, ssl.SSLEOFError):
                # The other side had ended the connection between two posts, which it may; only a fresh one tells.
                if not used:
                    raise
                self.close()
                return self._post(kept, body)
        except BaseException as error:
            self.close()
            if isinstance(error, OSError | HTTPException | UnicodeError):
                raise NoAnswer(_reason(error)) from error
            raise

    def _post(self, headers: list[tuple[str, str]], body: bytes) -> Answer:
        connection = self._connection
        connection.end = time.monotonic() + self._patience.total
        if connection.sock is not None:
            connection.sock.end = connection.end
        connection.putrequest("POST", self._target.path, skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", self._target.netloc)
        for name, value in headers:
            connection.putheader(name, value)
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders()
        view = memoryview(body)
        for start in range(0, len(view), _PIECE):
            connection.send(view[start : start + _PIECE])
        # The answer as a whole has so long, not each of its bytes.
        timed = connection.sock
        timed.end = min(connection.end, time.monotonic() + self._patience.answer)
        response = connection.getresponse()
        content, complete = b"", False
        try:
            if 200 <= response.status < 300:
                timed.end = min(connection.end, time.monotonic() + 1)
                content, complete = _finish(response)
        finally:
            response.close()
        if not complete:
            self.close()
        return Answer(response.status, response.headers.get("Retry-After", ""), content)


def _finish(response: Any) -> tuple[bytes, bool]:
    """Read a small answer; return it, and whether it is over, so that the connection can serve again."""
    try:
        content = response.read(_MOST_READ)
    except (OSError, HTTPException):
        return b"", False
    return content, bool(response.isclosed())


def _reason(error: BaseException) -> str:
    if isinstance(error, gaierror | UnicodeError):
        return "its host's name is not found"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"no secure connection: {error.reason or type(error).__name__}"
    if isinstance(error, SlowLookUp):
        return "nobody told the address of its host in time"
    if isinstance(error, TimeoutError):
        return "it took too long"
    if isinstance(error, OSError) and not isinstance(error, HTTPException):
        return f"the connection failed: {error.strerror or error}"
    return f"its answer is not HTTP ({type(error).__name__})"


def make_tls() -> ssl.SSLContext:
    """Return how certificates are judged: by the system's store, and by requests' own, for systems without one."""
    # Imported here: most installations have no such target, and requests alone takes 10 MiB of each worker.
    from requests.utils import DEFAULT_CA_BUNDLE_PATH

    context = ssl.create_default_context()
    context.load_verify_locations(DEFAULT_CA_BUNDLE_PATH)
    return context

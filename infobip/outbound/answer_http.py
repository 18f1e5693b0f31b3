"""Read one HTTP/1.1 answer off a connection that is kept alive: the standard library reads it, this makes sure of it.

Where an answer could be read in two ways, one answer's bytes could be taken for another's: then it is none.
"""

import io
import re
import zlib
from dataclasses import dataclass
from http.client import HTTPResponse, IncompleteRead
from typing import Any, Final

_UNPRINTABLE: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]+")
_UNPACKED_BY: Final = {"gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}

Headers = list[tuple[str, str]]


class NoHttp(Exception):
    """What came is no HTTP answer, or less than one."""


class TooLarge(Exception):
    """The answer does not end where any answer of Infobip's would."""


@dataclass(frozen=True, slots=True)
class Read:
    """An answer, whole. `lasts`: whether the connection is good for another request."""

    status: int
    headers: Headers
    body: bytes
    lasts: bool


class Source(io.RawIOBase):
    """What a connection brings. A subclass reads; `rests` says that nothing is waited for any more."""

    rests = False

    def readable(self) -> bool:
        """Yes."""
        return True


class _Kept(io.BufferedReader):
    """What is read of a connection: one for all of its answers, so that nothing behind one of them gets lost."""

    def close(self) -> None:
        """Stay open, though each answer closes what it was read from."""


class Answers:
    """Reads one answer after the other. To `http.client` it is a socket."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._file = _Kept(source)

    def makefile(self, mode: str) -> io.BufferedReader:
        """Return what the next answer is read from."""
        return self._file

    def read(self, method: str, largest: int) -> Read:
        """Read the answer to a request of this method; its body has at most `largest` bytes.

        Raises `NoHttp`, `TooLarge`, `http.client.HTTPException`, and what the source raises.
        """
        self._source.rests = False
        response = self._next(method)
        while 100 <= response.status < 200:  # early hints, say: the answer is still to come
            if response.status == 101:
                raise NoHttp("another protocol, for which nobody asked")
            response = self._next(method)
        has_two_ends = _checked(response)
        headers = [(name, _UNPRINTABLE.sub(" ", value).strip()) for name, value in response.getheaders()]
        body = _unpacked(_body(response, largest), headers, largest)
        self._source.rests = True
        lasts = not (response.will_close or has_two_ends or self._file.peek(1))
        return Read(response.status, headers, body, lasts)

    def _next(self, method: str) -> HTTPResponse:
        like_a_socket: Any = self
        response = HTTPResponse(like_a_socket, method=method)
        response.begin()
        return response


def _checked(response: HTTPResponse) -> bool:
    """Return whether both chunks and a length say where the answer ends. Raises `NoHttp` where one makes no sense."""
    sizes = {size.strip() for size in response.headers.get_all("content-length", [])}
    packings = [packing.strip().lower() for packing in response.headers.get_all("transfer-encoding", [])]
    if packings not in ([], ["chunked"]):
        raise NoHttp("an unheard-of Transfer-Encoding")
    if len(sizes) > 1 or not all(size.isascii() and size.isdecimal() for size in sizes):
        raise NoHttp("a Content-Length that is no number")
    return bool(packings and sizes)


def _body(response: HTTPResponse, largest: int) -> bytes:
    if response.length is not None and response.length > largest:
        raise TooLarge
    # Of a known length, the whole is read, or it is incomplete.
    body = response.read() if response.length is not None else response.read(largest + 1)
    if len(body) > largest:
        raise TooLarge
    if response.chunked and not response.isclosed():
        raise IncompleteRead(body)
    return body


def _unpacked(body: bytes, headers: Headers, largest: int) -> bytes:
    """Return a body unpacked, though nobody asked for a packed one; what we cannot unpack keeps its header."""
    named = [value.strip().lower() for name, value in headers if name.lower() == "content-encoding"]
    window = _UNPACKED_BY.get(named[0]) if len(named) == 1 else None
    if window is None or not body:
        return body
    headers[:] = [(name, value) for name, value in headers if name.lower() != "content-encoding"]
    try:
        unpacker = zlib.decompressobj(window)
        plain = unpacker.decompress(body, largest + 1)
    except zlib.error:
        raise NoHttp("a body that is not packed as it says") from None
    if len(plain) > largest:
        raise TooLarge
    if not unpacker.eof:
        raise NoHttp("a packed body that is cut")
    return plain

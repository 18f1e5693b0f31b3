"""A request's body: never more of it in memory than the limit, as sent and once unpacked."""

import zlib
from typing import Any, Final, Protocol

from gunicorn.http.errors import ParseException

from webhook.errors import BadCompression, Incomplete, TooLarge, UnknownEncoding

GZIP_MAGIC: Final = b"\x1f\x8b"
_GZIP: Final = 16 + zlib.MAX_WBITS
_PLAIN: Final = frozenset({"", "identity", "gzip", "x-gzip"})
MIB: Final = 1024 * 1024
# What the server raises at a lost connection, and at chunks that are none.
_BROKEN: Final = (OSError, ParseException)


class Stream(Protocol):
    """What a WSGI server gives to read from. It ends where the body ends, for chunked bodies too."""

    def read(self, size: int, /) -> bytes:
        """Return `size` bytes, or fewer at the end."""


class Body:
    """The body of one request, read when it is first asked for."""

    __slots__ = ("_length", "_limit", "_raw", "_stream")

    def __init__(self, environ: dict[str, Any], limit: int) -> None:
        self._stream: Stream = environ["wsgi.input"]
        length = environ.get("CONTENT_LENGTH") or ""
        self._length: int | None = int(length) if length.isascii() and length.isdigit() else None
        if self._length is None and not environ.get("wsgi.input_terminated"):
            self._length = 0  # the server could not tell us where it ends
        self._limit = limit
        self._raw: bytes | None = None

    def raw(self) -> bytes:
        """Return the body as it was sent. Raises `TooLarge` or `Incomplete`."""
        if self._raw is None:
            self.check_length()
            self._raw = self._read(self._length)
        return self._raw

    def peek(self, most: int) -> bytes | None:
        """Return the body if it is at most `most` bytes; `None` where it is larger or does not come."""
        if self._raw is None:
            if self._length is not None and self._length > most:
                return None
            try:
                wanted = self._length if self._length is not None else most + 1
                self._raw = self._stream.read(wanted)
            except _BROKEN:
                return None
        return self._raw if len(self._raw) <= most else None

    def check_length(self) -> None:
        """Raise `TooLarge` if the announced length is beyond the limit."""
        if self._length is not None and self._length > self._limit:
            raise too_large(self._limit)

    def _read(self, length: int | None) -> bytes:
        try:
            # Without a length, one byte more than allowed tells that there is more.
            raw = self._stream.read(self._limit + 1 if length is None else length)
        except _BROKEN as error:
            raise Incomplete("the body did not come whole") from error
        if length is not None and len(raw) < length:
            raise Incomplete("the body ended before its announced length, or took too long")
        if len(raw) > self._limit:
            raise too_large(self._limit)
        return raw


def unpack(raw: bytes, encoding: str, limit: int) -> bytes:
    """Return the plain body. Raises `TooLarge`, `BadCompression` or `UnknownEncoding`.

    The first bytes decide, not the header: no report begins like gzip, and proxies unpack without correcting it.
    """
    if raw[:2] != GZIP_MAGIC:
        if encoding.strip().lower() in _PLAIN:
            return raw
        raise UnknownEncoding("the Content-Encoding is neither gzip nor identity")
    parts: list[bytes] = []
    room = limit + 1
    while raw[:2] == GZIP_MAGIC and room > 0:  # a gzip file may hold several members
        unpacker = zlib.decompressobj(_GZIP)
        try:
            parts.append(unpacker.decompress(raw, room))
        except zlib.error as error:
            raise BadCompression("the body begins like gzip and is none") from error
        room -= len(parts[-1])
        if not unpacker.eof and room > 0:
            raise BadCompression("the body is only a part of a gzip file")
        raw = unpacker.unused_data
    if room <= 0:
        raise too_large(limit)
    return b"".join(parts)


def too_large(limit: int) -> TooLarge:
    """Return the error of a body beyond `limit` bytes."""
    return TooLarge(f"the body is larger than {limit // MIB} MiB")

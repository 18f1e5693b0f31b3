"""A raw HTTP server on loopback: what it does to a connection is up to each test."""

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

Deed = Callable[["Visit"], None]


@dataclass
class Visit:
    """One request on one connection, read in full."""

    connection: socket.socket
    server: "WireServer"
    head: str
    body: bytes

    @property
    def line(self) -> str:
        return self.head.split("\r\n", 1)[0]

    def header(self, name: str) -> str:
        lines = (line.partition(":") for line in self.head.split("\r\n")[1:])
        return next((value.strip() for key, _, value in lines if key.lower() == name.lower()), "")

    def write(self, data: bytes) -> None:
        self.connection.sendall(data)

    def reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


class WireServer:
    """Serves until it is closed. `deeds` are done one for each request; after the last, `always`."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.visits: list[Visit] = []
        self.deeds: list[Deed] = []
        self.always: Deed = answer(200, b"{}")
        self.ended = threading.Event()
        self.connections = 0
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        port: int = self._listener.getsockname()[1]
        return port

    @property
    def url(self) -> str:
        return f"http{'s' if self._tls else ''}://127.0.0.1:{self.port}"

    def close(self) -> None:
        self.ended.set()
        with socket.create_connection(("127.0.0.1", self.port)):
            pass
        self._thread.join(5)
        self._listener.close()
        for connection in self._open:
            connection.close()

    def _accept(self) -> None:
        while not self.ended.is_set():
            connection, _ = self._listener.accept()
            self._open.append(connection)
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True)
            while (visit := self._read(connection)) is not None:
                self.visits.append(visit)
                deed = self.deeds.pop(0) if self.deeds else self.always
                deed(visit)
        except OSError:
            pass
        finally:
            connection.close()

    def _read(self, connection: socket.socket) -> Visit | None:
        data = b""
        while b"\r\n\r\n" not in data:
            piece = connection.recv(65536)
            if not piece:
                return None
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        visit = Visit(connection, self, head.decode("latin-1"), body)
        length = int(visit.header("Content-Length") or 0)
        while len(visit.body) < length:
            piece = connection.recv(65536)
            if not piece:
                return None
            visit.body += piece
        return visit


@contextmanager
def wire_server(tls: ssl.SSLContext | None = None) -> Iterator[WireServer]:
    server = WireServer(tls)
    try:
        yield server
    finally:
        server.close()


def answer(status: int, body: bytes, *headers: str) -> Deed:
    """Answer properly."""
    lines = [f"HTTP/1.1 {status} Status", f"Content-Length: {len(body)}", *headers]
    return lambda visit: visit.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)


def hang(visit: Visit) -> None:
    """Say nothing, until the test is over."""
    visit.server.ended.wait(30)


def close(visit: Visit) -> None:
    """End the connection in an orderly way."""
    visit.connection.shutdown(socket.SHUT_RDWR)


def last_words(data: bytes) -> Deed:
    """Write, and end the connection."""

    def deed(visit: Visit) -> None:
        visit.write(data)
        close(visit)

    return deed


def drip(*pieces: bytes, pause: float = 0.05) -> Deed:
    """Write the first piece, and then the others by turns for ever."""

    def deed(visit: Visit) -> None:
        visit.write(pieces[0])
        while not visit.server.ended.wait(pause):
            for piece in pieces[1:]:
                visit.write(piece)

    return deed

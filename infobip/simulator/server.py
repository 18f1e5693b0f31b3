"""The HTTP server: werkzeug's, with threads, and with connections that can end without an answer."""

import logging
import socket
import struct
import threading
from typing import TYPE_CHECKING, Any, Final

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from infobip.simulator.errors import CannotListen, Dropped

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

log = logging.getLogger(__name__)

_RESET: Final = struct.pack("ii", 1, 0)
_POLL: Final = 0.02


class _Handler(WSGIRequestHandler):
    disable_nagle_algorithm = True
    timeout = 60.0  # somebody who connects and says nothing does not hold a thread for ever

    def connection_dropped(self, error: BaseException, environ: "WSGIEnvironment | None" = None) -> None:
        self.close_connection = True
        if isinstance(error, Dropped) and error.reset and isinstance(self.server, _Threaded):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self.server.resets.add(self.connection)

    def log(self, type: str, message: str, *args: Any) -> None:
        """Log nothing about requests: their paths and queries hold people's numbers."""


class Server:
    """Serves an application on threads of this process."""

    def __init__(self, app: "WSGIApplication", host: str, port: int) -> None:
        """Listen at once; port 0 takes a free one. Raises `CannotListen`."""
        try:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            listening = socket.create_server((host, port), family=family, backlog=256)
        except OSError as error:
            place = f"{host}:{port}"
            fix = "Choose another port, or stop what uses this one." if port else "Give an address of this host."
            raise CannotListen(f"Nothing can listen on {place}: {error.strerror or error}. {fix}") from None
        with listening:
            self._server = _Threaded(host, port, app, _Handler, fd=listening.fileno())
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_POLL,), name="simulator-server", daemon=True
        )

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Stop listening and end what is open."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join(10)
        self._server.server_close()
        self._server.end_all()


class _Threaded(ThreadedWSGIServer):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lock = threading.Lock()
        self._open: dict[socket.socket, threading.Thread] = {}
        self.resets: set[socket.socket] = set()

    def shutdown_request(self, request: Any) -> None:
        if request in self.resets:  # an orderly end before it would be the first that the client sees
            self.resets.discard(request)
            self.close_request(request)
        else:
            super().shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._open[request] = threading.current_thread()
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._lock:
                self._open.pop(request, None)

    def handle_error(self, request: Any, client_address: Any) -> None:
        log.debug("a connection of the simulator failed", exc_info=True)

    def end_all(self) -> None:
        """Close what is open, and wait a little for those who serve it."""
        with self._lock:
            found = list(self._open.items())
        for connection, thread in found:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                log.debug("a connection was closed already")
            thread.join(5)

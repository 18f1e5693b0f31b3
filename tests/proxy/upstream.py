"""A server that keeps requests byte for byte and answers as it is told: what the simulator would not show."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Seen:
    """One request as it came."""

    method: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


Reply = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """Keeps the request, then does what the server's reply does."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "Upstream"

    def _any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.seen.append(Seen(self.command, self.path, list(self.headers.items()), body))
        self.server.reply(self)

    def __getattr__(self, name: str) -> Callable[[], None]:
        if name.startswith("do_"):  # whatever the method is
            return self._any
        raise AttributeError(name)

    def answer(self, status: int, body: bytes = b"", *headers: tuple[str, str]) -> None:
        self.send_response_only(status)
        for name, value in (*headers, ("Content-Length", str(len(body)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body if self.command != "HEAD" else b"")

    def log_message(self, format: str, *args: object) -> None:
        return


def answers(status: int, body: bytes = b"{}", *headers: tuple[str, str]) -> Reply:
    """Return a reply that is always the same."""
    return lambda handler: handler.answer(status, body, *headers)


def hangs(handler: Handler) -> None:
    """Answer only when the server is about to end."""
    handler.server.released.wait(60)
    handler.close_connection = True


class Upstream(ThreadingHTTPServer):
    """What stands in for Infobip."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen: list[Seen] = []
        self.reply: Reply = answers(200)
        self.released = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: some tests hang up."""


@contextmanager
def listening() -> Iterator[Upstream]:
    """Run one."""
    server = Upstream()
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.released.set()
        server.shutdown()
        server.server_close()
        thread.join()

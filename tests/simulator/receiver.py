"""A real HTTP server that gets callbacks and answers them as it is told."""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Received:
    """One callback as it came."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def items(self) -> list[dict[str, Any]]:
        """The results of a JSON body."""
        found: list[dict[str, Any]] = json.loads(self.body)["results"]
        return found


class Receiver(ThreadingHTTPServer):
    """Keeps what it gets; `answers` are used up one by one, then it answers 200."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.got: list[Received] = []
        self.answers: list[int] = []
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def items(self) -> list[dict[str, Any]]:
        """The results of all callbacks, in the order in which they came."""
        return [item for one in self.got for item in one.items]

    def of(self, path: str) -> list[Received]:
        return [one for one in self.got if one.path == path]


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with self.server.lock:
            self.server.got.append(Received(self.path, dict(self.headers.items()), body))
            status = self.server.answers.pop(0) if self.server.answers else 200
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        return

"""The real things that the tests run against: HTTP servers on loopback, a database with callbacks, and senders."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select, update

from config.relays import Relays
from config.settings import load_settings
from store import incidents
from store.database import Database
from store.inbox import Arrival, keep
from store.raw import Raw
from store.relays import take_up
from store.schema import outbox
from store.sqlite import RECEIVED
from workers.actions.outbox import make_sender
from workers.actions.post import Patience, Road
from workers.actions.sender import Sender
from workers.context import Context, open_context, owner

BODY: Final = b'{"results":[{"messageId":"m-1","to":"385910000001"}]}'
HEADERS: Final = {
    "Host": "dlr.example.com",
    "Content-Type": "application/json; charset=UTF-8",
    "User-Agent": "callback-sender/7",
    "X-Hub-Signature": "sha256=0a1b2c",
    "Authorization": "Basic Zm9vOmJhcg==",
    "Connection": "keep-alive",
    "Content-Length": "999",
}
HASTE: Final = Patience(connect=0.5, answer=0.4, total=1.5)


@dataclass(frozen=True)
class Seen:
    """One request as it came over the wire."""

    path: str
    headers: list[tuple[str, str]]
    body: bytes
    at: float

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


Reply = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """Keeps the request and answers with the server's next reply."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "Target"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.keep(Seen(self.path, list(self.headers.items()), body, time.monotonic()))
        self.server.reply()(self)

    def answer(self, status: int, headers: Mapping[str, str] | None = None, body: bytes = b"ok") -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        return


def status(code: int, **headers: str) -> Reply:
    """Return a reply with a status; underscores in header names stand for hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda handler: handler.answer(code, named)


def silence(seconds: float) -> Reply:
    """Return a reply that does not come for so long."""

    def hang(handler: Handler) -> None:
        handler.server.released.wait(seconds)
        handler.close_connection = True

    return hang


class Target(ThreadingHTTPServer):
    """An application that gets callbacks."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen: list[Seen] = []
        self.replies: list[Reply] = []
        self.always: Reply = status(200)
        self.connections = 0
        self.released = threading.Event()
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/dlr?key=k3y"

    @property
    def ids(self) -> list[int]:
        """The callbacks that came, in order."""
        return [int((seen.header("X-DLR-Relay") or "").split(",")[-1]) for seen in self.seen]

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections += 1
        super().process_request(request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: that we hang up on a target is what some tests are about."""

    def keep(self, seen: Seen) -> None:
        with self._lock:
            self.seen.append(seen)

    def reply(self) -> Reply:
        with self._lock:
            return self.replies.pop(0) if self.replies else self.always


@contextmanager
def serving() -> Iterator[Target]:
    """Run a target."""
    target = Target()
    thread = threading.Thread(target=lambda: target.serve_forever(poll_interval=0.02), daemon=True)
    thread.start()
    try:
        yield target
    finally:
        target.released.set()
        target.shutdown()
        target.server_close()
        thread.join()


@dataclass
class Clock:
    """A clock that goes when it is told to."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __call__(self) -> datetime:
        return self.now

    def later(self, **span: float) -> None:
        self.now += timedelta(**span)


class World:
    """One installation on one database, with DLR_RELAY_URL as given."""

    def __init__(self, url: str, folder: Path, relay_url: str, private: bool = True) -> None:
        self.environ = {
            "DLR_STATE_DIR": str(folder),
            "DLR_DATABASE_URL": url,
            "DLR_SQLITE_SYNCHRONOUS": "NORMAL",
            "DLR_RELAY_URL": relay_url,
            "DLR_RELAY_PRIVATE": str(private).lower(),
        }
        self.clock = Clock()
        self.context: Context = open_context(load_settings(self.environ))

    @property
    def database(self) -> Database:
        return self.context.database

    def sender(self, road: Road | None = None) -> Sender:
        """Return a sender as another worker would make it, in a hurry unless told otherwise."""
        self.context.owner = owner()
        hasty = Road(private=self.context.settings.relay_private, patience=HASTE)
        return make_sender(self.context, road=road or hasty, clock=self.clock)

    def send(self, seconds: float = 20) -> int:
        return self.sender().run(seconds)

    def arrive(
        self,
        body: bytes = BODY,
        headers: Mapping[str, str] = HEADERS,
        account: str = "main",
        channel: str = "sms",
        came: Raw | None = None,
        queued: bool = True,
    ) -> int:
        """Keep a callback as the endpoint does, and queue it; `came` is how it came where that was another way."""
        relayed = bool(Relays.read(self.context.settings.relay_url).of(account, channel))
        sent = (came.headers, came.body) if came else None
        kind = headers.get("Content-Type", "")
        arrival = Arrival(account, channel, kind, body, self.clock(), True, headers, sent=sent, relayed=relayed)
        with self.database.transaction(RECEIVED) as connection:
            number = keep(connection, self.context.vault, arrival)
        if queued:
            self.take_up()
        return number

    def take_up(self) -> list[Any]:
        """Queue what arrived for its targets; return the rows of the outbox."""
        take_up(self.database, Relays.read(self.context.settings.relay_url))
        return self.rows()

    def rows(self) -> list[Any]:
        with self.database.reading() as connection:
            return list(connection.execute(select(outbox).order_by(outbox.c.id)).all())

    def states(self) -> list[str]:
        return [row.state for row in self.rows()]

    def change(self, **values: Any) -> None:
        with self.database.transaction() as connection:
            connection.execute(update(outbox).values(**values))

    def opened(self) -> dict[str, incidents.Opened]:
        """Fold the sightings; return the incidents that opened just now, by title."""
        found = self.database.repeat(lambda connection: incidents.fold(connection, self.clock()))
        return {one.title: one for one in found}

    def close(self) -> None:
        self.context.database.close()


def raw_of(body: bytes, headers: Mapping[str, str]) -> Raw:
    """Return a callback as it came."""
    return Raw(json.loads(json.dumps(dict(headers))), body)

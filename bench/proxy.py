"""What the pass-through adds to a send: `python -m bench.proxy`.

Single SMS sends over one kept-alive connection, straight to a trivial server on this machine and through the
pass-through to the same server, taking turns so that both meet the same load.
"""

import argparse
import json
import sys
import tempfile
import time
from datetime import UTC, datetime
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import quantiles
from threading import Thread
from typing import Any, Final

from bench.processes import Processes, processes
from bench.servers import PostgreSQL, free_port, start_postgresql
from bench.systems import clean_environment, ready_at
from store import api_keys
from store.database import open_database

_WARM_UP: Final = 100
_TURN: Final = 50
_PATH: Final = "/sms/3/messages"


class _Trivial(BaseHTTPRequestHandler):
    """Answers every send at once."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        one = asked["messages"][0]["destinations"][0]
        status = {"groupId": 1, "groupName": "PENDING", "id": 26, "name": "PENDING_ACCEPTED"}
        body = json.dumps({"messages": [{**one, "destination": one["to"], "status": status}]}).encode()
        self.send_response_only(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        return


class _Sender:
    """Sends over one connection and keeps how long each answer took, in milliseconds."""

    def __init__(self, port: int, prefix: str, name: str) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=30)
        self._prefix = prefix
        self._name = name
        self._sent = 0
        self.took: list[float] = []

    def send(self, count: int) -> None:
        """Send that many messages, one after the other."""
        for _ in range(count):
            self._sent += 1
            to = {"to": f"4477009{self._sent:05d}", "messageId": f"{self._name}-{self._sent}"}
            message = {"sender": "Bench", "destinations": [to], "content": {"text": "A short message, as most are."}}
            body = json.dumps({"messages": [message]}).encode()
            headers = {"Content-Type": "application/json", "Authorization": "App bench", "User-Agent": "bench"}
            started = time.perf_counter()
            self._connection.request("POST", self._prefix + _PATH, body, headers)
            answer = self._connection.getresponse()
            answer.read()
            self.took.append((time.perf_counter() - started) * 1000)
            if answer.status != 200:
                raise SystemExit(f"{self._name}: answered {answer.status}")


def measure(count: int, postgresql: PostgreSQL | None) -> dict[str, float]:
    """Return the p50 and p99 of both ways, and what the pass-through adds, in milliseconds."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Trivial)
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        with tempfile.TemporaryDirectory(prefix="dlr-bench-") as folder, processes(Path(folder) / "logs") as started:
            port, key = _start(started, Path(folder) / "state", server.server_address[1], postgresql)
            direct = _Sender(server.server_address[1], "", "direct")
            through = _Sender(port, f"/proxy/{key}", "through")
            for sender in (direct, through):
                sender.send(_WARM_UP)
                sender.took.clear()
            while len(through.took) < count:
                direct.send(_TURN)
                through.send(_TURN)
    finally:
        server.shutdown()
        server.server_close()
    found: dict[str, float] = {}
    for name, sender in (("direct", direct), ("through", through)):
        marks = quantiles(sender.took, n=100)
        found |= {f"{name}_p50": marks[49], f"{name}_p99": marks[98]}
    return found | {
        "added_p50": found["through_p50"] - found["direct_p50"],
        "added_p99": found["through_p99"] - found["direct_p99"],
    }


def _start(started: Processes, folder: Path, upstream: int, postgresql: PostgreSQL | None) -> tuple[int, str]:
    folder.mkdir(mode=0o700)
    port, url = free_port(), "" if postgresql is None else postgresql.new_database("bench_proxy")
    environ = clean_environment() | {
        "DLR_STATE_DIR": str(folder),
        "DLR_PROXY_BIND": f"127.0.0.1:{port}",
        "DLR_INFOBIP_URL": f"http://127.0.0.1:{upstream}",
        "DLR_LOG_FORMAT": "json",
        **({"DLR_DATABASE_URL": url} if url else {}),
    }
    started.run("migrate", (sys.executable, "-m", "cli.supervisor.migrate"), environ)
    database = open_database(url or f"sqlite:///{folder / 'dlr.sqlite'}")
    with database.transaction() as connection:
        key = api_keys.make_first(connection, "main", datetime.now(UTC))
    database.close()
    started.start("proxy", (sys.executable, "-m", "webhook.proxy"), environ, is_ready=ready_at(port))
    return port, key


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(prog="python -m bench.proxy", description=__doc__)
    arguments.add_argument("--count", type=int, default=1000, help="sends each way")
    arguments.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    asked = arguments.parse_args()
    print(f"{'database':12}{'direct p50':>12}{'through p50':>13}{'added p50':>11}{'added p99':>11}   milliseconds")
    kinds = ("sqlite", "postgresql") if asked.database == "both" else (asked.database,)
    for kind in kinds:
        with tempfile.TemporaryDirectory(prefix="dlr-bench-") as folder, processes(Path(folder) / "logs") as started:
            server = start_postgresql(started, Path(folder) / "postgresql") if kind == "postgresql" else None
            found = measure(asked.count, server)
        print(
            f"{kind:12}{found['direct_p50']:12.2f}{found['through_p50']:13.2f}"
            f"{found['added_p50']:11.2f}{found['added_p99']:11.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()

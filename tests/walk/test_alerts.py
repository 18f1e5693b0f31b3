"""Out of credits: one notification and its end, through real processes; and a heartbeat while all of them work."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from store.schema import incidents
from tests.alerts.world import posted
from tests.relay.world import Target, serving
from tests.support.desk import report
from tests.support.stack import Stack, running, wait_for


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    with serving() as server:
        yield server


@pytest.fixture(scope="module")
def beats() -> Iterator[tuple[str, list[str]]]:
    called: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            called.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/b3at", called
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def stack(target: Target, beats: tuple[str, list[str]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("alerts")
    routes = folder / "routes.toml"
    routes.write_text(f'[team]\nurl = "json://127.0.0.1:{target.server_address[1]}/hook"\n')
    settings = {
        "DLR_ALERT_ROUTES": str(routes),
        "DLR_ALERT_QUIET": "10s",
        "DLR_HEARTBEAT_URL": beats[0],
        "DLR_SWEEP": "1s",
    }
    with running(folder, **settings) as running_stack:
        yield running_stack


def test_out_of_credits_is_one_notification_and_then_its_end(stack: Stack, target: Target) -> None:
    for part in range(4):
        stack.post_items(*[report(f"credit-{part}-{number}", 12) for number in range(25)])
    wait_for(lambda: target.seen, "the notification", 60)
    wait_for(
        lambda: sum(row._mapping["count"] for row in stack.rows(incidents)) == 100, "all reports to be counted", 30
    )
    wait_for(lambda: len(target.seen) >= 2, "its end", 60)
    opened, ended = posted(target)
    assert opened["title"].startswith("[critical] Messages fail because")
    assert ended["title"] == opened["title"].replace("[critical] ", "[critical] Resolved: ")
    assert opened["key"] == ended["key"]
    assert "447700900123" not in json.dumps([opened, ended])
    (incident,) = stack.rows(incidents)
    assert (incident.state, incident._mapping["count"]) == ("resolved", 100)


def test_the_heartbeat_is_called_while_every_part_works(stack: Stack, beats: tuple[str, list[str]]) -> None:
    wait_for(lambda: beats[1], "the heartbeat", 120)
    assert beats[1][0] == "/b3at"
    assert not [line for line in stack.lines if "b3at" in line]

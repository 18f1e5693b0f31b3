"""A failing report comes in, and the customer's own system learns of it by a signed event, through real processes."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from store.schema import outbox
from tests.support.desk import report
from tests.support.stack import Stack, running, wait_for

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8G"
Received = list[tuple[str, Any]]


@pytest.fixture(scope="module")
def system() -> Iterator[tuple[str, Received]]:
    """The customer's own system: it takes nothing that its library does not verify."""
    received: Received = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append((self.headers["webhook-id"], Webhook(SECRET).verify(body, dict(self.headers))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/events", received
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def stack(system: tuple[str, Received], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder: Path = tmp_path_factory.mktemp("forward")
    file = folder / "forward.toml"
    file.write_text(f'[crm]\nurl = "{system[0]}"\nsecret = "{SECRET}"\nevents = ["*"]\nprivate = true\n')
    policy = folder / "policy.toml"
    policy.write_text('version = 1\n[modes]\nsuppress = "act"\n')
    settings = {"DLR_FORWARD": str(file), "DLR_POLICY": str(policy), "DLR_SWEEP": "1s"}
    with running(folder, **settings) as running_stack:
        yield running_stack


def test_a_failing_report_reaches_the_customers_system(stack: Stack, system: tuple[str, Received]) -> None:
    received = system[1]
    stack.post_items(report("order-7", status=9, error=1))
    wanted = {"message.failed", "suppression.added"}
    wait_for(lambda: wanted <= {event["type"] for _, event in received}, "the events", 40)
    by_type = {event["type"]: event["data"] for _, event in received}
    assert by_type["message.failed"]["messageId"] == "order-7"
    assert by_type["message.failed"]["cause"] == "recipient_unknown"
    assert by_type["suppression.added"]["state"] == "active"
    assert {data["to"] for data in (by_type[name] for name in wanted)} == {"…23"}
    wait_for(lambda: {row.state for row in stack.rows(outbox)} == {"done"}, "the outbox to be done", 40)
    numbers = [number for number, _ in received]
    assert len(numbers) == len(set(numbers))

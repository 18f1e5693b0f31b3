"""A callback reaches the present handler byte for byte, through real processes."""

import gzip
import hashlib
import hmac
import json
import threading
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from store.schema import outbox
from tests.support.desk import report
from tests.support.stack import Stack, running, wait_for

Received = list[tuple[dict[str, str], bytes]]


@pytest.fixture(scope="module")
def handler() -> Iterator[tuple[str, Received]]:
    received: Received = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/present", received
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def stack(handler: tuple[str, Received], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    settings = {"DLR_RELAY_URL": handler[0], "DLR_RELAY_PRIVATE": "true", "DLR_SWEEP": "1s"}
    with running(tmp_path_factory.mktemp("relay"), **settings) as running_stack:
        yield running_stack


def post(stack: Stack, body: bytes, **headers: str) -> None:
    url = f"http://127.0.0.1:{stack.port}/webhook/sms/{stack.token}"
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url, body, {"Content-Type": "application/json", **named})
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 200


@pytest.mark.parametrize("packed", [False, True])
def test_the_present_handler_can_still_check_the_signature(
    stack: Stack, handler: tuple[str, Received], packed: bool
) -> None:
    received = handler[1]
    received.clear()
    body = json.dumps({"results": [report(f"relayed-{packed}")]}, indent=3).encode()
    sent = gzip.compress(body) if packed else body
    signature = "sha256=" + hmac.new(b"their secret", sent, hashlib.sha256).hexdigest()
    encoding = {"Content_Encoding": "gzip"} if packed else {}
    post(stack, sent, x_hub_signature=signature, **encoding)
    wait_for(lambda: received, "the callback at the present handler", 20)
    headers, got = received[0]
    assert got == sent
    assert headers["x-hub-signature"] == "sha256=" + hmac.new(b"their secret", got, hashlib.sha256).hexdigest()
    assert headers.get("content-encoding", "") == ("gzip" if packed else "")
    wait_for(lambda: {row.state for row in stack.rows(outbox)} == {"done"}, "the outbox to be done", 20)

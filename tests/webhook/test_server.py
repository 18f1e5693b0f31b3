"""The endpoint as it really runs: gunicorn's processes, sockets, locks and signals."""

import gzip
import hashlib
import hmac
import json
import signal
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from store.sqlite import received_file
from tests.webhook.world import TOKEN, Broker, Endpoint, World, body_of, wait_for

Start = Callable[..., Endpoint]


def in_pieces(body: bytes, size: int = 1000) -> Iterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


def test_chunked_plain_and_packed_bodies_are_kept(world: World, endpoint: Start) -> None:
    web = endpoint()
    body = body_of() + b" " * 100_000
    assert web.post(body).status_code == 200
    assert web.post(in_pieces(body)).status_code == 200
    assert web.post(gzip.compress(body), headers={"Content-Encoding": "gzip"}).status_code == 200
    assert web.post(in_pieces(gzip.compress(body), 20), headers={"Content-Encoding": "gzip"}).status_code == 200
    assert [world.body(row) for row in world.kept()] == [body] * 4


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_beyond_the_limit_is_refused_while_it_is_read(world: World, endpoint: Start, announced: bool) -> None:
    web = endpoint(DLR_MAX_BODY_MB="1")
    body = b" " * (3 << 20)
    answer = web.post(body if announced else in_pieces(body, 1 << 16))
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")
    [incident] = world.noted()
    assert "maxBucketSize" in incident.next_step
    assert world.kept() == []


def test_a_gzip_bomb_is_refused_in_little_memory(world: World, endpoint: Start) -> None:
    web = endpoint(DLR_MAX_BODY_MB="1")
    bomb = gzip.compress(b" " * (200 << 20))
    web.post(body_of())
    before = peak_memory(web)
    started = time.monotonic()
    assert web.post(bomb, headers={"Content-Encoding": "gzip"}).status_code == 413
    assert time.monotonic() - started < 2
    assert peak_memory(web) - before < 30_000


def peak_memory(web: Endpoint) -> int:
    """Return the most memory that any of the processes ever had, in KiB."""
    children = Path(f"/proc/{web.popen.pid}/task/{web.popen.pid}/children").read_text().split()
    found = [Path(f"/proc/{pid}/status").read_text().partition("VmHWM:")[2].split()[0] for pid in children]
    return max(map(int, found))


def test_the_signature_is_over_the_bytes_as_they_were_sent(world: World, endpoint: Start) -> None:
    web = endpoint(DLR_HMAC_SECRET="k", DLR_AUTH="hmac")
    plain = b'{ "results" :\n [ ] }'
    for body in (plain, gzip.compress(plain)):
        signature = {"x-hub-signature": "sha256=" + hmac.new(b"k", body, hashlib.sha256).hexdigest()}
        assert web.post(body, "/webhook/sms", headers=signature).status_code == 200
        assert web.post(in_pieces(body, 7), "/webhook/sms", headers=signature).status_code == 200
        assert web.post(body + b" ", "/webhook/sms", headers=signature).status_code == 403
    assert len(world.kept()) == 4


def test_a_locked_database_is_answered_with_503_and_nothing_is_half_written(
    world: World, endpoint: Start, tmp_path: Path
) -> None:
    web = endpoint()
    assert web.post(body_of()).status_code == 200
    other = sqlite3.connect(received_file(str(tmp_path / "dlr.sqlite")), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    started = time.monotonic()
    answer = web.post(body_of("bad item"))
    took = time.monotonic() - started
    other.execute("ROLLBACK")
    other.close()
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "not_kept")
    assert answer.headers["Retry-After"]
    assert 1.5 < took < 3
    assert (len(world.kept()), len(world.quarantined())) == (1, 0)
    assert web.post(body_of()).status_code == 200


@pytest.mark.parametrize("how", ["there", "frozen", "absent"])
def test_the_broker_never_delays_an_answer(world: World, endpoint: Start, broker: Broker, how: str) -> None:
    web = endpoint(DLR_REDIS_URL=broker.url)
    web.post(body_of())
    wait_for(lambda: broker.waiting() == 1)
    if how == "frozen":
        broker.freeze()
    elif how == "absent":
        broker.stop()
    for _ in range(10):
        started = time.monotonic()
        assert web.post(body_of()).status_code == 200
        assert time.monotonic() - started < 1
    assert len(world.kept()) == 11


def test_sigterm_lets_a_running_request_finish(world: World, endpoint: Start, tmp_path: Path) -> None:
    web = endpoint()
    other = sqlite3.connect(received_file(str(tmp_path / "dlr.sqlite")), isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    answers: list[requests.Response] = []
    posting = threading.Thread(target=lambda: answers.append(web.post(body_of())))
    posting.start()
    time.sleep(0.5)
    web.popen.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    other.execute("ROLLBACK")
    other.close()
    posting.join()
    assert answers[0].status_code == 200
    assert web.popen.wait(10) == 0
    assert len(world.kept()) == 1


def raw(web: Endpoint, *pieces: bytes, pause: float = 0.0) -> bytes:
    with socket.create_connection(("127.0.0.1", web.port), timeout=40) as link:
        for piece in pieces:
            link.sendall(piece)
            time.sleep(pause)
        link.shutdown(socket.SHUT_WR)
        found = b""
        while part := link.recv(65536):
            found += part
    return found


def test_a_body_that_ends_too_early_is_not_kept(world: World, endpoint: Start) -> None:
    web = endpoint()
    head = f"POST /webhook/sms/{TOKEN} HTTP/1.1\r\nHost: x\r\n".encode()
    for rest in (b"Content-Length: 100\r\n\r\n{", b"Transfer-Encoding: chunked\r\n\r\n5\r\n{"):
        assert b" 408 " in raw(web, head + rest).partition(b"\r\n")[0]
    assert world.kept() == []


def test_slow_clients_do_not_hold_the_endpoint(world: World, endpoint: Start) -> None:
    quickly = "from webhook import serve, worker; worker.ARRIVES_WITHIN = 2; serve.main()"
    web = endpoint("-c", quickly, DLR_WEB_THREADS="2")
    begun = f"POST /webhook/sms/{TOKEN} HTTP/1.1\r\nHost: x\r\n".encode()
    links = [socket.create_connection(("127.0.0.1", web.port)) for _ in range(2)]
    for link, start in zip(links, (begun, begun + b"Content-Length: 9\r\n\r\n{"), strict=True):
        link.sendall(start)
    time.sleep(0.5)
    started = time.monotonic()
    assert web.post(body_of(), timeout=40).status_code == 200
    assert 1 < time.monotonic() - started < 6
    for link in links:
        link.close()


def test_no_log_holds_a_token_a_query_or_a_number(world: World, endpoint: Start) -> None:
    web = endpoint()
    web.post(body_of())
    web.post(b"", f"/webhook?token={TOKEN}")
    web.post(body_of(), f"/webhook/{TOKEN}")
    web.post(body_of(), f"/webhook/sms/{TOKEN}x")
    requests.get(f"{web.url}/no/{TOKEN}", timeout=5)
    raw(web, f"POST /webhook/sms/{TOKEN} HTTP/9.9\r\n\r\n".encode())
    raw(web, f"POST  /webhook/sms/{TOKEN} HTTP/1.1\r\n\r\n".encode())
    raw(web, f"POST /webhook/sms/{TOKEN}{'x' * 9000} HTTP/1.1\r\n\r\n".encode())
    raw(web, f"POST /webhook HTTP/1.1\r\nAuthorization {TOKEN}\r\n\r\n".encode())
    raw(web, f"POST /webhook HTTP/1.1\r\nX-Secret : {TOKEN}\r\n\r\n".encode())
    web.stop()
    assert TOKEN not in web.text()
    assert "385910000001" not in web.text()


def test_one_line_tells_about_one_request(world: World, endpoint: Start) -> None:
    web = endpoint()
    number = web.post(body_of()).json()["callback_id"]
    wait_for(lambda: number in web.text())
    [line] = [json.loads(line) for line in web.text().splitlines() if number in line]
    wanted: dict[str, Any] = {"event": "request", "method": "POST", "route": "receive", "channel": "sms", "status": 200}
    assert wanted.items() <= line.items()
    assert line["ms"] > 0
    assert (line["received"], line["quarantined"]) == (1, 0)


def test_settings_that_make_no_sense_are_one_message(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="DLR_AUTH: there is no check 'tokn'"):
        Endpoint(tmp_path, DLR_AUTH="tokn")


def test_a_foreign_key_file_stops_the_start(world: World, tmp_path: Path) -> None:
    (tmp_path / "keys.json").unlink()
    with pytest.raises(AssertionError, match="restore it from the backup"):
        Endpoint(tmp_path)


@pytest.fixture(scope="module")
def one_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """One endpoint for all tests that leave nothing behind in it."""
    folder = tmp_path_factory.mktemp("endpoint")
    World(folder).close()
    web = Endpoint(folder)
    yield web
    web.stop()


HEAD = f"POST /webhook/sms/{TOKEN} HTTP/1.1\r\nHost: x\r\n".encode()


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (b"HELLO\r\n\r\n", 400, "bad_request"),
        (b"POST  /webhook HTTP/1.1\r\n\r\n", 400, "bad_request"),
        (b"POST /webhook HTTP/9.9\r\n\r\n", 400, "bad_request"),
        (HEAD + b"No colon\r\n\r\n", 400, "bad_request"),
        (HEAD + b"Content-Length: many\r\n\r\n", 400, "bad_request"),
        (HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400, "bad_request"),
        (b"POST /webhook/sms/" + b"x" * 300_000 + b" HTTP/1.1\r\n\r\n", 414, "url_too_long"),
        (HEAD + b"X: y\r\n" * 200 + b"\r\n", 431, "headers_too_large"),
        (HEAD + b"X: " + b"y" * 300_000 + b"\r\n\r\n", 431, "headers_too_large"),
        (HEAD + b"Expect: miracles\r\nContent-Length: 2\r\n\r\n{}", 417, "unmet_expectation"),
        (HEAD + b"Transfer-Encoding: origami\r\n\r\n", 501, "unknown_transfer_coding"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n", 408, "incomplete_body"),
    ],
)
def test_what_never_reaches_the_application_is_refused_in_the_same_form(
    one_endpoint: Endpoint, sent: bytes, status: int, code: str
) -> None:
    head, _, body = raw(one_endpoint, sent).partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"application/json" in head
    error = json.loads(body)["error"]
    assert error["code"] == code
    assert error["message"]
    assert error["next_step"]
    assert TOKEN not in body.decode()

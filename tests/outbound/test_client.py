"""What became of a message, whatever happens to the connection. The server is real and does each of these things."""

import gzip
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from config.secrets import Secret
from infobip.outbound import ENDPOINTS, CannotResend
from infobip.outbound.client import Client
from infobip.outbound.credentials import AppKey
from infobip.outbound.results import Exchanged, NotSent, Refused, Result, Sent, Unknown
from infobip.outbound.transport import Patience, Transport
from tests.outbound.bodies import ANNA
from tests.outbound.certificates import server_tls
from tests.outbound.wire_server import Deed, Visit, WireServer, answer, close, drip, hang, last_words, wire_server

SMS = ENDPOINTS["sms-3"]
BODY = json.dumps(
    {"messages": [{"destinations": [{"to": ANNA, "messageId": "m-1"}], "content": {"text": "Hi"}}]}
).encode()
KEY = "s3cr3t-k3y"
HASTE = Patience(connect=0.4, answer=0.4, total=1.0)
ACCEPTED = {"groupId": 1, "groupName": "PENDING", "id": 26, "name": "PENDING_ACCEPTED"}


@pytest.fixture(scope="module")
def transport() -> Iterator[Transport]:
    made = Transport(HASTE, largest_answer=100_000)
    yield made
    made.close()


@pytest.fixture
def client(server: WireServer, transport: Transport) -> Client:
    return Client(server.url, AppKey(Secret(KEY)), transport)


def send(client: Client) -> Result:
    result = client.send(SMS, "/sms/3/messages", BODY, message_id="m-1")
    assert ANNA not in repr(result)
    assert KEY not in repr(result)
    return result


def entry(message_id: str = "m-1", status: Any = ACCEPTED) -> bytes:
    listed = [{"messageId": message_id, "status": status, "destination": ANNA}]
    return json.dumps({"bulkId": "b-1", "messages": listed}).encode()


def rejected(number: int, name: str) -> bytes:
    return entry(status={"groupId": 5, "groupName": "REJECTED", "id": number, "name": name})


def test_an_accepted_message_is_sent(server: WireServer, client: Client) -> None:
    server.always = answer(200, entry())
    result = send(client)
    assert isinstance(result, Sent)
    assert (result.message_id, result.bulk_id, result.already) == ("m-1", "b-1", False)
    [visit] = server.visits
    assert visit.line == "POST /sms/3/messages HTTP/1.1"
    assert visit.header("Authorization") == f"App {KEY}"
    assert visit.header("Content-Type") == "application/json"
    assert visit.header("Accept-Encoding") == "identity"
    assert visit.body == BODY


def test_a_flat_answer_is_understood(server: WireServer, client: Client) -> None:
    server.always = answer(200, json.dumps({"to": ANNA, "messageId": "m-1", "status": ACCEPTED}).encode())
    endpoint = ENDPOINTS["whatsapp"]
    assert isinstance(client.send(endpoint, "/whatsapp/1/message/text", BODY, message_id="m-1"), Sent)


def test_a_message_that_is_rejected_within_a_200_is_refused(server: WireServer, client: Client) -> None:
    server.always = answer(200, rejected(12, "REJECTED_NOT_ENOUGH_CREDITS"))
    result = send(client)
    assert isinstance(result, Refused)
    assert result.code == "REJECTED_NOT_ENOUGH_CREDITS"
    assert result.status is not None
    assert result.status.id == 12
    assert "top it up" in result.next_step


def test_our_own_id_that_is_taken_means_that_it_was_sent_before(server: WireServer, client: Client) -> None:
    server.always = answer(200, rejected(23, "REJECTED_DUPLICATE_MESSAGE_ID"))
    result = send(client)
    assert isinstance(result, Sent)
    assert result.already
    assert result.message_id == "m-1"


def test_an_id_that_we_did_not_set_being_taken_is_a_refusal(server: WireServer, client: Client) -> None:
    server.always = answer(200, rejected(23, "REJECTED_DUPLICATE_MESSAGE_ID"))
    assert isinstance(client.send(SMS, "/sms/3/messages", BODY, message_id=""), Refused)


NEW = {"errorCode": "E403", "description": "Not yours.", "violations": [{"property": "to", "violation": f"bad {ANNA}"}]}
LEGACY = {
    "serviceException": {"messageId": "BAD_REQUEST", "text": "Bad", "validationErrors": {"content.text": ["long"]}}
}


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 422])
@pytest.mark.parametrize(
    ("body", "code", "text"),
    [
        (json.dumps(NEW).encode(), "E403", "Not yours.: to bad …01"),
        (json.dumps({"requestError": LEGACY}).encode(), "BAD_REQUEST", "Bad: content.text long"),
        (b'{"errorCode": 48013, "errorMessage": "No such thing"}', "48013", "No such thing"),
        (b'{"status": 400, "title": "Odd", "type": "about:blank", "errors": []}', "400", "Odd"),
        (b"<html>nginx</html>", "", "no reason is given"),
        (b"", "", "no reason is given"),
        (b'["odd"]', "", "no reason is given"),
        (b'{"requestError": 7, "errorCode": [], "violations": "x"}', "", "no reason is given"),
    ],
)
def test_a_refused_request_says_why_and_what_next(
    server: WireServer, client: Client, status: int, body: bytes, code: str, text: str
) -> None:
    server.always = answer(status, body)
    result = send(client)
    assert isinstance(result, Refused)
    assert (result.code, result.text, result.http) == (code or f"HTTP {status}", text, status)
    assert result.next_step
    assert len(server.visits) == 1


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        (["Retry-After: 7"], timedelta(seconds=7)),
        (["Retry-After: Thu, 01 Jan 2026 00:00:00 GMT"], timedelta()),
        (["Retry-After: 99999999999999999999"], timedelta(days=1)),
        (["Retry-After: soon"], None),
        ([], None),
    ],
)
def test_too_many_requests_are_not_sent(
    server: WireServer, client: Client, header: list[str], wait: timedelta | None
) -> None:
    server.always = answer(429, b'{"errorCode": "E429"}', *header)
    result = send(client)
    assert isinstance(result, NotSent)
    assert result.throttled
    assert result.retry_after == wait


def test_a_redirect_is_refused_and_not_followed(server: WireServer, client: Client) -> None:
    with wire_server() as other:
        server.always = answer(307, b"", f"Location: {other.url}/sms/3/messages")
        assert isinstance(send(client), Refused)
        assert other.visits == []


UNKNOWNS: dict[str, Deed] = {
    "reset after the request": Visit.reset,
    "closed without an answer": close,
    "no answer": hang,
    "half a status line": last_words(b"HTTP/1.1 2"),
    "not HTTP": last_words(b"hello\r\n\r\n"),
    "headers without end": drip(b"HTTP/1.1 200 OK\r\n", b"X-More: 1\r\n"),
    "a header that drips": drip(b"HTTP/1.1 200 OK\r\nX-", b"a"),
    "a body that drips": drip(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n", b" "),
    "a body that is cut": last_words(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{}"),
    "a body that hangs": drip(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{"),
    "a body that says that it is packed": answer(200, b"{}", "Content-Encoding: gzip"),
    "500": answer(500, b'{"errorCode": "E500"}'),
    "502": answer(502, b""),
    "503 with Retry-After": answer(503, b"", "Retry-After: 1"),
    "408": answer(408, b""),
    "499": answer(499, b""),
    "600": answer(600, b""),
    "200 without a body": answer(200, b""),
    "204": answer(204, b""),
    "200 with half a body": answer(200, entry()[:40]),
    "200 with another shape": answer(200, b'{"results": []}'),
    "200 without entries": answer(200, b'{"messages": []}'),
    "200 without a status": answer(200, b'{"messages": [{"messageId": "m-1"}]}'),
    "200 with an unheard-of group": answer(200, entry(status={"groupId": 77, "groupName": "MAYBE", "id": 7777})),
    "200 with a status that says perhaps": answer(
        200, entry(status={"groupId": 4, "id": 29, "name": "EXPIRED_DLR_UNKNOWN"})
    ),
}


@pytest.mark.parametrize("deed", UNKNOWNS.values(), ids=UNKNOWNS.keys())
def test_what_may_have_been_accepted_is_unknown_and_never_posted_twice(
    server: WireServer, client: Client, deed: Deed
) -> None:
    server.always = deed
    result = send(client)
    assert isinstance(result, Unknown), result
    assert result.reason
    assert "127.0.0.1" not in result.reason
    assert len(server.visits) == 1


@pytest.mark.parametrize("packed", [False, True])
def test_no_more_is_read_of_an_answer_than_infobip_ever_sends(server: WireServer, client: Client, packed: bool) -> None:
    large = entry() + b" " * 200_000
    server.always = answer(200, gzip.compress(large), "Content-Encoding: gzip") if packed else answer(200, large)
    result = send(client)
    assert isinstance(result, Unknown)
    assert "larger" in result.reason


def test_a_packed_answer_is_unpacked(server: WireServer, client: Client) -> None:
    server.always = answer(200, gzip.compress(entry()), "Content-Encoding: gzip")
    assert isinstance(send(client), Sent)


@contextmanager
def taking_a_little(reply: bytes) -> Iterator[int]:
    """Run a server that reads some bytes, writes `reply`, and reads no more; yields its port."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(10)
                connection.sendall(reply)
                over.wait(30)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        over.set()
        thread.join(5)


def test_a_request_of_which_only_a_part_left_is_unknown(transport: Transport) -> None:
    with taking_a_little(b"") as port:
        client = Client(f"http://127.0.0.1:{port}", AppKey(Secret(KEY)), transport)
        result = client.send(SMS, "/sms/3/messages", b" " * 30_000_000, message_id="m-1")
    assert isinstance(result, Unknown)


def not_sent(base: str, transport: Transport) -> NotSent:
    result = send(Client(base, AppKey(Secret(KEY)), transport, {"no-such-host.invalid"}))
    assert isinstance(result, NotSent)
    assert not result.throttled
    assert result.next_step
    return result


def test_a_refused_connection_sent_nothing(transport: Transport) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    assert not_sent(f"http://127.0.0.1:{port}", transport).reason == "the connection is refused"


def test_a_host_that_is_not_found_got_nothing(transport: Transport) -> None:
    assert not_sent("https://no-such-host.invalid", transport).reason == "the host's name is not found"


def test_a_certificate_that_is_not_trusted_got_nothing(transport: Transport, tmp_path: Path) -> None:
    with wire_server(server_tls(tmp_path)) as server:
        assert not_sent(server.url, transport).reason == "the certificate is not accepted"
        assert server.visits == []


def test_a_server_that_speaks_no_tls_got_nothing(transport: Transport) -> None:
    with taking_a_little(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        assert not_sent(f"https://127.0.0.1:{port}", transport).reason == "no secure connection"


def test_a_server_that_never_accepts_got_nothing(transport: Transport) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        assert not_sent(f"http://127.0.0.1:{port}", transport).reason == "it took too long"
        for one in waiting:
            one.close()


def test_a_tls_handshake_that_hangs_got_nothing(transport: Transport) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert not_sent(f"https://127.0.0.1:{listener.getsockname()[1]}", transport).reason == "it took too long"


def test_tls_to_a_trusted_server_works(tmp_path: Path) -> None:
    with wire_server(server_tls(tmp_path)) as server:
        server.always = answer(200, entry())
        trusting = Transport(HASTE, ca=str(tmp_path / "certificate.pem"))
        assert isinstance(send(Client(server.url, AppKey(Secret(KEY)), trusting)), Sent)
        trusting.close()


def test_a_tls_answer_that_drips_ends_in_time(tmp_path: Path) -> None:
    with wire_server(server_tls(tmp_path)) as server:
        server.always = UNKNOWNS["a body that drips"]
        trusting = Transport(HASTE, ca=str(tmp_path / "certificate.pem"))
        assert isinstance(send(Client(server.url, AppKey(Secret(KEY)), trusting)), Unknown)
        trusting.close()


def test_connections_are_used_again(server: WireServer, client: Client) -> None:
    server.always = answer(200, entry())
    assert all(isinstance(send(client), Sent) for _ in range(3))
    assert (server.connections, len(server.visits)) == (1, 3)


def test_a_connection_that_was_idle_for_long_is_not_trusted(server: WireServer) -> None:
    server.always = answer(200, entry())
    distrustful = Transport(Patience(connect=0.5, answer=0.5, total=2, idle=0))
    client = Client(server.url, AppKey(Secret(KEY)), distrustful)
    assert all(isinstance(send(client), Sent) for _ in range(2))
    assert server.connections == 2
    distrustful.close()


def test_a_connection_that_infobip_has_ended_meanwhile_loses_nothing(server: WireServer, client: Client) -> None:
    ended = threading.Event()

    def answer_and_end(visit: Visit) -> None:
        answer(200, entry())(visit)
        close(visit)
        ended.set()

    server.always = answer_and_end
    for _ in range(2):
        assert isinstance(send(client), Sent)
        assert ended.wait(5)
        ended.clear()


def test_an_answer_that_ends_with_its_connection_is_read_whole(server: WireServer, client: Client) -> None:
    server.always = last_words(b"HTTP/1.0 200 OK\r\n\r\n" + entry())
    assert isinstance(send(client), Sent)


def test_no_cookie_is_kept(server: WireServer, client: Client) -> None:
    server.always = answer(200, entry(), "Set-Cookie: who=us; Path=/")
    send(client)
    send(client)
    assert server.visits[1].header("Cookie") == ""


def test_no_proxy_of_the_environment_is_asked(
    server: WireServer, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    with wire_server() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        server.always = answer(200, entry())
        assert isinstance(send(client), Sent)
        assert proxy.visits == []


def test_a_request_is_forwarded_with_its_own_credential(server: WireServer, client: Client) -> None:
    server.always = answer(202, b'{"x": 1}', "X-Request-Id: r-1", "Connection: keep-alive")
    found = client.forward("PUT", "/x?y=1", {"Authorization": "Basic eA==", "Accept-Encoding": "br"}, b"body")
    assert isinstance(found, Exchanged)
    assert (found.http, found.body, found.header("x-request-id")) == (202, b'{"x": 1}', "r-1")
    assert found.header("Connection") == ""
    [visit] = server.visits
    assert (visit.line, visit.body) == ("PUT /x?y=1 HTTP/1.1", b"body")
    assert (visit.header("Authorization"), visit.header("Accept-Encoding")) == ("Basic eA==", "identity")


def test_a_path_of_another_endpoint_is_not_posted_to(server: WireServer, client: Client) -> None:
    with pytest.raises(CannotResend):
        client.send(SMS, "/viber/2/messages", BODY, message_id="m-1")
    assert server.visits == []


def test_an_account_without_a_usable_key_asks_nobody(server: WireServer, transport: Transport) -> None:
    for key in ("", "schlüssel"):
        result = Client(server.url, AppKey(Secret(key)), transport).send(SMS, "/sms/3/messages", BODY, message_id="m")
        assert isinstance(result, Refused)
    assert server.visits == []

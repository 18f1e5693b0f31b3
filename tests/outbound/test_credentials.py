"""How requests are authorised, and that nothing secret shows."""

import json
import time
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from config.secrets import Secret
from infobip.outbound.client import Client
from infobip.outbound.credentials import AppKey, Basic, Credential, OAuth2, mark
from infobip.outbound.endpoints import ENDPOINTS
from infobip.outbound.results import Exchange, Exchanged, NotSent, Refused, Unknown
from infobip.outbound.transport import Patience, Transport
from tests.outbound.wire_server import Visit, WireServer, answer, wire_server

PASSWORD = "pa55-w0rd"


@pytest.fixture(scope="module")
def transport() -> Iterator[Transport]:
    made = Transport(Patience(0.5, 0.5, 2))
    yield made
    made.close()


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def token(text: str, life: int = 3600) -> bytes:
    return json.dumps({"access_token": text, "expires_in": life, "token_type": "Bearer"}).encode()


def ask(server: WireServer, credential: Credential, transport: Transport) -> Exchange | Refused:
    return Client(server.url, credential, transport).ask("GET", "/sms/3/logs")


def asked(server: WireServer) -> list[str]:
    """Return what came, in order: the path of a request for a token, the credential of any other."""
    return [visit.header("Authorization") or visit.line.split()[1] for visit in server.visits]


def test_a_basic_credential_is_user_and_password(server: WireServer, transport: Transport) -> None:
    assert isinstance(ask(server, Basic("fernhill", Secret(PASSWORD)), transport), Exchanged)
    scheme, _, value = server.visits[0].header("Authorization").partition(" ")
    assert (scheme, b64decode(value)) == ("Basic", f"fernhill:{PASSWORD}".encode())


def test_a_token_is_asked_for_once_and_used_until_shortly_before_its_end(
    server: WireServer, transport: Transport
) -> None:
    clock = Clock()
    oauth = OAuth2("client-4", Secret(PASSWORD), clock)
    server.deeds = [answer(200, token("t-1")), answer(200, b"{}"), answer(200, b"{}"), answer(200, token("t-2"))]
    ask(server, oauth, transport)
    clock.now += 3600 - 61
    ask(server, oauth, transport)
    clock.now += 2
    ask(server, oauth, transport)
    path = "/auth/1/oauth2/token"
    assert asked(server) == [path, "Bearer t-1", "Bearer t-1", path, "Bearer t-2"]
    form = parse_qs(server.visits[0].body.decode())
    assert form == {"client_id": ["client-4"], "client_secret": [PASSWORD], "grant_type": ["client_credentials"]}
    assert server.visits[0].header("Content-Type") == "application/x-www-form-urlencoded"


def test_a_token_that_is_refused_is_asked_for_anew_once(server: WireServer, transport: Transport) -> None:
    oauth = OAuth2("client-4", Secret(PASSWORD))
    no = answer(401, b"{}")
    server.deeds = [answer(200, token("t-1")), no, answer(200, token("t-2")), no]
    found = ask(server, oauth, transport)
    assert isinstance(found, Exchanged)
    assert found.http == 401
    path = "/auth/1/oauth2/token"
    assert asked(server) == [path, "Bearer t-1", path, "Bearer t-2"]


def test_a_refused_key_is_tried_again_only_when_it_was_replaced(
    server: WireServer, transport: Transport, tmp_path: Path
) -> None:
    file = tmp_path / "key"
    file.write_text("old-key")
    key = AppKey(Secret(path=file))

    def replace(visit: Visit) -> None:
        file.write_text("a-newer-key")
        answer(401, b"{}")(visit)

    server.deeds = [answer(401, b"{}")]
    ask(server, key, transport)
    assert asked(server) == ["App old-key"]
    server.deeds = [replace]
    assert isinstance(ask(server, key, transport), Exchanged)
    assert asked(server) == ["App old-key", "App old-key", "App a-newer-key"]


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", token("two words"), token("br\u00f6ken"), token("")])
def test_an_answer_without_a_token_means_that_nothing_was_sent(
    server: WireServer, transport: Transport, body: bytes
) -> None:
    server.always = answer(200, body)
    assert isinstance(ask(server, OAuth2("client-4", Secret(PASSWORD)), transport), NotSent)
    assert len(server.visits) == 1


def test_trouble_with_the_token_is_not_taken_for_trouble_with_the_message(
    server: WireServer, transport: Transport
) -> None:
    server.always = answer(503, b"")
    assert isinstance(ask(server, OAuth2("client-4", Secret(PASSWORD)), transport), NotSent)
    server.always = Visit.reset
    assert isinstance(ask(server, OAuth2("client-4", Secret(PASSWORD)), transport), NotSent)
    server.always = answer(429, b"")
    assert isinstance(ask(server, OAuth2("client-4", Secret(PASSWORD)), transport), NotSent)


@pytest.mark.parametrize("first", ["slow", "refused"])
def test_a_token_that_comes_too_late_lets_nothing_leave(server: WireServer, transport: Transport, first: str) -> None:
    def slow(visit: Visit) -> None:
        time.sleep(0.3)
        answer(200, token("t-2"))(visit)

    before = [answer(200, token("t-1")), answer(401, b"{}")] if first == "refused" else []
    server.deeds = [*before, slow]
    client = Client(server.url, OAuth2("client-4", Secret(PASSWORD)), transport)
    sms = ENDPOINTS["sms-3"]
    found = client.send(sms, "/sms/3/messages", b"{}", message_id="m-1", latest=time.monotonic() + 0.2)
    assert isinstance(found, NotSent)
    assert [visit.line.split()[1] for visit in server.visits][len(before) :] == ["/auth/1/oauth2/token"]


def test_a_refused_client_is_told(server: WireServer, transport: Transport) -> None:
    server.always = answer(401, b'{"requestError": {"serviceException": {"messageId": "UNAUTHORIZED", "text": "No"}}}')
    found = ask(server, OAuth2("client-4", Secret(PASSWORD)), transport)
    assert isinstance(found, Refused)
    assert found.code == "UNAUTHORIZED"
    assert "client" in found.next_step


def test_no_secret_shows(server: WireServer, transport: Transport) -> None:
    server.always = answer(200, token("t-secret"))
    oauth = OAuth2("client-4", Secret(PASSWORD))
    ask(server, oauth, transport)
    for shown in (oauth, AppKey(Secret(PASSWORD)), Basic("fernhill", Secret(PASSWORD))):
        assert PASSWORD not in repr(shown) + repr(vars(shown))
        assert "t-secret" not in repr(shown)
    assert PASSWORD not in repr(Client(server.url, AppKey(Secret(PASSWORD)), transport))


def test_a_dead_server_gives_no_token(transport: Transport) -> None:
    with wire_server() as server:
        url = server.url
    found = Client(url, OAuth2("client-4", Secret(PASSWORD)), transport).ask("GET", "/sms/3/logs")
    assert isinstance(found, NotSent)
    assert not isinstance(found, Unknown)


def test_a_mark_tells_credentials_apart_and_nothing_else() -> None:
    key = b"k" * 32
    assert mark("App abc", key) == mark("  app   abc ", key)
    assert len({mark("App abc", key), mark("App abd", key), mark("Basic abc", key), mark("App abc", b"other")}) == 4
    assert b"abc" not in mark("App abc", key)
    assert len(mark("", key)) == 32
    assert mark("App \udcff", key)

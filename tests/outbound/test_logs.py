"""What Infobip's logs prove."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from config.secrets import Secret
from infobip.outbound import ENDPOINTS, logs
from infobip.outbound.client import Client
from infobip.outbound.credentials import AppKey
from infobip.outbound.logs import Found, NotThere, Unreadable
from infobip.outbound.transport import Patience, Transport
from tests.outbound.bodies import ANNA
from tests.outbound.wire_server import Visit, WireServer, answer

SMS = ENDPOINTS["sms-3"]
AT = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def transport() -> Iterator[Transport]:
    made = Transport(Patience(0.5, 0.5, 2))
    yield made
    made.close()


@pytest.fixture
def client(server: WireServer, transport: Transport) -> Client:
    return Client(server.url, AppKey(Secret("key")), transport)


def log(message_id: str, minute: int = 30, **members: Any) -> dict[str, Any]:
    return {
        "messageId": message_id,
        "destination": ANNA,
        "sentAt": f"2026-11-24T10:{minute:02}:00.000+0100",
        "doneAt": f"2026-11-24T10:{minute:02}:04.500+0100",
        "content": {"text": "At the gate."},
        "status": {"groupId": 3, "groupName": "DELIVERED", "id": 5, "name": "DELIVERED_TO_HANDSET"},
        "error": {"groupId": 0, "groupName": "OK", "id": 0, "name": "NO_ERROR", "permanent": False},
        **members,
    }


def listed(*entries: Any) -> Any:
    return answer(200, json.dumps({"results": entries}).encode())


def query(visit: Visit) -> dict[str, list[str]]:
    return parse_qs(urlsplit(visit.line.split()[1]).query)


def test_a_message_that_is_there_is_found_with_its_state(server: WireServer, client: Client) -> None:
    server.always = listed(log("m-1"))
    found = logs.find(client, SMS, "m-1")
    assert isinstance(found, Found)
    assert found.status is not None
    assert found.error is not None
    assert (found.message_id, found.status.id, found.error.id) == ("m-1", 5, 0)
    assert (found.sent_at, found.done_at) == (AT, AT + timedelta(seconds=4.5))
    assert "gate" not in repr(found)
    assert ANNA not in repr(found)
    [visit] = server.visits
    assert visit.line.startswith("GET /sms/3/logs?")
    assert query(visit)["messageId"] == ["m-1"]


def test_only_the_very_same_id_counts(server: WireServer, client: Client) -> None:
    server.always = listed(log("m-10"), log("M-1"))
    assert logs.find(client, SMS, "m-1") == NotThere(control=False)


def test_a_later_message_in_the_same_answer_is_a_control(server: WireServer, client: Client) -> None:
    server.always = listed(log("later"))
    assert logs.find(client, SMS, "m-1", control="later") == NotThere(control=True)
    assert query(server.visits[0])["messageId"] == ["m-1,later"]
    server.always = listed(log("another"))
    assert logs.find(client, SMS, "m-1", control="later") == NotThere(control=False)
    server.always = listed()
    assert logs.find(client, SMS, "m-1", control="later") == NotThere(control=False)
    server.always = listed({"sentAt": "2026-11-24T10:00:00.000+0100"})
    assert logs.find(client, SMS, "m-1") == NotThere(control=False)


def test_the_newest_of_several_entries_counts(server: WireServer, client: Client) -> None:
    failed = {"groupId": 2, "id": 9, "name": "UNDELIVERABLE_NOT_DELIVERED"}
    server.always = listed(
        log("m-1", 40, channel="SMS"), log("m-1", 31, channel="VIBER", status=failed), log("m-1", sentAt=None)
    )
    found = logs.find(client, ENDPOINTS["omni"], "m-1")
    assert isinstance(found, Found)
    assert (found.channel, found.entries) == ("sms", 3)


def test_endpoints_without_logs_say_so_and_ask_nobody(server: WireServer, client: Client) -> None:
    for name in ("whatsapp", "whatsapp-template", "messages-api", "line"):
        found = logs.find(client, ENDPOINTS[name], "m-1")
        assert isinstance(found, Unreadable)
        assert not found.ever
        assert isinstance(logs.latest_since(client, ENDPOINTS[name], AT), Unreadable)
    assert server.visits == []


@pytest.mark.parametrize("message_id", ["", "a,b"])
def test_an_id_that_logs_would_take_for_two_is_not_asked_for(
    server: WireServer, client: Client, message_id: str
) -> None:
    found = logs.find(client, SMS, message_id)
    assert isinstance(found, Unreadable)
    assert not found.ever
    assert server.visits == []


UNREADABLE: dict[str, Any] = {
    "401": answer(401, b"{}"),
    "403": answer(403, b"{}"),
    "404": answer(404, b"{}"),
    "500": answer(500, b"{}"),
    "204": answer(204, b""),
    "nothing": answer(200, b""),
    "no results": answer(200, b"{}"),
    "results that are no list": answer(200, b'{"results": {}}'),
    "results that are no objects": answer(200, b'{"results": [7]}'),
    "a reset": Visit.reset,
}


@pytest.mark.parametrize("deed", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_logs_that_cannot_be_read_prove_nothing(server: WireServer, client: Client, deed: Any) -> None:
    server.always = deed
    found = logs.find(client, SMS, "m-1")
    assert isinstance(found, Unreadable)
    assert found.ever
    assert found.next_step


def test_logs_that_are_asked_too_often_say_how_long_to_wait(server: WireServer, client: Client) -> None:
    server.always = answer(429, b"{}", "Retry-After: 20")
    found = logs.find(client, SMS, "m-1")
    assert isinstance(found, Unreadable)
    assert found.retry_after == timedelta(seconds=20)


def test_odd_entries_are_read_as_far_as_they_go(server: WireServer, client: Client) -> None:
    server.always = listed({"messageId": 17, "status": 3, "error": [], "sentAt": 4})
    assert logs.find(client, SMS, "17") == Found("17", None, None, datetime(1970, 1, 1, 0, 0, 4, tzinfo=UTC), None)


def test_the_newest_message_since_a_moment_is_found(server: WireServer, client: Client) -> None:
    server.always = listed(log("m-1", 20), log("m-2", 31), log("m-3", 40))
    found = logs.latest_since(client, SMS, AT)
    assert isinstance(found, Found)
    assert found.message_id == "m-3"
    assert query(server.visits[0])["sentSince"] == ["2026-11-24T09:30:00.000+0000"]
    among = logs.latest_since(client, SMS, AT, {"m-1", "m-2"})
    assert isinstance(among, Found)
    assert among.message_id == "m-2"
    assert logs.latest_since(client, SMS, AT, {"m-1"}) == NotThere(control=False)

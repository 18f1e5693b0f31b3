"""What Infobip's lists answer when they refuse something: which record it blames, and never whom."""

import json
from collections.abc import Iterator

import pytest

from config.secrets import Secret
from infobip.outbound.client import Client
from infobip.outbound.credentials import AppKey
from infobip.outbound.lists import blocklist, suppressions
from infobip.outbound.lists.outcome import Record, Rejected, Unclear
from infobip.outbound.transport import Patience, Transport
from tests.outbound.wire_server import WireServer, answer

ADA, NUMBER = "ada.lovelace@example.org", "447700900123"


@pytest.fixture
def client(server: WireServer) -> Iterator[Client]:
    transport = Transport(Patience(connect=1, answer=2, total=3))
    yield Client(server.url, AppKey(Secret("key")), transport)
    transport.close()


def test_a_refusal_of_the_blocklist_names_the_record_by_place_and_masks_whom_its_text_repeats(
    server: WireServer, client: Client
) -> None:
    faults = {"blocklist[0].destinations[1].to": [f"{NUMBER} is no valid destination"]}
    body = {"requestError": {"serviceException": {"text": f"Bad Request: {NUMBER}", "validationErrors": faults}}}
    server.always = answer(400, json.dumps(body).encode())
    found = blocklist.add(client, [Record("447700900111"), Record(NUMBER)])
    assert isinstance(found, Rejected)
    assert list(found.reasons) == [1]
    assert "is no valid destination" in found.reasons[1]
    assert NUMBER not in repr(found)


def test_a_refusal_of_the_email_suppressions_masks_whom_its_text_repeats(server: WireServer, client: Client) -> None:
    violations = [{"property": "suppressions[0].emailAddress[0]", "violation": f"{ADA} is not well-formed"}]
    server.always = answer(400, json.dumps({"errorCode": "E400", "violations": violations}).encode())
    found = suppressions.add(client, [Record(ADA, "email", "shop.example", "BOUNCE")])
    assert isinstance(found, Rejected)
    assert found.reasons == {0: "…@example.org is not well-formed"}


def test_an_answer_without_a_list_is_never_taken_for_an_empty_one(server: WireServer, client: Client) -> None:
    for body in (b"", b"<html>", b"{}", b'{"results": null}'):
        server.always = answer(200, body)
        assert isinstance(blocklist.read(client), Unclear)
        assert isinstance(suppressions.read(client, "shop.example", "BOUNCE"), Unclear)

"""The whole way to the offline Infobip and back."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from config.secrets import Secret
from infobip.outbound import (
    ENDPOINTS,
    blocked_answer,
    logs,
    new_id,
    pair,
    read_answer,
    read_sends,
    rebuild,
    single,
    without,
)
from infobip.outbound.client import Client
from infobip.outbound.credentials import AppKey
from infobip.outbound.logs import Found, NotThere
from infobip.outbound.results import Exchanged, Refused, Sent
from infobip.outbound.transport import Transport
from infobip.simulator import Simulator
from tests.outbound.bodies import SAMPLES, Sample
from tests.outbound.forms import MEDIA, form
from tests.support.infobip import KEY, infobip

# Endpoints that the simulator does not have.
NOT_THERE = {"viber-bot", "kakao-chingu", "kakao-sangdam", "email-mime", "tts-multi"}
by_endpoint = pytest.mark.parametrize(
    "sample", [one for one in SAMPLES if one.endpoint not in NOT_THERE], ids=lambda sample: sample.endpoint
)
SMS = ENDPOINTS["sms-3"]


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with infobip() as running:
        yield running


@pytest.fixture(scope="module")
def client(simulator: Simulator) -> Iterator[Client]:
    transport = Transport()
    yield Client(simulator.url, AppKey(Secret(KEY)), transport)
    transport.close()


@by_endpoint
def test_everybody_of_a_request_gets_the_entry_that_is_theirs(sample: Sample, client: Client) -> None:
    endpoint = ENDPOINTS[sample.endpoint]
    body = json.dumps(sample.body).encode().replace(b"order-17", f"order-of-{sample.endpoint}".encode())
    answer = client.ask("POST", sample.path, body=body)
    assert isinstance(answer, Exchanged)
    assert answer.http == 200, answer.body
    sends = read_sends(endpoint, body)
    answered = read_answer(endpoint, answer.body)
    pairs = pair(sends, answered)
    assert pairs.keys() == {one.position for one in sends.destinations}
    for one in sends.destinations:
        assert not one.message_id or answered.entries[pairs[one.position]].message_id == one.message_id


@by_endpoint
def test_what_is_resent_is_accepted_under_its_new_id_once(sample: Sample, client: Client) -> None:
    endpoint, now = ENDPOINTS[sample.endpoint], datetime.now(UTC)
    sends = read_sends(endpoint, json.dumps(sample.body).encode())
    for number, one in enumerate(sends.destinations):
        if one.obstacle:
            continue
        message_id = new_id(f"again-{sample.endpoint}-{number}", 1)
        end = now + timedelta(hours=1)
        rebuilt = rebuild(endpoint, single(sends, one.position), message_id, None, end, now)
        first = client.send(endpoint, sample.path, rebuilt.body, message_id=message_id)
        assert isinstance(first, Sent), first
        assert (first.message_id, first.already) == (message_id, False)
        second = client.send(endpoint, sample.path, rebuilt.body, message_id=message_id)
        assert isinstance(second, Sent), second
        assert second.already


def test_a_form_is_resent(client: Client) -> None:
    endpoint, now = ENDPOINTS["email-3"], datetime.now(UTC)
    fields = [("from", "desk@fernhill.example"), ("to", "anna@post.example"), ("subject", "Gate"), ("text", "Hello")]
    sends = read_sends(endpoint, form([*fields, ("attachment", b"plan")]), MEDIA)
    rebuilt = rebuild(endpoint, single(sends, sends.destinations[0].position), "form-r1", None, None, now)
    result = client.send(endpoint, endpoint.path, rebuilt.body, message_id="form-r1", content_type=rebuilt.content_type)
    assert isinstance(result, Sent), result
    assert result.message_id == "form-r1"


def test_logs_show_what_was_sent_and_a_control_for_what_was_not(client: Client) -> None:
    body = {"messages": [{"destinations": [{"to": "385910000001", "messageId": "seen-1"}], "content": {"text": "Hi"}}]}
    assert isinstance(client.send(SMS, SMS.path, json.dumps(body).encode(), message_id="seen-1"), Sent)
    assert isinstance(logs.find(client, SMS, "seen-1"), Found)
    assert logs.find(client, SMS, "lost-1") == NotThere(control=False)
    assert logs.find(client, SMS, "lost-1", control="seen-1") == NotThere(control=True)
    latest = logs.latest_since(client, SMS, datetime.now(UTC) - timedelta(minutes=5), {"seen-1"})
    assert isinstance(latest, Found)
    assert latest.message_id == "seen-1"


def test_a_suppressed_person_gets_an_answer_and_no_message(client: Client) -> None:
    people = [{"to": f"38591000000{number}", "messageId": f"cut-{number}"} for number in range(1, 4)]
    body = json.dumps({"messages": [{"destinations": people, "content": {"text": "Hi"}}]}).encode()
    sends = read_sends(SMS, body)
    removed = {sends.destinations[1].position}
    left = without(SMS, body, removed)
    real = client.ask("POST", SMS.path, body=left)
    assert isinstance(real, Exchanged)
    entries = read_answer(SMS, blocked_answer(sends, removed, real.body, {})).entries
    assert [entry.message_id for entry in entries] == ["cut-1", "cut-2", "cut-3"]
    assert [entry.status and entry.status.group for entry in entries] == ["PENDING", "REJECTED", "PENDING"]
    assert logs.find(client, SMS, "cut-2", control="cut-3") == NotThere(control=True)


def test_a_wrong_credential_is_refused(simulator: Simulator) -> None:
    transport = Transport()
    stranger = Client(simulator.url, AppKey(Secret("another-key")), transport)
    result = stranger.send(SMS, SMS.path, b"{}", message_id="m-1")
    assert isinstance(result, Refused)
    assert result.http == 401
    transport.close()

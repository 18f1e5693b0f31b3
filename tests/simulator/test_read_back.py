"""What the simulator posts is understood by the product that receives it."""

from typing import Any

import pytest

from infobip.inbound import read
from infobip.simulator import Simulator
from reports import Event
from tests.simulator.bodies import BY_PATH, DOORS, ID, MAIL, NOTE, PERSON, Door, hooked
from tests.simulator.receiver import Received, Receiver
from tests.support.infobip import call, infobip

FAILED = {"otherwise": [{"after": 0, "status": "UNDELIVERABLE_NOT_DELIVERED", "error": "EC_ABSENT_SUBSCRIBER"}]}
# A voice call of the simplest kind takes no URL: its report goes where the account's go.
HOOKED = [door.path for door in DOORS if door.has_id]
WITH_XML = [path for path in HOOKED if BY_PATH[path].xml]
# The channel that an item proves or that the URL gave.
CHANNEL = {"messages-api": "sms", "omni": "viber"}


def posted(simulator: Simulator, receiver: Receiver, door: Door, content_type: str = "") -> Received:
    """Send a message with a URL of its own; return the callback."""
    body: Any = hooked(door.body, receiver.url, content_type)
    if door.form:
        answer = call(simulator, "POST", door.path, files=[(name, (None, text)) for name, text in body.items()])
    else:
        answer = call(simulator, "POST", door.path, json=body)
    assert answer.status_code == 200, answer.text
    simulator.settle()
    (got,) = receiver.got
    return got


def assert_understood(got: Received, door: Door, error: int) -> None:
    reading = read(got.body, got.headers["Content-Type"], door.channel)
    assert reading.faults == ()
    (item,) = reading.items
    report = item.report
    assert (report.event, report.family) == (Event.DELIVERY, door.family)
    assert report.channel == CHANNEL.get(door.channel, door.channel)
    assert (report.message_id, report.recipient, report.callback_data) == (ID, door.recipient, NOTE)
    assert report.error is not None
    assert report.error.id == error
    assert None not in (report.status, report.sent_at, report.event_at)


@pytest.mark.parametrize("path", HOOKED)
def test_a_report_in_json_is_read_without_a_fault(simulator: Simulator, receiver: Receiver, path: str) -> None:
    door = BY_PATH[path]
    got = posted(simulator, receiver, door)
    assert got.headers["Content-Type"] == "application/json"
    assert_understood(got, door, 5000 if door.channel == "voice" else 0)


@pytest.mark.parametrize("path", WITH_XML)
def test_a_failure_in_xml_is_read_without_a_fault(simulator: Simulator, receiver: Receiver, path: str) -> None:
    simulator.load(FAILED)
    door = BY_PATH[path]
    got = posted(simulator, receiver, door, "application/xml")
    assert got.headers["Content-Type"] == "application/xml"
    assert_understood(got, door, 27)


def test_channels_that_have_no_xml_come_as_json_all_the_same(simulator: Simulator, receiver: Receiver) -> None:
    got = posted(simulator, receiver, BY_PATH["/whatsapp/1/message/text"], "application/xml")
    assert got.headers["Content-Type"] == "application/json"


def test_a_mailboxes_own_words_are_read(simulator: Simulator, receiver: Receiver) -> None:
    simulator.load({"otherwise": [{"after": 0, "error": 6012, "smtp": "550 5.7.1 not from you"}]})
    got = posted(simulator, receiver, BY_PATH["/email/4/messages"])
    (item,) = read(got.body, "application/json", "email").items
    assert (item.report.smtp, item.report.recipient) == ("550 5.7.1 not from you", MAIL)


@pytest.mark.parametrize(
    "path",
    [
        "/whatsapp/1/message/text",
        "/viber/2/messages",
        "/rcs/2/messages",
        "/messenger/1/messages",
        "/tiktok/1/messages",
        "/messages-api/1/messages",
        "/omni/1/advanced",
    ],
)
def test_a_seen_report_is_read_as_one(receiver: Receiver, path: str) -> None:
    door = BY_PATH[path]
    steps = {"otherwise": [{"after": 0}, {"after": "0.1s", "seen": True}]}
    with infobip(steps, notify_url=receiver.url) as simulator:
        assert call(simulator, "POST", path, json=door.body).status_code == 200
        simulator.settle()
    readings = [read(got.body, got.headers["Content-Type"], door.channel) for got in receiver.got]
    assert [reading.faults for reading in readings] == [(), ()]
    reports = [reading.items[0].report for reading in readings]
    assert [report.event for report in reports] == [Event.DELIVERY, Event.SEEN]
    assert {(report.message_id, report.recipient) for report in reports} == {(ID, door.recipient)}


def test_a_bundle_of_many_channels_reaches_each_channels_url(receiver: Receiver) -> None:
    with infobip(notify_url=f"{receiver.url}/webhook/{{channel}}/token") as simulator:
        for number, door in enumerate(door for door in DOORS if not door.form):
            body = _with_id(door.body, f"{ID}-{number}")
            assert call(simulator, "POST", door.path, json=body).status_code == 200
        simulator.settle()
    for got in receiver.got:
        channel = got.path.split("/")[2]
        reading = read(got.body, got.headers["Content-Type"], channel)
        assert reading.faults == ()
        assert {item.report.channel for item in reading.items} == {CHANNEL.get(channel, channel)}
    assert {got.path.split("/")[2] for got in receiver.got} == {door.channel for door in DOORS}
    assert PERSON in receiver.got[0].body.decode()


def _with_id(value: Any, message_id: str) -> Any:
    if isinstance(value, dict):
        return {key: message_id if key == "messageId" else _with_id(one, message_id) for key, one in value.items()}
    return [_with_id(one, message_id) for one in value] if isinstance(value, list) else value

"""Requests to send endpoints are taken apart."""

import base64
import json
from datetime import timedelta
from typing import Any

import pytest

from infobip.outbound import ENDPOINTS, Position, UnreadableSend, find, read_sends, single, without
from tests.outbound.bodies import ANNA, ANNA_AT, BORIS, BORIS_AT, CLARA_AT, SAMPLES, Sample, unified

by_endpoint = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.endpoint)


def read_sample(sample: Sample) -> Any:
    endpoint = find("POST", sample.path)
    assert endpoint is not None
    return read_sends(endpoint, json.dumps(sample.body).encode())


def sms(**message: Any) -> Any:
    return read_sends(ENDPOINTS["sms-3"], json.dumps({"messages": [unified(**message)]}).encode())


def test_each_endpoint_but_the_form_has_a_sample() -> None:
    assert {sample.endpoint for sample in SAMPLES} == ENDPOINTS.keys() - {"email-3"}


@by_endpoint
def test_everybody_is_found_with_what_the_request_says_of_them(sample: Sample) -> None:
    sends = read_sample(sample)
    assert sends.endpoint.name == sample.endpoint
    assert sends.bulk_id == sample.bulk_id
    assert len(sends.destinations) == len(sample.each)
    for one, facts in zip(sends.destinations, sample.each, strict=True):
        expected = {**sample.all, **facts}
        assert [recipient.address for recipient in one.recipients] == expected.pop("addresses")
        obstacle = expected.pop("obstacle", "")
        assert obstacle in one.obstacle
        assert bool(obstacle) == bool(one.obstacle)
        assert {name: getattr(one, name) for name in expected} == expected


@by_endpoint
def test_one_person_alone_is_read_as_before(sample: Sample) -> None:
    sends = read_sample(sample)
    for one in sends.destinations:
        alone = read_sends(sends.endpoint, single(sends, one.position))
        assert len(alone.destinations) == 1
        for name in ("recipients", "channel", "sender", "callback_data", "report_url", "validity", "failover", "size"):
            assert getattr(alone.destinations[0], name) == getattr(one, name), name


@by_endpoint
def test_one_person_alone_leaves_nobody_else_in_the_body(sample: Sample) -> None:
    sends = read_sample(sample)
    for one in sends.destinations:
        others = {recipient.written for other in sends.destinations for recipient in other.recipients}
        others -= {recipient.written for recipient in one.recipients}
        assert not [address for address in others if address.encode() in single(sends, one.position)]


def test_what_identifies_a_person_is_in_no_repr() -> None:
    for sample in SAMPLES:
        sends = read_sample(sample)
        shown = repr(sends) + "".join(repr(one) for one in sends.destinations)
        assert not [text for text in (ANNA, ANNA_AT, BORIS_AT, "s3cr3t", "gate", "Hello") if text in shown]


@pytest.mark.parametrize(
    ("written", "validity"),
    [
        ({"amount": 720, "timeUnit": "HOURS"}, timedelta(hours=48)),
        ({"amount": 90, "timeUnit": "SECONDS"}, timedelta(seconds=90)),
        ({"amount": "7"}, timedelta(minutes=7)),
        ({"amount": 10**17}, timedelta(hours=48)),
        ({"amount": 0}, None),
        ({"amount": -5}, None),
        ({"amount": 2.5}, None),
        ({"amount": 5, "timeUnit": "FORTNIGHTS"}, None),
        ("5 minutes", None),
        (None, None),
    ],
)
def test_a_validity_is_read_as_infobip_takes_it(written: Any, validity: timedelta | None) -> None:
    assert sms(options={"validityPeriod": written}).destinations[0].validity == validity


def test_minutes_of_the_older_sms_are_capped_at_two_days() -> None:
    body = {"messages": [{"destinations": [{"to": ANNA}], "text": "Hi", "validityPeriod": 100_000}]}
    sends = read_sends(ENDPOINTS["sms-2"], json.dumps(body).encode())
    assert sends.destinations[0].validity == timedelta(hours=48)


def test_a_speed_makes_a_calls_validity_void() -> None:
    call = {"destinations": [{"to": ANNA}], "text": "Hi", "validityPeriod": 5, "sendingSpeed": {"speed": 2}}
    sends = read_sends(ENDPOINTS["tts-advanced"], json.dumps({"messages": [call]}).encode())
    assert sends.destinations[0].validity is None


def test_an_id_that_the_older_sms_would_cut_is_cut() -> None:
    body = {"messages": [{"destinations": [{"to": ANNA, "messageId": "x" * 250}], "text": "Hi"}]}
    assert read_sends(ENDPOINTS["sms-2"], json.dumps(body).encode()).destinations[0].message_id == "x" * 200
    assert sms(destinations=[{"to": ANNA, "messageId": "x" * 250}]).destinations[0].message_id == "x" * 250


def test_numbers_and_ids_that_are_json_numbers_are_read_digit_by_digit() -> None:
    one = sms(destinations=[{"to": 385910000001, "messageId": 123456789012345678901234567890}]).destinations[0]
    assert one.recipients[0].address == ANNA
    assert one.message_id == "123456789012345678901234567890"


def test_an_application_that_wants_no_report_is_seen() -> None:
    assert not sms(webhooks={"delivery": {"notify": False}}).destinations[0].notify


def test_members_of_an_mms_group_are_found_and_never_resent_alone() -> None:
    body = {
        "messages": [unified(destinations=[{"to": BORIS}, {"group": [{"to": ANNA, "messageId": "a"}, {"to": BORIS}]}])]
    }
    found = read_sends(ENDPOINTS["mms-2"], json.dumps(body).encode()).destinations
    assert [one.position for one in found] == [(0, 0, "", 0), (0, 1, "group", 0), (0, 1, "group", 1)]
    assert [one.message_id for one in found] == ["", "a", ""]
    assert [one.shared for one in found] == [False, True, True]
    assert "group" in found[1].obstacle


def test_one_mime_id_for_several_people_is_shared() -> None:
    body = {"messageId": "m-1", "destinations": [ANNA_AT, BORIS_AT], "mimeMessage": "eA=="}
    found = read_sends(ENDPOINTS["email-mime"], json.dumps(body).encode()).destinations
    assert [(one.message_id, one.shared) for one in found] == [("m-1", True), ("m-1", True)]


def test_recipients_of_a_mime_message_come_from_its_header_where_no_list_is_given() -> None:
    mime = f"To: Anna <{ANNA_AT}>\r\nCc: {BORIS_AT},\r\n {CLARA_AT}\r\nSubject: Gate\r\n\r\nHello"
    encoded = base64.encodebytes(mime.encode()).decode()
    sends = read_sends(ENDPOINTS["email-mime"], json.dumps({"mimeMessage": encoded}).encode())
    assert [one.recipients[0].address for one in sends.destinations] == [ANNA_AT, BORIS_AT, CLARA_AT]
    assert json.loads(single(sends, Position(0, 1)))["destinations"] == [BORIS_AT]
    left = without(ENDPOINTS["email-mime"], json.dumps({"mimeMessage": encoded}).encode(), {Position(0, 1)})
    assert left is not None
    assert json.loads(left) == {"mimeMessage": encoded, "destinations": [ANNA_AT, CLARA_AT]}


def test_zalo_gives_nobody_the_second_numbers_of_others() -> None:
    pairs = [{"initial": ANNA, "failover": "385920000001"}, {"initial": f"+{BORIS}", "failover": "385920000002"}]
    body = {"messages": [unified({"smsFailover": {"text": "Hi", "destinationMatching": pairs}})]}
    sends = read_sends(ENDPOINTS["zalo"], json.dumps(body).encode())
    alone = json.loads(single(sends, Position(0, 1)))["messages"][0]
    assert alone["options"]["smsFailover"]["destinationMatching"] == pairs[1:]


@pytest.mark.parametrize("content_type", ["application/json", "application/json;charset=UTF-8", "", "text/json"])
def test_json_is_read_under_the_names_that_it_comes_by(content_type: str) -> None:
    body = b"\xef\xbb\xbf" + json.dumps({"messages": [unified()]}).encode()
    assert len(read_sends(ENDPOINTS["sms-3"], body, content_type).destinations) == 2


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"<request/>", "application/xml"),
        (b"to=385910000001", "application/x-www-form-urlencoded"),
        (b"", "application/json"),
        (b"{", "application/json"),
        (b"[]", "application/json"),
        (b'{"messages": {}}', "application/json"),
        (b'{"messages": [1]}', "application/json"),
        (b'{"messages": [{}]}', "application/json"),
        (b'{"messages": [{"destinations": ["385910000001"]}]}', "application/json"),
        (b'{"messages": [{"destinations": []}]}', "application/json"),
        (b'{"messages": [{"destinations": [{"to": NaN}]}]}', "application/json"),
        (b'{"messages": [{"destinations": [{"to": "\\ud800"}]}]}', "application/json"),
        ('{"messages": [{"destinations": [{"to": "\u00e9"}]}]}'.encode("latin-1"), "application/json"),
        (b"[" * 100_000, "application/json"),
        (b'{"a":' * 200 + b"1" + b"}" * 200, "application/json"),
    ],
)
def test_what_cannot_be_taken_apart_is_refused_with_a_next_step(body: bytes, content_type: str) -> None:
    with pytest.raises(UnreadableSend) as caught:
        read_sends(ENDPOINTS["sms-3"], body, content_type)
    assert "385910000001" not in str(caught.value)
    assert caught.value.next_step

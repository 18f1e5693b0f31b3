"""A message is sent again: the same in all that matters, under another id, with an end."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infobip.outbound import ENDPOINTS, CannotResend, TooLate, convert, find, read_sends, rebuild, single
from tests.outbound.bodies import ANNA, ANNA_AT, BORIS, REPORTS, SAMPLES, SMS_FAILOVER, Sample, unified
from tests.outbound.test_rewriting import ANY, exact

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
OURS = "https://dlr.fernhill.example/webhook/t0ken"
SMS = ENDPOINTS["sms-3"]
# What a resend may change, wherever it stands.
CHANGED = {
    "messageId",
    "schedule",
    "sendAt",
    "bulkId",
    "sendingSpeed",
    "sendingSpeedLimit",
    "validityPeriod",
    "validityPeriodTimeUnit",
}
by_endpoint = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.endpoint)


def singles(sample: Sample) -> list[tuple[Any, bytes]]:
    endpoint = ENDPOINTS[sample.endpoint]
    sends = read_sends(endpoint, json.dumps(sample.body).encode())
    return [(one, single(sends, one.position)) for one in sends.destinations]


def lasting(left: timedelta, endpoint: str = "sms-3", **message: Any) -> Any:
    """Return the rebuilt message that has so long."""
    body = json.dumps({"messages": [unified(destinations=[{"to": ANNA}], **message)]}).encode()
    rebuilt = rebuild(ENDPOINTS[endpoint], body, "m-2", OURS, NOW + left, NOW)
    return json.loads(rebuilt.body)["messages"][0], rebuilt.ends


def kept(value: Any) -> Any:
    """Return what a resend must leave alone."""
    if isinstance(value, dict):
        inner = {name: kept(one) for name, one in value.items() if name not in CHANGED}
        return {name: one for name, one in inner.items() if one not in ({}, REPORTS)}
    return [kept(one) for one in value] if isinstance(value, list) else value


@by_endpoint
def test_content_and_options_stay_and_the_id_is_new(sample: Sample) -> None:
    endpoint = ENDPOINTS[sample.endpoint]
    for one, stored in singles(sample):
        if one.obstacle:
            continue
        rebuilt = rebuild(endpoint, stored, "order-17-r1", None, NOW + timedelta(hours=1), NOW)
        assert kept(exact(rebuilt.body)) == kept(exact(stored))
        [again] = read_sends(endpoint, rebuilt.body).destinations
        assert again.message_id == "order-17-r1"
        assert again.recipients == one.recipients
        assert again.callback_data == one.callback_data
        assert again.failover == one.failover
        assert again.report_url == ""
        assert again.send_at is None
        assert rebuilt.ends is None or NOW < rebuilt.ends <= NOW + timedelta(hours=1)
        assert b"bulkId" not in rebuilt.body
        assert b"step-1" not in rebuilt.body


@pytest.mark.parametrize(
    ("endpoint", "body"),
    [
        ("tts-single", {"text": "Hi", "to": ANNA}),
        ("tts-multi", {"messages": [{"text": "Hi", "to": [ANNA]}]}),
        ("push-3", {"messages": [unified(destinations=[{"type": "MULTIPLE"}])]}),
        ("mms-2", {"messages": [unified(destinations=[{"group": [{"to": ANNA}]}])]}),
    ],
)
def test_what_cannot_be_resent_is_not(endpoint: str, body: Any) -> None:
    with pytest.raises(CannotResend):
        rebuild(ENDPOINTS[endpoint], json.dumps(body).encode(), "m-2", None, None, NOW)


@by_endpoint
def test_the_report_url_is_ours_where_we_name_one(sample: Sample) -> None:
    endpoint = ENDPOINTS[sample.endpoint]
    for one, stored in singles(sample):
        if not one.obstacle and endpoint.shape.report_url:
            [again] = read_sends(endpoint, rebuild(endpoint, stored, "m-2", OURS, None, NOW).body).destinations
            assert again.report_url == OURS


@given(ANY, ANY, st.text(max_size=20))
def test_whatever_the_content_it_stays(content: Any, option: Any, callback_data: str) -> None:
    message = unified({"regional": option}, content=content, destinations=[{"to": ANNA, "networkId": 4}])
    message["webhooks"] = {"callbackData": callback_data}
    body = json.dumps({"messages": [message], "options": {"tracking": option}}).encode()
    before, after = exact(body), exact(rebuild(SMS, body, "m-2", None, None, NOW).body)
    before["messages"][0]["destinations"][0]["messageId"] = "m-2"
    assert after == before


REGIONAL: dict[str, Any] = {
    "indiaDlt": {"contentTemplateId": "1107160000", "principalEntityId": "1201159", "telemarketerId": "1202"},
    "turkeyIys": {"brandCode": 123456, "recipientType": "TACIR"},
    "southKorea": {"resellerCode": 987, "title": "Gate", "firstMno": "KTF"},
}


@pytest.mark.parametrize("left", [None, timedelta(minutes=5)])
@pytest.mark.parametrize("endpoint", ["sms-3", "sms-2"])
def test_what_a_country_asks_for_stays_whatever_else_is_cut(endpoint: str, left: timedelta | None) -> None:
    message: dict[str, Any] = {"destinations": [{"to": ANNA}]}
    if endpoint == "sms-3":
        message |= {"sender": "Fernhill", "content": {"text": "Hi"}}
        message["options"] = {"regional": REGIONAL, "validityPeriod": {"amount": 25}, "flash": True}
    else:
        message |= {"from": "Fernhill", "text": "Hi", "regional": REGIONAL, "validityPeriod": 25, "flash": True}
    body = json.dumps({"messages": [message], "options": {"schedule": {"sendAt": "2026-11-24T10:00:00Z"}}}).encode()
    rebuilt = rebuild(ENDPOINTS[endpoint], body, "m-1-r1", None, None if left is None else NOW + left, NOW)
    [again] = json.loads(rebuilt.body)["messages"]
    kept_there = again["options"] if endpoint == "sms-3" else again
    assert kept_there["regional"] == REGIONAL
    assert kept_there["flash"] is True
    assert left is None or rebuilt.ends is None or rebuilt.ends <= NOW + left


def test_without_an_end_the_validity_stays() -> None:
    message = unified({"validityPeriod": {"amount": 72, "timeUnit": "HOURS"}}, destinations=[{"to": ANNA}])
    rebuilt = rebuild(SMS, json.dumps({"messages": [message]}).encode(), "m-2", None, None, NOW)
    assert rebuilt.ends is None
    assert json.loads(rebuilt.body)["messages"][0]["options"]["validityPeriod"] == {"amount": 72, "timeUnit": "HOURS"}


NINE_HOURS = {"validityPeriod": {"amount": 9, "timeUnit": "HOURS"}}


@pytest.mark.parametrize(
    ("left", "options", "validity", "ends"),
    [
        # shorter than what is left: untouched
        (timedelta(hours=3), {"validityPeriod": {"amount": 25}}, {"amount": 25}, timedelta(minutes=25)),
        (timedelta(hours=3), NINE_HOURS, {"amount": 10800, "timeUnit": "SECONDS"}, timedelta(hours=3)),
        # none given means 48 h, and 48 h are too long
        (timedelta(seconds=90.9), {}, {"amount": 90, "timeUnit": "SECONDS"}, timedelta(seconds=90)),
        (timedelta(hours=48), {}, None, timedelta(hours=48)),
    ],
)
def test_the_validity_ends_in_time(left: timedelta, options: Any, validity: Any, ends: timedelta) -> None:
    message, end = lasting(left, options=options)
    assert message.get("options", {}).get("validityPeriod") == validity
    assert end == NOW + ends


def test_own_failover_ends_in_time_too_and_the_longest_step_gives_first() -> None:
    options = {**SMS_FAILOVER, "validityPeriod": {"amount": 60, "timeUnit": "SECONDS"}}
    message, end = lasting(timedelta(minutes=10), "viber-2", options=options)
    assert message["options"]["validityPeriod"] == {"amount": 60, "timeUnit": "SECONDS"}
    assert message["options"]["smsFailover"]["validityPeriod"] == {"amount": 540, "timeUnit": "SECONDS"}
    assert message["options"]["smsFailover"]["text"] == "At the gate."
    assert end == NOW + timedelta(minutes=10)


def test_each_step_of_a_failover_list_is_shortened() -> None:
    steps = [{"channel": "SMS"}, {"channel": "RCS", "validityPeriod": {"amount": 1}}]
    message, end = lasting(timedelta(minutes=11), "messages-api", channel="VIBER_BM", failover=steps, options={})
    assert message["options"]["validityPeriod"]["amount"] == 300
    assert message["failover"][0] == {"channel": "SMS", "validityPeriod": {"amount": 300, "timeUnit": "SECONDS"}}
    assert message["failover"][1] == steps[1]
    assert end == NOW + timedelta(minutes=11)


def test_omnis_bodies_are_shortened_one_by_one() -> None:
    sample = next(one for one in SAMPLES if one.endpoint == "omni")
    rebuilt = rebuild(ENDPOINTS["omni"], singles(sample)[1][1], "m-2", None, NOW + timedelta(minutes=2), NOW)
    body = json.loads(rebuilt.body)
    assert body["viber"]["validityPeriod"] == 60
    assert (body["sms"]["validityPeriod"], body["sms"]["validityPeriodTimeUnit"]) == (60, "SECONDS")
    assert rebuilt.ends == NOW + timedelta(minutes=2)


def test_whole_minutes_are_rounded_down() -> None:
    body = {"messages": [{"destinations": [{"to": ANNA}], "text": "Hi", "validityPeriod": 720}]}
    rebuilt = rebuild(ENDPOINTS["sms-2"], json.dumps(body).encode(), "m-2", None, NOW + timedelta(seconds=170), NOW)
    assert json.loads(rebuilt.body)["messages"][0]["validityPeriod"] == 2
    assert rebuilt.ends == NOW + timedelta(minutes=2)


def test_a_call_without_end_of_its_own_loses_the_speed_that_would_void_its_validity() -> None:
    call = {"destinations": [{"to": ANNA}], "text": "Hi", "sendingSpeed": {"speed": 5}, "retry": {"maxCount": 2}}
    stored = json.dumps({"messages": [call]}).encode()
    rebuilt = rebuild(ENDPOINTS["tts-advanced"], stored, "m-2", None, NOW + timedelta(minutes=5), NOW)
    [message] = json.loads(rebuilt.body)["messages"]
    assert "sendingSpeed" not in message
    assert message["validityPeriod"] == 5
    assert message["retry"] == {"maxCount": 2}


def test_where_infobip_takes_no_validity_the_end_is_unknown() -> None:
    body = json.dumps({"from": "385910000099", "to": ANNA, "content": {"text": "Hi"}}).encode()
    assert rebuild(ENDPOINTS["whatsapp"], body, "m-2", None, NOW + timedelta(minutes=5), NOW).ends is None


@pytest.mark.parametrize(
    ("endpoint", "left", "late"),
    [
        ("sms-3", 0.5, True),
        ("sms-3", 1, False),
        ("messages-api", 9.5, True),
        ("messages-api", 10, False),
        ("push-3", 29, True),
        ("push-3", 30, False),
        ("sms-3", 0, True),
        ("sms-3", -5, True),
    ],
)
def test_what_would_end_too_late_is_not_sent(endpoint: str, left: float, late: bool) -> None:
    if late:
        with pytest.raises(TooLate):
            lasting(timedelta(seconds=left), endpoint, channel="SMS", options={})
    else:
        assert lasting(timedelta(seconds=left), endpoint, channel="SMS", options={})[1] <= NOW + timedelta(seconds=left)


@pytest.mark.parametrize("body", [b"", b"{}", b'{"messages": []}', json.dumps({"messages": [unified()]}).encode()])
def test_what_is_not_one_persons_message_is_not_resent(body: bytes) -> None:
    with pytest.raises(CannotResend):
        rebuild(SMS, body, "m-2", None, None, NOW)


@pytest.mark.parametrize("message_id", ["", "x" * 201])
def test_an_id_that_infobip_would_not_keep_is_refused(message_id: str) -> None:
    body = json.dumps({"messages": [unified(destinations=[{"to": ANNA}])]}).encode()
    with pytest.raises(CannotResend):
        rebuild(SMS, body, message_id, None, None, NOW)


def test_the_same_resend_is_the_same_bytes() -> None:
    body = json.dumps({"messages": [unified(destinations=[{"to": ANNA}])]}).encode()
    first, second = (rebuild(SMS, body, "m-2", OURS, NOW + timedelta(hours=1), NOW) for _ in range(2))
    assert first.body == second.body
    assert ANNA not in repr(first)


CALL = {"messages": [{"from": "385910000099", "destinations": [{"to": ANNA}], "text": "Your code is 4, 7."}]}


def test_a_registered_fallback_can_be_resent() -> None:
    found = convert({"channel": "voice", "endpoint": "/tts/3/advanced", "body": CALL})
    assert (found.endpoint, found.channel) == (find("POST", "/tts/3/advanced"), "voice")
    rebuilt = rebuild(found.endpoint, found.body, "m-2", OURS, None, NOW)
    assert json.loads(rebuilt.body)["messages"][0]["text"] == "Your code is 4, 7."
    assert "Your code" not in repr(found)


@pytest.mark.parametrize(
    "fallback",
    [
        {},
        {"endpoint": 7, "body": CALL},
        {"endpoint": "/tts/9/advanced", "body": CALL},
        {"endpoint": "/tts/3/advanced"},
        {"endpoint": "/tts/3/advanced", "body": "Hello"},
        {"endpoint": "/tts/3/advanced", "body": {"messages": []}},
        {"endpoint": "/tts/3/advanced", "body": {"messages": [{"destinations": [{"to": ANNA}, {"to": BORIS}]}]}},
        {"endpoint": "/tts/3/advanced", "body": {"x": object()}},
        {"endpoint": "/tts/3/single", "body": {"text": "Hi", "to": ANNA}},
        {"channel": "sms", "endpoint": "/tts/3/advanced", "body": CALL},
        {"endpoint": "/email/3/send", "body": {"to": ANNA_AT}},
    ],
)
def test_a_fallback_that_cannot_be_sent_as_it_is_is_refused(fallback: Any) -> None:
    with pytest.raises(CannotResend) as caught:
        convert(fallback)
    assert ANNA not in str(caught.value)

"""Reports are posted: where to, how many at a time, in which form and order, and again until they are taken."""

import hashlib
import hmac
from base64 import b64encode
from typing import Any

import pytest

from infobip.simulator import Simulator
from infobip.simulator.callbacks import SCHEDULE
from tests.simulator.bodies import ID, NOTE, PERSON, hooked
from tests.simulator.receiver import Receiver
from tests.support.infobip import AT_ONCE, call, infobip, send, sms

BASIC = {"authId": "a-1", "type": "BASIC", "credentials": {"username": "ada", "password": "pw-71"}}


def subscribe(simulator: Simulator, url: str, channel: str = "SMS", name: str = "s-1", **more: Any) -> None:
    profile = {"profileId": f"profile-of-{name}", "webhook": {"notifyUrl": url}, **more.pop("profile", {})}
    body = {"subscriptionId": name, "events": ["DELIVERY", "SEEN"], "profile": profile, **more}
    answer = call(simulator, "POST", f"/subscriptions/1/subscription/{channel}", json=body)
    assert answer.status_code == 201, answer.text


def many(count: int, **webhooks: Any) -> dict[str, Any]:
    body = sms(**webhooks)
    people = [{"to": f"44770090{number:04d}", "messageId": f"m-{number}"} for number in range(count)]
    body["messages"][0]["destinations"] = people
    return body


def test_the_sends_own_url_is_first_then_the_subscription_then_the_account(receiver: Receiver) -> None:
    with infobip(notify_url=f"{receiver.url}/account/{{channel}}") as simulator:
        send(simulator, sms(message_id="m-account"))
        subscribe(simulator, f"{receiver.url}/subscription")
        send(simulator, sms(message_id="m-subscription"))
        send(simulator, hooked(sms(message_id="m-own"), f"{receiver.url}/own"))
        simulator.settle()
    found = {one.items[0]["messageId"]: one.path for one in receiver.got}
    assert found == {"m-account": "/account/sms", "m-subscription": "/subscription", "m-own": "/own"}


def test_the_sends_own_url_has_none_of_the_subscriptions_security(receiver: Receiver) -> None:
    with infobip() as simulator:
        subscribe(simulator, f"{receiver.url}/subscription", profile={"security": BASIC})
        send(simulator, hooked(sms(message_id="m-own"), f"{receiver.url}/own"))
        send(simulator, sms(message_id="m-subscription"))
        simulator.settle()
    assert "Authorization" not in receiver.of("/own")[0].headers
    assert receiver.of("/subscription")[0].headers["Authorization"] == f"Basic {b64encode(b'ada:pw-71').decode()}"


def test_who_wants_no_report_gets_none(receiver: Receiver) -> None:
    with infobip(notify_url=receiver.url) as simulator:
        send(simulator, sms(delivery={"notify": False}))
        simulator.settle()
    assert receiver.got == []


@pytest.mark.parametrize(
    ("algorithm", "name"), [("HMAC_SHA_256", "sha256"), ("HMAC_SHA_512", "sha512"), ("HMAC_MD5", "md5")]
)
def test_callbacks_are_signed_over_the_body_as_it_is_sent(receiver: Receiver, algorithm: str, name: str) -> None:
    credentials = {"secretKey": "s3cret", "algorithm": algorithm}
    with infobip() as simulator:
        subscribe(
            simulator,
            receiver.url,
            profile={"security": {"authId": "a-2", "type": "HMAC", "credentials": credentials}},
        )
        send(simulator, sms(text="Zażółć"))
        simulator.settle()
    (got,) = receiver.got
    digest = hmac.new(b"s3cret", got.body, getattr(hashlib, name)).hexdigest()
    assert got.headers["x-hub-signature"] == f"{name}={digest}"


def test_the_header_of_the_signature_can_be_changed(receiver: Receiver) -> None:
    credentials = {"secretKey": "s3cret", "algorithm": "HMAC_SHA_256"}
    with infobip({**AT_ONCE, "posting": {"hmac_header": "x-own-signature"}}) as simulator:
        security = {"authId": "a-3", "type": "HMAC", "credentials": credentials}
        subscribe(simulator, receiver.url, profile={"security": security, "headers": {"X-Shop": "71"}})
        send(simulator)
        simulator.settle()
    assert receiver.got[0].headers["x-own-signature"].startswith("sha256=")
    assert receiver.got[0].headers["X-Shop"] == "71"


def test_a_subscription_takes_only_what_meets_its_criteria_and_senders(receiver: Receiver) -> None:
    with infobip() as simulator:
        subscribe(simulator, f"{receiver.url}/orders", name="s-1", criteria=[{"applicationId": "orders"}])
        subscribe(simulator, f"{receiver.url}/shop", name="s-2", resources=["Shop"])
        for number, (application, sender) in enumerate([("orders", "Bank"), ("letters", "Shop"), ("letters", "Bank")]):
            body = sms(message_id=f"m-{number}", sender=sender)
            body["messages"][0]["options"] = {"platform": {"applicationId": application}}
            send(simulator, body)
        simulator.settle()
    assert {one.path: one.items[0]["messageId"] for one in receiver.got} == {"/orders": "m-0", "/shop": "m-1"}


# All reports are due in an hour, and so at the same moment when two hours are skipped.
LATER = {"otherwise": [{"after": "1h"}]}


def test_a_request_holds_no_more_reports_than_the_profile_allows(receiver: Receiver) -> None:
    with infobip(LATER) as simulator:
        subscribe(simulator, receiver.url, profile={"maxBucketSize": 40})
        send(simulator, many(100))
        simulator.advance(7200)
        simulator.settle()
    assert sorted(len(one.items) for one in receiver.got) == [20, 40, 40]
    assert len({item["messageId"] for item in receiver.items}) == 100


def test_without_a_profile_a_request_holds_a_hundred_reports(receiver: Receiver) -> None:
    with infobip(LATER) as simulator:
        send(simulator, many(250, delivery={"url": receiver.url}))
        simulator.advance(7200)
        simulator.settle()
    assert sorted(len(one.items) for one in receiver.got) == [50, 100, 100]


INTERMEDIATE = {
    "otherwise": [{"after": 0, "status": "PENDING_ENROUTE"}, {"after": "0.2s", "status": "DELIVERED_TO_HANDSET"}]
}


@pytest.mark.parametrize(
    ("wish", "asked", "groups"),
    [
        ("asked", True, ["PENDING", "DELIVERED"]),
        ("asked", False, ["DELIVERED"]),
        ("always", False, ["PENDING", "DELIVERED"]),
        ("never", True, ["DELIVERED"]),
    ],
)
def test_intermediate_reports_come_to_who_asks(receiver: Receiver, wish: str, asked: bool, groups: list[str]) -> None:
    with infobip({**INTERMEDIATE, "posting": {"intermediate": wish}}) as simulator:
        send(simulator, sms(delivery={"url": receiver.url, "intermediateReport": asked}))
        simulator.settle()
    assert [item["status"]["groupName"] for item in receiver.items] == groups


def test_the_senders_note_comes_back(receiver: Receiver) -> None:
    with infobip() as simulator:
        send(simulator, hooked(sms(), receiver.url))
        simulator.settle()
    assert receiver.items[0]["callbackData"] == NOTE


def test_reports_can_come_in_the_wrong_order_with_the_right_times(receiver: Receiver) -> None:
    wrong = {**INTERMEDIATE, "posting": {"out_of_order": 1, "intermediate": "always", "bucket": 1}}
    with infobip(wrong, notify_url=receiver.url) as simulator:
        send(simulator)
        simulator.settle()
    assert [item["status"]["groupName"] for item in receiver.items] == ["DELIVERED", "PENDING"]
    assert receiver.items[0]["doneAt"] > receiver.items[1]["doneAt"]


def test_reports_can_come_twice(receiver: Receiver) -> None:
    with infobip({**AT_ONCE, "posting": {"duplicates": 1}}, notify_url=receiver.url) as simulator:
        send(simulator)
        simulator.advance(2)
        simulator.settle()
    first, second = receiver.items
    assert first == second


def test_a_failed_step_comes_with_its_own_channel(receiver: Receiver) -> None:
    steps = [
        {"after": 0, "error": 7002, "leg": "rcs"},
        {"after": "0.1s", "status": "DELIVERED_TO_HANDSET", "leg": "sms"},
    ]
    body = sms()
    body["messages"][0] |= {
        "content": {"type": "TEXT", "text": "Hi"},
        "options": {"smsFailover": {"sender": "Shop", "text": "Hi"}},
    }
    with infobip({"otherwise": steps}, notify_url=receiver.url) as simulator:
        send(simulator, body, "/rcs/2/messages")
        simulator.settle()
    assert [(item["channel"], item["error"]["id"]) for item in receiver.items] == [("RCS", 7002), ("SMS", 0)]


def test_a_callback_is_repeated_on_infobips_schedule_until_it_is_taken(receiver: Receiver) -> None:
    receiver.answers = [500, 404, 302]
    with infobip(notify_url=receiver.url) as simulator:
        send(simulator, sms(message_id=ID))
        simulator.settle()
        for pause, posted in ((59, 1), (2, 2), (120, 3), (300, 4), (100_000, 4)):
            simulator.advance(pause)
            _settle_retries(simulator, posted)
        (callback,) = simulator.callbacks(message_id=ID)
    assert [attempt["answer"] for attempt in callback["attempts"]] == [500, 404, 302, 200]
    assert callback["state"] == "accepted"
    assert len({one.body for one in receiver.got}) == 1


def test_after_twenty_repetitions_in_41_and_a_half_hours_it_is_lost(receiver: Receiver) -> None:
    assert (len(SCHEDULE), SCHEDULE[-1]) == (20, 41.5 * 3600)
    receiver.answers = [503] * 100
    with infobip(notify_url=receiver.url) as simulator:
        send(simulator)
        simulator.settle()
        simulator.advance(SCHEDULE[-1] + 60)
        _settle_retries(simulator, 21)
        simulator.advance(10 * SCHEDULE[-1])
        _settle_retries(simulator, 21)
        assert simulator.counts()["callbacks"]["lost"] == 1
        assert [one["state"] for one in simulator.callbacks("lost")] == ["lost"]
    assert len(receiver.got) == 21


def _settle_retries(simulator: Simulator, attempts: int) -> None:
    """Wait until the callback was tried so often; a repetition that is due at once is rung for at once."""
    for _ in range(300):
        simulator.settle()
        if len(simulator.callbacks()[0]["attempts"]) >= attempts:
            return
        simulator.world.stopping.wait(0.02)
    raise AssertionError(f"{simulator.callbacks()} instead of {attempts} attempts")


def test_who_does_not_listen_is_tried_again(receiver: Receiver) -> None:
    with infobip(notify_url="http://127.0.0.1:9/nobody") as simulator:
        send(simulator)
        simulator.settle()
        (callback,) = simulator.callbacks()
        assert callback["state"] == "waiting"
        assert isinstance(callback["attempts"][0]["answer"], str)
        assert simulator.counts()["waiting"]["retries"] == 1


def test_a_slow_receiver_is_given_up_and_tried_again(receiver: Receiver) -> None:
    with infobip({**AT_ONCE, "posting": {"timeout": "0.2s"}}, notify_url=receiver.url) as simulator, receiver.lock:
        send(simulator)
        simulator.settle()
        assert simulator.callbacks()[0]["attempts"][0]["answer"] == "ReadTimeoutError"


def test_nothing_is_posted_to_the_world_outside_unless_the_operator_says_so(simulator: Simulator) -> None:
    # A public address that was given back (RFC 7526): nobody is there, should this ever be asked.
    send(simulator, hooked(sms(), "http://192.88.99.1:9/dlr"))
    simulator.settle()
    (callback,) = simulator.callbacks()
    assert (callback["state"], callback["attempts"]) == ("withheld", [])


def test_xml_comes_to_who_asks_for_it(receiver: Receiver) -> None:
    with infobip() as simulator:
        body = hooked(sms(text="a"), receiver.url, "application/xml")
        body["messages"][0]["webhooks"]["callbackData"] = "5 < 6 & \x07 more"
        send(simulator, body)
        simulator.settle()
    (got,) = receiver.got
    assert got.headers["Content-Type"] == "application/xml"
    assert got.body.startswith(b'<?xml version="1.0" encoding="UTF-8"?><DeliveryReports><results><result>')
    assert b"<callbackData>5 &lt; 6 &amp;  more</callbackData>" in got.body


def test_a_planned_message_is_reported_after_its_time(receiver: Receiver) -> None:
    with infobip(notify_url=receiver.url) as simulator:
        send(simulator, {**sms(), "options": {"schedule": {"sendAt": "2999-01-01T00:00:00.000+0000"}}})
        assert simulator.counts()["waiting"]["reports"] == 1
        simulator.advance(1000 * 365 * 86400)
        simulator.settle()
    assert [item["to"] for item in receiver.items] == [PERSON]

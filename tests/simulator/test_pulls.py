"""Reports to be fetched: each once."""

from typing import Any

import pytest

from infobip.inbound import read
from infobip.simulator import Simulator
from infobip.simulator.pulls import PATHS
from tests.simulator.bodies import BY_PATH, ID
from tests.simulator.receiver import Receiver
from tests.simulator.test_sends import post
from tests.support.infobip import AT_ONCE, call, infobip, send, sms

PULLED = {
    "/sms/3/reports": "/sms/3/messages",
    "/sms/1/reports": "/sms/2/text/advanced",
    "/email/4/reports": "/email/4/messages",
    "/email/1/reports": "/email/3/send",
    "/voice/1/reports": "/tts/3/advanced",
    "/mms/2/reports": "/mms/2/messages",
    "/viber/2/reports": "/viber/2/messages",
    "/rcs/2/reports": "/rcs/2/messages",
    "/push/3/reports": "/push/3/messages",
    "/push/1/reports": "/push/3/messages",
    "/omni/1/reports": "/omni/1/advanced",
    "/line/1/reports": "/line/1/messages",
    "/messenger/1/reports": "/messenger/1/messages",
    "/instagram/1/reports": "/instagram/1/messages",
    "/apple-mfb/1/reports": "/apple-mfb/1/messages",
    "/kakao/1/reports": "/kakao-alim/1/messages",
    "/tiktok/1/reports": "/tiktok/1/messages",
}


def pull(simulator: Simulator, path: str = "/sms/3/reports", **query: Any) -> list[dict[str, Any]]:
    answer = call(simulator, "GET", path, params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["results"]
    return found


def test_every_pull_is_tried_here() -> None:
    assert set(PULLED) == set(PATHS)


@pytest.mark.parametrize("path", PULLED)
def test_a_report_is_given_out_once_and_can_be_read(simulator: Simulator, path: str) -> None:
    door = BY_PATH[PULLED[path]]
    post(simulator, door)
    simulator.settle()
    answer = call(simulator, "GET", path)
    reading = read(answer.content, "application/json", door.channel)
    assert reading.faults == ()
    assert [(item.report.message_id, item.report.status.id) for item in reading.items if item.report.status] == [
        (ID, 5)
    ]
    assert pull(simulator, path) == []


def test_email_v4_gives_the_unified_shape_and_v1_the_older_one(simulator: Simulator) -> None:
    for path, member in (("/email/4/reports", "messageCount"), ("/email/1/reports", "smsCount")):
        post(simulator, BY_PATH["/email/4/messages"])
        simulator.settle()
        assert member in pull(simulator, path)[0]
        simulator.reset()


def test_whatsapp_is_pulled_by_messages_api(simulator: Simulator) -> None:
    post(simulator, BY_PATH["/whatsapp/1/message/text"])
    simulator.settle()
    assert pull(simulator, "/messages-api/1/reports", channel="SMS") == []
    (found,) = pull(simulator, "/messages-api/1/reports", channel="WHATSAPP")
    assert (found["event"], found["channel"], found["destination"]) == ("DELIVERY", "WHATSAPP", "447700900123")
    assert pull(simulator, "/messages-api/1/reports", channel="WHATSAPP") == []
    assert call(simulator, "GET", "/messages-api/1/reports?channel=POST").status_code == 400


def test_a_later_state_is_a_new_report() -> None:
    late = [{"after": 0, "error": "EC_ABSENT_SUBSCRIBER"}, {"after": "1h", "status": "DELIVERED_TO_HANDSET"}]
    with infobip({"otherwise": late}) as simulator:
        send(simulator, sms(message_id=ID))
        simulator.advance(1)
        first = _pull_soon(simulator)
        simulator.advance(3601)
        simulator.settle()
        second = pull(simulator)
    assert [one["status"]["groupName"] for one in (*first, *second)] == ["UNDELIVERABLE", "DELIVERED"]


def _pull_soon(simulator: Simulator) -> list[dict[str, Any]]:
    for _ in range(200):
        if found := pull(simulator):
            return found
    raise AssertionError("no report came")


def test_filters_and_the_limit_leave_the_others_for_later(simulator: Simulator) -> None:
    for number in range(4):
        send(simulator, sms(message_id=f"m-{number}"))
    simulator.settle()
    assert [one["messageId"] for one in pull(simulator, messageId="m-2")] == ["m-2"]
    assert [one["messageId"] for one in pull(simulator, limit=2)] == ["m-0", "m-1"]
    assert [one["messageId"] for one in pull(simulator)] == ["m-3"]
    assert call(simulator, "GET", "/sms/3/reports?limit=1001").status_code == 400


def test_after_48_hours_there_is_nothing_to_pull(simulator: Simulator) -> None:
    send(simulator)
    simulator.settle()
    simulator.advance(48 * 3600 + 1)
    assert pull(simulator) == []


@pytest.mark.parametrize("also", [False, True])
def test_what_was_posted_is_not_pulled_unless_the_scenario_says_so(receiver: Receiver, also: bool) -> None:
    with infobip({**AT_ONCE, "pull_pushed": also}, notify_url=receiver.url) as simulator:
        send(simulator)
        simulator.settle()
        assert len(receiver.items) == 1
        assert len(pull(simulator)) == also

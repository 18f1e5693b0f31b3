"""Logs: repeatable, filtered, page by page, for 48 hours."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infobip.simulator import Simulator
from infobip.simulator.logs import LOGS
from tests.simulator.bodies import BY_PATH, ID, PERSON, hooked
from tests.simulator.test_sends import post
from tests.support.infobip import AT_ONCE, call, infobip, send, sms

LOGGED = [
    ("/sms/3/logs", "/sms/3/messages"),
    ("/sms/1/logs", "/sms/2/text/advanced"),
    ("/email/4/logs", "/email/4/messages"),
    ("/email/1/logs", "/email/3/send"),
    ("/mms/2/logs", "/mms/2/messages"),
    ("/viber/2/logs", "/viber/2/messages"),
    ("/rcs/2/logs", "/rcs/2/messages"),
    ("/push/3/logs", "/push/3/messages"),
    ("/tts/3/logs", "/tts/3/advanced"),
    ("/omni/1/logs", "/omni/1/advanced"),
]


def logs(simulator: Simulator, path: str = "/sms/3/logs", **query: Any) -> list[dict[str, Any]]:
    answer = call(simulator, "GET", path, params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["results"]
    return found


def test_every_logs_endpoint_is_tried_here() -> None:
    assert {path for path, _ in LOGGED} == {log.path for log in LOGS}


@pytest.mark.parametrize(("path", "sending"), LOGGED)
def test_a_message_is_in_the_logs_of_its_channel_again_and_again(simulator: Simulator, path: str, sending: str) -> None:
    post(simulator, BY_PATH[sending])
    simulator.settle()
    first, second = (logs(simulator, path, messageId=ID) for _ in range(2))
    assert first == second
    assert [(one["messageId"], one["status"]["groupName"]) for one in first] == [(ID, "DELIVERED")]


def test_the_logs_of_one_channel_hold_no_other(simulator: Simulator) -> None:
    send(simulator, sms(message_id=ID))
    assert logs(simulator, "/viber/2/logs") == []


def test_logs_hold_the_text_but_neither_note_nor_url_nor_html(simulator: Simulator) -> None:
    send(simulator, hooked(sms(message_id="m-71"), "http://127.0.0.1:9/none"))
    (sent,) = logs(simulator)
    assert sent["content"] == {"text": "Your parcel is here"}
    post(simulator, BY_PATH["/email/4/messages"])
    (mailed,) = logs(simulator, "/email/4/logs")
    assert mailed["text"] == "It is here"
    told = json.dumps([sent, mailed])
    assert [word for word in ("order=71", "127.0.0.1", 'Your parcel"') if word in told] == []


def test_a_message_shows_in_the_logs_after_a_while_only() -> None:
    with infobip({**AT_ONCE, "logs_delay": "10m"}) as simulator:
        send(simulator, sms(message_id=ID))
        assert logs(simulator, messageId=ID) == []
        simulator.advance(601)
        assert len(logs(simulator, messageId=ID)) == 1


def test_after_48_hours_it_is_gone(simulator: Simulator) -> None:
    send(simulator, sms(message_id=ID))
    simulator.advance(47 * 3600)
    assert len(logs(simulator, messageId=ID)) == 1
    simulator.advance(3601)
    assert logs(simulator, messageId=ID) == []


def test_before_its_report_a_message_is_pending_in_the_logs() -> None:
    with infobip({"otherwise": [{"after": "1h"}]}) as simulator:
        send(simulator, sms(message_id=ID))
        (before,) = logs(simulator)
        simulator.advance(3601)
        simulator.settle()
        (after,) = logs(simulator)
    assert (before["status"]["groupName"], "doneAt" in before) == ("PENDING", False)
    assert (after["status"]["groupName"], "doneAt" in after) == ("DELIVERED", True)


NETWORKS = {**AT_ONCE, "networks": {"44770": "23410", "38591": "21910"}}


def test_every_filter_keeps_what_it_names() -> None:
    with infobip(NETWORKS) as simulator:
        message = sms(PERSON, message_id="m-1", sender="Shop")["messages"][0]
        message["options"] = {
            "campaignReferenceId": "spring",
            "platform": {"applicationId": "orders", "entityId": "north"},
        }
        send(simulator, {"messages": [message], "options": {"schedule": {"bulkId": "bulk-1"}}})
        send(simulator, sms("385910000001", message_id="m-2", sender="Bank"))
        simulator.settle()
        filters = {
            "sender": "Shop",
            "destination": PERSON,
            "bulkId": "bulk-0,bulk-1",
            "messageId": "m-1,m-9",
            "campaignReferenceId": "winter,spring",
            "applicationId": "orders",
            "entityId": "north",
            "mcc": "234",
        }
        found = {name: [one["messageId"] for one in logs(simulator, **{name: filters[name]})] for name in filters}
        assert set(map(tuple, found.values())) == {("m-1",)}, found
        assert [one["messageId"] for one in logs(simulator, mcc="219", mnc="10")] == ["m-2"]
        assert len(logs(simulator, generalStatus="DELIVERED")) == 2
        assert logs(simulator, generalStatus="REJECTED") == []


def test_times_are_filters(simulator: Simulator) -> None:
    send(simulator, sms(message_id=ID))
    now = datetime.now(UTC)
    before, after = ((now + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%S.000+0000") for minutes in (-5, 5))
    assert len(logs(simulator, sentSince=before, sentUntil=after)) == 1
    assert logs(simulator, sentSince=after) == []
    assert logs(simulator, sentUntil=before) == []


def test_the_older_logs_have_the_older_names(simulator: Simulator) -> None:
    post(simulator, BY_PATH["/sms/2/text/advanced"])
    (found,) = logs(simulator, "/sms/1/logs", **{"from": "Shop", "to": PERSON})
    assert (found["from"], found["to"], found["smsCount"], found["text"]) == ("Shop", PERSON, 1, "Parcel")


def test_a_cursor_leads_through_all_pages_once_while_more_is_sent(simulator: Simulator) -> None:
    for number in range(7):
        send(simulator, sms(message_id=f"m-{number}"))
    seen: list[str] = []
    query: dict[str, Any] = {"useCursor": "true", "limit": 3}
    while True:
        page = call(simulator, "GET", "/sms/3/logs", params=query).json()
        seen += [one["messageId"] for one in page["results"]]
        send(simulator, sms(message_id=f"late-{len(seen)}"))
        if "nextCursor" not in page["cursor"]:
            break
        query["cursor"] = page["cursor"]["nextCursor"]
    assert seen == [f"m-{number}" for number in range(6, -1, -1)]


def test_without_a_cursor_the_newest_fifty_come(simulator: Simulator) -> None:
    body = sms()
    body["messages"][0]["destinations"] = [{"to": PERSON, "messageId": f"m-{number}"} for number in range(60)]
    send(simulator, body)
    found = logs(simulator)
    assert (len(found), found[0]["messageId"]) == (50, "m-59")
    assert "cursor" not in call(simulator, "GET", "/sms/3/logs").json()


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "1001"},
        {"limit": "many"},
        {"mnc": "10"},
        {"generalStatus": "LOST"},
        {"sentSince": "yesterday"},
        {"sentSince": "2031-05-06T07:08:09.000 0000"},
        {"messageId": ",".join(["x" * 100] * 21)},
        {"useCursor": "true", "cursor": "???"},
    ],
)
def test_a_parameter_that_is_wrong_is_named(simulator: Simulator, query: dict[str, str]) -> None:
    answer = call(simulator, "GET", "/sms/3/logs", params=query)
    assert answer.status_code == 400
    assert answer.json()["violations"][0]["property"] in {*query, "mcc"}

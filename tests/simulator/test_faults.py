"""The faults that a scenario asks for, on a real wire."""

import socket
import time
from typing import Any

import pytest
import requests

from infobip.simulator import Simulator
from tests.simulator.bodies import ID
from tests.support.infobip import AT_ONCE, KEY, call, infobip, send, sms


def faulty(fault: dict[str, Any], **match: Any) -> dict[str, Any]:
    return {**AT_ONCE, "rule": [{"name": "the fault", "match": match, "fault": fault}]}


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 502, 503, 504])
def test_a_status_instead_of_an_answer(status: int) -> None:
    with infobip(faulty({"status": status})) as simulator:
        new = call(simulator, "POST", "/sms/3/messages", json=sms())
        old = call(simulator, "POST", "/sms/2/text/advanced", json={"messages": [_old()]})
        assert (new.status_code, new.json()["errorCode"]) == (status, f"E{status}")
        assert old.status_code == status
        assert "requestError" in old.json()
        assert simulator.sends() == []
        assert simulator.counts()["faults"] == {str(status): 2}


def _old() -> dict[str, Any]:
    return {"from": "Shop", "destinations": [{"to": "447700900123"}], "text": "Hi"}


def test_too_many_requests_come_with_and_without_a_time_to_wait() -> None:
    with infobip(faulty({"status": 429, "retry_after": "7s"})) as simulator:
        assert call(simulator, "POST", "/sms/3/messages", json=sms()).headers["Retry-After"] == "7"
        simulator.load(faulty({"status": 429}))
        assert "Retry-After" not in call(simulator, "POST", "/sms/3/messages", json=sms()).headers


def test_dropped_after_accepting_there_is_no_answer_but_a_message() -> None:
    with infobip(faulty({"drop": "after"})) as simulator:
        with pytest.raises(requests.ConnectionError):
            call(simulator, "POST", "/sms/3/messages", json=sms(message_id=ID))
        (entry,) = simulator.sends(ID)
        assert (entry["outcome"], entry["answered"]) == ("accepted", False)
        (logged,) = call(simulator, "GET", f"/sms/3/logs?messageId={ID}").json()["results"]
        assert logged["messageId"] == ID


def test_dropped_before_accepting_there_is_nothing() -> None:
    with infobip(faulty({"drop": "before"}, recipient=["447700900123"])) as simulator:
        with pytest.raises(requests.ConnectionError):
            call(simulator, "POST", "/sms/3/messages", json=sms(message_id=ID))
        assert simulator.sends() == []
        assert simulator.counts()["faults"] == {"drop before": 1}
        send(simulator, sms(to="447700900124"))


def test_a_drop_that_needs_no_body_resets_the_connection_without_reading_it() -> None:
    with infobip(faulty({"drop": "before"}, channel=["sms"])) as simulator, socket.socket() as client:
        client.settimeout(10)
        client.connect(("127.0.0.1", simulator.port))
        # The body that the header promises never comes, so an answer could only come from who does not wait for it.
        head = f"POST /sms/3/messages HTTP/1.1\r\nHost: x\r\nAuthorization: App {KEY}\r\nContent-Length: 5000\r\n\r\n"
        client.sendall(head.encode())
        with pytest.raises(ConnectionResetError):
            client.recv(100)


def test_a_slow_answer_comes_after_the_message_was_accepted() -> None:
    with infobip({**AT_ONCE, "rule": [{"name": "slow", "slow": "5s"}]}) as simulator:
        with pytest.raises(requests.ReadTimeout):
            call(simulator, "POST", "/sms/3/messages", json=sms(message_id=ID), timeout=0.5)
        assert simulator.times_accepted(ID) == 1


def test_stopping_does_not_wait_for_a_slow_answer() -> None:
    begun = time.monotonic()
    with infobip({**AT_ONCE, "rule": [{"name": "slow", "slow": "300s"}]}) as simulator, pytest.raises(requests.Timeout):
        call(simulator, "POST", "/sms/3/messages", json=sms(), timeout=0.3)
    assert time.monotonic() - begun < 60


def test_one_bad_recipient_faults_the_whole_request() -> None:
    with infobip(faulty({"status": 500}, recipient="447700900124")) as simulator:
        body = sms()
        body["messages"][0]["destinations"] = [{"to": "447700900123"}, {"to": "447700900124"}]
        assert call(simulator, "POST", "/sms/3/messages", json=body).status_code == 500
        assert simulator.sends() == []


def test_the_first_request_fails_and_its_repetition_is_accepted() -> None:
    with infobip(faulty({"status": 503}, request=1)) as simulator:
        answers = [call(simulator, "POST", "/sms/3/messages", json=sms()).status_code for _ in range(2)]
        assert answers == [503, 200]


def test_a_rule_can_apply_so_many_times_only() -> None:
    with infobip(faulty({"status": 500}, times=2)) as simulator:
        answers = [call(simulator, "POST", "/sms/3/messages", json=sms()).status_code for _ in range(3)]
        assert answers == [500, 500, 200]


def test_an_outage_lasts_from_its_beginning_to_its_end_in_simulated_time() -> None:
    outage = {"from": "10m", "until": "12m"}
    with infobip(faulty({"drop": "before"}, **outage)) as simulator:
        send(simulator)
        simulator.advance(601)
        with pytest.raises(requests.ConnectionError):
            send(simulator)
        simulator.advance(120)
        send(simulator)


@pytest.mark.parametrize(
    ("api", "method", "path"),
    [
        ("logs", "GET", "/sms/3/logs"),
        ("reports", "GET", "/sms/3/reports"),
        ("reports", "GET", "/messages-api/1/reports?channel=SMS"),
        ("blocklist", "GET", "/platform/1/blocklists"),
        ("suppressions", "GET", "/email/1/suppressions/domains"),
        ("subscriptions", "GET", "/subscriptions/1/subscription/SMS"),
        ("account", "GET", "/account/1/balance"),
        ("push", "PATCH", "/people/2/contactInformation/push/device-71"),
        ("token", "POST", "/auth/1/oauth2/token"),
        ("validate", "POST", "/messages-api/1/messages/validate"),
    ],
)
def test_each_part_of_the_api_can_fail_and_only_that(api: str, method: str, path: str) -> None:
    with infobip(faulty({"status": 503}, api=api)) as simulator:
        assert call(simulator, method, path, json={}).status_code == 503
        send(simulator)
        simulator.load(faulty({"drop": "before"}, api=api))
        with pytest.raises(requests.ConnectionError):
            call(simulator, method, path, json={})


def test_a_faulty_pull_gives_no_report_away(simulator: Simulator) -> None:
    send(simulator, sms(message_id=ID))
    simulator.settle()
    simulator.load(faulty({"drop": "before"}, api="reports", times=1))
    with pytest.raises(requests.ConnectionError):
        call(simulator, "GET", "/sms/3/reports")
    assert len(call(simulator, "GET", "/sms/3/reports").json()["results"]) == 1


def test_a_pull_whose_answer_is_lost_loses_its_reports(simulator: Simulator) -> None:
    send(simulator, sms(message_id=ID))
    simulator.settle()
    simulator.load(faulty({"drop": "after"}, api="reports", times=1))
    with pytest.raises(requests.ConnectionError):
        call(simulator, "GET", "/sms/3/reports")
    assert call(simulator, "GET", "/sms/3/reports").json()["results"] == []

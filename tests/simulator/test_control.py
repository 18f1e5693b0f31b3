"""The simulator's own addresses, and that it stands a crowd."""

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from infobip.simulator import CannotListen, Simulator
from tests.simulator.bodies import ID, NOTE, PERSON, hooked
from tests.simulator.receiver import Receiver
from tests.support.infobip import AT_ONCE, KEY, call, fails_first, infobip, send, sms


def view(simulator: Simulator, path: str) -> Any:
    """Ask without a credential: these addresses need none."""
    return requests.get(f"{simulator.url}/simulator/{path}", timeout=20).json()


def test_sends_are_listed_and_found_by_id_and_recipient(simulator: Simulator) -> None:
    send(simulator, hooked(sms(message_id="m-1"), "http://127.0.0.1:9/"))
    send(simulator, sms("447700900124", message_id="m-2"))
    send(simulator, sms("447700900124", message_id="m-1"))
    found = [
        [entry["messageId"] for entry in view(simulator, f"sends?{query}")["results"]]
        for query in ("", "messageId=m-1", "recipient=447700900124", "limit=1&offset=1")
    ]
    assert found == [["m-1", "m-2", "m-1"], ["m-1", "m-1"], ["m-2", "m-1"], ["m-2"]]
    (first, _) = view(simulator, "sends?messageId=m-1")["results"]
    assert (first["recipient"], first["endpoint"], first["callbackData"]) == (PERSON, "/sms/3/messages", NOTE)
    assert (first["outcome"], first["attempt"], first["answered"]) == ("accepted", 1, True)


def test_equal_contents_have_equal_hashes(simulator: Simulator) -> None:
    for text in ("one", "one", "two"):
        send(simulator, sms(text=text))
    first, second, third = (entry["contentHash"] for entry in simulator.sends())
    assert first == second != third


def test_counts_tell_what_happened(receiver: Receiver) -> None:
    with infobip({**fails_first(27), "duplicate_ids": "accept"}, notify_url=receiver.url) as simulator:
        for _ in range(2):
            send(simulator, sms(message_id=ID))
        call(simulator, "GET", "/sms/3/logs")
        simulator.settle()
        counts = view(simulator, "counts")
    assert counts["requests"] == {"POST /sms/3/messages": 2, "GET /sms/3/logs": 1}
    assert counts["submissions"] == {"accepted": 2}
    assert (counts["messages"], counts["acceptedTwice"], counts["sameContentToSameRecipient"]) == (1, {ID: 2}, 1)
    assert counts["reports"] == {"UNDELIVERABLE": 1, "DELIVERED": 1}
    assert counts["callbacks"]["reports"] == 2
    assert counts["waiting"] == {"reports": 0, "retries": 0, "pulls": 0}


def test_callbacks_show_where_they_went_and_how_they_were_answered(receiver: Receiver) -> None:
    receiver.answers = [500]
    with infobip(notify_url=receiver.url) as simulator:
        send(simulator, sms(message_id="m-1"))
        simulator.settle()
        send(simulator, sms(message_id="m-2"))
        simulator.settle()
        waiting, accepted = (
            view(simulator, f"callbacks?state={state}")["results"] for state in ("waiting", "accepted")
        )
        (shown,) = view(simulator, "callbacks?messageId=m-2&bodies=1")["results"]
    assert [one["messageIds"] for one in (*waiting, *accepted)] == [["m-1"], ["m-2"]]
    assert [attempt["answer"] for attempt in waiting[0]["attempts"]] == [500]
    assert json.loads(shown["body"])["results"][0]["to"] == PERSON


def test_a_scenario_is_replaced_while_it_runs(simulator: Simulator) -> None:
    url = f"{simulator.url}/simulator/scenario"
    assert requests.post(url, json={"shipped": "calm"}, timeout=20).json() == {"scenario": "calm"}
    toml = 'name = "own"\n[[rule]]\nname = "a"\nfault = { status = 500 }\n'
    headers = {"Content-Type": "application/toml"}
    assert requests.post(url, data=toml, headers=headers, timeout=20).json() == {"scenario": "own"}
    assert call(simulator, "POST", "/sms/3/messages", json=sms()).status_code == 500


def test_a_scenario_with_mistakes_is_refused_and_the_old_one_goes_on(simulator: Simulator) -> None:
    url = f"{simulator.url}/simulator/scenario"
    for body in ({"rule": [{"name": "a", "answer": "NO_SUCH"}]}, {"shipped": "clam"}, ["x"]):
        answer = requests.post(url, json=body, timeout=20)
        assert answer.status_code == 400
        assert answer.json()["requestError"]["serviceException"]["text"]
    send(simulator)


def test_the_clock_is_sped_up_and_advanced(simulator: Simulator) -> None:
    url = f"{simulator.url}/simulator/clock"
    before = view(simulator, "clock")["simulated"]
    after = requests.post(url, json={"advance": "2h"}, timeout=20).json()
    assert after["simulated"] - before >= 7200
    assert requests.post(url, json={"speed": 50}, timeout=20).json()["speed"] == 50
    assert view(simulator, "clock")["speed"] == 50
    requests.post(url, json={"speed": 1}, timeout=20)
    for body in ({"speed": 0}, {"speed": "fast"}, {"advance": "-2h"}, {"advance": None}):
        assert requests.post(url, json=body, timeout=20).status_code == 400


def test_time_that_is_sped_up_brings_reports_early_with_dates_of_now(receiver: Receiver) -> None:
    with infobip({"otherwise": [{"after": "1d"}]}, notify_url=receiver.url, speed=500_000) as simulator:
        send(simulator)
        simulator.settle()
    (item,) = receiver.items
    assert item["sentAt"][:13] <= item["doneAt"][:13]
    assert item["doneAt"] > item["sentAt"]


def test_a_reset_forgets_all_that_happened(simulator: Simulator) -> None:
    send(simulator, sms(message_id=ID))
    simulator.opt_out(PERSON)
    assert requests.post(f"{simulator.url}/simulator/reset", timeout=20).status_code == 204
    (again,) = send(simulator, sms(message_id=ID))["messages"]
    assert again["status"]["id"] == 26
    assert simulator.counts()["submissions"] == {"accepted": 1}


def test_two_simulators_know_nothing_of_each_other() -> None:
    with infobip() as one, infobip() as other:
        send(one)
        assert (len(one.sends()), len(other.sends())) == (1, 0)


def test_a_port_that_is_taken_is_said_so(simulator: Simulator) -> None:
    with pytest.raises(CannotListen, match="Choose another port"):
        Simulator(port=simulator.port)


def test_no_number_comes_into_a_log(caplog: pytest.LogCaptureFixture, receiver: Receiver) -> None:
    caplog.set_level(logging.DEBUG)
    receiver.answers = [500, 500]
    with infobip(notify_url=f"{receiver.url}/{PERSON}") as simulator:
        send(simulator)
        call(simulator, "GET", f"/sms/3/logs?destination={PERSON}")
        call(simulator, "GET", f"/nowhere/{PERSON}")
        simulator.settle()
    ours = [record.getMessage() for record in caplog.records if "urllib3" not in record.name]
    assert [line for line in ours if PERSON in line or KEY in line] == []


def test_two_thousand_messages_at_once_are_all_accepted_and_reported_once(receiver: Receiver) -> None:
    rules = [{"name": "away", "match": {"share": 0.03, "attempt": 1}, "reports": [{"after": 0, "error": 27}]}]
    with infobip({**AT_ONCE, "seed": 71, "rule": rules}, notify_url=receiver.url) as simulator:

        def four(number: int) -> int:
            body = sms()
            people = [{"to": f"4477{index:08d}", "messageId": f"m-{index}"} for index in range(number, number + 4)]
            body["messages"][0]["destinations"] = people
            return call(simulator, "POST", "/sms/3/messages", json=body).status_code

        with ThreadPoolExecutor(8) as pool:
            answers = set(pool.map(four, range(0, 2000, 4)))
        simulator.settle(60)
        counts = simulator.counts()
    assert answers == {200}
    assert (counts["submissions"], counts["acceptedTwice"]) == ({"accepted": 2000}, {})
    ids = [item["messageId"] for item in receiver.items]
    assert (len(ids), len(set(ids))) == (2000, 2000)
    failed = sum(item["error"]["id"] == 27 for item in receiver.items)
    assert failed == counts["reports"]["UNDELIVERABLE"]
    assert 30 <= failed <= 100


def test_one_that_was_never_started_can_be_stopped() -> None:
    Simulator().stop()

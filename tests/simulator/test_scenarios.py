"""Scenarios: what they may say, and that they are carried out as they say it."""

from pathlib import Path
from typing import Any

import pytest

from infobip.simulator import (
    Count,
    Match,
    Rule,
    Scenario,
    ScenarioError,
    Simulator,
    Step,
    load_scenario,
    read_scenario,
    shipped_names,
)
from tests.simulator.bodies import PERSON
from tests.simulator.test_pulls import pull
from tests.support.infobip import AT_ONCE, fails_first, infobip, send, sms

AWAY = [{"after": 0, "error": "EC_ABSENT_SUBSCRIBER"}]


def fate(simulator: Simulator, **message: Any) -> int:
    """Return the error that a message ends with."""
    send(simulator, sms(**message))
    simulator.settle()
    (report,) = pull(simulator)
    error: int = report["error"]["id"]
    return error


def test_the_first_rule_that_matches_decides() -> None:
    rules = [
        {"name": "away", "match": {"prefix": "4477009001"}, "reports": AWAY},
        {"name": "gone", "match": {"prefix": "447700"}, "reports": [{"after": 0, "error": 1}]},
    ]
    with infobip({**AT_ONCE, "rule": rules}) as simulator:
        assert [fate(simulator, to=to) for to in (PERSON, "447700900999", "385910000001")] == [27, 1, 0]
        assert [entry["rule"] for entry in simulator.sends()] == ["away", "gone", ""]


@pytest.mark.parametrize(
    "match",
    [
        {"recipient": PERSON},
        {"prefix": ["999", "4477"]},
        {"channel": ["email", "sms"]},
        {"sender": "Shop"},
        {"network": "23430"},
        {"attempt": 1},
        {"request": "1+"},
        {"until": "1h"},
        {"share": 1},
    ],
)
def test_every_condition_lets_what_it_names_through(match: dict[str, Any]) -> None:
    rules = [{"name": "away", "match": match, "reports": AWAY}]
    with infobip({**AT_ONCE, "rule": rules, "networks": {"44": "23430"}}) as simulator:
        assert fate(simulator) == 27


@pytest.mark.parametrize(
    "match",
    [
        {"recipient": "447700900999"},
        {"prefix": "385"},
        {"channel": "email"},
        {"sender": "Bank"},
        {"network": "21910"},
        {"attempt": "2+"},
        {"request": 2},
        {"from": "1h"},
        {"share": 0},
    ],
)
def test_every_condition_holds_the_others_back(match: dict[str, Any]) -> None:
    with infobip({**AT_ONCE, "rule": [{"name": "away", "match": match, "reports": AWAY}]}) as simulator:
        assert fate(simulator) == 0


def test_a_message_fails_first_and_is_delivered_at_the_second_try() -> None:
    with infobip(fails_first("EC_ABSENT_SUBSCRIBER", attempts=2)) as simulator:
        assert [fate(simulator, message_id=f"m.r{number}") for number in range(4)] == [27, 27, 0, 0]
        assert fate(simulator, text="something else") == 27


def test_a_share_is_the_same_in_every_run_and_another_with_another_seed() -> None:
    def chosen(seed: int) -> list[str]:
        rules = [{"name": "away", "match": {"share": 0.1}, "reports": AWAY}]
        with infobip({**AT_ONCE, "seed": seed, "rule": rules}) as simulator:
            body = sms()
            people = [{"to": f"4477{number:08d}", "messageId": f"m-{number}"} for number in range(400)]
            body["messages"][0]["destinations"] = people
            send(simulator, body)
            return [entry["messageId"] for entry in simulator.sends() if entry["rule"]]

    first = chosen(1)
    assert 20 <= len(first) <= 65
    assert chosen(1) == first
    assert chosen(2) != first


def test_a_share_of_the_recipients_meets_the_same_people_at_every_try() -> None:
    rules = [{"name": "gone", "match": {"share": 0.3, "share_of": "recipient"}, "reports": AWAY}]
    with infobip({**AT_ONCE, "rule": rules}) as simulator:
        people = [f"4477009{number:05d}" for number in range(40)]
        for text in ("one", "two"):
            for to in people:
                send(simulator, sms(to=to, text=text))
        gone = [entry["recipient"] for entry in simulator.sends() if entry["rule"]]
    assert gone[: len(gone) // 2] == gone[len(gone) // 2 :]
    assert gone


def test_a_code_is_that_of_the_channel() -> None:
    rules = [{"name": "suspected", "reports": [{"after": 0, "status": 87}]}]
    names = {}
    with infobip({**AT_ONCE, "rule": rules}) as simulator:
        send(simulator, sms())
        send(simulator, {"messages": [{"destinations": [{"to": PERSON}], "text": "Hi"}]}, "/tts/3/advanced")
        simulator.settle()
        names = {path: pull(simulator, path)[0]["status"]["name"] for path in ("/sms/3/reports", "/voice/1/reports")}
    assert names["/sms/3/reports"] == "SIGNALS_BLOCKED"
    assert names["/voice/1/reports"] == "REJECTED_INVALID_DELIVERY_TIME_WINDOW"


def test_a_status_or_an_error_alone_brings_its_fellow() -> None:
    steps = {"EC_ABSENT_SUBSCRIBER": 9, "NO_ERROR": 5}
    for error, status in steps.items():
        with infobip({"otherwise": [{"after": 0, "error": error}]}) as simulator:
            send(simulator)
            simulator.settle()
            assert pull(simulator)[0]["status"]["id"] == status
    with infobip({"otherwise": [{"after": 0, "status": "EXPIRED_EXPIRED"}]}) as simulator:
        send(simulator)
        simulator.settle()
        assert pull(simulator)[0]["error"]["id"] == 0


def test_a_scenario_can_be_built_in_python() -> None:
    away = Rule("away", Match(channel=frozenset({"sms"}), attempt=Count(1, 1)), (Step(0, error=27),))
    with infobip(Scenario(rules=(away,), otherwise=(Step(0),))) as simulator:
        assert [fate(simulator), fate(simulator)] == [27, 0]


def test_a_code_that_there_is_not_is_found_in_a_built_scenario_too() -> None:
    with pytest.raises(ScenarioError, match=r"rule 'away', error: the tables hold no error 'EC_NOBODY'"):
        Simulator(Scenario(rules=(Rule("away", reports=(Step(error="EC_NOBODY"),)),)))


@pytest.mark.parametrize(
    ("scenario", "complaint"),
    [
        ({"rules": []}, "the scenario, rules: there is no such key. Did you mean rule?"),
        ({"seed": "one"}, "the scenario, seed: Not a valid integer."),
        ({"rule": [{"name": "a", "reprots": []}]}, "the scenario, rule 1 (a), reprots: there is no such key."),
        ({"rule": [{"name": "a"}]}, "rule 1 (a): it says not what happens. Write reports, answer, fault or slow."),
        ({"rule": [{"name": "a", "slow": "fast"}]}, "rule 1 (a), slow: 'fast' is not a duration. Write a text such as"),
        (
            {"rule": [{"name": "a", "reports": [{"error": "EC_ABSENT_SUBSCRIBR"}]}]},
            "rule 1 (a), reports 1, error: the tables hold no error 'EC_ABSENT_SUBSCRIBR'. Did you mean EC_ABSENT_SUB",
        ),
        ({"rule": [{"name": "a", "answer": 4711}]}, "answer: the tables hold no status 4711. `dlr codes` lists them."),
        ({"otherwise": [{"status": True}]}, "otherwise 1, status: it is not a code. Write an id or a name"),
        ({"rule": [{"name": "a", "slow": 1, "match": {"share": 3}}]}, "match, share: Write a share between 0 and 1."),
        ({"rule": [{"name": "a", "slow": 1, "match": {"channel": "smss"}}]}, "match, channel: 'smss' is not known."),
        ({"rule": [{"name": "a", "slow": 1, "match": {"attempt": "2nd"}}]}, "attempt: it is not a count. Write 1 for"),
        ({"rule": [{"name": "a", "slow": 1, "match": {"api": "mail"}}]}, "match, api: Write one of send, logs"),
        ({"rule": [{"name": "a", "fault": {}}]}, "fault: it needs either status or drop. Write one of them."),
        ({"rule": [{"name": "a", "fault": {"status": 200}}]}, "fault, status: Write a status from 400 to 599."),
        ({"posting": {"bucket": 0}}, "posting, bucket: Write 1 to 2000."),
        ({"networks": {"44": "UK"}}, "Write the MCC and the MNC together, such as '23410'."),
        ({"blocklist": [{"destination": "1", "source": "STOP"}]}, "blocklist 1, source: Write one of CUSTOM, MO"),
    ],
)
def test_a_mistake_is_named_with_its_place_and_what_to_write(scenario: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        read_scenario(scenario)
    assert complaint in str(caught.value)


def test_all_mistakes_are_named_at_once() -> None:
    with pytest.raises(ScenarioError) as caught:
        read_scenario({"seed": "x", "rule": [{"name": "a"}, {"slow": 1}]})
    assert len(caught.value.faults) == 3


@pytest.mark.parametrize("name", shipped_names())
def test_a_scenario_that_comes_along_can_be_run(name: str) -> None:
    with infobip(name) as simulator:
        assert simulator.counts()["scenario"] == load_scenario(name).name
        simulator.world.clock.set_speed(1000)
        send(simulator)
        simulator.settle()


def test_three_scenarios_come_along() -> None:
    assert shipped_names() == ["bad-day", "calm", "ordinary-day"]


def test_a_scenario_may_be_a_file(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text('name = "own"\n[[rule]]\nname = "a"\nfault = { status = 500 }\n')
    assert load_scenario(file).rules[0].name == "a"
    file.write_text("name = ")
    with pytest.raises(ScenarioError, match=r"own\.toml: it is not TOML"):
        load_scenario(file)
    with pytest.raises(ScenarioError, match="Did you mean calm"):
        load_scenario("calmm")

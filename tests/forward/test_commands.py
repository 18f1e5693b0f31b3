"""`dlr forward`: what a person sees of the endpoints, and events sent once more."""

import json

import pytest
from sqlalchemy import delete

from store.schema import outbox
from tests.forward.conftest import MakeWorld
from tests.forward.world import World, opened, table
from tests.relay.world import Target, status
from tests.support.desk import report
from tests.support.dlr import Dlr


def dlr_of(world: World) -> Dlr:
    return Dlr(dict(world.environ))


def test_what_was_told_is_told_again_under_its_ids_after_a_count(make_world: MakeWorld, target: Target) -> None:
    world = make_world(table(target, events=["message.*"]))
    world.handle(report("m-1"), report("m-2"), report("m-3", status=9, error=1))
    world.send()
    first = {seen.header("webhook-id") for seen in target.seen}
    dlr = dlr_of(world)
    assert "crm: 3 events" in dlr.run("forward", "replay", "--from", "1h", answer="n\n").stderr
    assert world.send() == 0
    dlr("forward", "replay", "--from", "1h", "--yes")
    target.seen.clear()
    assert world.send() == 3
    assert {seen.header("webhook-id") for seen in target.seen} == first


def test_a_replay_takes_only_what_is_asked_for(make_world: MakeWorld, target: Target, other: Target) -> None:
    world = make_world(table(target) + table(other, "other"))
    world.handle(report("m-1"), report("m-2", status=9, error=1))
    world.send()
    dlr = dlr_of(world)
    asked = ("forward", "replay", "--from", "1h", "--endpoint", "crm", "--event", "message.delivered", "--yes")
    assert dlr.json(*asked) == {"found": {"crm": 1}, "queued": 1}
    found = dlr.json("forward", "replay", "--from", "1h", "--message", "m-2", "--endpoint", "crm", "--dry-run")
    assert found == {"found": {"crm": 1}, "queued": 0}
    assert dlr.json("forward", "replay", "--from", "2h", "--to", "1h", "--yes")["found"] == {"crm": 0, "other": 0}


def test_a_replay_brings_back_what_was_given_up_or_purged_and_leaves_alone_what_waits(
    make_world: MakeWorld, target: Target
) -> None:
    world = make_world(table(target, events=["message.*"]))
    world.handle(report("m-1"), report("m-2"))
    dlr = dlr_of(world)
    assert dlr.json("forward", "replay", "--from", "1h", "--yes") == {"found": {"crm": 2}, "queued": 0}
    with world.database.transaction() as connection:
        connection.execute(delete(outbox))
    assert dlr.json("forward", "replay", "--from", "1h", "--yes")["queued"] == 2
    world.send()
    assert sorted(opened(seen)["data"]["messageId"] for seen in target.seen) == ["m-1", "m-2"]


def test_the_list_tells_how_an_endpoint_fares(make_world: MakeWorld, target: Target) -> None:
    target.always = status(503)
    world = make_world(table(target, events=["message.*"], channels=["sms"]))
    world.handle(report("m-1"))
    dlr = dlr_of(world)
    (row,) = dlr.json("forward", "list")
    assert (row["name"], row["state"], row["waiting"]) == ("crm", "works", 1)
    assert "key=k3y" not in json.dumps(row)
    world.send()
    assert dlr.json("forward", "list")[0]["state"].startswith("fails")
    dlr("forward", "pause", "crm")
    assert dlr.json("forward", "list")[0]["state"] == "paused by hand"
    assert "1 event waits" in dlr("forward", "resume", "crm")
    assert dlr.json("forward", "list")[0]["state"] == "works"


def test_a_test_event_is_signed_and_its_answer_shown(make_world: MakeWorld, target: Target) -> None:
    world = make_world(table(target))
    dlr = dlr_of(world)
    assert "took the event evt_" in dlr("forward", "test", "crm")
    assert opened(target.seen[0]) | {"timestamp": ""} == {
        "type": "test.ping",
        "timestamp": "",
        "data": {"endpoint": "crm"},
    }
    target.always = status(401)
    assert "it answered 401" in dlr.fails("forward", "test", "crm")
    assert "There is no endpoint 'cmr'. There are: crm." in dlr.fails("forward", "test", "cmr")


def test_a_new_secret_is_one_that_the_file_takes(make_world: MakeWorld, target: Target) -> None:
    world = make_world(table(target))
    secret = dlr_of(world)("forward", "secret").strip()
    world.file.write_text(table(target, secret=secret))
    world.handle(report("m-1"))
    world.send()
    assert opened(target.seen[0], secret)["data"]["messageId"] == "m-1"


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--from", "soon"), "is no time"),
        (("--from", "1h", "--event", "message.lost"), "There is no event 'message.lost'"),
        (("--from", "1h", "--channel", "fax"), "There is no channel 'fax'"),
        (("--from", "1h", "--to", "2h"), "is not before"),
    ],
)
def test_wrong_input_is_told(make_world: MakeWorld, target: Target, words: tuple[str, ...], complaint: str) -> None:
    world = make_world(table(target))
    assert complaint in dlr_of(world).fails("forward", "replay", *words, code=2)


def test_an_incident_resolved_by_hand_is_told_from_the_command(make_world: MakeWorld, target: Target) -> None:
    world = make_world(table(target, events=["incident.*"]))
    world.handle(report("m-1", status=9, error=99999))
    world.fold()
    dlr = dlr_of(world)
    (incident,) = dlr.json("incidents", "list")
    dlr("incidents", "resolve", incident["id"])
    world.send()
    assert sorted(opened(seen)["type"] for seen in target.seen) == ["incident.opened", "incident.resolved"]


def test_mistakes_of_the_file_end_a_command_with_all_of_them(make_world: MakeWorld, target: Target) -> None:
    world = make_world(table(target))
    world.file.write_text('[crm]\nurl = "ftp://x"\nevents = ["nope"]\n')
    complaint = dlr_of(world).fails("forward", "list", code=2)
    for word in ("[crm] url: ", "[crm] secret: ", "[crm] events: there is no event 'nope'"):
        assert word in complaint


def test_a_wrong_file_stops_what_is_to_be_told_and_nothing_else(make_world: MakeWorld, target: Target) -> None:
    world = make_world(table(target, events=["incident.*"]))
    world.handle(report("m-1", status=9, error=99999))
    world.fold()
    dlr = dlr_of(world)
    world.file.write_text("[crm]\n")
    (incident,) = dlr.json("incidents", "list")
    assert "DLR_FORWARD" in dlr.fails("incidents", "resolve", incident["id"], code=2)
    assert dlr.json("incidents", "list")[0]["state"] == "open"


def test_what_a_rule_forwarded_is_told_again_to_the_endpoint_that_it_names(
    make_world: MakeWorld, target: Target, other: Target
) -> None:
    world = make_world(table(target, events=["incident.opened"]) + table(other, "other", ["incident.opened"]))
    world.rules('[[rule]]\nid = "tell"\nwhy = "it wants to know"\nforward = "crm"\n[rule.match]\nerror = [27]\n')
    world.handle(report("m-1", status=9, error=27))
    with world.database.transaction() as connection:
        connection.execute(delete(outbox))
    found = dlr_of(world).json("forward", "replay", "--from", "1h", "--yes")
    assert found == {"found": {"crm": 1, "other": 0}, "queued": 1}


def test_the_doctor_tells_of_a_rule_that_forwards_nowhere_and_of_a_wrong_file(
    make_world: MakeWorld, target: Target
) -> None:
    world = make_world(table(target))
    world.rules('[[rule]]\nid = "tell"\nwhy = "it wants to know"\nforward = "crn"\n[rule.match]\nerror = [27]\n')
    dlr = dlr_of(world)
    found = json.loads(dlr.run("doctor", "--format", "json").stdout)
    assert [(row["severity"], row["message"]) for row in found if row["check"] == "forward"] == [
        ("warning", "rules forward to 'crn', and there is no such endpoint"),
        ("ok", "1 endpoint; `dlr forward list` shows more"),
    ]
    world.file.write_text("[crm]\n")
    found = json.loads(dlr.run("doctor", "--format", "json").stdout)
    assert [row["severity"] for row in found if row["check"] == "forward"] == ["error"]


def test_times_long_ago_and_far_ahead_bound_nothing(make_world: MakeWorld, target: Target) -> None:
    world = make_world(table(target))
    world.handle(report("m-1"))
    found = dlr_of(world).json("forward", "replay", "--from", "0001-01-02", "--to", "2999-01-01", "--dry-run")
    assert found["found"] == {"crm": 1}

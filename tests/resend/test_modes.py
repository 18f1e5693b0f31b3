"""What is done follows the mode in force: it is asked once more when a resend leaves, not only when it is planned."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import update

from config.relays import RelayTarget
from config.secrets import Secret
from policy import Mode
from store import aliases, messages, resending
from store.aliases import Original
from store.schema import contents, retries
from tests.relay.world import serving
from tests.resend.test_steering import sent
from tests.resend.world import PERSON, World
from tests.support.dlr import Dlr

STATES = {Mode.OBSERVE: "observed", Mode.PROPOSE: "proposed"}
BACK = pytest.mark.parametrize("mode", STATES)


def turn(world: World, mode: Mode) -> None:
    """Set the mode of resends in the policy in force."""
    world.desk.rules.modes = {**world.desk.rules.modes, "retry": mode}


def planned(world: World, message_id: str = "m-1") -> None:
    world.register(message_id)
    world.fail(message_id)


@BACK
def test_what_was_planned_waits_for_a_person_once_the_policy_does_not_act_any_more(world: World, mode: Mode) -> None:
    planned(world)
    turn(world, mode)
    world.run()
    assert world.states() == [(1, STATES[mode])]
    world.run(hours=2)

    assert sent(world.infobip) == []
    [row] = world.rows()
    assert (row.state, row.mode) == (STATES[mode], mode.value)
    assert len(world.desk.rows(contents)) == 1


@BACK
def test_a_worker_that_has_claimed_one_asks_the_mode_once_more(world: World, mode: Mode) -> None:
    planned(world)
    world.clock.pass_(hours=2)
    worker = world.resender()
    [one] = resending.claim(world.desk.database, "resender", world.clock(), 1)
    turn(world, mode)
    worker.send(one)

    assert sent(world.infobip) == []
    assert world.states() == [(1, STATES[mode])]


@BACK
def test_the_list_says_that_the_mode_was_set_back(world: World, dlr: Dlr, mode: Mode) -> None:
    planned(world)
    turn(world, mode)
    world.run()

    [row] = dlr.json("retries", "list")
    assert (row["state"], row["waits_for"]) == (STATES[mode], "a person")
    assert row["why"] == f"it was planned, and then the mode of resends was set back to {mode.value}"
    assert row["until"]
    assert len(dlr.json("proposals", "list")) == (mode is Mode.PROPOSE)


@BACK
def test_one_that_no_worker_has_seen_since_is_shown_as_what_will_become_of_it(
    world: World, dlr: Dlr, tmp_path: Path, mode: Mode
) -> None:
    planned(world)
    path = tmp_path / "policy.toml"
    path.write_text(path.read_text("utf-8").replace('retry = "act"', f'retry = "{mode.value}"'), "utf-8")

    told = dlr.json("retries", "show", "m-1")[0]
    assert told["now"] == f"it goes back to a person: the mode of resends was set back to {mode.value}"
    assert {"does the policy let it leave by itself"} <= {one["question"] for one in told["checks"]}


@BACK
def test_what_a_person_let_go_leaves_whatever_the_mode(world: World, dlr: Dlr, mode: Mode) -> None:
    planned(world)
    turn(world, mode)
    world.run()
    if mode is Mode.PROPOSE:
        [one] = dlr.json("proposals", "list")
        dlr("proposals", "accept", str(one["id"]))
    else:
        dlr("retries", "run", "m-1", "--yes")
    world.run(hours=2)
    world.run(hours=2)

    assert sent(world.infobip) == ["m-1-r1"]
    assert world.states() == [(1, "accepted")]


def test_acting_again_lets_go_only_what_is_planned_from_then_on(world: World) -> None:
    planned(world)
    turn(world, Mode.OBSERVE)
    world.run()
    turn(world, Mode.ACT)
    planned(world, "m-2")
    world.run(hours=2)

    assert sent(world.infobip) == ["m-2-r1"]


def test_what_has_lost_its_need_is_cancelled_and_not_set_back(world: World) -> None:
    planned(world)
    world.clock.pass_(hours=2)
    worker = world.resender()
    [one] = resending.claim(world.desk.database, "resender", world.clock(), 1)
    turn(world, Mode.OBSERVE)
    with world.desk.database.transaction() as connection:
        connection.execute(update(retries).values(give_up_at=world.clock()))
    worker.send(replace(one, give_up_at=world.clock()))

    assert world.states() == [(1, "expired")]


@BACK
def test_the_application_is_not_asked_either(world: World, mode: Mode) -> None:
    with serving() as target:
        own = {"resend_url": RelayTarget.of(target.url), "resend_secret": Secret("whsec_" + "c2VjcmV0" * 4)}
        world.account = replace(world.account, **own, resend_private=True)  # type: ignore[arg-type]
        world.fail()
        turn(world, mode)
        world.run(hours=2)

        assert target.seen == []
        assert world.states() == [(1, STATES[mode])]


@BACK
def test_a_report_settles_one_that_had_left_all_the_same_and_was_set_back(world: World, mode: Mode) -> None:
    planned(world)
    [row] = world.rows()
    with world.desk.database.transaction() as connection:
        connection.execute(update(retries).values(new_id="m-1-r1", tries=1))
        key = messages.key_of(world.desk.vault, "main", "m-1-r1", PERSON)
        aliases.add(connection, key, "main", Original(row.message_key, 1), datetime.now(UTC))
    turn(world, mode)
    world.run()
    assert world.states() == [(1, STATES[mode])]
    world.fail("m-1-r1", error=1)

    assert world.states()[0] == (1, "accepted")

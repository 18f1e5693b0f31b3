"""Pauses let one message out as a probe, and only one; what becomes of it decides. Too many failures start one."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from policy.opening import PATIENCE
from store.pauses import Pause, Scope, find, pause
from store.resending import claim
from store.schema import pause_passes
from tests.resend.world import Unlimited, World
from tests.support.desk import report
from tests.support.infobip import AT_ONCE

NETWORK = Scope("network", "23410")
BROKEN = 34  # EC_SYSTEM_FAILURE: a fault of the carrier's
_UNBOUNDED: dict[str, Any] = {"resends_per_day": 10**6, "resends_share": 10.0, "money_per_day": 10.0**6}


@pytest.fixture(autouse=True)
def unbounded(world: World) -> None:
    world.account = replace(world.account, **_UNBOUNDED)
    world.limiter = Unlimited("memory://")


def people(count: int, prefix: str = "44770090") -> dict[str, str]:
    return {f"m-{number}": f"{prefix}{number:04}" for number in range(count)}


def fail_all(world: World, who: dict[str, str], error: int = BROKEN, *, register: bool = False, **more: Any) -> None:
    """Let messages to all of them fail just now."""
    for message, to in who.items() if register else ():
        world.register(message, to=to)
    world.hear(*(report(message, status=9, error=error, to=to, **more) for message, to in who.items()))


def pause_it(world: World, **span: float) -> None:
    with world.desk.database.transaction() as connection:
        pause(connection, "main", NETWORK, world.clock(), world.clock() + timedelta(**span), "a test", "test")


def the_pause(world: World) -> Pause:
    with world.desk.database.reading() as connection:
        [found] = find(connection, "main", [NETWORK])
        return found


def planned(world: World, count: int) -> None:
    """Let `count` resends be due in a scope that is paused for an hour more."""
    fail_all(world, people(count), register=True)
    world.clock.pass_(minutes=30)
    pause_it(world, hours=1)
    world.run()
    assert world.infobip.sends() == []


def side_by_side(world: World, workers: int, each: int) -> None:
    """Let so many workers send what each of them has claimed, all at the same moments."""
    database = world.desk.database
    ready = threading.Barrier(workers)

    def work(number: int) -> None:
        owner = f"worker-{number}"
        resender = world.resender(owner)
        mine = claim(database, owner, world.clock(), each)
        assert len(mine) == each
        ready.wait(20)
        for one in mine:
            resender.send(one)

    with ThreadPoolExecutor(workers) as pool:
        for done in [pool.submit(work, number) for number in range(workers)]:
            done.result(60)


def its_id(world: World) -> str:
    [sent] = world.infobip.sends()
    return str(sent["messageId"])


class TestTheProbe:
    def test_two_workers_let_out_one_at_the_end_of_a_pause(self, world: World) -> None:
        planned(world, 12)
        world.clock.pass_(hours=1, minutes=1)
        side_by_side(world, workers=4, each=3)

        assert len(world.infobip.sends()) == 1
        assert [(row.step, row.fared) for row in world.desk.rows(pause_passes)] == [(1, "")]
        found = the_pause(world)
        assert (found.step, found.gone) == (1, 1)

    def test_two_workers_fill_a_step_and_no_more(self, world: World) -> None:
        planned(world, 12)
        world.run(hours=1, minutes=1)
        world.hear(report(its_id(world), to=world.infobip.sends()[0]["recipient"]))
        world.clock.pass_(minutes=1)
        world.run()
        assert len(world.infobip.sends()) == 3

        world.hear(*(report(sent["messageId"], to=sent["recipient"]) for sent in world.infobip.sends()[1:]))
        world.clock.pass_(minutes=20)
        side_by_side(world, workers=3, each=3)
        found = the_pause(world)
        assert found.step == 3
        assert found.gone == len(world.infobip.sends()) - 3 <= 4

    def test_what_is_held_says_why_and_until_when(self, world: World) -> None:
        planned(world, 2)
        until = the_pause(world).until
        assert [(row.note, row.due_at) for row in world.rows()] == [("paused: network 23410: a test", until)] * 2

        world.run(hours=1, minutes=1)

        notes = sorted(row.note for row in world.rows())
        assert notes == ["", "paused: network 23410: a test; a probe has left, and no report on it has come yet"]

    def test_one_that_fails_again_closes_it_for_longer(self, world: World) -> None:
        planned(world, 3)
        for number, minutes in enumerate((10, 20, 40)):
            world.run(hours=2)
            sent = world.infobip.sends()
            assert len(sent) == number + 1
            world.hear(report(sent[-1]["messageId"], status=9, error=BROKEN, to=sent[-1]["recipient"]))
            world.run(minutes=2)
            found = the_pause(world)
            assert (found.step, found.delay) == (0, timedelta(minutes=minutes))
            assert found.until is not None
            assert found.until - world.clock() <= found.delay

    def test_one_that_fails_for_the_persons_own_reason_is_followed_by_the_next(self, world: World) -> None:
        planned(world, 3)
        world.run(hours=1, minutes=1)
        first = world.infobip.sends()[0]
        world.hear(report(first["messageId"], status=9, error=1, to=first["recipient"]))
        world.run(minutes=2)

        assert len(world.infobip.sends()) == 2
        assert the_pause(world).step == 1

    def test_one_that_did_not_leave_after_all_is_not_waited_for(self, world: World) -> None:
        planned(world, 3)
        world.infobip.load({**AT_ONCE, "rule": [{"name": "once", "match": {"times": 1}, "fault": {"status": 429}}]})
        world.run(hours=1, minutes=1)
        world.run(minutes=3)

        accepted = [sent for sent in world.infobip.sends() if sent["outcome"] == "accepted"]
        assert len(accepted) == 1
        assert len(world.desk.rows(pause_passes)) == 1

    def test_one_that_infobip_refuses_is_not_waited_for(self, world: World) -> None:
        planned(world, 3)
        rule = {"name": "once", "match": {"times": 1}, "answer": "REJECTED_NOT_ENOUGH_CREDITS"}
        world.infobip.load({**AT_ONCE, "rule": [rule]})
        world.run(hours=1, minutes=1)
        world.run(minutes=2)

        assert sorted(row.state for row in world.rows()) == ["accepted", "planned", "refused"]

    def test_one_that_nobody_hears_of_is_given_up(self, world: World) -> None:
        planned(world, 3)
        world.run(hours=1, minutes=1)
        world.run(minutes=PATIENCE / timedelta(minutes=1) - 1)
        assert len(world.infobip.sends()) == 1

        world.run(minutes=5)
        assert len(world.infobip.sends()) == 2

    def test_what_arrives_after_all_counts_although_it_was_given_up(self, world: World) -> None:
        planned(world, 4)
        world.run(hours=1, minutes=1)
        first = world.infobip.sends()[0]
        world.run(minutes=10)
        assert len(world.infobip.sends()) == 2
        world.hear(report(first["messageId"], to=first["recipient"]))
        world.run(minutes=1)
        world.run(minutes=9)

        assert the_pause(world).step >= 2
        assert len(world.infobip.sends()) == 4


def test_what_a_person_paused_no_rule_and_no_surge_lifts(world: World) -> None:
    with world.desk.database.transaction() as connection:
        pause(connection, "main", NETWORK, world.clock(), None, "the carrier asked for it", "anna")
        pause(connection, "main", NETWORK, world.clock(), world.clock(), "rule x", "policy")
    fail_all(world, people(60))

    assert world.watch() == []
    found = the_pause(world)
    assert (found.until, found.why, found.who) == (None, "the carrier asked for it", "anna")

"""Workers that die at the worst moments, and workers that meet: nothing is lost, nothing is sent twice for nothing."""

from datetime import timedelta

from infobip.outbound.lists import blocklist
from infobip.outbound.lists.outcome import Accepted
from store import listed, sync_runs
from store.echoes import STILL_BLOCKED
from store.listed import ADD, REMOVE
from store.schema import sync_runs as table
from tests.support.desk import desk as make_desk
from tests.support.desk import report
from tests.sync.world import World, people
from workers.sync import pushing
from workers.sync.hold import held
from workers.sync.run import plan, work

ADA, BOB = people(2)


def claim(world: World, op: str = ADD) -> listed.Batch:
    with world.database.transaction() as connection:
        number = listed.claim(connection, "main", "blocklist", op, world.clock(), 100)
    with world.database.reading() as connection:
        return listed.batch_of(connection, world.vault, number, op)


def test_a_death_between_claim_and_request_costs_one_look_and_no_second_request(world: World) -> None:
    world.suppress(ADA, BOB)
    plan(world.desk())
    assert len(claim(world).jobs) == 2
    assert world.states() == {"add sent": 2}
    world.sync(6)
    assert world.states() == {"add verified": 2}
    counts = world.infobip.counts()["blocklist"]
    assert (counts["asked"], counts["askedTwice"]) == (2, 0)


def test_a_death_between_request_and_record_is_found_out_by_a_look(world: World) -> None:
    world.suppress(ADA, BOB)
    desk = world.desk()
    plan(desk)
    batch = claim(world)
    assert blocklist.add(desk.client, [pushing._record(job) for job in batch.jobs]) == Accepted()
    world.sync(6)
    assert world.states() == {"add verified": 2}
    assert world.infobip.counts()["blocklist"]["askedTwice"] == 0


def test_a_death_while_taking_off_takes_nothing_else_off_and_ends_as_it_should(world: World) -> None:
    world.suppress(ADA, BOB)
    world.sync(4)
    world.lift(ADA)
    plan(world.desk())
    assert len(claim(world, REMOVE).jobs) == 1
    world.sync(6)
    assert world.states() == {"add verified": 1, "remove verified": 1}
    assert [one[0] for one in world.there()] == [BOB]


def test_what_is_suppressed_again_while_it_is_taken_off_stands_there_at_the_end(world: World) -> None:
    world.suppress(ADA)
    world.sync(4)
    world.lift(ADA)
    plan(world.desk())
    claim(world, REMOVE)
    world.suppress(ADA)
    world.sync(8)
    assert world.states() == {"add verified": 1}
    assert [one[0] for one in world.there()] == [ADA]


def test_what_is_lifted_while_it_is_on_its_way_is_gone_at_the_end(world: World) -> None:
    world.suppress(ADA)
    desk = world.desk()
    plan(desk)
    batch = claim(world)
    assert blocklist.add(desk.client, [pushing._record(job) for job in batch.jobs]) == Accepted()
    world.lift(ADA)
    world.sync(8)
    assert world.there() == []
    assert world.states() in ({"remove verified": 1}, {})


def test_one_worker_at_a_time_has_an_account_and_a_dead_one_loses_it(world: World) -> None:
    with held(world.database, "main", "first") as first:
        assert first is not None
        with held(world.database, "main", "second") as second:
            assert second is None
    with held(world.database, "main", "second") as second:
        assert second is not None
    # One that died lets go of nothing, but its hold ends.
    now = world.clock()
    with world.database.transaction() as connection:
        assert sync_runs.take(connection, "main", "dead", now) is not None
        assert sync_runs.take(connection, "main", "alive", now + sync_runs.LEASE / 2) is None
        assert sync_runs.take(connection, "main", "alive", now + sync_runs.LEASE + timedelta(seconds=1)) is not None


def test_whoever_comes_next_waits_its_second_too(world: World) -> None:
    world.suppress(ADA)
    first = world.desk()
    plan(first)
    pushing.push(first)
    world.suppress(BOB)
    second = world.desk()
    plan(second)
    before = world.ahead
    pushing.push(second)
    assert world.ahead > before
    assert world.infobip.counts()["blocklist"]["asked"] == 2
    assert second.run.troubles == {}


def test_a_clock_that_was_put_back_makes_nobody_wait_for_long(world: World) -> None:
    world.suppress(ADA)
    desk = world.desk()
    plan(desk)
    desk.run.asked["POST"] = int((world.clock() + timedelta(days=1)).timestamp() * 1000)
    before = world.ahead
    pushing.push(desk)
    assert world.ahead - before < timedelta(seconds=2)
    assert world.states() == {"add sent": 1}


def test_nothing_is_done_for_what_is_off_and_what_is_there_is_left_there(world: World) -> None:
    world.suppress(ADA)
    world.sync(4)
    world.having(blocklist=False)
    world.lift(ADA)
    assert work(world.desk()) == 0
    assert [one[0] for one in world.there()] == [ADA]
    with world.database.reading() as connection:
        assert connection.execute(table.select()).one().troubles == "{}"


def test_a_refusal_while_we_take_somebody_off_is_nothing_to_tell(world: World) -> None:
    world.suppress(ADA, channel="sms")
    world.sync(4)
    world.lift(ADA)
    plan(world.desk())
    make_desk(world.database, world.vault).handle(report("m-1", 14, 2052, to=ADA, doneAt=_later(world)))
    assert STILL_BLOCKED not in world.incidents()
    world.sync(4)
    make_desk(world.database, world.vault).handle(report("m-2", 14, 2052, to=ADA, doneAt=_later(world)))
    assert STILL_BLOCKED in world.incidents()


def _later(world: World) -> str:
    return f"{world.clock() + timedelta(seconds=5):%Y-%m-%dT%H:%M:%S.000+0000}"

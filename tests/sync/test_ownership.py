"""Whose a record is: a removal takes off what this service put there, and never what somebody else did."""

from dataclasses import replace
from datetime import timedelta

import pytest

from infobip.outbound.lists import blocklist
from infobip.outbound.lists.outcome import Accepted
from infobip.simulator.blocklist import Record
from store import listed
from store.listed import REMOVE
from tests.sync.world import World, people
from workers.sync import pushing
from workers.sync.run import plan

ADA, BOB = people(2)


def put_for_a_subaccount(world: World, person: str) -> Record:
    """Let somebody block a person for one sub-account only: but for its key it is the same record as ours."""
    at = world.infobip.world.blocklist
    [ours] = [one for one in at._records.values() if one.destination == person]
    made = replace(ours, account_key="F" * 32, created=ours.created - timedelta(hours=3))
    at._records[made.key] = made
    at._by_destination[person].append(made)
    return made


@pytest.mark.parametrize(("count", "pull"), [(1, False), (30, False), (30, True)])
def test_what_somebody_puts_there_while_we_take_ours_off_stays(world: World, count: int, pull: bool) -> None:
    everybody = people(count)
    world.having(pull=pull).suppress(*everybody)
    world.sync(4)
    world.lift(*everybody)
    desk = world.desk()
    plan(desk)
    with world.database.transaction() as connection:
        number = listed.claim(connection, "main", "blocklist", REMOVE, world.clock(), 100)
    with world.database.reading() as connection:
        batch = listed.batch_of(connection, world.vault, number, REMOVE)
    # The worker dies after its request; ours is gone, and somebody enters the same person in the portal.
    assert blocklist.remove(desk.client, [pushing._record(job) for job in batch.jobs]) == Accepted()
    world.infobip.settle()
    assert world.there() == []
    world.put_there(*everybody)
    world.sync(8)
    assert world.there() == [(person, "", "", "CUSTOM") for person in everybody]
    assert world.infobip.counts()["blocklist"]["removed"] == count
    # A reading that was under way may have taken in what is theirs already.
    assert set(world.states()) <= {"remove verified", "there"}


def test_what_was_put_there_anew_by_somebody_is_no_longer_ours(world: World) -> None:
    world.having(pull=True).suppress(ADA)
    world.sync(4)
    world.take_off_there(ADA, sourceType="CUSTOM")
    world.put_there(ADA)
    world.pull_again()
    world.sync(4)
    assert world.states(ADA) == {"there": 1}
    world.lift(ADA)
    world.sync(6)
    assert world.there() == [(ADA, "", "", "CUSTOM")]


def test_what_was_missing_and_put_there_by_somebody_is_not_ours(world: World) -> None:
    world.having(pull=True, verify_within=timedelta(seconds=5)).suppress(ADA)
    world.sync(4)
    world.take_off_there(ADA, sourceType="CUSTOM")
    world.pull_again()
    world.sync(6)
    assert world.states(ADA) == {"add missing": 1}
    world.put_there(ADA)
    world.ahead += timedelta(hours=1)
    world.sync(4)
    assert world.states(ADA) == {"there": 1}


def test_what_was_missing_and_asked_for_once_more_is_ours_again(world: World) -> None:
    world.having(pull=True, verify_within=timedelta(seconds=5)).suppress(ADA)
    world.sync(4)
    world.take_off_there(ADA, sourceType="CUSTOM")
    world.pull_again()
    world.sync(6)
    with world.database.transaction() as connection:
        assert listed.again(connection, "main", world.clock()) == 1
    world.sync(6)
    assert world.states(ADA) == {"add verified": 1}
    world.lift(ADA)
    world.sync(6)
    assert world.there() == []


def test_the_same_record_of_a_subaccount_is_neither_ours_nor_taken_off(world: World) -> None:
    world.suppress(ADA)
    world.sync(4)
    theirs = put_for_a_subaccount(world, ADA)
    world.lift(ADA)
    plan(world.desk())
    with world.database.transaction() as connection:
        # A worker dies before its request.
        listed.claim(connection, "main", "blocklist", REMOVE, world.clock(), 100)
    world.sync(8)
    assert list(world.infobip.world.blocklist._records.values()) == [theirs]
    assert world.states() == {"remove verified": 1}

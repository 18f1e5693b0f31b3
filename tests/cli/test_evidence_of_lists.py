"""A pack says what stood on Infobip's lists about the person: seen, put there and taken off there, and when."""

from collections.abc import Iterator

import pytest

from cli.evidence.lists import words_of
from store.database import Database
from store.listed import DOUBTED, GONE, STATES, THERE
from store.vault import Vault
from tests.support.desk import PERSON
from tests.support.dlr import Dlr
from tests.sync.world import BOTH, World
from tests.sync.world import world as make_world

OTHER = "447700900456"
OF_A_RECORD = {"add": STATES, "remove": STATES, "": (THERE, DOUBTED, GONE)}


@pytest.fixture
def world(database: Database, vault: Vault) -> Iterator[World]:
    with make_world(database, vault) as made:
        made.switches = BOTH
        yield made


def test_what_we_put_there_and_took_off_is_told_with_its_entry_and_its_times(world: World, dlr: Dlr) -> None:
    world.suppress(PERSON, channel="sms")
    world.sync(3)
    [record] = dlr.json("evidence", PERSON)["list_records"]
    assert (record["list"], record["op"], record["state"], record["channel"]) == ("blocklist", "add", "verified", "sms")
    [entry] = world.entries(PERSON)
    assert record["suppression_id"] == str(entry.id)
    assert record["first_sent_at"]
    assert record["created_there"]
    assert "put there by us, and seen there" in dlr("evidence", PERSON)
    world.lift(PERSON)
    world.sync(4)
    [record] = dlr.json("evidence", PERSON)["list_records"]
    assert (record["op"], record["state"]) == ("remove", "verified")
    told = dlr("evidence", PERSON)
    assert "INFOBIP'S LISTS: WHAT WAS SEEN, PUT THERE AND TAKEN OFF (1)" in told
    assert "taken off by us, and seen gone" in told


def test_what_was_seen_there_is_told_as_theirs(world: World, dlr: Dlr) -> None:
    world.put_there(PERSON, channel="SMS")
    world.sync(3)
    [record] = dlr.json("evidence", PERSON)["list_records"]
    assert (record["op"], record["state"], record["account"]) == ("", "there", "main")
    assert record["created_there"]
    assert "Infobip's own, seen there" in dlr("evidence", PERSON)


def test_nothing_of_another_person_is_in_it(world: World, dlr: Dlr) -> None:
    world.suppress(OTHER, PERSON)
    world.sync(3)
    assert len(dlr.json("evidence", PERSON)["list_records"]) == 1


@pytest.mark.parametrize("op", ["", "add", "remove"])
def test_each_state_is_told_in_words(op: str) -> None:
    assert {words_of(op, state) for state in OF_A_RECORD[op]}.isdisjoint({"", op})

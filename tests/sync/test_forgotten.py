"""Of a forgotten person only those records of Infobip's lists stay known that may stand there still, by hash."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from store import listed
from store.ids import new_id
from store.listed import ADD, GONE, MISSING, REFUSED, REMOVE, SENT, THEIRS, THERE, TO_PUSH, VERIFIED
from store.schema import listed as table
from tests.support.dlr import Dlr, installed
from tests.sync.world import BOTH, World, people

ADA, BOB = people(2)
NOW: Final = datetime.now(UTC)


@pytest.fixture
def dlr(world: World, database_url: str, tmp_path: Path) -> Dlr:
    return installed(database_url, tmp_path / "state")


def known(world: World, op: str, state: str, *, of: str = ADA, sent: bool = True, **more: Any) -> None:
    """Let a record be known as it is after whatever led to that."""
    row = {
        "id": (number := new_id()),
        "account": "main",
        "list": "blocklist",
        "address": world.vault.hash_address("main", of),
        "channel": "sms",
        "scope": str(number),
        "source": "CUSTOM",
        "op": op,
        "state": state,
        "wanted": 0,
        "suppression_id": 0,
        "first_sent_at": NOW if sent else None,
        "account_key": "",
        "note": "",
        "changed_at": NOW,
        "due_at": NOW,
    }
    numbers = dict.fromkeys(("batch", "answered", "attempts", "looks", "seen_scan"), 0)
    with world.database.transaction() as connection:
        connection.execute(table.insert().values(**(row | numbers | more)))


@pytest.mark.parametrize(
    ("op", "state", "sent"),
    [(REMOVE, VERIFIED, True), (THEIRS, GONE, False), (ADD, REFUSED, True), (ADD, TO_PUSH, False)],
    ids=str,
)
def test_what_stands_there_no_longer_or_never_did_is_forgotten(
    world: World, dlr: Dlr, op: str, state: str, sent: bool
) -> None:
    known(world, op, state, sent=sent)
    known(world, op, state, sent=sent, of=BOB)
    told = dlr.json("forget", ADA, "--yes")
    assert (told["removed"]["records of Infobip's lists"], told["listed"]) == (1, 0)
    assert world.rows(ADA) == []
    assert len(world.rows(BOB)) == 1


@pytest.mark.parametrize(
    ("op", "state"),
    [
        *((ADD, state) for state in (TO_PUSH, SENT, VERIFIED, MISSING)),
        *((REMOVE, state) for state in (TO_PUSH, SENT, MISSING, REFUSED)),
        (THEIRS, THERE),
        (THEIRS, listed.DOUBTED),
    ],
    ids=str,
)
def test_what_may_stand_there_still_stays_known_and_is_said(world: World, dlr: Dlr, op: str, state: str) -> None:
    known(world, op, state)
    told = dlr("forget", ADA, "--yes")
    assert "1 record of Infobip's lists stays known by that hash" in told
    assert "portal" in told
    assert world.states(ADA) == {f"{op} {state}".strip(): 1}


def test_what_an_opt_out_that_stays_asks_for_stays_known(world: World, dlr: Dlr) -> None:
    world.suppress(ADA, cause="recipient_opted_out")
    [entry] = world.entries(ADA)
    known(world, ADD, TO_PUSH, sent=False, wanted=1, suppression_id=entry.id)
    dlr("forget", ADA, "--yes")
    assert world.states(ADA) == {"add to_push": 1}


def test_what_was_put_there_and_taken_off_again_leaves_nothing_of_the_person(world: World, dlr: Dlr) -> None:
    world.switches = BOTH
    world.suppress(ADA)
    world.sync(4)
    world.lift(ADA)
    world.sync(4)
    assert world.states(ADA) == {"remove verified": 1}
    dlr("forget", ADA, "--yes")
    world.pull_again()
    world.sync(4)
    assert world.rows(ADA) == []
    assert world.there() == []

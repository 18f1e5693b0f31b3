"""`dlr suppress sync` shows what is on, what would happen, and what is in the way; so does `dlr doctor`."""

import json
from pathlib import Path

import pytest

from tests.support.dlr import Dlr, installed
from tests.support.infobip import KEY
from tests.sync.world import World, people

ADA, BOB, EVE = people(3)


@pytest.fixture
def dlr(world: World, database_url: str, tmp_path: Path) -> Dlr:
    made = installed(database_url, tmp_path / "state")
    made.settings |= {"DLR_INFOBIP_URL": world.infobip.url, "DLR_INFOBIP_KEY": KEY}
    return made


def test_all_is_off_at_first_and_says_how_much_it_would_be(world: World, dlr: Dlr) -> None:
    world.suppress(ADA, BOB)
    world.suppress(EVE, purpose="marketing")
    told = dlr("suppress", "sync")
    assert "Blocklist: off (DLR_SYNC_BLOCKLIST); 2 entries would go there" in told
    assert "1 for one purpose only" in told
    [state] = dlr.json("suppress", "sync")
    assert (state["lists"]["blocklist"]["on"], state["lists"]["blocklist"]["belongs"], state["pull"]["on"]) == (
        False,
        2,
        False,
    )
    assert ADA not in told


def test_the_plan_says_how_many_requests_that_takes_and_sends_none(world: World, dlr: Dlr) -> None:
    world.suppress(*people(25))
    [plan] = dlr.json("suppress", "sync", "plan", sync_blocklist="true", sync_batch="10")
    [blocklist, _, _] = plan["lists"]
    assert (blocklist["on"], blocklist["to_add"], blocklist["requests"]) == (True, 25, 3)
    assert "25 entries would be added, in 3 requests" in dlr(
        "suppress", "sync", "plan", sync_blocklist="true", sync_batch="10"
    )
    assert world.infobip.counts()["requests"] == {}


def test_it_tells_how_far_it_is(world: World, dlr: Dlr) -> None:
    world.having(pull=True).suppress(ADA, BOB)
    world.infobip.opt_out(EVE, "SMS", sender="Shop")
    world.sync(3)
    on = {"sync_blocklist": "true", "sync_pull": "true"}
    [state] = dlr.json("suppress", "sync", **on)
    assert state["lists"]["blocklist"]["add"]["verified"] == 2
    assert state["lists"]["blocklist"]["theirs"] == 1
    assert state["pull"]["last_at"]
    assert state["problem"] == ""
    assert "2 there, 1 stand there by others" in dlr("suppress", "sync", **on)


def test_what_was_refused_is_told_with_the_reason_and_tried_again_when_asked(world: World, dlr: Dlr) -> None:
    world.suppress("no-number-at-all")
    world.sync(2)
    on = {"sync_blocklist": "true"}
    assert "refused: 1, neither a phone number nor an e-mail address" in dlr("suppress", "sync", **on)
    assert "1 entry is tried again" in dlr("suppress", "sync", "retry", **on)
    assert world.states() == {"add to_push": 1}


def test_an_account_without_a_credential_says_so_and_waits(world: World, dlr: Dlr) -> None:
    world.suppress(ADA)
    on = {"sync_blocklist": "true", "infobip_key": ""}
    assert "it is on and cannot work: there is no credential" in dlr("suppress", "sync", **on)
    result = dlr.run("doctor", "--format", "json", **on)
    [finding] = [one for one in json.loads(result.stdout) if one["check"] == "sync"]
    assert (finding["severity"], "DLR_INFOBIP_KEY" in finding["fix"]) == ("error", True)


def test_doctor_tells_what_stands_still_and_what_is_missing(world: World, dlr: Dlr) -> None:
    def found(**settings: str) -> list[tuple[str, str]]:
        result = dlr.run("doctor", "--format", "json", **settings)
        return [(one["severity"], one["message"]) for one in json.loads(result.stdout) if one["check"] == "sync"]

    assert [severity for severity, _ in found()] == ["ok"]
    world.key = "wrong"
    world.suppress(ADA)
    world.sync(1)
    [(severity, message)] = found(sync_blocklist="true")
    assert severity == "error"
    assert "401" in message
    [(severity, message)] = found(sync_email_domains="not a domain!")[:1]
    assert (severity, "DLR_SYNC_EMAIL_DOMAINS" in message) == ("error", True)


def test_now_lets_it_go_on_at_once(world: World, dlr: Dlr) -> None:
    world.key = "wrong"
    world.suppress(ADA)
    world.sync(1)
    assert not world.desk().goes_on("blocklist")
    dlr("suppress", "sync", "now")
    assert world.desk().goes_on("blocklist")


def test_a_wrong_account_or_batch_is_told(world: World, dlr: Dlr) -> None:
    assert "no account" in dlr.fails("suppress", "sync", "--account", "shop", code=2)
    assert "DLR_SYNC_BATCH" in dlr.fails("suppress", "sync", sync_batch="60000", code=2)


def test_a_forgotten_address_is_not_pushed_and_not_imported_again(world: World, dlr: Dlr) -> None:
    world.having(pull=True).suppress(ADA)
    world.sync(4)
    dlr("forget", ADA, "--yes")
    world.pull_again()
    world.sync(4)
    assert [row.origin for row in world.entries(ADA)] == ["operator"]
    world.lift(ADA)
    world.sync(3)
    [row] = world.rows(ADA)
    assert (row.op, row.state) == ("remove", "refused")
    assert "portal" in row.note

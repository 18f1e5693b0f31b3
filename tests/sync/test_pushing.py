"""Our list on Infobip's Blocklist: what it can say, once, verified, and off again when it is lifted here."""

from datetime import timedelta

import pytest

from tests.support.infobip import call
from tests.sync.world import World, people

ADA, BOB, EVE = people(3)
MAIL = "Eve.Adams@example.com"


def test_what_is_suppressed_here_is_there_once_and_verified(world: World) -> None:
    world.suppress(ADA, channel="sms")
    world.suppress(BOB, channel="sms", sender="Shop")
    world.suppress(EVE, MAIL)
    world.sync()
    assert world.there() == [
        (ADA, "SMS", "", "CUSTOM"),
        (BOB, "SMS", "Shop", "CUSTOM"),
        (EVE, "", "", "CUSTOM"),
        (MAIL.lower(), "", "", "CUSTOM"),
    ]
    assert world.states() == {"add verified": 4}
    counts = world.infobip.counts()["blocklist"]
    assert (counts["asked"], counts["askedTwice"]) == (4, 0)


def test_what_the_list_cannot_say_is_not_widened(world: World) -> None:
    world.suppress(ADA, purpose="marketing")
    world.suppress(BOB, campaign="summer")
    world.suppress(EVE, channel="voice")
    world.suppress(MAIL, until=world.clock() + timedelta(days=1))
    world.sync()
    assert world.there() == []
    assert world.rows() == []


def test_many_leave_in_as_few_requests_as_may_be(world: World) -> None:
    world.having(batch=400).suppress(*people(1000))
    world.sync()
    assert len(world.there()) == 1000
    assert world.states() == {"add verified": 1000}
    assert world.infobip.counts()["requests"].get("POST /platform/1/blocklists", 3) == 3
    assert world.infobip.counts()["blocklist"]["askedTwice"] == 0


def test_what_is_lifted_here_is_taken_off_there(world: World) -> None:
    world.suppress(ADA, BOB)
    world.sync()
    world.lift(ADA)
    world.sync()
    assert world.there() == [(BOB, "", "", "CUSTOM")]
    assert world.states(ADA) == {"remove verified": 1}
    world.suppress(ADA)
    world.sync()
    assert len(world.there()) == 2
    assert world.states() == {"add verified": 2}


def test_a_persons_own_stop_there_is_never_taken_off(world: World) -> None:
    world.suppress(ADA, channel="sms")
    world.sync()
    world.infobip.opt_out(ADA, "SMS")
    world.lift(ADA)
    world.sync()
    assert world.there() == [(ADA, "SMS", "", "MO")]
    assert world.infobip.counts()["blocklist"]["ownStopsRemoved"] == 0


def test_what_somebody_put_there_before_us_stays_theirs(world: World) -> None:
    with_clock = world.infobip.world.blocklist
    with_clock.put(ADA)
    for key, record in with_clock._records.items():
        with_clock._records[key] = type(record)(
            record.destination, "", "", record.account_key, "CUSTOM", record.created - timedelta(hours=3)
        )
    world.suppress(ADA)
    world.sync()
    assert world.states(ADA) == {"there": 1}
    world.lift(ADA)
    world.sync()
    assert world.there() == [(ADA, "", "", "CUSTOM")]


def test_what_was_never_sent_is_forgotten_when_it_is_lifted(world: World) -> None:
    world.key = "wrong"
    world.suppress(ADA)
    world.sync(2)
    assert world.states(ADA) == {"add to_push": 1}
    world.lift(ADA)
    world.key = "key-of-the-simulator"
    world.pull_again()
    world.sync(3)
    assert world.rows() == []
    assert world.infobip.counts()["blocklist"]["asked"] == 0


def test_entries_with_an_end_go_there_only_if_asked_and_off_at_their_end(world: World) -> None:
    world.having(ends=True).suppress(ADA, until=world.clock() + timedelta(seconds=40))
    world.sync(4)
    assert world.states(ADA) == {"add verified": 1}
    world.sleep(40)
    world.sync(4)
    assert world.there() == []
    assert world.states(ADA) == {"remove verified": 1}


@pytest.mark.parametrize("fault", [{"status": 500}, {"drop": "before"}, {"drop": "after"}])
def test_an_answer_that_is_lost_is_looked_up_before_anything_is_sent_again(world: World, fault: dict[str, str]) -> None:
    rule = {"name": "lost", "match": {"api": "blocklist", "times": 1}, "fault": fault}
    world.infobip.load({"otherwise": [{"after": 0}], "blocklist_delay": 0, "rule": [rule]})
    world.suppress(*people(50))
    world.sync(10)
    assert len(world.there()) == 50
    assert world.states() == {"add verified": 50}
    taken = fault == {"drop": "after"}
    assert world.infobip.counts()["blocklist"]["askedTwice"] == 0
    assert world.infobip.counts()["blocklist"]["asked"] == 50, f"taken at the first time: {taken}"


def test_too_many_requests_are_waited_out(world: World) -> None:
    call(world.infobip, "POST", "/platform/1/blocklists", json={"blocklist": [{"destinations": [{"to": EVE}]}]})
    fault = {"status": 429, "retry_after": "3s"}
    rule = {"name": "busy", "match": {"api": "blocklist", "times": 2}, "fault": fault}
    world.infobip.load({"otherwise": [{"after": 0}], "blocklist_delay": 0, "rule": [rule]})
    world.suppress(ADA, BOB)
    world.sync(10)
    assert world.states() == {"add verified": 2}
    assert world.infobip.counts()["blocklist"]["askedTwice"] == 0


def test_one_bad_entry_is_left_out_and_told_and_the_others_go_on(world: World) -> None:
    world.suppress("someone-without-a-number", ADA, BOB)
    world.sync()
    assert [one[0] for one in world.there()] == [ADA, BOB]
    assert world.states("someone-without-a-number") == {"add refused": 1}


def test_a_refusal_that_names_the_entry_costs_only_that_entry(world: World) -> None:
    world.suppress(ADA, channel="sms", sender="x" * 240)
    world.suppress(BOB, channel="sms")
    long = "9" * 20
    world.suppress(long)
    world.sync()
    assert [one[0] for one in world.there()] == sorted([ADA, BOB, long])


def test_what_never_shows_opens_an_incident_and_shows_after_all_later(world: World) -> None:
    world.infobip.load({"otherwise": [{"after": 0}], "blocklist_delay": "2h"})
    world.settles = False
    world.having(verify_within=timedelta(seconds=20)).suppress(ADA)
    world.sync(12)
    assert world.states() == {"add missing": 1}
    told = world.incidents()["sync-missing"]
    assert told.severity == "warning"
    assert ADA not in str(told._mapping)
    world.infobip.advance(7_200)
    world.infobip.settle()
    world.ahead += timedelta(hours=1)
    world.sync(2)
    assert world.states() == {"add verified": 1}


def test_a_wrong_credential_is_told_and_nothing_is_lost(world: World) -> None:
    world.key = "wrong"
    world.suppress(ADA)
    world.sync(3)
    assert world.states() == {"add to_push": 1}
    told = world.incidents()["sync-stands-still"]
    assert "401" in told.title
    assert "DLR_INFOBIP_KEY" in told.next_step

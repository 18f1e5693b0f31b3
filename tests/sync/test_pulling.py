"""Infobip's Blocklist in our list: what it has comes here once, what is gone there goes, and there is no echo."""

from datetime import timedelta

from tests.support.desk import desk as make_desk
from tests.sync.world import BOTH, World, people

ADA, BOB, EVE, MAX = people(4)


def test_what_the_list_has_comes_here_once(world: World) -> None:
    world.having(pull=True, blocklist=False)
    world.put_there(ADA, channel="SMS")
    world.put_there(BOB, channel="SMS", sender="Shop")
    world.infobip.opt_out(EVE, "SMS", sender="Shop")
    world.sync()
    for _ in range(2):
        world.pull_again()
        world.sync(3)
    found = {(row.channel, row.sender, row.cause, row.origin, row.state) for row in world.entries()}
    assert found == {
        ("sms", "", "recipient_blocklisted", "infobip", "active"),
        ("sms", "Shop", "recipient_blocklisted", "infobip", "active"),
        ("", "Shop", "recipient_opted_out", "infobip", "active"),
    }
    assert len(world.entries()) == 3
    assert world.states() == {"there": 3}
    assert world.infobip.counts()["blocklist"]["asked"] == 0


def test_what_came_from_there_is_not_pushed_and_what_was_pushed_is_no_entry(world: World) -> None:
    world.switches = BOTH
    world.suppress(ADA, channel="sms")
    world.put_there(BOB)
    world.infobip.opt_out(EVE, "SMS", sender="Shop")
    for _ in range(3):
        world.pull_again()
        world.sync(4)
    assert len(world.entries()) == 3
    assert [row.origin for row in world.entries(ADA)] == ["operator"]
    assert len(world.there()) == 3
    counts = world.infobip.counts()["blocklist"]
    assert (counts["asked"], counts["askedTwice"], counts["removed"]) == (1, 0, 0)


def test_a_block_event_and_the_list_make_one_entry(world: World) -> None:
    world.having(pull=True)
    event = {
        "event": "BLOCK",
        "receivedAt": "2026-03-09T10:00:00.000+0000",
        "messageId": "block-1",
        "content": {"destination": ADA, "sender": "Shop", "channel": "SMS", "sourceType": "MO"},
    }
    desk = make_desk(world.database, world.vault)
    desk.handle(event, channel="blocklist")
    world.infobip.opt_out(ADA, "SMS", sender="Shop")
    world.sync()
    [entry] = world.entries(ADA)
    assert (entry.state, entry.origin, entry.cause) == ("active", "infobip", "recipient_opted_out")
    desk.handle(event | {"event": "UNBLOCK", "messageId": "block-2", "receivedAt": _now(world)}, channel="blocklist")
    assert [row.state for row in world.entries(ADA)] == ["lifted"]
    world.pull_again()
    world.sync(3)
    assert [row.state for row in world.entries(ADA)] == ["lifted"], "the old record brings nothing back"


def _now(world: World) -> str:
    return f"{world.clock() + timedelta(seconds=1):%Y-%m-%dT%H:%M:%S.000+0000}"


def test_what_somebody_takes_off_there_is_lifted_here(world: World) -> None:
    world.having(pull=True)
    world.put_there(ADA, BOB, channel="SMS")
    world.sync()
    world.take_off_there(ADA, channel="SMS", sourceType="CUSTOM")
    for _ in range(2):
        world.pull_again()
        world.sync(4)
    assert [row.state for row in world.entries(ADA)] == ["lifted"]
    assert [row.state for row in world.entries(BOB)] == ["active"]
    assert world.states(ADA) == {"gone": 1}
    world.put_there(ADA, channel="SMS")
    world.pull_again()
    world.sync(4)
    assert [(row.state, row.times) for row in world.entries(ADA)] == [("active", 2)]


def test_an_opt_out_that_is_gone_there_stays_here_and_is_told(world: World) -> None:
    world.having(pull=True)
    world.infobip.opt_out(ADA, "SMS", sender="Shop")
    world.sync()
    world.take_off_there(ADA, channel="SMS", sender="Shop", sourceType="MO")
    world.pull_again()
    world.sync(4)
    assert [row.state for row in world.entries(ADA)] == ["active"]
    assert world.states(ADA) == {"gone": 1}
    assert "sync-own-stops-gone" in world.incidents()


def test_a_list_that_is_suddenly_empty_lifts_nobody_until_a_person_says_so(world: World) -> None:
    from store import sync_runs

    world.having(pull=True)
    everybody = people(120, 447_700_910_000)
    world.put_there(*everybody)
    world.sync(3)
    assert len(world.entries()) == 120
    world.infobip.world.blocklist.clear()
    world.pull_again()
    world.sync(4)
    assert {row.state for row in world.entries()} == {"active"}
    assert "120 entries" in world.incidents()["sync-list-shrank"].title
    with world.database.transaction() as connection:
        sync_runs.at_once(connection, "main", world.clock(), allow_doubts=True)
    world.sync(10)
    assert {row.state for row in world.entries()} == {"lifted"}


def test_what_was_lifted_here_is_not_brought_back_by_the_record_there(world: World) -> None:
    world.switches = BOTH
    world.put_there(ADA)
    world.sync(3)
    world.lift(ADA)
    for _ in range(2):
        world.pull_again()
        world.sync(3)
    assert [row.state for row in world.entries(ADA)] == ["lifted"]
    assert world.there() == [(ADA, "", "", "CUSTOM")], "somebody at the company put it there"


def test_whole_mail_domains_and_unknown_channels_are_known_and_make_no_entry(world: World) -> None:
    world.having(pull=True)
    world.put_there("example.org", channel="EMAIL")
    world.put_there(ADA, channel="CARRIER_PIGEON")
    world.put_there(BOB, source="ORACLE")
    world.sync(3)
    assert world.entries() == []
    assert world.states() == {"there": 3}


def test_a_long_list_is_read_page_by_page_and_goes_on_where_a_worker_died(world: World) -> None:
    world.having(pull=True)
    everybody = people(2_300, 447_700_920_000)
    world.put_there(*everybody)
    desk = world.desk()
    desk.over = iter([False] * 9 + [True] * 1_000).__next__
    from workers.sync.run import work

    work(desk)
    first = len(world.entries())
    assert first in (1_000, 2_000)
    world.sync(3)
    assert len(world.entries()) == 2_300
    gets = world.infobip.counts()["requests"]
    assert sum(number for name, number in gets.items() if "blocklists" in name) == 3


def test_what_we_pushed_and_somebody_took_off_there_is_not_pushed_again(world: World) -> None:
    world.having(pull=True, verify_within=timedelta(seconds=5)).suppress(ADA, channel="sms")
    world.sync()
    world.take_off_there(ADA, channel="SMS", sourceType="CUSTOM")
    world.pull_again()
    world.sync(6)
    assert world.states(ADA) == {"add missing": 1}
    assert "sync-missing" in world.incidents()
    assert [row.state for row in world.entries(ADA)] == ["active"]
    assert world.infobip.counts()["blocklist"]["asked"] == 1

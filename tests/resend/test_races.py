"""What comes at the wrong moment: a report before the record, a worker that stood still, an id that is taken."""

from datetime import UTC, datetime, timedelta
from typing import Any

from codes import CodeRef
from infobip.outbound.logs import Found
from store import resending
from store.pauses import ALL, Scope, lift, pause
from store.schema import aliases, contents, messages, retries
from store.suppressions import ACTIVE, Entry, suppress
from tests.resend.world import PERSON, World, acting_rules, turned
from tests.support.desk import report
from tests.support.infobip import AT_ONCE, send, sms
from workers.actions.resend import looking
from workers.actions.resend.resender import Resender
from workers.actions.resend.waits import Waits

OTHER = "447700900456"


def faulty(world: World, **fault: Any) -> None:
    """Let the first resend of a failed message meet a fault."""
    world.infobip.load({**AT_ONCE, "rule": [{"name": "fault", "fault": fault}]})
    world.register()
    world.fail()
    world.run(hours=2)
    world.infobip.load(AT_ONCE)


class TestAReportProvesThatAnAttemptLeft:
    def test_although_infobip_said_that_it_took_nothing(self, world: World) -> None:
        faulty(world, status=429)
        assert world.states() == [(1, "planned")]
        world.fail("m-1-r1")

        assert world.states() == [(1, "accepted"), (2, "planned")]

        world.run(hours=5)

        assert world.states() == [(1, "accepted"), (2, "accepted")]
        assert [one["messageId"] for one in world.infobip.sends()] == ["m-1-r2"]

    def test_while_its_second_post_waits_for_something_else(self, world: World) -> None:
        faulty(world, drop="before")
        world.register("m-2", to=OTHER, state="accepted", sent_at=world.clock())
        send(world.infobip, sms(OTHER, message_id="m-2"))
        with world.desk.database.transaction() as connection:
            pause(connection, "", Scope(ALL), world.clock(), None, "a person stopped it", "test")
        for _ in range(6):
            world.run(minutes=16)
        [row] = world.rows()
        assert (row.state, row.posts) == ("planned", 1)

        world.desk.handle(report("m-1-r1", status=7))
        with world.desk.database.transaction() as connection:
            lift(connection, "", Scope(ALL))
        world.run(minutes=5)

        assert world.states() == [(1, "accepted")]
        assert world.infobip.sends("m-1-r1") == []


def test_an_older_attempt_that_is_not_needed_leaves_a_later_one_its_content(world: World) -> None:
    world.register()
    world.fail()
    with world.desk.database.transaction() as connection:
        row = dict(connection.execute(retries.select()).one()._mapping)
        connection.execute(retries.insert().values(**{**row, "id": row["id"] + 1, "attempt": 2, "state": "planned"}))
    world.run(hours=2)

    assert [state for _, state in world.states()] == ["cancelled", "accepted"]
    assert len(world.desk.rows(contents)) == 1


class _StandsStill(Resender):
    """A worker whose process is stopped right after it said that the request leaves."""

    def _leave(self, *given: Any) -> Any:
        ready = super()._leave(*given)
        self._clock.pass_(seconds=80)  # type: ignore[attr-defined]
        return ready


def standing_still(world: World) -> Resender:
    return turned(world.resender("slow"), _StandsStill)


def test_a_worker_with_too_little_left_of_its_lease_does_not_post(world: World) -> None:
    world.register()
    world.fail()
    world.clock.pass_(hours=2)
    [one] = claim(world, "slow")
    standing_still(world).send(one)

    assert world.infobip.sends() == []
    [row] = world.rows()
    assert (row.state, row.posts) == ("planned", 0)

    world.run(minutes=5)

    assert world.states() == [(1, "accepted")]
    assert world.infobip.times_accepted("m-1-r1") == 1


def claim(world: World, owner: str) -> Any:
    return resending.claim(world.desk.database, owner, world.clock(), 10)


def test_a_lease_outlasts_two_exchanges() -> None:
    waits = Waits()
    assert waits.lease > timedelta(seconds=2 * waits.patience.total)
    assert waits.looked_for == timedelta(minutes=30)


def test_what_there_is_no_time_for_is_given_back_at_once(world: World) -> None:
    for number in range(3):
        world.register(f"m-{number}", to=f"44770090012{number}")
        world.fail(f"m-{number}", to=f"44770090012{number}")
    world.clock.pass_(hours=2)
    asked = iter([False, False, True])
    assert world.resender().run(lambda: next(asked, True)) == 1

    left = [row for row in world.rows() if row.state == "planned"]
    assert len(left) == 2
    assert {row.owner for row in left} == {""}
    assert world.resender("another").run(lambda: False) == 2


class TestAnIdThatIsTaken:
    def test_by_the_application_itself_is_not_used_by_a_resend(self, world: World) -> None:
        world.register("m-1-r1")
        send(world.infobip, sms(PERSON, message_id="m-1-r1"))
        world.register()
        world.fail()
        world.run(hours=2)

        [own, resent] = [one["messageId"] for one in world.infobip.sends()]
        assert own == "m-1-r1"
        assert (resent[:4], resent[-3:]) == ("m-1~", "-r1")
        world.deliver("m-1-r1")
        known = {row.message_id: row.state for row in world.desk.rows(messages)}
        assert known == {"m-1": "failed", "m-1-r1": "delivered"}
        world.deliver(resent)
        assert {row.message_id: row.state for row in world.desk.rows(messages)}["m-1"] == "delivered"

    def test_by_the_attempt_itself_is_used_again(self, world: World) -> None:
        faulty(world, status=429)
        world.run(hours=1)

        assert [one["messageId"] for one in world.infobip.sends()] == ["m-1-r1"]
        assert {row.attempt for row in world.desk.rows(aliases)} == {1}


CALL = {"from": "441134960000", "destinations": [{"to": OTHER}], "text": "Hello", "language": "en"}
FALLBACK = {"channel": "voice", "endpoint": "/tts/3/advanced", "body": {"messages": [CALL]}}
BY_VOICE = """
[[rule]]
id = "call-instead"
match = { error = [27] }
why = "a call reaches who has no signal for messages"
retry = { delays = ["5m"], channel = "voice" }
"""


def test_an_address_that_opted_out_is_not_reached_by_another_channel_either(world: World, tmp_path: Any) -> None:
    world.desk.rules = acting_rules(tmp_path, BY_VOICE)
    world.register(fallback=FALLBACK)
    opted_out(world, OTHER)
    world.fail()
    world.run(hours=2)

    assert world.infobip.sends() == []
    [row] = world.rows()
    assert (row.state, row.note) == ("cancelled", "the recipient is suppressed: recipient_opted_out")


def test_by_another_channel_it_leaves_where_nothing_speaks_against_it(world: World, tmp_path: Any) -> None:
    world.desk.rules = acting_rules(tmp_path, BY_VOICE)
    world.register(fallback=FALLBACK)
    world.fail()
    world.run(hours=2)

    assert [one["recipient"] for one in world.infobip.sends()] == [OTHER]


def opted_out(world: World, address: str) -> None:
    now = datetime.now(UTC)
    entry = Entry(
        account="main",
        address=world.desk.vault.hash_address("main", address),
        channel="",
        sender="",
        campaign="",
        purpose="all",
        cause="recipient_opted_out",
        rule="test",
        origin="operator",
        state=ACTIVE,
        since=now,
        until=None,
        evidence={},
    )
    with world.desk.database.transaction() as connection:
        suppress(connection, [entry], now, "test")


def test_a_copy_that_was_refused_shows_in_the_logs_that_the_message_is_there(world: World) -> None:
    world.register()
    world.fail()
    world.clock.pass_(hours=2)
    [one] = claim(world, "w")
    refused = CodeRef(id=23, name="REJECTED_DUPLICATE_MESSAGE_ID", group_id=5)
    copy = Found("m-1-r1", refused, None, None, None, entries=2)

    assert isinstance(looking.judge(one, copy, world.clock(), Waits()), looking.There)

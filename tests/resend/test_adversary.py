"""What goes wrong around a resend must neither stop the others, nor send to the wrong person, nor use up a budget."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from policy import load_policy
from store import retention, suppressions
from store.database import Database
from store.pauses import ALL, Scope, lift, pause
from store.schema import contents, incidents, messages, retries, sends
from store.suppressions import ACTIVE, Entry
from store.vault import Vault
from tests.resend.world import PERSON, World
from tests.resend.world import world as make_world
from tests.support.desk import report
from tests.support.infobip import AT_ONCE
from tests.support.plans import scans

OTHER = "447700900456"
THIRD = "447700900789"


def note_of(world: World) -> list[tuple[str, str]]:
    return [(row.state, row.note) for row in world.rows()]


class TestOneThatCannotBeRead:
    """What stands in the way of one resend is that one's trouble alone."""

    def broken(self, world: World) -> None:
        world.register("broken", to=OTHER)
        world.fail("broken", to=OTHER)
        with world.desk.database.transaction() as connection:
            connection.execute(update(contents).values(sealed=b"no key of ours opens this"))
        world.register()
        world.fail()

    def test_does_not_hold_up_the_others(self, world: World) -> None:
        self.broken(world)
        world.run(hours=2)

        assert [one["messageId"] for one in world.infobip.sends()] == ["m-1-r1"]
        stuck = next(row for row in world.rows() if row.state != "accepted")
        assert (stuck.state, stuck.posts, stuck.owner) == ("planned", 0, "")
        assert stuck.due_at > world.clock()
        assert "UnknownKey" in stuck.note or "KeyMismatch" in stuck.note

    def test_is_told_of_in_one_incident(self, world: World) -> None:
        self.broken(world)
        world.run(hours=2)
        world.watch()

        [incident] = [one for one in world.desk.rows(incidents) if one.rule == "resend-fault"]
        assert incident.severity == "critical"
        assert "dlr retries" in incident.next_step

    def test_ends_at_its_end(self, world: World) -> None:
        self.broken(world)
        for _ in range(20):
            world.run(hours=6)

        assert {state for state, _ in note_of(world)} == {"accepted", "expired"}

    def test_in_doubt_does_not_hold_up_the_other_looks(self, world: World) -> None:
        world.infobip.load({**AT_ONCE, "rule": [{"name": "lost", "fault": {"drop": "after"}}]})
        for name, to in (("a", OTHER), ("b", THIRD)):
            world.register(name, to=to)
            world.fail(name, to=to)
        world.run(hours=2)
        assert world.states() == [(1, "unknown"), (1, "unknown")]
        world.infobip.load(AT_ONCE)
        first = min(world.rows(), key=lambda row: (row.due_at, row.id))
        with world.desk.database.transaction() as connection:
            key = first.message_key
            number = next(row.content for row in world.desk.rows(sends) if row.key == key)
            connection.execute(update(contents).where(contents.c.id == number).values(sealed=b"broken"))
        world.run(minutes=2)

        assert "accepted" in {row.state for row in world.rows()}


class TestAnIdThatStandsForSeveralPeople:
    def test_is_never_resent_to_any_of_them(self, world: World) -> None:
        for to in (PERSON, OTHER):
            world.register("shared", to=to)
        for to in (PERSON, OTHER):
            world.fail("shared", to=to)
        world.run(hours=2)

        assert world.infobip.sends() == []
        assert "accepted" not in {row.state for row in world.rows()}

    def test_nor_where_the_second_person_is_told_of_after_the_plan(self, world: World) -> None:
        world.register("shared")
        world.fail("shared")
        world.register("shared", to=OTHER)
        world.run(hours=2)

        assert world.infobip.sends() == []
        assert note_of(world) == [("cancelled", "its message id stands for several people")]

    def test_nor_where_only_reports_tell_of_the_second_person(self, world: World) -> None:
        world.register("shared")
        world.fail("shared")
        world.deliver("shared", to=OTHER)
        world.run(hours=2)

        assert world.infobip.sends() == []

    def test_the_same_id_in_another_account_is_another_message(self, world: World) -> None:
        world.register("shared")
        world.fail("shared")
        world.desk.handle(report("shared", to=OTHER), account="shop")
        world.run(hours=2)

        assert [one["messageId"] for one in world.infobip.sends()] == ["shared-r1"]

    def test_one_recipient_whom_a_report_does_not_name_is_nobody_else(self, world: World) -> None:
        world.register()
        world.desk.handle(report("m-1", status=7, to=None))
        world.fail()
        world.run(hours=2)

        assert [one["messageId"] for one in world.infobip.sends()] == ["m-1-r1"]


@pytest.fixture
def undeclared(database: Database, vault: Vault, tmp_path: Path) -> Iterator[World]:
    """A world in which nobody says what messages are for."""
    path = tmp_path / "undeclared.toml"
    path.write_text('version = 1\n[modes]\nretry = "act"\n', "utf-8")
    with make_world(database, vault, tmp_path) as made:
        made.desk.rules = load_policy(path)
        yield made


class TestWhatNobodyDeclared:
    def fail(self, world: World) -> None:
        world.register(purpose="undeclared")
        world.fail(error=32)
        [row] = world.rows()
        assert row.state == "planned"

    def test_leaves_within_the_hour(self, undeclared: World) -> None:
        self.fail(undeclared)
        undeclared.run(minutes=50)

        assert undeclared.states() == [(1, "accepted")]

    def test_does_not_leave_later_although_it_was_planned_in_time(self, undeclared: World) -> None:
        self.fail(undeclared)
        with undeclared.desk.database.transaction() as connection:
            pause(connection, "", Scope(ALL), undeclared.clock(), None, "a person stopped it", "test")
        undeclared.run(minutes=50)
        with undeclared.desk.database.transaction() as connection:
            lift(connection, "", Scope(ALL))
        undeclared.run(hours=3)

        assert undeclared.infobip.sends() == []
        assert undeclared.states() == [(1, "expired")]


class TestWhatDidNotLeave:
    def test_uses_up_no_budget_and_no_share_of_the_person(self, world: World) -> None:
        world.infobip.load({**AT_ONCE, "rule": [{"name": "too many", "fault": {"status": 429}}]})
        world.register()
        world.fail()
        world.run(hours=2)
        [row] = world.rows()
        assert (row.state, row.posts, row.sent_at, row.cost_micros) == ("planned", 0, None, 0)

    def test_so_an_outage_of_infobip_stops_nothing_once_it_is_over(self, world: World) -> None:
        world.account = type(world.account)(
            **{name: getattr(world.account, name) for name in world.account.__dataclass_fields__}
            | {"resends_per_day": 2}
        )
        world.infobip.load({**AT_ONCE, "rule": [{"name": "too many", "fault": {"status": 429}}]})
        for number in range(2):
            to = f"44770090020{number}"
            world.register(f"m-{number}", to=to)
            world.fail(f"m-{number}", to=to)
        world.run(hours=2)
        assert world.states() == [(1, "planned"), (1, "planned")]
        world.infobip.load(AT_ONCE)
        world.run(minutes=30)

        assert world.states() == [(1, "accepted"), (1, "accepted")]


def blocked(world: World, address: str, channel: str, cause: str = "recipient_opted_out") -> None:
    now = datetime.now(UTC)
    number = world.desk.vault.hash_address("main", address)
    entry = Entry("main", number, channel, "", "", "all", cause, "test", "operator", ACTIVE, now, None, {})
    with world.desk.database.transaction() as connection:
        suppressions.suppress(connection, [entry], now, "test")


OMNI = {
    "scenarioKey": "S",
    "destinations": [{"messageId": "o-1", "to": {"phoneNumber": PERSON, "emailAddress": "anna@post.example"}}],
    "viber": {"text": "Your parcel is here", "validityPeriod": 60},
    "sms": {"text": "Your parcel is here", "validityPeriod": 60},
    "email": {"text": "Your parcel is here", "subject": "Parcel", "validityPeriod": 60},
}


class TestAnOmniSend:
    """It may go over any of its channels, so each of them is asked for."""

    def fail(self, world: World) -> None:
        ways = ("viber", "sms", "email")
        world.register(
            "o-1", request=OMNI, channel="omni", endpoint="omni", path="/omni/1/advanced", failover=ways, sender=""
        )
        # The last leg: nothing of Infobip's own failover is still to come.
        world.desk.handle(report("o-1", status=9, error=27, channel="EMAIL", sender=None), channel="omni")
        [row] = world.rows()
        assert row.state == "planned"

    def test_leaves_where_nothing_is_in_the_way(self, world: World) -> None:
        self.fail(world)
        world.run(hours=2)

        assert [one["messageId"] for one in world.infobip.sends()] == ["o-1-r1"]

    def test_is_told_of_by_a_report_on_any_of_its_addresses(self, world: World) -> None:
        self.fail(world)
        world.run(hours=2)
        arrived = report("o-1-r1", to="anna@post.example", channel="EMAIL", sender=None)
        world.desk.handle(arrived, channel="omni")

        assert {row.message_id: row.state for row in world.desk.rows(messages)} == {"o-1": "delivered"}

    def test_follows_no_opt_out_on_any_of_its_channels(self, world: World) -> None:
        self.fail(world)
        blocked(world, PERSON, "sms")
        world.run(hours=2)

        assert world.infobip.sends() == []
        assert note_of(world) == [("cancelled", "the recipient is suppressed: recipient_opted_out")]

    def test_leaves_where_only_one_of_its_channels_does_not_reach_the_person(self, world: World) -> None:
        self.fail(world)
        blocked(world, PERSON, "viber", "recipient_not_on_channel")
        world.run(hours=2)

        assert [one["messageId"] for one in world.infobip.sends()] == ["o-1-r1"]

    def test_does_not_leave_where_none_of_them_reaches_the_person(self, world: World) -> None:
        self.fail(world)
        for channel in ("viber", "sms"):
            blocked(world, PERSON, channel, "recipient_unknown")
        blocked(world, "anna@post.example", "email", "recipient_unknown")
        world.run(hours=2)

        assert world.infobip.sends() == []

    def test_nor_does_infobips_own_failover_reach_who_opted_out_there(self, world: World) -> None:
        world.register(failover=("viber",))
        world.fail(channel=None)
        blocked(world, PERSON, "viber")
        world.run(hours=2)

        assert world.infobip.sends() == []


class TestContent:
    """It is erased at once when the message arrived, is suppressed or is given up."""

    def test_goes_with_what_expires_in_the_purge(self, world: World) -> None:
        world.register()
        world.fail()
        assert len(world.desk.rows(contents)) == 1
        purge(world, days=4)

        assert world.states() == [(1, "expired")]
        assert world.desk.rows(contents) == []

    def test_stays_where_a_later_attempt_of_the_message_goes_on(self, world: World) -> None:
        world.register()
        world.fail()
        with world.desk.database.transaction() as connection:
            row = dict(connection.execute(retries.select()).one()._mapping)
            later = {"id": row["id"] + 1, "attempt": 2, "give_up_at": row["give_up_at"] + timedelta(days=5)}
            connection.execute(retries.insert().values(**{**row, **later}))
        purge(world, days=4)

        assert world.states() == [(1, "expired"), (2, "planned")]
        assert len(world.desk.rows(contents)) == 1

    def test_goes_once_no_rule_sends_it_again(self, world: World) -> None:
        world.register()
        # The number does not exist.
        world.fail(error=1)
        assert world.rows() == []
        assert world.desk.rows(contents) == []

    def test_goes_once_the_last_attempt_failed(self, world: World) -> None:
        world.register()
        world.fail()
        number = 0
        while any(state == "planned" for _, state in world.states()):
            number += 1
            assert len(world.desk.rows(contents)) == 1
            for _ in range(10):
                if (number, "planned") in world.states():
                    world.run(hours=3)
            world.hear(report(f"m-1-r{number}", status=9, error=27))

        assert number > 1
        assert {state for _, state in world.states()} == {"accepted"}
        assert world.desk.rows(contents) == []

    def test_stays_while_an_attempt_is_on_its_way(self, world: World) -> None:
        world.register()
        world.fail()
        world.fail(error=1)

        assert world.states() == [(1, "planned")]
        assert len(world.desk.rows(contents)) == 1

    def test_stays_where_a_person_may_put_right_what_it_was_refused_for(self, world: World) -> None:
        world.register()
        world.desk.handle(report("m-1", status=12))

        assert len(world.desk.rows(contents)) == 1

    def test_stays_where_nobody_knows_the_code(self, world: World) -> None:
        world.register()
        world.fail(error=987_654)

        assert len(world.desk.rows(contents)) == 1

    def test_stays_where_a_stranger_said_that_it_failed(self, world: World) -> None:
        world.register()
        world.desk.handle(report("m-1", status=9, error=1), trusted=False)

        assert len(world.desk.rows(contents)) == 1

    @pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
    def test_is_looked_for_without_reading_all_resends(self, world: World) -> None:
        world.register()
        world.register("m-2")

        def drain() -> None:
            world.fail()
            world.fail("m-2", error=1)
            world.deliver()

        assert scans(world.desk.database, drain) == []
        assert world.desk.rows(contents) == []


def purge(world: World, **ahead: float) -> None:
    world.clock.pass_(**ahead)
    long = timedelta(days=400)
    # Contents have an end of their own, which is not what is tested here.
    with world.desk.database.transaction() as connection:
        connection.execute(update(contents).values(keep_until=world.clock() + timedelta(days=1)))
    retention.purge(world.desk.database, retention.Limits(long, long, long, long), world.clock())

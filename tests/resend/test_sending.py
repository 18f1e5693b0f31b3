"""A planned resend leaves once, at its time, and only if the world still wants it."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest
from sqlalchemy import update

from config.secrets import Secret
from store import steering
from store.credentials_mark import mark_of
from store.pauses import ALL, Scope, lift, pause
from store.schema import contents, messages, pauses
from tests.resend.world import PERSON, World
from tests.support.desk import report
from tests.support.infobip import KEY


def test_a_transient_failure_is_sent_again_at_its_time(world: World) -> None:
    world.register()
    world.fail()

    assert world.run() == 0
    assert world.states() == [(1, "planned")]

    world.run(hours=2)

    assert world.states() == [(1, "accepted")]
    assert [send["messageId"] for send in world.infobip.sends()] == ["m-1-r1"]


def test_what_nobody_registered_waits_and_leaves_once_it_is_registered(world: World) -> None:
    world.fail()
    world.run(hours=2)
    [row] = world.rows()
    assert (row.state, row.note) == ("waiting", "content not registered")

    world.register()
    world.run()

    assert world.states() == [(1, "accepted")]


def test_without_a_credential_it_waits(world: World) -> None:
    world.account = type(world.account)(name="main", base_url=world.infobip.url, key=Secret())
    world.register()
    world.fail()
    world.run(hours=2)

    [row] = world.rows()
    assert (row.state, row.note) == ("waiting", "no credential for this account")
    assert world.infobip.sends() == []


CREDENTIALS = {
    "basic": {"user": "simulator", "password": Secret(KEY)},
    "oauth2": {"client_id": "simulator", "client_secret": Secret(KEY)},
}


@pytest.mark.parametrize("kind", CREDENTIALS)
def test_it_leaves_with_whichever_credential_the_account_has(world: World, kind: str) -> None:
    world.account = replace(world.account, key=Secret(), **CREDENTIALS[kind])  # type: ignore[arg-type]
    world.register()
    world.fail()
    world.run(hours=2)

    assert world.states() == [(1, "accepted")]
    assert world.infobip.times_accepted("m-1-r1") == 1


@pytest.mark.parametrize("kind", CREDENTIALS)
def test_what_passed_with_another_kind_of_credential_waits_unless_all_are_of_one_account(
    world: World, kind: str
) -> None:
    mark = mark_of(world.desk.vault, f"App {KEY}")
    world.account = replace(world.account, key=Secret(), **CREDENTIALS[kind])  # type: ignore[arg-type]
    world.register(credential=mark)
    world.fail()
    world.run(hours=2)
    assert [row.note for row in world.rows()] == ["no credential for this account"]

    world.account = replace(world.account, one_account=True)
    world.desk.database.repeat(
        lambda connection: steering.start(connection, [row.id for row in world.rows()], world.clock(), "")
    )
    world.run()
    assert world.infobip.times_accepted("m-1-r1") == 1


def test_a_send_with_another_credential_is_not_resent_with_ours(world: World) -> None:
    world.register(credential=b"the mark of another one")
    world.fail()
    world.run(hours=2)

    [row] = world.rows()
    assert (row.state, row.note) == ("waiting", "no credential for this account")


def test_a_late_delivery_cancels(world: World) -> None:
    world.register()
    world.fail()
    world.deliver()
    world.run(hours=2)

    assert world.states() == [(1, "cancelled")]
    assert world.infobip.sends() == []


def test_an_opt_out_cancels_and_erases_what_was_to_be_sent(world: World) -> None:
    world.register()
    world.fail()
    said = {"from": PERSON, "to": "Shop", "text": "STOP", "receivedAt": report()["doneAt"]}
    world.desk.handle({"messageId": "in-1", **said})
    world.run(hours=2)

    assert world.states() == [(1, "cancelled")]
    assert world.infobip.sends() == []


def test_after_its_end_it_expires(world: World) -> None:
    world.register(not_after=datetime.now(UTC) + timedelta(minutes=90))
    world.fail()
    world.run(hours=2)

    assert world.states() == [(1, "expired")]


def test_a_send_that_infobip_repeats_is_not_repeated_by_us(world: World) -> None:
    world.register(repeats=True)
    world.fail()
    world.run(hours=2)

    assert world.infobip.sends() == []


class TestAReportOnAResend:
    def test_a_delivery_is_the_delivery_of_the_message(self, world: World) -> None:
        world.register()
        world.fail()
        world.run(hours=2)
        world.deliver("m-1-r1")

        [message] = world.desk.rows(messages)
        assert (message.message_id, message.state, message.resends) == ("m-1", "delivered", 1)

    def test_a_failure_plans_the_next_attempt_of_the_same_message(self, world: World) -> None:
        world.register()
        world.fail()
        world.run(hours=2)
        world.fail("m-1-r1")

        assert world.states() == [(1, "accepted"), (2, "planned")]
        assert [row.state for row in world.desk.rows(messages)] == ["failed"]

    def test_a_second_failure_of_the_original_plans_nothing_more(self, world: World) -> None:
        world.register()
        world.fail()
        world.run(hours=2)
        world.fail(error=32)

        assert world.states() == [(1, "accepted")]

    def test_while_it_is_on_its_way_the_message_is_too(self, world: World) -> None:
        world.register()
        world.fail()
        world.run(hours=2)
        world.desk.handle(report("m-1-r1", status=7))

        assert [row.state for row in world.desk.rows(messages)] == ["pending"]

    def test_the_content_is_erased_once_it_arrived(self, world: World) -> None:
        world.register()
        world.fail()
        world.run(hours=2)
        assert len(world.desk.rows(contents)) == 1
        world.deliver("m-1-r1")

        assert world.desk.rows(contents) == []


def test_what_stands_for_several_people_is_never_planned(world: World) -> None:
    world.register(obstacle="its message id stands for several people")
    world.fail()

    assert world.rows() == []


def test_a_code_is_not_sent_after_its_end(world: World) -> None:
    world.register(purpose="otp", not_after=datetime.now(UTC) + timedelta(minutes=1))
    world.fail()

    assert world.rows() == []


def test_a_quota_holds_back_what_else_would_meet_it(world: World) -> None:
    world.register()
    world.fail()
    world.register("m-2", to="447700900124")
    world.fail("m-2", error=541, to="447700900124")
    paused = [(row.scope, row.value) for row in world.desk.rows(pauses)]
    assert paused

    before = {row.message_key: row.due_at for row in world.rows()}
    with world.desk.database.transaction() as connection:
        connection.execute(update(pauses).values(until=world.clock() + timedelta(hours=5)))
    world.run(hours=3)

    assert world.infobip.sends() == []
    assert all(row.due_at > before[row.message_key] and "paused" in row.note for row in world.rows())

    world.run(hours=3)
    assert len(world.infobip.sends()) == 1, "a probe goes ahead"
    world.hear(report("m-1-r1"))
    world.run(minutes=2)
    assert len(world.infobip.sends()) == 2


def test_the_switch_stops_everything_and_loses_nothing(world: World) -> None:
    world.register()
    world.fail()
    with world.desk.database.transaction() as connection:
        pause(connection, "", Scope(ALL), world.clock(), None, "a person stopped it", "test")
    world.run(hours=2)
    [row] = world.rows()
    assert (row.state, row.note) == ("planned", "all resends are stopped: a person stopped it")

    with world.desk.database.transaction() as connection:
        lift(connection, "", Scope(ALL))
    world.run(minutes=2)

    assert world.states() == [(1, "accepted")]


def test_nobody_is_woken(world: World) -> None:
    world.account = replace(world.account, quiet=(time(0, 1), time(23, 59)))
    world.register()
    world.fail()
    world.run(hours=2)

    [row] = world.rows()
    assert row.state in ("planned", "expired")
    assert "night" in row.note
    assert world.infobip.sends() == []

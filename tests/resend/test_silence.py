"""Another channel starts when no delivery is reported within seconds, once, and only where silence means something."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from policy import Rules
from store import sends, silences
from store.database import Database
from store.schema import contents, incident_deltas, messages
from store.schema import silences as watched
from store.sends import Send
from store.suppressions import ACTIVE, Entry, suppress
from store.vault import Vault
from tests.resend.world import PERSON, World
from tests.resend.world import world as make_world
from tests.support.desk import report
from webhook.opinions import Opinion
from webhook.watching import watch_of
from workers.actions.silence import watch_once
from workers.forget import forget_person

RULE = """
[[rule]]
id = "code-by-voice"
match = { purpose = "otp" }
why = "a code that does not arrive within seconds keeps a person waiting"
on_silence = { after = "20s", then = "voice" }
"""
OTHER = "447700900999"


def voice(to: str = PERSON, sender: str = "441134960000") -> dict[str, Any]:
    """Return a call that may be made instead."""
    body = {"messages": [{"from": sender, "destinations": [{"to": to}], "text": "Your code is 7", "language": "en"}]}
    return {"channel": "voice", "endpoint": "/tts/3/advanced", "body": body}


@pytest.fixture
def world(database: Database, vault: Vault, tmp_path: Path) -> Iterator[World]:
    with make_world(database, vault, tmp_path, policy=RULE) as made:
        yield made


def sent(world: World, message_id: str = "m-1", to: str = PERSON, **more: Any) -> Send:
    """Register a code with a call that may be made instead, as the pass-through and the API do."""
    send = world.register(message_id, to, **{"purpose": "otp", "fallback": voice(to), **more})
    opinion = Opinion(world.desk.rules.purposes, timedelta(days=3), world.desk.rules)
    now = datetime.now(UTC)
    row = watch_of(send, opinion, fallback="voice", address=to, leaves_at=send.sent_at, now=now)
    with world.desk.database.transaction() as connection:
        silences.watch(connection, [row] if row else [])
    return send


def others_are_heard(world: World) -> None:
    """Let callbacks of the channel come in."""
    world.desk.handle(report("of-others", to=OTHER))


def let_pass(world: World, **span: float) -> int:
    """Let time pass and look at what is due; return how many other channels are started."""
    world.clock.pass_(**span)
    return watch_once(world.desk.database, world.desk.rules, world.clock())


def fates(world: World) -> list[str]:
    return sorted(row.state for row in world.desk.rows(watched))


def calls(world: World) -> list[str]:
    return [send["messageId"] for send in world.infobip.sends() if send["channel"] == "voice"]


def test_the_other_channel_starts_when_nothing_is_heard(world: World) -> None:
    sent(world)
    others_are_heard(world)
    assert let_pass(world, seconds=19) == 0
    assert let_pass(world, seconds=2) == 1
    world.run()

    assert calls(world) == ["m-1-r1"]
    [row] = world.rows()
    assert (row.state, row.channel, row.rule) == ("accepted", "voice", "code-by-voice")


def test_it_starts_once(world: World) -> None:
    sent(world)
    others_are_heard(world)
    let_pass(world, seconds=21)
    world.run()
    sent(world)

    assert let_pass(world, seconds=21) == 0
    world.run()
    assert calls(world) == ["m-1-r1"]


def test_a_delivery_that_is_first_cancels_it(world: World) -> None:
    sent(world)
    world.deliver()

    assert let_pass(world, seconds=21) == 0
    assert (fates(world), world.rows()) == (["heard"], [])


def test_a_delivery_between_the_plan_and_the_call_cancels_it(world: World) -> None:
    sent(world)
    others_are_heard(world)
    let_pass(world, seconds=21)
    world.deliver()
    world.run()

    assert world.states() == [(1, "cancelled")]
    assert calls(world) == []


def test_a_delivery_that_has_come_and_is_not_processed_yet_is_waited_for(world: World) -> None:
    sent(world)
    others_are_heard(world)
    world.clock.pass_(seconds=-18)
    world.desk.post(report("m-1", doneAt=None))
    world.clock.pass_(seconds=18)
    with world.desk.database.transaction() as connection:
        connection.execute(watched.update().values(due_at=datetime.now(UTC) + timedelta(seconds=1)))
    assert let_pass(world, seconds=2) == 0
    assert fates(world) == ["waiting"]

    world.desk.drain()
    let_pass(world)
    assert fates(world) == ["heard"]


def test_nothing_is_watched_that_no_rule_names_or_that_has_nothing_else_to_send(world: World) -> None:
    sent(world, purpose="transactional")
    sent(world, "m-2", failover=("viber",))
    sent(world, "m-3", repeats=True)
    sent(world, "m-4", obstacle="its id stands for several people")
    sent(world, "m-5", channel="voice")
    sent(world, "m-6", not_after=datetime.now(UTC) + timedelta(seconds=15))
    sent(world, "m-7", sent_at=datetime.now(UTC) - timedelta(hours=1))

    assert world.desk.rows(watched) == []


def test_the_shipped_policy_watches_nothing(database: Database, vault: Vault, tmp_path: Path) -> None:
    with make_world(database, vault, tmp_path) as plain:
        sent(plain)
        assert plain.desk.rows(watched) == []


def test_a_report_on_the_call_is_one_on_the_message(world: World) -> None:
    sent(world)
    others_are_heard(world)
    let_pass(world, seconds=21)
    world.run()
    world.desk.handle(report("m-1-r1", mccMnc=None, doneAt=None), channel="voice")

    [message] = [row for row in world.desk.rows(messages) if row.recipient == sent_hash(world)]
    assert (message.message_id, message.channel, message.state) == ("m-1", "sms", "delivered")
    assert world.desk.rows(contents) == []


def sent_hash(world: World) -> bytes:
    return world.desk.vault.hash_address("main", PERSON)


def test_a_failure_of_the_original_after_that_plans_nothing_more(world: World) -> None:
    sent(world)
    others_are_heard(world)
    let_pass(world, seconds=21)
    world.run()
    world.fail()

    assert world.states() == [(1, "accepted")]


def test_a_resend_that_is_planned_gives_way(world: World) -> None:
    sent(world, not_after=datetime.now(UTC) + timedelta(hours=3))
    world.fail()
    assert world.states() == [(1, "planned")]
    assert let_pass(world, seconds=21) == 1
    world.run()

    assert world.states() == [(1, "cancelled"), (2, "accepted")]
    assert [send["messageId"] for send in world.infobip.sends()] == ["m-1-r2"]


def test_a_failure_is_no_delivery_either(world: World) -> None:
    sent(world)
    world.fail(error=1)

    assert let_pass(world, seconds=21) == 1


def test_nothing_follows_a_failure_that_forbids_it(world: World) -> None:
    sent(world)
    world.desk.handle(report("m-1", status=14, error=0, doneAt=None))

    assert let_pass(world, seconds=21) == 0
    assert fates(world) == ["dropped"]


def test_who_wants_no_more_is_not_called(world: World) -> None:
    sent(world)
    others_are_heard(world)
    said = {"from": PERSON, "to": "Shop", "text": "STOP", "receivedAt": report()["doneAt"]}
    let_pass(world, seconds=21)
    world.desk.handle({"messageId": "in-1", **said})
    world.run()

    assert calls(world) == []
    assert [state for _, state in world.states()] == ["cancelled"]


def test_who_is_suppressed_on_the_other_channel_is_not_called(world: World) -> None:
    sent(world)
    others_are_heard(world)
    let_pass(world, seconds=21)
    block(world, channel="voice", cause="recipient_unknown")
    world.run()

    [row] = world.rows()
    assert (row.state, row.note) == ("cancelled", "the recipient is suppressed: recipient_unknown")


def test_an_opt_out_of_one_channel_holds_on_the_other(world: World) -> None:
    sent(world)
    others_are_heard(world)
    let_pass(world, seconds=21)
    block(world, channel="sms", cause="recipient_opted_out")
    world.run()

    [row] = world.rows()
    assert (row.state, row.note) == ("cancelled", "the recipient is suppressed: recipient_opted_out")


def test_that_a_channel_does_not_reach_somebody_does_not_close_the_other(world: World) -> None:
    sent(world)
    others_are_heard(world)
    let_pass(world, seconds=21)
    block(world, channel="sms", cause="recipient_unknown")
    world.run()

    assert calls(world) == ["m-1-r1"]


def test_whoever_is_called_at_another_address_is_looked_up_by_that(world: World) -> None:
    sent(world, fallback=voice(OTHER))
    others_are_heard(world)
    let_pass(world, seconds=21)
    block(world, OTHER, channel="voice", cause="recipient_unknown")
    world.run()

    assert [state for _, state in world.states()] == ["cancelled"]


def block(world: World, address: str = PERSON, *, channel: str, cause: str) -> None:
    entry = Entry(
        account="main",
        address=world.desk.vault.hash_address("main", address),
        channel=channel,
        sender="",
        campaign="",
        purpose="all",
        cause=cause,
        rule="test",
        origin="operator",
        state=ACTIVE,
        since=datetime.now(UTC) - timedelta(hours=1),
        until=None,
        evidence={},
    )
    with world.desk.database.transaction() as connection:
        suppress(connection, [entry], datetime.now(UTC), "test")


def test_a_code_that_has_lost_its_worth_is_not_called_out(world: World) -> None:
    sent(world, not_after=datetime.now(UTC) + timedelta(seconds=30))
    others_are_heard(world)
    let_pass(world, seconds=21)
    world.run(seconds=10)

    assert [state for _, state in world.states()] == ["expired"]
    assert calls(world) == []


def test_it_counts_in_the_cap_of_the_person(world: World) -> None:
    sent(world)
    for number in range(3):
        world.register(f"before-{number}")
    others_are_heard(world)
    let_pass(world, seconds=21)
    world.run()

    [row] = world.rows()
    assert row.state == "expired"
    assert "4 messages went there within an hour" in row.note


class TestCallbacksThatAreLate:
    def told(self, world: World) -> list[str]:
        return [row.title for row in world.desk.rows(incident_deltas) if row.rule == "silence-proves-nothing"]

    def test_no_callback_of_the_channel_for_a_minute(self, world: World) -> None:
        sent(world)
        assert let_pass(world, seconds=21) == 0

        assert (fates(world), world.rows()) == (["held"], [])
        assert ["no callback of this channel has come for 1 minute" in one for one in self.told(world)] == [True]

    def test_a_callback_of_another_channel_is_none_of_this_one(self, world: World) -> None:
        sent(world)
        world.desk.handle(report("v-1", to=OTHER), channel="voice")
        let_pass(world, seconds=21)

        assert fates(world) == ["held"]

    def test_callbacks_that_wait_to_be_processed(self, world: World) -> None:
        sent(world)
        others_are_heard(world)
        world.desk.post(report("of-others-2", to=OTHER, minute=1))
        let_pass(world, seconds=21)

        assert fates(world) == ["held"]
        assert ["have waited here" in one for one in self.told(world)] == [True]

    def test_many_that_are_silent_at_once_are_one_incident_and_no_call(self, world: World) -> None:
        for number in range(40):
            sent(world, f"c-{number}", f"4477009002{number:02}")
        others_are_heard(world)
        assert let_pass(world, seconds=21) == 0

        assert set(fates(world)) == {"held"}
        assert world.rows() == []
        assert len(self.told(world)) == 1

    def test_few_that_are_silent_among_many_are_called(self, world: World) -> None:
        people = [(f"c-{number}", f"44770090{number:04}") for number in range(110)]
        for message_id, person in people:
            sent(world, message_id, person)
        world.desk.handle(*(report(message_id, to=person) for message_id, person in people[20:]))
        started = let_pass(world, seconds=21)

        assert started == 20
        assert fates(world).count("heard") == 90

    def test_what_nobody_looked_at_in_time_is_let_go(self, world: World) -> None:
        sent(world, not_after=datetime.now(UTC) + timedelta(hours=1))
        others_are_heard(world)
        world.desk.rules.limits = world.desk.rules.limits.__class__(callbacks_within=timedelta(hours=1))

        assert let_pass(world, minutes=6) == 0
        assert fates(world) == ["dropped"]


def test_in_the_mode_observe_it_is_only_recorded(database: Database, vault: Vault, tmp_path: Path) -> None:
    with make_world(database, vault, tmp_path, policy=RULE) as world:
        watching: Rules = world.desk.rules
        watching.modes = {**watching.modes, "retry": type(watching.modes["retry"]).OBSERVE}
        sent(world)
        others_are_heard(world)
        assert let_pass(world, seconds=21) == 0
        world.run()

        assert world.states() == [(1, "observed")]
        assert calls(world) == []


def test_who_is_forgotten_is_watched_no_longer(world: World) -> None:
    sent(world)
    forget_person(world.desk.database, world.desk.vault, PERSON, ["main"])

    assert world.desk.rows(watched) == []


def test_a_rule_that_is_taken_back_starts_nothing(world: World, tmp_path: Path) -> None:
    sent(world)
    others_are_heard(world)
    world.desk.rules.silences = ()

    assert let_pass(world, seconds=21) == 0
    assert fates(world) == ["dropped"]


def test_what_was_erased_cannot_be_said(world: World) -> None:
    send = sent(world)
    others_are_heard(world)
    with world.desk.database.transaction() as connection:
        sends.erase(connection, [send.content])
    let_pass(world, seconds=21)
    world.run()

    assert calls(world) == []

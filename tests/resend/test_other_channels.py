"""A rule may send again on another channel: by what the send registered for it, and with everything asked for that."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from infobip.outbound import Rate
from store import messages as store_messages
from store import sends
from store.database import Database
from store.schema import contents, messages
from store.sends import Content, Send
from store.suppressions import ACTIVE, Entry, suppress
from store.vault import Vault
from tests.relay.world import serving
from tests.resend.world import PERSON, World
from tests.resend.world import world as make_world
from tests.support.desk import report
from tests.support.infobip import AT_ONCE
from tests.webhook.world import wait_for
from workers.actions.resend.limiter import Limiter

RULES = """
[[rule]]
id = "sms-by-voice"
match = { channel = "sms", cause = "recipient_unreachable" }
why = "a call may be taken where a text is not"
retry = { delays = ["5m"], attempts = 2, channel = "voice" }

[[rule]]
id = "whatsapp-by-sms"
match = { channel = ["whatsapp", "viber"], cause = "recipient_not_on_channel" }
why = "who has no WhatsApp has a phone all the same"
retry = { delays = ["5m"], attempts = 2, channel = "sms" }
"""
VOICE = {
    "channel": "voice",
    "endpoint": "/tts/3/advanced",
    "body": {
        "messages": [
            {"from": "441134960000", "destinations": [{"to": PERSON}], "text": "Your parcel is here", "language": "en"}
        ]
    },
}
SMS = {
    "channel": "sms",
    "endpoint": "/messages-api/1/messages",
    "body": {
        "messages": [
            {
                "channel": "SMS",
                "sender": "Shop",
                "destinations": [{"to": PERSON}],
                "content": {"body": {"type": "TEXT", "text": "Your parcel is here"}},
            }
        ]
    },
}
WHATSAPP = {"from": "442079460001", "to": PERSON, "messageId": "w-1", "content": {"text": "Your parcel is here"}}


@pytest.fixture
def world(database: Database, vault: Vault, tmp_path: Path) -> Iterator[World]:
    with make_world(database, vault, tmp_path, policy=RULES) as made:
        yield made


def whatsapp(world: World, fallback: dict[str, Any], failover: tuple[str, ...] = ()) -> Send:
    """Register a WhatsApp message."""
    vault, now = world.desk.vault, datetime.now(UTC)
    with world.desk.database.transaction() as connection:
        content = Content(json.dumps(WHATSAPP).encode(), fallback)
        [number] = sends.keep_contents(connection, vault, "main", [(content, now + timedelta(days=3))])
        send = Send(
            key=store_messages.key_of(vault, "main", "w-1", PERSON),
            account="main",
            message_id="w-1",
            recipient=vault.hash_address("main", PERSON),
            channel="whatsapp",
            sender="442079460001",
            sent_at=now,
            purpose="transactional",
            endpoint="whatsapp",
            path="/whatsapp/1/message/text",
            content=number,
            failover=failover,
        )
        sends.register(connection, [send], now)
    return send


def block(world: World, channel: str, cause: str) -> None:
    entry = Entry(
        account="main",
        address=world.desk.vault.hash_address("main", PERSON),
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


def left(world: World) -> list[tuple[str, str]]:
    return [(send["channel"], send["messageId"]) for send in world.infobip.sends()]


def state(world: World) -> str:
    [message] = world.desk.rows(messages)
    return str(message.state)


def test_a_text_goes_on_as_a_call(world: World) -> None:
    world.register(fallback=VOICE)
    world.fail()
    world.run(minutes=10)
    assert left(world) == [("voice", "m-1-r1")]
    assert world.states() == [(1, "accepted")]

    world.desk.handle(report("m-1-r1", 7, sender="441134960000"), channel="voice")
    assert state(world) == "pending"
    world.desk.handle(report("m-1-r1", 5, minute=1, sender="441134960000"), channel="voice")
    assert state(world) == "delivered"
    [message] = world.desk.rows(messages)
    assert (message.message_id, message.channel, message.sender) == ("m-1", "sms", "Shop")
    assert world.desk.rows(contents) == []


def test_a_message_on_whatsapp_goes_on_as_a_text_by_the_messages_api(world: World) -> None:
    whatsapp(world, SMS)
    failed = report("w-1", 9, 7002, mccMnc=None)
    world.desk.handle(failed, channel="whatsapp")
    world.run(minutes=10)
    assert left(world) == [("messages-api", "w-1-r1")]

    # Reports by the Messages API name the channel of the leg that they are about.
    world.desk.handle({**report("w-1-r1", minute=1), "channel": "SMS"}, channel="messages-api")
    assert state(world) == "delivered"


def test_its_reports_come_in_where_those_of_that_channel_do(world: World) -> None:
    with serving() as ours:
        url = f"http://127.0.0.1:{ours.server_address[1]}/webhook/{{channel}}/t0k"
        world.register(fallback=VOICE, reports_to=url)
        world.fail()
        world.run(minutes=10)
        wait_for(lambda: bool(ours.seen), 20)

    assert [seen.path for seen in ours.seen] == ["/webhook/voice/t0k"]
    assert b"m-1-r1" in ours.seen[0].body


def test_where_the_other_channel_fails_too_the_message_failed(world: World) -> None:
    whatsapp(world, SMS, failover=("viber",))
    world.desk.handle(report("w-1", 9, 7002, mccMnc=None), channel="whatsapp")
    world.run(minutes=10)
    assert left(world) == [], "Infobip goes on by Viber"
    world.desk.handle({**report("w-1", 9, 7002, mccMnc=None), "channel": "VIBER_BM"}, channel="messages-api")
    world.run(minutes=10)
    assert left(world) == [("messages-api", "w-1-r1")]
    # It is no leg of the failover that Infobip was asked for, so nothing of that can follow it.
    world.desk.handle({**report("w-1-r1", 9, 1, minute=1), "channel": "SMS"}, channel="messages-api")

    assert state(world) == "failed"


def test_a_failed_call_plans_what_the_rule_says_of_calls(world: World) -> None:
    world.register(fallback=VOICE)
    world.fail()
    world.run(minutes=10)
    world.desk.handle(report("m-1-r1", 9, 5003, mccMnc=None, doneAt=None), channel="voice")

    [first, second] = world.rows()
    assert (first.attempt, first.state, first.channel) == (1, "accepted", "voice")
    assert (second.attempt, second.state) == (2, "planned")


def test_what_nobody_registered_for_the_other_channel_waits_and_leaves_once_it_is(world: World) -> None:
    world.register()
    world.fail()
    world.run(minutes=10)
    [row] = world.rows()
    assert (row.state, row.note) == ("waiting", "content not registered")

    world.register(fallback=VOICE)
    world.run()
    assert left(world) == [("voice", "m-1-r1")]


def test_content_for_a_third_channel_is_none_for_this_one(world: World) -> None:
    world.register(fallback=SMS)
    world.fail()
    world.run(minutes=10)

    assert [row.state for row in world.rows()] == ["waiting"]


def test_a_suppression_on_the_other_channel_stops_it(world: World) -> None:
    world.register(fallback=VOICE)
    world.fail()
    block(world, "voice", "recipient_unknown")
    world.run(minutes=10)

    assert (world.states(), left(world)) == ([(1, "cancelled")], [])


def test_a_suppression_on_the_first_channel_is_why_the_other_is_there(world: World) -> None:
    whatsapp(world, SMS)
    world.desk.handle(report("w-1", 9, 7002, mccMnc=None), channel="whatsapp")
    block(world, "whatsapp", "recipient_not_on_channel")
    world.run(minutes=10)

    assert left(world) == [("messages-api", "w-1-r1")]


def test_another_credential_is_asked_for_here_too(world: World) -> None:
    world.register(fallback=VOICE, credential=b"the mark of another one")
    world.fail()
    world.run(minutes=10)

    assert [row.note for row in world.rows()] == ["no credential for this account"]


class Recorder(Limiter):
    """Lets everything through and writes down what it was asked for."""

    def __init__(self) -> None:
        super().__init__("memory://")
        self.asked: list[str] = []

    def pass_one(self, account: str, name: str, rate: Rate | None, patience: float) -> bool:
        self.asked.append(name)
        return True


def test_the_rate_of_the_other_endpoint_is_kept(world: World) -> None:
    world.limiter = limiter = Recorder()
    world.register(fallback=VOICE)
    world.fail()
    world.run(minutes=10)

    assert limiter.asked == ["tts-advanced"]


def test_a_lost_answer_is_looked_up_in_the_logs_of_the_other_channel(world: World) -> None:
    world.infobip.load({**AT_ONCE, "rule": [{"name": "lost", "fault": {"drop": "after"}}]})
    world.register(fallback=VOICE)
    world.fail()
    world.run(minutes=10)
    assert world.states() == [(1, "unknown")]
    world.infobip.load(AT_ONCE)
    world.run(minutes=2)

    assert world.states() == [(1, "accepted")]
    assert world.infobip.times_accepted("m-1-r1") == 1

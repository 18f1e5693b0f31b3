"""Sends with something to send instead are watched, whichever way they were registered."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infobip.simulator import Simulator
from store import schema
from tests.proxy.upstream import Upstream, answers
from tests.proxy.world import OTHER, World, several
from tests.support.infobip import PERSON, sms

POLICY = """
version = 1
extends = false
[[rule]]
id = "code-by-voice"
match = { purpose = "otp" }
why = "a code that does not arrive within seconds keeps a person waiting"
on_silence = { after = "20s", then = "voice" }
"""
CALL: dict[str, Any] = {
    "endpoint": "/tts/3/advanced",
    "body": {"messages": [{"from": "44123", "destinations": [{"to": PERSON}], "text": "Hello", "language": "en"}]},
}
SINGLE = {"endpoint": "/tts/3/single", "body": {"from": "44123", "to": PERSON, "text": "Hello", "language": "en"}}


def policy(world: World) -> dict[str, str]:
    """Return the setting of a policy that calls where a code is not reported to have arrived."""
    path = world.folder / "policy.toml"
    path.write_text(POLICY, "utf-8")
    return {"DLR_POLICY": str(path)}


def headers(fallback: Any = CALL, purpose: str = "otp") -> dict[str, str]:
    return {"X-DLR-Purpose": purpose, "X-DLR-Fallback": json.dumps(fallback)}


def tell(world: World, **more: Any) -> Any:
    content = {"endpoint": "/sms/3/messages", "body": sms(message_id="m-1")}
    body = {"messageId": "m-1", "to": PERSON, "channel": "sms", "purpose": "otp", "content": content, **more}
    client = world.app(**policy(world)).test_client()
    return client.post("/api/v1/sends", json=body, headers={"Authorization": f"Bearer {world.key}"})


def test_what_passes_through_is_watched_once_infobip_has_it(world: World, simulator: Simulator) -> None:
    world.send(sms(message_id="m-1"), app=world.app(**policy(world)), headers=headers())

    [row] = world.rows(schema.silences)
    send = world.registered("m-1")
    assert (row.key, row.rule, row.instead, row.state) == (send.key, "code-by-voice", "voice", "waiting")
    assert row.due_at - send.sent_at == timedelta(seconds=20)
    kept = world.content(send)
    assert kept is not None
    assert kept.fallback == {**CALL, "channel": "voice"}


def test_a_message_that_gets_its_id_from_infobip_is_watched_under_that(world: World, simulator: Simulator) -> None:
    answer = world.send(sms(), app=world.app(**policy(world)), headers=headers()).get_json()

    [row] = world.rows(schema.silences)
    assert row.key == world.registered(answer["messages"][0]["messageId"]).key


def test_the_header_is_not_passed_on(plain: World, upstream: Upstream) -> None:
    plain.send(sms(message_id="m-1"), app=plain.app(**policy(plain)), headers=headers())
    assert not [name for name, _ in upstream.seen[0].headers if name.lower().startswith("x-dlr")]


def test_what_infobip_refused_is_not_watched(plain: World, upstream: Upstream) -> None:
    upstream.reply = answers(400, b"{}")
    plain.send(sms(message_id="m-1"), app=plain.app(**policy(plain)), headers=headers())
    assert plain.rows(schema.silences) == []


def test_another_purpose_and_no_rule_are_not_watched(world: World, simulator: Simulator) -> None:
    world.send(sms(message_id="m-1"), app=world.app(**policy(world)), headers=headers(purpose="transactional"))
    world.send(sms(message_id="m-2"), headers=headers())
    assert world.rows(schema.silences) == []


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ("call", "in one line"),
        ("[1]", "in one line"),
        ("{}", "cannot be used"),
        (json.dumps({**CALL, "channel": "sms"}), "sends on another"),
        (json.dumps(SINGLE), "cannot be used"),
    ],
)
def test_a_header_that_cannot_be_used_is_refused_before_anything_leaves(
    plain: World, upstream: Upstream, told: str, says: str
) -> None:
    answer = plain.send(sms(message_id="m-1"), headers={"X-DLR-Fallback": told})
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (400, "bad_declaration")
    assert says in answer.get_json()["error"]["message"]
    assert upstream.seen == []


def test_a_header_for_several_people_is_refused(plain: World, upstream: Upstream) -> None:
    answer = plain.send(several([(PERSON, "b-1"), (OTHER, "b-2")]), headers=headers())
    assert answer.status_code == 400
    assert "the request has 2" in answer.get_json()["error"]["message"]
    assert upstream.seen == []


def test_what_is_told_is_watched_from_when_it_was_sent(plain: World) -> None:
    sent = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=5)
    answer = tell(plain, sentAt=sent.isoformat(), fallback=CALL)
    assert answer.get_json()["registered"] == 1, answer.data

    [row] = plain.rows(schema.silences)
    assert row.due_at == sent + timedelta(seconds=20)
    assert row.key == plain.registered("m-1").key


def test_what_is_told_twice_is_watched_once(plain: World) -> None:
    tell(plain, fallback=CALL)
    [before] = plain.rows(schema.silences)
    tell(plain, fallback=CALL)

    assert plain.rows(schema.silences) == [before]


def test_what_is_told_long_after_it_was_sent_is_not_watched(plain: World) -> None:
    tell(plain, sentAt=(datetime.now(UTC) - timedelta(minutes=10)).isoformat(), fallback=CALL)
    assert plain.rows(schema.silences) == []


def test_what_is_told_without_anything_to_send_instead_is_not_watched(plain: World) -> None:
    tell(plain)
    assert plain.rows(schema.silences) == []


def test_a_send_for_later_is_watched_from_then_on(plain: World) -> None:
    later = (datetime.now(UTC) + timedelta(hours=1)).replace(microsecond=0)
    body = sms(message_id="m-1")
    body["options"] = {"schedule": {"sendAt": later.isoformat()}}
    tell(plain, content={"endpoint": "/sms/3/messages", "body": body}, fallback=CALL)

    [row] = plain.rows(schema.silences)
    assert row.due_at == later + timedelta(seconds=20)


def test_something_without_a_message_id_cannot_be_sent_instead(plain: World) -> None:
    answer = tell(plain, fallback=SINGLE)
    assert answer.status_code == 422
    assert answer.get_json()["refused"][0]["field"] == "fallback"

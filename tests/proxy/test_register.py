"""What passes through is registered: before it leaves, and with what became of it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from infobip.outbound import find, rebuild
from infobip.simulator import Simulator
from store import schema
from store.credentials_mark import mark_of
from store.sends import ACCEPTED, INTENT, LONGEST_CONTENT, NOT_SENT, REFUSED, UNKNOWN
from tests.proxy.upstream import Handler, Upstream, answers, hangs
from tests.proxy.world import AUTHORIZATION, OTHER, World, several
from tests.support.infobip import PERSON, sms
from tests.support.ports import free_port


def test_a_send_is_registered_with_its_id_options_credential_and_content(world: World) -> None:
    body = sms(message_id="m-1", sender="Shop")
    body["messages"][0]["options"] = {"validityPeriod": {"amount": 30, "timeUnit": "MINUTES"}}
    assert world.send(body).status_code == 200
    send = world.registered("m-1")
    assert (send.state, send.channel, send.sender, send.endpoint) == (ACCEPTED, "sms", "Shop", "sms-3")
    assert send.credential == mark_of(world.vault, AUTHORIZATION["Authorization"].replace("App", "app"))
    assert send.not_after is not None
    assert timedelta(minutes=29) < send.not_after - send.sent_at <= timedelta(minutes=30)
    content, endpoint = world.content(send), find("POST", send.path)
    assert content is not None
    assert endpoint is not None
    assert b"Your parcel" in rebuild(endpoint, content.request, "m-1-r1", None, None, datetime.now(UTC)).body


def test_a_message_without_an_id_of_its_own_gets_the_one_of_the_answer(world: World, simulator: Simulator) -> None:
    answer = world.send(sms()).get_json()
    (message,) = answer["messages"]
    assert world.registered(message["messageId"]).state == ACCEPTED
    assert world.states() == [ACCEPTED]


def test_each_person_of_a_bulk_is_registered_with_a_content_of_their_own(world: World) -> None:
    assert world.send(several([(PERSON, "b-1"), (OTHER, "b-2")])).status_code == 200
    first, second = world.content(world.registered("b-1")), world.content(world.registered("b-2", OTHER))
    assert first is not None
    assert second is not None
    assert PERSON.encode() in first.request
    assert PERSON.encode() not in second.request


def test_one_refused_message_of_a_bulk_is_refused_alone(plain: World, upstream: Upstream) -> None:
    upstream.reply = answers(
        200,
        b'{"messages":[{"messageId":"b-1","destination":"447700900123","status":{"groupId":1,"id":26,"name":"PENDING_ACCEPTED"}},'
        b'{"messageId":"b-2","destination":"447700900456","status":{"groupId":5,"id":12,"name":"REJECTED_NOT_ENOUGH_CREDITS"}}]}',
    )
    plain.send(several([(PERSON, "b-1"), (OTHER, "b-2")]))
    assert plain.registered("b-1").state == ACCEPTED
    refused = plain.registered("b-2", OTHER)
    assert refused.state == REFUSED
    assert plain.content(refused) is not None, "a report may follow, and a rule may send it again"


@pytest.mark.parametrize(
    ("status", "state", "contents"),
    [(400, REFUSED, 0), (401, REFUSED, 0), (429, NOT_SENT, 0), (500, UNKNOWN, 1), (302, REFUSED, 0)],
)
def test_what_a_refusal_of_the_whole_request_proves_is_registered(
    plain: World, upstream: Upstream, status: int, state: str, contents: int
) -> None:
    upstream.reply = answers(status, b'{"errorCode":"E400"}')
    answer = plain.send(sms(message_id="m-1"))
    assert (answer.status_code, answer.data) == (status, b'{"errorCode":"E400"}')
    assert plain.registered("m-1").state == state
    assert plain.content_count == contents


def test_an_answer_that_cannot_be_read_leaves_the_outcome_unknown(plain: World, upstream: Upstream) -> None:
    upstream.reply = answers(200, b"<html>")
    assert plain.send(sms(message_id="m-1")).data == b"<html>"
    assert plain.registered("m-1").state == UNKNOWN


def test_what_never_left_is_502_and_registered_as_not_sent(make_world: Any) -> None:
    world = make_world(f"http://127.0.0.1:{free_port()}")
    answer = world.send(sms(message_id="m-1"))
    assert answer.status_code == 502
    assert answer.get_json()["error"]["code"] == "not_sent"
    assert world.registered("m-1").state == NOT_SENT
    assert world.content_count == 0


def test_the_same_id_again_changes_nothing_of_the_message_that_has_it(world: World) -> None:
    world.send(sms(message_id="m-1", text="the first"))
    before = world.registered("m-1")
    answer = world.send(sms(message_id="m-1", text="the second")).get_json()
    assert answer["messages"][0]["status"]["groupName"] == "REJECTED"
    assert world.registered("m-1") == before
    assert world.states() == [ACCEPTED]
    content = world.content(before)
    assert content is not None
    assert b"the first" in content.request
    assert world.content_count == 1


def test_the_same_id_again_proves_that_a_message_of_unknown_outcome_is_there(
    world: World, simulator: Simulator
) -> None:
    world.send(sms(message_id="m-1"))
    with world.database.transaction() as connection:
        connection.execute(update(schema.sends).values(state=UNKNOWN))
    world.send(sms(message_id="m-1"))
    assert world.registered("m-1").state == ACCEPTED
    assert simulator.times_accepted("m-1") == 1


def test_the_purpose_comes_from_the_header_else_from_the_policys_mapping(world: World, tmp_path: Path) -> None:
    policy = tmp_path / "own.toml"
    policy.write_text('[purposes]\nsender = { News = "marketing" }\ncampaign = { spring = "transactional" }\n')
    app = world.app(DLR_POLICY=str(policy))
    world.send(sms(message_id="m-1", sender="News"), app=app)
    world.send(sms(message_id="m-2", sender="News"), app=app, headers={"X-DLR-Purpose": "otp"})
    world.send(sms(message_id="m-3", sender="Shop"), app=app)
    assert [world.registered(f"m-{number}").purpose for number in (1, 2, 3)] == ["marketing", "otp", "undeclared"]


def test_what_the_application_declares_stays_here(plain: World, upstream: Upstream) -> None:
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=5)
    headers = {"X-DLR-Purpose": "OTP", "X-DLR-Not-After": end.isoformat(), "X-Own": "yes"}
    plain.send(sms(message_id="m-1"), headers=headers)
    assert plain.registered("m-1").not_after == end
    (seen,) = upstream.seen
    assert not [name for name, _ in seen.headers if name.lower().startswith("x-dlr")]
    assert seen.header("X-Own") == "yes"


@pytest.mark.parametrize("header", ["X-DLR-Purpose", "X-DLR-Not-After"])
def test_a_declaration_that_cannot_be_read_is_told_before_anything_leaves(
    plain: World, upstream: Upstream, header: str
) -> None:
    answer = plain.send(headers={header: "tomorrow"})
    assert answer.status_code == 400
    assert header in answer.get_json()["error"]["message"]
    assert upstream.seen == []


def test_content_is_kept_no_longer_than_the_last_possible_attempt(world: World) -> None:
    end = datetime.now(UTC) + timedelta(minutes=7)
    world.send(sms(message_id="m-1"), headers={"X-DLR-Not-After": end.isoformat()})
    world.send(sms(message_id="m-2"))
    kept = {row.id: row.keep_until for row in world.rows(schema.contents)}
    assert kept[world.registered("m-1").content] <= end
    send = world.registered("m-2")
    # The shipped policy's longest rule gives up after less than the ceiling.
    assert timedelta(hours=1) < kept[send.content] - send.sent_at <= LONGEST_CONTENT


def test_a_content_over_1_mib_is_not_kept_and_the_register_says_so(plain: World) -> None:
    plain.send(sms(message_id="m-1", text="x" * 1_100_000))
    send = plain.registered("m-1")
    assert (send.content, plain.content_count) == (0, 0)
    assert "1 MiB" in send.obstacle


def test_what_takes_no_message_id_is_registered_and_never_resent(world: World) -> None:
    answer = world.send({"text": "Hello", "from": "44123", "to": PERSON}, "/tts/3/single")
    assert answer.status_code == 200, answer.data
    message_id = answer.get_json()["messages"][0]["messageId"]
    send = world.registered(message_id)
    assert (send.channel, send.content) == ("voice", 0)
    assert "message id" in send.obstacle


def test_neither_credential_nor_content_nor_address_is_stored_in_clear(world: World) -> None:
    world.send(sms(message_id="m-1", text="the-secret-text"))
    for table in (schema.contents, schema.sends):
        stored = repr(world.rows(table))
        for secret in ("the-secret-text", PERSON, AUTHORIZATION["Authorization"]):
            assert secret not in stored


@pytest.mark.parametrize("status", [429, 403])
def test_what_was_not_taken_leaves_its_place_to_the_next_try_under_the_same_id(
    plain: World, upstream: Upstream, status: int
) -> None:
    """A process that dies before the answer to the second one leaves all that is needed to send it again."""
    upstream.reply = lambda handler: handler.answer(status)
    plain.send(sms(message_id="m-1"))
    assert plain.registered("m-1").content == 0
    meanwhile = []

    def look(handler: Handler) -> None:
        meanwhile.append(plain.registered("m-1"))
        hangs(handler)

    upstream.reply = look
    plain.send(sms(message_id="m-1", text="Once more"))

    [second] = meanwhile
    assert second.state == INTENT
    kept = plain.content(second)
    assert kept is not None
    assert b"Once more" in kept.request
    assert plain.states() == [UNKNOWN]

"""Applications that send by themselves tell what they sent: good entries are kept, and faults are told one by one."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from werkzeug.test import TestResponse

from store import schema
from store.schema import retries
from store.sends import ACCEPTED, TOLD
from tests.proxy.world import OTHER, World, away, several
from tests.support.infobip import PERSON, sms

PATH = "/sms/3/messages"


def entry(message_id: str = "m-1", **more: Any) -> dict[str, Any]:
    return {"messageId": message_id, "to": PERSON, "channel": "sms", **more}


def content(message_id: str = "m-1", to: str = PERSON, **more: Any) -> dict[str, Any]:
    return {"endpoint": PATH, "body": sms(to, message_id=message_id, **more)}


def post(world: World, body: Any, key: str = "") -> TestResponse:
    headers = {"Authorization": f"Bearer {key or world.key}"}
    return world.app().test_client().post("/api/v1/sends", json=body, headers=headers)


def test_a_send_is_registered_with_all_that_is_told(world: World) -> None:
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=5)
    sent = end - timedelta(minutes=6)
    told = entry(
        purpose="otp",
        notAfter=end.isoformat(),
        sentAt=sent.isoformat(),
        campaign="spring",
        applicationId="app-1",
        entityId="shop-1",
        content=content(),
        fallback={
            "channel": "voice",
            "endpoint": "/tts/3/advanced",
            "body": {"messages": [{"from": "44123", "destinations": [{"to": PERSON}], "text": "Hello"}]},
        },
    )
    answer = post(world, told)
    assert (answer.status_code, answer.get_json()) == (200, {"registered": 1, "refused": [], "withoutContent": []})
    send = world.registered("m-1")
    assert (send.state, send.origin, send.purpose, send.not_after, send.sent_at) == (TOLD, "api", "otp", end, sent)
    assert (send.sender, send.campaign, send.application, send.entity) == ("Shop", "spring", "app-1", "shop-1")
    assert (send.endpoint, send.path, send.credential) == ("sms-3", PATH, b"")
    kept = world.content(send)
    assert kept is not None
    assert json.loads(kept.request) == told["content"]["body"]
    assert kept.fallback == told["fallback"]
    (row,) = world.rows(schema.contents)
    assert row.keep_until <= end


def test_many_are_registered_at_once_and_the_bad_ones_told(world: World) -> None:
    bad = [
        entry("b-1", chanel="sms"),
        entry("b-2", notAfter="tomorrow"),
        {"to": PERSON, "channel": "fax"},
        entry("b-4", content=content("other")),
        entry("b-5", content=content("b-5", to=OTHER)),
        entry("b-6", content={"endpoint": "/sms/9/none", "body": {}}),
        entry("b-7", content={"endpoint": PATH, "body": several([(PERSON, "b-7"), (OTHER, "b-8")])}),
        entry("b-8", fallback={"endpoint": PATH, "body": sms()}),
        entry("b-9", content=content("b-9"), fallback={"endpoint": PATH, "body": {}}),
        "nothing",
        entry("b-11", channel="voice", content=content("b-11")),
    ]
    answer = post(world, {"sends": [entry("g-1"), *bad, entry("g-2", content=content("g-2"))]})
    told = answer.get_json()
    assert (answer.status_code, told["registered"]) == (200, 2)
    assert [(one["index"], one["field"]) for one in told["refused"]] == [
        (1, "chanel"),
        (2, "notAfter"),
        (3, "messageId"),
        (3, "channel"),
        (4, "content.body"),
        (5, "content.body"),
        (6, "content.endpoint"),
        (7, "content.body"),
        (8, "fallback"),
        (9, "fallback"),
        (10, ""),
        (11, "channel"),
    ]
    assert all(one["message"] and one["fix"] for one in told["refused"])
    assert "channel" in told["refused"][0]["fix"]
    assert world.registered("g-2").content
    assert len(world.rows(schema.sends)) == 2


MBID = "urn:mbid:AQAAY6xHR8jJXQr78AG+hTy/xz8H/slwhA06+fLuhMyG="


@pytest.mark.parametrize(
    ("channel", "to"),
    [
        ("sms", "+44 7700 900123"),
        ("sms", "0044-7700-900123"),
        ("sms", "07700900123"),  # an account may have a country of its own
        ("sms", "60611"),
        ("sms", 447700900123),
        ("sms", MBID),
        ("mms", "12025550123"),
        ("voice", "+1 (202) 555-0123"),
        ("email", "Jo.O'Neil+shop@mail.example.co.uk"),
        ("email", "jo@b\u00fccher.example"),
        ("email", MBID),
        ("whatsapp", "US.13491208655302741918"),
        ("viber", "4D9zXR5GHjAbcdEFghIJkQ=="),
        ("rcs", "447700900123"),
        ("push", "f3a1c7d0-0b1f-4c39-9a53-1a2b3c4d5e6f"),
        ("line", "U4af4980629f0c2b7d1e8a6b5c4d3e2f1"),
        ("apple", "urn:biz:5f1c2d3e-0000-4a5b"),
        ("open-channel", "jo@example.com"),
    ],
)
def test_what_infobip_may_take_as_a_recipient_is_registered(world: World, channel: str, to: Any) -> None:
    told = post(world, entry(channel=channel, to=to)).get_json()
    assert (told["registered"], told["refused"]) == (1, [])


@pytest.mark.parametrize(
    ("channel", "to", "said"),
    [
        ("sms", "Jo", "It is no phone number"),
        ("sms", "19", "It is no phone number"),
        ("sms", "447700900123, 447700900124", "It is no phone number"),
        ("sms", "+44 (0)7700 900123", "write the number without it"),
        ("sms", "jo@example.com", "sms reaches nobody by that"),
        ("mms", "4477009001231231231231", "It is no phone number"),
        ("voice", "44770090O123", "It is no phone number"),
        ("whatsapp", "jo@example.com", "whatsapp reaches nobody by that"),
        ("email", "447700900999", "It is no e-mail address"),
        ("email", "Jo <jo@example.com>", "without a name"),
        ("email", "jo@example.com,al@example.com", "It is no e-mail address"),
        ("viber", "two words", "It has a blank in it"),
        ("push", "\u0000abc", "cannot be printed"),
        ("sms", "  ", "Length must be between 1 and 255"),
    ],
)
def test_a_recipient_that_is_none_is_refused_by_its_index_and_nothing_else_is(
    world: World, channel: str, to: Any, said: str
) -> None:
    told = post(world, {"sends": [entry("m-1"), entry("m-2", channel=channel, to=to), entry("m-3")]}).get_json()
    assert told["registered"] == 2
    (fault,) = told["refused"]
    assert (fault["index"], fault["field"]) == (1, "to")
    assert said in fault["message"]
    assert fault["fix"].startswith("Write the one recipient as the send has it")
    assert str(to) not in fault["message"]


def test_where_nothing_is_good_the_answer_is_an_error_of_the_one_shape(world: World) -> None:
    answer = post(world, {"sends": [entry(to="")]})
    told = answer.get_json()
    assert (answer.status_code, told["registered"], told["refused"][0]["field"]) == (422, 0, "to")
    assert set(told["error"]) == {"code", "message", "next_step"}


@pytest.mark.parametrize(("body", "status"), [([1], 400), ({"sends": [entry()] * 1001}, 413)])
def test_a_body_that_is_no_request_is_refused(world: World, body: Any, status: int) -> None:
    answer = post(world, body)
    assert answer.status_code == status
    assert set(answer.get_json()) == {"error"}


def test_only_a_key_with_the_scope_may_register(world: World) -> None:
    client = world.app().test_client()
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"App {world.key}"}):
        answer = client.post("/api/v1/sends", json=entry(), headers=headers)
        assert (answer.status_code, answer.get_json()["error"]["code"]) == (401, "no_key")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert post(world, entry(), world.make_key("proxy")).status_code == 403
    assert world.rows(schema.sends) == []


def test_a_send_belongs_to_the_account_of_the_key(world: World) -> None:
    post(world, entry(), world.make_key("sends:write", account="shop"))
    (row,) = world.rows(schema.sends)
    assert row.account == "shop"


def test_a_content_over_1_mib_is_not_kept_and_the_answer_says_so(world: World) -> None:
    answer = post(world, entry(content=content(text="x" * 1_100_000)))
    (told,) = answer.get_json()["withoutContent"]
    assert told["index"] == 0
    assert "1 MiB" in told["reason"]
    assert world.content_count == 0


def test_what_is_told_again_takes_nothing_away(world: World) -> None:
    post(
        world,
        entry(purpose="otp", content=content(), sentAt="2026-01-24T10:00:00Z", notAfter="2030-01-01T00:00:00+0000"),
    )
    before = world.registered("m-1")
    post(world, entry(campaign="spring"))
    after = world.registered("m-1")
    assert (after.campaign, after.content, after.purpose) == ("spring", before.content, "otp")
    assert (after.sent_at, after.endpoint, after.not_after) == (before.sent_at, "sms-3", before.not_after)
    post(world, entry(content=content(text="another")))
    kept = world.content(world.registered("m-1"))
    assert kept is not None
    assert b"another" in kept.request
    assert world.content_count == 1


def test_what_passed_through_is_only_added_to(world: World) -> None:
    from dataclasses import replace

    from store import sends

    post(world, entry(content=content()))
    passed = replace(world.registered("m-1"), state=ACCEPTED, origin="proxy", credential=b"c" * 16)
    with world.database.transaction() as connection:
        sends.register(connection, [passed], datetime.now(UTC))
    post(world, entry(purpose="marketing", sentAt="2020-01-01T10:00:00Z"))
    assert world.registered("m-1") == replace(passed, purpose="marketing")


def test_a_resend_that_waited_for_the_content_is_planned(world: World) -> None:
    post(world, entry())
    send = world.registered("m-1")
    now = datetime.now(UTC)
    row = {"id": 1, "account": "main", "message_key": send.key, "recipient": send.recipient, "attempt": 1}
    row |= {"report_id": 1, "state": "waiting", "mode": "act", "rule": "r", "channel": "sms", "due_at": now}
    row |= {"give_up_at": now + timedelta(hours=1), "note": "", "changed_at": now}
    with world.database.transaction() as connection:
        connection.execute(retries.insert().values(**row))
    post(world, entry(content=content()))
    assert [row.state for row in world.rows(retries)] == ["planned"]


def test_an_undeclared_send_to_somebody_who_gets_no_marketing_is_flagged(world: World) -> None:
    world.suppress(purpose="marketing")
    post(world, {"sends": [entry("m-1"), entry("m-2", purpose="transactional")]})
    assert [world.registered(name).flagged for name in ("m-1", "m-2")] == [True, False]


def test_numbers_of_a_content_keep_their_text(world: World) -> None:
    raw = json.dumps(entry(content=content())).replace('"Shop"', '"Shop", "price": 1.10')
    headers = {"Authorization": f"Bearer {world.key}", "Content-Type": "application/json"}
    assert world.app().test_client().post("/api/v1/sends", data=raw, headers=headers).status_code == 200
    kept = world.content(world.registered("m-1"))
    assert kept is not None
    assert b'"price":1.10' in kept.request


def test_a_form_is_registered_in_the_form_in_which_it_is_stored(world: World) -> None:
    parts = [("from", "s@example.com"), ("to", "jo@example.com"), ("subject", "Hello"), ("text", "Hello")]
    body = {"parts": [{"name": name, "value": value} for name, value in [*parts, ("messageId", "e-1")]]}
    told = {"messageId": "e-1", "to": "jo@example.com", "channel": "email"}
    answer = post(world, {**told, "content": {"endpoint": "/email/3/send", "body": body}})
    assert answer.get_json()["registered"] == 1, answer.data
    assert world.registered("e-1", "jo@example.com").endpoint == "email-3"


def test_a_database_that_is_away_is_503_and_nothing_is_kept(world: World) -> None:
    world.app()
    with away(world):
        answer = post(world, entry())
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (503, "not_kept")
    assert world.rows(schema.sends) == []


def test_no_route_takes_an_address_in_its_url(world: World) -> None:
    rules = [rule.rule for rule in world.app().url_map.iter_rules() if rule.rule.startswith("/api")]
    assert rules
    assert not [rule for rule in rules if "<" in rule]

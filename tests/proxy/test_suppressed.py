"""People on the suppression list: nothing leaves for them, and the application hears of it as it would from Infobip."""

import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from infobip.inbound import read
from infobip.simulator import Simulator
from store import schema
from store.parcels import open_parcel
from store.raw import unpack
from store.sends import ACCEPTED, REFUSED
from store.suppressions import PROPOSED
from tests.proxy.upstream import Upstream
from tests.proxy.world import OTHER, World, several
from tests.support.infobip import PERSON, sms

RELAY = "https://app.example.com/dlr"
THIRD = "447700900789"
BOTH = several([(PERSON, "b-1"), (OTHER, "b-2"), (THIRD, "b-3")])


def statuses(answer: Any) -> list[tuple[str, int]]:
    return [(one["messageId"], one["status"]["id"]) for one in answer.get_json()["messages"]]


def test_those_who_are_suppressed_are_left_out_and_answered_in_their_place(world: World, simulator: Simulator) -> None:
    world.suppress(OTHER)
    answer = world.send(BOTH)
    assert answer.status_code == 200
    assert statuses(answer) == [("b-1", 26), ("b-2", 14), ("b-3", 26)]
    assert [send["messageId"] for send in simulator.sends()] == ["b-1", "b-3"]
    assert [world.registered(*one).state for one in (("b-1", PERSON), ("b-2", OTHER))] == [ACCEPTED, REFUSED]
    assert "recipient_opted_out" in world.registered("b-2", OTHER).obstacle
    assert world.registered("b-2", OTHER).content == 0


def test_only_the_destinations_change(plain: World, upstream: Upstream) -> None:
    plain.suppress(OTHER)
    body = several([(PERSON, "b-1"), (OTHER, "b-2")], options={"amount": 1.1}, extra=[1, {"n": None}])
    plain.send(body)
    expected = several([(PERSON, "b-1")], options={"amount": 1.1}, extra=[1, {"n": None}])
    assert json.loads(upstream.seen[0].body) == expected


def test_where_nobody_is_left_infobip_is_not_called(plain: World, upstream: Upstream) -> None:
    plain.suppress()
    answer = plain.send(sms(message_id="m-1"))
    assert (answer.status_code, statuses(answer)) == (200, [("m-1", 14)])
    assert upstream.seen == []


def test_one_message_without_a_list_is_answered_in_its_own_shape(plain: World, upstream: Upstream) -> None:
    plain.suppress()
    body = {"from": "441134960000", "to": PERSON, "messageId": "w-1", "content": {"text": "Hello"}}
    answer = plain.send(body, "/whatsapp/1/message/text").get_json()
    assert (answer["messageId"], answer["to"], answer["status"]["id"]) == ("w-1", PERSON, 14)
    assert upstream.seen == []


def test_a_report_follows_by_relay_as_infobip_would_send_it(plain: World) -> None:
    plain.suppress()
    app = plain.app(DLR_RELAY_URL=RELAY, DLR_HMAC_SECRET="shared")
    body = sms(message_id="m-1", callbackData="order=7")
    plain.send(body, app=app)
    (row,) = plain.rows(schema.outbox)
    assert (row.kind, row.account, row.state) == ("relay", "main", "due")
    raw = unpack(plain.vault, row.payload)
    signed = "sha256=" + hmac.new(b"shared", raw.body, hashlib.sha256).hexdigest()
    assert raw.headers == {"Content-Type": "application/json", "x-hub-signature": signed}
    reading = read(raw.body, "application/json", "sms", account="main")
    assert reading.faults == ()
    (item,) = reading.items
    assert (item.report.message_id, item.report.recipient) == ("m-1", PERSON)
    assert json.loads(raw.body)["results"][0]["callbackData"] == "order=7"
    assert item.report.status is not None
    assert (item.report.status.id, item.report.status.group) == (14, "REJECTED")


def test_no_report_follows_where_infobip_refused_the_rest(plain: World, upstream: Upstream) -> None:
    upstream.reply = lambda handler: handler.answer(400, b"{}")
    plain.suppress(OTHER)
    answer = plain.send(BOTH, app=plain.app(DLR_RELAY_URL=RELAY))
    assert (answer.status_code, answer.data) == (400, b"{}")
    assert plain.rows(schema.outbox) == []


def test_the_whole_request_is_refused_where_that_is_asked_for(plain: World, upstream: Upstream) -> None:
    plain.suppress(OTHER)
    answer = plain.send(BOTH, app=plain.app(DLR_PROXY_SUPPRESSED="refuse"))
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (422, "recipients_suppressed")
    assert "1 of 3" in answer.get_json()["error"]["message"]
    assert (upstream.seen, plain.states(), plain.content_count) == ([], [], 0)


def test_nobody_is_left_out_where_it_is_switched_off(plain: World, upstream: Upstream) -> None:
    plain.suppress(OTHER)
    plain.send(BOTH, app=plain.app(DLR_PROXY_SUPPRESSED="off"))
    assert json.loads(upstream.seen[0].body) == BOTH


def test_a_form_is_refused_whole_since_it_is_never_changed(plain: World, upstream: Upstream) -> None:
    plain.suppress("jo@example.com")
    form = {"from": "shop@example.com", "to": "jo@example.com", "subject": "Hello", "text": "Hello"}
    answer = plain.send(path="/email/3/send", data=form, content_type="multipart/form-data")
    assert answer.status_code == 422
    assert upstream.seen == []
    form["to"] = "al@example.com"
    assert plain.send(path="/email/3/send", data=form, content_type="multipart/form-data").status_code == 200
    assert b'name="to"\r\n\r\nal@example.com' in upstream.seen[0].body


Passes = Callable[..., bool]


@pytest.fixture
def passes(plain: World, upstream: Upstream) -> Passes:
    """Whether a message leaves."""
    app = plain.app()

    def send(purpose: str = "", **message: Any) -> bool:
        before = len(upstream.seen)
        plain.send(sms(**{"message_id": "m-1", **message}), app=app, headers={"X-DLR-Purpose": purpose})
        return len(upstream.seen) > before

    return send


def test_an_entry_reaches_as_far_as_its_scope_says(plain: World, passes: Passes) -> None:
    plain.suppress(channel="voice")
    plain.suppress(sender="News")
    plain.suppress(campaign="spring")
    assert passes(sender="Shop")
    assert not passes(sender="News")
    plain.suppress(channel="sms")
    assert not passes(sender="Shop")


@pytest.mark.parametrize(
    "more", [{"state": PROPOSED}, {"state": "held"}, {"until": datetime.now(UTC) - timedelta(minutes=1)}]
)
def test_what_only_waits_or_has_ended_blocks_nobody(plain: World, passes: Passes, more: dict[str, Any]) -> None:
    plain.suppress(**more)
    assert passes()


def test_a_suppression_of_another_account_blocks_nobody_here(plain: World, passes: Passes) -> None:
    plain.suppress(account="shop")
    assert passes()


def test_one_for_marketing_blocks_marketing_and_flags_what_is_undeclared(plain: World, passes: Passes) -> None:
    plain.suppress(purpose="marketing")
    assert not passes("marketing")
    assert passes("transactional", message_id="m-2")
    assert not plain.registered("m-2").flagged
    assert passes(message_id="m-3")
    assert plain.registered("m-3").flagged


def test_any_spelling_of_an_address_is_found(plain: World, passes: Passes) -> None:
    plain.suppress()
    assert not passes(to="+44 7700 900123")


def test_a_report_also_goes_to_the_url_that_the_application_named(plain: World) -> None:
    plain.suppress()
    mine = "https://mine.example.com/dlr?key=k3y"
    app = plain.app(DLR_RELAY_URL=RELAY, DLR_HMAC_SECRET="shared", **SET_WEBHOOK)
    plain.send(sms(message_id="m-1", delivery={"url": mine}), app=app)

    rows = {row.kind: row for row in plain.rows(schema.outbox)}
    assert sorted(rows) == ["relay", "report"]
    parcel = open_parcel(plain.database, plain.vault, rows["report"])
    assert parcel is not None
    assert parcel.url == mine
    relayed = unpack(plain.vault, rows["relay"].payload)
    assert (parcel.headers, parcel.body) == (relayed.headers, relayed.body)


def test_it_goes_there_without_a_relay_and_once_where_both_are_the_same(plain: World) -> None:
    plain.suppress()
    plain.send(sms(message_id="m-1", delivery={"url": RELAY}))
    assert [row.kind for row in plain.rows(schema.outbox)] == ["report"]
    plain.send(sms(message_id="m-2", delivery={"url": RELAY}), app=plain.app(DLR_RELAY_URL=RELAY))
    assert sorted(row.kind for row in plain.rows(schema.outbox)) == ["relay", "report"]


SET_WEBHOOK = {"DLR_PROXY_SET_WEBHOOK": "true", "DLR_PUBLIC_URL": "https://dlr.example.com"}


def test_what_is_undeclared_is_asked_as_the_policys_default_and_registered_as_it_was(
    plain: World, upstream: Upstream, tmp_path: Path
) -> None:
    plain.suppress(purpose="marketing")
    policy = tmp_path / "own.toml"
    policy.write_text('[purposes]\nsender = { Codes = "otp" }\ndefault = { "*" = "marketing" }\n')
    app = plain.app(DLR_POLICY=str(policy))
    assert statuses(plain.send(sms(message_id="m-1"), app=app)) == [("m-1", 14)]
    plain.send(sms(message_id="m-2", sender="Codes"), app=app)
    assert [json.loads(one.body)["messages"][0]["sender"] for one in upstream.seen] == ["Codes"]
    # Another default may be set tomorrow; nobody has declared this one.
    assert plain.registered("m-1").purpose == "undeclared"

"""Every send endpoint answers in its own form."""

from typing import Any

import pytest
import requests

from infobip.simulator import Simulator
from infobip.simulator.endpoints import ENDPOINTS, WHATSAPP_KINDS
from tests.simulator.bodies import BY_PATH, DOORS, ID, MAIL, PERSON, Door, current
from tests.support.infobip import AT_ONCE, call, infobip, send, sms

PATHS = [door.path for door in DOORS]


def post(simulator: Simulator, door: Door, **more: Any) -> requests.Response:
    if door.form:
        parts = [(name, (None, value)) for name, value in door.body.items()]
        return call(simulator, "POST", door.path, files=parts, **more)
    return call(simulator, "POST", door.path, json=door.body, **more)


def messages(door: Door, answer: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [answer] if door.flat else answer["messages"]
    return found


def test_every_endpoint_has_an_example_here() -> None:
    known = {endpoint.path.replace("<path:kind>", "text") for endpoint in ENDPOINTS}
    assert known == set(PATHS) - {"/whatsapp/1/message/interactive/buttons"}


@pytest.mark.parametrize("path", PATHS)
def test_a_send_is_answered_in_the_form_of_its_endpoint(simulator: Simulator, path: str) -> None:
    door = BY_PATH[path]
    answer = post(simulator, door)
    assert answer.status_code == 200, answer.text
    (message,) = messages(door, answer.json())
    assert ("bulkId" in answer.json()) is (not door.flat and path != "/omni/1/advanced")
    repeated = {"phoneNumber": PERSON} if path == "/omni/1/advanced" else door.recipient
    assert message[door.address] == repeated
    assert message["status"]["id"] == door.status
    assert message["status"]["groupName"] == "PENDING"
    assert (message["messageId"] == ID) is door.has_id
    assert simulator.sends(message["messageId"])[0]["endpoint"] == path


def test_messages_api_has_its_own_name_for_an_accepted_message(simulator: Simulator) -> None:
    names = {
        path: messages(BY_PATH[path], post(simulator, BY_PATH[path]).json())[0]["status"]["name"]
        for path in ("/messages-api/1/messages", "/viber/2/messages")
    }
    assert names["/messages-api/1/messages"] == "MESSAGE_ACCEPTED"


def test_ids_are_made_where_none_were_given(simulator: Simulator) -> None:
    body = {"messages": [{"sender": "Shop", "destinations": [{"to": PERSON}] * 2, "content": {"text": "Hi"}}]}
    answer = send(simulator, body)
    ids = {message["messageId"] for message in answer["messages"]}
    assert len(ids | {answer["bulkId"]}) == 3


def test_a_bulk_id_of_the_senders_own_is_kept(simulator: Simulator) -> None:
    body = {**sms(), "options": {"schedule": {"bulkId": "spring-71"}}}
    assert send(simulator, body)["bulkId"] == "spring-71"


def test_omni_names_the_bulk_only_for_several_recipients(simulator: Simulator) -> None:
    door = BY_PATH["/omni/1/advanced"]
    several = {**door.body, "destinations": [{"to": {"phoneNumber": f"{PERSON}{n}"}} for n in range(2)]}
    assert "bulkId" in send(simulator, several, door.path)


def test_parts_of_a_long_text_are_counted(simulator: Simulator) -> None:
    counts = [
        send(simulator, sms(text=text))["messages"][0]["details"]["messageCount"]
        for text in ("a" * 160, "a" * 161, "ж" * 70, "ж" * 71)
    ]
    assert counts == [1, 2, 1, 2]


def test_a_group_of_an_mms_is_a_message_for_each_member(simulator: Simulator) -> None:
    body = current({"messageSegments": []})
    body["messages"][0]["destinations"] = [{"group": [{"to": "447700900001"}, {"to": "447700900002"}]}]
    assert len(send(simulator, body, "/mms/2/messages")["messages"]) == 2


def test_an_email_that_shows_all_recipients_has_one_id_for_them(simulator: Simulator) -> None:
    message = {
        "sender": "shop@example.com",
        "destinations": [{"to": [{"destination": f"reader{n}@example.org"} for n in range(3)]}],
        "content": {"subject": "Parcel", "text": "Here"},
        "options": {"preserveRecipients": True},
    }
    answer = send(simulator, {"messages": [message]}, "/email/4/messages")
    assert len({one["messageId"] for one in answer["messages"]}) == 1
    assert {one["status"]["groupName"] for one in answer["messages"]} == {"PENDING"}


def test_recipients_of_an_email_form_may_be_json(simulator: Simulator) -> None:
    parts = [
        ("from", (None, "Shop <shop@example.com>")),
        ("to", (None, MAIL)),
        ("to", (None, '{"to": "ada@example.org", "messageId": "m-ada", "placeholders": {"name": "Ada"}}')),
        ("cc", (None, "Bob Example <bob@example.org>")),
        ("subject", (None, "Parcel")),
        ("html", (None, "<p>Here</p>")),
        ("attachment", ("slip.pdf", b"%PDF-", "application/pdf")),
    ]
    answer = call(simulator, "POST", "/email/3/send", files=parts).json()
    assert [one["to"] for one in answer["messages"]] == [MAIL, "ada@example.org", "bob@example.org"]
    assert answer["messages"][1]["messageId"] == "m-ada"


def test_failover_of_messages_api_needs_a_destination_for_each_channel(simulator: Simulator) -> None:
    message: dict[str, Any] = {
        "channel": "WHATSAPP",
        "sender": "442079460001",
        "destinations": [
            {"byChannel": [{"channel": "SMS", "to": PERSON}, {"channel": "WHATSAPP", "to": "447700900124"}]}
        ],
        "content": {"body": {"type": "TEXT", "text": "Hi"}},
        "failover": [{"channel": "SMS", "sender": "Shop"}],
    }
    answer = send(simulator, {"messages": [message]}, "/messages-api/1/messages")
    assert answer["messages"][0]["destination"] == "447700900124"
    message["destinations"] = [{"to": PERSON}]
    refused = call(simulator, "POST", "/messages-api/1/messages", json={"messages": [message]})
    assert refused.json()["violations"][0]["property"] == "messages[0].destinations[0].byChannel"


def test_validating_says_what_sending_would_and_sends_nothing(simulator: Simulator) -> None:
    path = "/messages-api/1/messages/validate"
    good = call(simulator, "POST", path, json=BY_PATH["/messages-api/1/messages"].body)
    assert (good.status_code, good.json()["skippableViolations"]) == (200, [])
    bad = call(simulator, "POST", path, json={"messages": [{"channel": "SMOKE"}]})
    assert bad.status_code == 400
    assert "messages[0].channel" in {one["property"] for one in bad.json()["violations"]}
    assert simulator.sends() == []


def test_every_kind_of_whatsapp_message_has_its_address_and_others_have_none(simulator: Simulator) -> None:
    body = {"from": "442079460001", "to": PERSON, "content": {"mediaUrl": "https://example.com/slip.png"}}
    answers = {call(simulator, "POST", f"/whatsapp/1/message/{kind}", json=body).status_code for kind in WHATSAPP_KINDS}
    assert answers == {200}
    assert call(simulator, "POST", "/whatsapp/1/message/telepathy", json=body).status_code == 404


def test_a_message_can_be_refused_inside_a_200() -> None:
    rules = [{"name": "no credit", "match": {"recipient": PERSON}, "answer": "REJECTED_NOT_ENOUGH_CREDITS"}]
    with infobip({**AT_ONCE, "rule": rules}) as simulator:
        body = sms()
        body["messages"][0]["destinations"] = [{"to": PERSON}, {"to": "447700900124"}]
        groups = [message["status"]["groupName"] for message in send(simulator, body)["messages"]]
        simulator.settle()
        assert groups == ["REJECTED", "PENDING"]
        assert simulator.counts()["submissions"] == {"rejected": 1, "accepted": 1}


def test_a_number_that_is_none_is_refused_inside_the_200(simulator: Simulator) -> None:
    (message,) = send(simulator, sms(to="not-a-number"))["messages"]
    assert message["status"]["name"] == "REJECTED_DESTINATION"


def test_an_account_without_money_is_refused_inside_the_200() -> None:
    with infobip({**AT_ONCE, "balance": 0.05}) as simulator:
        before = call(simulator, "GET", "/account/1/balance").json()
        names = [send(simulator, sms(message_id=f"m-{n}"))["messages"][0]["status"]["name"] for n in range(3)]
        after = call(simulator, "GET", "/account/1/balance").json()
    assert names == ["PENDING_ACCEPTED", "PENDING_ACCEPTED", "REJECTED_NOT_ENOUGH_CREDITS"]
    assert before == {"balance": 0.05, "currency": "EUR"}
    assert after["balance"] < 0


def test_an_id_that_was_accepted_before_is_refused_and_counted(simulator: Simulator) -> None:
    send(simulator, sms(message_id=ID))
    (again,) = send(simulator, sms(message_id=ID))["messages"]
    assert (again["messageId"], again["status"]["id"]) == (ID, 23)
    assert simulator.times_accepted(ID) == 1
    assert simulator.counts()["submissions"] == {"accepted": 1, "duplicate": 1}
    assert [one["outcome"] for one in simulator.sends(ID)] == ["accepted", "duplicate"]


def test_a_duplicate_does_not_change_the_message_that_has_the_id() -> None:
    with infobip({**AT_ONCE, "duplicate_ids": "report"}) as simulator:
        send(simulator, sms(message_id=ID))
        send(simulator, sms(message_id=ID))
        simulator.advance(5)
        simulator.settle()
        logged = call(simulator, "GET", f"/sms/3/logs?messageId={ID}").json()["results"]
        reported = call(simulator, "GET", "/sms/3/reports").json()["results"]
    assert [one["status"]["id"] for one in logged] == [5]
    assert sorted(one["status"]["id"] for one in reported) == [5, 23]


def test_refusing_duplicates_can_be_switched_off_and_then_a_double_send_is_a_number() -> None:
    with infobip({**AT_ONCE, "duplicate_ids": "accept"}) as simulator:
        send(simulator, sms(message_id=ID))
        send(simulator, sms(message_id=ID))
        assert simulator.counts()["acceptedTwice"] == {ID: 2}
        assert simulator.counts()["sameContentToSameRecipient"] == 1

"""Answers are read, matched with the request, and completed for people who were cut out."""

import json
from typing import Any

import pytest

from codes import CodeRef, lookup
from infobip.outbound import (
    ENDPOINTS,
    Entry,
    Position,
    Sends,
    UnreadableAnswer,
    blocked_answer,
    pair,
    read_answer,
    read_sends,
    without,
)
from tests.outbound.bodies import ANNA, ANNA_AT, BORIS, BORIS_AT, CLARA, SAMPLES, Sample, unified

PENDING = {"groupId": 1, "groupName": "PENDING", "id": 26, "name": "PENDING_ACCEPTED", "description": "Taken"}
SMS = ENDPOINTS["sms-3"]


def sends_to(*numbers: str, endpoint: str = "sms-3", **destination: Any) -> Sends:
    body = {"messages": [unified(destinations=[{"to": number, **destination} for number in numbers])]}
    return read_sends(ENDPOINTS[endpoint], json.dumps(body).encode())


def answer(*entries: tuple[str, str], name: str = "destination", **beside: Any) -> bytes:
    listed = [{"messageId": one, name: to, "status": PENDING} for one, to in entries]
    return json.dumps({"bulkId": "b-1", "messages": listed, **beside}).encode()


def test_a_list_is_read_in_order() -> None:
    answered = read_answer(SMS, answer(("i-1", ANNA), ("i-2", BORIS)))
    status = CodeRef(26, "PENDING_ACCEPTED", 1, "PENDING")
    assert answered.bulk_id == "b-1"
    assert answered.entries == (Entry("i-1", status, ANNA), Entry("i-2", status, BORIS))


def test_a_flat_answer_is_one_entry() -> None:
    body = json.dumps({"to": ANNA, "messageCount": 1, "messageId": "i-1", "status": PENDING}).encode()
    [entry] = read_answer(ENDPOINTS["whatsapp"], body).entries
    assert (entry.message_id, entry.destination) == ("i-1", ANNA)


def test_the_first_of_omnis_addresses_is_the_destination() -> None:
    to = {"phoneNumber": ANNA, "emailAddress": ANNA_AT}
    body = json.dumps({"messages": [{"to": to, "messageId": "i-1", "status": PENDING}]}).encode()
    assert read_answer(ENDPOINTS["omni"], body).entries[0].destination == ANNA


def test_odd_entries_are_empty_and_harm_no_others() -> None:
    body = json.dumps({"messages": [7, {"status": "fine"}, {"messageId": "i-3", "destination": ANNA}]}).encode()
    assert read_answer(SMS, body).entries == (Entry("", None, ""), Entry("", None, ""), Entry("i-3", None, ANNA))


@pytest.mark.parametrize("body", [b"", b"<a/>", b"[]", b"{}", b'{"messages": 1}', b"\xff"])
def test_what_is_no_answer_is_refused(body: bytes) -> None:
    with pytest.raises(UnreadableAnswer):
        read_answer(SMS, body)


def test_entries_are_matched_by_id_then_by_address_then_by_order() -> None:
    sends = sends_to(ANNA, BORIS, ANNA)
    answered = read_answer(SMS, answer(("i-1", BORIS), ("i-2", f"+{ANNA}"), ("i-3", ANNA)))
    assert pair(sends, answered) == {Position(0, 0): 1, Position(0, 1): 0, Position(0, 2): 2}
    own = sends_to(ANNA, messageId="mine")
    assert pair(own, read_answer(SMS, answer(("other", ANNA), ("mine", BORIS)))) == {Position(0, 0): 1}
    odd = read_answer(SMS, answer(("i-1", "one"), ("i-2", "two")))
    assert pair(sends_to(ANNA, BORIS), odd) == {Position(0, 0): 0, Position(0, 1): 1}
    assert pair(sends_to(ANNA, BORIS, CLARA), odd) == {}


def test_people_who_share_an_id_share_its_entry() -> None:
    lists = {"to": [{"destination": ANNA_AT}, {"destination": BORIS_AT}], "preserveRecipients": True}
    body = {"messages": [unified(destinations=[lists])]}
    sends = read_sends(ENDPOINTS["email-4"], json.dumps(body).encode())
    answered = read_answer(ENDPOINTS["email-4"], answer(("i-1", ANNA_AT)))
    assert pair(sends, answered) == {Position(0, 0, "to", 0): 0, Position(0, 0, "to", 1): 0}


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.endpoint)
def test_the_answer_for_nobody_has_an_entry_for_everybody(sample: Sample) -> None:
    endpoint = ENDPOINTS[sample.endpoint]
    sends = read_sends(endpoint, json.dumps(sample.body).encode())
    ids = {one.position: f"ours-{number}" for number, one in enumerate(sends.destinations)}
    body = blocked_answer(sends, ids.keys(), None, ids, bulk_id="made-up")
    answered = read_answer(endpoint, body)
    assert len(answered.entries) == len(sends.destinations)
    for one, entry in zip(sends.destinations, answered.entries, strict=True):
        assert entry.message_id == (one.message_id or ids[one.position])
        assert entry.destination == (one.recipients[0].written if one.recipients else "")
        assert entry.status is not None
        assert entry.status.name == "REJECTED_DESTINATION_BLOCKLISTED"
        assert lookup(one.channel, entry.status, None).cause == "recipient_blocklisted"
    if "messages" in json.loads(body):
        assert answered.bulk_id == (sample.bulk_id or "made-up")
        assert json.loads(body)["messages"][0].keys() >= {endpoint.answers_to}
    else:
        assert json.loads(body)["messageCount"] == 1


def test_removed_people_stand_where_the_request_has_them() -> None:
    sends = sends_to(ANNA, BORIS, CLARA, ANNA)
    removed = {Position(0, 0), Position(0, 2)}
    real = answer(("i-2", BORIS), ("i-4", ANNA), later=[1.10])
    body = blocked_answer(sends, removed, real, {Position(0, 0): "ours-1", Position(0, 2): "ours-3"})
    assert [entry.message_id for entry in read_answer(SMS, body).entries] == ["ours-1", "i-2", "ours-3", "i-4"]
    assert json.loads(body)["messages"][1] == {"messageId": "i-2", "destination": BORIS, "status": PENDING}
    assert b"1.1" in body
    assert json.loads(body)["bulkId"] == "b-1"


def test_no_entry_of_the_real_answer_is_ever_lost() -> None:
    sends = sends_to(ANNA, BORIS)
    real = answer(("i-1", "one"), ("i-2", "two"), ("i-3", "three"))
    body = blocked_answer(sends, {Position(0, 1)}, real, {Position(0, 1): "ours"})
    assert {entry.message_id for entry in read_answer(SMS, body).entries} == {"i-1", "i-2", "i-3", "ours"}


def test_what_was_cut_and_what_is_answered_agree() -> None:
    body = json.dumps({"messages": [unified(), unified(destinations=[{"to": CLARA}])]}).encode()
    sends = read_sends(SMS, body)
    removed = {sends.destinations[1].position}
    left = without(SMS, body, removed)
    assert left is not None
    real = answer(*((f"i-{n}", one.recipients[0].address) for n, one in enumerate(read_sends(SMS, left).destinations)))
    merged = read_answer(SMS, blocked_answer(sends, removed, real, {sends.destinations[1].position: "ours"}))
    assert [entry.destination for entry in merged.entries] == [ANNA, BORIS, CLARA]

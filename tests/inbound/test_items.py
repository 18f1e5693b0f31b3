"""One bad item never harms its neighbours, and what is mild stays mild."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infobip.inbound import read
from reports import Event, normalise
from tests.inbound.strategies import delivery

BAD_ITEMS: list[Any] = [
    None,
    17,
    "delivered",
    [],
    {},
    [delivery()],
    delivery(messageId={"id": 1}),
    delivery(messageId=["a"]),
    delivery(messageId=True),
    delivery(to=["447700900123"]),
    delivery(status=["DELIVERED"]),
    delivery(status="DELIVERED"),
    delivery(status={"id": "five"}),
    delivery(status={"id": 2**40}),
    delivery(error=[0]),
    delivery(messageId=..., to=...),
    delivery(messageId="", to=None),
]


def read_items(*items: Any, channel: str = "sms") -> Any:
    return read(json.dumps({"results": list(items)}).encode(), "application/json", channel)


@settings(max_examples=60, deadline=None)
@given(bad=st.sampled_from(BAD_ITEMS), place=st.integers(0, 99))
def test_99_good_items_and_a_bad_one_give_99_items_and_one_fault(bad: Any, place: int) -> None:
    items: list[Any] = [delivery(number) for number in range(99)]
    items.insert(place, bad)

    reading = read_items(*items)

    assert reading.received == 100
    assert [fault.index for fault in reading.faults] == [place]
    assert reading.faults[0].raw == bad
    assert f"item {place}" in reading.faults[0].error
    assert "expected" in reading.faults[0].error
    assert [item.report.message_id for item in reading.items] == [f"message-{number}" for number in range(99)]
    assert [item.index for item in reading.items] == [index for index in range(100) if index != place]


@pytest.mark.parametrize(
    "members",
    [
        {"callbackData": {"order": 1}},
        {"callbackData": None},
        {"price": "free"},
        {"price": {"pricePerMessage": "cheap", "currency": 7}},
        {"messageCount": "many"},
        {"messageCount": 2**40},
        {"platform": []},
        {"sender": 60099},
        {"error": ...},
        {"error": {"id": 0, "permanent": "perhaps"}},
        {"status": {}},
        {"status": ..., "doneAt": ...},
        {"to": ...},
        {"messageId": ...},
        {"sentAt": False, "doneAt": {"at": "noon"}},
        {"invented": {"deeply": [1, {"new": None}]}},
    ],
    ids=str,
)
def test_what_does_not_change_an_item_s_meaning_is_accepted(members: dict[str, Any]) -> None:
    reading = read_items(delivery(**members))

    assert reading.faults == ()
    assert len(reading.items) == 1


def test_a_fault_does_not_quote_values_since_they_may_be_addresses() -> None:
    reading = read_items(delivery(status="447700900123"))

    assert "447700900123" not in reading.faults[0].error


def test_an_unreadable_date_is_noted_and_costs_only_itself() -> None:
    report = read_items(delivery(doneAt="soon")).items[0].report

    assert report.done_at is None
    assert report.event_at == report.sent_at
    assert report.detail["bad_dates"] == {"doneAt": "soon"}


@pytest.mark.parametrize(
    ("price", "text"),
    [
        (0.01, "0.01"),
        (1, "1"),
        (0, "0"),
        (1.0, "1"),
        (-0.0, "0"),
        (0.1 + 0.2, "0.3"),
        (7.87679e-3, "0.00787679"),
        (1e-7, "0.0000001"),
        ("0.01000000000000000020816681711721685132943093776702880859375", "0.01"),
        ("17.0000", "17"),
        (" 2.50 ", "2.5"),
        (1e300, ""),
        ("1e999999", ""),
        ("NaN", ""),
        ("", ""),
        (True, ""),
    ],
)
def test_a_price_is_plain_decimal_text(price: Any, text: str) -> None:
    report = read_items(delivery(price={"pricePerMessage": price, "currency": "EUR"})).items[0].report

    assert report.price == text


@settings(max_examples=200, deadline=None)
@given(text=st.one_of(st.text(max_size=20), st.from_regex(r"\+?0{0,2}[\d ()-]{3,16}", fullmatch=True)))
def test_recipients_are_normalised_as_everywhere(text: str) -> None:
    reading = read_items(delivery(to=text.encode("utf-8", "replace").decode().replace("\0", "")))

    for item in reading.items:
        assert item.report.recipient == normalise(text.encode("utf-8", "replace").decode().replace("\0", ""))


@pytest.mark.parametrize(
    ("url", "own", "channel"),
    [
        ("sms", None, "sms"),
        ("auto", None, "unknown"),
        ("unknown", None, "unknown"),
        ("sms", "VIBER_BM", "viber"),
        ("omni", "KAKAO_ALIM", "kakao"),
        ("sms", "SOMETHING_NEW", "unknown"),
        ("messages-api", "LINE_ON", "line"),
        ("push", "MOBILE_PUSH", "push"),
        ("auto", "apple_mb", "apple"),
        ("auto", "Web-Push", "web-push"),
    ],
)
def test_an_item_s_own_channel_comes_before_the_url_s(url: str, own: str | None, channel: str) -> None:
    report = read_items(delivery(channel=own if own else ...), channel=url).items[0].report

    assert report.channel == channel
    assert report.own_channel == (own or "")


def test_the_account_of_the_url_is_the_account_of_the_reports() -> None:
    body = json.dumps({"results": [delivery()]}).encode()

    assert read(body, "application/json", "sms", account="shop").items[0].report.account == "shop"


def test_one_callback_may_hold_every_kind_of_item() -> None:
    reading = read_items(
        delivery(),
        {"messageId": "m", "to": "447700900123", "seenAt": "2026-03-02T09:15:03Z"},
        {"messageId": "m", "to": "447700900123", "deletedAt": "2026-03-02T09:15:03Z"},
        {"messageId": "m", "from": "447700900123", "to": "60099", "receivedAt": "2026-03-02T09:15:03Z", "text": "Hi"},
        {"event": "BLOCK", "messageId": "e", "content": {"destination": "447700900123"}},
        {"to": "447700900123", "ported": False},
        {"event": "FIRST_SEEN_TODAY"},
    )

    assert [item.report.event for item in reading.items] == [
        Event.DELIVERY,
        Event.SEEN,
        Event.OTHER,
        Event.INBOUND,
        Event.OTHER,
        Event.LOOKUP,
        Event.UNKNOWN,
    ]


def test_members_with_null_do_not_change_what_an_item_is() -> None:
    reading = read_items(delivery(seenAt=None, deletedAt="", receivedAt=None, voiceCall=None, event=None))

    assert [item.report.family for item in reading.items] == ["unified"]


def test_an_empty_callback_holds_nothing_and_is_no_error() -> None:
    assert read(b'{"results": []}', "application/json", "sms").received == 0


def test_a_list_without_an_envelope_is_read_as_its_items() -> None:
    body = json.dumps([delivery(1), "x", delivery(2)]).encode()

    reading = read(body, "application/json", "sms")

    assert [item.report.message_id for item in reading.items] == ["message-1", "message-2"]
    assert [fault.index for fault in reading.faults] == [1]

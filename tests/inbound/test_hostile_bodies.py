"""Whatever is posted, reading it ends in a reading or in an `InboundError`."""

import json
from typing import Any
from xml.sax.saxutils import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codes.channels import CHANNELS
from infobip.inbound import InboundError, NotInfobip, NotReadable, Reading, TooDeep, UnsupportedMedia, read
from infobip.inbound.limits import MAX_DEPTH
from tests.inbound.rendering import render
from tests.inbound.strategies import ANY_JSON, NEAR_ITEMS, delivery

MEDIA = st.sampled_from(
    [
        "",
        "application/json",
        "application/json; charset=utf-16",
        "application/xml",
        "text/xml; charset=no-such",
        "text/plain",
        "text/csv",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "multipart/form-data",
        'multipart/form-data; boundary="\r\n\0',
        "image/png",
    ]
)
SLUGS = st.sampled_from(sorted(CHANNELS))


def read_or_refuse(body: bytes, content_type: str, channel: str) -> Reading | None:
    try:
        reading = read(body, content_type, channel)
    except InboundError:
        return None
    assert len(reading.items) + len(reading.faults) == reading.received
    assert all("own code" not in fault.error for fault in reading.faults)
    json.dumps(render(reading), ensure_ascii=False, allow_nan=False).encode()
    for item in reading.items:
        assert item.report.channel in CHANNELS
        json.dumps(item.report.raw, ensure_ascii=False, allow_nan=False).encode()
    return reading


@settings(max_examples=300, deadline=None)
@given(body=st.binary(max_size=200), content_type=MEDIA, channel=SLUGS)
def test_arbitrary_bytes_are_read_or_refused(body: bytes, content_type: str, channel: str) -> None:
    read_or_refuse(body, content_type, channel)


@settings(max_examples=200, deadline=None)
@given(content_type=st.text(max_size=40), channel=SLUGS)
def test_arbitrary_content_types_are_read_or_refused(content_type: str, channel: str) -> None:
    read_or_refuse(b'{"results": []}', content_type, channel)


@settings(max_examples=300, deadline=None)
@given(value=ANY_JSON, content_type=MEDIA, channel=SLUGS)
def test_arbitrary_json_is_read_or_refused(value: Any, content_type: str, channel: str) -> None:
    read_or_refuse(json.dumps(value).encode(), content_type, channel)


@settings(max_examples=400, deadline=None)
@given(items=st.lists(st.one_of(NEAR_ITEMS, ANY_JSON), max_size=4), channel=SLUGS)
def test_items_near_to_infobip_s_are_read_or_become_faults(items: list[Any], channel: str) -> None:
    reading = read_or_refuse(json.dumps({"results": items}).encode(), "application/json", channel)

    assert reading is not None
    assert reading.received == len(items)


NAMES = st.sampled_from(["results", "result", "message", "messageId", "status", "id", "to", "price", "seenAt", "x"])


@st.composite
def xml(draw: st.DrawFn, depth: int = 3) -> str:
    name = draw(NAMES)
    inner = draw(st.lists(xml(depth=depth - 1), max_size=3)) if depth else []
    text = draw(st.sampled_from(["", "5", "447700900123", "2026-03-02T09:15:03Z", "a & b", "\u00e9"]))
    attribute = draw(st.sampled_from(["", ' id="7"', ' status="DELIVERED" donedate="2014/06/04 15:51:45"']))
    return f"<{name}{attribute}>{escape(text)}{''.join(inner)}</{name}>"


@settings(max_examples=300, deadline=None)
@given(body=xml(), channel=SLUGS)
def test_arbitrary_xml_is_read_or_refused(body: str, channel: str) -> None:
    read_or_refuse(body.encode(), "application/xml", channel)


@settings(max_examples=100, deadline=None)
@given(fields=st.lists(st.tuples(st.text(alphabet="ab[].=&%0to", max_size=12), st.text(max_size=6)), max_size=6))
def test_arbitrary_forms_are_read_or_refused(fields: list[tuple[str, str]]) -> None:
    body = "&".join(f"{name}={value}" for name, value in fields).encode()

    read_or_refuse(body, "application/x-www-form-urlencoded", "voice")


BOMBS = {
    "objects": b'{"results":' + b'{"a":' * 100_000,
    "lists": b"[" * 100_000,
    "closed objects": b'{"results":[' + b'{"a":' * 900 + b"1" + b"}" * 900 + b"]}",
    "just too deep": b'{"results":[' + b'{"a":' * MAX_DEPTH + b"1" + b"}" * MAX_DEPTH + b"]}",
    "with a brace in a text": b'{"b":"}{","results":[' + b'{"a":' * 900 + b"1" + b"}" * 900 + b"]}",
    "with a surrogate": b'{"b":"\\ud800","results":[' + b'{"a":' * 900 + b"1" + b"}" * 900 + b"]}",
    "xml": b"<results>" * 3000 + b"</results>" * 3000,
}


@pytest.mark.parametrize("body", BOMBS.values(), ids=BOMBS.keys())
def test_a_nesting_bomb_is_not_readable(body: bytes) -> None:
    with pytest.raises(NotReadable):
        read(body, "application/json" if body[:1] != b"<" else "text/xml", "sms")


def test_a_closed_nesting_bomb_is_called_too_deep() -> None:
    with pytest.raises(TooDeep):
        read(BOMBS["closed objects"], "application/json", "sms")


def test_braces_inside_texts_do_not_count_as_depth() -> None:
    body = json.dumps({"results": [delivery(callbackData="{[" * 500)]}).encode()

    assert len(read(body, "application/json", "sms").items) == 1


@pytest.mark.parametrize(
    "declaration",
    ['<!DOCTYPE a [<!ENTITY b "c">]>', '<!DOCTYPE a SYSTEM "http://example.com/a.dtd">', "<!DOCTYPE html>"],
)
def test_xml_with_a_dtd_is_refused(declaration: str) -> None:
    with pytest.raises(NotReadable, match="DTD"):
        read(f"<?xml version='1.0'?>{declaration}<a><results/></a>".encode(), "application/xml", "sms")


@pytest.mark.parametrize("content_type", ["image/png", "application/pdf", "audio/wav", "application/protobuf"])
def test_media_that_can_hold_no_report_are_unsupported(content_type: str) -> None:
    with pytest.raises(UnsupportedMedia) as caught:
        read(b'{"results": []}', content_type, "sms")

    assert caught.value.status == 415


FOREIGN = {
    "a repository event": b'{"action": "opened", "repository": {"id": 1}, "sender": {"login": "someone"}}',
    "a chat event": b'{"type": "event_callback", "event_id": "E1", "event": null, "challenge": "x"}',
    "an empty object": b"{}",
    "a number": b"5",
    "a list of numbers": b"[1, 2]",
    "results that are text": b'{"results": "none"}',
    "a web page": b"<html><body><p>Hello</p></body></html>",
    "another form": b"MessageSid=SM1&MessageStatus=sent",
}


@pytest.mark.parametrize("body", FOREIGN.values(), ids=FOREIGN.keys())
def test_what_others_send_is_not_infobip_s_and_says_what_was_expected(body: bytes) -> None:
    with pytest.raises(NotInfobip, match="expected"):
        read(body, "application/json" if body[:1] in b"{[5" else "text/plain", "auto")


@pytest.mark.parametrize("body", [b"", b" \n", b"\xef\xbb\xbf", b"{", b'{"results": [}', b"<a>", b"hello", b"\x00\xff"])
def test_what_is_no_known_format_is_not_readable(body: bytes) -> None:
    with pytest.raises(NotReadable):
        read(body, "text/plain", "sms")


def subclasses(error: type[InboundError]) -> list[type[InboundError]]:
    return [error, *(inner for child in error.__subclasses__() for inner in subclasses(child))]


def test_every_error_has_a_code_of_its_own_a_status_and_a_next_step() -> None:
    tree = subclasses(InboundError)

    assert len({error.code for error in tree}) == len(tree)
    assert all(error.status in (400, 415) and error.next_step for error in tree)

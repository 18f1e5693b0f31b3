"""E-mail as multipart/form-data: read, stored as JSON, and built anew."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from infobip.outbound import ENDPOINTS, CannotResend, Position, UnreadableSend, read_sends, rebuild, single
from infobip.outbound.form import read_form
from tests.outbound.bodies import ANNA_AT, BORIS_AT, CLARA_AT, NOON, NOON_TEXT, REPORTS
from tests.outbound.forms import MEDIA, form

EMAIL = ENDPOINTS["email-3"]
PLAN = bytes(range(256)) + b"\r\n--\r\n\n\r"
BORIS_PART = json.dumps({"to": BORIS_AT, "messageId": "order-18", "placeholders": {"name": "Boris"}})
FIELDS: list[tuple[str, str | bytes]] = [
    ("from", "Fernhill <desk@fernhill.example>"),
    ("to", ANNA_AT),
    ("to", BORIS_PART),
    ("cc", CLARA_AT),
    ("subject", "Gäte"),
    ("attachment", PLAN),
    ("notifyUrl", REPORTS),
    ("callbackData", "17"),
    ("bulkId", "batch-3"),
    ("sendAt", NOON_TEXT),
    ("applicationId", "shop"),
]
NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)


def test_everybody_in_a_form_is_found() -> None:
    sends = read_sends(EMAIL, form(FIELDS), MEDIA)
    anna, boris, clara = sends.destinations
    assert [one.recipients[0].address for one in sends.destinations] == [ANNA_AT, BORIS_AT, CLARA_AT]
    assert (anna.message_id, boris.message_id, clara.message_id) == ("", "order-18", "")
    assert (anna.obstacle, boris.obstacle, bool(clara.obstacle)) == ("", "", True)
    assert (anna.sender, anna.callback_data, anna.report_url) == ("Fernhill <desk@fernhill.example>", "17", REPORTS)
    assert (anna.application, anna.send_at, sends.bulk_id) == ("shop", NOON, "batch-3")


@pytest.mark.parametrize("extra", [("messageId", "m-1"), ("preserveRecipients", "true")])
def test_an_id_for_all_recipients_of_a_form_is_shared(extra: tuple[str, str]) -> None:
    sends = read_sends(EMAIL, form([("to", ANNA_AT), ("to", BORIS_AT), extra]), MEDIA)
    assert [one.shared for one in sends.destinations] == [True, True]
    assert all(one.obstacle for one in sends.destinations)


def test_one_person_of_a_form_is_stored_as_json_with_the_files() -> None:
    stored = single(read_sends(EMAIL, form(FIELDS), MEDIA), Position(0, 0, "to", 1))
    parts = json.loads(stored)["parts"]
    assert [part["name"] for part in parts if part["name"] in ("to", "cc")] == ["to"]
    assert ANNA_AT.encode() not in stored
    assert CLARA_AT.encode() not in stored
    [boris] = read_sends(EMAIL, stored, "application/json").destinations
    assert boris.message_id == "order-18"


def test_a_stored_form_is_rebuilt_byte_for_byte_under_another_id() -> None:
    stored = single(read_sends(EMAIL, form(FIELDS), MEDIA), Position(0, 0, "to", 1))
    rebuilt = rebuild(EMAIL, stored, "order-18-r1", "https://ours.example/w", NOW + timedelta(hours=1), NOW)
    assert rebuilt.ends is None
    parts = {part["name"]: part for part in read_form(rebuilt.body, rebuilt.content_type)}
    assert PLAN in rebuilt.body
    assert parts["attachment"]["filename"] == "gate plan.pdf"
    assert parts["attachment"]["contentType"] == "application/pdf"
    assert parts["subject"]["value"] == "Gäte"
    assert parts["callbackData"]["value"] == "17"
    assert parts["messageId"]["value"] == "order-18-r1"
    assert json.loads(parts["to"]["value"]) == {"to": BORIS_AT, "placeholders": {"name": "Boris"}}
    assert parts["notifyUrl"]["value"] == "https://ours.example/w"
    assert not {"bulkId", "sendAt", "cc"} & parts.keys()


def test_a_rebuilt_form_names_no_report_url_where_none_is_wanted() -> None:
    stored = single(read_sends(EMAIL, form(FIELDS), MEDIA), Position(0, 0, "to", 0))
    assert b"notifyUrl" not in rebuild(EMAIL, stored, "m-2", None, None, NOW).body


def test_a_stored_form_that_was_damaged_is_not_sent() -> None:
    stored = b'{"parts": [{"name": "to", "value": "anna@post.example"}, {"name": "attachment", "base64": "%%%"}]}'
    with pytest.raises(CannotResend):
        rebuild(EMAIL, stored, "m-2", None, None, NOW)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (form(FIELDS), "multipart/form-data"),
        (form(FIELDS), "multipart/form-data; boundary=other"),
        (form(FIELDS), "multipart/form-data; boundary=\u0161"),
        (form(FIELDS)[:-40], MEDIA),
        (form([]), MEDIA),
        (form([("subject", "x")]), MEDIA),
        (form([(str(number), "x") for number in range(5000)]), MEDIA),
        (b"", MEDIA),
        (b'{"parts": [{"name": "to"}]}', "application/json"),
        (b'{"parts": [7]}', "application/json"),
        (b"[1]", "application/json"),
        (b"{", "application/json"),
    ],
)
def test_a_form_that_cannot_be_taken_apart_is_refused(body: bytes, content_type: str) -> None:
    with pytest.raises(UnreadableSend):
        read_sends(EMAIL, body, content_type)

"""Requests are changed on their way through, and only where they must be."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infobip.outbound import ENDPOINTS, Position, UnreadableSend, gone_with, read_sends, with_report_url, without
from tests.outbound.bodies import ANNA, ANNA_AT, BORIS, BORIS_AT, CLARA, CLARA_AT, REPORTS, SAMPLES, Sample, unified
from tests.outbound.forms import MEDIA, form

OURS = "https://dlr.fernhill.example/webhook/t0ken"
SMS = ENDPOINTS["sms-3"]
by_endpoint = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.endpoint)


def exact(body: bytes) -> Any:
    """Parse JSON such that numbers are compared by their text."""
    return json.loads(body, parse_int=lambda text: ("int", text), parse_float=lambda text: ("float", text))


PLAIN = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text())
ANY = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=6
)
MESSAGES: st.SearchStrategy[Any] = st.lists(
    st.fixed_dictionaries(
        {"destinations": st.lists(st.builds(dict, to=st.just(ANNA), extra=ANY), min_size=1, max_size=4)},
        optional={"content": ANY, "options": ANY, "sender": ANY, "webhooks": ANY},
    ),
    min_size=1,
    max_size=4,
)


@given(st.data(), MESSAGES, ANY)
def test_cutting_takes_out_those_people_and_changes_nothing_else(
    data: st.DataObject, messages: Any, beside: Any
) -> None:
    body = json.dumps({"messages": messages, "options": beside}).encode()
    everybody = [one.position for one in read_sends(SMS, body).destinations]
    gone = data.draw(st.sets(st.sampled_from(everybody)))
    left = without(SMS, body, gone)
    expected = [
        {**message, "destinations": kept}
        for number, message in enumerate(exact(body)["messages"])
        if (kept := [one for place, one in enumerate(message["destinations"]) if Position(number, place) not in gone])
    ]
    if expected:
        assert left is not None
        assert exact(left) == {**exact(body), "messages": expected}
    else:
        assert left is None


@given(MESSAGES)
def test_only_the_report_url_changes(messages: Any) -> None:
    body = json.dumps({"messages": messages}).encode()
    changed = exact(with_report_url(SMS, body, OURS).body)["messages"]
    for before, after in zip(exact(body)["messages"], changed, strict=True):
        webhooks = before.get("webhooks") or {}
        delivery = (webhooks.get("delivery") or {}) if isinstance(webhooks, dict) else {}
        odd = isinstance(before.get("webhooks"), (bool, str, list, tuple)) or not isinstance(delivery, dict)
        expected = {**before, "webhooks": {**webhooks, "delivery": {**delivery, "url": OURS}}} if not odd else before
        assert after == expected


def test_the_text_of_numbers_survives() -> None:
    numbers = b"[1.10,123456789012345678901234567890,1E400,-0.0,0.1e-7]"
    body = b'{"messages":[{"destinations":[{"to":"1"},{"to":"2"}],"content":{"n":%s}}]}' % numbers
    assert numbers in (without(SMS, body, {Position(0, 0)}) or b"")
    assert numbers in with_report_url(SMS, body, OURS).body


def test_nobody_cut_leaves_the_bytes_as_they_are() -> None:
    body = json.dumps({"messages": [unified()]}, indent=3).encode()
    assert without(SMS, body, ()) == body


@by_endpoint
def test_each_person_of_each_endpoint_can_be_cut(sample: Sample) -> None:
    endpoint = ENDPOINTS[sample.endpoint]
    body = json.dumps(sample.body).encode()
    sends = read_sends(endpoint, body)
    for one in sends.destinations:
        gone = gone_with(sends, {one.position})
        kept = [other.recipients for other in sends.destinations if other.position not in gone]
        left = without(endpoint, body, {one.position})
        assert (left is None) == (not kept)
        if left is not None:
            assert [other.recipients for other in read_sends(endpoint, left).destinations] == kept


@by_endpoint
def test_nobody_left_means_nothing_to_send(sample: Sample) -> None:
    endpoint = ENDPOINTS[sample.endpoint]
    body = json.dumps(sample.body).encode()
    assert without(endpoint, body, {one.position for one in read_sends(endpoint, body).destinations}) is None


@by_endpoint
def test_reports_come_to_us_and_the_former_place_is_known(sample: Sample) -> None:
    endpoint = ENDPOINTS[sample.endpoint]
    body = json.dumps(sample.body).encode()
    before = read_sends(endpoint, body)
    changed = with_report_url(endpoint, body, OURS)
    after = read_sends(endpoint, changed.body)
    if endpoint.shape.report_url:
        assert changed.previous == {one.position: one.report_url for one in before.destinations}
        assert {one.report_url for one in after.destinations} == {OURS}
    else:
        assert (changed.body, changed.previous) == (body, {})
    assert OURS not in repr(changed)
    assert REPORTS not in repr(changed)


def test_copies_go_with_the_last_person_they_copy() -> None:
    lists = {"to": [{"destination": ANNA_AT}, {"destination": BORIS_AT}], "cc": [{"destination": CLARA_AT}]}
    body = json.dumps({"messages": [unified(destinations=[lists])]}).encode()
    sends = read_sends(ENDPOINTS["email-4"], body)
    anna, boris, clara = (one.position for one in sends.destinations)
    assert gone_with(sends, {anna}) == {anna}
    assert gone_with(sends, {anna, boris}) == {anna, boris, clara}
    assert without(ENDPOINTS["email-4"], body, {anna, boris}) is None
    left = without(ENDPOINTS["email-4"], body, {anna, clara})
    assert left is not None
    assert exact(left)["messages"][0]["destinations"] == [{"to": [{"destination": BORIS_AT}]}]


def test_one_member_leaves_a_group() -> None:
    group = {"group": [{"to": ANNA}, {"to": BORIS}, {"to": CLARA}]}
    body = json.dumps({"messages": [unified(destinations=[group])]}).encode()
    left = without(ENDPOINTS["mms-2"], body, {Position(0, 0, "group", 1)})
    assert left is not None
    assert exact(left)["messages"][0]["destinations"] == [{"group": [{"to": ANNA}, {"to": CLARA}]}]


def test_a_form_passes_as_it_is() -> None:
    body = form([("to", ANNA_AT), ("notifyUrl", REPORTS)])
    assert with_report_url(ENDPOINTS["email-3"], body, OURS).body == body
    with pytest.raises(UnreadableSend):
        without(ENDPOINTS["email-3"], body, {read_sends(ENDPOINTS["email-3"], body, MEDIA).destinations[0].position})

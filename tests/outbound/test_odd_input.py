"""Whatever is thrown at it, reading ends in a result or in a documented error."""

import contextlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from infobip.outbound import (
    ENDPOINTS,
    CannotResend,
    Endpoint,
    UnreadableAnswer,
    UnreadableSend,
    blocked_answer,
    convert,
    pair,
    read_answer,
    read_sends,
    rebuild,
    single,
    with_report_url,
    without,
)
from infobip.outbound.problems import read_problem
from infobip.outbound.results import Exchanged
from infobip.outbound.verdict import judge
from tests.outbound.bodies import SAMPLES
from tests.outbound.forms import MEDIA, form

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
ENDPOINT = st.sampled_from(list(ENDPOINTS.values()))


def names(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value) | {name for one in value.values() for name in names(one)}
    return {name for one in value for name in names(one)} if isinstance(value, list) else set()


NAMES = st.sampled_from(
    sorted({"parts", "group", "cc", "bcc", "name", "value"}.union(*(names(one.body) for one in SAMPLES)))
)
SCALARS: st.SearchStrategy[Any] = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["385910000001", "HOURS"])
)
NEAR: st.SearchStrategy[Any] = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=5), max_leaves=20
)
MESSAGE = st.dictionaries(NAMES, NEAR, max_size=5)
DESTINATION = st.dictionaries(NAMES, NEAR, max_size=3)
REQUEST = st.builds(
    lambda messages, destinations, beside: {
        **beside,
        "messages": [{**one, "destinations": destinations, "to": destinations} for one in messages],
        "destinations": destinations,
        "parts": [{"name": "to", "value": "a@b.example"}, *destinations],
    },
    st.lists(MESSAGE, max_size=3),
    st.lists(DESTINATION, max_size=3),
    MESSAGE,
)
BODIES = st.one_of(
    REQUEST.map(lambda one: json.dumps(one).encode()), NEAR.map(lambda one: json.dumps(one).encode()), st.binary()
)


@given(ENDPOINT, BODIES, st.sampled_from(["application/json", MEDIA, ""]))
def test_any_request_is_read_or_refused(endpoint: Endpoint, body: bytes, content_type: str) -> None:
    try:
        sends = read_sends(endpoint, body, content_type)
    except UnreadableSend:
        return
    everybody = [one.position for one in sends.destinations]
    assert len(set(everybody)) == len(everybody)
    assert everybody == sorted(everybody) or endpoint.channel == "email"
    for one in everybody:
        stored = single(sends, one)
        with contextlib.suppress(CannotResend):
            again = rebuild(endpoint, stored, "m-2", "https://ours.example", NOW + timedelta(hours=1), NOW)
            assert again.ends is None or again.ends <= NOW + timedelta(hours=1)
    if endpoint.is_json:
        with_report_url(endpoint, body, "https://ours.example")
        without(endpoint, body, everybody[:1])
    blocked_answer(sends, everybody, None, {})


@given(
    st.lists(
        st.tuples(st.sampled_from(["to", "cc", "messageId", "x"]), st.text(max_size=9) | st.binary(max_size=9)),
        max_size=5,
    )
)
def test_any_form_is_read_or_refused(parts: Any) -> None:
    with contextlib.suppress(UnreadableSend):
        for one in read_sends(ENDPOINTS["email-3"], form(parts), MEDIA).destinations:
            assert one.recipients or not one.recipients


@given(
    ENDPOINT,
    BODIES | NEAR.map(lambda one: json.dumps({"messages": [one, one], "results": one}).encode()),
    st.integers(100, 999),
)
def test_any_answer_is_judged(endpoint: Endpoint, body: bytes, status: int) -> None:
    judge(endpoint, Exchanged(status, (("Retry-After", "soon"),), body), "m-1", NOW)
    read_problem(body)
    with contextlib.suppress(UnreadableAnswer):
        answered = read_answer(endpoint, body)
        sample = next((one for one in SAMPLES if one.endpoint == endpoint.name), SAMPLES[0])
        sends = read_sends(ENDPOINTS[sample.endpoint], json.dumps(sample.body).encode())
        assert set(pair(sends, answered).values()) <= set(range(len(answered.entries)))
        blocked_answer(sends, [sends.destinations[0].position], body, {})


@given(st.dictionaries(st.sampled_from(["channel", "endpoint", "body"]), NEAR | st.sampled_from(["/tts/3/advanced"])))
def test_any_fallback_is_checked(fallback: Any) -> None:
    with contextlib.suppress(CannotResend):
        convert(fallback)

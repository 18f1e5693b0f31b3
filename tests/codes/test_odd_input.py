"""The look-up is total: whatever stands in a report, it answers."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codes import CodeRef, Outcome, lookup

json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=6,
)
NOT_IDS = ["enormous", "enormous-negative", "large-float", "nan", "infinite", "flag", "long-text", "wide-digits"]
codes = st.fixed_dictionaries(
    {},
    optional={
        "id": json | st.integers(0, 100) | st.sampled_from([27, 603, "27", 87, 7002, 5003]),
        "name": json | st.sampled_from(["EC_ABSENT_SUBSCRIBER", "no_error", "BUSY"]),
        "groupId": json | st.integers(0, 6),
        "groupName": json | st.sampled_from(["DELIVERED", "Undeliverable", "REJECTED"]),
        "permanent": json,
    },
)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=10) | st.sampled_from(["sms", "email", "voice", "rcs"]), codes | json, codes | json, json)
def test_arbitrary_json_never_raises(channel: str, status: object, error: object, smtp: object) -> None:
    meaning = lookup(channel, status, error, smtp)  # type: ignore[arg-type]
    assert meaning.outcome in Outcome
    assert meaning.advice.endswith(".")
    assert meaning == lookup(channel, status, error, smtp)  # type: ignore[arg-type]


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(["sms", "email", "voice"]), st.integers(20_000, 10**17), codes)
def test_a_status_that_is_not_in_the_tables_never_names_a_cause(channel: str, number: int, error: object) -> None:
    assert lookup(channel, {"id": number, "groupId": 2}, error).cause == "unknown"


@pytest.mark.parametrize(
    "number", [10**5000, -(10**5000), 1e300, float("nan"), float("inf"), True, "9" * 5000, "\uff12\uff17"], ids=NOT_IDS
)
def test_a_number_that_is_no_id_counts_as_absent(number: object) -> None:
    assert CodeRef.of({"id": number, "name": "EC_ABSENT_SUBSCRIBER"}) == CodeRef(name="EC_ABSENT_SUBSCRIBER")


@pytest.mark.parametrize("number", [27, 27.0, "27", " 27 "], ids=["number", "float", "text", "padded"])
def test_an_id_is_read_however_it_is_written(number: object) -> None:
    assert lookup("sms", {"id": 9}, {"id": number}).cause == "recipient_unreachable"


@pytest.mark.parametrize("value", [None, [], "DELIVERED", 5, {}, {"id": None}, {"description": "text"}])
def test_what_holds_no_code_is_absent(value: object) -> None:
    assert CodeRef.of(value) is None
    meaning = lookup("sms", value, value)
    assert (meaning.outcome, meaning.cause, meaning.unknown) == (Outcome.UNKNOWN, "unknown", False)

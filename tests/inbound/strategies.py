"""Items and bodies for property tests: near to Infobip's, so that they get past the first check."""

from typing import Any

from hypothesis import strategies as st

from infobip.inbound.classify import RULES

SCALARS: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(2**33), 2**33),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from(
        ["", "5", "true", "null", "447700900123", "ada@example.com", "2026-03-02T09:15:03.480+0000", "DELIVERY", "SEEN"]
    ),
)
ANY_JSON: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=8,
)

_MEMBERS = sorted(
    {key for rule in RULES for key in rule.keys}
    | {"messageId", "bulkId", "sender", "from", "doneAt", "sentAt", "mccMnc", "callbackData", "platform", "error"}
    | {"recipient", "destination", "id", "name", "groupId", "groupName", "permanent", "pricePerMessage", "currency"}
    | {"deliveryInfo", "address", "roaming", "extendedData", "phoneNumber", "notificationMessagesStatus", "text"}
)
NEAR_VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=2), st.dictionaries(st.sampled_from(_MEMBERS), inner, max_size=4), ANY_JSON
    ),
    max_leaves=10,
)
NEAR_ITEMS: st.SearchStrategy[Any] = st.dictionaries(st.sampled_from(_MEMBERS), NEAR_VALUES, max_size=10)


def delivery(number: int = 0, **members: Any) -> dict[str, Any]:
    """Return a good unified item; `...` as a value leaves a member out."""
    item: dict[str, Any] = {
        "bulkId": "bulk-1",
        "price": {"pricePerMessage": 0.01, "currency": "EUR"},
        "status": {"groupId": 3, "groupName": "DELIVERED", "id": 5, "name": "DELIVERED_TO_HANDSET"},
        "error": {"groupId": 0, "groupName": "OK", "id": 0, "name": "NO_ERROR", "permanent": False},
        "messageId": f"message-{number}",
        "to": "447700900123",
        "sender": "Fernhill",
        "sentAt": "2026-03-02T09:15:00.120+0000",
        "doneAt": "2026-03-02T09:15:03.480+0000",
        "messageCount": 1,
    }
    return {name: value for name, value in (item | members).items() if value is not ...}

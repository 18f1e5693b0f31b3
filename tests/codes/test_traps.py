"""One test for each trap of DESIGN section 5 that the look-up must get right."""

import pytest

from codes import How, Outcome, lookup

# ---- the status decides first


def test_an_rcs_message_that_is_pending_with_error_7002_is_still_on_its_way() -> None:
    status = {"groupId": 1, "groupName": "PENDING", "id": 7, "name": "PENDING_ENROUTE"}
    error = {"groupId": 1, "groupName": "USER_ERRORS", "id": 7002, "name": "EC_UNKNOWN_USER", "permanent": True}
    meaning = lookup("rcs", status, error)
    assert (meaning.outcome, meaning.cause) == (Outcome.PENDING, "pending")
    assert meaning.error.row is not None
    assert meaning.error.row.cause == "recipient_not_on_channel"


@pytest.mark.parametrize("error", [1, 27, 603, 3041, 4103, 608, 99999])
@pytest.mark.parametrize(
    ("status", "outcome", "cause"),
    [
        (5, Outcome.DELIVERED, "delivered"),
        (2, Outcome.HANDED_OVER, "pending"),
        (3, Outcome.PENDING, "pending"),
        (7, Outcome.PENDING, "pending"),
        (26, Outcome.PENDING, "pending"),
    ],
)
def test_delivered_handed_over_and_pending_take_nothing_from_the_error(
    status: int, outcome: Outcome, cause: str, error: int
) -> None:
    meaning = lookup("sms", {"id": status}, {"id": error})
    assert (meaning.outcome, meaning.cause) == (outcome, cause)


@pytest.mark.parametrize(
    ("error", "outcome", "cause"),
    [
        (5003, Outcome.FAILED, "recipient_no_answer"),
        (10200, Outcome.FAILED, "recipient_no_answer"),
        (5002, Outcome.FAILED, "recipient_busy"),
        (10201, Outcome.FAILED, "recipient_busy"),
        (5001, Outcome.DELIVERED, "machine_answered"),
        (10002, Outcome.DELIVERED, "machine_answered"),
    ],
)
@pytest.mark.parametrize("channel", ["voice", "calls"])
def test_a_delivered_voice_call_without_a_person_did_not_reach_one(
    channel: str, error: int, outcome: Outcome, cause: str
) -> None:
    meaning = lookup(channel, {"id": 5, "groupId": 3, "name": "DELIVERED_TO_HANDSET"}, {"id": error})
    assert (meaning.outcome, meaning.cause) == (outcome, cause)


@pytest.mark.parametrize("error", [5000, 10000, 10003, 5603, 10203, 5484])
def test_a_delivered_voice_call_with_any_other_error_was_delivered(error: int) -> None:
    meaning = lookup("voice", {"id": 5, "groupId": 3}, {"id": error})
    assert (meaning.outcome, meaning.cause) == (Outcome.DELIVERED, "delivered")


def test_no_answer_counts_on_voice_channels_only() -> None:
    assert lookup("sms", {"id": 5}, {"id": 10200, "name": "NO_ANSWER"}).outcome == Outcome.DELIVERED


# ---- on failure the more specific of the two


@pytest.mark.parametrize(
    ("status", "error", "cause"),
    [
        (9, 27, "recipient_unreachable"),
        (4, 1, "recipient_unknown"),
        (4, 632, "carrier_rejected"),
        (15, 27, "recipient_unreachable"),
        (15, 255, "expired"),
        (12, 4098, "account_funds"),
        (14, 255, "recipient_blocklisted"),
        (10, 0, "recipient_dnd"),
    ],
)
def test_the_more_specific_of_status_and_error_gives_the_cause(status: int, error: int, cause: str) -> None:
    meaning = lookup("sms", {"id": status}, {"id": error})
    assert (meaning.outcome, meaning.cause, meaning.conflict) == (Outcome.FAILED, cause, False)


@pytest.mark.parametrize(("status", "error"), [(12, 1), (11, 603), (18, 3041), (8, 542), (14, 4202)])
def test_a_code_that_blames_the_account_beside_one_that_blames_the_person_is_a_conflict(
    status: int, error: int
) -> None:
    meaning = lookup("sms", {"id": status}, {"id": error})
    assert (meaning.outcome, meaning.cause, meaning.conflict) == (Outcome.FAILED, "unknown", True)


@pytest.mark.parametrize("error", [{"id": 0, "name": "NO_ERROR"}, {"id": 0}, None])
@pytest.mark.parametrize("status", [4, 9])
def test_error_0_with_status_4_or_9_is_unspecified(status: int, error: object) -> None:
    assert lookup("sms", {"id": status, "groupId": 2}, error).cause == "unspecified"


# ---- families


def test_an_rcs_report_can_carry_the_general_code_9() -> None:
    meaning = lookup("rcs", {"id": 9, "groupId": 2}, {"id": 9, "name": "EC_ILLEGAL_SUBSCRIBER"})
    assert meaning.error.row is not None
    assert (meaning.error.row.family, meaning.cause) == ("general", "recipient_barred")


@pytest.mark.parametrize(
    ("channel", "error", "family"),
    [
        ("voice", {"id": 5003}, "voice deprecated"),
        ("voice", {"id": 10200}, "voice and webrtc"),
        ("voice", {"id": 27}, "general"),
        ("voice", {"id": 7002, "name": "EC_UNKNOWN_USER"}, "chat"),
        ("messages-api", {"id": 6010, "name": "EC_RECIPIENT_INBOX_FULL"}, "email"),
        ("email", {"id": 6010, "name": "EC_STORAGE_LIMIT_EXCEEDED"}, "email"),
    ],
)
def test_families_are_tried_in_order_own_then_general_then_any_that_agrees(
    channel: str, error: dict[str, object], family: str
) -> None:
    row = lookup(channel, {"id": 9, "groupId": 2}, error).error.row
    assert row is not None
    assert row.family == family


def test_an_id_of_another_family_under_another_name_is_unknown() -> None:
    meaning = lookup("sms", {"id": 9, "groupId": 2}, {"id": 7002, "name": "EC_SOMETHING_NEW"})
    assert (meaning.error.row, meaning.cause, meaning.unknown) == (None, "unknown", True)


# ---- ids repeat across families


@pytest.mark.parametrize(
    ("channel", "status", "name", "cause"),
    [
        ("sms", {"id": 87, "groupId": 4, "groupName": "EXPIRED"}, "SIGNALS_BLOCKED", "fraud_blocked"),
        ("sms", {"id": 87, "groupId": 5, "groupName": "REJECTED"}, "SIGNALS_BLOCKED", "fraud_blocked"),
        ("voice", {"id": 87, "groupId": 5}, "REJECTED_INVALID_DELIVERY_TIME_WINDOW", "request_invalid"),
        ("voice", {"id": 87, "groupId": 5, "name": "SIGNALS_BLOCKED"}, "SIGNALS_BLOCKED", "fraud_blocked"),
    ],
)
def test_status_87_is_told_apart_by_channel_name_and_group(
    channel: str, status: dict[str, object], name: str, cause: str
) -> None:
    meaning = lookup(channel, status, {"id": 0})
    assert meaning.status.row is not None
    assert (meaning.status.row.name, meaning.cause) == (name, cause)
    assert meaning.status.row.group_id == status["groupId"]


@pytest.mark.parametrize(
    ("channel", "number", "name"),
    [
        ("flow", 200, "REJECTED_INVALID_CONTACT"),
        ("mobile-identity", 200, "EC_INVALID_REQUEST"),
        ("flow", 202, "REJECTED_VARIABLE_MISSED"),
        ("mobile-identity", 202, "EC_CONSENT_NOT_GRANTED"),
        ("sms", 1031, "EC_OR_REMOTENODENOTREACHABLE"),
        ("live-chat", 1031, "Widget visibility error"),
    ],
)
def test_errors_200_202_and_1031_are_told_apart_by_channel(channel: str, number: int, name: str) -> None:
    row = lookup(channel, {"id": 9, "groupId": 2}, {"id": number}).error.row
    assert row is not None
    assert row.name == name


@pytest.mark.parametrize("number", [200, 202])
def test_an_id_that_two_foreign_families_have_is_no_code_of_this_channel(number: int) -> None:
    assert lookup("sms", {"id": 9, "groupId": 2}, {"id": number}).error.row is None


# ---- `permanent` is a hint, not the truth


@pytest.mark.parametrize(
    ("channel", "number", "cause"),
    [
        ("voice", 10201, "recipient_busy"),
        ("voice", 10200, "recipient_no_answer"),
        ("voice", 10312, "carrier_failure"),
        ("sms", 628, "recipient_unreachable"),
        ("sms", 51, "carrier_failure"),
        ("voice", 5503, "platform_failure"),
        ("whatsapp", 7082, "platform_failure"),
        ("push", 8009, "platform_failure"),
        ("push", 8011, "platform_failure"),
    ],
)
def test_what_is_called_permanent_and_passes_keeps_its_passing_cause(channel: str, number: int, cause: str) -> None:
    meaning = lookup(channel, {"id": 9, "groupId": 2}, {"id": number, "permanent": True})
    assert (meaning.cause, meaning.permanent) == (cause, True)


@pytest.mark.parametrize("number", [5000, 10000])
def test_5000_and_10000_are_successes_that_say_permanent(number: int) -> None:
    meaning = lookup("voice", {"id": 5, "groupId": 3}, {"id": number, "permanent": True})
    assert (meaning.outcome, meaning.cause, meaning.permanent) == (Outcome.DELIVERED, "delivered", True)


@pytest.mark.parametrize(
    ("channel", "number", "cause"),
    [
        ("sms", 608, "fraud_blocked"),
        ("email", 6046, "sender_reputation"),
        ("sms", 2051, "content_rejected"),
        ("voice", 5603, "recipient_declined"),
        ("sms", 13, "recipient_barred"),
        ("sms", 351, "unspecified"),
        ("email", 6017, "sender_reputation"),
        ("email", 6053, "sender_reputation"),
        ("whatsapp", 7012, "account_setup"),
        ("whatsapp", 7035, "recipient_capped"),
        ("voice", 5400, "request_invalid"),
        ("voice", 5488, "carrier_rejected"),
    ],
)
def test_what_is_not_called_permanent_and_stays_keeps_its_lasting_cause(channel: str, number: int, cause: str) -> None:
    meaning = lookup(channel, {"id": 9, "groupId": 2}, {"id": number, "permanent": False})
    assert (meaning.cause, meaning.permanent) == (cause, False)


def test_a_report_that_contradicts_the_tables_flag_is_visible_and_changes_nothing() -> None:
    said = lookup("sms", {"id": 9}, {"id": 27, "permanent": True})
    assert (said.error.contradicted, said.permanent, said.cause) == (True, False, "recipient_unreachable")
    assert lookup("sms", {"id": 9}, {"id": 27, "permanent": False}).error.contradicted is False


# ---- groups and names


def test_group_delivered_with_id_2_is_handed_to_the_operator() -> None:
    meaning = lookup("sms", {"id": 2, "groupId": 3, "groupName": "DELIVERED"}, {"id": 0})
    assert (meaning.outcome, meaning.cause) == (Outcome.HANDED_OVER, "pending")


@pytest.mark.parametrize("group", ["Ok", "OK", "ok"])
def test_group_names_differ_in_case(group: str) -> None:
    error = lookup("sms", {"id": 5, "groupName": "Delivered"}, {"id": 0, "groupName": group}).error
    assert error.how is How.ID
    assert error.row is not None


@pytest.mark.parametrize("name", ["PENDING_ACCEPTED", "MESSAGE_ACCEPTED", "Message_Accepted", "SOME_NEWER_NAME"])
def test_status_26_is_found_under_each_of_its_names(name: str) -> None:
    status = lookup("sms", {"id": 26, "name": name, "groupId": 1}, None).status
    assert status.row is not None
    assert (status.row.name, status.how) == ("PENDING_ACCEPTED", How.ID)


@pytest.mark.parametrize("name", ["message_accepted", "Pending_Accepted"])
def test_without_an_id_names_are_compared_without_case(name: str) -> None:
    status = lookup("sms", {"name": name}, None).status
    assert status.row is not None
    assert (status.row.id, status.how) == (26, How.NAME)


# ---- codes that we don't have


@pytest.mark.parametrize(
    ("group", "outcome"),
    [
        ({"groupId": 0}, Outcome.PENDING),
        ({"groupId": 1}, Outcome.PENDING),
        ({"groupId": 2}, Outcome.FAILED),
        ({"groupId": 3}, Outcome.DELIVERED),
        ({"groupId": 4}, Outcome.FAILED),
        ({"groupId": 5}, Outcome.FAILED),
        ({"groupName": "Undeliverable"}, Outcome.FAILED),
        ({"groupId": 3, "groupName": "REJECTED"}, Outcome.UNKNOWN),
        ({"groupId": 77}, Outcome.UNKNOWN),
        ({}, Outcome.UNKNOWN),
    ],
)
def test_an_unknown_status_falls_back_on_its_group_for_the_outcome(group: dict[str, object], outcome: Outcome) -> None:
    meaning = lookup("sms", {"id": 99999, "name": "BRAND_NEW", **group}, {"id": 1})
    assert (meaning.outcome, meaning.unknown) == (outcome, True)
    assert meaning.status.how is (How.GROUP if group else How.NOT_AT_ALL)


def test_an_unknown_error_of_a_failure_makes_the_cause_unknown() -> None:
    meaning = lookup("sms", {"id": 9, "groupId": 2}, {"id": 99999, "name": "EC_BRAND_NEW"})
    assert (meaning.outcome, meaning.cause, meaning.unknown) == (Outcome.FAILED, "unknown", True)


def test_an_unknown_status_of_a_failure_makes_the_cause_unknown_even_beside_a_known_error() -> None:
    meaning = lookup("sms", {"id": 99999, "groupId": 2}, {"id": 1})
    assert (meaning.outcome, meaning.cause, meaning.unknown) == (Outcome.FAILED, "unknown", True)


def test_a_channel_that_nobody_knows_is_looked_up_in_the_general_tables() -> None:
    assert lookup("carrier-pigeon", {"id": 9}, {"id": 27}).cause == "recipient_unreachable"

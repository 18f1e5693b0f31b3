"""Each id that DESIGN section 5 lists beside a cause has that cause in the tables."""

import pytest

from codes import CAUSES, Meaning, lookup, shipped

GENERAL_STATUSES = {
    "unconfirmed": [29],
    "recipient_dnd": [10],
    "address_invalid": [8, 52],
    "carrier_rejected": [4],
}
ERRORS = {
    ("general", "unconfirmed"): [502, 815, 2048],
    ("chat", "unconfirmed"): [7051, 7052],
    ("general", "unspecified"): [255, 351],
    ("voice and webrtc", "unspecified"): [10310],
    ("general", "recipient_dnd"): [2050],
    ("dlt", "recipient_dnd"): [4137, 4139, 4140],
    ("general", "recipient_barred"): [9, 11, 12, 13],
    ("mms", "recipient_barred"): [15018],
    ("chat", "recipient_not_on_channel"): [7002, 7201],
    ("mms", "recipient_not_on_channel"): [15003, 15019],
    ("general", "recipient_not_on_channel"): [629],
    ("chat", "recipient_capped"): [7032, 7035],
    ("chat", "identity_changed"): [7029],
    ("chat", "conversation_closed"): [7010],
    ("general", "address_invalid"): [352],
    ("voice and webrtc", "address_invalid"): [10303, 10305],
    ("voice deprecated", "address_invalid"): [5404, 5484],
    ("mms", "address_invalid"): [15201],
    ("email", "sender_reputation"): [6016, 6017, 6044, 6049, 6053],
    ("general", "quota_reached"): [542, 609, 4099],
    ("email", "quota_reached"): [6050],
    ("chat", "quota_reached"): [7016],
    ("general", "route_incompatible"): [20, 21, 35, 36, 503, *range(1024, 1031), 1152],
    ("voice deprecated", "carrier_rejected"): [5403],
    ("voice and webrtc", "carrier_rejected"): [10300],
}
CHANNEL_OF = {
    "general": "sms",
    "dlt": "sms",
    "mms": "mms",
    "email": "email",
    "chat": "whatsapp",
    "voice deprecated": "voice",
    "voice and webrtc": "voice",
}
LISTED = [(family, number, cause) for (family, cause), numbers in ERRORS.items() for number in numbers]


def failed(channel: str, error: int) -> Meaning:
    return lookup(channel, {"id": 9, "groupId": 2}, {"id": error})


@pytest.mark.parametrize(
    ("number", "cause"), [(number, cause) for cause, numbers in GENERAL_STATUSES.items() for number in numbers]
)
def test_a_listed_status_has_its_cause(number: int, cause: str) -> None:
    rows = [row for row in shipped().tables.rows if row.key == ("general", "status", number)]
    assert [row.cause for row in rows] == [cause]


@pytest.mark.parametrize(("family", "number", "cause"), LISTED)
def test_a_listed_error_has_its_cause(family: str, number: int, cause: str) -> None:
    rows = [row for row in shipped().tables.rows if row.key == (family, "error", number)]
    assert [row.cause for row in rows] == [cause]


@pytest.mark.parametrize(("family", "number", "cause"), LISTED)
def test_a_failure_with_a_listed_error_has_its_cause(family: str, number: int, cause: str) -> None:
    meaning = failed(CHANNEL_OF[family], number)
    assert meaning.cause == cause
    assert meaning.error.row is not None
    assert meaning.error.row.family == family


def test_every_cause_of_the_design_is_in_the_vocabulary_and_no_other() -> None:
    assert set(CAUSES) == set(
        """
        delivered pending cancelled duplicate expired unconfirmed unspecified
        recipient_unknown recipient_deactivated recipient_opted_out recipient_blocklisted recipient_complained
        recipient_dnd recipient_barred recipient_not_on_channel recipient_capped identity_changed
        recipient_unreachable recipient_busy recipient_no_answer recipient_full recipient_out_of_credit
        recipient_declined machine_answered conversation_closed
        address_invalid content_rejected request_invalid outside_hours flooding
        sender_not_allowed sender_reputation account_funds account_setup throttled quota_reached fraud_blocked
        route_unavailable route_incompatible carrier_rejected carrier_failure platform_failure
        unknown
        """.split()
    )


def test_no_row_of_the_tables_is_unknown() -> None:
    assert [row.label for row in shipped().tables.rows if row.cause == "unknown"] == []


# The sentences of the design that begin 'Some that mislead'.


def test_4100_expired_before_it_left_and_was_not_cancelled() -> None:
    assert failed("sms", 4100).cause == "expired"


def test_603_is_the_word_stop_and_not_the_content() -> None:
    assert failed("sms", 603).cause == "recipient_opted_out"


def test_18_is_the_accounts_set_up_and_not_the_recipient() -> None:
    assert lookup("sms", {"id": 18}, {"id": 0}).cause == "account_setup"


@pytest.mark.parametrize("number", [579, 597])
def test_579_and_597_are_the_accounts_set_up_and_not_the_recipient(number: int) -> None:
    assert failed("sms", number).cause == "account_setup"


def test_4102_is_the_customers_own_smpp_bind() -> None:
    assert failed("sms", 4102).cause == "account_setup"


def test_10302_is_our_credentials_but_10313_is_the_callees_consent() -> None:
    assert failed("calls", 10302).cause == "account_setup"
    assert failed("calls", 10313).cause == "recipient_opted_out"


@pytest.mark.parametrize("number", [10100, 10101, 10102, 10103])
def test_10100_to_10103_are_camera_and_microphone(number: int) -> None:
    assert failed("calls", number).cause == "request_invalid"


@pytest.mark.parametrize("number", [6038, 6040])
def test_6038_and_6040_are_templates_and_not_expired_mail(number: int) -> None:
    assert failed("email", number).cause == "request_invalid"


@pytest.mark.parametrize("number", [4107, 4141, 4144])
def test_4107_4141_and_4144_are_the_dlt_platforms_and_may_pass(number: int) -> None:
    assert failed("sms", number).cause == "platform_failure"


@pytest.mark.parametrize(("channel", "number"), [("voice", 5491), ("mms", 15004), ("push", 8012)])
def test_5491_15004_and_8012_are_pending(channel: str, number: int) -> None:
    meaning = failed(channel, number)
    assert (meaning.cause, meaning.outcome) == ("pending", "pending")


def test_351_blames_nobody() -> None:
    assert failed("sms", 351).cause == "unspecified"


def test_6034_may_be_a_bounce_or_a_complaint_and_is_a_suppressed_address() -> None:
    assert failed("email", 6034).cause == "recipient_blocklisted"


def test_every_row_has_a_cause_of_the_vocabulary() -> None:
    assert [row.label for row in shipped().tables.rows if row.cause not in CAUSES] == []


def test_every_row_has_one_sentence_of_advice() -> None:
    assert [row.label for row in shipped().tables.rows if not row.advice.endswith(".") or ". " in row.advice] == []

"""An e-mail report's raw SMTP answer refines its cause by the enhanced status code, and never beyond its worth."""

import pytest

from codes import Meaning, Outcome, load, lookup
from codes.causes import CAUSES, Blame
from codes.smtp import find

HARD_BOUNCE = {"id": 6012, "name": "EC_HARD_BOUNCE", "groupId": 2, "groupName": "Bounced"}
LASTING = frozenset(
    "recipient_unknown recipient_deactivated recipient_opted_out recipient_blocklisted recipient_complained"
    " recipient_dnd recipient_barred recipient_not_on_channel address_invalid".split()
)


def bounced(smtp: str, error: object = None) -> Meaning:
    return lookup("email", {"id": 9, "groupId": 2}, error or HARD_BOUNCE, smtp)


@pytest.mark.parametrize(
    ("smtp", "cause", "code"),
    [
        ("550 5.1.1 The email account that you tried to reach does not exist", "recipient_unknown", "5.1.1"),
        ("553 5.1.3 bad address syntax", "address_invalid", "5.1.3"),
        ("550 5.1.99 something about the address", "recipient_unknown", "5.1.99"),
        ("552 5.2.2 mailbox full", "recipient_full", "5.2.2"),
        ("451 4.3.0 try later", "carrier_failure", "4.3.0"),
        ("450 4.9.9 later", "recipient_unreachable", "4.9.9"),
        ("550 5.7.1 message rejected by policy", "sender_reputation", "5.7.1"),
        ("550 5.7.26 unauthenticated mail", "account_setup", "5.7.26"),
    ],
)
def test_the_enhanced_code_refines_a_hard_bounce(smtp: str, cause: str, code: str) -> None:
    meaning = bounced(smtp)
    assert (meaning.outcome, meaning.cause, meaning.smtp) == (Outcome.FAILED, cause, code)


def test_a_6012_with_5_7_1_does_not_blame_the_person() -> None:
    assert bounced("550 5.7.1 blocked").cause == "sender_reputation"
    assert bounced("").cause == "recipient_unknown"


@pytest.mark.parametrize("pattern", [row.pattern for row in load().smtp if row.pattern.startswith("4.")])
def test_no_4_x_code_gives_a_lasting_cause(pattern: str) -> None:
    assert bounced(f"451 {pattern.replace('x', '9')} not now").cause not in LASTING


@pytest.mark.parametrize("pattern", [row.pattern for row in load().smtp if row.pattern.startswith("5.7.")])
def test_no_5_7_code_blames_the_person(pattern: str) -> None:
    meaning = bounced(f"550 {pattern.replace('x', '99')} policy")
    assert CAUSES[meaning.cause].blame is Blame.ACCOUNT


@pytest.mark.parametrize(
    "text",
    [
        "connection to 5.1.1.4 refused",
        "host 10.5.1.1 said no",
        "spamfilter version 15.1.1",
        "relay 4.2.2.1 timed out",
        "5.1.1234",
        "2.1.5 ok",
        "550 no such user",
        "",
    ],
)
def test_an_ip_address_or_a_version_is_no_smtp_code(text: str) -> None:
    assert find(text) == ""
    assert bounced(text).cause == "recipient_unknown"
    assert bounced(text).smtp == ""


def test_the_code_is_found_beside_an_ip_address() -> None:
    assert find("host 5.1.1.4 said: 550-5.7.1 blocked [5.1.1.4]") == "5.7.1"


def test_a_code_that_is_not_in_the_tables_is_not_refined_into_a_blame() -> None:
    meaning = bounced("550 5.1.1 no such user", {"id": 6999, "name": "EC_BRAND_NEW"})
    assert (meaning.cause, meaning.smtp, meaning.unknown) == ("unknown", "", True)


def test_an_unknown_status_is_not_refined_into_a_blame() -> None:
    meaning = lookup("email", {"id": 99999, "groupId": 2}, None, "550 5.1.1 no such user")
    assert (meaning.cause, meaning.unknown) == ("unknown", True)


def test_what_infobip_dropped_before_sending_is_not_refined() -> None:
    dropped = {"id": 6035, "name": "EC_SUPPRESSED_SPAM_COMPLAINT", "groupId": 1}
    assert bounced("450 4.2.1 later", dropped).cause == "recipient_complained"


def test_a_delivered_email_is_not_refined() -> None:
    meaning = lookup("email", {"id": 5}, {"id": 0}, "550 5.1.1 no such user")
    assert (meaning.outcome, meaning.cause) == (Outcome.DELIVERED, "delivered")


def test_an_email_without_an_error_is_refined() -> None:
    assert lookup("email", {"id": 9, "groupId": 2}, {"id": 0}, "550 5.1.1 nobody").cause == "recipient_unknown"


def test_an_sms_is_never_refined_by_smtp_text() -> None:
    assert lookup("sms", {"id": 9, "groupId": 2}, {"id": 0}, "550 5.1.1 nobody").cause == "unspecified"


def test_every_smtp_row_has_a_cause_of_the_vocabulary_and_a_sentence() -> None:
    assert [row.pattern for row in load().smtp if row.cause not in CAUSES or not row.advice.endswith(".")] == []

"""What the documents say of single codes: never resend these, do resend those, and blame the right side."""

import pytest

from codes import shipped
from policy import Alert
from tests.policy.cases import FAILED, alert, decided, kinds, suppress

NEVER_RESENT = [
    ("sms", 608),
    ("email", 6046),
    ("sms", 2051),
    ("voice", 5603),
    ("voice", 10203),
    ("sms", 13),
    ("sms", 351),
    ("email", 6017),
    ("email", 6053),
    ("whatsapp", 7012),
    ("whatsapp", 7035),
    *(
        ("voice", number)
        for number in (5400, 5403, 5404, 5407, 5408, 5410, 5413, 5414, 5415, 5481, 5484, 5487, 5488, 5491)
    ),
    # Perhaps delivered: a resend may be a second copy.
    ("sms", 502),
    ("sms", 815),
    ("sms", 2048),
    ("whatsapp", 7051),
    ("whatsapp", 7052),
    # The same route fails in the same way.
    *(("sms", number) for number in (20, 21, 35, 36, 503, *range(1024, 1031), 1152)),
]
SUPPRESSED = [
    *(("sms", number) for number in (9, 560, 566, 573, 603, 604, 2049, 2050, 2052, 3041)),
    *(("email", number) for number in (6003, 6006, 6009, 6034, 6035, 6052)),
    *(("whatsapp", number) for number in (7002, 7003, 7030, 7033)),
    *(("mms", number) for number in (15003, 15011, 15015, 15017)),
    *(("push", number) for number in (8001, 8013)),
]
RETRIED = [
    ("sms", 628),
    ("sms", 51),
    ("voice", 5503),
    ("whatsapp", 7082),
    ("push", 8009),
    ("push", 8011),
    ("voice", 10312),
    *(("sms", number) for number in (6, 27, 31, 32, 34, 256, 260, 500, 501, 504, 4097, 1154, 1166, 1536, 1796)),
    *(("email", number) for number in (6007, 6010, 6011, 6013)),
    *(("whatsapp", number) for number in (7017, 7050)),
]
DLT_CONSENT = {4137, 4139, 4140}


@pytest.mark.parametrize(("channel", "error"), NEVER_RESENT)
def test_a_code_whose_documents_do_not_let_it_pass_is_not_resent(channel: str, error: int) -> None:
    decision = decided(channel, FAILED, error)
    assert decision.cause != "unknown"
    assert "retry" not in kinds(decision)


@pytest.mark.parametrize(("channel", "error"), SUPPRESSED)
def test_a_code_that_says_suppress_suppresses_and_is_not_resent(channel: str, error: int) -> None:
    assert kinds(decided(channel, FAILED, error)) == ["suppress"]


@pytest.mark.parametrize("status", [8, 10, 14, 52])
def test_a_rejection_over_the_recipient_suppresses_and_is_not_resent(status: int) -> None:
    assert kinds(decided("sms", status)) == ["suppress"]


@pytest.mark.parametrize(("channel", "error"), RETRIED)
def test_a_code_whose_documents_let_it_pass_is_resent(channel: str, error: int) -> None:
    decision = decided(channel, FAILED, error)
    assert "retry" in kinds(decision)
    assert "suppress" not in kinds(decision)


@pytest.mark.parametrize("status", [21, 100])
def test_a_fault_of_the_platform_is_submitted_again(status: int) -> None:
    assert "retry" in kinds(decided("sms", status))


def test_not_enough_credits_tells_operations_at_once_and_touches_nobody() -> None:
    decision = decided("sms", 12)
    assert kinds(decision) == ["alert"]
    assert (alert(decision).severity, alert(decision).threshold) == ("critical", 1)


@pytest.mark.parametrize(
    "error",
    [
        2053,
        564,
        375,
        571,
        *sorted(row.id for row in shipped().tables.rows if row.family == "dlt" and row.id not in DLT_CONSENT),
    ],
)
def test_a_code_that_blames_sender_or_template_never_suppresses_the_person(error: int) -> None:
    decision = decided("sms", FAILED, error)
    assert "suppress" not in kinds(decision)
    assert any(isinstance(action, Alert) for action in decision.actions)


@pytest.mark.parametrize("error", sorted(DLT_CONSENT))
def test_a_missing_consent_in_india_blocks_marketing_and_no_more(error: int) -> None:
    assert suppress(decided("sms", FAILED, error)).purpose == "marketing"


@pytest.mark.parametrize(
    ("channel", "error", "scope", "purpose"),
    [
        ("sms", 603, "sender", "all"),
        ("sms", 573, "sender", "all"),
        ("sms", 604, "campaign", "all"),
        ("whatsapp", 7033, "channel", "marketing"),
        ("email", 6003, "channel", "marketing"),
        ("sms", 2050, "all", "marketing"),
        ("sms", 3041, "all", "all"),
        ("sms", 1, "channel", "all"),
        ("email", 6035, "channel", "all"),
    ],
)
def test_a_suppression_reaches_no_wider_than_what_was_said(channel: str, error: int, scope: str, purpose: str) -> None:
    found = suppress(decided(channel, FAILED, error))
    assert (found.scope, found.purpose) == (scope, purpose)


@pytest.mark.parametrize("status", [15, 98, 23])
def test_expired_cancelled_and_duplicate_are_left_alone(status: int) -> None:
    assert kinds(decided("sms", status)) == ["ignore"]


@pytest.mark.parametrize("status", [4, FAILED])
def test_a_failure_without_a_reason_is_neither_resent_nor_held_against_anyone(status: int) -> None:
    assert kinds(decided("sms", status, 0)) == ["alert"]


def test_a_6012_with_5_7_1_suppresses_nobody() -> None:
    assert kinds(decided("email", FAILED, 6012, smtp="550 5.7.1 rejected by policy")) == ["alert"]
    assert kinds(decided("email", FAILED, 6012, smtp="550 5.1.1 no such user")) == ["suppress"]


@pytest.mark.parametrize("code", ["4.2.1", "4.2.2", "4.3.0", "4.4.7", "4.5.3", "4.7.1", "4.9.9", "4.1.1"])
def test_a_4_x_smtp_code_never_suppresses(code: str) -> None:
    assert "suppress" not in kinds(decided("email", FAILED, 6012, smtp=f"451 {code} not now"))

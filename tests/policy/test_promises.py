"""The promises of DESIGN section 2 that the policy keeps whatever a rule says, and what it does for each purpose."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from policy import History, Mode, Purpose
from tests.policy.cases import FAILED, NOW, SENT, TRANSACTIONAL, alert, decided, kinds, own_policy, retry, suppress

RESEND_ALL = """
[modes]
retry = "act"

[[rule]]
id = "resend-all"
why = "an operator wants everything sent again"
retry = { delays = ["5m"] }
"""
SUPPRESS_ALL = """
[[rule]]
id = "suppress-all"
why = "an operator wants nobody to be written to"
suppress = { scope = "all" }
"""
SOMEWHERE_ELSE = RESEND_ALL.replace('["5m"] }', '["5m"], channel = "voice" }')

OPTED_OUT = [
    ("sms", 603),
    ("sms", 573),
    ("sms", 604),
    ("whatsapp", 7003),
    ("whatsapp", 7033),
    ("email", 6003),
    ("calls", 10313),
]
COMPLAINED = [("email", 6035)]
DND = [("sms", 2050), ("sms", 4137), ("sms", 4139), ("sms", 4140)]
DEACTIVATED = [("sms", 3041), ("mms", 15017)]
FRAUD = [("sms", 608)]
FIRM = [*OPTED_OUT, *COMPLAINED, *DND, *DEACTIVATED]

# ---- promise 12


@pytest.mark.parametrize(("channel", "error"), [*FIRM, *FRAUD])
@pytest.mark.parametrize("text", [RESEND_ALL, SOMEWHERE_ELSE], ids=["same-channel", "another-channel"])
def test_no_resend_follows_an_opt_out_complaint_dnd_deactivation_or_fraud_whatever_a_rule_says(
    tmp_path: Path, channel: str, error: int, text: str
) -> None:
    rules = own_policy(tmp_path, text)
    assert "retry" not in kinds(decided(channel, FAILED, error, rules=rules))
    assert "retry" in kinds(decided("sms", FAILED, 27, rules=rules))


@pytest.mark.parametrize("status", [10, 14, 23, 29, {"id": 87, "groupId": 4}, {"id": 87, "groupId": 5}])
@pytest.mark.parametrize("error", [0, 27, 500])
def test_no_resend_follows_such_a_status_whatever_the_error_beside_it_says(
    tmp_path: Path, status: int | dict[str, object], error: int
) -> None:
    assert "retry" not in kinds(decided("sms", status, error, rules=own_policy(tmp_path, RESEND_ALL)))


@pytest.mark.parametrize(
    "change",
    [{"reached": True}, {"open_legs": True}, {"trusted": False}],
    ids=["arrived", "legs-to-come", "not-authenticated"],
)
def test_no_resend_of_what_arrived_or_may_still_arrive_or_a_stranger_says(
    tmp_path: Path, change: dict[str, bool]
) -> None:
    rules = own_policy(tmp_path, RESEND_ALL)
    assert "retry" not in kinds(decided("sms", FAILED, 27, replace(TRANSACTIONAL, **change), rules=rules))  # type: ignore[arg-type]


# ---- promise 7 and contradictions


@pytest.mark.parametrize(
    ("status", "error"),
    [(FAILED, 99999), ({"id": 99999, "groupId": 2}, 27), ({"id": 99999, "groupId": 5}, 603), (10, 99999)],
)
@pytest.mark.parametrize("text", [RESEND_ALL, SUPPRESS_ALL], ids=["resend", "suppress"])
def test_a_code_that_is_not_in_the_tables_only_alerts_whatever_a_rule_says(
    tmp_path: Path, status: int | dict[str, object], error: int, text: str
) -> None:
    assert kinds(decided("sms", status, error, rules=own_policy(tmp_path, text))) == ["alert"]


@pytest.mark.parametrize(("status", "error"), [(12, 1), (12, 603), (11, 604), (8, 542), (18, 3041)])
def test_codes_that_blame_both_sides_only_alert(status: int, error: int) -> None:
    assert kinds(decided("sms", status, error)) == ["alert"]


@pytest.mark.parametrize("text", [RESEND_ALL, SUPPRESS_ALL], ids=["resend", "suppress"])
def test_codes_that_blame_both_sides_only_alert_whatever_a_rule_says(tmp_path: Path, text: str) -> None:
    assert kinds(decided("sms", 11, 604, rules=own_policy(tmp_path, text))) == ["alert"]


def test_nobody_is_suppressed_on_a_strangers_word() -> None:
    assert kinds(decided("sms", FAILED, 603, replace(TRANSACTIONAL, trusted=False))) == ["ignore"]


# ---- promise 13


@pytest.mark.parametrize(("channel", "error"), FIRM)
@pytest.mark.parametrize("mode", ["observe", "propose", "act"])
def test_what_the_person_or_the_carrier_said_outright_always_acts(
    tmp_path: Path, channel: str, error: int, mode: str
) -> None:
    found = suppress(decided(channel, FAILED, error, rules=own_policy(tmp_path, f'[modes]\nsuppress = "{mode}"\n')))
    assert (found.mode, found.firm) == (Mode.ACT, True)


def test_do_not_disturb_by_status_always_acts() -> None:
    assert suppress(decided("sms", 10)).mode is Mode.ACT


@pytest.mark.parametrize(
    ("channel", "status", "error"),
    [("sms", FAILED, 1), ("sms", 8, 0), ("email", FAILED, 6004), ("email", FAILED, 6012), ("whatsapp", FAILED, 7002)],
)
def test_a_suppression_inferred_from_a_failure_proposes(channel: str, status: int, error: int) -> None:
    found = suppress(decided(channel, status, error))
    assert (found.mode, found.firm) == (Mode.PROPOSE, False)


def test_resends_observe_and_alerts_act() -> None:
    decision = decided("sms", FAILED, 542)
    assert (retry(decision).mode, alert(decision).mode) == (Mode.OBSERVE, Mode.ACT)


def test_the_operator_decides_how_far_inferred_suppressions_and_resends_go(tmp_path: Path) -> None:
    rules = own_policy(tmp_path, '[modes]\nsuppress = "act"\nretry = "propose"\n')
    assert suppress(decided("sms", FAILED, 1, rules=rules)).mode is Mode.ACT
    assert retry(decided("sms", FAILED, 27, rules=rules)).mode is Mode.PROPOSE


# ---- purposes


UNDECLARED = History(sent_at=SENT)


def test_an_undeclared_message_gets_one_attempt_within_the_hour() -> None:
    planned = retry(decided("sms", FAILED, 27, UNDECLARED))
    assert planned.due_at is not None
    assert planned.due_at - SENT <= timedelta(hours=1)


def test_an_undeclared_message_gets_no_second_attempt() -> None:
    planned = retry(decided("sms", FAILED, 27, replace(UNDECLARED, resends=1)))
    assert planned.due_at is None
    assert planned.note == (
        "nobody said what the message is for, so only one resend within 1 hour of the original is allowed"
    )


@pytest.mark.parametrize(("channel", "error"), [("sms", 581), ("email", 6007), ("sms", 542), ("email", 6016)])
def test_an_undeclared_message_is_not_resent_after_the_hour_but_the_schedule_is_named(channel: str, error: int) -> None:
    planned = retry(decided(channel, FAILED, error, UNDECLARED))
    assert planned.due_at is None
    assert planned.schedule


def test_an_undeclared_message_whose_report_came_late_is_not_resent() -> None:
    late = History(sent_at=NOW - timedelta(minutes=50))
    assert retry(decided("sms", FAILED, 27, late)).due_at is None


@pytest.mark.parametrize(
    "purposes",
    [
        'default = { main = "transactional" }',
        'default = { "*" = "transactional" }',
        'campaign = { receipts = "transactional" }',
        'sender = { Shop = "transactional" }',
        'application = { checkout = "transactional" }',
    ],
)
def test_a_purpose_that_the_operator_maps_is_not_cut(tmp_path: Path, purposes: str) -> None:
    rules = own_policy(tmp_path, f"[purposes]\n{purposes}\n")
    values: dict[str, Any] = {"campaign": "receipts", "sender": "Shop", "application": "checkout"}
    assert retry(decided("sms", FAILED, 27, replace(UNDECLARED, resends=1), rules=rules, **values)).due_at is not None


def test_an_otp_is_never_late() -> None:
    history = History(purpose=Purpose.OTP, sent_at=SENT, not_after=NOW + timedelta(minutes=10))
    assert kinds(decided("sms", FAILED, 27, history)) == ["ignore"]  # after 15 minutes


def test_an_otp_in_time_is_resent() -> None:
    history = History(purpose=Purpose.OTP, sent_at=SENT, not_after=NOW + timedelta(minutes=10))
    planned = retry(decided("sms", FAILED, 31, history))  # after 5 minutes
    assert planned.due_at is not None
    assert planned.due_at <= NOW + timedelta(minutes=10)


def test_an_otp_whose_end_nobody_registered_is_worthless_after_five_minutes() -> None:
    sent = replace(TRANSACTIONAL, purpose=Purpose.OTP, sent_at=NOW)
    assert kinds(decided("sms", FAILED, 31, sent)) == ["ignore"]  # 5 minutes and the jitter
    assert kinds(decided("voice", 5, 10002, sent)) == ["retry"]  # 60 seconds


def test_any_message_with_an_end_is_never_late() -> None:
    history = replace(TRANSACTIONAL, not_after=NOW + timedelta(minutes=10))
    assert "retry" not in kinds(decided("sms", FAILED, 27, history))

"""Each special case that Infobip documents, named in the issue, has the decision it asks for."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from codes import Outcome, shipped
from policy import History, Purpose
from tests.policy.cases import (
    FAILED,
    NOW,
    SENT,
    TRANSACTIONAL,
    alert,
    decided,
    failures,
    is_due_in,
    kinds,
    retry,
    suppress,
)

OTP = History(purpose=Purpose.OTP, sent_at=SENT)


def test_581_is_tried_daily_for_seven_days() -> None:
    first = decided("sms", FAILED, 581)
    assert is_due_in(first, timedelta(hours=24))
    assert retry(first).attempts == 7
    assert retry(first).give_up_at == SENT + timedelta(days=8)
    days = [
        decided("sms", FAILED, 581, replace(TRANSACTIONAL, resends=day), now=NOW + timedelta(days=day))
        for day in range(6)
    ]
    assert [kinds(day) for day in days] == [["retry"]] * 6
    after = decided("sms", FAILED, 581, replace(TRANSACTIONAL, resends=7), now=NOW + timedelta(days=6))
    assert kinds(after) == ["ignore"]


def test_581_on_the_first_day_and_on_all_seven_after_it_pauses_the_person_and_not_before_the_last_try() -> None:
    earlier = failures(*(NOW - timedelta(days=day) for day in range(1, 8)), cause="recipient_out_of_credit")
    before = decided("sms", FAILED, 581, replace(TRANSACTIONAL, resends=6, failed=earlier[:6]))
    assert kinds(before) == ["retry"]
    decision = decided("sms", FAILED, 581, replace(TRANSACTIONAL, resends=7, failed=earlier))
    assert suppress(decision).until == NOW + timedelta(days=30)


def test_542_waits_for_the_next_day_and_pauses_the_brand_at_the_carrier() -> None:
    decision = decided("sms", FAILED, 542)
    midnight_in_los_angeles = datetime(2026, 3, 5, 8, 0, tzinfo=UTC)
    assert is_due_in(decision, timedelta(minutes=15), midnight_in_los_angeles)
    assert retry(decision).pause == ("brand",)
    assert alert(decision).group_by == ("account", "sender", "network")


def test_541_slows_down_and_pauses_the_brand_at_the_carrier() -> None:
    decision = decided("sms", FAILED, 541)
    assert is_due_in(decision, timedelta(minutes=5))
    assert "brand" in retry(decision).pause


@pytest.mark.parametrize("error", [6057, 6058])
def test_6057_and_6058_pause_sender_and_recipient_domain(error: int) -> None:
    decision = decided("email", FAILED, error)
    assert is_due_in(decision, timedelta(minutes=30))
    assert retry(decision).pause == ("sender", "domain")


@pytest.mark.parametrize("smtp", ["451 4.7.28 slow down", "452 4.5.3 too many recipients", "421 4.7.0 deferred"])
def test_an_email_throttle_in_the_smtp_text_pauses_the_sender(smtp: str) -> None:
    decision = decided("email", FAILED, 6011, smtp=smtp)
    assert decision.cause == "throttled"
    assert "sender" in retry(decision).pause


def test_6007_is_tried_again_in_a_few_hours() -> None:
    decision = decided("email", FAILED, 6007)
    assert is_due_in(decision, timedelta(hours=4))
    assert kinds(decision) == ["retry"]


def test_6016_waits_24_hours_for_that_sender_domain_and_alerts() -> None:
    decision = decided("email", FAILED, 6016)
    assert is_due_in(decision, timedelta(hours=24))
    assert (retry(decision).attempts, retry(decision).pause) == (1, ("sender",))
    assert (alert(decision).severity, alert(decision).threshold) == ("critical", 1)


def test_7036_is_tried_after_ten_minutes() -> None:
    assert is_due_in(decided("whatsapp", FAILED, 7036), timedelta(minutes=10))


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        (datetime(2026, 3, 4, 16, 0, tzinfo=UTC), datetime(2026, 3, 5, 4, 30, tzinfo=UTC)),  # 21:30 in Kolkata
        (datetime(2026, 3, 4, 20, 0, tzinfo=UTC), datetime(2026, 3, 5, 4, 30, tzinfo=UTC)),  # 01:30
        (datetime(2026, 3, 4, 15, 28, tzinfo=UTC), datetime(2026, 3, 5, 4, 30, tzinfo=UTC)),  # 20:58: too late by then
        (datetime(2026, 3, 4, 12, 0, tzinfo=UTC), datetime(2026, 3, 4, 12, 0, tzinfo=UTC)),  # 17:30: open
    ],
)
def test_4138_is_sent_when_the_window_in_india_opens(now: datetime, opens: datetime) -> None:
    decision = decided("sms", FAILED, 4138, replace(TRANSACTIONAL, sent_at=now), now=now)
    assert is_due_in(decision, timedelta(minutes=5), opens)


def test_7024_is_sent_when_the_window_opens() -> None:
    night = datetime(2026, 3, 4, 23, 0, tzinfo=UTC)
    decision = decided("kakao", FAILED, 7024, replace(TRANSACTIONAL, sent_at=night), now=night)
    assert is_due_in(decision, timedelta(minutes=5), datetime(2026, 3, 5, 9, 0, tzinfo=UTC))


@pytest.mark.parametrize(("status", "error"), [(20, 0), (FAILED, 4103), (FAILED, 4104)])
def test_status_20_waits_at_least_an_hour(status: int, error: int) -> None:
    due_at = retry(decided("sms", status, error)).due_at
    assert due_at is not None
    assert due_at - NOW >= timedelta(hours=1)


def test_29_is_never_resent() -> None:
    decision = decided("sms", 29, 0)
    assert (decision.outcome, kinds(decision)) == (Outcome.UNKNOWN, ["ignore"])


@pytest.mark.parametrize("status", [FAILED, {"id": 87, "groupId": 4}, {"id": 87, "groupId": 5}])
def test_608_is_never_resent_and_alerts(status: int | dict[str, object]) -> None:
    decision = decided("sms", status, 608)
    assert kinds(decision) == ["alert"]
    assert alert(decision).severity == "critical"


def test_8012_is_left_to_infobip_which_is_retrying_already() -> None:
    decision = decided("push", FAILED, 8012)
    assert (decision.outcome, kinds(decision)) == (Outcome.PENDING, ["ignore"])


@pytest.mark.parametrize(
    "error",
    sorted(row.id for row in shipped().tables.rows if row.family in ("voice and webrtc", "voice deprecated")),
)
@pytest.mark.parametrize("channel", ["voice", "calls"])
@pytest.mark.parametrize("purpose", [Purpose.OTP, Purpose.TRANSACTIONAL, Purpose.UNDECLARED])
def test_voice_with_infobips_own_retry_is_never_repeated(channel: str, error: int, purpose: Purpose) -> None:
    history = History(purpose=purpose, sent_at=SENT, infobip_retries=True)
    for status in (5, FAILED):
        assert "retry" not in kinds(decided(channel, status, error, history))


@pytest.mark.parametrize("error", [5002, 5003, 5480, 5503, 10200, 10201, 10204])
def test_voice_without_infobips_own_retry_is_repeated(error: int) -> None:
    assert "retry" in kinds(decided("voice", FAILED, error))


def test_7032_holds_marketing_for_that_one_person() -> None:
    held = suppress(decided("whatsapp", FAILED, 7032))
    assert (held.scope, held.purpose, held.hold, held.firm) == ("channel", "marketing", True, False)
    assert held.until == NOW + timedelta(hours=24)


def test_7035_holds_that_one_person() -> None:
    held = suppress(decided("whatsapp", FAILED, 7035))
    assert (held.scope, held.hold, held.until) == ("channel", True, NOW + timedelta(days=7))


@pytest.mark.parametrize("error", [7032, 7035])
def test_7032_and_7035_pause_nobody_else(error: int) -> None:
    assert kinds(decided("whatsapp", FAILED, error)) == ["suppress"]


@pytest.mark.parametrize(
    ("channel", "error"),
    [("sms", 609), ("sms", 4202), ("email", 6050), ("email", 6051), ("whatsapp", 7016), ("whatsapp", 7026)],
)
def test_quota_reached_waits_for_the_reset(channel: str, error: int) -> None:
    decision = decided(channel, FAILED, error)
    assert decision.cause == "quota_reached"
    assert is_due_in(decision, timedelta(minutes=15), datetime(2026, 3, 5, 0, 0, tzinfo=UTC))
    assert retry(decision).pause == ("sender",)


def test_a_quota_that_resets_next_month_is_not_waited_for_but_alerts() -> None:
    decision = decided("sms", FAILED, 4099)
    assert kinds(decision) == ["alert"]
    assert alert(decision).severity == "critical"


@pytest.mark.parametrize("error", [5001, 10002])
def test_a_machine_that_answered_did_not_reach_the_person_of_an_otp(error: int) -> None:
    decision = decided("voice", 5, error, OTP)
    assert decision.outcome is Outcome.FAILED
    assert is_due_in(decision, timedelta(seconds=60))
    assert retry(decision).attempts == 1


@pytest.mark.parametrize("purpose", [Purpose.TRANSACTIONAL, Purpose.MARKETING, Purpose.UNDECLARED])
def test_a_machine_that_answered_took_every_other_message(purpose: Purpose) -> None:
    decision = decided("voice", 5, 10002, History(purpose=purpose, sent_at=SENT))
    assert (decision.outcome, kinds(decision)) == (Outcome.DELIVERED, ["ignore"])

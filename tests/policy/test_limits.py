"""The numbers that bound what a rule may do."""

from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path

import pytest

from codes import CAUSES, Outcome, lookup
from policy import Mode, PolicyError, Suppress, decide, shipped_policy
from policy.decide import NO_RULE
from policy.rules import Limits
from tests.policy.cases import (
    FAILED,
    NOW,
    SENT,
    TRANSACTIONAL,
    decided,
    failures,
    kinds,
    own_policy,
    report,
    retry,
    suppress,
)

NOT_FAILED = {"delivered": Outcome.DELIVERED, "pending": Outcome.PENDING, "unconfirmed": Outcome.UNKNOWN}


def rule(does: str) -> str:
    return f'[[rule]]\nid = "ours"\nmatch = {{ error = [27] }}\nwhy = "we know this network"\n{does}\n'


@pytest.mark.parametrize("limits", [Limits(), shipped_policy().limits], ids=["without-a-file", "shipped"])
def test_the_limits_have_exactly_the_values_of_the_design(limits: Limits) -> None:
    assert asdict(limits) == {
        "attempts": 3,
        "give_up_after": timedelta(hours=72),
        "settle": timedelta(seconds=60),
        "jitter": 0.1,
        "per_recipient_hour": 3,
        "resends_per_day": 1000,
        "resends_share": 0.10,
        "money_per_day": 10.0,
        "pause_share": 0.30,
        "pause_count": 50,
        "pause_window": timedelta(minutes=10),
        "guard_share": 0.05,
        "guard_count": 50,
        "guard_window": timedelta(hours=1),
        "otp_not_after": timedelta(minutes=5),
        "undeclared_within": timedelta(hours=1),
        "callbacks_within": timedelta(seconds=60),
    }


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (rule('retry = { every = "1h", attempts = 8 }'), "rule 'ours', retry.attempts"),
        (rule('retry = { every = "1h", give_up_after = "9d" }'), "rule 'ours', retry.give_up_after"),
        (rule('retry = { every = "1h", give_up_after = "193h" }'), "rule 'ours', retry.give_up_after"),
        (rule('retry = { every = "1h", attempts = 0 }'), "rule 'ours', retry.attempts"),
        ("[limits]\nattempts = 8\n", "limits, attempts"),
        ('[limits]\ngive_up_after = "9d"\n', "limits, give_up_after"),
        ("[limits]\nper_recipient_hour = 7\n", "limits, per_recipient_hour"),
    ],
)
def test_no_file_passes_the_ceiling_of_7_attempts_and_8_days(tmp_path: Path, text: str, where: str) -> None:
    with pytest.raises(PolicyError) as caught:
        own_policy(tmp_path, text)
    assert [fault.where for fault in caught.value.faults] == [where]


def test_the_ceiling_itself_is_allowed(tmp_path: Path) -> None:
    rules = own_policy(tmp_path, rule('retry = { every = "1h", attempts = 7, give_up_after = "8d" }'))
    planned = retry(decided("sms", FAILED, 27, rules=rules))
    assert (planned.attempts, planned.give_up_at) == (7, SENT + timedelta(days=8))


def test_a_rule_that_is_silent_has_the_default_of_3_attempts_and_72_hours(tmp_path: Path) -> None:
    planned = retry(decided("sms", FAILED, 27, rules=own_policy(tmp_path, rule('retry = { every = "1h" }'))))
    assert (planned.attempts, planned.give_up_at) == (3, SENT + timedelta(hours=72))


def test_the_attempts_end() -> None:
    last = decided("sms", FAILED, 27, replace(TRANSACTIONAL, resends=2))
    assert (retry(last).attempt, retry(last).attempts) == (3, 3)
    assert kinds(decided("sms", FAILED, 27, replace(TRANSACTIONAL, resends=3))) == ["ignore"]


def test_the_first_resend_waits_for_a_late_delivered(tmp_path: Path) -> None:
    planned = retry(decided("sms", FAILED, 27, rules=own_policy(tmp_path, rule('retry = { every = "1s" }'))))
    assert planned.due_at == NOW + timedelta(seconds=60)


@pytest.mark.parametrize("cause", CAUSES)
def test_every_cause_of_the_vocabulary_is_matched_by_a_shipped_rule(cause: str) -> None:
    failed = lookup("sms", {"id": FAILED}, None)
    meaning = replace(failed, cause=cause, outcome=NOT_FAILED.get(cause, Outcome.FAILED))
    assert decide(report(), meaning, TRANSACTIONAL, shipped_policy(), NOW).rule != NO_RULE


def test_an_unknown_address_rests_for_180_days_and_twice_as_long_each_time() -> None:
    def lasts(suppressions: int) -> timedelta:
        until = suppress(decided("sms", FAILED, 1, replace(TRANSACTIONAL, suppressions=suppressions))).until
        assert until is not None
        return until - NOW

    assert [lasts(times).days for times in (0, 1, 2, 3)] == [180, 360, 720, 1440]
    assert lasts(4) == lasts(10**6) == timedelta(days=5 * 365)


@pytest.mark.parametrize("span", ["1825d", "999999d"])
def test_a_pause_that_grows_stays_a_date(tmp_path: Path, span: str) -> None:
    rules = own_policy(tmp_path, rule(f'suppress = {{ scope = "all", for = "{span}", grow = 4 }}'))
    found = suppress(decided("sms", FAILED, 27, replace(TRANSACTIONAL, suppressions=10), rules=rules))
    assert found.until == NOW + timedelta(days=5 * 365)


def test_failures_count_once_a_day_and_only_within_the_window() -> None:
    def acts(*ago: timedelta) -> bool:
        history = replace(TRANSACTIONAL, resends=3, failed=failures(*(NOW - span for span in ago)))
        return "suppress" in kinds(decided("sms", FAILED, 27, history))

    assert acts(*(timedelta(days=day) for day in range(1, 8)))
    assert not acts(*(timedelta(days=day) for day in range(1, 7)))
    assert not acts(*(timedelta(minutes=minute) for minute in range(1, 9)))
    assert not acts(*(timedelta(days=60 + day) for day in range(1, 8)))


SUPPRESSES = 'suppress = { scope = "channel", for = "30d" }'


@pytest.mark.parametrize(
    "status", [None, {"groupId": 1}, {"groupId": 3}, {"groupName": "no such group"}, 5, 7, 29, 2], ids=str
)
def test_no_rule_suppresses_on_the_strength_of_an_error_whose_status_is_no_failure(
    tmp_path: Path, status: int | dict[str, object] | None
) -> None:
    acts = f'[modes]\nsuppress = "act"\n\n{rule(SUPPRESSES)}'
    rules = own_policy(tmp_path, acts)
    assert suppress(decided("sms", FAILED, 27, rules=rules)).mode is Mode.ACT
    decision = decided("sms", status, 27, rules=rules)
    assert decision.rule == "ours"
    assert decision.find(Suppress) is None
    assert "the status does not say that it failed" in decision.reason


def test_days_of_failure_lead_to_nothing_where_the_status_is_missing() -> None:
    days = failures(*(NOW - timedelta(days=number) for number in range(1, 9)), cause="recipient_out_of_credit")
    history = replace(TRANSACTIONAL, failed=days, failed_at=NOW)
    assert suppress(decided("sms", FAILED, 581, history)).scope == "channel"
    assert decided("sms", None, 581, history).find(Suppress) is None

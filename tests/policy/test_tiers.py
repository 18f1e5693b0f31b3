"""Tiers: what an entry grows to by how often that person failed this way within a window."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codes import lookup
from policy import Failed, History, PolicyError, Rules, Suppress, decide, shipped_policy
from policy.counting import standing
from policy.suppress_plan import SuppressPlan, Tier
from tests.policy.cases import FAILED, NOW, TRANSACTIONAL, decided, failures, own_policy, report, suppress

BARRED = 13
DAY = timedelta(days=1)
TWICE = SuppressPlan("channel", tiers=(Tier(lasts=7 * DAY), Tier(2, 365 * DAY)))
STEEP = SuppressPlan("channel", tiers=(Tier(lasts=7 * DAY), Tier(2, 365 * DAY, 60 * DAY), Tier(4, 390 * DAY)))


def rule(tiers: str, more: str = "") -> str:
    return (
        '[[rule]]\nid = "ours"\nmatch = { error = [13] }\nwhy = "a bar that comes back is no accident"\n'
        f'suppress = {{ scope = "channel", tiers = {tiers}{more} }}\n'
    )


@pytest.fixture
def twice(tmp_path: Path) -> Rules:
    """Return rules by which the first bar pauses for 7 days, and the second within a year for good."""
    return own_policy(tmp_path, rule('[{ for = "7d" }, { times = 2, within = "365d" }]'))


def barred(rules: Rules, *ago: timedelta, excused: str = "", channel: str = "sms", **known: object) -> Suppress | None:
    """Return what a bar leads to now, after earlier ones that long `ago`."""
    before = failures(*(NOW - span for span in ago), cause="recipient_barred", channel=channel, excused=excused)
    history = replace(TRANSACTIONAL, failed=before, failed_at=NOW, **known)  # type: ignore[arg-type]
    found = decided("sms", FAILED, BARRED, history, rules=rules).find(Suppress)
    return found if isinstance(found, Suppress) else None


def end(found: Suppress | None) -> datetime | None:
    assert found is not None
    return found.until


def test_the_first_time_pauses_and_the_second_within_a_year_is_for_good(twice: Rules) -> None:
    assert end(barred(twice)) == NOW + 7 * DAY
    assert end(barred(twice, 8 * DAY)) is None
    assert end(barred(twice, 364 * DAY)) is None
    assert end(barred(twice, 366 * DAY)) == NOW + 7 * DAY


def test_failures_within_the_pause_belong_to_the_time_before_and_do_not_prolong_it(twice: Rules) -> None:
    assert end(barred(twice, 2 * DAY)) == NOW + 5 * DAY
    assert end(barred(twice, 6 * DAY, 5 * DAY, DAY)) == NOW + DAY
    assert end(barred(twice, 7 * DAY)) is None


def test_several_failures_of_one_day_are_one_time(tmp_path: Path) -> None:
    rules = own_policy(tmp_path, rule('[{ times = 2, within = "30d", for = "9d" }]'))
    assert barred(rules, timedelta(hours=1), timedelta(hours=2)) is None
    assert end(barred(rules, DAY)) == NOW + 9 * DAY


def test_failures_for_another_cause_or_on_another_channel_are_no_times(twice: Rules) -> None:
    others = failures(NOW - 20 * DAY, NOW - 30 * DAY, cause="recipient_full")
    history = replace(TRANSACTIONAL, failed=others, failed_at=NOW)
    assert suppress(decided("sms", FAILED, BARRED, history, rules=twice)).until == NOW + 7 * DAY
    assert end(barred(twice, 20 * DAY, channel="viber")) == NOW + 7 * DAY


def test_a_rule_for_every_channel_counts_what_happened_on_any(tmp_path: Path) -> None:
    text = rule('[{ for = "7d" }, { times = 2, within = "365d" }]').replace('"channel"', '"all"')
    assert end(barred(own_policy(tmp_path, text), 20 * DAY, channel="viber")) is None


def test_the_decision_tells_the_tier_what_it_rests_on_and_what_comes_next(twice: Rules) -> None:
    first = decided("sms", FAILED, BARRED, replace(TRANSACTIONAL, failed_at=NOW), rules=twice)
    assert "tier 1 of 2 by 1 such failure, and the next is for good at the 2nd failure within 365 days" in first.reason
    again = barred(twice, 30 * DAY)
    assert again is not None
    assert again.rests_on is not None
    assert (again.rests_on.tier, again.rests_on.tiers, again.rests_on.needed) == (2, 2, 2)
    assert again.rests_on.at == (NOW - 30 * DAY, NOW)


def test_what_was_excused_is_no_time_and_the_decision_says_so(twice: Rules) -> None:
    why = "incident 7 was open for network 21901"
    found = barred(twice, 30 * DAY, 40 * DAY, excused=why)
    assert end(found) == NOW + 7 * DAY
    history = replace(
        TRANSACTIONAL, failed=failures(NOW - 30 * DAY, cause="recipient_barred", excused=why), failed_at=NOW
    )
    reason = decided("sms", FAILED, BARRED, history, rules=twice).reason
    assert f"failures of 1 earlier day do not count, since {why}" in reason
    now = decided("sms", FAILED, BARRED, replace(TRANSACTIONAL, failed_at=NOW, excused=why), rules=twice)
    assert now.find(Suppress) is None
    assert f"this failure does not count against the recipient, since {why}" in now.reason


def test_a_pause_that_would_be_over_already_is_not_written(twice: Rules) -> None:
    late = replace(TRANSACTIONAL, failed_at=NOW - 8 * DAY)
    decision = decided("sms", FAILED, BARRED, late, rules=twice)
    assert decision.find(Suppress) is None
    assert "would be over by now" in decision.reason


def test_the_shipped_rule_for_bars_grows_by_tiers() -> None:
    shipped = shipped_policy()
    assert end(barred(shipped)) == NOW + 7 * DAY
    assert end(barred(shipped, 30 * DAY)) == NOW + 60 * DAY
    assert end(barred(shipped, 100 * DAY, 70 * DAY)) == NOW + 180 * DAY
    assert end(barred(shipped, 400 * DAY, 370 * DAY)) == NOW + 7 * DAY


@pytest.mark.parametrize(
    ("tiers", "more", "problem"),
    [
        ('[{ for = "7d" }]', "", "one tier at the first failure is no tier"),
        ("[]", "", "Length must be between 1 and 10"),
        ('[{ for = "7d" }, { times = 2 }]', "", "does not say within what time"),
        ('[{ for = "7d", within = "9d" }, { times = 2, within = "30d" }]', "", "needs no within"),
        ('[{ for = "7d" }, { times = 1, for = "9d" }]', "", "no more times than the one before"),
        ('[{ for = "7d" }, { times = 2, within = "30d", for = "6d" }]', "", "shorter than the one before"),
        ('[{ times = 2, within = "30d" }, { times = 3, within = "60d" }]', "", "comes after one for good"),
        ('[{ for = "90d" }, { times = 2, within = "60d" }]', "", "can never be reached"),
        ('[{ times = 40, within = "30d" }]', "", "can never be reached"),
        ('[{ for = "7d" }, { times = 2, within = "401d" }]', "", "ceiling of 400 days"),
        ('[{ for = "7d" }, { times = 2, within = "365d" }]', ', for = "7d"', "exclude each other"),
        ('[{ for = "7d" }, { times = 2, within = "365d" }]', ", grow = 2", "exclude each other"),
        (
            '[{ for = "7d" }, { times = 2, within = "365d" }]',
            ', after = { failures = 2, within = "9d" }',
            "exclude each other",
        ),
        ('[{ for = "7d" }, { time = 2, within = "365d" }]', "", "Did you mean times"),
        ('[{ for = "7d" }, { times = "2", within = "365d" }]', "", "integer"),
        ('{ for = "7d" }', "", "list"),
    ],
)
def test_tiers_that_cannot_be_meant_are_refused_with_the_rule_and_the_fix(
    tmp_path: Path, tiers: str, more: str, problem: str
) -> None:
    with pytest.raises(PolicyError) as refused:
        own_policy(tmp_path, rule(tiers, more))
    [fault] = refused.value.faults
    assert problem in str(fault)
    assert "rule 'ours', suppress.tiers" in str(fault)


def test_a_rule_that_suppresses_by_tiers_at_the_first_failure_does_not_send_again(tmp_path: Path) -> None:
    again = '\nretry = { delays = ["5m"] }\n'
    with pytest.raises(PolicyError, match="sends again to whom it suppresses at once"):
        own_policy(tmp_path, rule('[{ for = "7d" }, { times = 2, within = "365d" }]') + again)
    own_policy(tmp_path, rule('[{ times = 2, within = "365d" }]') + again)


moments = st.lists(st.integers(1, 390 * 24).map(lambda hours: NOW - timedelta(hours=hours)), max_size=30)
plans = st.sampled_from([TWICE, STEEP, SuppressPlan("channel", tiers=(Tier(3, 30 * DAY),))])


def history(failed: list[datetime], excused: str = "") -> tuple[Failed, ...]:
    return failures(*failed, cause="recipient_barred", excused=excused)


@given(plans, moments, st.randoms())
def test_where_somebody_stands_does_not_depend_on_the_order_in_which_it_was_told(
    plan: SuppressPlan, failed: list[datetime], random: object
) -> None:
    mixed = [*failed]
    random.shuffle(mixed)  # type: ignore[attr-defined]
    one, other = (
        standing(History(failed=history(order)), plan, "sms", "recipient_barred", NOW) for order in (failed, mixed)
    )
    assert one == other


@given(plans, moments, moments)
def test_what_is_excused_stands_for_nothing(
    plan: SuppressPlan, failed: list[datetime], excused: list[datetime]
) -> None:
    without = History(failed=history(failed))
    with_it = History(failed=history(failed) + history(excused, "an incident was open"))
    assert standing(with_it, plan, "sms", "recipient_barred", NOW) == standing(
        without, plan, "sms", "recipient_barred", NOW
    )


@given(plans, moments)
def test_times_are_on_different_days_and_never_within_a_pause(plan: SuppressPlan, failed: list[datetime]) -> None:
    found = standing(History(failed=history(failed)), plan, "sms", "recipient_barred", NOW)
    assert found.since <= NOW
    assert found.at[-1] == found.since
    for one, other in pairwise(found.at):
        assert other.date() > one.date()
        assert plan is not STEEP or other - one >= 7 * DAY or found.number == 3
    if found.number:
        tier = plan.tiers[found.number - 1]
        assert sum(moment > found.since - tier.within for moment in found.at) >= tier.times


@given(plans, moments)
def test_deciding_by_tiers_is_total(plan: SuppressPlan, failed: list[datetime]) -> None:
    shipped = shipped_policy()
    [barred_rule] = [one for one in shipped.rules if one.id == "barred"]
    rules = Rules((replace(barred_rule, suppress=plan),), "x", shipped.modes)
    known = replace(TRANSACTIONAL, failed=history(failed), failed_at=NOW)
    decision = decide(report(), lookup("sms", {"id": FAILED}, {"id": BARRED}), known, rules, NOW)
    found = decision.find(Suppress)
    if isinstance(found, Suppress):
        assert found.until is None or found.until > NOW
    assert decision.reason.endswith(".")

"""An outage never becomes a mass suppression (promise 11): failures in numbers are held for a person."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from policy import Mode
from policy.rules import Rules
from store import guard
from store.schema import guard_counts, guard_deltas, guard_holds, incidents, suppression_audit, suppressions
from tests.support.desk import Desk, report
from tests.suppress.people import act, bounce, maintain, opted_out


@pytest.fixture(autouse=True)
def acting(desk: Desk) -> None:
    """Suppressions act by themselves: whatever is held is held by the guard alone."""
    act(desk)


def states(desk: Desk) -> dict[str, int]:
    return dict(Counter(row.state for row in desk.rows(suppressions)))


def test_8000_bounces_of_one_domain_are_held_and_one_incident_tells(desk: Desk) -> None:
    for part in range(16):
        desk.post(*[bounce(500 * part + number, minute=part // 2) for number in range(500)], channel="email")
    desk.drain()
    opened = maintain(desk)
    assert states(desk) == {"held": 8_000}
    [hold] = desk.rows(guard_holds)
    assert (hold.dimension, hold.value, hold.state) == ("domain", "example.com", "open")
    [told] = opened
    assert "dlr suppress held" in told.next_step
    [incident] = desk.rows(incidents)
    assert (incident.severity, incident.state) == ("critical", "open")


@pytest.mark.parametrize("at_once", [1, 2, 4_000])
def test_a_surge_is_the_same_however_many_scopes_are_asked_for_at_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(guard, "_AT_ONCE", at_once)
    for part in range(16):
        desk.handle(*[bounce(50 * part + number, minute=part // 8) for number in range(50)], channel="email")
    assert states(desk) == {"active": 50, "held": 750}
    [hold] = desk.rows(guard_holds)
    assert (hold.dimension, hold.candidates) == ("domain", 100)


def test_no_scope_counts_twice_where_several_portions_of_scopes_name_its_parts(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "_AT_ONCE", 2)
    # The sender has the domain's name, so that what is asked for beside another sender names both of its parts.
    mine = [bounce(number, sender="example.com") for number in range(40)]
    desk.handle(*mine[:25], channel="email")
    desk.handle(bounce(99, sender="a"), *mine[25:], channel="email")
    assert states(desk) == {"active": 41}
    assert desk.rows(guard_holds) == []


def test_opt_outs_in_the_midst_of_a_surge_are_never_held(desk: Desk) -> None:
    desk.handle(*[bounce(number) for number in range(400)], channel="email")
    desk.handle(
        *[bounce(number) for number in range(400, 800)],
        *[bounce(1_000 + number, error=6003) for number in range(20)],
        channel="email",
    )
    maintain(desk)
    assert {(row.cause, row.state) for row in desk.rows(suppressions)} == {
        ("recipient_unknown", "held"),
        ("recipient_opted_out", "active"),
    }


def test_the_usual_bounces_of_a_large_campaign_are_not_held(desk: Desk) -> None:
    for part in range(4):
        good = [bounce(1_000 * part + number, error=0) for number in range(480)]
        desk.handle(*good, *[bounce(10_000 + 100 * part + number) for number in range(20)], channel="email")
        maintain(desk)
    # 80 of 2,000 are more than the number and less than the share.
    assert states(desk) == {"active": 80}
    assert desk.rows(guard_holds) == []


def test_a_few_failures_are_not_held_though_they_are_all_there_is(desk: Desk) -> None:
    desk.handle(*[bounce(number) for number in range(50)], channel="email")
    maintain(desk)
    assert states(desk) == {"active": 50}


def test_what_came_in_small_portions_is_held_afterwards_and_says_so(desk: Desk) -> None:
    for part in range(6):
        desk.handle(*[bounce(10 * part + number) for number in range(10)], channel="email")
    assert states(desk) == {"active": 50, "held": 10}
    maintain(desk)
    assert states(desk) == {"held": 60}
    [hold] = desk.rows(guard_holds)
    assert {row.held_by for row in desk.rows(suppressions)} == {hold.id}
    assert {row.who for row in desk.rows(suppression_audit) if row.change == "held"} == {"guard", "policy"}


def test_what_was_suppressed_hours_before_the_surge_stays_as_it_was(desk: Desk) -> None:
    desk.handle(bounce(1, minute=0), channel="email")
    desk.handle(*[bounce(100 + number, minute=180) for number in range(200)], channel="email")
    maintain(desk)
    assert states(desk) == {"active": 1, "held": 200}


def test_another_domain_and_another_account_are_not_drawn_into_it(desk: Desk) -> None:
    desk.handle(*[bounce(number) for number in range(200)], channel="email")
    desk.handle(bounce(1, domain="example.org", sender="other@shop.example"), channel="email")
    desk.handle(bounce(1), channel="email", account="other")
    maintain(desk)
    assert states(desk) == {"held": 200, "active": 2}


def test_a_surge_that_is_spread_over_many_domains_is_held_for_its_sender(desk: Desk) -> None:
    desk.handle(*[bounce(number, domain=f"d{number}.example.com") for number in range(60)], channel="email")
    maintain(desk)
    [hold] = desk.rows(guard_holds)
    assert (hold.dimension, hold.value) == ("sender", "news@shop.example")
    assert states(desk) == {"held": 60}


def test_a_network_that_fails_as_a_whole_is_held(desk: Desk) -> None:
    desk.handle(*[report(f"m-{number}", 9, 1, to=str(447_700_900_000 + number)) for number in range(60)])
    maintain(desk)
    [hold] = desk.rows(guard_holds)
    assert (hold.dimension, hold.value) == ("network", "23410")


def test_proposals_are_held_as_well(desk: Desk) -> None:
    act(desk, Mode.PROPOSE)
    desk.handle(*[bounce(number) for number in range(60)], channel="email")
    assert states(desk) == {"held": 60}


def test_a_delivery_lifts_what_is_held_and_more_failures_change_nothing(desk: Desk) -> None:
    desk.handle(*[bounce(number) for number in range(60)], channel="email")
    desk.handle(bounce(1, message="again", minute=200), channel="email")
    assert states(desk) == {"held": 60}
    desk.handle(bounce(1, error=0, message="good", minute=300), channel="email")
    assert states(desk) == {"held": 59, "lifted": 1}


def test_one_person_who_fails_over_and_over_is_no_surge(desk: Desk) -> None:
    for part in range(70):
        desk.post(bounce(1, message=f"m-{part}"), channel="email")
        desk.drain()
    maintain(desk)
    assert states(desk) == {"active": 1}


def test_strangers_reports_water_no_share_down(desk: Desk) -> None:
    desk.handle(*[bounce(number, error=0) for number in range(2_000)], channel="email", trusted=False)
    desk.handle(*[bounce(5_000 + number) for number in range(60)], channel="email")
    maintain(desk)
    assert states(desk) == {"held": 60}


def test_a_surge_of_opt_outs_opens_an_incident_and_is_never_held(desk: Desk) -> None:
    desk.handle(*[opted_out(number) for number in range(60)])
    opened = maintain(desk)
    assert states(desk) == {"active": 60}
    assert desk.rows(guard_holds) == []
    assert [told.title for told in opened if "opt-outs" in told.title]


def test_counts_are_folded_into_one_row_for_each_scope_and_five_minutes(desk: Desk) -> None:
    for part in range(4):
        desk.handle(*[bounce(10 * part + number, error=0) for number in range(10)], channel="email")
    maintain(desk)
    assert desk.rows(guard_deltas) == []
    found = {(row.dimension, row.value): row.finals for row in desk.rows(guard_counts)}
    assert found == {("domain", "example.com"): 40, ("sender", "news@shop.example"): 40}


def test_the_limits_are_the_policys(desk: Desk) -> None:
    rules = desk.rules
    limits = replace(rules.limits, guard_count=5)
    desk.rules = Rules(rules.rules, rules.version, rules.modes, limits, rules.purposes)
    desk.handle(*[bounce(number) for number in range(6)], channel="email")
    assert states(desk) == {"held": 6}


def test_slices_that_run_side_by_side_make_one_group(desk: Desk) -> None:
    for part in range(4):
        desk.post(*[bounce(100 * part + number) for number in range(100)], channel="email")
    workers: list[Any] = [desk.drain_of_one_worker for _ in range(2)]
    from threading import Thread

    threads = [Thread(target=worker.run, args=(30,)) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    maintain(desk)
    assert states(desk) == {"held": 400}
    assert len(desk.rows(guard_holds)) == 1

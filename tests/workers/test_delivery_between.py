"""A delivery that we are told of late, between failures that a suppression was counted from: by event time they count
no longer, on either database and however soon it is told."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from policy import Mode
from store.schema import suppression_audit, suppressions
from store.suppressions import DECIDED
from tests.replay.test_counted import ago
from tests.support.desk import Desk, report
from tests.suppress.people import act
from tests.workers.test_same_moment import look_again

ABSENT = 27
DAY = 24 * 60


@pytest.fixture(autouse=True)
def everything_acts(desk: Desk) -> None:
    act(desk, Mode.ACT)


def fails(desk: Desk, *minutes: float, error: int = ABSENT) -> None:
    for minute in minutes:
        desk.handle(report(f"m-{minute}", 9, error, minute=int(minute)))


def arrives(desk: Desk, minute: float, channel: str = "sms") -> None:
    desk.handle(report(f"arrived-{minute}", 5, minute=int(minute)), channel=channel)


def states(desk: Desk) -> list[str]:
    look_again(desk, datetime.now(UTC))
    return [row.state for row in desk.rows(suppressions)]


def on_days(first: int, last: int) -> list[int]:
    return [day * DAY for day in range(first, last + 1)]


def test_eight_days_of_failure_do_not_count_with_a_delivery_between_them(desk: Desk) -> None:
    fails(desk, *on_days(0, 7))
    assert states(desk) == ["active"]

    arrives(desk, 3.5 * DAY)
    [entry] = desk.rows(suppressions)
    assert (entry.state, entry.held_by) == ("dropped", 0)
    last = max(desk.rows(suppression_audit), key=lambda row: row.id)
    assert (last.change, last.who) == ("dropped", "policy")
    assert "4 of the 8 failures that it takes are left" in last.detail


def test_what_is_told_of_in_one_callback_is_counted_alike(desk: Desk) -> None:
    fails(desk, *on_days(0, 6))
    desk.handle(report("m-8", 9, ABSENT, minute=7 * DAY), report("m-9", 5, minute=2 * DAY + 60))
    assert "active" not in states(desk)


def test_days_after_such_a_delivery_count_on(desk: Desk) -> None:
    fails(desk, *on_days(0, 7))
    arrives(desk, 3.5 * DAY)
    fails(desk, *on_days(8, 10))
    assert states(desk) == ["dropped"]

    fails(desk, 11 * DAY)
    assert states(desk) == ["active"]


def test_a_day_that_failed_again_after_the_delivery_still_counts(desk: Desk) -> None:
    fails(desk, 0, 120, *on_days(1, 7))
    arrives(desk, 60)
    assert states(desk) == ["active"]


def test_what_enough_later_failures_confirmed_stands(desk: Desk) -> None:
    fails(desk, *on_days(0, 8))
    arrives(desk, 0.5 * DAY)
    assert states(desk) == ["active"]

    arrives(desk, 1.5 * DAY)
    assert states(desk) == ["dropped"]


def test_a_delivery_before_all_of_them_changes_nothing(desk: Desk) -> None:
    fails(desk, *on_days(1, 8))
    arrives(desk, 0)
    assert states(desk) == ["active"]


def test_a_delivery_on_another_channel_changes_nothing(desk: Desk) -> None:
    fails(desk, *on_days(0, 7))
    arrives(desk, 3.5 * DAY, channel="viber")
    assert states(desk) == ["active"]


def test_what_a_person_decided_on_is_left_as_it_is(desk: Desk) -> None:
    fails(desk, *on_days(0, 7))
    with desk.database.transaction() as connection:
        connection.execute(update(suppressions).values(held_by=DECIDED))
    arrives(desk, 3.5 * DAY)
    assert states(desk) == ["active"]


def test_what_the_last_failure_led_to_by_itself_stands(desk: Desk) -> None:
    desk.handle(report("m-0", 9, 1, minute=0))
    desk.handle(report("m-1", 9, 1, minute=2))
    arrives(desk, 1)
    assert states(desk) == ["active"]


def test_a_later_delivery_lifts_and_is_no_recount(desk: Desk) -> None:
    fails(desk, *on_days(0, 7))
    arrives(desk, 8 * DAY)
    assert states(desk) == ["lifted"]


def test_a_tier_that_no_longer_is_reached_is_taken_back(desk: Desk) -> None:
    desk.handle(ago(20, 1), ago(8, 2))
    assert [row.until is not None for row in desk.rows(suppressions)] == [True]
    assert states(desk) == ["active"]

    desk.handle(ago(14, 3, status=5, error=0))
    assert states(desk) == ["dropped"]


def test_a_failure_within_a_pause_makes_no_tier(desk: Desk) -> None:
    desk.handle(ago(20, 1), ago(8, 2), ago(7, 3))
    desk.handle(ago(14, 4, status=5, error=0))
    assert states(desk) == ["dropped"]

"""The guard's own task misses no surge, in whatever portions it folds, and reads nothing long while others wait."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest

from store import guard_fold
from store.schema import incidents, suppressions
from tests.support.desk import Desk
from tests.suppress.people import act, allow, bounces, maintain, opted_out


@pytest.fixture(autouse=True)
def acting(desk: Desk) -> None:
    """Suppressions act by themselves: whatever is held is held by the guard alone."""
    act(desk)


def states(desk: Desk) -> dict[str, int]:
    return dict(Counter(row.state for row in desk.rows(suppressions)))


def test_a_surge_that_is_folded_with_something_later_is_held(desk: Desk) -> None:
    allow(desk, 1_000)
    bounces(desk, range(60))
    bounces(desk, range(100, 101), minute=300)
    allow(desk, 50)
    maintain(desk)
    assert states(desk) == {"held": 60, "active": 1}


def test_what_failed_after_an_old_surge_is_no_part_of_it(desk: Desk) -> None:
    allow(desk, 1_000)
    bounces(desk, range(100, 110), minute=300)
    maintain(desk)
    bounces(desk, range(60))
    allow(desk, 50)
    maintain(desk)
    assert states(desk) == {"held": 60, "active": 10}


@pytest.mark.parametrize("folded", [True, False])
def test_what_is_told_late_makes_a_surge_with_what_came_after_it(desk: Desk, *, folded: bool) -> None:
    bounces(desk, range(40), minute=30)
    if folded:
        maintain(desk)
    bounces(desk, range(100, 140))
    maintain(desk)
    assert states(desk) == {"held": 80}


def test_a_break_after_the_counts_were_folded_loses_no_surge(desk: Desk) -> None:
    allow(desk, 1_000)
    bounces(desk, range(60))
    allow(desk, 50)
    desk.handle(*[opted_out(number) for number in range(60)])
    desk.database.repeat(lambda connection: guard_fold.fold(connection, desk.rules.limits, datetime.now(UTC)))
    maintain(desk)
    assert [row.state for row in desk.rows(suppressions) if row.cause == "recipient_unknown"] == ["held"] * 60
    maintain(desk)
    told: list[Any] = [row for row in desk.rows(incidents) if row.rule == guard_fold.SURGE_RULE]
    assert [row.count for row in told] == [60]


def test_a_surge_of_opt_outs_that_is_folded_with_something_later_is_told(desk: Desk) -> None:
    desk.handle(*[opted_out(number) for number in range(60)])
    late = opted_out(99)
    desk.handle(late | {"doneAt": late["doneAt"].replace("T10:", "T15:")})
    opened = maintain(desk)
    assert [told.title for told in opened if "opt-outs" in told.title]

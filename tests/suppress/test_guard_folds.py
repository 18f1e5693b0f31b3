"""The guard's own task misses no surge, in whatever portions it folds, and reads nothing long while others wait."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Connection, event

from policy.rules import Rules
from store import guard_fold
from store.schema import guard_holds, incidents, suppressions
from tests.support.desk import Desk
from tests.suppress.people import act, bounce, maintain, opted_out


@pytest.fixture(autouse=True)
def acting(desk: Desk) -> None:
    """Suppressions act by themselves: whatever is held is held by the guard alone."""
    act(desk)


def allow(desk: Desk, count: int) -> None:
    """Let so many be suppressed within the window: what slices beside each other do not see of each other."""
    rules = desk.rules
    desk.rules = Rules(
        rules.rules, rules.version, rules.modes, replace(rules.limits, guard_count=count), rules.purposes
    )


def bounces(desk: Desk, numbers: range, minute: int = 0, **more: Any) -> None:
    desk.handle(*[bounce(number, minute=minute, **more) for number in numbers], channel="email")


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


def test_write_transactions_do_not_grow_with_what_others_have(desk: Desk) -> None:
    """A worker that wants to write waits for each of them."""
    allow(desk, 10_000)

    def written(extra: range, domain: str) -> int:
        bounces(desk, extra, domain="elsewhere.example", sender="a@shop.example")
        allow(desk, 50)
        bounces(desk, range(40), domain=domain, sender=f"{domain}@shop.example")
        bounces(desk, range(40, 60), domain=domain, sender=f"{domain}@shop.example")
        allow(desk, 10_000)
        asked: list[str] = []

        def note(connection: Connection, cursor: object, sql: str, *more: object) -> None:
            if not connection.get_execution_options().get("dlr_read_only", False):
                asked.append(sql)

        event.listen(desk.database.engine, "before_cursor_execute", note)
        try:
            maintain(desk)
        finally:
            event.remove(desk.database.engine, "before_cursor_execute", note)
        return len(asked)

    few, many = written(range(10), "one.example"), written(range(1_000, 4_000), "two.example")
    assert many < few + 10
    assert [row.swept for row in desk.rows(guard_holds)] == [1, 1]
    assert states(desk) == {"active": 3_010, "held": 120}

"""No echo: what our own list or Infobip's refuses confirms an entry, and never creates, extends or restores one."""

import pytest

from store import trail
from store.schema import suppression_audit, suppressions
from tests.support.desk import Desk, report
from tests.suppress.people import act, maintain


@pytest.fixture(autouse=True)
def acting(desk: Desk) -> None:
    act(desk)


REFUSALS = [(14, 0, "sms"), (9, 2052, "sms"), (9, 6034, "email"), (9, 6035, "email")]


@pytest.mark.parametrize(("status", "error", "channel"), REFUSALS)
def test_a_refusal_by_a_list_makes_no_entry(desk: Desk, status: int, error: int, channel: str) -> None:
    desk.handle(report("m-1", status, error), channel=channel)
    assert desk.rows(suppressions) == []


def test_it_confirms_what_stands_and_neither_prolongs_nor_audits_it(desk: Desk) -> None:
    desk.handle(report("m-1", 9, 1, minute=1))
    [before] = desk.rows(suppressions)
    desk.handle(report("m-2", 14, minute=30))
    [after] = desk.rows(suppressions)
    assert after.confirmed_at is not None
    assert after.confirmed_at > before.event_at
    assert (after.until, after.event_at, after.times) == (before.until, before.event_at, before.times)
    assert len(desk.rows(suppression_audit)) == 1


def test_after_a_lift_it_restores_nothing_and_says_lifted_here_still_blocked_there(desk: Desk) -> None:
    desk.handle(report("m-1", 9, 1, minute=1))
    desk.handle(report("m-2", 5, minute=5))
    desk.handle(report("m-3", 14, minute=9))
    [entry] = desk.rows(suppressions)
    assert entry.state == "lifted"
    [told] = [told for told in maintain(desk) if "blocked there" in told.title]
    assert told.severity == "warning"


def test_a_refusal_from_before_the_lift_is_no_news(desk: Desk) -> None:
    desk.handle(report("m-1", 9, 1, minute=1))
    desk.handle(report("m-2", 5, minute=9))
    desk.handle(report("m-3", 14, minute=5))
    assert maintain(desk) == []


def test_a_stop_that_arrives_with_the_status_of_a_blocklist_is_still_an_opt_out(desk: Desk) -> None:
    desk.handle(report("m-1", 14, 603))
    assert [row.cause for row in desk.rows(suppressions)] == ["recipient_opted_out"]


def test_the_trail_stays_whole_through_suppressing_prolonging_and_lifting(desk: Desk) -> None:
    desk.handle(report("m-1", 9, 1, minute=1))
    desk.handle(report("m-2", 5, minute=5))
    desk.handle(report("m-3", 9, 1, minute=9))
    [entry] = desk.rows(suppressions)
    with desk.database.reading() as connection:
        verdict = trail.verify(connection, entry.id)
    assert (verdict.rows, verdict.problem) == (3, "")

"""A message's state moves forward only (promise 5)."""

import pytest

from store.schema import failure_days, messages, retries, suppressions
from tests.support.desk import Desk, report


def state(desk: Desk) -> str:
    [row] = desk.rows(messages)
    return str(row.state)


def test_delivered_stays_delivered_when_a_failure_comes_late(desk: Desk) -> None:
    desk.handle(report(status=5, minute=1))
    desk.handle(report(status=9, error=27, minute=9))
    assert state(desk) == "delivered"


def test_a_late_delivered_beats_an_earlier_failure_and_cancels_its_planned_retry(desk: Desk) -> None:
    desk.handle(report(status=9, error=27, minute=1))
    assert [row.state for row in desk.rows(retries)] == ["observed"]
    desk.handle(report(status=5, minute=9))
    assert state(desk) == "delivered"
    assert [row.state for row in desk.rows(retries)] == ["cancelled"]


def test_a_failure_after_a_delivery_plans_no_retry(desk: Desk) -> None:
    desk.handle(report(status=5, minute=1), report(status=9, error=27, minute=2))
    assert desk.rows(retries) == []


def test_pending_after_a_final_state_changes_nothing(desk: Desk) -> None:
    desk.handle(report(status=9, error=1, minute=3))
    desk.handle(report(status=7, minute=5))
    assert state(desk) == "failed"


def test_handed_over_is_not_delivered(desk: Desk) -> None:
    desk.handle(report(status=2))
    assert state(desk) == "handed_over"


def test_unconfirmed_is_unknown_and_never_resent(desk: Desk) -> None:
    desk.handle(report(status=29))
    assert state(desk) == "unknown"
    assert desk.rows(retries) == []


def test_a_duplicate_id_refused_says_nothing_about_the_message_that_has_it(desk: Desk) -> None:
    desk.handle(report(status=5, minute=1))
    desk.handle(report(status=23, minute=2))
    assert state(desk) == "delivered"


def test_a_late_bounce_is_the_one_thing_that_beats_delivered(desk: Desk) -> None:
    person = "jo@example.com"
    desk.handle(report(status=5, to=person), channel="email")
    bounce = b'{"notificationType":"LATE_BOUNCE","messageId":"m-1","recipient":"jo@example.com","eventId":"e-1",'
    desk.post_body(bounce + b'"domain":"example.com","sendDateTime":1795000000000}', "email")
    desk.drain()
    assert state(desk) == "bounced_late"


def test_legs_of_one_message_are_kept_apart(desk: Desk) -> None:
    desk.handle(report(status=9, error=7002, channel="RCS", minute=1), channel="rcs")
    assert state(desk) == "pending"
    desk.handle(report(status=5, channel="SMS", minute=2), channel="rcs")
    assert state(desk) == "delivered"
    assert desk.rows(retries) == []


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (2, 0, 1)])
def test_the_order_of_arrival_does_not_matter(desk: Desk, order: tuple[int, ...]) -> None:
    all_three = [report(status=7, minute=0), report(status=9, error=27, minute=1), report(status=5, minute=2)]
    for index in order:
        desk.handle(all_three[index])
    assert state(desk) == "delivered"


def test_a_seen_report_finds_its_message_whichever_side_it_calls_sender(desk: Desk) -> None:
    desk.handle(report(status=5), channel="whatsapp")
    seen = {"messageId": "m-1", "from": "447700900123", "to": "447860000000", "seenAt": report(minute=4)["doneAt"]}
    desk.handle(seen, channel="whatsapp")
    assert state(desk) == "seen"


def test_a_failed_leg_is_a_day_of_failure_on_its_own_channel_whatever_the_other_legs_do(desk: Desk) -> None:
    desk.handle(report(status=9, error=27, channel="RCS", minute=1), channel="rcs")
    assert state(desk) == "pending"
    desk.handle(report(status=5, channel="SMS", minute=2), channel="rcs")
    desk.handle(report("m-2", status=5, channel="SMS", minute=1), channel="rcs")
    desk.handle(report("m-2", status=9, error=27, channel="RCS", minute=2), channel="rcs")
    assert [(row.channel, row.day.hour) for row in desk.rows(failure_days)] == [("rcs", 0)]
    assert desk.rows(suppressions) == []
    desk.handle(report("m-3", status=5, channel="RCS", minute=9), channel="rcs")
    assert [row.reached_at > row.last_at for row in desk.rows(failure_days)] == [True]


def test_days_on_which_a_leg_failed_lead_to_a_suppression_on_its_channel_only(desk: Desk) -> None:
    day = 24 * 60
    for number in range(5):
        desk.handle(report(f"m-{number}", 9, 6007, minute=number * day, channel="EMAIL"), channel="email")
    assert [(row.channel, row.cause, row.state) for row in desk.rows(suppressions)] == [
        ("email", "recipient_unreachable", "proposed")
    ]
    assert {row.channel for row in desk.rows(failure_days)} == {"email"}

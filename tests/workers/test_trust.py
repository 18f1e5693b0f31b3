"""What nobody authenticated is recorded, and moves nothing that trusted reports told of."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from store import retention
from store.schema import messages, reports, retries, suppressions
from tests.support.desk import PERSON, Desk, report


def states(desk: Desk) -> list[str]:
    return [row.state for row in desk.rows(messages) if row.message_id]


@pytest.mark.parametrize("status", [5, 9, 7])
def test_a_strangers_report_moves_no_message_that_trusted_reports_told_of(desk: Desk, status: int) -> None:
    desk.handle(report(status=9, error=27, minute=1))
    desk.handle(report(status=status, minute=3, sender="Else"), trusted=False)
    assert states(desk) == ["failed"]
    assert [row.sender for row in desk.rows(messages)] == ["Shop"]
    assert [row.state for row in desk.rows(retries)] == ["observed"]
    assert len(desk.rows(reports)) == 2


@pytest.mark.parametrize("together", [True, False])
def test_a_strangers_delivery_that_came_first_stands_in_no_ones_way(desk: Desk, together: bool) -> None:
    desk.post(report(status=5, minute=1, sender="Else"), channel="rcs", trusted=False)
    if not together:
        desk.drain()
    desk.post(report(status=9, error=27, minute=2))
    desk.drain()
    assert states(desk) == ["failed"]
    assert [(row.sender, row.channel) for row in desk.rows(messages)] == [("Shop", "sms")]
    assert [row.state for row in desk.rows(retries)] == ["observed"]


def test_a_strangers_seen_report_moves_nothing_and_lifts_nothing(desk: Desk) -> None:
    desk.handle(report(status=9, error=1, minute=1))
    seen = {"messageId": "m-1", "from": "Shop", "to": PERSON, "seenAt": report(minute=4)["doneAt"]}
    desk.handle(seen, trusted=False)
    desk.handle(report("m-2", 5, minute=9), trusted=False)
    assert sorted(states(desk)) == ["delivered", "failed"]
    assert [row.state for row in desk.rows(suppressions)] == ["proposed"]


def test_where_everybody_is_a_stranger_states_still_move(desk: Desk) -> None:
    desk.handle(report(status=7, minute=0), trusted=False)
    assert states(desk) == ["pending"]
    desk.handle(report(status=5, minute=1), trusted=False)
    assert states(desk) == ["delivered"]
    desk.handle(report(status=9, error=27, minute=2), trusted=False)
    assert states(desk) == ["delivered"]


def test_a_strangers_failure_is_a_failure_and_not_one_leg_of_several(desk: Desk) -> None:
    desk.handle(report(status=9, error=27), trusted=False)
    assert states(desk) == ["failed"]


def test_a_strangers_failed_leg_settles_no_message_that_trusted_reports_told_of(desk: Desk) -> None:
    desk.handle(report(status=9, error=27, channel="RCS"), channel="rcs", trusted=False)
    desk.handle(report("m-2", status=9, error=27, channel="RCS"), channel="rcs", trusted=False)
    desk.handle(report(status=7, channel="RCS", minute=1), channel="rcs")
    assert states(desk) == ["pending", "pending"]
    later = datetime.now(UTC) + timedelta(days=3)
    assert desk.database.repeat(lambda connection: retention.settle_legs(connection, later)) == 1
    assert {row.message_id: row.state for row in desk.rows(messages)} == {"m-1": "pending", "m-2": "failed"}


def test_a_strangers_channel_is_lent_to_no_trusted_report(desk: Desk) -> None:
    desk.handle(report(status=7), channel="viber", trusted=False)
    desk.handle(report(status=5), channel="auto")
    assert [row.channel for row in desk.rows(reports)] == ["viber", "unknown"]


def test_a_report_says_whether_anybody_vouches_for_it(desk: Desk) -> None:
    desk.handle(report(), trusted=False)
    desk.handle(report("m-2"))
    assert [json.loads(row.facts).get("untrusted") for row in sorted(desk.rows(reports), key=lambda row: row.id)] == [
        True,
        None,
    ]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_strangers_opt_in_undoes_no_opt_out(desk: Desk, order: tuple[int, int]) -> None:
    said = [("stop", 1, True), ("start", 2, False)]
    for index in order:
        text, minute, trusted = said[index]
        item = {"messageId": f"in-{text}", "from": PERSON, "to": "Shop", "text": text}
        desk.handle(item | {"receivedAt": report(minute=minute)["doneAt"]}, trusted=trusted)
    assert [row.state for row in desk.rows(suppressions)] == ["active"]

"""What rests on counted failures is decided alike in a replay: tiers, scores, and what an incident excused."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from store import incidents
from store.incidents import Sighting
from store.schema import decisions, suppressions
from tests.support.desk import Desk, report
from tests.support.dlr import Dlr

DAY = timedelta(days=1)


def ago(days: float, number: int, error: int = 13, status: int = 9) -> dict[str, Any]:
    """Return a report on what failed so many days ago."""
    at = datetime.now(UTC) - days * DAY
    return report(f"m-{number}-{days}", status, error, doneAt=at.strftime("%Y-%m-%dT%H:%M:%S.000+0000"))


@pytest.mark.parametrize("together", [True, False])
def test_tiers_climb_alike_in_one_callback_and_in_many_and_begin_anew_after_a_delivery(
    desk: Desk, together: bool
) -> None:
    items = [ago(100, 1), ago(90, 2), ago(40, 3), ago(0.1, 4), ago(0.05, 5, 0, 5), ago(0.01, 6)]
    for callback in [items] if together else [[item] for item in items]:
        desk.handle(*callback)
    reasons = [row.reason for row in desk.rows(decisions) if row.rule == "barred"]
    tiers = [reason.split("tier ")[1][0] for reason in reasons]
    assert tiers == ["1", "2", "2", "3", "1"]
    [entry] = desk.rows(suppressions)
    assert abs((entry.until - datetime.now(UTC)) - 7 * DAY) < DAY


def test_a_replay_climbs_tiers_as_before_though_a_delivery_has_wiped_them_out_since(desk: Desk, dlr: Dlr) -> None:
    for item in (ago(100, 1), ago(90, 2), ago(40, 3), ago(0.1, 4), ago(0.05, 5, 0, 5), ago(0.01, 6)):
        desk.handle(item)
    told = dlr.run("replay", "--all", "--yes")
    assert "6 reports: 0 would be decided differently, 6 as before" in told.stderr


@pytest.mark.parametrize("seed", range(1, 6))
def test_a_replay_counts_as_before_however_failures_and_deliveries_fell_into_slices(
    desk: Desk, dlr: Dlr, seed: int
) -> None:
    """As they happened, in callbacks of any size: several deliveries, and failures between, in one transaction."""
    chance = random.Random(seed)
    days = sorted(
        (chance.choice([chance.uniform(0.01, 120), chance.uniform(0.01, 12)]) for _ in range(60)), reverse=True
    )
    told = [(one, chance.choice([27, 27, 27, 13, 13, 0, 6])) for one in days]
    items = [ago(one, number, error, 9 if error else 5) for number, (one, error) in enumerate(told)]
    while items:
        size = chance.choice([1, 1, 2, 5, 20])
        desk.handle(*items[:size])
        items = items[size:]
    assert "60 reports: 0 would be decided differently" in dlr.run("replay", "--all", "--yes").stderr


def test_what_an_incident_excused_is_excused_again(desk: Desk, dlr: Dlr) -> None:
    facts = {"channel": "sms", "network": "23410"}
    at = datetime.now(UTC) - 2 * DAY
    seen = Sighting("main", "rate-unusual|x", "rate-unusual", "warning", "title", "step", at, facts=facts)
    desk.database.repeat(lambda connection: incidents.note(connection, [seen]))
    desk.fold()
    for number, days in enumerate((9, 8, 7, 6, 5, 4, 3, 1.99, 1.98)):
        desk.handle(ago(days, number, 27))
    assert desk.rows(suppressions) == []
    told = dlr.run("replay", "--all", "--yes")
    assert "9 reports: 0 would be decided differently, 9 as before" in told.stderr


def test_failures_count_alike_before_during_and_after_a_surge_in_an_incident_that_stays_open(
    desk: Desk, dlr: Dlr
) -> None:
    """A surge, a trickle that keeps its incident open for a week, and another surge."""
    now = datetime.now(UTC)

    def is_seen(days: float, count: int) -> None:
        at, facts = now - days * DAY, {"network": "23410"}
        seen = Sighting("main", "k", "r", "warning", "t", "s", at, threshold=50, count=count, facts=facts)
        desk.database.repeat(lambda connection: incidents.note(connection, [seen]))
        desk.fold()

    for number, days in enumerate((11.0, 10.0, 9.0)):
        desk.handle(ago(days, number, 27))
    is_seen(8, 60)
    for number in range(1, 35):
        is_seen(8 - number / 5, 1)
    is_seen(1, 60)
    for number, days in enumerate((7.99, 7, 6, 5, 4, 3, 2, 0.99, 0.5), 10):
        desk.handle(ago(days, number, 27))
    assert len([row for row in desk.rows(decisions) if "does not count" in row.reason]) == 2
    assert [row.state for row in desk.rows(suppressions)] == ["proposed"]
    assert "0 would be decided differently, 12 as before" in dlr.run("replay", "--all", "--yes").stderr


def test_a_report_that_has_its_channel_from_its_message_is_disproved_by_what_arrived_there(
    desk: Desk, dlr: Dlr
) -> None:
    desk.handle(report("m-1", 7), channel="whatsapp")
    desk.handle(report("m-2", 5, minute=3), channel="whatsapp")
    # Such a code says something on a channel for chats alone.
    desk.handle(report("m-1", 9, 7002, 2), channel="unknown")
    assert desk.rows(suppressions) == []
    assert "3 reports: 0 would be decided differently" in dlr.run("replay", "--all", "--yes").stderr
    assert desk.rows(suppressions) == []

"""An incident that stays open over a trickle excuses nobody: only failures in numbers that would open it do."""

from datetime import timedelta

import pytest

from policy import Mode
from store import incidents, outages, spells
from store.incidents import Sighting
from store.schema import incidents as incident_table
from store.schema import suppressions
from store.spells import Spell
from tests.support.desk import Desk
from tests.suppress.outage import BEGIN, DAY, absent, begins, ends, excuse, fails_on, goes_on
from tests.suppress.people import act

FACTS = {"network": "23410"}


@pytest.fixture(autouse=True)
def everything_acts(desk: Desk) -> None:
    act(desk, Mode.ACT)


def excused(desk: Desk, minute: int) -> bool:
    """Whether a failure on the network at that minute counts against nobody."""
    with desk.database.reading() as connection:
        known = outages.read(connection, {("main", "network=23410")})
    return bool(known.excuse("main", "network=23410", "sms", BEGIN + timedelta(minutes=minute)))


def states(desk: Desk) -> list[str]:
    return sorted(row.state for row in desk.rows(suppressions))


def test_a_trickle_that_keeps_the_incident_open_excuses_nobody(desk: Desk) -> None:
    begins(desk, 0, FACTS, threshold=50, count=60)
    goes_on(desk, range(300, 9 * DAY, 300), FACTS, threshold=50)  # one each five hours: never six hours of silence
    [incident] = desk.rows(incident_table)
    assert incident.state == "open"
    fails_on(desk, range(1, 9))
    assert states(desk) == ["active"]


def test_it_excuses_as_long_as_the_rate_would_open_it_and_for_that_rates_time_after(desk: Desk) -> None:
    goes_on(desk, range(100, 200), FACTS, threshold=50)  # a failure a minute, and 50 within an hour open it
    assert [excused(desk, minute) for minute in (99, 100, 199, 259, 260)] == [False, True, True, True, False]


def test_an_outage_that_comes_back_while_the_incident_is_open_excuses_again_and_not_between(desk: Desk) -> None:
    begins(desk, 0, FACTS, threshold=50, count=60)
    goes_on(desk, range(300, 2 * DAY, 300), FACTS, threshold=50)
    begins(desk, 2 * DAY, FACTS, threshold=50, count=60)
    assert len(desk.rows(incident_table)) == 1
    assert [excused(desk, minute) for minute in (0, 30, DAY, 2 * DAY + 30, 2 * DAY + 90)] == [
        True,
        True,
        False,
        True,
        False,
    ]


def test_what_was_counted_before_it_came_back_is_taken_back(desk: Desk) -> None:
    begins(desk, 0, FACTS, threshold=50, count=60)
    goes_on(desk, range(300, 8 * DAY, 300), FACTS, threshold=50)
    fails_on(desk, range(1, 8))
    begins(desk, 8 * DAY - 5, FACTS, threshold=50, count=20)
    desk.handle(absent(1, 8 * DAY))  # below the threshold still: it counts
    excuse(desk)
    assert states(desk) == ["active"]
    begins(desk, 8 * DAY + 5, FACTS, threshold=50, count=40)
    excuse(desk)
    assert states(desk) == ["dropped"]


@pytest.mark.parametrize("order", [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]])
def test_the_order_in_which_sightings_are_folded_changes_nothing(desk: Desk, order: list[int]) -> None:
    parts = [range(0, 30), range(30, 60), range(60, 90), range(90, 120)]
    for place in order:
        goes_on(desk, parts[place], FACTS, threshold=25)
    assert [excused(desk, minute) for minute in (-1, 0, 60, 119, 179, 180)] == [False, True, True, True, True, False]


def test_what_a_person_resolved_excuses_no_longer(desk: Desk) -> None:
    number = begins(desk, 0, FACTS, threshold=50, count=60)
    ends(desk, number, 20)
    assert [excused(desk, minute) for minute in (10, 20, 21)] == [True, True, False]


def test_a_condition_excuses_from_the_hours_that_were_looked_at_until_it_is_seen_no_more(desk: Desk) -> None:
    at = BEGIN + timedelta(minutes=90)
    seen = Sighting(
        "main", "rate-unusual", "rate-unusual", "warning", "title", "step", at, facts=FACTS,
        since=BEGIN, quiet=timedelta(minutes=10),
    )  # fmt: skip
    desk.database.repeat(lambda connection: incidents.note(connection, [seen]))
    desk.fold()
    assert [excused(desk, minute) for minute in (-1, 0, 90, 100, 101)] == [False, True, True, True, False]


def test_spells_that_meet_are_one_and_a_long_lived_incident_keeps_the_latest(desk: Desk) -> None:
    known: list[Spell] = []
    for number in range(700):
        known = spells.add(known, [spells.Surge(number * 300, number * 300, 3_600_000)], {}, now_ms=1)
    assert len(known) == spells.MOST
    assert known[-1].begins_ms == 699 * 300 * 60_000
    surges = spells.surges({0: 60, 1: 60}, {0, 1}, {spells.Rate(50, 60, 3_600_000)})
    met = spells.add([Spell(0, 100, 0)], surges, {}, now_ms=1)
    assert [(one.begins_ms, one.ends_ms) for one in met] == [(0, 3_660_000)]

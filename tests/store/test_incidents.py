"""Incidents count by the minute in which things happened, open once, and end when nothing is heard of them."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select

from store import incidents as store
from store.database import Database
from store.incidents import Opened, Sighting
from store.schema import incident_deltas, incidents
from tests.suppress.people import until_it_waits

NOW = datetime(2026, 11, 22, 8, 0, 30, tzinfo=UTC)
SEEN = Sighting(
    account="main",
    key="carrier-down",
    rule="carrier-down",
    severity="warning",
    title="A carrier fails",
    next_step="Ask it.",
    at=NOW,
    threshold=5,
    within=timedelta(minutes=10),
)


def note(database: Database, *sightings: Sighting) -> None:
    with database.transaction() as connection:
        store.note(connection, sightings)


def fold(database: Database, now: datetime = NOW) -> list[Opened]:
    return database.repeat(lambda connection: store.fold(connection, now))


def states(database: Database) -> list[tuple[str, int]]:
    with database.reading() as connection:
        query = select(incidents.c.state, incidents.c.count).order_by(incidents.c.id)
        return [(row[0], row[1]) for row in connection.execute(query)]


@pytest.mark.parametrize(
    ("minutes", "opens"),
    [
        ((0, 0, 0, 0, 0), True),  # in one minute
        ((0, 2, 4, 6, 10), True),  # at both ends of the window
        ((0, 2, 4, 6, 11), False),  # the first is out of it
        ((10, 6, 4, 2, 0), True),  # in whatever order they come
        ((-300, 0, 2, 4, 6), False),  # an old one that is told late is no part of the rate
        ((0, 3, 6, 9, 12, 15, 18), False),  # many, but never five within ten minutes
    ],
)
@pytest.mark.parametrize("at_once", [True, False])
def test_a_threshold_is_reached_by_what_happened_within_its_minutes(
    database: Database, minutes: tuple[int, ...], opens: bool, at_once: bool
) -> None:
    seen = [replace(SEEN, at=NOW + timedelta(minutes=minute)) for minute in minutes]
    opened = []
    for part in [seen] if at_once else [[one] for one in seen]:
        note(database, *part)
        opened += fold(database)
    assert [one.title for one in opened] == [SEEN.title] * opens
    assert states(database) == [("open" if opens else "watching", len(minutes))]


def test_sightings_of_one_minute_are_one_row_and_of_two_minutes_two(database: Database) -> None:
    note(database, *[SEEN] * 100, *[replace(SEEN, at=NOW + timedelta(minutes=1))] * 50)
    with database.reading() as connection:
        assert sorted(connection.scalars(select(incident_deltas.c.count))) == [50, 100]


def test_two_folds_at_once_count_everything_once_and_open_one_incident(database: Database) -> None:
    for round_ in range(5):
        for minute in range(20):
            note(database, replace(SEEN, key=f"round {round_}", at=NOW + timedelta(seconds=minute)))
        with ThreadPoolExecutor(4) as pool:
            opened = [one for found in pool.map(fold, [database] * 4) for one in found]
        assert len(opened) == 1
    assert states(database) == [("open", 20)] * 5
    with database.reading() as connection:
        assert connection.execute(select(incident_deltas)).all() == []


def test_folds_beside_writers_lose_no_sighting(database: Database) -> None:
    def write(number: int) -> None:
        note(database, replace(SEEN, at=NOW + timedelta(seconds=number)))

    with ThreadPoolExecutor(4) as pool:
        writers = [pool.submit(write, number) for number in range(40)]
        folds = [pool.submit(fold, database) for _ in range(10)]
    for writer in writers:
        writer.result()
    opened = [one for task in folds for one in task.result()] + fold(database)
    assert len(opened) == 1
    assert states(database) == [("open", 40)]


def test_an_incident_that_stays_quiet_below_its_threshold_ends_without_a_word(database: Database) -> None:
    note(database, *[SEEN] * 4)
    assert fold(database) == []
    later = NOW + timedelta(hours=25)
    with database.transaction() as connection:
        assert store.resolve_quiet(connection, later) == 0
    assert states(database) == [("resolved", 4)]
    # What comes then begins anew: four of yesterday and one of today are no five within ten minutes.
    note(database, replace(SEEN, at=later))
    assert fold(database, later) == []
    assert states(database) == [("resolved", 4), ("watching", 1)]


def test_an_open_incident_that_goes_quiet_is_resolved_and_counted(database: Database) -> None:
    note(database, *[SEEN] * 5)
    assert len(fold(database)) == 1
    with database.transaction() as connection:
        assert store.resolve_quiet(connection, NOW + timedelta(hours=23)) == 0
        assert store.resolve_quiet(connection, NOW + timedelta(hours=25)) == 1
    assert states(database) == [("resolved", 5)]


def test_one_that_is_heard_of_in_the_moment_in_which_it_would_end_goes_on(database: Database) -> None:
    desk: Any = SimpleNamespace(database=database)
    later = NOW + timedelta(hours=25)
    note(database, *[SEEN] * 5)
    fold(database)
    note(database, replace(SEEN, at=later))
    ending = Thread(target=database.repeat, args=(lambda connection: store.resolve_quiet(connection, later),))
    with database.transaction() as connection:
        store.fold(connection, later)
        ending.start()
        until_it_waits(desk)
    ending.join(30)
    assert states(database) == [("open", 6)]

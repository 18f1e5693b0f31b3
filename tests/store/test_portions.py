"""It makes no difference in which portions sightings are folded: what was a surge opens its incident."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select

from store import incidents as store
from store import notices, spells
from store.database import Database, open_database
from store.incidents import Opened, Sighting
from store.schema import incident_events, incidents
from tests.store.test_incidents import NOW
from tests.store.test_incidents import SEEN as A_CARRIER

FACTS: Final = {"network": "23410"}
SEEN = replace(A_CARRIER, threshold=50, within=timedelta(hours=1), facts=FACTS)
_numbers = count()


def at(minute: int, times: int = 1, **more: Any) -> Sighting:
    """Return what was seen so often some minutes from now."""
    return replace(SEEN, at=NOW + timedelta(minutes=minute), count=times, **more)


def fold(database: Database, *seen: Sighting, now: datetime = NOW) -> list[Opened]:
    def once(connection: Connection) -> list[Opened]:
        store.note(connection, seen)
        return store.fold(connection, now)

    return database.repeat(once)


def only(database: Database, key: str = SEEN.key) -> Any:
    with database.reading() as connection:
        return connection.execute(select(incidents).where(incidents.c.key == key)).one()


def changes(database: Database) -> list[str]:
    with database.reading() as connection:
        return list(connection.scalars(select(incident_events.c.change).order_by(incident_events.c.id)))


@pytest.mark.parametrize("later", [66, 180, 3 * 24 * 60])
def test_a_surge_that_is_folded_with_something_later_opens_and_excuses(database: Database, later: int) -> None:
    surge = [at(minute, 10) for minute in range(6)]
    told = fold(database, *surge, at(later))
    assert [one.title for one in told] == [SEEN.title]
    row = only(database)
    assert (row.state, row.count, row.first_at) == ("open", 61, NOW)
    [spell] = spells.decode(row.spells)
    begin = NOW.replace(second=0)
    assert spell.begins_ms == begin.timestamp() * 1000
    assert spell.ends_ms == (begin + timedelta(minutes=65)).timestamp() * 1000


def test_a_surge_of_which_the_second_half_comes_after_something_later_opens(database: Database) -> None:
    assert fold(database, at(0, 30)) == []
    assert fold(database, at(500)) == []
    told = fold(database, at(5, 30))
    assert [(one.count, one.first_at) for one in told] == [(61, NOW.replace(second=0))]


def test_what_never_came_so_often_within_the_time_opens_nothing_in_one_portion_either(database: Database) -> None:
    assert fold(database, *[at(minute) for minute in range(0, 400, 2)]) == []
    assert only(database).state == "watching"


def test_an_incident_of_a_surge_long_past_is_told_once_and_then_that_it_is_over(database: Database) -> None:
    assert len(fold(database, at(-600, 60), at(-300))) == 1
    assert fold(database, at(-290)) == []
    for hours, over in ((23, 0), (25, 1), (26, 0)):
        with database.transaction() as connection:
            assert store.resolve_quiet(connection, NOW + timedelta(hours=hours)) == over
    assert changes(database) == ["opened", "resolved"]
    with database.transaction() as connection:
        assert notices.spread(connection, [], NOW).events == 2


def test_two_surges_of_one_portion_excuse_each_for_itself(database: Database) -> None:
    fold(database, at(0, 60), at(300), at(600, 60), at(900))
    begins = [one.begins_ms // 60_000 - int(NOW.timestamp()) // 60 for one in spells.decode(only(database).spells)]
    assert begins == [0, 600]


def test_an_earlier_surge_that_is_told_later_moves_the_beginning(database: Database) -> None:
    fold(database, at(0, 60))
    assert fold(database, at(-300, 60)) == []
    assert only(database).first_at == NOW - timedelta(minutes=300)


def test_a_single_one_of_earlier_that_is_told_later_does_not(database: Database) -> None:
    fold(database, at(0, 60))
    fold(database, at(-300))
    assert only(database).first_at == NOW


def test_a_rate_is_each_sightings_own_where_the_policy_changed_between_them(database: Database) -> None:
    """20 within an hour are a surge by neither: 50 within an hour were asked for, and now 20 within ten minutes."""
    old = [at(minute) for minute in range(0, 50, 5)]
    new = [at(minute, threshold=20, within=timedelta(minutes=10)) for minute in range(1, 50, 5)]
    assert fold(database, *old, *new) == []


def test_what_was_no_surge_by_the_policy_of_then_is_none_by_that_of_today(database: Database) -> None:
    fold(database, at(0, 30))
    assert fold(database, at(600, threshold=20)) == []


def test_the_gravest_of_one_portion_is_told(database: Database) -> None:
    told = fold(database, at(0, 60, severity="critical"), at(1, severity="info"))
    assert [one.severity for one in told] == ["critical"]
    told = fold(database, at(2, key="b", threshold=1, severity="info"))
    told = fold(database, at(3, key="b", threshold=1, severity="critical"), at(4, key="b", threshold=1))
    assert [(one.severity, one.change) for one in told] == [("critical", "graver")]


def test_no_more_minutes_are_kept_than_a_threshold_can_need(database: Database) -> None:
    fold(database, *[at(minute, threshold=1) for minute in range(0, 3_000, 2)])
    fold(database, *[at(minute, threshold=1) for minute in range(3_000, 3_200, 2)])
    assert len(store.minutes_of(only(database))) == store.MINUTES_KEPT
    fold(database, *[at(3 * minute, key="b", threshold=2_000, within=timedelta(days=30)) for minute in range(1_999)])
    assert len(fold(database, at(6_000, key="b", threshold=2_000, within=timedelta(days=30)))) == 1


@pytest.fixture(scope="module")
def shared(module_database_url: str) -> Iterator[Database]:
    """One database for all examples, each of which has incidents of its own."""
    opened = open_database(module_database_url, synchronous="NORMAL")
    yield opened
    opened.close()


def outcome(database: Database, portions: Sequence[Sequence[Sighting]]) -> tuple[Any, ...]:
    """Return what becomes of these portions: how often it was told, and the incident."""
    key = f"portions-{next(_numbers)}"
    told = [one.change for part in portions for one in fold(database, *[replace(seen, key=key) for seen in part])]
    row = only(database, key)
    covered = [(spell.begins_ms, spell.ends_ms) for spell in spells.decode(row.spells)]
    # When a surge began that came in two portions is known by the minute.
    return told, row.state, row.count, row.last_at, row.first_at.replace(second=0), covered


@settings(
    max_examples=40, deadline=None, phases=[Phase.generate], suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_every_order_and_every_split_makes_the_same_incident(shared: Database, data: st.DataObject) -> None:
    threshold, within = data.draw(st.integers(1, 12)), data.draw(st.sampled_from([0, 1, 10, 60]))
    moments = st.tuples(st.one_of(st.integers(0, 30), st.integers(0, 400)), st.integers(1, 6))
    drawn = data.draw(st.lists(moments, min_size=1, max_size=8))
    seen = [at(minute, times, threshold=threshold, within=timedelta(minutes=within)) for minute, times in drawn]
    mixed = data.draw(st.permutations(seen))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(seen)))))
    portions = [mixed[start:end] for start, end in zip([0, *cuts], [*cuts, len(seen)], strict=True)]
    assert outcome(shared, portions) == outcome(shared, [seen])

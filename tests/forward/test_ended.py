"""A suppression that ends by its time is told once, by whoever looks for it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, event, text, update

from store import ended
from store.schema import meta, suppressions
from store.suppressions import Entry, suppress
from tests.forward.conftest import MakeWorld
from tests.forward.world import World, opened, table
from tests.relay.world import Target
from workers import maintain

NOW = datetime.now(UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _now() -> None:
    """The service has its own clock beside, so the moment is that of the test, however long the others took."""
    global NOW
    NOW = datetime.now(UTC)


def entry(number: int, until: datetime | None, state: str = "active") -> Entry:
    address = number.to_bytes(16)
    names = ("main", address, "sms", "", "", "all", "recipient_barred", "barred", "report", state)
    return Entry(*names, NOW - timedelta(days=7), until, {})


def stand(world: World, *entries: Entry) -> None:
    """Write entries, and let what is told of that be out of the way."""
    with world.database.transaction() as connection:
        suppress(connection, entries, NOW - timedelta(days=7), "test")


def endings(world: World, target: Target) -> list[dict[str, Any]]:
    target.seen.clear()
    world.send()
    return [event for event in map(opened, target.seen) if event["type"] == "suppression.ended"]


def test_an_end_is_told_once_however_often_and_by_how_many_it_is_looked_for(
    make_world: MakeWorld, target: Target
) -> None:
    world = make_world(table(target))
    ended.tell(world.database, NOW - 20 * MINUTE)
    stand(world, entry(1, NOW - MINUTE), entry(2, NOW + MINUTE), entry(3, None))
    maintain.fold(world.context)
    with world.database.transaction() as connection:
        connection.execute(delete(meta).where(meta.c.name == ended.MARK))  # as if it had died before it said so
    assert [ended.tell(world.database, NOW), ended.tell(world.database, NOW + MINUTE / 2)] == [0, 0]
    (told,) = endings(world, target)
    assert told["data"]["state"] == told["data"]["change"] == "ended"
    assert told["data"]["cause"] == "recipient_barred"
    assert told["timestamp"] == (NOW - MINUTE).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert [ended.tell(world.database, NOW + later * MINUTE) for later in (2, 3)] == [1, 0]


def test_what_was_renewed_ends_again(make_world: MakeWorld, target: Target) -> None:
    world = make_world(table(target))
    ended.tell(world.database, NOW - 20 * MINUTE)
    stand(world, entry(1, NOW - 10 * MINUTE))
    assert ended.tell(world.database, NOW - 9 * MINUTE) == 1
    with world.database.transaction() as connection:
        connection.execute(update(suppressions).values(until=NOW - 5 * MINUTE))
    assert ended.tell(world.database, NOW) == 1
    assert len(endings(world, target)) == 2


def test_what_was_lifted_dropped_or_is_held_does_not_end(make_world: MakeWorld, target: Target) -> None:
    world = make_world(table(target))
    ended.tell(world.database, NOW - 20 * MINUTE)
    stand(world, *(entry(number, NOW - MINUTE) for number in range(4)), entry(9, NOW - MINUTE, "proposed"))
    with world.database.transaction() as connection:
        for number, state in enumerate(("lifted", "dropped", "held")):
            of = suppressions.c.address == number.to_bytes(16)
            connection.execute(update(suppressions).where(of).values(state=state))
    assert ended.tell(world.database, NOW) == 2
    assert len(endings(world, target)) == 2


def test_many_that_end_at_one_moment_are_all_told_after_a_long_silence(make_world: MakeWorld, target: Target) -> None:
    world = make_world(table(target, events=["suppression.ended"]))
    ended.tell(world.database, NOW - timedelta(days=3))
    stand(world, *(entry(number, NOW - timedelta(days=2)) for number in range(1, 1203)))
    assert ended.tell(world.database, NOW) == 1202


def test_what_was_written_during_the_last_look_is_told_by_the_next(make_world: MakeWorld, target: Target) -> None:
    world = make_world(table(target))
    ended.tell(world.database, NOW)
    # Its transaction began before that look and came through after it, and its end came between.
    with world.database.transaction() as connection:
        suppress(connection, [entry(1, NOW - MINUTE)], NOW - 2 * MINUTE, "test")
    assert [ended.tell(world.database, NOW + later * MINUTE) for later in (1, 2)] == [1, 0]


@pytest.mark.parametrize("until", [-MINUTE, -timedelta(days=3)])
def test_what_is_over_as_it_is_written_ends_with_that(make_world: MakeWorld, target: Target, until: timedelta) -> None:
    world = make_world(table(target))
    ended.tell(world.database, NOW)
    with world.database.transaction() as connection:
        suppress(connection, [entry(1, NOW + until)], NOW, "test")
    (told,) = endings(world, target)
    assert told["data"]["state"] == "ended"
    assert told["timestamp"] == (NOW + until).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert ended.tell(world.database, NOW + MINUTE) == 0


def test_what_was_told_is_neither_read_nor_written_again(make_world: MakeWorld, target: Target) -> None:
    world = make_world(table(target, events=["suppression.ended"]))
    ended.tell(world.database, NOW - 20 * MINUTE)
    stand(world, *(entry(number, NOW - MINUTE) for number in range(1, 700)))
    assert ended.tell(world.database, NOW) == 699
    seen: list[str] = []

    def look(*executed: Any) -> None:
        seen.append(executed[2])

    event.listen(world.database.engine, "before_cursor_execute", look)
    assert ended.tell(world.database, NOW + MINUTE / 2) == 0
    event.remove(world.database.engine, "before_cursor_execute", look)
    assert len([statement for statement in seen if "FROM suppressions" in statement]) == 1
    assert not [statement for statement in seen if "INSERT INTO events" in statement]


def test_what_ended_before_anybody_looked_or_wanted_to_hear_is_not_told(make_world: MakeWorld, target: Target) -> None:
    world = make_world(table(target, events=["message.*"]))
    stand(world, entry(1, NOW - timedelta(days=2)), entry(2, NOW - MINUTE))
    assert ended.tell(world.database, NOW) == 0
    assert endings(world, target) == []


def test_who_looks_for_endings_reads_an_index(make_world: MakeWorld, target: Target) -> None:
    world = make_world(table(target))
    stand(world, *(entry(number, NOW + MINUTE * number) for number in range(1, 3000)))
    query = "SELECT * FROM suppressions WHERE until >= 5 AND until <= 9 AND (until > 5 OR until = 5 AND id > 7)"
    with world.database.transaction() as connection:
        if not world.database.is_sqlite:
            connection.execute(text("ANALYZE suppressions"))
        word = "EXPLAIN QUERY PLAN " if world.database.is_sqlite else "EXPLAIN "
        plan = " ".join(str(part) for row in connection.execute(text(f"{word}{query} LIMIT 500")) for part in row)
    assert "ix_suppressions_until" in plan

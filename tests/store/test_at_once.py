"""Two workers that do the same to the same person, or to the same message, at the same moment."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, select

from reports.states import Leg, State
from store import failures, messages, retention
from store.database import Database, open_database
from store.failures import Failure
from store.messages import Message
from store.moments import EPOCH
from store.schema import messages as message_table
from store.schema import suppression_audit, suppressions
from store.suppressions import ACTIVE, PROPOSED, Entry, suppress
from tests.store.test_scopes import ENTRY, NOW

KEY = b"k" * 16
DAY = timedelta(days=1)


def at_once(works: list[Callable[[], object]]) -> None:
    """Run all at the same moment; raise what any of them raised."""
    ready = threading.Barrier(len(works))

    def run(work: Callable[[], object]) -> None:
        ready.wait(10)
        work()

    with ThreadPoolExecutor(len(works)) as pool:
        for done in [pool.submit(run, work) for work in works]:
            done.result(60)


def all_rows(database: Database, table: Any) -> list[Any]:
    with database.reading() as connection:
        return list(connection.execute(select(table).order_by(table.c.id)))


def test_two_workers_that_suppress_one_person_at_once_write_one_entry(database: Database) -> None:
    proposal = replace(ENTRY, state=PROPOSED, until=NOW + DAY)
    longer = replace(ENTRY, state=ACTIVE, until=NOW + 2 * DAY, since=NOW + timedelta(minutes=1))

    def write(entry: Entry, number: int) -> Callable[[], object]:
        theirs = replace(entry, address=bytes([number]) * 16)
        return lambda: database.repeat(lambda connection: suppress(connection, [theirs], NOW, "test"))

    for number in range(10):
        at_once([write(entry, number) for entry in (proposal, longer, proposal)])
    found = all_rows(database, suppressions)
    # Whoever came first: the stronger and longer of the two stands.
    assert [(row.state, row.until, row.event_at) for row in found] == [(ACTIVE, longer.until, longer.since)] * 10
    firsts = [row.change for row in all_rows(database, suppression_audit) if row.change in ("suppressed", "proposed")]
    assert len(firsts) == 10


def test_two_workers_that_suppress_many_persons_in_any_order_do_not_block_one_another(database: Database) -> None:
    people = [replace(ENTRY, address=bytes([number]) * 16) for number in range(50)]

    def write(entries: list[Entry]) -> Callable[[], object]:
        return lambda: database.repeat(lambda connection: suppress(connection, entries, NOW, "test"))

    at_once([write(people), write(people[::-1]), write(people[25:] + people[:25])])
    assert len(all_rows(database, suppressions)) == 50


def failed_leg(at: datetime) -> Message:
    legs = {"RCS": Leg(State.FAILED, at)}
    return Message(KEY, "main", "m-1", b"r" * 16, "rcs", at, legs, State.PENDING)


def test_a_leg_that_is_settled_while_the_message_arrives_leaves_it_delivered(database: Database) -> None:
    """The message arrives between the look at what is over and the change: what arrived stays."""
    long_ago = NOW - timedelta(days=3)
    database.repeat(lambda connection: messages.save(connection, [failed_leg(long_ago)], {KEY}, long_ago))
    arrives = threading.Event()
    arrived = threading.Event()

    def arrive() -> None:
        assert arrives.wait(10)

        def work(connection: Any) -> None:
            [found] = messages.find(connection, [KEY]).values()
            moved = found.with_legs({**found.legs, "SMS": Leg(State.DELIVERED, NOW)})
            messages.save(connection, [moved], set(), NOW)

        database.repeat(work)
        arrived.set()

    settling = open_database(database.engine.url.render_as_string(hide_password=False))

    @event.listens_for(settling.engine, "before_cursor_execute")
    def let_it_arrive(connection: object, cursor: object, statement: str, *rest: object) -> None:
        if statement.startswith("UPDATE messages") and not database.is_sqlite:
            arrives.set()
            assert arrived.wait(10)

    worker = threading.Thread(target=arrive)
    worker.start()
    if database.is_sqlite:
        arrives.set()  # there is one writer: it waits for the other's end, before or after
    settled = settling.repeat(lambda connection: retention.settle_legs(connection, NOW))
    worker.join(10)
    settling.close()
    with database.reading() as connection:
        [row] = connection.execute(select(message_table)).all()
    assert row.state == "delivered"
    assert settled == 0 or database.is_sqlite


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_days_of_failure_are_those_on_which_it_happened(database: Database, order: tuple[int, int]) -> None:
    person = ("main", b"p" * 16)
    midnight = datetime(2026, 11, 22, tzinfo=UTC)
    moments = [midnight - timedelta(seconds=1), midnight + timedelta(hours=23), midnight + timedelta(hours=1)]
    told = [Failure(*person, "sms", moment, "recipient_full", "network=23410") for moment in moments]
    for index in order:
        with database.transaction() as connection:
            failures.note(connection, [told[index], told[-1], told[index]])
    with database.reading() as connection:
        found = failures.of(connection, [person])[person[1]]
    assert [(day.first_at, day.last_at) for day in found] == [(moments[0], moments[0]), (moments[2], moments[1])]
    assert {(day.cause, day.place, day.reached_at) for day in found} == {("recipient_full", "network=23410", EPOCH)}

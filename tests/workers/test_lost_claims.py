"""Callbacks whose claim was lost, by a kill or by an error of ours, are tried by themselves and hold up nobody else."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import structlog
from sqlalchemy import text, update

from store import inbox as store_inbox
from store.choice import LEASE, MOST_CALLBACKS
from store.inbox import MOST_ALONE
from store.moments import EPOCH
from store.schema import inbox, quarantine, reports
from tests.support.desk import Desk, report

POISON = "poison"
_SQLITE = """
CREATE TRIGGER refuses BEFORE INSERT ON reports WHEN instr(NEW.facts, 'poison') > 0
BEGIN SELECT RAISE(ABORT, 'it cannot be stored'); END
"""
_POSTGRESQL = """
CREATE FUNCTION refuses() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
IF position('poison' in NEW.facts) > 0 THEN RAISE numeric_value_out_of_range; END IF; RETURN NEW; END $$;
CREATE TRIGGER refuses BEFORE INSERT ON reports FOR EACH ROW EXECUTE FUNCTION refuses()
"""


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Let nobody draw the tracebacks, which takes longer than all else here."""
    with structlog.testing.capture_logs():
        yield


def refuse_poison(desk: Desk) -> None:
    """Let the database refuse the report of one message, as it may a value that nobody thought of."""
    with desk.database.transaction() as connection:
        connection.execute(text(_SQLITE if desk.database.is_sqlite else _POSTGRESQL))


def post(desk: Desk, *messages: str) -> list[int]:
    return [desk.post(report(name, 5)) for name in messages]


def lose(desk: Desk, at: datetime | None = None) -> int:
    """Let a worker claim what it can, and be killed; its lease is over. Returns how many it had."""
    moment = at or datetime.now(UTC) - 2 * LEASE
    return len(store_inbox.claim(desk.database, desk.vault, "killed", moment).callbacks)


def let_leases_end(desk: Desk) -> None:
    with desk.database.transaction() as connection:
        connection.execute(update(inbox).where(inbox.c.waiting == 1).values(lease_until=EPOCH))


def claimed(desk: Desk, *, fresh_first: bool) -> tuple[list[int], bool]:
    found = store_inbox.claim(desk.database, desk.vault, "b", datetime.now(UTC), fresh_first=fresh_first)
    return [callback.id for callback in found.callbacks], found.again


def test_what_came_since_is_not_behind_what_a_killed_worker_held(desk: Desk) -> None:
    lost = post(desk, "m-1", "m-2")
    assert lose(desk) == 2
    fresh = post(desk, "m-3", "m-4")
    assert claimed(desk, fresh_first=True) == (fresh, False)
    assert claimed(desk, fresh_first=True) == (lost[:1], True)
    assert claimed(desk, fresh_first=False) == (lost[1:], True)


def test_nor_where_a_killed_worker_held_more_than_one_claim_looks_at(desk: Desk) -> None:
    with desk.database.transaction() as connection:
        lost = [
            store_inbox.keep(connection, desk.vault, store_inbox.Arrival("main", "sms", "", b"{}", EPOCH, True))
            for _ in range(MOST_CALLBACKS + 1)
        ]
    assert lose(desk) + lose(desk) == len(lost)
    let_leases_end(desk)
    fresh = post(desk, "m-1")
    assert claimed(desk, fresh_first=True) == (fresh, False)
    assert claimed(desk, fresh_first=True) == (lost[:1], True)


def test_what_was_lost_has_its_turn_however_much_comes_since(desk: Desk) -> None:
    lost = post(desk, "m-1")
    lose(desk)
    post(desk, "m-2")
    assert claimed(desk, fresh_first=False) == (lost, True)


def test_a_drain_ends_with_nothing_left_of_either(desk: Desk) -> None:
    post(desk, *(f"m-{number}" for number in range(20)))
    assert lose(desk) == 20
    post(desk, *(f"n-{number}" for number in range(20)))
    done = desk.drain()
    assert (done.reports, done.more) == (40, False)
    assert {row.state for row in desk.rows(inbox)} == {"done"}


def test_one_that_the_database_refuses_delays_its_neighbours_for_no_lease(desk: Desk) -> None:
    refuse_poison(desk)
    numbers = post(desk, "m-1", "m-2", POISON, "m-3", "m-4")
    done = desk.drain()

    assert (done.reports, done.quarantined) == (4, 0)
    assert {row.id: row.state for row in desk.rows(inbox) if row.state != "done"} == {numbers[2]: "new"}


def test_it_is_quarantined_once_it_failed_three_times_by_itself(desk: Desk) -> None:
    refuse_poison(desk)
    [number] = post(desk, POISON)
    for _ in range(MOST_ALONE):
        assert desk.drain().quarantined == 0
        # It may have been a passing fault: so it rests in between.
        assert desk.drain().callbacks == 0
        let_leases_end(desk)
    assert desk.drain().quarantined == 1
    assert [row.callback_id for row in desk.rows(quarantine)] == [number]


def test_many_that_are_refused_hold_up_nothing_that_comes_since(desk: Desk) -> None:
    refuse_poison(desk)
    post(desk, *[POISON] * 5)
    desk.drain()
    let_leases_end(desk)
    post(desk, "m-1")
    stops = iter([False, True])
    desk.drain_of_one_worker.run(30, stopping=lambda: next(stops))
    assert len(desk.rows(reports)) == 1


@pytest.mark.parametrize("fresh_first", [True, False])
def test_two_workers_that_claim_at_once_share_what_was_lost_and_what_came_since(desk: Desk, fresh_first: bool) -> None:
    if desk.database.is_sqlite:
        pytest.skip("SQLite has one writer at a time")
    lost = post(desk, "m-1")
    lose(desk)
    fresh = post(desk, "m-2")
    now, most = datetime.now(UTC), MOST_CALLBACKS
    with desk.database.transaction() as connection:
        first = store_inbox._claim(connection, desk.vault, "a", now, most, fresh_first=fresh_first)
        second = claimed(desk, fresh_first=fresh_first)
    assert [callback.id for callback in first.callbacks] == (fresh if fresh_first else lost)
    assert second == (lost if fresh_first else fresh, fresh_first)


def test_what_a_killed_worker_held_is_free_although_the_clock_was_set_back_since(desk: Desk) -> None:
    [number] = post(desk, "m-1")
    assert lose(desk, datetime.now(UTC) + timedelta(hours=5)) == 1
    assert claimed(desk, fresh_first=True) == ([number], True)


def test_what_another_host_holds_is_its_own_although_its_clock_is_ahead(desk: Desk) -> None:
    post(desk, "m-1")
    assert lose(desk, datetime.now(UTC) + timedelta(minutes=9)) == 1
    assert claimed(desk, fresh_first=True) == ([], False)

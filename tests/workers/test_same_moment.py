"""Two workers that have what disproves each other at the same moment, so that neither sees what the other writes."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import event, update

from policy import Mode
from store.database import open_database
from store.schema import suppression_audit, suppressions
from tests.support.desk import Desk, report
from tests.suppress.people import act
from workers import maintain

NOBODY = 1
ABSENT = 27
DAY = 24 * 60


@pytest.fixture(autouse=True)
def everything_acts(desk: Desk) -> None:
    act(desk, Mode.ACT)


def meanwhile(desk: Desk, first: dict[str, Any], second: dict[str, Any]) -> None:
    """Let a worker have `first` ready to commit, and another one begin and end with `second` before it does.

    Where there is one writer at a time (SQLite), the other one waits for the first instead.
    """
    url = desk.database.engine.url.render_as_string(hide_password=False)
    slow = replace(desk, database=open_database(url, synchronous="NORMAL"))
    wrote, through = threading.Event(), threading.Event()

    @event.listens_for(slow.database.engine, "before_cursor_execute")
    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        if statement.startswith("INSERT INTO reports"):
            wrote.set()

    @event.listens_for(slow.database.engine, "commit")
    def wait_for_the_other(connection: object) -> None:
        if wrote.is_set():
            through.wait(0.5 if desk.database.is_sqlite else 20)

    # Their row in `addresses` is there, or the one would wait for the other as both write it.
    desk.handle(report("m-known", 5, minute=-5))
    slow.post(first)
    worker = threading.Thread(target=slow.drain)
    worker.start()
    assert wrote.wait(20)
    desk.handle(second)
    through.set()
    worker.join(30)
    slow.database.close()


def look_again(desk: Desk, now: datetime | None = None) -> None:
    context: Any = SimpleNamespace(database=desk.database)
    maintain.look_again(context, now or datetime.now(UTC))


def states(desk: Desk) -> list[str]:
    return [row.state for row in desk.rows(suppressions)]


@pytest.mark.parametrize("first", ["delivery", "failure"])
def test_a_failure_and_a_later_delivery_of_two_workers_suppress_nobody(desk: Desk, first: str) -> None:
    said = {"failure": report("m-1", 9, NOBODY, 1), "delivery": report("m-2", 5, minute=2)}
    second = next(name for name in said if name != first)
    meanwhile(desk, said[first], said[second])
    look_again(desk)

    # Where one waited for the other, it knew already, and suppressed nobody at all.
    assert set(states(desk)) <= {"lifted"}
    if not desk.database.is_sqlite:
        assert states(desk) == ["lifted"]
        last = max(desk.rows(suppression_audit), key=lambda row: row.id)
        assert (last.change, last.who, last.detail) == ("lifted", "report", "delivered since")


@pytest.mark.parametrize("first", ["delivery", "failure"])
def test_days_of_failure_before_such_a_delivery_do_not_count(desk: Desk, first: str) -> None:
    """It takes eight days; what failed first met its delivery at two workers."""
    said = {"failure": report("m-0", 9, ABSENT), "delivery": report("m-1", 5, minute=1)}
    second = next(name for name in said if name != first)
    meanwhile(desk, said[first], said[second])
    for day in range(1, 8):
        desk.handle(report(f"m-1{day}", 9, ABSENT, day * DAY))
    look_again(desk)
    assert "active" not in states(desk)

    desk.handle(report("m-18", 9, ABSENT, 8 * DAY))
    look_again(desk)
    assert states(desk) == ["active"]


def test_what_no_delivery_disproves_stands(desk: Desk) -> None:
    meanwhile(desk, report("m-1", 9, NOBODY, 3), report("m-2", 5, minute=2))
    desk.handle(report("m-3", 9, NOBODY, 4, to="447700900999"))
    look_again(desk)
    look_again(desk)

    assert states(desk) == ["active", "active"]
    assert {row.change for row in desk.rows(suppression_audit)} == {"suppressed"}


def test_what_is_not_of_a_report_is_left_as_it_is(desk: Desk) -> None:
    meanwhile(desk, report("m-1", 9, NOBODY, 1), report("m-2", 5, minute=2))
    if states(desk) != ["active"]:
        return
    with desk.database.transaction() as connection:
        connection.execute(update(suppressions).values(origin="import"))
    look_again(desk)

    assert states(desk) == ["active"]


def test_one_look_a_while_after_is_enough_and_the_next_goes_on_from_there(desk: Desk) -> None:
    meanwhile(desk, report("m-1", 9, NOBODY, 1), report("m-2", 5, minute=2))
    later = datetime.now(UTC) + timedelta(minutes=30)
    look_again(desk, later)
    assert "active" not in states(desk)

    read: list[str] = []

    @event.listens_for(desk.database.engine, "before_cursor_execute")
    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        if "suppression" in statement:
            read.append(statement)

    look_again(desk, later + timedelta(seconds=5))
    assert len(read) <= 1

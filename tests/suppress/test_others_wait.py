"""Who holds, excuses or decides about many keeps others from writing for a moment only, however many there are."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection, event

from policy import Mode
from store import holds
from store import proposed_resends as resends
from store.ids import new_id
from store.schema import guard_holds, suppressions
from tests.support.desk import Desk
from tests.suppress.outage import DAY, absent, begins, excuse, fails_on
from tests.suppress.people import act, allow, bounces, maintain


@pytest.fixture(autouse=True)
def acting(desk: Desk) -> None:
    """Suppressions act by themselves."""
    act(desk)


def written(desk: Desk, work: Callable[[], object]) -> list[str]:
    """Do some work; return its statements in transactions for which others wait."""
    asked: list[str] = []

    def note(connection: Connection, cursor: object, sql: str, *more: object) -> None:
        if not connection.get_execution_options().get("dlr_read_only", False):
            asked.append(sql)

    event.listen(desk.database.engine, "before_cursor_execute", note)
    try:
        work()
    finally:
        event.remove(desk.database.engine, "before_cursor_execute", note)
    return asked


def test_the_guard_reads_what_others_have_in_no_write_transaction(desk: Desk) -> None:
    def surge(elsewhere: range, domain: str) -> int:
        allow(desk, 10_000)
        sender = f"{domain}@shop.example"
        bounces(desk, elsewhere, domain="elsewhere.example", sender="a@shop.example")
        bounces(desk, range(60), domain=domain, sender=sender)
        allow(desk, 50)
        maintain_with = written(desk, lambda: maintain(desk))
        return len(maintain_with)

    maintain(desk)
    few, many = surge(range(40), "one.example"), surge(range(0), "two.example")
    allow(desk, 10_000)
    assert abs(few - many) < 10
    bounces(desk, range(1_000, 4_000), domain="else.example", sender="b@shop.example")
    maintain(desk)
    assert abs(surge(range(0), "three.example") - many) < 10
    assert [row.swept for row in desk.rows(guard_holds)] == [1, 1, 1]
    assert Counter(row.state for row in desk.rows(suppressions)) == {"active": 3_040, "held": 180}


def test_what_an_incident_excuses_is_looked_for_in_no_write_transaction(desk: Desk) -> None:
    def excused(person: int) -> list[str]:
        fails_on(desk, range(7), person=person)
        desk.handle(absent(person, 7 * DAY))
        begins(desk, 7 * DAY, {"network": "23410"}, threshold=50, count=60)
        return written(desk, lambda: excuse(desk))

    begins(desk, 7 * DAY - 1, {"network": "23410"}, threshold=50)
    few = excused(1)
    allow(desk, 10_000)
    bounces(desk, range(1_600), minute=7 * DAY)
    many = len(written(desk, lambda: excuse(desk)))
    assert many <= len(few)
    assert Counter(row.state for row in desk.rows(suppressions)) == {"dropped": 1, "active": 1_600}


def test_deciding_on_a_group_never_sorts_all_of_it(desk: Desk) -> None:
    bounces(desk, range(600))
    maintain(desk)
    [hold] = desk.rows(guard_holds)
    now = datetime.now(UTC)
    desk.database.repeat(lambda connection: holds.decide(connection, hold.id, now, "ada", release=True))
    statements = written(desk, lambda: desk.database.repeat(lambda c: holds.settle(c, hold.id, now, "ada")))
    assert not [sql for sql in statements if "ORDER BY" in sql and "LIMIT" in sql]
    assert desk.database.repeat(lambda connection: holds.settle(connection, hold.id, now, "ada")) == 100
    assert desk.database.repeat(lambda connection: holds.settle(connection, hold.id, now, "ada")) == 0
    assert {(row.state, row.held_by) for row in desk.rows(suppressions)} == {("active", -1)}


@pytest.mark.parametrize("rule", ["", "unknown-recipient"])
def test_answering_proposals_never_sorts_all_of_them(desk: Desk, rule: str) -> None:
    act(desk, Mode.PROPOSE)
    bounces(desk, range(20))
    last, now = new_id(), datetime.now(UTC)

    def some(connection: Connection) -> int:
        found = [*holds.proposed_by(connection, rule, last, 8), *resends.proposed_by(connection, rule, last, 8)]
        return len(holds.answer(connection, found, now, "ada", accept=True))

    answered: list[int] = []
    statements = written(desk, lambda: answered.append(desk.database.repeat(some)))
    assert not [sql for sql in statements if "ORDER BY" in sql and "LIMIT" in sql]
    assert answered == [8]
    assert [desk.database.repeat(some) for _ in range(3)] == [8, 4, 0]

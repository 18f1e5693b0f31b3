"""However long the lists are, no transaction is: on SQLite everybody who writes waits for it, callbacks first."""

from collections import Counter
from typing import Any

import pytest
from sqlalchemy import event

from store import sync_runs
from tests.sync.world import World, people
from workers.sync.run import work

_MOST = 600


class Written:
    """Counts the statements and the rows that each writing transaction took."""

    def __init__(self, world: World) -> None:
        self.most = 0
        self._now: Counter[int] = Counter()
        event.listen(world.database.engine, "after_cursor_execute", self._count)
        event.listen(world.database.engine, "commit", self._end)

    def _count(self, connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        if statement.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE")):
            self._now[id(connection)] += max(1, cursor.rowcount)

    def _end(self, connection: Any) -> None:
        self.most = max(self.most, self._now.pop(id(connection), 0))


def test_a_long_list_is_taken_in_verified_doubted_and_believed_in_short_transactions(world: World) -> None:
    world.having(pull=True, batch=300)
    theirs, ours = people(1_400, 447_700_920_000), people(1_100, 447_700_940_000)
    world.put_there(*theirs, channel="SMS")
    world.suppress(*ours, channel="sms")
    written = Written(world)
    world.sync(6)
    assert world.states() == {"there": 1_400, "add verified": 1_100}
    assert 100 <= written.most <= _MOST, "a page is taken in by parts"
    written.most = 0
    world.infobip.world.blocklist.clear()
    with world.database.transaction() as connection:
        sync_runs.at_once(connection, "main", world.clock(), allow_doubts=True)
    desk = world.desk()
    desk.over = iter([False] * 60 + [True] * 10_000).__next__
    work(desk)
    states = world.states()
    assert states["doubted"] + states["gone"] == 1_400, states
    assert 100 <= written.most <= _MOST, "and so is it doubted"


def test_no_statement_sorts_or_reads_a_whole_list_to_return_a_part(world: World) -> None:
    if not world.database.is_sqlite:
        pytest.skip("SQLite's plans are the same however few rows there are")
    asked: dict[str, Any] = {}

    def note(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        if statement.startswith("SELECT") and not many:
            asked[statement] = parameters

    event.listen(world.database.engine, "after_cursor_execute", note)
    world.having(pull=True, ends=True).suppress(*people(30))
    world.sync(3)
    event.remove(world.database.engine, "after_cursor_execute", note)
    paged = {text: values for text, values in asked.items() if "LIMIT" in text and "FROM suppression" in text}
    paged |= {text: values for text, values in asked.items() if text.startswith("SELECT listed.scope")}
    assert len(paged) >= 3
    with world.database.reading() as connection:
        for text, values in paged.items():
            plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", values)]
            assert not [step for step in plan if "ORDER BY" in step or step.startswith("SCAN")], (text, plan)

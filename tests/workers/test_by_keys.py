"""PostgreSQL keeps a statement's plan, and what a slice looks up stays quick however its tables grow."""

import time
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Connection, text

from store.database import Database
from tests.support.desk import Desk, report
from workers import maintain

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)

NOBODY = 1
# A statement's plan is kept from its sixth execution on.
OFTEN = 8
GROWING = (
    "reports",
    "messages",
    "failure_days",
    "suppressions",
    "suppression_audit",
    "report_keys",
    "retries",
    "incidents",
    "guard_counts",
    "listed",
)


def scans(database: Database) -> dict[str, int]:
    """Return how often each of the tables that grow was read from end to end by whoever has hung up since."""
    database.engine.dispose()
    with database.reading() as connection:
        # What a connection counted is added up by the time its process has ended.
        others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        for _ in range(1_000):
            if not connection.execute(text(others)).scalar():
                break
            connection.rollback()
            time.sleep(0.01)
        connection.execute(text("SELECT pg_stat_clear_snapshot()"))
        found = connection.execute(text("SELECT relname, seq_scan FROM pg_stat_user_tables"))
        return {name: count for name, count in found if name in GROWING}


def test_no_slice_reads_a_table_that_grows_from_end_to_end(desk: Desk) -> None:
    before = scans(desk.database)
    for number in range(OFTEN):
        desk.handle(report(f"m-{number}", 9, NOBODY, 1), report(f"n-{number}", 5, minute=number))
    assert scans(desk.database) == before


def test_nor_does_the_second_look(desk: Desk) -> None:
    desk.handle(report("m-1", 9, NOBODY, 1))
    before = scans(desk.database)
    context: Any = SimpleNamespace(database=desk.database)
    for _ in range(OFTEN):
        maintain.look_again(context, datetime.now(UTC))
    after = scans(desk.database)
    assert after == before


@pytest.mark.parametrize(("by_keys", "expected"), [(True, "off"), (False, "on")])
def test_only_work_that_says_so_is_planned_without_reading_tables_from_end_to_end(
    database: Database, by_keys: bool, expected: str
) -> None:
    ask = text("SELECT current_setting('enable_seqscan'), current_setting('jit')")
    assert set(database.repeat(lambda connection: connection.execute(ask).one(), by_keys=by_keys)) == {expected}
    with database.reading(by_keys=by_keys) as connection:
        assert set(connection.execute(ask).one()) == {expected}
        # Whoever else uses the connection may have the same statement planned.
        planned = connection.execute(text("SHOW plan_cache_mode")).scalar()
        assert planned == ("force_custom_plan" if by_keys else "auto")
    assert set(database.repeat(lambda connection: connection.execute(ask).one())) == {"on"}


def test_a_table_without_an_index_is_read_without_compiling_a_plan_for_it(database: Database) -> None:
    def plan(connection: Connection) -> str:
        connection.execute(text("CREATE TEMPORARY TABLE plain (value integer) ON COMMIT DROP"))
        return "\n".join(connection.execute(text("EXPLAIN SELECT sum(value) FROM plain")).scalars())

    found = database.repeat(plan, by_keys=True)
    assert "Seq Scan" in found
    assert "JIT" not in found

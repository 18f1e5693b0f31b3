"""PostgreSQL keeps a statement's plan, and what a slice looks up stays quick however its tables grow."""

import time
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Connection, text

from store.database import Database
from store.schema import failure_days
from store.writes import select_in
from tests.support.desk import Desk, report
from workers import maintain

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)

NOBODY = 1
# The driver prepares a statement at its sixth execution, and the server keeps a plan after five more.
OFTEN = 16
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


_MANY_DAYS = """
INSERT INTO failure_days (account, address, channel, day, cause, first_at, last_at, place, reached_at)
SELECT 'main', decode(md5(number::text), 'hex'), 'sms', 1, 'c', 0, 0, '', 0 FROM generate_series(1, 5000) number
"""


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


def test_nor_where_others_on_the_connection_had_the_same_statement_planned(database: Database) -> None:
    def look(connection: Connection) -> None:
        people = [number.to_bytes(16, "big") for number in range(200)]
        select_in(connection, failure_days, "address", people, accounts=["main"])

    for _ in range(OFTEN):
        database.repeat(look)
    with database.transaction() as connection:
        connection.execute(text(_MANY_DAYS))
    read = "SELECT seq_tup_read FROM pg_stat_xact_user_tables WHERE relname = 'failure_days'"

    def rows_read(connection: Connection) -> int:
        look(connection)
        return int(connection.execute(text(read)).scalar() or 0)

    assert database.repeat(rows_read, by_keys=True) == 0


@pytest.mark.parametrize(
    ("by_keys", "expected"), [(True, ("off", "off", "force_custom_plan")), (False, ("on", "on", "auto"))]
)
def test_only_work_that_says_so_is_planned_without_reading_tables_from_end_to_end(
    database: Database, by_keys: bool, expected: tuple[str, ...]
) -> None:
    names = ("enable_seqscan", "jit", "plan_cache_mode")
    ask = text("SELECT " + ",".join(f"current_setting('{name}')" for name in names))
    assert database.repeat(lambda connection: connection.execute(ask).one(), by_keys=by_keys) == expected
    with database.reading(by_keys=by_keys) as connection:
        assert connection.execute(ask).one() == expected
    assert database.repeat(lambda connection: connection.execute(ask).one()) == ("on", "on", "auto")


def test_a_table_without_an_index_is_read_without_compiling_a_plan_for_it(database: Database) -> None:
    def plan(connection: Connection) -> str:
        connection.execute(text("CREATE TEMPORARY TABLE plain (value integer) ON COMMIT DROP"))
        return "\n".join(connection.execute(text("EXPLAIN SELECT sum(value) FROM plain")).scalars())

    found = database.repeat(plan, by_keys=True)
    assert "Seq Scan" in found
    assert "JIT" not in found

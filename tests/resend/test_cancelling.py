"""Who cancels resends reads those of their messages, however many others wait."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import event

from store import steering
from store.schema import contents
from tests.resend.world import World


def plans(world: World, work: Any) -> list[str]:
    """Do some work; return how SQLite finds the resends of each statement that reads or changes them."""
    statements: list[tuple[str, Any]] = []

    def note(connection: object, cursor: object, sql: str, values: Any, context: object, many: bool) -> None:
        statements.append((sql, values[0] if many and values else values))

    event.listen(world.desk.database.engine, "before_cursor_execute", note)
    try:
        work()
    finally:
        event.remove(world.desk.database.engine, "before_cursor_execute", note)
    with world.desk.database.reading() as connection:
        return [
            row.detail
            for sql, values in statements
            if sql.startswith(("SELECT", "UPDATE")) and "retries" in sql
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values).all()
        ]


def test_cancelling_reads_the_resends_of_its_messages_alone(world: World) -> None:
    for name in ("m-1", "m-2"):
        world.register(name)
        world.fail(name)
    numbers = [row.id for row in world.rows()]

    def cancel() -> None:
        database = world.desk.database
        done = database.repeat(lambda c: steering.cancel(c, numbers, datetime.now(UTC), "dropped by ada"))
        assert done == set(numbers)

    if world.desk.database.is_sqlite:
        for plan in plans(world, cancel):
            assert "(id=?)" in plan or "(account=? AND message_key=?" in plan
    else:
        cancel()
    assert world.desk.rows(contents) == []

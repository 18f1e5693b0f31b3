"""Of a million records that wait to be added, nobody reads all to find the one that is to be taken off."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, text

from store import listed as rows
from store import sync_seen
from store.database import Database
from store.schema import listed
from store.vault import Vault
from store.writes import insert_rows

NOW = datetime(2026, 3, 9, 10, tzinfo=UTC)
WAITING = 20_000


@pytest.fixture
def waiting(database: Database) -> Database:
    """A list with many records to add, one to remove after them all, and many that are looked for later."""
    states = [("add", "to_push", -1)] * WAITING + [("remove", "to_push", 0)] + [("add", "missing", 60)] * WAITING
    found = [_record(number, *one) for number, one in enumerate(states, 1)]
    with database.transaction() as connection:
        insert_rows(connection, listed, found)
        if not database.is_sqlite:
            connection.execute(text("ANALYZE listed"))
    return database


def test_the_next_to_be_taken_off_is_found_by_the_index(waiting: Database) -> None:
    [plan] = plans(waiting, lambda c: rows.next_group(c, "main", "blocklist", rows.REMOVE, NOW))
    if waiting.is_sqlite:
        assert "ix_listed_due (account=? AND list=? AND state=? AND op=? AND due_at<?)" in plan
    else:
        assert "ix_listed_due" in plan
        assert "Rows Removed by Filter" not in plan


def test_what_is_to_be_looked_for_now_is_found_by_the_index(waiting: Database, vault: Vault) -> None:
    [plan] = plans(waiting, lambda c: sync_seen.due(c, vault, "main", "blocklist", NOW, 500))
    if waiting.is_sqlite:
        assert "ix_listed_due (account=? AND list=? AND state=? AND op=? AND due_at<?)" in plan
    else:
        assert "ix_listed_due" in plan
        assert "Rows Removed by Filter" not in plan


def plans(database: Database, ask: Any) -> list[str]:
    """Return how the database reads the list for what is asked."""
    found = []

    def explained(connection: Any, cursor: Any, statement: str, parameters: Any, *rest: Any) -> None:
        if "FROM listed" in statement and not statement.startswith("EXPLAIN"):
            word = "EXPLAIN QUERY PLAN " if database.is_sqlite else "EXPLAIN (ANALYZE) "
            cursor.execute(word + statement, parameters)
            found.append(" ".join(str(part) for row in cursor.fetchall() for part in row))

    event.listen(database.engine, "before_cursor_execute", explained)
    with database.reading() as connection:
        ask(connection)
    event.remove(database.engine, "before_cursor_execute", explained)
    return found


def _record(number: int, op: str, state: str, minutes: int) -> dict[str, Any]:
    nothing = dict.fromkeys(("until", "first_sent_at", "sent_at", "created_there"))
    counts = dict.fromkeys(("suppression_id", "batch", "answered", "attempts", "looks", "seen_scan"), 0)
    return {
        **nothing,
        **counts,
        "id": number,
        "account": "main",
        "list": "blocklist",
        "address": number.to_bytes(16),
        "channel": "sms",
        "scope": "",
        "source": "CUSTOM",
        "op": op,
        "state": state,
        "wanted": 1,
        "due_at": NOW + timedelta(minutes=minutes),
        "account_key": "",
        "note": "",
        "changed_at": NOW,
    }

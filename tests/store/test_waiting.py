"""What waits for a person is told once a week, for each account, as long as it waits."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import delete

from config.settings import load_settings
from store import waiting
from store.database import Database
from store.schema import incidents, retries
from store.vault import Vault
from tests.support.desk import Desk, desk, report
from workers import maintain
from workers.context import open_context

NOW = datetime(2026, 3, 9, 12, tzinfo=UTC)


def weekly(on: Desk, **later: float) -> list[str]:
    """Look for what waits, and return the titles of the incidents that opened."""
    now = NOW + timedelta(**later)
    on.database.repeat(lambda connection: waiting.note_weekly(connection, now))
    return [opened.title for opened in on.fold() if not opened.reminder]


def test_what_waits_is_told_once_a_week_with_numbers_and_the_next_step(database: Database, vault: Vault) -> None:
    on = desk(database, vault)
    on.handle(report("m-1", 9, 27), report("m-2", 9, 1, to="447700900456"))

    assert weekly(on) == ["1 resend only observed, 1 suppression proposed: waiting for somebody"]
    assert weekly(on, days=6, hours=23) == []
    [incident] = on.rows(incidents)
    assert "dlr retries run" in incident.next_step
    assert "dlr proposals list" in incident.next_step

    with database.transaction() as connection:  # quiet incidents are resolved after a day
        connection.execute(incidents.update().values(state="resolved", is_open=incidents.c.id))
    on.handle(report("m-3", 9, 27, to="447700900457"))
    assert weekly(on, days=7) == ["2 resends only observed, 1 suppression proposed: waiting for somebody"]


def test_a_workers_house_keeping_looks_for_it(
    database: Database, vault: Vault, database_url: str, tmp_path: Path
) -> None:
    on = desk(database, vault)
    on.handle(report("m-1", 9, 27))
    settings = load_settings({"DLR_DATABASE_URL": database_url, "DLR_STATE_DIR": str(tmp_path / "state")})
    context = open_context(settings)
    try:
        maintain.purge(context)
        maintain.fold(context)
    finally:
        context.database.close()
    assert [row.rule for row in on.rows(incidents)] == [waiting.RULE]


def test_each_account_is_told_of_its_own(database: Database, vault: Vault) -> None:
    on = desk(database, vault)
    on.handle(report("m-1", 9, 27))
    assert len(weekly(on)) == 1
    on.handle(report("m-1", 9, 27), account="shop")
    assert len(weekly(on, hours=1)) == 1
    assert sorted(row.account for row in on.rows(incidents)) == ["main", "shop"]


def test_where_nothing_waits_nothing_is_told(database: Database, vault: Vault) -> None:
    on = desk(database, vault)
    assert weekly(on) == []
    on.handle(report("m-1", 9, 27))
    with database.transaction() as connection:
        connection.execute(delete(retries))
    assert weekly(on) == []

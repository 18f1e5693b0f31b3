"""What is kept from before is made what this release expects, as the tables are brought to it."""

import json
from datetime import UTC, datetime

from alembic import command
from alembic.config import Config
from sqlalchemy import select, text

from store import migrate, trail
from store.database import Database, open_database
from store.schema import incidents as incident_table


def at_revision(database_url: str, revision: str) -> Database:
    """Return a database with the tables of an older release."""
    opened = open_database(database_url, synchronous="NORMAL")
    config = Config()
    config.set_main_option("script_location", str(migrate._FOLDER))
    with opened.transaction() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    return opened


def test_a_trail_from_before_is_whole_afterwards_and_can_be_gone_on_with(database_url: str) -> None:
    opened = at_revision(database_url, "0002")
    columns = "account, scope, channel, sender, campaign, purpose, cause, rule, origin, state, evidence"
    with opened.transaction() as connection:
        for number in (1, 2):
            connection.execute(
                text(
                    f"INSERT INTO suppressions (id, address, since, event_at, times, changed_at, {columns}) VALUES "
                    "(:id, :address, 1, 1, 1, 1, 'main', :scope, '', '', '', 'all', 'x', 'r', 'report', 'active', '{}')"
                ),
                {"id": number, "address": bytes(16), "scope": f"s{number}"},
            )
        for number in (10, 11):
            connection.execute(
                text(
                    "INSERT INTO suppression_audit (id, suppression_id, at, who, change, detail) "
                    "VALUES (:id, 1, 5, 'policy', 'suppressed', 'r')"
                ),
                {"id": number},
            )
    migrate.migrate_database(opened)
    with opened.transaction() as connection:
        assert trail.verify(connection, 1).problem == ""
        changes = [trail.Change(number, "lifted", "by hand", {"state": "lifted"}) for number in (1, 2)]
        trail.change(connection, changes, datetime.now(UTC), "ada")
    with opened.reading() as connection:
        assert [(trail.verify(connection, one).rows, trail.verify(connection, one).problem) for one in (1, 2)] == [
            (3, ""),
            (1, ""),
        ]
    opened.close()


def test_incidents_from_before_excuse_what_they_excused(database_url: str) -> None:
    opened = at_revision(database_url, "0012")
    columns = "account, rule, severity, title, next_step, recent, examples, facts"
    with opened.transaction() as connection:
        for number, state, resolved in ((1, "resolved", 50), (2, "open", None), (3, "watching", None)):
            connection.execute(
                text(
                    f"INSERT INTO incidents (id, key, state, first_at, last_at, heard_at, count, is_open, resolved_at, "
                    f"place, {columns}) VALUES (:id, :key, :state, 10, 40, 40, 1, 1, :resolved, "
                    "'network=23410', 'main', 'r', 'info', 't', 'n', '{}', '[]', '{}')"
                ),
                {"id": number, "key": f"k{number}", "state": state, "resolved": resolved},
            )
    migrate.migrate_database(opened)
    with opened.reading() as connection:
        rows = connection.execute(select(incident_table.c.id, incident_table.c.spells)).all()
    assert {row.id: json.loads(row.spells) for row in rows} == {1: [[10, 50, 0]], 2: [[10, 40, 0]], 3: []}
    opened.close()

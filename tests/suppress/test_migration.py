"""Trails from before the chain are chained as the tables are brought to this release."""

from datetime import UTC, datetime

from alembic import command
from alembic.config import Config
from sqlalchemy import text

from store import migrate, trail
from store.database import open_database


def test_a_trail_from_before_is_whole_afterwards_and_can_be_gone_on_with(database_url: str) -> None:
    opened = open_database(database_url, synchronous="NORMAL")
    config = Config()
    config.set_main_option("script_location", str(migrate._FOLDER))
    with opened.transaction() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
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

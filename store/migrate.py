"""Bring the tables to this release, and tell when they are not."""

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from config.settings import Settings
from store.database import Database, open_database
from store.errors import NotMigrated

_FOLDER: Final = Path(__file__).parent / "migrations"
# Any fixed number will do, as long as nothing else locks the same one in this database.
_LOCK: Final = 0x444C52


def migrate(settings: Settings) -> str:
    """Bring the database of `settings` to this release and return the revision.

    Safe to run any number of times and by several processes at once: they wait for one another.
    Raises `store.errors.Unavailable`.
    """
    if settings.database.startswith("sqlite"):
        settings.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    database = open_database(settings.database, synchronous=settings.sqlite_synchronous)
    try:
        return migrate_database(database)
    finally:
        database.close()


def migrate_database(database: Database) -> str:
    """Bring `database` to this release and return the revision."""
    # On SQLite the transaction itself holds the only writer's lock from its beginning.
    with database.transaction() as connection:
        if not database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        command.upgrade(_config(connection), "head")
        return _revision(connection) or ""


def require_migrated(database: Database) -> None:
    """Raise `NotMigrated` unless the tables are exactly those of this release."""
    with database.reading() as connection:
        present = _revision(connection)
    wanted = ScriptDirectory.from_config(_config()).get_current_head()
    if present != wanted:
        found = f"are those of revision {present}" if present else "are missing"
        raise NotMigrated(f"the tables {found}, this release needs revision {wanted}: run `dlr migrate`")


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.attributes["connection"] = connection
    return config

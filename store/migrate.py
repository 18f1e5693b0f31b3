"""Bring the tables to this release."""

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from config.settings import Settings
from store.database import Database, open_database
from store.migrations import received
from store.revision import require_revision, revision_of, revisions
from store.sqlite import WHOLE

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
    """Bring `database` to this release and return the revision. Raises `TooNew` where a newer release was here."""
    if database.is_sqlite:
        # Not while a newer release's tables are there: nothing of them is ours to touch.
        with database.transaction(WHOLE) as connection:
            if revision_of(connection) in (None, *revisions()):
                received.copy(connection)
    # On SQLite the transaction itself holds the only writer's lock from its beginning.
    with database.transaction(WHOLE) as connection:
        if not database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        if revision_of(connection) not in (None, *revisions()):
            require_revision(connection)  # says that a newer release was here
        command.upgrade(_config(connection), "head")
        return revision_of(connection) or ""


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.attributes["connection"] = connection
    return config
